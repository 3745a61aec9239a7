//! Which request is meant: by its id, or by the beginning or the end of one.
//!
//! The invariant: what was found is the only request that can be meant, of all that there are.

use std::str::FromStr;

use aegize::{ApprovalDesk, ApprovalQuery, ApprovalRequest};
use uuid::Uuid;

use crate::exit::{Exit, Failure};

/// How many hexadecimal digits are needed.
const FEWEST: usize = 8;

/// How many requests are looked at at once.
const PAGE: usize = 200;

/// How many are named if several are meant.
const NAMED: usize = 5;

/// An id, or a part of one: lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IdPart(String);

impl FromStr for IdPart {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if are_digits && (FEWEST..=32).contains(&digits.len()) {
            Ok(Self(digits.to_ascii_lowercase()))
        } else {
            let problem = "it is no id of a request; give it as `aegize approvals list` shows it, or at \
                           least 8 digits of its beginning or its end";
            Err(problem.to_owned())
        }
    }
}

impl IdPart {
    /// The request that is meant.
    ///
    /// # Errors
    ///
    /// If there is none, or more than one.
    pub(super) async fn find(&self, desk: &ApprovalDesk) -> Result<ApprovalRequest, Failure> {
        if self.0.len() == 32
            && let Ok(id) = Uuid::try_parse(&self.0)
        {
            return Ok(desk.request(id).await?);
        }
        let mut query = ApprovalQuery::newest(PAGE);
        let mut meant = Vec::new();
        loop {
            let page = desk.requests(&query).await?;
            let is_last = page.requests.len() < PAGE;
            query.before = page.requests.last().map(ApprovalRequest::id);
            let ids = page.requests.iter().map(ApprovalRequest::id);
            // Also those that cannot be read: looking at one tells why.
            let ids = ids.chain(page.unreadable);
            meant.extend(ids.filter(|id| self.is_part_of(*id)));
            if is_last || meant.len() > NAMED {
                break;
            }
        }
        let part = &self.0;
        match meant.pop() {
            None => {
                let message = format!("there is no approval request `{part}`");
                Err(Failure::Refused(Exit::NotFound, message))
            }
            Some(id) if meant.is_empty() => Ok(desk.request(id).await?),
            Some(id) => {
                meant.push(id);
                let ids: Vec<_> = meant.iter().take(NAMED).map(Uuid::to_string).collect();
                let more = if meant.len() > NAMED { ", …" } else { "" };
                let message = format!(
                    "`{part}` may be one of several approval requests: {}{more}; give more digits",
                    ids.join(", ")
                );
                Err(Failure::Refused(Exit::Unusable, message))
            }
        }
    }

    fn is_part_of(&self, id: Uuid) -> bool {
        let id = id.simple().to_string();
        id.starts_with(&self.0) || id.ends_with(&self.0)
    }
}

/// The part of an id that is shown where there is little room: its end, which is random. The
/// beginning is the time.
pub(super) fn short(id: Uuid) -> String {
    let id = id.simple().to_string();
    id.get(20..).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_ids_have_enough_digits() {
        for (text, digits) in [
            ("8d1f0c2b7a90", "8d1f0c2b7a90"),
            (
                "01970000-0000-7000-8000-8D1F0C2B7A90",
                "019700000000700080008d1f0c2b7a90",
            ),
            ("8000-8d1f0c2b7a90", "80008d1f0c2b7a90"),
            ("12345678", "12345678"),
        ] {
            assert_eq!(text.parse(), Ok(IdPart(digits.to_owned())), "{text}");
        }
        for text in [
            "",
            "1234567",
            "1234-567",
            "8d1f0c2b7a9g",
            "é1234567",
            "0197000000007000800000000000000412",
        ] {
            assert!(text.parse::<IdPart>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_the_end() {
        let id = Uuid::from_u128(0x0197_0000_0000_7000_8000_8d1f_0c2b_7a90);
        assert_eq!(short(id), "8d1f0c2b7a90");
    }
}
