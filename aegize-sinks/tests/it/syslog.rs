//! Syslog over Unix datagrams, UDP and TCP.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use aegize_core::SinkErrorKind::{Rejected, Unavailable};
use aegize_core::{AuditSink as _, Batch};
use aegize_sinks::{Facility, LineFormat, SyslogSink};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{assert_error, deliver, line};

/// A message, taken apart by the grammar of RFC 5424, section 6.
#[derive(Debug)]
struct Message {
    facility: u32,
    severity: u32,
    timestamp: String,
    host: String,
    app_name: String,
    process: String,
    id: String,
    data: BTreeMap<String, String>,
    text: String,
}

impl Message {
    fn parse(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).unwrap();
        let (priority, rest) = text.strip_prefix('<').unwrap().split_once('>').unwrap();
        let priority: u32 = priority.parse().unwrap();
        let fields: Vec<_> = rest.splitn(7, ' ').collect();
        let [version, timestamp, host, app_name, process, id, rest] = fields[..] else {
            panic!("{text}")
        };
        assert_eq!(version, "1");
        let rest = rest.strip_prefix("[aegize@32473").unwrap();
        let mut chars = rest.chars();
        let mut data = BTreeMap::new();
        loop {
            match chars.next().unwrap() {
                ']' => break,
                ' ' => {}
                other => panic!("{other} in {text}"),
            }
            let name: String = chars.by_ref().take_while(|c| *c != '=').collect();
            assert_eq!(chars.next(), Some('"'));
            let mut value = String::new();
            loop {
                match chars.next().unwrap() {
                    '"' => break,
                    '\\' => value.push(chars.next().unwrap()),
                    c => {
                        assert_ne!(c, ']', "{text}");
                        value.push(c);
                    }
                }
            }
            data.insert(name, value);
        }
        let text = chars.as_str().strip_prefix(' ').unwrap();
        let unmarked = text.strip_prefix('\u{feff}').unwrap_or(text);
        assert_eq!(
            unmarked.is_ascii(),
            unmarked == text,
            "a mark where it belongs"
        );
        Self {
            facility: priority / 8,
            severity: priority % 8,
            timestamp: timestamp.to_owned(),
            host: host.to_owned(),
            app_name: app_name.to_owned(),
            process: process.to_owned(),
            id: id.to_owned(),
            data,
            text: unmarked.to_owned(),
        }
    }

    fn seq(&self) -> u64 {
        self.data["seq"].parse().unwrap()
    }
}

/// A receiver at a Unix socket.
struct Receiver {
    socket: UnixDatagram,
    directory: TempDir,
}

impl Receiver {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let socket = UnixDatagram::bind(directory.path().join("log")).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { socket, directory }
    }

    fn sink(&self) -> SyslogSink {
        SyslogSink::unix(self.directory.path().join("log")).timeout(Duration::from_millis(50))
    }

    /// What has arrived since it was last asked.
    fn messages(&self) -> Vec<Message> {
        let mut buffer = vec![0; 1 << 20];
        let mut messages = Vec::new();
        while let Ok(length) = self.socket.recv(&mut buffer) {
            messages.push(Message::parse(&buffer[..length]));
        }
        messages
    }

    fn seqs(&self) -> Vec<u64> {
        self.messages().iter().map(Message::seq).collect()
    }
}

/// The next frame that tells its length (RFC 6587).
fn frame(reader: &mut impl Read) -> Vec<u8> {
    let mut length = 0;
    loop {
        let mut digit = [0];
        reader.read_exact(&mut digit).unwrap();
        match digit[0] {
            b' ' => break,
            digit => length = length * 10 + usize::from(digit - b'0'),
        }
    }
    let mut message = vec![0; length];
    reader.read_exact(&mut message).unwrap();
    message
}

