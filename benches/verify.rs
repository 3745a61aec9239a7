//! How fast a log is verified, beside `sha256sum` on the same file in the same run.
//!
//!     cargo bench --bench verify
//!
//! Each figure is the best of a few rounds; the rounds of all subjects alternate, so that whatever
//! else the machine does meets them alike.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::num::NonZero;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use aegize::tlog::leaf;
use aegize::{
    AgentIdentity, AuditLog, AuditRecord, GuardContext, GuardError, LogVerdict, LogVerifier,
    PermissionPolicy, guarded_tool, with_context,
};

/// How many bytes the log has, at least.
const SIZE: usize = 256 * 1024 * 1024;

#[guarded_tool(tool_name = "web_search", operation = "search")]
fn search(query: &str) -> Result<usize, GuardError> {
    Ok(query.len())
}

/// The records of an allowed call.
fn records(directory: &Path) -> Vec<AuditRecord<'static>> {
    let context = GuardContext::new(
        AgentIdentity::new("research_bot", "Bench", "Bench").expect("an identity"),
        PermissionPolicy::from_yaml_str("agents: {research_bot: {allow: [{tool: web_search}]}}")
            .expect("a policy"),
        AuditLog::open(directory.join("sample.jsonl")).expect("a log"),
    );
    with_context(&context, || search("Aegize runtime")).expect("an allowed call");
    context.audit_log().read_all().expect("two records")
}

/// Writes a long log of the same call, again and again.
fn write_log(path: &Path, mut records: Vec<AuditRecord<'static>>) {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let (mut written, mut seq, mut head) = (0, 0, leaf(b"").as_bytes().map(|_| 0).into());
    while written < SIZE {
        for record in &mut records {
            record.seq = seq;
            record.prev = Some(head);
            let line = serde_json::to_vec(record).expect("a line");
            head = leaf(&line);
            seq += 1;
            written += line.len() + 1;
            file.write_all(&line).expect("a write");
            file.write_all(b"\n").expect("a write");
        }
    }
    file.flush().expect("a write");
}

fn verify(log: &Path, threads: NonZero<usize>) {
    let verdict = LogVerifier::new(log).threads(threads).verify();
    assert!(matches!(verdict, Ok(LogVerdict::Intact(_))), "{verdict:?}");
}

fn sha256sum(log: &Path) {
    let status = Command::new("sha256sum")
        .arg(log)
        .stdout(Stdio::null())
        .status();
    assert!(
        status
            .expect("sha256sum, of the GNU core utilities")
            .success()
    );
}

fn main() {
    const ROUNDS: usize = 5;
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    write_log(&log, records(directory.path()));
    let length = fs::metadata(&log).expect("a file").len();
    let megabytes = f64::from(u32::try_from(length).expect("a log below 4 GB")) / 1e6;
    let one = NonZero::<usize>::MIN;
    let all = thread::available_parallelism().unwrap_or(one);
    let subjects: [(String, Box<dyn Fn()>); 3] = [
        ("floor: sha256sum".to_owned(), Box::new(|| sha256sum(&log))),
        (
            "verify, on one thread".to_owned(),
            Box::new(|| verify(&log, one)),
        ),
        (
            format!("verify, on {all} threads"),
            Box::new(|| verify(&log, all)),
        ),
    ];
    let mut best = [f64::INFINITY; 3];
    for _ in 0..ROUNDS {
        for ((_, round), best) in subjects.iter().zip(&mut best) {
            let start = Instant::now();
            round();
            *best = best.min(start.elapsed().as_secs_f64());
        }
    }
    println!("A log of {megabytes:.0} MB, verified");
    for ((name, _), seconds) in subjects.iter().zip(best) {
        let (speed, ratio) = (megabytes / seconds, best[0] / seconds);
        println!("  {name:<44} {speed:>9.0} MB/s {ratio:>6.2}×");
    }
}
