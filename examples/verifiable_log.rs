//! A log that rotates and is signed, what an auditor finds in it, and what when somebody edits it.
//!
//!     cargo run --example verifiable_log

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aegize::tlog::SigningKey;
use aegize::{
    AgentIdentity, AuditLog, GuardContext, GuardError, LogVerdict, LogVerifier, PermissionPolicy,
    Rotation, guarded_tool, with_context,
};

#[guarded_tool(tool_name = "payments", operation = "refund", risk_level = "medium")]
fn refund(customer: &str, amount: u32) -> Result<String, GuardError> {
    Ok(format!("{amount} to {customer}"))
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("audit");
    // Made once, by `aegize audit keygen`; the auditor has the public half.
    let key = SigningKey::generate("example.com/agents")?;
    let public_key = key.verifier().clone();

    let log = AuditLog::options()
        .rotation(Rotation::Size(1_000))
        .signing_key(key)
        .checkpoint_every(1_000, Duration::from_secs(10))
        .open(&path)?;
    let context = GuardContext::new(
        AgentIdentity::new("support_bot", "Support Bot", "Geoffrey")?,
        PermissionPolicy::from_yaml_str("agents: {support_bot: {allow: [{tool: payments}]}}")?,
        log,
    );
    for amount in [20, 35, 500] {
        with_context(&context, || refund("a-customer", amount))?;
    }
    // With the last of its users, a log is closed and signed.
    drop(context);

    let verifier = LogVerifier::new(&path).trust(public_key);
    tell(&verifier.verify()?);

    let file = files(&path)?.pop().ok_or("a log has a file")?;
    let text = fs::read_to_string(&file)?;
    fs::write(&file, text.replacen("amount=500", "amount=50", 1))?;
    println!("somebody edits the last refund");
    tell(&verifier.verify()?);
    Ok(())
}

fn tell(verdict: &LogVerdict) {
    match verdict {
        LogVerdict::Intact(log) => println!(
            "intact: {} records, checked against {} checkpoint",
            log.head().size,
            log.checkpoints().len()
        ),
        LogVerdict::Broken(flaw) => println!("broken at record {:?}: {flaw}", flaw.position()),
    }
}

/// The log's files, in order.
fn files(log: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(log)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
