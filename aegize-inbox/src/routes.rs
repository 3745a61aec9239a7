//! Which handler answers what, and what stands before it.

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use axum::{Router, http::StatusCode};

use crate::app::App;
use crate::pages::Failure;
use crate::{api, assets, barrier, events, forms, metrics, pages};

/// The most bytes of a body.
const LARGEST_BODY: usize = 64 * 1024;

/// Everything that the inbox answers.
pub(crate) fn routes(app: App) -> Router {
    let pages = Router::new()
        .route("/", get(pages::waiting))
        .route("/history", get(pages::history))
        .route("/deliveries", get(pages::deliveries))
        .route("/requests/{id}", get(pages::request))
        .route("/requests/{id}/approve", post(forms::approve))
        .route("/requests/{id}/reject", post(forms::reject))
        .route("/requests/{id}/revoke", post(forms::revoke))
        .route("/sign-in", get(forms::sign_in_page).post(forms::sign_in))
        .route("/sign-out", post(forms::sign_out))
        .route("/events", get(events::events))
        .route("/assets/{name}", get(assets::asset))
        .fallback(async || Failure::no_page())
        .method_not_allowed_fallback(async || {
            let text = "this address does not answer to that; open the inbox";
            Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Not like that", text)
        })
        .layer(from_fn(barrier::own_origin));
    // Their messages are signed, and come by whatever name the channel knows.
    let callbacks = app.channels.as_ref().map_or_else(Router::new, |channels| {
        channels.callbacks(app.desk.clone(), app.directory.clone())
    });
    Router::new()
        .merge(pages)
        .nest("/api/v1", api::routes())
        .route("/metrics", get(metrics::metrics))
        .layer(from_fn_with_state(app.clone(), barrier::own_host))
        .route("/healthz", get(metrics::health))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(app.clone())
        .merge(callbacks)
        .layer(from_fn_with_state(app, barrier::whole))
}
