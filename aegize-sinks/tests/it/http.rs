//! Batches over HTTP.

use std::io::Write as _;
use std::net::TcpListener;
use std::time::Duration;

use aegize_core::SinkErrorKind::{Rejected, Unavailable};
use aegize_core::{AuditSink as _, Batch};
use aegize_sinks::{HttpSink, LineFormat};
use serde_json::Value;
use standardwebhooks::Webhook;

use crate::answers::{Server, status};
use crate::support::{CANARY, assert_error, deliver, line, lines};

fn secret() -> String {
    format!("whsec_{CANARY}eW91bmcgYW5kIG9s")
}

fn sink(server: &Server) -> HttpSink {
    HttpSink::new(&format!("{}/in?token={CANARY}", server.origin), &secret()).unwrap()
}

#[test]
fn a_batch_is_posted_and_signed() {
    let server = Server::start(|_, _| status("204 No Content"));
    let mut sink = sink(&server).header("X-Api-Key", CANARY).unwrap();
    deliver(&mut sink, 0..3).unwrap();
    deliver(&mut sink, 3..4).unwrap();
    let [first, second] = &server.requests()[..] else {
        panic!("two requests")
    };
    assert_eq!(first.line, format!("POST /in?token={CANARY} HTTP/1.1\r\n"));
    assert_eq!(first.header("content-type"), "application/x-ndjson");
    assert_eq!(first.header("x-api-key"), CANARY);
    assert_eq!(first.body, lines(0..3).as_bytes());
    assert_eq!(second.body, lines(3..4).as_bytes());
    let webhook = Webhook::new(&secret()).unwrap();
    for request in [first, second] {
        webhook.verify(&request.body, &request.headers).unwrap();
    }
    assert!(webhook.verify(&second.body, &first.headers).is_err());
    assert_ne!(first.header("webhook-id"), second.header("webhook-id"));
}

#[test]
fn a_receiver_that_fails_half_of_the_time_gets_everything_once() {
    let server = Server::start(|count, _| match count % 4 {
        0 => status("503 Service Unavailable"),
        1 => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec(),
        2 => status("429 Too Many Requests"),
        _ => status("202 Accepted"),
    });
    let mut sink = sink(&server);
    for seq in 0..20 {
        let error = deliver(&mut sink, seq..seq + 1).unwrap_err();
        assert_error(&error, Unavailable, "cannot take records now");
        deliver(&mut sink, seq..seq + 1).unwrap();
    }
    let requests = server.requests();
    let taken = requests.iter().skip(1).step_by(2);
    let taken: Vec<u8> = taken.flat_map(|request| request.body.clone()).collect();
    assert_eq!(String::from_utf8(taken).unwrap(), lines(0..20));
    for pair in requests.chunks(2) {
        assert_eq!(pair[0].header("webhook-id"), pair[1].header("webhook-id"));
    }
}

#[test]
fn a_status_says_whether_to_try_again() {
    for (answer, expected, what) in [
        ("200 OK", None, ""),
        ("299 Fine", None, ""),
        ("301 Moved", Some(Unavailable), "redirects"),
        ("307 Moved", Some(Unavailable), "redirects"),
        (
            "400 Bad",
            Some(Rejected),
            "rejects the records (status 400)",
        ),
        ("401 Who", Some(Unavailable), "credentials"),
        ("403 No", Some(Unavailable), "credentials"),
        ("404 Where", Some(Unavailable), "at this URL"),
        ("405 How", Some(Unavailable), "at this URL"),
        ("408 Late", Some(Unavailable), "now"),
        ("410 Gone", Some(Unavailable), "at this URL"),
        ("413 Large", Some(Rejected), "rejects"),
        ("422 What", Some(Rejected), "rejects"),
        ("425 Early", Some(Unavailable), "now"),
        ("429 Often", Some(Unavailable), "now"),
        ("499 Odd", Some(Rejected), "rejects"),
        ("500 Oh", Some(Unavailable), "now"),
        ("599 Oh", Some(Unavailable), "now"),
        ("600 Oh", Some(Unavailable), "now"),
    ] {
        let server = Server::start(move |_, _| status(answer));
        let delivered = deliver(&mut sink(&server), 0..1);
        match expected {
            None => delivered.unwrap(),
            Some(kind) => assert_error(&delivered.unwrap_err(), kind, what),
        }
        assert_eq!(server.requests().len(), 1, "{answer}");
    }
}

