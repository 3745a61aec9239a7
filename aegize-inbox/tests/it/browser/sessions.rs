//! What a browser can be made to do, and cannot.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use aegize_core::ApprovalState;
use serde_json::json;

use super::driver::Browser;
use crate::support::{Served, payment, runtime};

/// Another site, whose only page is this.
fn site(page: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let page = page.clone();
            // Browsers open connections that they do not use.
            thread::spawn(move || answer(stream, &page));
        }
    });
    port
}

fn answer(mut stream: TcpStream, page: &str) {
    let length = page.len();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close";
    if stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
        let _ = write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{page}");
    }
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn no_other_site_decides() {
    let served = Served::new();
    let id = served.ask(payment(10));
    runtime().block_on(async {
        let browser = Browser::new().await;
        browser.sign_in(&served.url("/"), &served.alice).await;
        // They even know the token of the form.
        let token = browser.see("[name=form_token]").await;
        let token = token.attr("value").await.unwrap().unwrap();
        let action = served.url(&format!("/requests/{id}/approve"));
        let port = site(format!(
            "<form method=post action='{action}'><input name=form_token value='{token}'></form>\
             <script>document.forms[0].submit()</script>"
        ));
        // Of another name, and of the same name at another port, which cookies do not tell apart.
        for host in ["localhost", "127.0.0.1"] {
            browser.open(&format!("http://{host}:{port}/")).await;
            browser.read("From another site").await;
            assert_eq!(served.state(id), ApprovalState::Requested, "{host}");
        }
        browser.open(&served.url("/")).await;
        browser.see(".entry").await;
        // Nor does a frame show it.
        let framing = site(format!("<iframe src='{}'></iframe>", served.url("/")));
        browser.open(&format!("http://127.0.0.1:{framing}/")).await;
        browser.client.enter_frame(0).await.unwrap();
        assert_eq!(browser.count(".entry").await, 0);
        browser.close().await;
    });
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn no_other_name_is_answered() {
    let served = Served::new();
    runtime().block_on(async {
        let browser = Browser::new().await;
        let port = served.address.port();
        browser
            .open(&format!("http://evil.localhost:{port}/"))
            .await;
        browser
            .read("this inbox does not answer to that name")
            .await;
        assert_eq!(browser.count("#token").await, 0);
        browser.open(&format!("http://localhost:{port}/")).await;
        browser.see("#token").await;
        browser.close().await;
    });
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn a_forged_cookie_opens_nothing() {
    let served = Served::new();
    runtime().block_on(async {
        let browser = Browser::new().await;
        browser.open(&served.url("/sign-in")).await;
        let forged = json!({"name": "aegize", "value": "A".repeat(43), "url": served.url("/")});
        browser.tell("Network.setCookie", forged).await;
        browser.open(&served.url("/")).await;
        browser.see("#token").await;
        browser.sign_in(&served.url("/"), &served.alice).await;
        let seen = browser.run("return document.cookie").await;
        assert_eq!(seen, "", "no script reads the cookie");
        browser.close().await;
    });
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn a_page_that_is_left_open_signs_out() {
    let hour = Duration::from_hours(1);
    let served = Served::adapted(|inbox| inbox.session_lifetime(Duration::from_secs(3), hour));
    served.ask(payment(10));
    runtime().block_on(async {
        let browser = Browser::new().await;
        browser.open(&served.url("/")).await;
        browser.mark().await;
        browser.write("#token", &served.alice).await;
        browser.press("main button").await;
        // A slow machine may see less of the list than the three seconds that it stays.
        browser.left().await;
        browser.see("#token").await;
        assert_eq!(browser.count(".entry").await, 0);
        assert!(!browser.text("main").await.contains("not accepted"));
        browser.close().await;
    });
}
