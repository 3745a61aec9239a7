//! E-mail addresses.
//!
//! One address, as people write them: a local part of letters, digits and `_ + - . ' &`, and a
//! domain name. What else the standards permit (quotes, comments, routes, address literals,
//! encoded words) has led mailers elsewhere than it seems to, and is unreadable. Invariant: a
//! `Yes` has exactly one `@`.
//!
//! An address is what it says. Where its domain forwards mail to is that domain's affair.

use super::domain::{Domain, DomainPattern};
use super::glob::{PatternError, check};
use super::host::{Host, parse_name};
use super::matching::Match;

/// The longest local part and the longest address, in bytes (RFC 5321, 4.5.3.1): mailers cut or
/// refuse longer ones.
const LONGEST_LOCAL: usize = 64;
const LONGEST: usize = 254;

struct Address<'t> {
    local: &'t str,
    domain: Domain,
}

impl<'t> Address<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (local, domain) = text.split_once('@')?;
        // A second `@`, in any width, is no letter of a name.
        let Some(Host::Name(domain)) = Host::parse(domain) else {
            return None;
        };
        (is_plain(local) && !domain.is_rooted()).then_some(Self { local, domain })
    }
}

/// Whether a local part is read the same way everywhere, apart from letters beyond ASCII.
/// `%`, `!`, `/`, `|` and `=` are left out because mailers route by them.
fn is_plain(local: &str) -> bool {
    let is_letter = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '_' | '+' | '-' | '.' | '\'' | '&')
            || !(c.is_ascii() || c.is_whitespace() || c.is_control())
    };
    (1..=LONGEST_LOCAL).contains(&local.len())
        && local.chars().all(is_letter)
        && local.split('.').all(|atom| !atom.is_empty())
        // Mailers that are run as commands have taken it for an option.
        && !local.starts_with('-')
}

/// What is left of a local part where case, dots and what follows a `+` do not count.
fn mailbox(local: &str) -> impl Iterator<Item = u8> {
    local
        .bytes()
        .take_while(|byte| *byte != b'+')
        .filter(|byte| *byte != b'.')
        .map(|byte| byte.to_ascii_lowercase())
}

/// One entry of a list of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EmailPattern {
    /// The one local part; any if there is none.
    local: Option<Box<str>>,
    domain: DomainPattern,
}

impl EmailPattern {
    /// An entry `support@partner.example`, `@acme.com` or `@*.acme.com`.
    pub(crate) fn new(entry: &str) -> Result<Self, PatternError> {
        if entry.is_empty() {
            return Err(PatternError::new(
                "is empty; write an address, or a domain such as `@acme.com`",
            ));
        }
        check(entry)?;
        let Some((local, domain)) = entry.rsplit_once('@') else {
            return Err(PatternError::new(format!(
                "has no `@`; did you mean `@{entry}`?"
            )));
        };
        if local == "*" {
            return Err(PatternError::new(format!(
                "has a `*` before the `@`; write `@{domain}` for every address there"
            )));
        }
        if domain.is_empty() || domain == "*" {
            return Err(PatternError::new(
                "names no domain; write one, such as `@acme.com` or `@*.acme.com`",
            ));
        }
        let pattern = DomainPattern::new(domain, parse_name)?;
        if local.is_empty() {
            return Ok(Self {
                local: None,
                domain: pattern,
            });
        }
        if matches!(pattern, DomainPattern::Below(_)) {
            return Err(PatternError::new(format!(
                "names one mailbox of many domains; write the whole address, or `@{domain}`"
            )));
        }
        if !is_plain(local) {
            return Err(PatternError::new(
                "has a local part that mailers read in different ways; write letters, digits and `_ + - . ' &`",
            ));
        }
        Ok(Self {
            local: Some(local.into()),
            domain: pattern,
        })
    }

    /// Texts at every border of what is covered, and beyond.
    pub(crate) fn examples(&self) -> Vec<String> {
        let mut locals = vec!["a".to_owned(), "é".to_owned()];
        if let Some(local) = &self.local {
            locals.extend([local.to_string(), format!("{local}+a")]);
        }
        let domains = self.domain.examples();
        let addresses = domains.iter().flat_map(|domain| {
            let at = move |local: &String| format!("{local}@{domain}");
            locals.iter().map(at)
        });
        addresses.collect()
    }

    /// Whether all that another entry covers is covered, too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self == other
            // Whose letters are beyond ASCII is only covered by an entry of its own.
            || (self.local.is_none()
                && other.local.as_ref().is_none_or(|local| local.is_ascii())
                && self.domain.covers(&other.domain))
    }

    fn judge(&self, address: &Address<'_>) -> Match {
        let domain = self.domain.judge(&address.domain);
        let local = match &self.local {
            Some(listed) if **listed == *address.local => Match::Yes,
            // Whether a mailer normalises, folds or cuts these is not known.
            _ if !address.local.is_ascii() => return Match::Unreadable,
            None => Match::Yes,
            Some(listed) if mailbox(listed).eq(mailbox(address.local)) => Match::Unreadable,
            Some(_) => Match::No,
        };
        Match::all([domain, local])
    }
}

/// Whether a text is one listed address.
pub(crate) fn email(text: &str, patterns: &[EmailPattern]) -> Match {
    Address::parse(text).map_or(Match::Unreadable, |address| {
        Match::any(patterns.iter().map(|pattern| pattern.judge(&address)))
    })
}