#[test]
fn a_receiver_says_when_to_come_back() {
    for (asked, wait) in [
        ("7", Some(7)),
        ("0", Some(0)),
        ("3600", Some(3600)),
        ("86400", Some(3600)),
        ("99999999999999999999999", Some(3600)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(3600)),
        ("-1", None),
        ("soon", None),
        ("", None),
    ] {
        let server = Server::start(move |_, _| {
            format!("HTTP/1.1 503 x\r\nretry-after: {asked}\r\ncontent-length: 0\r\n\r\n").into()
        });
        let error = deliver(&mut sink(&server), 0..1).unwrap_err();
        assert_eq!(error.wait(), wait.map(Duration::from_secs), "{asked}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(|_, _| status("200 OK"));
    for code in [301, 302, 303, 307, 308] {
        let location = elsewhere.origin.clone();
        let server = Server::start(move |_, _| {
            format!("HTTP/1.1 {code} x\r\nlocation: {location}/\r\ncontent-length: 0\r\n\r\n")
                .into()
        });
        let error = deliver(&mut sink(&server), 0..1).unwrap_err();
        assert_error(&error, Unavailable, "redirects");
    }
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn a_receiver_that_is_not_there_or_says_nothing_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{CANARY}", listener.local_addr().unwrap());
    let mut sink = HttpSink::new(&url, &secret())
        .unwrap()
        .timeout(Duration::from_millis(50));
    let error = deliver(&mut sink, 0..1).unwrap_err();
    assert_error(&error, Unavailable, "in time");
    drop(listener);
    let mut sink = HttpSink::new(&url, &secret()).unwrap();
    let error = deliver(&mut sink, 0..1).unwrap_err();
    assert_error(&error, Unavailable, "cannot be reached");
}

#[test]
fn hostile_answers_are_bounded_and_not_repeated() {
    let garbage = Server::streaming(|_, _, stream| {
        stream.write_all(b"\0\0\xff garbage\r\n\r\n").unwrap();
        false
    });
    let error = deliver(&mut sink(&garbage), 0..1).unwrap_err();
    assert_error(&error, Unavailable, "not HTTP");

    let endless_header = Server::streaming(|_, _, stream| {
        let mut written = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while written.is_ok() {
            written = stream.write_all(&[b'a'; 4096]);
        }
        false
    });
    let error = deliver(&mut sink(&endless_header), 0..1).unwrap_err();
    assert_error(&error, Unavailable, "cannot be reached");

    // What was answered stands, however long the rest is.
    for (line, is_taken) in [("200 OK", true), ("500 No", false)] {
        let endless_body = Server::streaming(move |_, _, stream| {
            let head = format!("HTTP/1.1 {line}\r\ncontent-length: 99999999999999\r\n\r\n");
            let mut written = stream.write_all(head.as_bytes());
            while written.is_ok() {
                written = stream.write_all(&[b'a'; 4096]);
            }
            false
        });
        assert_eq!(deliver(&mut sink(&endless_body), 0..1).is_ok(), is_taken);
    }

    let mirror = Server::start(|_, request| {
        let text = format!("{:?} {}", request.headers, request.line);
        let length = text.len();
        format!("HTTP/1.1 400 {CANARY}\r\ncontent-length: {length}\r\n\r\n{text}").into()
    });
    let mut sink = sink(&mirror).header("authorization", CANARY).unwrap();
    let error = deliver(&mut sink, 0..1).unwrap_err();
    assert_error(&error, Rejected, "rejects the records");
}

#[test]
fn what_is_configured_is_checked_and_never_shown() {
    let url = "https://siem.example/";
    let mut told = Vec::new();
    for (url, secret, what) in [
        (format!("ftp://{CANARY}/"), secret(), "`https://host/path`"),
        (format!("/{CANARY}"), secret(), "`https://host/path`"),
        (
            format!("https://a:{CANARY}@siem.example/"),
            secret(),
            "in a header",
        ),
        (url.to_owned(), CANARY.to_owned(), "`whsec_`"),
        (url.to_owned(), format!("whsec_{CANARY}"), "`whsec_`"),
        (url.to_owned(), format!("whsec_{CANARY}!"), "`whsec_`"),
        (
            url.to_owned(),
            format!("whsec_{}", CANARY.repeat(20)),
            "`whsec_`",
        ),
    ] {
        let error = HttpSink::new(&url, &secret).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        told.push(format!("{error} {error:?}"));
    }
    let sink = || HttpSink::new(&format!("{url}{CANARY}?{CANARY}"), &secret()).unwrap();
    for name in [
        "a b",
        "webhook-id",
        "Content-Type",
        "HOST",
        "transfer-encoding",
        "",
    ] {
        let error = sink().header(name, CANARY).unwrap_err();
        told.push(format!("{error} {error:?}"));
    }
    let error = sink().header("x", &format!("a\n{CANARY}")).unwrap_err();
    told.push(format!("{error} {error:?}"));
    let sink = sink().header("authorization", CANARY).unwrap();
    told.push(format!("{sink:?} {sink:#?}"));
    assert!(told.last().unwrap().contains("siem.example"));
    for text in told {
        assert!(!text.contains(CANARY), "{text}");
    }
}

#[test]
fn siems_get_their_own_format_with_the_line_in_it() {
    let server = Server::start(|_, _| status("200 OK"));
    let mut sink = sink(&server).format(LineFormat::Ocsf);
    deliver(&mut sink, 0..2).unwrap();
    let body = String::from_utf8(server.requests()[0].body.clone()).unwrap();
    assert!(body.ends_with('\n'));
    let events: Vec<Value> = body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.len(), 2);
    for (seq, event) in (0..).zip(&events) {
        assert_eq!(event["class_uid"], 6003);
        assert_eq!(event["raw_data"], line(seq, 10));
    }
    let error = sink.deliver(&Batch::new(4, b"{}\n")).unwrap_err();
    assert_error(&error, Rejected, "line 4 is no record");
}
