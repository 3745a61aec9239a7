//! The attribute at work: sync and async tools, paths, secrets, metadata, and three ways to say
//! on whose behalf a call is made.
//!
//!     cargo run --example guarded_tools

use std::error::Error;
use std::path::Path;

use aegize::{
    AgentIdentity, AuditLog, Environment, GuardContext, GuardFutureExt, PermissionPolicy,
    guarded_tool, with_context, with_metadata,
};
use serde_json::json;

#[guarded_tool(tool_name = "file_reader", operation = "read")]
fn read_file(path: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

/// The path is not an argument here, so the caller tells the policy what it will be.
#[guarded_tool(tool_name = "file_reader", operation = "read")]
fn read_report(name: &str) -> std::io::Result<String> {
    std::fs::read_to_string(format!("./safe_data/{name}.txt"))
}

struct Search {
    calls: usize,
}

impl Search {
    #[guarded_tool(
        tool_name = "web_search",
        operation = "search",
        metadata(engine = "demo")
    )]
    async fn search(&mut self, query: &str, #[guard(redact)] key: String) -> anyhow::Result<usize> {
        self.calls += 1;
        Ok(query.len() + key.len())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/aegize.yaml");
    let directory = tempfile::tempdir()?;
    std::fs::create_dir(directory.path().join("safe_data"))?;
    std::fs::write(directory.path().join("safe_data/report.txt"), "all is well")?;
    let policy = PermissionPolicy::from_yaml_file(policy)?;
    std::env::set_current_dir(&directory)?;

    let context = GuardContext::new(
        AgentIdentity::new("research_bot", "Research Bot", "Geoffrey")?
            .environment(Environment::Staging),
        policy,
        AuditLog::open("audit.jsonl")?,
    );

    // A synchronous scope.
    let report = with_context(&context, || read_file(Path::new("./safe_data/report.txt")))?;
    println!("inside:  {report}");

    // A future carries its scope, on any executor.
    let mut search = Search { calls: 0 };
    let found = search
        .search("Aegize", "secret".to_owned())
        .with_context(&context);
    println!("found:   {}", pollster::block_on(found)?);

    // The process default, for programs with one agent.
    context.activate();
    for path in ["./safe_data/../audit.jsonl", "/etc/passwd"] {
        match read_file(Path::new(path)) {
            Ok(_) => println!("read {path}, which no rule allows"),
            Err(refused) => println!("outside: {refused}"),
        }
    }
    let metadata = json!({"path": "./safe_data/report.txt", "ticket": "OPS-12"});
    println!(
        "report:  {}",
        with_metadata(metadata, || read_report("report"))?
    );

    println!();
    for record in context.audit_log().read_all()? {
        println!("{:<20} {}", record.event, record.input_summary);
    }
    Ok(())
}
