//! Object storage.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use aegize_core::SinkErrorKind::{Rejected, Unavailable};
use aegize_core::{AuditSink as _, Batch};
use aegize_sinks::ObjectStoreSink;
use aegize_sinks::object_store::ObjectStoreExt as _;
use aegize_sinks::object_store::memory::InMemory;
use aegize_sinks::object_store::path::Path;
use tempfile::TempDir;

use crate::answers::{Server, status};
use crate::support::{CANARY, assert_error, deliver, lines};

/// A folder as a store.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn sink(&self) -> ObjectStoreSink {
        let url = format!("file://{}/log", self.0.path().display());
        ObjectStoreSink::from_url(&url, [("", "")]).unwrap()
    }

    /// The objects of a kind, by name.
    fn objects(&self, kind: &str) -> BTreeMap<String, String> {
        let Ok(entries) = std::fs::read_dir(self.0.path().join("log").join(kind)) else {
            return BTreeMap::new();
        };
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let entry = entry.unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), text)
        };
        entries.map(read).collect()
    }

    fn names(&self) -> Vec<String> {
        self.objects("segments").into_keys().collect()
    }

    fn joined(&self) -> String {
        self.objects("segments").into_values().collect()
    }
}

#[test]
fn segments_in_the_order_of_their_keys_are_the_log() {
    let folder = Folder::new();
    let mut sink = folder.sink();
    for seqs in [0..9, 9..10, 10..150] {
        deliver(&mut sink, seqs).unwrap();
    }
    assert_eq!(
        folder.names(),
        [
            "00000000000000000000.jsonl",
            "00000000000000000009.jsonl",
            "00000000000000000010.jsonl",
        ]
    );
    assert!(folder.joined() == lines(0..150));
}

