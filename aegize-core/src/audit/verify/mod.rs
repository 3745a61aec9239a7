//! Whether a log is as it was written: reads bytes and re-derives everything.
//!
//! In reading order: [`chunks`] reads whole lines, [`outline`] reads what a line says of its place,
//! [`check`] holds the lines against each other and against checkpoints, [`suspect`] tells what was
//! done to a log whose lines do not fit, and [`verdict`] is what is said of it. [`prove`] makes the
//! proof of one record. The invariant: nothing in here writes, or knows how a log is written, and
//! nothing is taken on trust but the keys.

mod check;
mod chunks;
mod outline;
mod prove;
mod suspect;
mod verdict;

use std::fs::File;
use std::io::{self, Read as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::thread;

use self::check::Check;
use self::chunks::{Chunk, Chunks, Outlines};
pub use self::verdict::{CheckedCheckpoint, IntactLog, LogFlaw, LogFlawKind, LogVerdict};
use super::checkpoint::Checkpoint;
use super::error::{AuditError, Problem};
use super::files::beside;
use super::key::VerifierKey;
use super::tlog_error::TlogErrorKind;

/// How many chunks wait for a thread.
const WAITING: usize = 2;

/// Longer files are no checkpoints.
const LONGEST_NOTE: u64 = 1_000_001;

/// Checks that a log is as it was written.
///
/// The log is a file, a directory of segments, or a pipe. It is read once, on all of the machine's
/// processors, in memory that does not grow with it. It may be written meanwhile: what is written
/// after the start is not looked at.
///
/// The lines alone tell whatever was changed between two of them, not what is missing at the end,
/// nor that all of them were replaced. Checkpoints do, if they are kept where those who can write
/// the log cannot: give them to [`since`](Self::since).
///
/// ```
/// # extern crate aegize_core as aegize;
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("audit.jsonl");
/// # std::fs::write(&path, "")?;
/// use aegize::{LogVerdict, LogVerifier};
///
/// match LogVerifier::new(&path).verify()? {
///     LogVerdict::Intact(log) => println!("{} records, intact", log.head().size),
///     LogVerdict::Broken(flaw) => println!("line {:?}: {flaw}", flaw.line()),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct LogVerifier {
    log: PathBuf,
    trusted: Vec<VerifierKey>,
    since: Vec<PathBuf>,
    threads: NonZero<usize>,
}

