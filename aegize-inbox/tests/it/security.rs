//! What keeps others out.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use aegize_core::{ApprovalState, Approvals, Approver, AuditLog};
use aegize_inbox::{Inbox, InboxError, Tls};
use tempfile::TempDir;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::support::{Client, Served, agent, payment, runtime};

/// Sends bytes as they are, and returns what comes back until the server closes.
fn raw(served: &Served, request: &str) -> String {
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Who, what they send, with which headers, and the status.
type Row<'a> = (
    &'a Client<'a>,
    &'a [(&'a str, &'a str)],
    &'a [(&'a str, &'a str)],
    u16,
);

#[test]
fn a_decision_needs_the_form_of_its_own_session_from_its_own_origin() {
    let served = Served::new();
    let id = served.ask(payment(10));
    let alice = Client::signed_in(&served, &served.alice);
    let bob = Client::signed_in(&served, &served.bob);
    let nobody = Client::new(&served);
    let path = format!("/requests/{id}/approve");
    let (origin, host) = (served.url(""), served.address.to_string());
    let own = [("origin", &*origin)];
    let good = [("form_token", &*alice.form_token)];

    let rows: [Row<'_>; 13] = [
        (&alice, &[], &own, 422),
        (&alice, &[("form_token", "")], &own, 403),
        (&alice, &[("form_token", "AAAA")], &own, 403),
        (&alice, &[("form_token", &bob.form_token)], &own, 403),
        (&alice, &good, &[], 403),
        (&alice, &good, &[("origin", "null")], 403),
        (&alice, &good, &[("origin", "http://evil.example")], 403),
        (&alice, &good, &[("origin", "http://127.0.0.1:1")], 403),
        (&alice, &good, &[("origin", &host)], 403),
        (&alice, &good, &[("sec-fetch-site", "cross-site")], 403),
        (&alice, &good, &[("sec-fetch-site", "same-site")], 403),
        (
            &alice,
            &good,
            &[("origin", &origin), ("sec-fetch-site", "cross-site")],
            403,
        ),
        (&nobody, &good, &own, 303),
    ];
    for (client, fields, headers, status) in rows {
        let answer = client.post_with(&path, fields, headers);
        assert_eq!(answer.status, status, "{fields:?} {headers:?}");
        assert_eq!(
            served.state(id),
            ApprovalState::Requested,
            "{fields:?} {headers:?}"
        );
    }
    let read = alice.get(&path);
    assert_eq!(read.status, 405, "nothing is decided by a link");
    let ok = alice.post_with(&path, &good, &[("sec-fetch-site", "same-origin")]);
    assert_eq!(ok.status, 303);
    assert_eq!(served.state(id), ApprovalState::Granted);
}

#[test]
fn signing_in_from_another_site_opens_no_session() {
    let served = Served::new();
    let client = Client::new(&served);
    let fields = [("token", &*served.alice)];
    let answer = client.post_with("/sign-in", &fields, &[("origin", "https://evil.example")]);
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("set-cookie"), "");
}

#[test]
fn only_its_own_names_are_answered() {
    let served = Served::adapted(|inbox| inbox.host("approvals.acme.com"));
    let port = served.address.port();
    let rows = [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        ("LOCALHOST".to_owned(), 200),
        (format!("aegize.localhost:{port}"), 200),
        (format!("other.localhost:{port}"), 421),
        ("approvals.acme.com".to_owned(), 200),
        ("approvals.acme.com:443".to_owned(), 200),
        ("evil.example".to_owned(), 421),
        (format!("evil.example:{port}"), 421),
        (format!("127.0.0.1.evil.example:{port}"), 421),
        ("approvals.acme.com.".to_owned(), 421),
        ("approvals.acme.com@evil.example".to_owned(), 421),
        ("localhost:evil".to_owned(), 421),
        ("[::1]".to_owned(), 421),
        (String::new(), 421),
    ];
    for (host, status) in rows {
        for path in [
            "/sign-in",
            "/metrics",
            "/api/v1/openapi.json",
            "/assets/none",
        ] {
            let status = if path == "/assets/none" && status == 200 {
                404
            } else {
                status
            };
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let answer = raw(&served, &request);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")),
                "{host} {path}: {answer}"
            );
        }
        // Whoever checks health may not know the name, and learns nothing.
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert!(raw(&served, &request).starts_with("HTTP/1.1 200"), "{host}");
    }
    let others = [
        "GET / HTTP/1.0\r\n\r\n",
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    ];
    for request in others {
        let status = raw(&served, request);
        let status = status.split(' ').nth(1).unwrap();
        assert!(["421", "400"].contains(&status), "{request}: {status}");
    }
}

