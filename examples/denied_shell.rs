//! A shell command that a rule denies: the body never runs, and the refusal says why.
//!
//!     cargo run --example denied_shell

use std::error::Error;
use std::io;
use std::path::Path;

use aegize::{
    AgentIdentity, AuditLog, GuardContext, GuardError, PermissionPolicy, guarded_tool, with_context,
};

#[guarded_tool(tool_name = "shell", operation = "rm", risk_level = "critical")]
fn remove(path: &Path) -> io::Result<()> {
    std::fs::remove_dir_all(path)
}

fn main() -> Result<(), Box<dyn Error>> {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/aegize.yaml");
    let log = tempfile::tempdir()?;
    let context = GuardContext::new(
        AgentIdentity::new("research_bot", "Research Bot", "Geoffrey")?,
        PermissionPolicy::from_yaml_file(policy)?,
        AuditLog::open(log.path().join("audit.jsonl"))?,
    );

    let precious = log.path().to_owned();
    let refused = with_context(&context, || remove(&precious)).expect_err("the policy denies it");
    assert!(precious.exists());
    println!("refused: {refused}");

    // The refusal travelled as an `io::Error`; what it says can be had from there.
    let refusal = refused.get_ref().and_then(|error| error.downcast_ref());
    if let Some(GuardError::PolicyDenied(denied)) = refusal {
        println!("by rule: {}", denied.rule().unwrap_or("none"));
    }
    Ok(())
}
