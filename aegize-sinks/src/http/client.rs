//! Asking services that people configured. Not API: for this crate, and for `aegize-inbox` of the
//! same version.
//!
//! The invariants: a request has an end, and redirects are not followed; nothing of a request, such
//! as a token, is in what is said of a failure.

use std::time::{Duration, SystemTime};

use ureq::http::{HeaderMap, header};
use ureq::{Agent, Error};

/// What sends requests that may take so long, from the look-up of the host to the end of the answer.
pub fn agent(timeout: Duration) -> Agent {
    let tls = ureq::tls::TlsConfig::builder()
        .root_certs(ureq::tls::RootCerts::PlatformVerifier)
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("aegize/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// How long `Retry-After` asks for: in seconds, or until a date.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more than anyone is believed.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Why there is no answer. Errors that may quote a URL are told by their kind.
pub fn failure(error: &Error) -> String {
    match error {
        Error::Io(error) => error.to_string(),
        Error::Timeout(which) => format!("no answer in time ({which})"),
        Error::HostNotFound => "its host is not found".to_owned(),
        Error::Tls(what) => (*what).to_owned(),
        Error::Rustls(error) => error.to_string(),
        Error::Protocol(_) => "its answer is not HTTP".to_owned(),
        Error::LargeResponseHeader(..) => "its answer has too long a header".to_owned(),
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => {
            "the proxy does not let it through".to_owned()
        }
        _ => "the connection failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use ureq::http::{HeaderMap, header};

    #[test]
    fn retry_after_is_a_number_of_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let rows = [
            ("0", Some(0)),
            ("7", Some(7)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ];
        for (text, expected) in rows {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            let expected = expected.map(Duration::from_secs);
            assert_eq!(super::retry_after(&headers, now), expected, "{text}");
        }
    }
}
