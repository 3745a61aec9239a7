//! The least that has to be done: serialise two records, chain them, write them, and sync them
//! together with those of all who wait.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard};

use aegize::AuditRecord;
use aegize::tlog::{Hash, leaf};

use super::{Round, Subject, threads};

/// What a preallocated file has room for, in bytes.
const ROOM: usize = 256 << 20;

pub(super) struct Floor {
    name: &'static str,
    record: AuditRecord<'static>,
    file: File,
    is_synced: bool,
    state: Mutex<State>,
    synced: Condvar,
}

#[derive(Default)]
struct State {
    head: Hash,
    lines: Vec<u8>,
    added: u64,
    synced: u64,
    is_syncing: bool,
}

impl Floor {
    pub(super) fn new(
        directory: &Path,
        record: AuditRecord<'static>,
        is_synced: bool,
        is_preallocated: bool,
    ) -> Self {
        let name = match (is_synced, is_preallocated) {
            (false, _) => "floor: serialise, SHA-256, write",
            (true, false) => "floor: serialise, SHA-256, write, fdatasync",
            (true, true) => "the same, into preallocated zeroes",
        };
        let path = directory.join(format!("floor-{is_synced}-{is_preallocated}"));
        let file = if is_preallocated {
            preallocated(&path)
        } else {
            OpenOptions::new().create(true).append(true).open(path)
        };
        Self {
            name,
            record,
            file: file.expect("a file"),
            is_synced,
            state: Mutex::default(),
            synced: Condvar::new(),
        }
    }

    fn call(&self) {
        if self.is_synced {
            return self.call_synced();
        }
        for _ in 0..2 {
            let line = self.line();
            let mut state = self.state();
            state.head = leaf(&line);
            (&self.file).write_all(&line).expect("a write");
        }
    }

    fn call_synced(&self) {
        let lines = [self.line(), self.line()];
        let mut state = self.state();
        for line in &lines {
            state.head = leaf(line);
            state.lines.extend_from_slice(line);
        }
        state.added += 1;
        let own = state.added;
        while state.synced < own {
            if state.is_syncing {
                state = self.synced.wait(state).expect("the lock");
                continue;
            }
            state.is_syncing = true;
            let (lines, added) = (std::mem::take(&mut state.lines), state.added);
            drop(state);
            (&self.file).write_all(&lines).expect("a write");
            self.file.sync_data().expect("a sync");
            state = self.state();
            (state.is_syncing, state.synced) = (false, added);
            self.synced.notify_all();
        }
    }

    fn line(&self) -> Vec<u8> {
        let mut line = Vec::with_capacity(512);
        serde_json::to_writer(&mut line, &self.record).expect("a record");
        line.push(b'\n');
        line
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the lock")
    }
}

fn preallocated(path: &Path) -> io::Result<File> {
    let mut file = File::create(path)?;
    let zeroes = vec![0; 1 << 20];
    for _ in 0..ROOM / zeroes.len() {
        file.write_all(&zeroes)?;
    }
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

impl Subject for Floor {
    fn name(&self) -> &str {
        self.name
    }

    fn round(&self, callers: usize, calls: usize) -> Round {
        threads(callers, calls, || self.call())
    }
}
