//! OpenTelemetry logs, to a receiver that keeps them and answers as a test says.

use std::net::TcpListener;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use aegize_core::SinkErrorKind::{Rejected, Unavailable};
use aegize_core::{AuditSink as _, Batch, SinkErrorKind};
use aegize_sinks::OtlpSink;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{
    LogsService, LogsServiceServer,
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use tonic::metadata::MetadataMap;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::answers;
use crate::support::{CANARY, EVENTS, assert_error, deliver, line};

type Answer = Result<ExportLogsServiceResponse, Status>;
type Seen = Arc<Mutex<Vec<(MetadataMap, ExportLogsServiceRequest)>>>;

struct Recorder {
    seen: Seen,
    answer: Box<dyn Fn(&MetadataMap) -> Answer + Send + Sync>,
}

#[tonic::async_trait]
impl LogsService for Recorder {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let (headers, _, logs) = request.into_parts();
        let answer = (self.answer)(&headers);
        self.seen.lock().unwrap().push((headers, logs));
        answer.map(Response::new)
    }
}

/// Starts a receiver, and gives its URL and what it sees.
fn receiver(answer: impl Fn(&MetadataMap) -> Answer + Send + Sync + 'static) -> (String, Seen) {
    let seen = Seen::default();
    let service = LogsServiceServer::new(Recorder {
        seen: seen.clone(),
        answer: Box::new(answer),
    });
    let (started, address) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            started.send(incoming.local_addr().unwrap()).unwrap();
            let server = tonic::transport::Server::builder().add_service(service);
            server.serve_with_incoming(incoming).await.unwrap();
        });
    });
    (format!("http://{}", address.recv().unwrap()), seen)
}

fn text(value: &AnyValue) -> String {
    match value.value.as_ref().unwrap() {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    }
}

fn attributes(attributes: &[KeyValue]) -> Vec<(&str, String)> {
    let pair = |attribute: &'_ KeyValue| text(attribute.value.as_ref().unwrap());
    attributes
        .iter()
        .map(|attribute| (&*attribute.key, pair(attribute)))
        .collect()
}

#[test]
fn a_record_is_a_log_record() {
    let (url, seen) = receiver(|_| Ok(ExportLogsServiceResponse::default()));
    let mut sink = OtlpSink::new(&url)
        .unwrap()
        .resource("service.name", "payments")
        .resource("deployment.environment.name", "prod")
        .header("X-Api-Key", CANARY)
        .unwrap();
    deliver(&mut sink, 0..9).unwrap();
    deliver(&mut sink, 9..10).unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    let (headers, logs) = &seen[0];
    assert_eq!(headers.get("x-api-key").unwrap(), CANARY);
    let [resource] = &logs.resource_logs[..] else {
        panic!("one resource")
    };
    assert_eq!(
        attributes(&resource.resource.as_ref().unwrap().attributes),
        [
            ("service.name", "payments".to_owned()),
            ("deployment.environment.name", "prod".to_owned()),
        ]
    );
    let scope = &resource.scope_logs[0];
    assert_eq!(scope.scope.as_ref().unwrap().name, "aegize");
    let severities: Vec<_> = scope
        .log_records
        .iter()
        .map(|log| (log.severity_number, &*log.severity_text))
        .collect();
    let (info, warn) = ((9, "INFO"), (13, "WARN"));
    let (notice, error) = ((10, "INFO2"), (17, "ERROR"));
    assert_eq!(
        severities,
        [info, info, warn, notice, warn, warn, error, notice, notice]
    );
    for (seq, log) in (0..).zip(&scope.log_records) {
        let event = EVENTS[usize::try_from(seq).unwrap()].replace("reversed", "other");
        assert_eq!(
            log.time_unix_nano,
            1_782_583_200_000_123_000 + seq * 1_000_000_000
        );
        assert_eq!(log.observed_time_unix_nano, log.time_unix_nano);
        assert_eq!(text(log.body.as_ref().unwrap()), line(seq, 10));
        assert_eq!(log.event_name, format!("aegize.{event}"));
        let agent = if seq.is_multiple_of(3) {
            r#"b]o"t\ é"#
        } else {
            "bot"
        };
        assert_eq!(
            attributes(&log.attributes),
            [
                ("aegize.event", event),
                ("aegize.seq", seq.to_string()),
                (
                    "aegize.action_id",
                    "01970b8e-4c2d-7d3e-9f10-2b6a5c8d1e4f".to_owned()
                ),
                ("gen_ai.agent.id", agent.to_owned()),
                ("gen_ai.tool.name", "shell".to_owned()),
                ("aegize.operation", "run".to_owned()),
                ("aegize.risk_level", "high".to_owned()),
            ]
        );
    }
}

#[test]
fn a_status_says_whether_to_try_again() {
    let expected = |code| match code {
        Code::InvalidArgument | Code::ResourceExhausted => Rejected,
        _ => Unavailable,
    };
    for number in 1..17 {
        let code = Code::from(number);
        let (url, seen) = receiver(move |_| Err(Status::new(code, "not\nnow")));
        let error = deliver(&mut OtlpSink::new(&url).unwrap(), 0..1).unwrap_err();
        assert_error(&error, expected(code), &format!("{code:?}: not now"));
        assert_eq!(error.wait(), None);
        assert_eq!(seen.lock().unwrap().len(), 1);
    }
}

