//! The sinks through their public face: against receivers in this process, and, ignored unless
//! `.ci/run` asks for them, against those of others.

mod answers;
mod http;
mod objects;
mod otlp;
mod receivers;
mod stdout;
mod support;
#[cfg(unix)]
mod syslog;
