//! What happens when a handler panics. None does by what a client can send.

use std::net::TcpListener;

use aegize_core::{Approvals, AuditLog};
use aegize_store::Store;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::sync::watch;

use super::whole;
use crate::app::App;
use crate::inbox::Inbox;

/// Serves two handlers that panic.
async fn serve(listener: TcpListener, app: App) {
    let routes = Router::new()
        .route("/", get(async || -> &'static str { panic!("a secret") }))
        .route(
            "/api/v1/me",
            get(async || -> &'static str { panic!("a secret") }),
        )
        .layer(from_fn_with_state(app, whole));
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    axum::serve(listener, routes).await.unwrap();
}

#[test]
fn a_panic_is_an_answer_and_the_server_goes_on() {
    let files = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", files.path().join("approvals.db").display());
    let store = pollster::block_on(Store::open(&url)).unwrap();
    let log = AuditLog::open(files.path().join("audit.jsonl")).unwrap();
    let approvals = Approvals::new(store.clone());
    let inbox = Inbox::new(&approvals, &store, store.directory(), &log);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (_stop, stopping) = watch::channel(false);
    let app = App::new(inbox, address, false, stopping);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.spawn(serve(listener, app));
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/api/v1/me", "application/problem+json"),
    ] {
        let mut answer = agent.get(format!("http://{address}{path}")).call().unwrap();
        assert_eq!(answer.status(), 500, "{path}");
        assert_eq!(answer.headers()["content-type"], kind);
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(
            text.contains("the inbox failed") && !text.contains("secret"),
            "{text}"
        );
    }
}
