//! Absolute URLs.
//!
//! Parsed by the rules of the WHATWG, and only what every other reader sees the same way:
//! user-info, white space, `\`, missing slashes, encoded hosts, and in paths what servers decode
//! or merge differently, are unreadable. Queries and fragments are not judged.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use url::Url;

use super::automata::{Languages, is_covered};
use super::glob::{PatternError, check};
use super::host::{Host, HostPattern};
use super::matching::Match;
use super::normal::NormalPath;
use super::path::PathGlob;
use crate::text::find_invisible;

/// The longest URL that is read, in bytes: clients and servers cut or refuse longer ones.
const LONGEST: usize = 8 * 1024;

/// Which URLs a list covers. Each part that is there must hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct UrlPattern {
    pub(crate) scheme: Option<Vec<Scheme>>,
    pub(crate) host: Option<Vec<HostPattern>>,
    /// Ports, the default one of the scheme included.
    pub(crate) port: Option<Vec<u16>>,
    pub(crate) path: Option<Vec<UrlPath>>,
}

impl UrlPattern {
    /// Whether all that another pattern covers is covered, too, as far as that is decided.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let schemes = match (&self.scheme, &other.scheme) {
            (None, None) => true,
            // What another scheme does with its host is known only to who lists it.
            (None, Some(given)) => given.iter().all(Scheme::is_special),
            (Some(_), None) => false,
            (Some(wanted), Some(given)) => given.iter().all(|scheme| wanted.contains(scheme)),
        };
        let hosts = is_narrower(self.host.as_ref(), other.host.as_ref(), |wanted, given| {
            let is_covered = |given| {
                wanted
                    .iter()
                    .any(|wanted: &HostPattern| wanted.covers(given))
            };
            given.iter().all(is_covered)
        });
        let ports = is_narrower(self.port.as_ref(), other.port.as_ref(), |wanted, given| {
            given.iter().all(|port| wanted.contains(port))
        });
        let paths = is_narrower(self.path.as_ref(), other.path.as_ref(), |wanted, given| {
            UrlPath::cover(wanted, given)
        });
        schemes && hosts && ports && paths
    }

    /// Whether a text is a URL that the pattern covers.
    pub(crate) fn judge(&self, text: &str) -> Match {
        let Some(parsed) = Parsed::new(text) else {
            return Match::Unreadable;
        };
        let mut answers = Vec::with_capacity(4);
        if let Some(schemes) = &self.scheme {
            let is_listed = |scheme: &Scheme| *scheme.0 == *parsed.url.scheme();
            answers.push(Match::from(schemes.iter().any(is_listed)));
        } else if !parsed.url.is_special() {
            // What such a scheme does with its host and path is known only to who lists it.
            answers.push(Match::Unreadable);
        }
        if let Some(hosts) = &self.host {
            let host = parsed.host.and_then(Host::parse);
            answers.push(host.map_or(Match::Unreadable, |host| {
                HostPattern::judge_all(&host, hosts)
            }));
        }
        if let Some(ports) = &self.port {
            let port = parsed.url.port_or_known_default();
            answers.push(port.map_or(Match::Unreadable, |port| Match::from(ports.contains(&port))));
        }
        if let Some(paths) = &self.path {
            let path = parsed.path.and_then(DecodedPath::new);
            answers.push(path.map_or(Match::Unreadable, |path| {
                Match::any(paths.iter().map(|glob| glob.judge(&path)))
            }));
        }
        Match::all(answers)
    }
}

/// The most URLs that are made up.
const MOST_EXAMPLES: usize = 4096;

