//! One agent, three tool calls, three outcomes, every attempt in the log.
//!
//!     cargo run --example demo_story

use std::error::Error;
use std::fs;
use std::path::Path;

use aegize::{
    AgentIdentity, AuditEvent, AuditLog, Environment, GuardContext, GuardError, PermissionPolicy,
    guarded_tool, with_context,
};

#[guarded_tool(tool_name = "web_search", operation = "search")]
fn web_search(query: &str) -> Result<String, GuardError> {
    Ok(format!("results for '{query}'"))
}

#[guarded_tool(tool_name = "email", operation = "send", risk_level = "high")]
fn send_email(to: &str, subject: &str) -> Result<String, GuardError> {
    panic!("'{subject}' must not be sent to {to} without approval")
}

#[guarded_tool(tool_name = "shell", operation = "execute", risk_level = "critical")]
fn run_shell(cmd: &str) -> Result<String, GuardError> {
    panic!("`{cmd}` must never run")
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let policy = root.join("examples/demo_policy.yaml");
    let log = root.join("target/demo_audit.jsonl");
    if log.exists() {
        fs::remove_file(&log)?; // each telling begins with an empty log
    }
    let context = GuardContext::new(
        AgentIdentity::new("demo_agent", "Demo Agent", "Geoffrey")?.environment(Environment::Prod),
        PermissionPolicy::from_yaml_file(&policy)?,
        AuditLog::open(&log)?,
    );
    println!("Aegize demo: agent 'demo_agent' (prod) attempts three tool calls");
    println!("Policy:    {}\n", policy.display());

    with_context(&context, || {
        println!("[1] web_search.search   query='Aegize runtime'");
        tell(web_search("Aegize runtime"));
        println!("[2] email.send          to='ceo@example.com'");
        tell(send_email("ceo@example.com", "Q3 numbers"));
        println!("[3] shell.execute       cmd='rm -rf /var/data'");
        tell(run_shell("rm -rf /var/data"));
    });

    let records = context.audit_log().read_all()?;
    println!("Audit trail:");
    for record in &records {
        println!(
            "    {:<20} {:<12} {}",
            record.event, record.tool_name, record.operation
        );
    }
    let count = |event| {
        records
            .iter()
            .filter(|record| record.event == event)
            .count()
    };
    println!(
        "\n3 actions attempted · {} allowed · {} awaiting approval · {} denied · {} audit records written",
        count(AuditEvent::Allowed),
        count(AuditEvent::ApprovalRequired),
        count(AuditEvent::Denied),
        records.len(),
    );
    println!("Full audit log: {}", log.display());
    Ok(())
}

fn tell(outcome: Result<String, GuardError>) {
    match outcome {
        Ok(results) => println!("    ALLOWED  -> {results}\n"),
        Err(GuardError::ApprovalRequired(pending)) => {
            println!("    APPROVAL REQUIRED  -> held for human review (not executed)");
            println!("               reason: {pending}\n");
        }
        Err(refusal) => {
            println!("    DENIED  -> blocked before execution");
            println!("               reason: {refusal}\n");
        }
    }
}
