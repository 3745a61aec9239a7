//! An email that waits for a person: the call returns at once, and nothing is sent.
//!
//!     cargo run --example approval_email

use std::error::Error;
use std::path::Path;

use aegize::{
    AgentIdentity, AuditLog, GuardContext, GuardError, GuardFutureExt, PermissionPolicy,
    guarded_tool,
};

#[derive(Debug, thiserror::Error)]
enum MailError {
    #[error(transparent)]
    Guard(#[from] GuardError),
    #[error("the mail server does not answer")]
    Server,
}

#[guarded_tool(tool_name = "email", operation = "send", risk_level = "high")]
async fn send_email(to: &str, #[guard(redact)] body: &str) -> Result<(), MailError> {
    println!("sending {} characters to {to}", body.len());
    Err(MailError::Server)
}

fn main() -> Result<(), Box<dyn Error>> {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/aegize.yaml");
    let log = tempfile::tempdir()?;
    let context = GuardContext::new(
        AgentIdentity::new("research_bot", "Research Bot", "Geoffrey")?,
        PermissionPolicy::from_yaml_file(policy)?,
        AuditLog::open(log.path().join("audit.jsonl"))?,
    );

    let sent = send_email("ceo@example.com", "Q3 numbers").with_context(&context);
    match pollster::block_on(sent) {
        Err(MailError::Guard(GuardError::ApprovalRequired(pending))) => {
            println!("held for a person: {}", pending.reason());
            let shown = serde_json::to_string(&pending.action().arguments)?;
            println!("what they will see: {shown}");
        }
        other => println!("unexpected: {other:?}"),
    }
    Ok(())
}