/// URLs at every border of what patterns cover, in every combination of their parts; and whether
/// none is missing.
pub(crate) fn url_examples(patterns: &[&UrlPattern]) -> (Vec<String>, bool) {
    let mut schemes = BTreeSet::from(["https".to_owned(), "http".to_owned(), "other".to_owned()]);
    let mut hosts = BTreeSet::from(["other.example".to_owned()]);
    let mut ports = BTreeSet::from([String::new(), ":1".to_owned()]);
    let mut globs = Vec::new();
    for pattern in patterns {
        schemes.extend(
            pattern
                .scheme
                .iter()
                .flatten()
                .map(|scheme| scheme.0.to_string()),
        );
        let listed = pattern.host.iter().flatten();
        hosts.extend(listed.flat_map(HostPattern::examples));
        ports.extend(pattern.port.iter().flatten().map(|port| format!(":{port}")));
        globs.extend(
            pattern
                .path
                .iter()
                .flatten()
                .map(|path| path.glob.to_regex()),
        );
    }
    let mut paths = BTreeSet::from(["/".to_owned(), "/other".to_owned()]);
    let mut is_exact = true;
    if !globs.is_empty() {
        let regexes = [vec![PathGlob::domain_regex()], globs].concat();
        let cells = Languages::new(&regexes).and_then(|languages| languages.cells());
        is_exact = cells.is_some();
        let cells = cells.into_iter().flatten();
        let found = cells
            .filter(|cell| cell.text.starts_with('/'))
            .map(|cell| cell.text);
        paths.extend(found.flat_map(|path| [path.to_uppercase(), path]));
    }
    is_exact &= schemes.len() * hosts.len() * ports.len() * paths.len() <= MOST_EXAMPLES;
    let mut urls = Vec::new();
    for scheme in &schemes {
        for host in &hosts {
            let host = if host.contains(':') {
                format!("[{host}]")
            } else {
                host.clone()
            };
            for port in &ports {
                let with_path = |path: &String| format!("{scheme}://{host}{port}{path}");
                urls.extend(paths.iter().map(with_path));
            }
            if urls.len() > MOST_EXAMPLES {
                return (urls, false);
            }
        }
    }
    (urls, is_exact)
}

/// Whether one part of a pattern asks for no more than that of another, which is narrower if it is
/// the only one that asks.
fn is_narrower<T>(
    wanted: Option<&Vec<T>>,
    given: Option<&Vec<T>>,
    covers: impl Fn(&[T], &[T]) -> bool,
) -> bool {
    match (wanted, given) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wanted), Some(given)) => covers(wanted, given),
    }
}

/// A URL whose parts are the same to every reader, and those parts as they are written.
struct Parsed<'t> {
    url: Url,
    host: Option<&'t str>,
    path: Option<&'t str>,
}

