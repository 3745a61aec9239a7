//! The inbox for programs: JSON, with an approver's token in each request.
//!
//! The invariant: no cookie counts here, so that no browser can be made to use it.

mod problem;
mod view;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use aegize_core::{ApprovalError, ApprovalRequest, Approver, Remember};
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{ConnectInfo, FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use self::problem::Problem;
use self::view::{ListView, PersonView, RequestView};
use crate::app::App;
use crate::metrics::Outcome;
use crate::object::Object;
use crate::selection::Selection;
use crate::tokens;

/// How many requests a list has, and at most.
const USUAL: usize = 50;
const MOST: usize = 200;

/// What this says of itself.
const DOCUMENT: &str = include_str!("openapi.json");

/// A request as programs get it here: for others who tell programs of requests.
pub fn request_view(request: &ApprovalRequest) -> impl Serialize {
    RequestView::from(request)
}

/// Everything under `/api/v1`.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/requests/{id}/approve", post(approve))
        .route("/requests/{id}/reject", post(reject))
        .route("/requests/{id}/revoke", post(revoke))
        .route_layer(from_fn(body_alone))
        .route("/openapi.json", get(document))
        .route("/me", get(me))
        .route("/requests", get(list))
        .route("/requests/{id}", get(request))
        .fallback(async || {
            let detail =
                "there is nothing at this address; /api/v1/openapi.json tells what there is";
            Problem::new(StatusCode::NOT_FOUND, detail)
        })
        .method_not_allowed_fallback(async || {
            let detail =
                "this address does not answer to that method; /api/v1/openapi.json tells which";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
        })
}

/// Lets nothing be decided otherwise than a parameter says that nobody reads.
async fn body_alone(request: Request, next: Next) -> Response {
    if request.uri().query().is_none_or(str::is_empty) {
        return next.run(request).await;
    }
    let detail = "this address has no parameters; send what there is to say as JSON, such as \
                  `{\"reason\": \"as agreed\"}`, in the body";
    Problem::new(StatusCode::BAD_REQUEST, detail).into_response()
}

/// The person whose token a program has.
struct Caller(Approver);

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let from = ConnectInfo::<SocketAddr>::from_request_parts(parts, app).await;
        let Ok(ConnectInfo(from)) = from else {
            return Err(Problem::internal());
        };
        let mut given = parts.headers.get_all(header::AUTHORIZATION).iter();
        let token = match (given.next(), given.next()) {
            (Some(value), None) => value.to_str().ok().and_then(bearer),
            _ => None,
        };
        let Some(token) = token else {
            return Err(Problem::unauthorized(
                "no token; send `Authorization: Bearer agz_…`",
            ));
        };
        let holder = tokens::holder(app, from.ip(), token).await?;
        Ok(Self(holder.approver))
    }
}

/// The token of a header's value.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

async fn me(Caller(approver): Caller) -> Response {
    Json(PersonView::from(&approver)).into_response()
}

/// What a list may be asked for.
#[derive(Deserialize)]
struct Wanted {
    #[serde(flatten)]
    selection: Selection,
    limit: Option<String>,
    #[serde(flatten)]
    unknown: BTreeMap<String, String>,
}

async fn list(
    State(app): State<App>,
    _: Caller,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(Wanted {
        selection,
        limit,
        unknown,
    }) = wanted.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the query cannot be read"))?;
    // A name that is mistyped would select what nobody asked for.
    if let Some(name) = unknown.keys().next() {
        let detail = format!(
            "`{name}` is no parameter of this list; use state, agent, tool, operation, before or limit"
        );
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let most = match limit {
        None => USUAL,
        Some(limit) => {
            let most = limit.parse().ok().filter(|most| (1..=MOST).contains(most));
            most.ok_or_else(|| {
                let detail = format!("`{limit}` is no limit; give a number from 1 to {MOST}");
                Problem::new(StatusCode::BAD_REQUEST, detail)
            })?
        }
    };
    let query = selection.query(most)?;
    let list = app.desk.requests(&query).await?;
    Ok(Json(ListView::new(&list, most)).into_response())
}

async fn request(
    State(app): State<App>,
    _: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let request = app.desk.request(parse(&id)?).await?;
    Ok(Json(RequestView::from(&request)).into_response())
}

fn parse(id: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(id).map_err(|_| {
        let detail = format!("there is no approval request `{id}`");
        Problem::new(StatusCode::NOT_FOUND, detail)
    })
}

/// What a decision may say.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Decision {
    reason: Option<String>,
}

/// What an approval may say.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Approval {
    reason: Option<String>,
    remember: Option<Object<Memory>>,
}

/// What a grant is extended to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Memory {
    seconds: u64,
    uses: u32,
    conditions: Option<String>,
}

impl Memory {
    fn remember(&self) -> Result<Remember, ApprovalError> {
        let remember = Remember::new(Duration::from_secs(self.seconds), self.uses)?;
        match &self.conditions {
            Some(conditions) => remember.conditions(conditions),
            None => Ok(remember),
        }
    }
}

/// A body's JSON; nothing is the same as an empty object.
fn read<T: Default + for<'de> Deserialize<'de>>(
    body: Result<Bytes, BytesRejection>,
) -> Result<T, Problem> {
    let body = body.map_err(|rejection| {
        let detail = "the body cannot be read; it has at most 64 KiB";
        Problem::new(rejection.status(), detail)
    })?;
    if body.is_empty() {
        return Ok(T::default());
    }
    let read: Result<Object<T>, _> = serde_json::from_slice(&body);
    let read = read.map(|Object(read)| read);
    read.map_err(|error| {
        let detail = format!("the body is not what it has to be: {error}");
        Problem::new(StatusCode::BAD_REQUEST, detail)
    })
}

async fn approve(
    State(app): State<App>,
    Caller(approver): Caller,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let id = parse(&id)?;
    let Approval { reason, remember } = read(body)?;
    let reason = reason.as_deref();
    let decided = match remember {
        None => app.desk.approve(id, &approver, reason).await,
        Some(Object(memory)) => {
            let remember = memory.remember()?;
            let desk = &app.desk;
            desk.approve_and_remember(id, &approver, reason, &remember)
                .await
        }
    };
    conclude(&app, Outcome::Approved, decided)
}

async fn reject(
    State(app): State<App>,
    Caller(approver): Caller,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let id = parse(&id)?;
    let Decision { reason } = read(body)?;
    let decided = app.desk.reject(id, &approver, reason.as_deref()).await;
    conclude(&app, Outcome::Rejected, decided)
}

async fn revoke(
    State(app): State<App>,
    Caller(approver): Caller,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let id = parse(&id)?;
    let Decision { reason } = read(body)?;
    let decided = app.desk.revoke(id, &approver, reason.as_deref()).await;
    conclude(&app, Outcome::Revoked, decided)
}

fn conclude(
    app: &App,
    outcome: Outcome,
    decided: Result<ApprovalRequest, ApprovalError>,
) -> Result<Response, Problem> {
    let request = decided?;
    app.metrics.decided(outcome);
    Ok(Json(RequestView::from(&request)).into_response())
}
