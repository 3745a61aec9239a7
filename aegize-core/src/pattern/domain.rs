//! Domain names, in the form in which they are looked up.
//!
//! Names are compared after the mapping of UTS #46 (case, width, dots, Unicode normalisation,
//! Punycode), on both sides. A name about which readers differ, such as one with a `ß`, which is
//! `ss` to those of IDNA 2003 and a letter of its own since, has no normal form. Nothing is
//! resolved: a name is its text.

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use super::glob::PatternError;
use super::matching::Match;
use crate::text::find_invisible;

/// The longest text that is looked at, in bytes: a name has at most 253 once it is mapped.
const LONGEST: usize = 1024;

/// What IDNA 2003 and IDNA 2008 map to different names.
const DEVIATIONS: [char; 3] = ['ß', 'ẞ', 'ς'];

/// Maps a text to the ASCII form of a name, possibly with a dot at its end.
pub(super) fn to_ascii(text: &str) -> Option<String> {
    if text.len() > LONGEST || text.contains(DEVIATIONS) || find_invisible(text).is_some() {
        return None;
    }
    let ascii = Uts46::new()
        .to_ascii(
            text.as_bytes(),
            AsciiDenyList::EMPTY,
            Hyphens::Allow,
            DnsLength::VerifyAllowRootDot,
        )
        .ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    ascii.bytes().all(is_plain).then(|| ascii.into_owned())
}

/// A name in normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Domain {
    name: String,
    /// Written with a dot at its end, so that no search list is consulted.
    is_rooted: bool,
}

impl Domain {
    /// The name that [`to_ascii`] gave and that is not an address.
    pub(super) fn from_ascii(mut name: String) -> Self {
        let is_rooted = name.ends_with('.');
        if is_rooted {
            name.pop();
        }
        Self { name, is_rooted }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.name
    }

    pub(super) fn is_rooted(&self) -> bool {
        self.is_rooted
    }

    /// Whether this is a name that means this machine (RFC 6761).
    pub(super) fn is_local(&self) -> bool {
        self.name == "localhost" || self.name.ends_with(".localhost")
    }

    /// Whether a resolver may append labels of its own choice.
    fn is_relative(&self) -> bool {
        !self.is_rooted && !self.is_local() && !self.name.contains('.')
    }
}

/// Names that a list covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DomainPattern {
    /// This name alone.
    Exactly(Domain),
    /// Every name below this one, not itself.
    Below(Domain),
}

impl DomainPattern {
    /// The pattern `*.name` or `name`, whose name `parse` reads.
    pub(super) fn new(
        entry: &str,
        parse: impl Fn(&str) -> Result<Domain, PatternError>,
    ) -> Result<Self, PatternError> {
        let (is_below, name) = match entry.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, entry),
        };
        if name.contains('*') {
            return Err(PatternError::new(
                "has a `*` that is not all before a name; write `*.` and the name for what is below it",
            ));
        }
        if name.starts_with('.') {
            return Err(PatternError::new(
                "begins with a dot; write `*.` and the name for what is below it",
            ));
        }
        let domain = parse(name)?;
        if domain.is_rooted {
            return Err(PatternError::new(
                "ends with a dot; leave it out, the name is complete without",
            ));
        }
        Ok(if is_below {
            Self::Below(domain)
        } else {
            Self::Exactly(domain)
        })
    }

    pub(super) fn judge(&self, domain: &Domain) -> Match {
        let (Self::Exactly(listed) | Self::Below(listed)) = self;
        let (name, listed) = (domain.as_str(), listed.as_str());
        let holds = match self {
            Self::Exactly(_) => name == listed,
            Self::Below(_) => is_below(name, listed),
        };
        if holds {
            return Match::Yes;
        }
        let may_become = match self {
            Self::Exactly(_) => listed
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('.')),
            Self::Below(_) => true,
        };
        if domain.is_relative() && may_become {
            Match::Unreadable
        } else {
            Match::No
        }
    }

    /// Names at every border of what is covered.
    pub(super) fn examples(&self) -> Vec<String> {
        let (Self::Exactly(listed) | Self::Below(listed)) = self;
        let name = listed.as_str();
        let first = name.split('.').next().unwrap_or_default();
        vec![
            name.to_owned(),
            format!("a.{name}"),
            format!("b.a.{name}"),
            first.to_owned(),
            "a".to_owned(),
            "other.example".to_owned(),
        ]
    }

    /// Whether all that another pattern covers is covered, too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exactly(listed), Self::Exactly(other)) => listed == other,
            (Self::Exactly(_), Self::Below(_)) => false,
            (Self::Below(listed), Self::Exactly(other)) => {
                is_below(other.as_str(), listed.as_str())
            }
            (Self::Below(listed), Self::Below(other)) => {
                listed == other || is_below(other.as_str(), listed.as_str())
            }
        }
    }

    /// Whether any name that means this machine is covered.
    pub(super) fn covers_local(&self) -> bool {
        let (Self::Exactly(listed) | Self::Below(listed)) = self;
        listed.is_local()
    }
}

fn is_below(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent)
        .is_some_and(|labels| labels.ends_with('.'))
}
