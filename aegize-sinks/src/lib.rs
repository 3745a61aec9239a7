#![doc = include_str!("../README.md")]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable,
        clippy::todo
    )
)]

#[cfg(any(
    feature = "http",
    feature = "object-store",
    feature = "otlp",
    feature = "syslog"
))]
mod config;
#[cfg(feature = "http")]
mod http;
#[cfg(any(
    feature = "http",
    feature = "otlp",
    feature = "stdout",
    feature = "syslog"
))]
mod line;
#[cfg(feature = "object-store")]
mod objects;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(any(feature = "http", feature = "otlp"))]
mod retry;
#[cfg(any(feature = "object-store", feature = "otlp"))]
mod runtime;
#[cfg(any(feature = "otlp", feature = "syslog"))]
mod severity;
#[cfg(feature = "http")]
mod signature;
#[cfg(feature = "stdout")]
mod stdout;
#[cfg(feature = "syslog")]
mod syslog;
#[cfg(any(feature = "object-store", feature = "otlp"))]
mod told;

#[cfg(feature = "object-store")]
pub use ::object_store;

#[cfg(any(
    feature = "http",
    feature = "object-store",
    feature = "otlp",
    feature = "syslog"
))]
pub use self::config::ConfigError;
#[cfg(feature = "http")]
pub use self::http::HttpSink;
#[cfg(feature = "http")]
#[doc(hidden)]
pub use self::http::client as __client;
#[cfg(any(feature = "http", feature = "stdout", feature = "syslog"))]
pub use self::line::LineFormat;
#[cfg(feature = "object-store")]
pub use self::objects::ObjectStoreSink;
#[cfg(feature = "otlp")]
pub use self::otlp::OtlpSink;
#[cfg(feature = "http")]
pub use self::signature::WebhookSecret;
#[cfg(feature = "stdout")]
pub use self::stdout::StdoutSink;
#[cfg(feature = "syslog")]
pub use self::syslog::{Facility, SyslogSink};
