//! The README's quickstart, in its own directory:
//!
//!     cd examples/quickstart && cargo run --example quickstart

use std::error::Error;
use std::path::Path;

use aegize::{
    AgentIdentity, AuditLog, Environment, GuardContext, GuardError, GuardFutureExt,
    PermissionPolicy, guarded_tool, with_context,
};

#[derive(Debug, thiserror::Error)]
enum ToolError {
    #[error(transparent)]
    Guard(#[from] GuardError),
}

/// Send an email.
#[guarded_tool(tool_name = "email", operation = "send", risk_level = "high")]
async fn send_email(to: &str, body: &str) -> Result<String, ToolError> {
    Ok(format!("sent {} bytes to {to}", body.len()))
}

#[guarded_tool(tool_name = "file_reader", operation = "read")]
fn read_file(path: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

fn main() -> Result<(), Box<dyn Error>> {
    let context = GuardContext::new(
        AgentIdentity::new("research_bot", "Research Bot", "Geoffrey")?
            .environment(Environment::Dev),
        PermissionPolicy::from_yaml_file("aegize.yaml")?,
        AuditLog::open("audit.jsonl")?,
    );

    // A synchronous scope.
    let report = with_context(&context, || read_file(Path::new("./safe_data/report.md")))?;
    println!("read: {}", report.trim_end());

    // A future carries its scope, on any executor.
    let sent = send_email("ceo@example.com", "Q3 numbers").with_context(&context);
    match pollster::block_on(sent) {
        Ok(receipt) => println!("{receipt}"),
        Err(ToolError::Guard(GuardError::ApprovalRequired(pending))) => {
            println!("waiting for a person: {}", pending.reason());
        }
        Err(ToolError::Guard(refusal)) => println!("refused: {refusal}"),
    }

    // Out of bounds: the body does not run, and the refusal says what came close.
    let refused = with_context(&context, || {
        read_file(Path::new("./safe_data/../aegize.yaml"))
    });
    let refusal = refused.as_ref().err().and_then(|error| error.get_ref());
    if let Some(GuardError::PolicyDenied(denied)) = refusal.and_then(|error| error.downcast_ref()) {
        println!("refused: {denied}\n  {}", denied.explain());
    }

    for record in context.audit_log().read_all()? {
        println!("{} {} {}", record.event, record.tool_name, record.operation);
    }
    Ok(())
}