#[test]
fn a_session_is_known_by_its_cookie_alone_and_ends() {
    let served = Served::new();
    let mut alice = Client::signed_in(&served, &served.alice);
    let cookie = alice.cookie.clone().unwrap();
    let (name, id) = cookie.split_once('=').unwrap();
    assert_eq!(name, "aegize");
    assert_eq!(id.len(), 43, "256 bits");

    let leads_away = |client: &Client<'_>| {
        let answer = client.get("/history?state=granted");
        assert_eq!(answer.status, 303);
        assert_eq!(
            answer.header("location"),
            "/sign-in?next=%2Fhistory%3Fstate%3Dgranted"
        );
    };
    let forged = [
        "aegize=".to_owned(),
        format!("aegize={}", "A".repeat(43)),
        format!("aegize={}", &id[1..]),
        format!("aegize={id}A"),
        format!("__Host-aegize={id}"),
        format!("Aegize={id}"),
        format!("aegize={id}; aegize=other"),
    ];
    for cookie in forged {
        alice.cookie = Some(cookie);
        leads_away(&alice);
    }
    alice.cookie = Some(cookie);
    assert_eq!(alice.get("/").status, 200);
    let out = alice.post("/sign-out", &[("form_token", &alice.form_token)]);
    assert_eq!(out.status, 303);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    leads_away(&alice);
}

#[test]
fn the_cookie_is_for_this_site_and_no_script() {
    let served = Served::new();
    let answer = Client::new(&served).post("/sign-in", &[("token", &served.alice)]);
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"),
        "{cookie}"
    );
}

#[test]
fn behind_a_proxy_with_tls_the_cookie_is_for_tls_alone() {
    let served = Served::adapted(|inbox| inbox.host("approvals.acme.com"));
    let sign_in = |origin: &str| {
        let form = [("token", &*served.alice)];
        let request = agent().post(served.url("/sign-in"));
        let request = request.header("host", "approvals.acme.com");
        let answer = request.header("origin", origin).send_form(form).unwrap();
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.starts_with("aegize="), "{cookie}");
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure")
    };
    assert!(sign_in("https://approvals.acme.com"));
    assert!(!sign_in("http://approvals.acme.com"));
}

#[test]
fn a_session_ends_with_its_time_and_its_token() {
    let (long, none) = (Duration::from_mins(1), Duration::ZERO);
    for (idle, whole) in [(none, long), (long, none)] {
        let served = Served::adapted(|inbox| inbox.session_lifetime(idle, whole));
        let mut client = Client::new(&served);
        let answer = client.post("/sign-in", &[("token", &served.alice)]);
        assert_eq!(answer.status, 303);
        let cookie = answer.header("set-cookie").split(';').next().unwrap();
        client.cookie = Some(cookie.to_owned());
        assert_eq!(client.get("/").status, 303);
    }
    let served = Served::new();
    let alice = Client::signed_in(&served, &served.alice);
    let bob = Client::signed_in(&served, &served.bob);
    served.revoke(&served.alice);
    assert_eq!(alice.get("/").status, 303);
    assert_eq!(bob.get("/").status, 200);
}

#[test]
fn guessing_is_slowed_down() {
    let served = Served::new();
    let client = Client::new(&served);
    let attempt = |token: &str| client.post("/sign-in", &[("token", token)]);
    // What is accepted does not count.
    for _ in 0..12 {
        assert_eq!(attempt(&served.alice).status, 303);
    }
    for _ in 0..10 {
        assert_eq!(attempt("agz_00_11").status, 401);
    }
    let refused = attempt("agz_00_11");
    assert_eq!(refused.status, 429);
    assert!(
        refused.text.contains("too many attempts"),
        "{}",
        refused.text
    );
    assert_ne!(refused.header("retry-after"), "");
    assert_eq!(refused.header("set-cookie"), "");
    let api = client.get_with("/api/v1/me", &[("authorization", "Bearer agz_00_11")]);
    assert_eq!(api.status, 429, "{}", api.text);

    // Whoever guesses keeps nobody out who has a token, unless they know its id.
    assert_eq!(attempt(&served.bob).status, 303);
    let carol = Approver::new("carol@acme.com").unwrap();
    let carol = pollster::block_on(served.directory.create_token(&carol, None)).unwrap();
    let (id, _) = carol.text().rsplit_once('_').unwrap();
    let guessed = format!("{id}_{}", "0".repeat(64));
    for _ in 0..10 {
        assert_eq!(attempt(&guessed).status, 401);
    }
    assert_eq!(attempt(&guessed).status, 429);
    assert_eq!(attempt(carol.text()).status, 429);
}