#[test]
fn a_receiver_says_when_to_come_back() {
    for (code, asked, wait) in [
        (Code::Unavailable, 7, 7),
        (Code::ResourceExhausted, 0, 0),
        (Code::ResourceExhausted, 86_400, 3600),
    ] {
        let (url, _) = receiver(move |_| {
            let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(asked)));
            Err(Status::with_error_details(code, "later", details))
        });
        let error = deliver(&mut OtlpSink::new(&url).unwrap(), 0..1).unwrap_err();
        assert_error(&error, Unavailable, "later");
        assert_eq!(error.wait(), Some(Duration::from_secs(wait)));
    }
}

#[test]
fn what_is_accepted_in_part_is_rejected() {
    for (rejected, expected) in [
        (0, None),
        (-1, None),
        (1, Some("rejects 1 log records: too old")),
    ] {
        let (url, _) = receiver(move |_| {
            Ok(ExportLogsServiceResponse {
                partial_success: Some(ExportLogsPartialSuccess {
                    rejected_log_records: rejected,
                    error_message: "too old".to_owned(),
                }),
            })
        });
        let delivered = deliver(&mut OtlpSink::new(&url).unwrap(), 0..2);
        match expected {
            None => delivered.unwrap(),
            Some(what) => assert_error(&delivered.unwrap_err(), Rejected, what),
        }
    }
    let (url, seen) = receiver(|_| Ok(ExportLogsServiceResponse::default()));
    let mut sink = OtlpSink::new(&url).unwrap();
    let error = sink.deliver(&Batch::new(7, b"{}\n")).unwrap_err();
    assert_error(&error, Rejected, "line 7 is no record");
    assert!(seen.lock().unwrap().is_empty());
}

#[test]
fn a_receiver_that_is_not_there_or_says_nothing_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut sink = OtlpSink::new(&url)
        .unwrap()
        .timeout(Duration::from_millis(50));
    let error = deliver(&mut sink, 0..1).unwrap_err();
    assert_error(&error, Unavailable, "no answer within 50ms");
    drop(listener);
    let error = deliver(&mut OtlpSink::new(&url).unwrap(), 0..1).unwrap_err();
    assert_error(&error, Unavailable, "Unavailable");
    // The same sink finds a receiver that comes.
    let (url, seen) = receiver(|_| Ok(ExportLogsServiceResponse::default()));
    let mut sink = OtlpSink::new(&url).unwrap();
    deliver(&mut sink, 0..1).unwrap();
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[test]
fn hostile_answers_are_bounded_and_not_repeated() {
    let check = |url: &str, kind: SinkErrorKind, what: &str| {
        let mut sink = OtlpSink::new(url)
            .unwrap()
            .header("x-api-key", CANARY)
            .unwrap()
            .timeout(Duration::from_secs(5));
        assert_error(&deliver(&mut sink, 0..1).unwrap_err(), kind, what);
    };
    let (url, _) = receiver(|_| {
        Ok(ExportLogsServiceResponse {
            partial_success: Some(ExportLogsPartialSuccess {
                rejected_log_records: 0,
                error_message: "x".repeat(1 << 20),
            }),
        })
    });
    check(&url, Unavailable, "");
    let (url, _) = receiver(|headers| {
        let key = headers.get("x-api-key").unwrap().to_str().unwrap();
        Err(Status::invalid_argument(format!(
            "you sent {key}, {}",
            "x".repeat(2000)
        )))
    });
    check(&url, Rejected, "you sent [redacted], x");
    let garbage = answers::Server::start(|_, _| b"HTTP/1.1 200 OK\r\n\r\ngarbage".to_vec());
    check(&garbage.origin, Unavailable, "");
}

#[test]
fn what_is_configured_is_checked_and_never_shown() {
    let mut told = Vec::new();
    for (url, what) in [
        (CANARY.to_owned(), "`https://host:4317`"),
        (format!("/{CANARY}"), "`https://host:4317`"),
        (format!("ftp://host/{CANARY}"), "`https://host:4317`"),
        (format!("https://a:{CANARY}@host:4317"), "in a header"),
    ] {
        let error = OtlpSink::new(&url).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        told.push(format!("{error} {error:?}"));
    }
    let sink = || OtlpSink::new(&format!("https://host:4317/{CANARY}")).unwrap();
    for (name, value) in [
        ("a b", CANARY.to_owned()),
        ("a-bin", CANARY.to_owned()),
        ("x", format!("{CANARY}\n")),
    ] {
        let error = sink().header(name, &value).unwrap_err();
        told.push(format!("{error} {error:?}"));
    }
    let sink = sink().header("authorization", CANARY).unwrap();
    told.push(format!("{sink:?} {sink:#?}"));
    assert!(told.last().unwrap().contains("host:4317"));
    for text in told {
        assert!(!text.contains(CANARY), "{text}");
    }
}
