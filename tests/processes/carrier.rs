//! A worker that delivers a log: to a file, which has what a receiver would have, or to nobody.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::time::Duration;

use aegize::{AuditSink, Batch, BatchLimits, Shipper, SinkError};

use crate::worker::{hear, say};

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(300);

/// Delivers until its input ends, and says `delivered ID` of each batch. With `drain` it says how
/// far it has come when all is delivered, with `status` what is wrong. With a number to die at, it
/// ends after that many batches, when the last has been received and not been noted.
pub(crate) fn carry(log: &Path, receiver: &str, records: usize, dies_at: usize) {
    let sink = Carrier {
        receiver: (receiver != REFUSES).then(|| receiver.into()),
        records,
        dies_at,
        delivered: 0,
    };
    // Before any batch is.
    say("ready");
    let shipper = Shipper::start(log, "carrier", sink).expect("delivery starts");
    while let Some(line) = hear() {
        match &*line {
            "drain" => match shipper.drain(LONG) {
                Ok(()) => say(&format!("drained {}", shipper.status().next_seq)),
                Err(error) => say(&format!("undrained {error}")),
            },
            "status" => loop {
                if let Some(error) = shipper.status().error {
                    break say(&error);
                }
                // It is the thread's turn to find out.
                std::thread::yield_now();
            },
            _ => panic!("no such thing to do: {line}"),
        }
    }
}

/// In place of a receiver's path: one that will not have anything.
pub(crate) const REFUSES: &str = "refuses";

struct Carrier {
    receiver: Option<PathBuf>,
    records: usize,
    dies_at: usize,
    delivered: usize,
}

impl AuditSink for Carrier {
    fn limits(&self) -> BatchLimits {
        BatchLimits {
            records: self.records,
            ..BatchLimits::default()
        }
    }

    fn deliver(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        let Some(receiver) = &self.receiver else {
            return Err(SinkError::rejected("never"));
        };
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(receiver)
            .expect("the receiver is there");
        if self.delivered == 0 {
            // As a receiver drops a request that did not arrive in full.
            let bytes = fs::read(receiver).expect("the receiver is there");
            let whole = parcels(&bytes).1;
            file.set_len(whole as u64).expect("the receiver can be cut");
        }
        let mut parcel = format!("{} {}\n", batch.id(), batch.bytes().len()).into_bytes();
        parcel.extend(batch.bytes());
        file.write_all(&parcel).expect("the receiver takes it");
        self.delivered += 1;
        if self.delivered == self.dies_at {
            let id = process::id().to_string();
            let killed = Command::new("kill").args(["-KILL", &id]).status();
            panic!("still alive: {killed:?}");
        }
        say(&format!("delivered {}", batch.id()));
        Ok(())
    }
}

/// A batch and its name.
type Parcel<'b> = (&'b str, &'b [u8]);

/// What has arrived, and where the last whole parcel ends.
pub(crate) fn parcels(bytes: &[u8]) -> (Vec<Parcel<'_>>, usize) {
    let mut parcels = Vec::new();
    let mut rest = bytes;
    while let Some((parcel, after)) = parcel(rest) {
        parcels.push(parcel);
        rest = after;
    }
    (parcels, bytes.len() - rest.len())
}

fn parcel(bytes: &[u8]) -> Option<(Parcel<'_>, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (id, length) = str::from_utf8(&bytes[..end])
        .expect("text")
        .split_once(' ')?;
    let length: usize = length.parse().expect("a length");
    let (batch, rest) = bytes[end + 1..].split_at_checked(length)?;
    Some(((id, batch), rest))
}
