//! Reading audit logs, one record at a time.
//!
//! The invariant: a line that is no record is told and counted, never passed over in silence, and
//! a file without any record is no log.

use std::path::{Path, PathBuf};

use aegize::{AuditRecord, AuditRecords};

use crate::exit::Failure;
use crate::output::warn;

/// How many bad lines are told one by one.
const TOLD: u64 = 5;

/// Visits every record of some logs, in order; how many lines are no records.
///
/// # Errors
///
/// If a log cannot be read, or has lines and none of them is a record.
pub(crate) fn read(
    logs: &[PathBuf],
    mut visit: impl FnMut(&Path, &AuditRecord<'_>),
) -> Result<u64, Failure> {
    let mut bad_lines = 0;
    for log in logs {
        let mut records = 0_u64;
        let mut first_error = None;
        for record in AuditRecords::open(log)? {
            match record {
                Ok(record) => {
                    records += 1;
                    visit(log, &record);
                }
                Err(error) if error.line().is_some() => {
                    bad_lines += 1;
                    if records > 0 && bad_lines <= TOLD {
                        warn(&error.to_string());
                    }
                    first_error.get_or_insert(error);
                }
                // Reading it again would fail again.
                Err(error) => return Err(error.into()),
            }
        }
        if let (Some(error), 0) = (first_error, records) {
            return Err(error.into());
        }
    }
    Ok(bad_lines)
}
