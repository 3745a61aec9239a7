//! SQLite in WAL mode: the same records as rows, one transaction each, without chain or tree.

use std::path::Path;
use std::sync::Mutex;

use aegize::AuditRecord;
use rusqlite::Connection;

use super::{Round, Subject, threads};

pub(super) struct Sqlite {
    name: &'static str,
    record: AuditRecord<'static>,
    connection: Mutex<Connection>,
}

impl Sqlite {
    pub(super) fn new(directory: &Path, record: AuditRecord<'static>, is_synced: bool) -> Self {
        let path = directory.join(format!("sqlite-{is_synced}"));
        let connection = Connection::open(path).expect("a database");
        let mode = if is_synced { "FULL" } else { "NORMAL" };
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = {mode};
                 CREATE TABLE records (seq INTEGER PRIMARY KEY, line TEXT NOT NULL);"
            ))
            .expect("a table");
        Self {
            name: if is_synced {
                "SQLite, WAL, synchronous = FULL, two rows"
            } else {
                "SQLite, WAL, synchronous = NORMAL, two rows"
            },
            record,
            connection: Mutex::new(connection),
        }
    }
}

impl Subject for Sqlite {
    fn name(&self) -> &str {
        self.name
    }

    fn round(&self, callers: usize, calls: usize) -> Round {
        threads(callers, calls, || {
            for _ in 0..2 {
                let line = serde_json::to_string(&self.record).expect("a record");
                let connection = self.connection.lock().expect("the lock");
                let mut insert = connection
                    .prepare_cached("INSERT INTO records (line) VALUES (?1)")
                    .expect("a statement");
                insert.execute([line]).expect("a row");
            }
        })
    }
}
