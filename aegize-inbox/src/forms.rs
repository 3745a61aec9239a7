//! What people send: signing in and out, and decisions.
//!
//! The invariant: a form acts only with the token of the session that it was made for.

use std::net::SocketAddr;
use std::time::Duration;

use aegize_core::{ApprovalError, ApprovalErrorKind, ApprovalRequest, Remember};
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Form, FromRequest, FromRequestParts as _, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::app::App;
use crate::metrics::Outcome;
use crate::pages::{self, Failure, Told};
use crate::tokens;
use crate::viewer::{Viewer, cookie_name};

/// A form of a session, and whose that is.
pub(crate) struct Posted<T> {
    viewer: Viewer,
    form: T,
}

#[derive(Deserialize)]
struct WithToken<T> {
    form_token: String,
    #[serde(flatten)]
    form: T,
}

impl<T: DeserializeOwned> FromRequest<App> for Posted<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let viewer = Viewer::from_request_parts(&mut parts, app).await?;
        let request = Request::from_parts(parts, body);
        let form = Form::<WithToken<T>>::from_request(request, app).await;
        let Form(WithToken { form_token, form }) =
            form.map_err(|rejection| unreadable(&rejection))?;
        if !viewer.session.made(&form_token) {
            let text = "this form was not made for your session, and nothing was done; open the page \
                        again and decide there";
            let failure = Failure::new(StatusCode::FORBIDDEN, "Not your form", text);
            return Err(failure.into_response());
        }
        Ok(Self { viewer, form })
    }
}

fn unreadable(rejection: &FormRejection) -> Response {
    let text = "the form cannot be read, and nothing was done; open the page again";
    Failure::new(rejection.status(), "Not a form", text).into_response()
}

/// A form with nothing but its token.
#[derive(Deserialize)]
pub(crate) struct Bare {}

/// What an approver says.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Decision {
    reason: String,
    /// Anything, if the grant is to be remembered.
    remember: String,
    minutes: String,
    uses: String,
    conditions: String,
}

impl Decision {
    fn reason(&self) -> Option<&str> {
        Some(self.reason.trim()).filter(|reason| !reason.is_empty())
    }

    /// What the grant is extended to, if it is.
    fn remember(&self) -> Result<Option<Remember>, ApprovalError> {
        if self.remember.is_empty() {
            return Ok(None);
        }
        let number = |text: &str, what: &str| {
            text.trim().parse::<u32>().map_err(|_| {
                let message = format!("`{text}` is no number of {what}; give one such as 5");
                ApprovalError::new(ApprovalErrorKind::Malformed, message)
            })
        };
        let minutes = number(&self.minutes, "minutes")?;
        let time = Duration::from_secs(u64::from(minutes) * 60);
        let remember = Remember::new(time, number(&self.uses, "calls")?)?;
        let conditions = self.conditions.trim();
        if conditions.is_empty() {
            return Ok(Some(remember));
        }
        remember.conditions(conditions).map(Some)
    }
}

/// What somebody signs in with.
#[derive(Deserialize)]
pub(crate) struct SignIn {
    token: String,
    #[serde(default)]
    next: String,
}

/// Where a page leads back to after signing in: a path of this inbox, or the first page.
#[derive(Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
}

/// Only what a browser takes for a path of this host.
fn local(next: &str) -> &str {
    let is_local = next.starts_with('/')
        && !next.starts_with("//")
        && next
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_local { next } else { "/" }
}

/// The form to sign in with.
pub(crate) async fn sign_in_page(Form(Next { next }): Form<Next>) -> Response {
    pages::sign_in(local(&next), None).into_response()
}

/// Opens a session for whoever has a token.
pub(crate) async fn sign_in(
    State(app): State<App>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Result<Form<SignIn>, FormRejection>,
) -> Response {
    let Form(SignIn { token, next }) = match form {
        Ok(form) => form,
        Err(rejection) => return unreadable(&rejection),
    };
    let next = local(&next);
    let holder = match tokens::holder(&app, from.ip(), token.trim()).await {
        Ok(holder) => holder,
        Err(refused) => {
            let page = pages::sign_in(next, Some(&refused.to_string()));
            let mut response = (refused.status(), page).into_response();
            if let Some(seconds) = refused.retry_after() {
                let headers = response.headers_mut();
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            return response;
        }
    };
    let Ok(id) = app.sessions.open(&holder.id) else {
        return Failure::internal().into_response();
    };
    let cookie = cookie(&app, &headers, &id);
    ([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response()
}

/// A cookie, for TLS alone if browsers come by that: also to a proxy that has it.
fn cookie(app: &App, headers: &HeaderMap, id: &str) -> String {
    let name = cookie_name(app.is_secure);
    let origin = headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
    let has_tls = app.is_secure || origin.is_some_and(|origin| origin.starts_with(b"https://"));
    let secure = if has_tls { "; Secure" } else { "" };
    format!("{name}={id}; Path=/; HttpOnly; SameSite=Strict{secure}")
}

/// Ends the session.
pub(crate) async fn sign_out(
    State(app): State<App>,
    headers: HeaderMap,
    posted: Posted<Bare>,
) -> Response {
    app.sessions.close(&posted.viewer.session);
    let cookie = format!("{}; Max-Age=0", cookie(&app, &headers, ""));
    ([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response()
}

/// Approves a request.
pub(crate) async fn approve(
    State(app): State<App>,
    Path(id): Path<String>,
    Posted { viewer, form }: Posted<Decision>,
) -> Response {
    let (approver, reason) = (&viewer.approver, form.reason());
    let decide = async |id| match form.remember()? {
        None => app.desk.approve(id, approver, reason).await,
        Some(remember) => {
            let desk = &app.desk;
            desk.approve_and_remember(id, approver, reason, &remember)
                .await
        }
    };
    conclude(&app, &viewer, &id, Outcome::Approved, decide).await
}

/// Rejects a request.
pub(crate) async fn reject(
    State(app): State<App>,
    Path(id): Path<String>,
    Posted { viewer, form }: Posted<Decision>,
) -> Response {
    let decide = async |id| app.desk.reject(id, &viewer.approver, form.reason()).await;
    conclude(&app, &viewer, &id, Outcome::Rejected, decide).await
}

/// Takes a grant back.
pub(crate) async fn revoke(
    State(app): State<App>,
    Path(id): Path<String>,
    Posted { viewer, form }: Posted<Decision>,
) -> Response {
    let decide = async |id| app.desk.revoke(id, &viewer.approver, form.reason()).await;
    conclude(&app, &viewer, &id, Outcome::Revoked, decide).await
}

/// Decides, and leads back to the request, or tells why nothing was decided.
async fn conclude(
    app: &App,
    viewer: &Viewer,
    id: &str,
    outcome: Outcome,
    decide: impl AsyncFnOnce(Uuid) -> Result<ApprovalRequest, ApprovalError>,
) -> Response {
    let Ok(id) = Uuid::try_parse(id) else {
        return Failure::no_page().into_response();
    };
    match decide(id).await {
        Ok(_) => {
            app.metrics.decided(outcome);
            Redirect::to(&format!("/requests/{id}")).into_response()
        }
        Err(error) if error.kind() == ApprovalErrorKind::State => {
            let told = Told::TooLate(outcome);
            match pages::request_page(app, viewer, id, Some(told)).await {
                Ok(page) => (StatusCode::CONFLICT, page).into_response(),
                Err(failure) => failure.into_response(),
            }
        }
        Err(error) => Failure::from(error).into_response(),
    }
}