#[test]
fn a_record_is_a_message() {
    let receiver = Receiver::new();
    deliver(&mut receiver.sink(), 0..9).unwrap();
    let messages = receiver.messages();
    let told: Vec<_> = messages.iter().map(|m| (&*m.id, m.severity)).collect();
    assert_eq!(
        told,
        [
            ("allowed", 6),
            ("execution_succeeded", 6),
            ("denied", 4),
            ("approval_required", 5),
            ("execution_failed", 4),
            ("execution_abandoned", 4),
            ("log_recovered", 3),
            ("token_created", 5),
            ("other", 5),
        ]
    );
    for (seq, message) in (0..).zip(&messages) {
        assert_eq!(message.facility, 13);
        assert_eq!(
            message.timestamp,
            format!("2026-06-27T18:00:{seq:02}.000123Z")
        );
        assert!(!message.host.is_empty());
        assert_eq!(message.app_name, "aegize");
        assert_eq!(message.process, std::process::id().to_string());
        assert_eq!(message.text, line(seq, 10));
        let agent = if seq.is_multiple_of(3) {
            r#"b]o"t\ é"#
        } else {
            "bot"
        };
        let expected = [
            ("seq", &*seq.to_string()),
            ("actionId", "01970b8e-4c2d-7d3e-9f10-2b6a5c8d1e4f"),
            ("agent", agent),
            ("tool", "shell"),
            ("operation", "run"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(message.data, BTreeMap::from(expected));
    }
}

#[test]
fn names_and_format_are_to_be_chosen() {
    let receiver = Receiver::new();
    let mut sink = receiver
        .sink()
        .facility(Facility::Local7)
        .app_name("payments")
        .unwrap()
        .format(LineFormat::Ocsf);
    deliver(&mut sink, 1..2).unwrap();
    let message = &receiver.messages()[0];
    assert_eq!((message.facility, &*message.app_name), (23, "payments"));
    let event: Value = serde_json::from_str(&message.text).unwrap();
    assert_eq!(event["raw_data"], line(1, 10));
    for name in ["", "a b", "é", "a\n", &"a".repeat(49)] {
        let error = receiver.sink().app_name(name).unwrap_err();
        assert!(error.to_string().contains("1 to 48"), "{error}");
    }
    let error = sink.deliver(&Batch::new(2, b"{}\n")).unwrap_err();
    assert_error(&error, Rejected, "line 2 is no record");
}

#[test]
fn what_is_too_long_for_a_datagram_is_rejected_and_the_rest_sent_once() {
    let receiver = Receiver::new();
    let mut sink = receiver.sink();
    let long = line(1, 1 << 20) + "\n";
    let batch = line(0, 10) + "\n" + &long + &line(2, 10) + "\n";
    let error = sink.deliver(&Batch::new(0, batch.as_bytes())).unwrap_err();
    assert_error(&error, Rejected, "record 1 is too long for a datagram");
    // As whoever ships the log does: in smaller parts.
    deliver(&mut sink, 0..1).unwrap();
    let error = sink.deliver(&Batch::new(1, long.as_bytes())).unwrap_err();
    assert_error(&error, Rejected, "use syslog over TCP");
    deliver(&mut sink, 2..3).unwrap();
    assert_eq!(receiver.seqs(), [0, 2]);

    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut sink = SyslogSink::udp(socket.local_addr().unwrap().to_string());
    let long = line(0, 70_000) + "\n";
    let error = sink.deliver(&Batch::new(0, long.as_bytes())).unwrap_err();
    assert_error(&error, Rejected, "record 0 is too long for a datagram");
}

#[test]
fn a_receiver_that_does_not_keep_up_gets_everything_once() {
    let receiver = Receiver::new();
    let mut sink = receiver.sink();
    let mut seen = Vec::new();
    let mut failures = 0;
    while let Err(error) = deliver(&mut sink, 0..100) {
        assert_error(&error, Unavailable, "does not take a datagram");
        failures += 1;
        seen.extend(receiver.seqs());
    }
    seen.extend(receiver.seqs());
    assert!(failures > 0);
    assert_eq!(seen, (0..100).collect::<Vec<_>>());
}

#[test]
fn a_receiver_that_comes_back_is_found_again() {
    let mut receiver = Receiver::new();
    let path = receiver.directory.path().join("log");
    let mut sink = receiver.sink();
    deliver(&mut sink, 0..2).unwrap();
    assert_eq!(receiver.seqs(), [0, 1]);
    std::fs::remove_file(&path).unwrap();
    receiver.socket = UnixDatagram::unbound().unwrap();
    let error = deliver(&mut sink, 2..4).unwrap_err();
    assert_error(&error, Unavailable, "does not take a datagram");
    let error = deliver(&mut sink, 2..4).unwrap_err();
    assert_error(&error, Unavailable, "cannot be reached");
    receiver.socket = UnixDatagram::bind(&path).unwrap();
    receiver.socket.set_nonblocking(true).unwrap();
    deliver(&mut sink, 2..5).unwrap();
    assert_eq!(receiver.seqs(), [2, 3, 4]);
}

#[test]
fn datagrams_go_over_udp() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut sink = SyslogSink::udp(socket.local_addr().unwrap().to_string());
    deliver(&mut sink, 0..5).unwrap();
    let mut buffer = vec![0; 65536];
    for seq in 0..5 {
        let length = socket.recv(&mut buffer).unwrap();
        assert_eq!(Message::parse(&buffer[..length]).text, line(seq, 10));
    }
    drop(socket);
    // The first datagram may go out before it is known that nobody listens.
    let error = deliver(&mut sink, 5..6).and_then(|()| deliver(&mut sink, 6..7));
    assert_eq!(error.unwrap_err().kind(), Unavailable);
    let error = deliver(&mut SyslogSink::udp("nowhere"), 0..1).unwrap_err();
    assert_error(&error, Unavailable, "`nowhere` cannot be reached");
}

#[test]
fn frames_over_tcp_go_through_a_new_connection_if_the_old_one_was_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut sink = SyslogSink::tcp(listener.local_addr().unwrap().to_string());
    let (close, told_to_close) = mpsc::channel();
    let (closed, is_closed) = mpsc::channel();
    let receiver = thread::spawn(move || {
        let mut messages = Vec::new();
        for expected in [3, 2, 4] {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            messages.extend((0..expected).map(|_| frame(&mut reader)));
            told_to_close.recv().unwrap();
            drop(reader);
            closed.send(()).unwrap();
        }
        messages
    });
    // A batch is taken, a connection dies, and what follows is not written to the dead one.
    for seqs in [0..3, 3..5, 5..9] {
        deliver(&mut sink, seqs).unwrap();
        close.send(()).unwrap();
        is_closed.recv().unwrap();
    }
    let messages = receiver.join().unwrap();
    let texts: Vec<_> = messages.iter().map(|m| Message::parse(m).text).collect();
    assert_eq!(texts, (0..9).map(|seq| line(seq, 10)).collect::<Vec<_>>());
}

#[test]
fn a_connection_is_kept_and_what_the_receiver_says_is_ignored() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut sink = SyslogSink::tcp(listener.local_addr().unwrap().to_string());
    deliver(&mut sink, 0..1).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    io::copy(&mut io::repeat(b'x').take(100_000), &mut stream).unwrap();
    for seq in 1..5 {
        deliver(&mut sink, seq..seq + 1).unwrap();
    }
    let mut reader = BufReader::new(stream);
    for seq in 0..5 {
        assert_eq!(Message::parse(&frame(&mut reader)).seq(), seq);
    }
    listener.set_nonblocking(true).unwrap();
    let error = listener.accept().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn a_tcp_receiver_that_reads_nothing_or_is_not_there_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut sink = SyslogSink::tcp(&address).timeout(Duration::from_millis(100));
    let long = line(0, 64 << 20) + "\n";
    let error = sink.deliver(&Batch::new(0, long.as_bytes())).unwrap_err();
    assert_error(&error, Unavailable, "the syslog connection broke");
    drop(listener);
    let error = deliver(&mut sink, 0..1).unwrap_err();
    assert_error(&error, Unavailable, "cannot be reached");
}
