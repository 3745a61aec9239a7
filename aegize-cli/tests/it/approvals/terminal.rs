//! A terminal with somebody at it.
//!
//! The command runs in a session of its own whose terminal is one of ours, as it does in a window.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// How long a command may take for anything before that counts as never.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) struct Terminal {
    ours: File,
    name: String,
    /// Keeps what is typed before a command runs.
    theirs: Option<File>,
    child: Option<Child>,
    /// What the screen has shown and was not looked at.
    screen: Vec<u8>,
}

impl Terminal {
    pub(super) fn new() -> Self {
        Self::sized(100)
    }

    /// One that says that it has so many columns; of 0, it does not know.
    pub(super) fn sized(columns: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let size = Winsize {
            ws_row: 40,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&ours, size).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let theirs = open(&name);
        Self {
            ours: File::from(ours),
            name,
            theirs: Some(theirs),
            child: None,
            screen: Vec::new(),
        }
    }

    /// Runs a command on a new terminal.
    pub(super) fn with(command: &Command) -> Self {
        let mut terminal = Self::new();
        terminal.run(command);
        terminal
    }

    /// Runs a command.
    pub(super) fn run(&mut self, command: &Command) {
        let mut session = Command::new("setsid");
        session.args(["--ctty", "--wait"]);
        session.arg(command.get_program()).args(command.get_args());
        session.current_dir(command.get_current_dir().unwrap());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => session.env(name, value),
                None => session.env_remove(name),
            };
        }
        session.env("NO_COLOR", "1");
        session
            .stdin(open(&self.name))
            .stdout(open(&self.name))
            .stderr(open(&self.name));
        self.child = Some(session.spawn().unwrap());
        self.theirs = None;
    }

    /// Waits until something is shown, and returns all that came before and with it.
    #[track_caller]
    pub(super) fn shows(&mut self, awaited: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = String::from_utf8_lossy(&self.screen).into_owned();
            if let Some(at) = shown.find(awaited) {
                let end = at + awaited.len();
                self.screen.drain(..end);
                return shown[..end].to_owned();
            }
            assert!(
                self.read(deadline),
                "no {awaited:?} on the screen:\n{shown}"
            );
        }
    }

    /// What is shown until the command has ended, and with which code that was.
    pub(super) fn end(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        while self.read(deadline) {}
        let code = self.child.unwrap().wait().unwrap().code();
        (code, String::from_utf8_lossy(&self.screen).into_owned())
    }

    pub(super) fn types(&mut self, keys: &str) {
        self.ours.write_all(keys.as_bytes()).unwrap();
    }

    /// Whether there is more to see before a time.
    fn read(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut ours = [PollFd::new(&self.ours, PollFlags::IN)];
        let left = Timespec::try_from(left).unwrap();
        let is_ready = poll(&mut ours, Some(&left)).unwrap() > 0;
        assert!(is_ready, "nothing happens any more");
        let mut bytes = [0; 4096];
        // With the last of its users, a terminal fails.
        match self.ours.read(&mut bytes) {
            Ok(read @ 1..) => {
                self.screen.extend(&bytes[..read]);
                true
            }
            _ => false,
        }
    }
}

fn open(name: &str) -> File {
    File::options().read(true).write(true).open(name).unwrap()
}
