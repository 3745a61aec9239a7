//! A tool that is a value, bound to an agent: the policy allows the call, the log records it.
//!
//!     cargo run --example basic_allow

use std::error::Error;
use std::path::Path;

use aegize::{
    AgentIdentity, AuditLog, GuardContext, GuardError, GuardedTool, PermissionPolicy, RiskLevel,
};

fn main() -> Result<(), Box<dyn Error>> {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/aegize.yaml");
    let log = tempfile::tempdir()?;
    let context = GuardContext::new(
        AgentIdentity::new("research_bot", "Research Bot", "Geoffrey")?,
        PermissionPolicy::from_yaml_file(policy)?,
        AuditLog::open(log.path().join("audit.jsonl"))?,
    );

    let web_search = GuardedTool::new("web_search", "search", |query: String| {
        Ok::<_, GuardError>(format!("results for '{query}'"))
    })
    .risk_level(RiskLevel::Low)
    .bind(&context);

    println!("{}", web_search.call("Aegize runtime".to_owned())?);
    for record in context.audit_log().read_all()? {
        println!("{} {}", record.event, record.input_summary);
    }
    Ok(())
}
