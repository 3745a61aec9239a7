//! Receivers of others, as they are: rsyslog, an S3 server, a gRPC server, a webhook library.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use aegize_core::AuditSink as _;
use aegize_core::SinkErrorKind::Unavailable;
use aegize_sinks::{HttpSink, ObjectStoreSink, OtlpSink};
use serde_json::Value;

use crate::support::{assert_error, deliver, line, lines};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// Where `.ci/run` installs what is needed. It also has the tests trust the authority there, by
/// the environment, as OpenSSL's programs are told.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/receivers")
}

/// A receiver in Python, which tells its port when it listens, and what it has at the end.
struct Other {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    port: String,
}

impl Other {
    fn start(script: &str, arguments: &[&str]) -> Self {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receivers");
        let mut child = Command::new(installed().join("bin/python"))
            .arg(scripts.join(script))
            .arg(installed().join("tls"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        output.read_line(&mut port).unwrap();
        Self {
            child,
            input,
            output,
            port: port.trim_end().to_owned(),
        }
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    fn finish(mut self) -> Value {
        drop(self.input);
        let mut text = String::new();
        self.output.read_to_string(&mut text).unwrap();
        assert!(self.child.wait().unwrap().success());
        serde_json::from_str(&text).unwrap()
    }
}

#[test]
#[ignore = "needs Python's standardwebhooks; .ci/run installs it and runs this"]
fn another_library_verifies_what_is_posted() {
    let receiver = Other::start("webhook_receiver.py", &[SECRET]);
    let url = receiver.url("https");
    deliver(&mut HttpSink::new(&url, SECRET).unwrap(), 0..500).unwrap();
    let mut sink = HttpSink::new(&url, SECRET).unwrap();
    deliver(&mut sink, 500..501).unwrap();
    deliver(&mut sink, 501..502).unwrap();
    let plain = HttpSink::new(&receiver.url("http"), SECRET);
    let error = deliver(&mut plain.unwrap(), 502..503).unwrap_err();
    assert_eq!(error.kind(), Unavailable);
    let taken = receiver.finish();
    let bodies = taken
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| pair[1].as_str().unwrap());
    assert_eq!(bodies.collect::<String>(), lines(0..502));
}

#[test]
#[ignore = "needs Python's moto; .ci/run installs it and runs this"]
fn an_s3_server_keeps_what_it_has() {
    let server = Other::start("s3_server.py", &[]);
    let endpoint = server.url("https");
    let sink = |bucket: &str| {
        let settings = [
            ("aws_endpoint", endpoint.as_str()),
            ("aws_region", "us-east-1"),
            ("aws_access_key_id", "writer"),
            ("aws_secret_access_key", "writer"),
        ];
        ObjectStoreSink::from_url(&format!("s3://{bucket}/a/b"), settings).unwrap()
    };
    let mut first = sink("log");
    deliver(&mut first, 0..500).unwrap();
    deliver(&mut first, 500..900).unwrap();
    first.publish(900, "a checkpoint\n").unwrap();
    // Another process, which has not heard of that.
    let mut second = sink("log");
    deliver(&mut second, 400..700).unwrap();
    deliver(&mut second, 700..1000).unwrap();
    second.publish(900, "a checkpoint\n").unwrap();
    assert!(second.publish(900, "another\n").is_err());
    let error = deliver(&mut sink("none"), 0..1).unwrap_err();
    assert_error(&error, Unavailable, "the object store failed");

    let objects = server.finish();
    let expected = [
        (
            "a/b/checkpoints/00000000000000000900",
            "a checkpoint\n".to_owned(),
        ),
        ("a/b/segments/00000000000000000000.jsonl", lines(0..500)),
        ("a/b/segments/00000000000000000500.jsonl", lines(500..900)),
        ("a/b/segments/00000000000000000900.jsonl", lines(900..1000)),
    ];
    let found = objects.as_object().unwrap();
    let keys = expected.each_ref().map(|(key, _)| *key);
    assert_eq!(found.keys().collect::<Vec<_>>(), keys);
    for (key, text) in expected {
        assert!(found[key] == text, "{key}");
    }
}

#[test]
#[ignore = "needs Python's grpcio and opentelemetry-proto; .ci/run installs them and runs this"]
fn another_grpc_server_reads_the_logs() {
    let receiver = Other::start("otlp_receiver.py", &[]);
    let mut sink = OtlpSink::new(&receiver.url("https")).unwrap();
    deliver(&mut sink, 0..500).unwrap();
    deliver(&mut sink, 500..501).unwrap();
    let error = deliver(&mut OtlpSink::new(&receiver.url("http")).unwrap(), 0..1).unwrap_err();
    assert_eq!(error.kind(), Unavailable);
    let requests = receiver.finish();
    let requests = requests.as_array().unwrap();
    assert_eq!(requests.len(), 2);
    let mut logs = Vec::new();
    for request in requests {
        let resource = &request["resourceLogs"][0];
        assert_eq!(
            resource["resource"]["attributes"][0]["value"]["stringValue"],
            "aegize"
        );
        logs.extend(resource["scopeLogs"][0]["logRecords"].as_array().unwrap());
    }
    assert_eq!(logs.len(), 501);
    for (seq, log) in (0..).zip(logs) {
        assert_eq!(log["body"]["stringValue"], line(seq, 10));
        let nanoseconds = 1_782_583_200_000_123_000 + seq % 60 * 1_000_000_000;
        assert_eq!(log["timeUnixNano"], nanoseconds.to_string());
        assert_eq!(log["attributes"][1]["value"]["intValue"], seq.to_string());
    }
    assert_eq!(
        requests[0]["resourceLogs"][0]["scopeLogs"][0]["logRecords"][2]["severityNumber"],
        "SEVERITY_NUMBER_WARN"
    );
}

/// rsyslog with sockets of its own, writing what it understands of messages to its output.
#[cfg(unix)]
mod rsyslog {
    use std::net::UdpSocket;

    use aegize_sinks::SyslogSink;
    use tempfile::TempDir;

    use super::*;

    /// The fields of RFC 5424, as rsyslog names them, and the text in a line of its own.
    const FIELDS: &str = "%syslogfacility%|%syslogseverity%|%timereported:::date-rfc3339%|\
                          %hostname%|%app-name%|%procid%|%msgid%|%structured-data%\\n%msg%\\n";

    struct Rsyslog {
        child: Child,
        output: BufReader<ChildStdout>,
        directory: TempDir,
        udp_port: u16,
    }

    impl Rsyslog {
        fn start() -> Self {
            let directory = TempDir::new().unwrap();
            let at = directory.path().display();
            let free = UdpSocket::bind("127.0.0.1:0").unwrap();
            let udp_port = free.local_addr().unwrap().port();
            drop(free);
            let config = format!(
                r#"
                global(processInternalMessages="on" workDirectory="{at}" maxMessageSize="64k")
                module(load="imuxsock" SysSock.Use="off")
                module(load="imudp")
                module(load="imtcp")
                input(type="imuxsock" Socket="{at}/log" UseSpecialParser="off" ParseHostname="on"
                      IgnoreTimestamp="off" RateLimit.Interval="0")
                input(type="imudp" Address="127.0.0.1" Port="{udp_port}")
                input(type="imtcp" Address="127.0.0.1" Port="0" ListenPortFileName="{at}/port")
                template(name="fields" type="string" string="{FIELDS}")
                action(type="omfile" File="/dev/stdout" Template="fields")
                "#
            );
            let path = directory.path().join("rsyslog.conf");
            std::fs::write(&path, config).unwrap();
            let mut child = Command::new("rsyslogd")
                .args(["-n", "-f"])
                .arg(path)
                .arg("-i")
                .arg(directory.path().join("pid"))
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let output = BufReader::new(child.stdout.take().unwrap());
            let mut rsyslog = Self {
                child,
                output,
                directory,
                udp_port,
            };
            // It says itself that it has started, when its sockets are there.
            let (_, text) = rsyslog.message();
            assert!(text.contains("start"), "{text}");
            rsyslog
        }

        /// The fields of the next message, and its text.
        fn message(&mut self) -> (Vec<String>, String) {
            let mut lines = [String::new(), String::new()];
            for line in &mut lines {
                self.output.read_line(line).unwrap();
            }
            let [fields, text] = lines.map(|line| line.trim_end_matches('\n').to_owned());
            (fields.splitn(8, '|').map(str::to_owned).collect(), text)
        }
    }

    impl Drop for Rsyslog {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    #[test]
    #[ignore = "needs rsyslog; .ci/run installs it and runs this"]
    fn reads_every_field_over_every_transport() {
        let mut rsyslog = Rsyslog::start();
        let at = rsyslog.directory.path();
        let tcp_port = std::fs::read_to_string(at.join("port")).unwrap();
        let sinks = [
            SyslogSink::unix(at.join("log")),
            SyslogSink::udp(format!("127.0.0.1:{}", rsyslog.udp_port)),
            SyslogSink::tcp(format!("127.0.0.1:{}", tcp_port.trim())),
        ];
        for sink in sinks {
            let mut sink = sink.app_name("payments").unwrap();
            deliver(&mut sink, 0..50).unwrap();
            deliver(&mut sink, 50..100).unwrap();
            for seq in 0..100_u64 {
                let (fields, text) = rsyslog.message();
                let severity = [6, 6, 4, 5, 4, 4, 3, 5, 5][usize::try_from(seq % 9).unwrap()];
                let event = crate::support::EVENTS[usize::try_from(seq % 9).unwrap()];
                let event = event.replace("reversed", "other");
                let agent = if seq.is_multiple_of(3) {
                    r#"b\]o\"t\\ é"#
                } else {
                    "bot"
                };
                let host = &fields[3];
                assert!(!host.is_empty() && host != "-");
                assert_eq!(
                    fields,
                    [
                        "13",
                        &severity.to_string(),
                        &format!("2026-06-27T18:00:{:02}.000123Z", seq % 60),
                        host,
                        "payments",
                        &std::process::id().to_string(),
                        &event,
                        &format!(
                            "[aegize@32473 seq=\"{seq}\" \
                             actionId=\"01970b8e-4c2d-7d3e-9f10-2b6a5c8d1e4f\" \
                             agent=\"{agent}\" tool=\"shell\" operation=\"run\"]"
                        ),
                    ]
                );
                // What the RFC puts before a text that is not ASCII is not of the text.
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                assert_eq!(text, line(seq, 10));
            }
        }
    }
}
