//! A program that is told of a request: JSON on its standard input, no shell.
//!
//! The invariants: it has a time after which its whole process group is gone; it sees nothing of
//! the server's environment but what programs need to be found and to speak; what it says decides
//! nothing.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command as Process};
use tokio::time::timeout;

use super::notice::Notice;
use super::text::one_line;
use super::{Failure, Told};

/// What a program is given of the environment.
const ENVIRONMENT: [&str; 9] = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "USER",
    "LOGNAME",
    "SystemRoot",
];

/// As much as is told of what a program that fails has to say, in bytes.
const LONGEST_COMPLAINT: u64 = 500;

/// How long the last words of a program that has ended are waited for, if it left others behind
/// who could still speak.
const LAST_WORDS: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Command {
    program: String,
    arguments: Vec<String>,
    pub(super) timeout: Duration,
}

impl Command {
    pub(super) fn new(program: &str, arguments: &[String]) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.to_vec(),
            timeout: Duration::from_secs(30),
        }
    }

    pub(super) async fn tell(&self, notice: &Notice<'_>) -> Result<Told, Failure> {
        let mut text = notice.to_json().to_string();
        text.push('\n');
        let mut group = self
            .start()
            .map_err(|error| Failure::new(format!("the program cannot be started: {error}")))?;
        let ran = timeout(self.timeout, group.run(text.as_bytes())).await;
        let Ok(ran) = ran else {
            let seconds = self.timeout.as_secs();
            let message = format!("the program did not end within {seconds} s and was killed");
            return Err(Failure::new(message));
        };
        let (status, complaint) =
            ran.map_err(|error| Failure::new(format!("the program was lost: {error}")))?;
        if status.success() {
            return Ok(Told::default());
        }
        let complaint = one_line(String::from_utf8_lossy(&complaint).trim());
        let message = if complaint.is_empty() {
            format!("the program failed ({status})")
        } else {
            format!("the program failed ({status}): {complaint}")
        };
        Err(Failure::new(message))
    }

    fn start(&self) -> std::io::Result<Group> {
        let mut process = Process::new(&self.program);
        process
            .args(&self.arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for name in ENVIRONMENT {
            if let Some(value) = std::env::var_os(name) {
                process.env(name, value);
            }
        }
        #[cfg(unix)]
        process.process_group(0);
        Ok(Group {
            child: process.spawn()?,
        })
    }
}

/// A program with all that it starts: gone with this value, unless it has ended by itself.
struct Group {
    child: Child,
}

impl Group {
    async fn run(&mut self, input: &[u8]) -> std::io::Result<(ExitStatus, Vec<u8>)> {
        let stdin = self.child.stdin.take();
        let stderr = self.child.stderr.take();
        // One that does not read what it is told may know enough: its exit code says so.
        let feed = async {
            if let Some(mut stdin) = stdin {
                let _ = stdin.write_all(input).await;
            }
        };
        let mut complaint = Vec::new();
        let status = {
            let listen = listen(stderr, &mut complaint);
            tokio::pin!(feed, listen);
            let (mut is_fed, mut has_spoken) = (false, false);
            let status = loop {
                tokio::select! {
                    status = self.child.wait() => break status?,
                    () = &mut feed, if !is_fed => is_fed = true,
                    () = &mut listen, if !has_spoken => has_spoken = true,
                }
            };
            if !has_spoken {
                let _ = timeout(LAST_WORDS, listen).await;
            }
            status
        };
        Ok((status, complaint))
    }
}

/// Keeps the beginning of what a program says, and takes the rest so that it can go on.
async fn listen(stream: Option<impl AsyncRead + Unpin>, complaint: &mut Vec<u8>) {
    let Some(mut stream) = stream else { return };
    let beginning = (&mut stream).take(LONGEST_COMPLAINT);
    tokio::pin!(beginning);
    if beginning.read_to_end(complaint).await.is_ok() {
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        // Without an id it has been waited for, and the number may be another's by now.
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = id.and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}
