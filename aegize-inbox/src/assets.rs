//! The style and the script of the pages, in the program itself.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

/// One file, under a name that changes with what is in it.
pub(crate) struct Asset {
    /// Where it is.
    pub(crate) path: String,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(name: &str, extension: &str, kind: &'static str, text: &'static str) -> Self {
        let mut digest = String::new();
        for byte in Sha256::digest(text.as_bytes()).iter().take(8) {
            // Writing to a text cannot fail.
            let _ = write!(digest, "{byte:02x}");
        }
        Self {
            path: format!("/assets/{name}-{digest}.{extension}"),
            kind,
            text,
        }
    }
}

/// How pages look.
pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("assets/inbox.css");
    Asset::new("inbox", "css", "text/css; charset=utf-8", text)
});

/// What makes pages live.
pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("assets/inbox.js");
    Asset::new("inbox", "js", "text/javascript; charset=utf-8", text)
});

/// What stands in the browser's tab.
pub(crate) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let text = include_str!("assets/icon.svg");
    Asset::new("icon", "svg", "image/svg+xml", text)
});

/// Answers with an asset.
pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    let found = [&STYLE, &SCRIPT, &ICON];
    let found = found
        .into_iter()
        .find(|asset| asset.path.strip_prefix("/assets/") == Some(&name));
    match found {
        Some(asset) => {
            let headers = [
                (header::CONTENT_TYPE, asset.kind),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (headers, asset.text).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