/// The records that are delivered first and again, and the objects that are there then.
type Case = (&'static [[u64; 2]], &'static [[u64; 2]], &'static [u64]);

#[test]
fn a_batch_that_is_delivered_again_adds_only_what_is_missing() {
    // The second process knows nothing of what the first delivered.
    let cases: [Case; 8] = [
        (&[[0, 5]], &[[0, 5]], &[0]),
        (&[[0, 5]], &[[0, 8]], &[0, 5]),
        (&[[0, 8]], &[[0, 5], [5, 10]], &[0, 8]),
        (&[[0, 8]], &[[5, 10]], &[0, 8]),
        (&[[0, 8]], &[[8, 10]], &[0, 8]),
        (&[[0, 3], [3, 6]], &[[0, 10]], &[0, 3, 6]),
        (&[[0, 3], [3, 9]], &[[0, 5], [5, 7], [7, 12]], &[0, 3, 9]),
        (&[[0, 3], [3, 9]], &[[4, 5], [5, 12]], &[0, 3, 9]),
    ];
    for (first, again, names) in cases {
        let folder = Folder::new();
        let deliver_all = |batches: &[[u64; 2]]| {
            let mut sink = folder.sink();
            for [begin, end] in batches {
                deliver(&mut sink, *begin..*end).unwrap();
            }
        };
        deliver_all(first);
        let before = folder.objects("segments");
        deliver_all(again);
        let names: Vec<_> = names.iter().map(|seq| format!("{seq:020}.jsonl")).collect();
        assert_eq!(folder.names(), names, "{again:?}");
        let end = first
            .iter()
            .chain(again)
            .map(|[_, end]| *end)
            .max()
            .unwrap();
        assert!(folder.joined() == lines(0..end), "{again:?}");
        let after = folder.objects("segments");
        assert!(before.iter().all(|(name, text)| after[name] == *text));
    }
}

/// However batches are cut, and wherever a process ends before it has noted what it delivered.
#[test]
fn no_history_of_restarts_loses_doubles_or_changes_records() {
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    for round in 0..40 {
        let folder = Folder::new();
        let mut sink = folder.sink();
        let mut cursor = 0;
        let mut seen = BTreeMap::new();
        while cursor < 60 {
            let end = (cursor + 1 + random(20)).min(60);
            deliver(&mut sink, cursor..end).unwrap();
            let now = folder.objects("segments");
            assert!(
                seen.iter().all(|(name, text)| now[name] == *text),
                "round {round}"
            );
            seen = now;
            match random(4) {
                // The process ends: a new sink, and a cursor that may be older.
                0 => {
                    sink = folder.sink();
                    cursor = cursor.saturating_sub(random(2) * random(30));
                }
                1 => sink = folder.sink(),
                _ => cursor = end,
            }
        }
        assert!(folder.joined() == lines(0..60), "round {round}");
    }
}

#[test]
fn a_place_with_other_records_is_left_alone() {
    let folder = Folder::new();
    deliver(&mut folder.sink(), 0..5).unwrap();
    let before = folder.objects("segments");
    let changed = lines(0..5).replace("shell", "spell");
    let mut sink = folder.sink();
    for _ in 0..2 {
        let error = sink
            .deliver(&Batch::new(0, changed.as_bytes()))
            .unwrap_err();
        assert_error(&error, Unavailable, "give each log a place of its own");
    }
    let changed = lines(3..9).replace("shell", "spell");
    let error = folder
        .sink()
        .deliver(&Batch::new(3, changed.as_bytes()))
        .unwrap_err();
    assert_error(&error, Unavailable, "other records from 3 on");
    assert_eq!(folder.objects("segments"), before);

    for torn in ["", &lines(5..6)[..20]] {
        let segments = folder.0.path().join("log/segments");
        std::fs::write(segments.join("00000000000000000005.jsonl"), torn).unwrap();
        let error = deliver(&mut folder.sink(), 5..7).unwrap_err();
        assert_error(&error, Unavailable, "other records from 5 on");
    }
}

#[test]
fn checkpoints_have_keys_by_size_and_stay() {
    let folder = Folder::new();
    let mut sink = folder.sink();
    for _ in 0..2 {
        sink.publish(0, "none\n").unwrap();
        sink.publish(150, "some\n").unwrap();
    }
    let error = sink.publish(150, "other\n").unwrap_err();
    assert_error(&error, Rejected, "another checkpoint");
    let names = [0, 150].map(|size| format!("{size:020}"));
    let texts = ["none\n", "some\n"].map(str::to_owned);
    let expected: BTreeMap<_, _> = names.into_iter().zip(texts).collect();
    assert_eq!(folder.objects("checkpoints"), expected);
}

#[test]
fn any_store_will_do() {
    let store = Arc::new(InMemory::new());
    for prefix in ["", "a/b"] {
        let mut sink = ObjectStoreSink::new(store.clone(), prefix).unwrap();
        deliver(&mut sink, 0..5).unwrap();
        let key = Path::parse(format!("{prefix}/segments/00000000000000000000.jsonl"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let found = runtime.block_on(async {
            let object = store.get(&key.unwrap()).await.unwrap();
            object.bytes().await.unwrap()
        });
        assert_eq!(found, lines(0..5).as_bytes());
    }
    let error = ObjectStoreSink::new(store, "a//b").unwrap_err();
    assert!(
        error.to_string().contains("`a//b` cannot be a prefix"),
        "{error}"
    );
}

#[test]
fn batches_are_large_and_may_wait() {
    let folder = Folder::new();
    let limits = folder.sink().limits();
    assert_eq!(
        (limits.bytes, limits.linger),
        (8 << 20, Duration::from_secs(30))
    );
    let sink = folder.sink().segment_bytes(1000).linger(Duration::ZERO);
    assert_eq!(
        (sink.limits().bytes, sink.limits().linger),
        (1000, Duration::ZERO)
    );
    assert_eq!(
        folder.sink().segment_bytes(usize::MAX).limits().bytes,
        32 << 20
    );
}

fn settings(endpoint: &str) -> [(&'static str, String); 5] {
    [
        ("aws_endpoint", endpoint.to_owned()),
        ("aws_allow_http", "true".to_owned()),
        ("aws_region", "nowhere".to_owned()),
        ("aws_access_key_id", CANARY.to_owned()),
        ("aws_secret_access_key", CANARY.to_owned()),
    ]
}

#[test]
fn a_server_that_says_nothing_or_nonsense_is_unavailable() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", silent.local_addr().unwrap());
    let mut sink = ObjectStoreSink::from_url("s3://log/here", settings(&origin))
        .unwrap()
        .timeout(Duration::from_millis(50));
    let error = deliver(&mut sink, 0..1).unwrap_err();
    assert_error(&error, Unavailable, "no answer within 50ms");
    let error = sink.publish(1, "checkpoint").unwrap_err();
    assert_error(&error, Unavailable, "no answer within 50ms");

    for answer in [
        status("200 OK"),
        status("403 Forbidden"),
        status("404 Not Found"),
        status("302 Found"),
        b"garbage\r\n\r\n".to_vec(),
        format!(
            "HTTP/1.1 400 x\r\ncontent-length: 2000000\r\n\r\n{}",
            "x".repeat(2_000_000)
        )
        .into(),
        format!(
            "HTTP/1.1 400 x\r\ncontent-length: 400\r\n\r\n{:400}",
            format!("<Error>\n<Token>token={CANARY}</Token>")
        )
        .into(),
    ] {
        let server = Server::start(move |_, _| answer.clone());
        let mut sink = ObjectStoreSink::from_url("s3://log/here", settings(&server.origin))
            .unwrap()
            .timeout(Duration::from_secs(5));
        let error = deliver(&mut sink, 0..1).unwrap_err();
        assert_error(&error, Unavailable, "");
        assert!(!server.requests().is_empty());
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn stores_of_all_providers_can_be_configured_and_show_no_secret() {
    let mut told = Vec::new();
    for (url, settings) in [
        ("s3://log/here", settings("http://127.0.0.1:1").to_vec()),
        (
            "gs://log/here",
            vec![("google_skip_signature", "true".to_owned())],
        ),
        (
            "az://log/here",
            vec![
                ("azure_storage_account_name", "account".to_owned()),
                ("azure_storage_account_key", CANARY.to_owned()),
            ],
        ),
    ] {
        let sink = ObjectStoreSink::from_url(url, settings).unwrap();
        told.push(format!("{sink:?}"));
        assert!(told.last().unwrap().contains("here"));
    }
    for (url, settings, what) in [
        (
            CANARY.to_owned(),
            vec![],
            "URL of the object store is unusable",
        ),
        (
            format!("s3://{CANARY}:{CANARY}@log/"),
            vec![],
            "give them as settings",
        ),
        (
            format!("az://log/?sig={CANARY}"),
            vec![],
            "give them as settings",
        ),
        ("odd://log/".to_owned(), vec![], "cannot be made"),
        (
            "az://log/".to_owned(),
            vec![("azure_storage_account_key", CANARY)],
            "cannot be made",
        ),
        (
            "az://log/".to_owned(),
            vec![
                ("azure_storage_account_name", "a"),
                ("azure_storage_account_key", "?"),
            ],
            "cannot be made",
        ),
        (
            "gs://log/".to_owned(),
            vec![("google_service_account_key", CANARY)],
            "cannot be made",
        ),
    ] {
        let error = ObjectStoreSink::from_url(&url, settings).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        told.push(format!("{error} {error:?}"));
    }
    for text in told {
        assert!(!text.contains(CANARY), "{text}");
    }
}