impl LogVerifier {
    /// A verifier for the log at a path, which trusts no key.
    pub fn new(log: impl Into<PathBuf>) -> Self {
        Self {
            log: log.into(),
            trusted: Vec::new(),
            since: Vec::new(),
            threads: thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN),
        }
    }

    /// Trusts a key to have signed checkpoints of this log. The checkpoint beside the log,
    /// `<log>.checkpoint`, is then checked if it is there.
    #[must_use]
    pub fn trust(mut self, key: VerifierKey) -> Self {
        self.trusted.push(key);
        self
    }

    /// Checks that the log only grew since a checkpoint was signed, which is in a file.
    #[must_use]
    pub fn since(mut self, checkpoint: impl Into<PathBuf>) -> Self {
        self.since.push(checkpoint.into());
        self
    }

    /// Reads lines on that many threads. With one, everything is done by the thread that calls.
    #[must_use]
    pub fn threads(mut self, threads: NonZero<usize>) -> Self {
        self.threads = threads;
        self
    }

    /// Where the latest checkpoint of the log lies, if there is one: beside it.
    pub fn checkpoint_file(&self) -> PathBuf {
        beside(&self.log, "checkpoint")
    }

    /// Reads the log and says whether it is intact.
    ///
    /// # Errors
    ///
    /// If the log or a checkpoint cannot be read, a directory has no segments, or a checkpoint that
    /// [`since`](Self::since) names is none or is not signed by a trusted key.
    pub fn verify(&self) -> Result<LogVerdict, AuditError> {
        self.verify_watched(|_, _| {})
    }

    /// The same, telling now and then how many bytes of the log were checked, and how many it has;
    /// that is not known of a pipe.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_watched(
        &self,
        mut watch: impl FnMut(u64, Option<u64>),
    ) -> Result<LogVerdict, AuditError> {
        // Checkpoints first: the log may grow beyond them, they not beyond the log.
        let (checkpoints, flaw) = self.checkpoints()?;
        let (chunks, files, length) = Chunks::open(&self.log)?;
        if files.is_empty() && checkpoints.is_empty() {
            return Err(Problem::NoSegments.of(&self.log));
        }
        let mut check = Check::new(&self.log, files, checkpoints);
        let mut done = 0_u64;
        let stopped = each(chunks, self.threads, |outlines| {
            let outlines = outlines.map_err(Stop::Failed)?;
            done = done.saturating_add(outlines.length);
            watch(done, length);
            check.take(outlines).map_err(Stop::Broken)
        });
        match stopped {
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::Broken(flaw)) => Ok(LogVerdict::Broken(flaw)),
            Ok(()) => Ok(match (check.finish(), flaw) {
                (LogVerdict::Intact(_), Some(flaw)) => LogVerdict::Broken(flaw),
                (verdict, _) => verdict,
            }),
        }
    }

    /// The checkpoints that trusted keys signed, and what is wrong with one that they did not.
    fn checkpoints(&self) -> Result<(Vec<CheckedCheckpoint>, Option<LogFlaw>), AuditError> {
        let (mut checkpoints, mut flaw) = (Vec::new(), None);
        let unusable = |file: &Path, what| {
            let file = file.to_owned();
            Problem::Checkpoint { file, what }.of(&self.log)
        };
        let beside = (!self.trusted.is_empty()).then(|| self.checkpoint_file());
        let since = self.since.iter().map(|file| (file.as_path(), false));
        for (file, is_beside) in beside
            .iter()
            .map(|file| (file.as_path(), true))
            .chain(since)
        {
            let note = match read_note(file) {
                Err(error) if is_beside && error.kind() == io::ErrorKind::NotFound => continue,
                note => note.map_err(|error| unusable(file, error.to_string()))?,
            };
            match Checkpoint::open(&note, &self.trusted) {
                Ok(checkpoint) => checkpoints.push(CheckedCheckpoint {
                    file: file.to_owned(),
                    checkpoint,
                }),
                // What lies beside the log is evidence. What somebody names may be the wrong file.
                Err(error) if is_beside || error.kind() == TlogErrorKind::BadSignature => {
                    flaw.get_or_insert_with(|| LogFlaw {
                        kind: LogFlawKind::BadSignature,
                        file: file.to_owned(),
                        place: None,
                        message: error.to_string(),
                    });
                }
                Err(error) => return Err(unusable(file, error.to_string())),
            }
        }
        Ok((checkpoints, flaw))
    }
}

/// Why the reading ended before the log did.
enum Stop {
    Failed(AuditError),
    Broken(LogFlaw),
}

/// Reads the lines of chunks on some threads, and takes them in order.
fn each(
    chunks: Chunks,
    threads: NonZero<usize>,
    mut take: impl FnMut(Result<Outlines, AuditError>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    if threads == NonZero::<usize>::MIN {
        for chunk in chunks {
            take(chunk.map(Chunk::outlines))?;
        }
        return Ok(());
    }
    thread::scope(|scope| {
        let (mut givers, mut takers) = (Vec::new(), Vec::new());
        for _ in 0..threads.get() {
            let (giver, chunks) = sync_channel::<Result<Chunk, AuditError>>(WAITING);
            let (outlines, taker) = sync_channel(WAITING);
            scope.spawn(move || {
                for chunk in chunks {
                    if outlines.send(chunk.map(Chunk::outlines)).is_err() {
                        break;
                    }
                }
            });
            givers.push(giver);
            takers.push(taker);
        }
        // Whoever finds nobody at the other end has no more to do, and is missed in turn.
        scope.spawn(move || {
            for (chunk, giver) in chunks.zip(givers.iter().cycle()) {
                if giver.send(chunk).is_err() {
                    break;
                }
            }
        });
        for taker in takers.iter().cycle() {
            let Ok(outlines) = taker.recv() else { break };
            take(outlines)?;
        }
        Ok(())
    })
}

/// Reads a file that may be a checkpoint, not much further than one can be long.
fn read_note(file: &Path) -> io::Result<String> {
    let mut note = Vec::new();
    File::open(file)?
        .take(LONGEST_NOTE)
        .read_to_end(&mut note)?;
    Ok(String::from_utf8_lossy(&note).into_owned())
}
