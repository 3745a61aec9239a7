//! By which names the inbox may be called.
//!
//! A page elsewhere whose name was made to lead here (DNS rebinding) is told apart by the name that
//! the browser asks for. The invariant: no page is given to a name that is not the inbox's own.

use std::net::SocketAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};

/// A name on this host (RFC 6761) that no other server has: cookies know no ports, and browsers give
/// those of `localhost` to whatever else listens there.
const OF_ITS_OWN: &str = "aegize.localhost";

/// The names of the inbox.
#[derive(Debug, Clone)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// The names that were given, and those of the address it listens at.
    pub(crate) fn new(given: &[String], address: SocketAddr) -> Self {
        let mut names: Vec<_> = given.iter().map(|name| name.to_ascii_lowercase()).collect();
        let ip = address.ip();
        if !ip.is_unspecified() {
            names.push(match ip {
                std::net::IpAddr::V4(ip) => ip.to_string(),
                std::net::IpAddr::V6(ip) => format!("[{ip}]"),
            });
        }
        if ip.is_loopback() {
            names.push("localhost".to_owned());
            names.push(OF_ITS_OWN.to_owned());
        }
        Self(names)
    }

    /// Whether a request is for one of them.
    pub(crate) fn are_meant_by(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let Some(host) = host(headers) else {
            return false;
        };
        let others = uri.authority().map(Authority::as_str);
        [host].into_iter().chain(others).all(|host| {
            let (name, port) = split(host);
            port.bytes().all(|byte| byte.is_ascii_digit())
                && self.0.iter().any(|own| own.eq_ignore_ascii_case(name))
        })
    }
}

/// The one host that a request names.
pub(crate) fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    }
}

/// A host's name and its port, which may be empty.
fn split(host: &str) -> (&str, &str) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, ""),
    }
}
