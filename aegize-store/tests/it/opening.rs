//! What is no store is told, and left as it is.

use std::fs;
use std::path::Path;

use aegize_core::{ApprovalStore as _, Approvals};
use aegize_store::{Store, StoreError, StoreErrorKind};
use pollster::block_on;
use sqlx::{Connection as _, Executor as _};
use tempfile::TempDir;

use crate::places::{Place, sqlite_url};
use crate::samples::{ASK, asked, context, pay};

of_every_database!(
    many_open_a_new_store_at_once,
    a_store_of_a_later_version_is_not_used,
);

fn refused(url: &str) -> StoreError {
    block_on(Store::open(url)).unwrap_err()
}

fn many_open_a_new_store_at_once(place: &Place) {
    let url = place.url();
    std::thread::scope(|scope| {
        let opening: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| block_on(Store::open(&url)).map(drop)))
            .collect();
        for one in opening {
            one.join().unwrap().unwrap();
        }
    });
}

fn a_store_of_a_later_version_is_not_used(place: &Place) {
    drop(place.store());
    match place {
        Place::Sqlite(_) => place.tamper("PRAGMA user_version = 7"),
        _ => place.tamper("INSERT INTO aegize_schema (version) VALUES (7)"),
    }
    let error = refused(&place.url());
    assert_eq!(error.kind(), StoreErrorKind::Foreign);
    assert_eq!(
        error.to_string(),
        "the store has version 7 of the schema, and 1 is the latest that is known; \
         use the version of aegize that made it"
    );
}

#[test]
fn what_names_no_store_is_refused() {
    let folder = TempDir::new().unwrap();
    let beside = folder.path().display();
    let known = "the store is no URL of a kind that is known; \
                 write `sqlite://FILE` or `postgres://USER@HOST/DATABASE`";
    let no_file = "the URL of the store names no file; write `sqlite://FILE`";
    let parameters = "a store in a file has no parameters; leave out what follows `?` or `#`";
    let cases = [
        (String::new(), StoreErrorKind::Url, known.to_owned()),
        (
            "approvals.db".to_owned(),
            StoreErrorKind::Url,
            known.to_owned(),
        ),
        (
            "mysql://a:secret@b/c".to_owned(),
            StoreErrorKind::Url,
            known.to_owned(),
        ),
        (
            "sqlite://".to_owned(),
            StoreErrorKind::Url,
            no_file.to_owned(),
        ),
        (
            "sqlite://:memory:".to_owned(),
            StoreErrorKind::Url,
            no_file.to_owned(),
        ),
        (
            format!("sqlite://{beside}/a.db?mode=rwc"),
            StoreErrorKind::Url,
            parameters.to_owned(),
        ),
        (
            format!("sqlite://{beside}/none/a.db"),
            StoreErrorKind::Unavailable,
            format!("the directory of the store `{beside}/none/a.db` does not exist; create it"),
        ),
        (
            format!("sqlite://{beside}"),
            StoreErrorKind::Unavailable,
            format!("the store `{beside}` is a directory; name a file in it"),
        ),
    ];
    for (url, kind, message) in cases {
        let error = refused(&url);
        assert_eq!((error.kind(), error.to_string()), (kind, message), "{url}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_is_no_url_of_a_server_is_told_without_its_password() {
    for url in [
        "postgres://user:secret@host:port/name",
        "postgres://user:secret@127.0.0.1:1/name",
        "postgres://user:secret@127.0.0.1:1/name?sslmode=secret",
    ] {
        let error = refused(url).to_string();
        assert!(!error.contains("secret@"), "{error}");
    }
    let error = refused("postgres://user:secret@127.0.0.1:1/name");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(
        error
            .to_string()
            .starts_with("the server of the store cannot be used: ")
    );
}

#[test]
fn a_server_elsewhere_is_not_reached_in_the_clear_by_accident() {
    for url in [
        "postgres://user@db.acme.invalid/name",
        "postgres://user@db.acme.invalid/name?sslmode=prefer",
        "postgres://user@db.acme.invalid/name?sslmode=allow",
        "postgres://user@192.0.2.1/name",
        "postgres://user@[2001:db8::1]/name",
        "postgres:///name?host=db.acme.invalid",
    ] {
        let error = refused(url);
        assert_eq!(error.kind(), StoreErrorKind::Url, "{url}: {error}");
        assert!(
            error.to_string().contains("`?sslmode=verify-full`"),
            "{error}"
        );
    }
    // What is said is done (Linux takes 0.0.0.0 for itself, but that is no address of this host), and
    // what is sent on this host nobody else sees.
    for url in [
        "postgres://user@0.0.0.0:1/name?sslmode=disable",
        "postgres://user@0.0.0.0:1/name?sslmode=require",
        "postgres://user@0.0.0.0:1/name?sslmode=verify-full",
        "postgres://user@localhost:1/name",
        "postgres://user@127.0.0.2:1/name",
        "postgres://user@[::1]:1/name",
        "postgres:///name?host=/nowhere",
    ] {
        let error = refused(url);
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{url}: {error}");
    }
}

#[test]
fn what_others_made_is_left_as_it_is() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("approvals.db");
    let url = sqlite_url(folder.path());

    let text = "no database, and longer than the header of one is, which has a hundred bytes or so";
    fs::write(&path, text.repeat(2)).unwrap();
    let error = refused(&url);
    assert_eq!(error.kind(), StoreErrorKind::Foreign);
    let shown = path.display();
    let message = format!("`{shown}` is no SQLite database; name another file");
    assert_eq!(error.to_string(), message);
    assert_eq!(fs::read_to_string(&path).unwrap(), text.repeat(2));

    fs::remove_file(&path).unwrap();
    make(&path, "CREATE TABLE theirs (a); PRAGMA user_version = 1");
    let before = fs::read(&path).unwrap();
    let error = refused(&url);
    assert_eq!(error.kind(), StoreErrorKind::Foreign);
    let message = format!("`{shown}` is the database of another program; name another file");
    assert_eq!(error.to_string(), message);
    assert_eq!(fs::read(&path).unwrap(), before);
}

fn make(path: &Path, sql: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let made = runtime.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
        connection.execute(sqlx::raw_sql(sql)).await?;
        connection.close().await
    });
    made.unwrap();
}

#[cfg(unix)]
#[test]
fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::sqlite();
    let store = place.store();
    block_on(store.key()).unwrap();
    let Place::Sqlite(folder) = &place else {
        unreachable!()
    };
    let files: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(files.len(), 3, "the database, its log and its index");
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.path());
    }
}

/// The file goes away below the store: what it had granted is gone with it, and nothing runs.
#[test]
fn a_file_that_cannot_be_used_refuses_calls() {
    let place = Place::sqlite();
    let folder = TempDir::new().unwrap();
    let store = place.store();
    let context = context(ASK, &folder, Approvals::new(store));
    asked(pay(&context, 5));
    place.tamper("DROP TABLE aegize_requests");
    let error = pay(&context, 5).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the store failed: no such table"),
        "{error}"
    );
}
