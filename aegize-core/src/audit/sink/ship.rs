//! A sink's thread, as its owner holds it.

use std::path::{self, Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::AuditSink;
use super::board::{Board, Drained};
use super::delivery::Delivery;
use super::status::{ShipError, ShipErrorKind, SinkStatus};
use crate::text::one_line;

const LONGEST_NAME: usize = 32;

/// Delivers a log to a sink, from a thread of its own, until it is dropped.
///
/// It reads the log's files and needs nothing else: it may be in a process that writes the log or
/// in one of its own beside those. The log on disk is the queue, and no more than a batch of it is
/// in memory. The log is looked at ten times a second. If there is none yet, it is waited for.
///
/// How far the log has been delivered is kept beside it, in `<log>.cursor-NAME` (in a directory,
/// `log.cursor-NAME`), and whoever starts later goes on from there. Without that file, delivery
/// begins with the first record. The batch that is about to be delivered is noted before, so that
/// one that may have been delivered when the process died is delivered again as the same bytes,
/// and only that one. Only one process at a time delivers under a name; others stand by, and the
/// first to notice takes over when it ends.
///
/// Before each batch the line before it is compared with the one that was delivered. If the log was
/// cut, rewritten or replaced, or the cursor is damaged, nothing is delivered, and the
/// [`status`](Self::status) says what to do. A loss of power is no such thing: records are synced
/// to disk before they are delivered, whatever the log's own durability (on Unix).
///
/// A receiver that is not available is tried again, forever, after up to 0.25 seconds first and 60
/// in the end, or as long as it asks for, up to 15 minutes. A batch that is rejected is delivered
/// in halves; a single record that is rejected is kept in `<log>.rejected-NAME`, one JSON object a
/// line with its `seq`, the `error` and the record's `text`, and passed over.
///
/// Whenever `<log>.checkpoint` has been replaced, its note is published, after the records that it
/// is about.
///
/// ```
/// # extern crate aegize_core as aegize;
/// use std::sync::mpsc;
/// use std::time::Duration;
///
/// use aegize::{AuditSink, Batch, Shipper, SinkError};
///
/// struct Channel(mpsc::Sender<String>);
///
/// impl AuditSink for Channel {
///     fn deliver(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
///         let lines = String::from_utf8_lossy(batch.bytes()).into_owned();
///         self.0.send(lines).map_err(|error| SinkError::unavailable(error.to_string()))
///     }
/// }
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("audit.jsonl");
/// std::fs::write(&path, "{\"seq\":0}\n{\"seq\":1}\n")?;
/// let (sender, receiver) = mpsc::channel();
/// let shipper = Shipper::start(&path, "channel", Channel(sender))?;
/// shipper.drain(Duration::from_secs(10))?;
/// assert_eq!(receiver.recv()?, "{\"seq\":0}\n{\"seq\":1}\n");
/// assert_eq!(shipper.status().next_seq, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Shipper {
    log: PathBuf,
    name: String,
    board: Arc<Board>,
    thread: Option<JoinHandle<()>>,
}

impl Shipper {
    /// Begins to deliver a log, a file or a directory, to a sink of this name.
    ///
    /// The name is that of the receiver, not of the kind of sink: what has been delivered is known
    /// under it. It has at most 32 letters, digits, `-` and `_`, all ASCII.
    ///
    /// # Errors
    ///
    /// If the name is another, or no thread can be started. What is wrong with the log or the
    /// receiver is told by [`status`](Self::status).
    pub fn start<S: AuditSink + 'static>(
        log: impl AsRef<Path>,
        name: &str,
        sink: S,
    ) -> Result<Self, ShipError> {
        check_name(name)?;
        // The process may go elsewhere.
        let log = path::absolute(log.as_ref()).map_err(not_started)?;
        let board = Arc::new(Board::default());
        let delivery = Delivery::new(log.clone(), name, sink, Arc::clone(&board), random);
        let thread = thread::Builder::new()
            .name("aegize-sink".to_owned())
            .spawn({
                let board = Arc::clone(&board);
                move || run(delivery, &board)
            })
            .map_err(not_started)?;
        Ok(Self {
            log,
            name: name.to_owned(),
            board,
            thread: Some(thread),
        })
    }

    /// How the delivery goes.
    pub fn status(&self) -> SinkStatus {
        self.board.status()
    }

    /// Waits until all has been delivered that is in the log now, and its checkpoint: for the end
    /// of a program. If another process delivers, until that one has done it.
    ///
    /// Batches do not wait for more meanwhile, and what failed is tried again at once and then more
    /// often, unless the receiver asked to be left alone.
    ///
    /// # Errors
    ///
    /// If that takes longer than `at_most`, or nothing is delivered since log and cursor do not
    /// fit each other.
    pub fn drain(&self, at_most: Duration) -> Result<(), ShipError> {
        let (kind, reason) = match self.board.drain(at_most) {
            Drained::Done => return Ok(()),
            Drained::Stopped => (ShipErrorKind::Stopped, "nothing is delivered"),
            Drained::TimedOut => (ShipErrorKind::TimedOut, "the time was too short"),
        };
        let status = self.status();
        let message = format!(
            "audit log `{}` has not been delivered to `{}` from record {} on: {}",
            self.log.display(),
            self.name,
            status.next_seq,
            status.error.as_deref().unwrap_or(reason),
        );
        Err(ShipError::new(kind, message))
    }
}

impl Drop for Shipper {
    /// Stops after the delivery under way. What has not been delivered is delivered by whoever
    /// starts next.
    fn drop(&mut self) {
        self.board.stop();
        if let Some(thread) = self.thread.take() {
            // A panic was told by the status.
            let _ = thread.join();
        }
    }
}

fn run<S: AuditSink>(mut delivery: Delivery<S>, board: &Board) {
    /// Tells that the thread has ended, however it does.
    struct End<'b>(&'b Board);

    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.end();
        }
    }

    let _end = End(board);
    let start = Instant::now();
    while let Some(wanted) = board.wanted() {
        let pause = delivery.step(start.elapsed(), wanted);
        board.pause(pause, wanted);
    }
    delivery.finish();
}

fn random() -> u32 {
    // Without randomness all wait as long as they may.
    getrandom::u32().unwrap_or(u32::MAX)
}

fn check_name(name: &str) -> Result<(), ShipError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_plain) {
        return Ok(());
    }
    let shown: String = name.chars().take(2 * LONGEST_NAME).collect();
    let message = format!(
        "`{}` is no name for a sink; give one of at most {LONGEST_NAME} letters, digits, `-` and \
         `_`, such as `siem`",
        one_line(&shown),
    );
    Err(ShipError::new(ShipErrorKind::BadName, message))
}

#[expect(clippy::needless_pass_by_value, reason = "a function for `map_err`")]
fn not_started(error: std::io::Error) -> ShipError {
    let message = format!("delivery cannot be started: {error}");
    ShipError::new(ShipErrorKind::NotStarted, message)
}