#[test]
fn signing_in_leads_nowhere_else() {
    let served = Served::new();
    let client = Client::new(&served);
    let rows = [
        ("/history?state=granted", "/history?state=granted"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ];
    for (next, expected) in rows {
        let answer = client.post("/sign-in", &[("token", &served.alice), ("next", next)]);
        assert_eq!(answer.header("location"), expected, "{next}");
    }
}

#[test]
fn every_answer_has_the_headers_that_protect_people() {
    let served = Served::new();
    let alice = Client::signed_in(&served, &served.alice);
    let page = alice.get("/");
    let (_, style) = page.text.split_once("rel=\"stylesheet\" href=\"").unwrap();
    let style = style.split('"').next().unwrap();
    for path in [
        "/",
        "/sign-in",
        "/none",
        style,
        "/api/v1/me",
        "/healthz",
        "/metrics",
    ] {
        let answer = alice.get(path);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-frame-options", "DENY"),
            ("strict-transport-security", ""),
            ("access-control-allow-origin", ""),
        ] {
            assert_eq!(answer.header(name), value, "{path} {name}");
        }
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none';"),
            "{path}: {policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
        let kept = answer.header("cache-control");
        let expected = if path == style {
            "public, max-age=31536000, immutable"
        } else {
            "no-store"
        };
        assert_eq!(kept, expected, "{path}");
    }
    for forbidden in ["<style", " style=", "onclick", "javascript:"] {
        assert!(!page.text.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let served = Served::new();
    let id = served.ask(payment(1));
    let alice = Client::signed_in(&served, &served.alice);
    let long = "x".repeat(100_000);
    assert_eq!(alice.decide(id, "approve", &long).status, 413);
    assert_eq!(served.state(id), ApprovalState::Requested);
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nx: {long}\r\n\r\n");
    assert!(raw(&served, &head).starts_with("HTTP/1.1 431"));
}

#[test]
fn with_tls_the_cookie_is_for_tls_alone() {
    let files = TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (files.path().join("tls.pem"), files.path().join("tls.key"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    for (certificate, key) in [(&key, &key), (&certificate, &certificate)] {
        let refused = Tls::from_files(certificate, key).unwrap_err().to_string();
        assert!(
            refused.starts_with("the certificate or its key cannot be used: `"),
            "{refused}"
        );
    }
    let tls = Tls::from_files(&certificate, &key).unwrap();
    let served = Served::with(
        |store| Approvals::new(store.clone()),
        |inbox| inbox,
        Some(tls),
    );
    let root = Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let roots = RootCerts::new_with_certs(&[root]);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .build()
        .into();
    let origin = format!("https://localhost:{}", served.address.port());
    let answer = agent
        .post(format!("{origin}/sign-in"))
        .header("origin", &origin)
        .send_form([("token", &*served.alice)])
        .unwrap();
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-aegize="), "{cookie}");
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"),
        "{cookie}"
    );
    let kept = &answer.headers()["strict-transport-security"];
    assert_eq!(kept, "max-age=31536000");
    let page = |cookie: &str| {
        let page = agent.get(format!("{origin}/")).header("cookie", cookie);
        page.call().unwrap().status()
    };
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(page(cookie), 200);
    assert_eq!(page(cookie.trim_start_matches("__Host-")), 303);
}

#[test]
fn nothing_listens_beyond_this_host_in_the_clear_unless_told_to() {
    let served = Served::new();
    let listen = || TcpListener::bind("0.0.0.0:0").unwrap();
    let inbox = |log: &AuditLog| {
        Inbox::new(
            &served.approvals,
            &served.store,
            served.directory.clone(),
            log,
        )
    };
    let refused = runtime().block_on(inbox(&served.log).serve_until(listen(), None, async {}));
    match refused {
        Err(error @ InboxError::Plain(_)) => {
            assert!(error.to_string().contains("give a certificate"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    let allowed = inbox(&served.log).allow_plain_http();
    runtime()
        .block_on(allowed.serve_until(listen(), None, async {}))
        .unwrap();
}