impl<'t> Parsed<'t> {
    fn new(text: &'t str) -> Option<Self> {
        if text.len() > LONGEST || !text.chars().all(is_plain) || find_invisible(text).is_some() {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let (_, rest) = text.split_once(':')?;
        let Some(rest) = rest.strip_prefix("//") else {
            // `http:evil.com` has a host to some; `blob:https://evil.com` has another URL in it.
            let is_whole = !url.is_special() && !rest.contains("//");
            let path = (!url.cannot_be_a_base()).then(|| before_query(rest));
            return is_whole.then_some(Self {
                url,
                host: None,
                path,
            });
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if authority.contains(['@', '%']) {
            return None;
        }
        // `http://acme.com?@evil.com` and `http:///evil.com` have two hosts, depending on whom
        // one asks.
        if !rest.starts_with('/') && rest.contains('@') {
            return None;
        }
        if authority.is_empty() && url.is_special() && url.scheme() != "file" {
            return None;
        }
        let host = match authority.find(']') {
            Some(bracket) => authority.get(..=bracket)?,
            None => authority.split(':').next()?,
        };
        let has_host = url.host_str().is_some_and(|host| !host.is_empty());
        Some(Self {
            host: has_host.then_some(host),
            path: Some(before_query(rest)),
            url,
        })
    }
}

/// Whether a character may stand in a URL (RFC 3986; RFC 3987 beyond ASCII). Clients encode,
/// expand or refuse the others as they like.
fn is_plain(c: char) -> bool {
    !(c.is_whitespace() || matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}'))
}

fn before_query(rest: &str) -> &str {
    rest.split(['?', '#']).next().unwrap_or_default()
}

/// A path as servers decode it.
struct DecodedPath {
    path: NormalPath<'static>,
    /// The same in lower case: some servers do not tell the cases apart.
    folded: NormalPath<'static>,
}

impl DecodedPath {
    /// `None` if servers differ about what the path is.
    fn new(written: &str) -> Option<Self> {
        let path = percent_decode_str(written).decode_utf8().ok()?;
        let slashes = |text: &str| text.bytes().filter(|byte| *byte == b'/').count();
        let is_doubtful = slashes(&path) != slashes(written)
            || written.contains("//")
            || path.contains(['%', '\\', ';', '?', '#', '[', ']'])
            // `.` and `..` are resolved by some; Windows drops a dot or a space at the end.
            || path.split('/').any(|segment| segment.ends_with(['.', ' ']))
            || find_invisible(&path).is_some();
        if is_doubtful {
            return None;
        }
        let path = if path.is_empty() { "/" } else { &path };
        Some(Self {
            path: NormalPath::literal(path).ok()?.into_owned(),
            folded: NormalPath::literal(&path.to_lowercase()).ok()?.into_owned(),
        })
    }
}

/// One entry of a list of schemes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scheme(Box<str>);

impl Scheme {
    /// Whether the WHATWG says what its host and path mean.
    fn is_special(&self) -> bool {
        ["ftp", "file", "http", "https", "ws", "wss"].contains(&&*self.0)
    }

    /// An entry `https`.
    pub(crate) fn new(entry: &str) -> Result<Self, PatternError> {
        let name = entry.trim_end_matches('/').trim_end_matches(':');
        let is_letter =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let is_name =
            name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(is_letter);
        if !is_name {
            return Err(PatternError::new(
                "is not a scheme; write one, such as `https`, or leave the list out for any",
            ));
        }
        let lower = name.to_ascii_lowercase();
        if lower != entry {
            return Err(PatternError::new(format!(
                "is not how a scheme is written; write `{lower}`"
            )));
        }
        Ok(Self(lower.into()))
    }
}

/// One entry of a list of URL paths: a glob over the decoded path.
#[derive(Debug, Clone)]
pub(crate) struct UrlPath {
    glob: PathGlob,
    /// The same in lower case: some servers do not tell the cases apart.
    folded: PathGlob,
}

impl UrlPath {
    /// An entry `/v1/**`.
    pub(crate) fn new(entry: &str) -> Result<Self, PatternError> {
        check(entry)?;
        if !entry.starts_with('/') {
            return Err(PatternError::new(format!(
                "does not begin with `/`, as the path of every URL does; write `/{}`",
                if entry.contains("://") {
                    "v1/**"
                } else {
                    entry
                }
            )));
        }
        for (sign, problem) in [
            (
                "?",
                "has a `?`, which begins a query, and queries are not judged; write what stands before it",
            ),
            (
                "#",
                "has a `#`, which begins a fragment, and fragments are not judged; write what stands before it",
            ),
            (
                "%",
                "has a `%`; write the character that it stands for, paths are decoded before they are judged",
            ),
            (
                ";",
                "has a `;`, by which servers cut a path; write what stands before it",
            ),
            ("\\", "has a `\\`; write `/`"),
            ("//", "has an empty segment; write one `/`"),
        ] {
            if entry.contains(sign) {
                return Err(PatternError::new(problem));
            }
        }
        if entry.split('/').any(|segment| segment.ends_with('.')) {
            return Err(PatternError::new(
                "has a segment that ends with a dot, which servers drop or resolve; write the path that is meant",
            ));
        }
        Ok(Self {
            glob: PathGlob::new(entry)?,
            folded: PathGlob::new(&entry.to_lowercase())?,
        })
    }

    /// Whether all that some entries cover is covered by others, in either case.
    fn cover(wanted: &[Self], given: &[Self]) -> bool {
        let covers = |part: fn(&Self) -> &PathGlob| {
            let wanted: Vec<String> = wanted.iter().map(|path| part(path).to_regex()).collect();
            given.iter().all(|path| {
                let given = [PathGlob::domain_regex(), part(path).to_regex()];
                is_covered(&given, &wanted) == Some(true)
            })
        };
        covers(|path| &path.glob) && covers(|path| &path.folded)
    }

    fn judge(&self, decoded: &DecodedPath) -> Match {
        if self.glob.is_match(&decoded.path) {
            Match::Yes
        } else if self.folded.is_match(&decoded.folded) {
            Match::Unreadable
        } else {
            Match::No
        }
    }
}
