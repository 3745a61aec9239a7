//! Logs as a guard writes them.

use std::fs;
use std::path::Path;

use aegize::{AgentIdentity, AuditLog, GuardContext, GuardError, GuardedTool, PermissionPolicy};

/// Writes two records for each of some allowed calls, after those that are there.
pub(crate) fn write(log: &Path, calls: usize) {
    let policy = "agents: {bot: {allow: [{tool: clock}]}}";
    let context = GuardContext::new(
        AgentIdentity::new("bot", "Test Bot", "Tests").unwrap(),
        PermissionPolicy::from_yaml_str(policy).unwrap(),
        AuditLog::open(log).unwrap(),
    );
    let tool = GuardedTool::new(
        "clock",
        "read",
        |question: String| -> Result<usize, GuardError> { Ok(question.len()) },
    )
    .bind(&context);
    for number in 0..calls {
        tool.call(format!("number {number}")).unwrap();
    }
}

/// Makes a directory of segments, which begin at these lines and at 0, of a log in one file.
pub(crate) fn split(log: &Path, directory: &Path, starts: &[usize]) {
    let text = fs::read_to_string(log).unwrap();
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    fs::create_dir(directory).unwrap();
    for start in starts.iter().rev().chain([&0]) {
        let segment = lines.split_off(*start).concat();
        fs::write(directory.join(format!("{start:020}.jsonl")), segment).unwrap();
    }
}
