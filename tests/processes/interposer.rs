//! What makes a worker's calls to the file system fail: `faults.c`, told what to do by paths.

use std::env;
use std::fs::{self, File, Metadata};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Compiles it, once in this process.
pub(crate) fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/processes/faults.c");
        let program = env::current_exe().expect("the program's own path");
        let library = program.with_file_name(format!("faults-{}.so", std::process::id()));
        let mut cc = Command::new("cc");
        cc.args(["-O1", "-Wall", "-Wextra", "-shared", "-fPIC", "-o"]);
        let compiled = cc.arg(&library).arg(source).arg("-ldl").status();
        let compiled = compiled.expect("cc runs, as it does to link a Rust program");
        assert!(compiled.success(), "faults.c does not compile");
        library
    })
}

/// Removes what was compiled, if it was.
pub(crate) fn remove_library() {
    let program = env::current_exe().expect("the program's own path");
    let library = program.with_file_name(format!("faults-{}.so", std::process::id()));
    let _ = fs::remove_file(library);
}

/// Arms it: `CLASS ERROR MODE K`, for the files below a directory.
pub(crate) fn arm(fault: &str, directory: &Path) {
    tell(&format!("arm {fault} {}", directory.display()));
}

/// Lets the next sync wait until somebody opens a FIFO.
pub(crate) fn hold(fifo: &Path) {
    tell(&format!("hold {}", fifo.display()));
}

fn tell(command: &str) {
    File::open(format!("/fault/{command}")).expect_err("there is no such file");
}

/// While it lives, no call of this thread fails.
pub(crate) struct Pause(());

impl Pause {
    pub(crate) fn new() -> Self {
        tell("pause");
        Self(())
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        tell("resume");
    }
}

/// What has happened since it was armed.
pub(crate) struct State {
    pub(crate) is_fired: bool,
    files: Vec<[u64; 5]>,
}

impl State {
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string("/fault/state").expect("the interposer is loaded");
        let mut lines = text.lines().map(|line| {
            let numbers = line.split(' ').map(str::parse::<u64>);
            numbers
                .map(|number| number.expect("a number"))
                .collect::<Vec<_>>()
        });
        let first = lines.next().expect("a line");
        Self {
            is_fired: first[1] == 1,
            files: lines
                .map(|line| line.try_into().expect("five numbers"))
                .collect(),
        }
    }

    /// Why a part of a file would not survive a loss of power.
    pub(crate) fn loses(&self, file: &Metadata, part: &Range<u64>) -> Option<&'static str> {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(file);
        #[cfg(not(unix))]
        let inode = file.len();
        let known = self.files.iter().find(|known| known[0] == inode);
        let Some(&[_, synced, lost_from, lost_to, is_named]) = known else {
            return Some("was never synced");
        };
        if is_named == 0 {
            Some("is in a file whose name was not synced")
        } else if part.start < lost_to && lost_from < part.end {
            Some("was lost when a sync failed")
        } else if synced < part.end {
            Some("was not synced")
        } else {
            None
        }
    }
}
