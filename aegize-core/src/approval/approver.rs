//! Who decides: a person, as whoever authenticated them knows them.
//!
//! The invariant: an approver has a name that people can tell from others.

use serde::{Deserialize, Serialize};

use super::error::{ApprovalError, ApprovalErrorKind};
use crate::text::find_invisible;

/// The longest name of a person or a group, in bytes.
const LONGEST: usize = 256;

/// A person who decides about requests, with the groups they are in.
///
/// Nothing here proves who it is: that is for whoever makes the value, from a token, a session or
/// the operating system. An agent never gets to make one.
///
/// ```
/// # extern crate aegize_core as aegize;
/// let alice = aegize::Approver::new("alice@acme.com")?.group("ops")?;
/// assert_eq!(alice.name(), "alice@acme.com");
/// # Ok::<(), aegize::ApprovalError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Approver {
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
}

impl Approver {
    /// A person by the name that policies use, such as an address.
    ///
    /// # Errors
    ///
    /// If the name is blank, too long, begins or ends with white space, begins with `group:`, or
    /// holds a character that nobody sees.
    pub fn new(name: impl Into<String>) -> Result<Self, ApprovalError> {
        Ok(Self {
            name: checked(name.into(), "approver")?,
            groups: Vec::new(),
        })
    }

    /// The same person, in one more group.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn group(mut self, name: impl Into<String>) -> Result<Self, ApprovalError> {
        self.groups.push(checked(name.into(), "group")?);
        Ok(self)
    }

    /// The person's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The groups they are in.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }
}

fn checked(name: String, what: &str) -> Result<String, ApprovalError> {
    let problem = if name.trim().is_empty() {
        "is blank; give the one that policies use"
    } else if name.trim() != name {
        "begins or ends with white space; remove it"
    } else if name.len() > LONGEST {
        "is longer than 256 bytes; shorten it"
    } else if find_invisible(&name).is_some() {
        "holds a character that nobody sees; remove it"
    } else if name.starts_with("group:") {
        "begins with `group:`, which policies write before groups; leave it out"
    } else {
        return Ok(name);
    };
    let message = format!("the name of the {what} {problem}");
    Err(ApprovalError::new(ApprovalErrorKind::Malformed, message))
}

/// The deserialized form, before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    name: String,
    #[serde(default)]
    groups: Vec<String>,
}

impl TryFrom<Unchecked> for Approver {
    type Error = ApprovalError;

    fn try_from(from: Unchecked) -> Result<Self, ApprovalError> {
        let mut approver = Self::new(from.name)?;
        for group in from.groups {
            approver = approver.group(group)?;
        }
        Ok(approver)
    }
}
