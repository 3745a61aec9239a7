//! What ties an approval to exactly one call.
//!
//! The invariant: bindings are equal exactly when the calls are, as far as a policy or a person can
//! see them: agent, for whom it acts, tool, operation, risk, arguments, and the metadata that
//! policies read. What cannot be read exactly has none.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::canonical;
use super::error::{ApprovalError, ApprovalErrorKind};
use crate::action::RiskLevel;
use crate::arguments::{Captured, Exact, ExactArgument, ExactEntry, Inexact, PATH_METADATA};

/// A keyed hash of a call: HMAC-SHA-256 over its canonical JSON. It displays as 64 hexadecimal
/// digits.
///
/// Whoever does not have the store's key cannot guess arguments from it, however few they may be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Binding([u8; 32]);

impl Binding {
    /// The bytes of the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Binding({self})")
    }
}

impl Serialize for Binding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl TryFrom<String> for Binding {
    type Error = ApprovalError;

    fn try_from(text: String) -> Result<Self, ApprovalError> {
        text.parse()
    }
}

impl FromStr for Binding {
    type Err = ApprovalError;

    fn from_str(text: &str) -> Result<Self, ApprovalError> {
        let malformed = || {
            let message = "this is no binding; one has 64 lower-case hexadecimal digits";
            ApprovalError::new(ApprovalErrorKind::Malformed, message)
        };
        let is_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        if text.len() != 64 || !text.bytes().all(is_hex) {
            return Err(malformed());
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(index * 2..index * 2 + 2).ok_or_else(malformed)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| malformed())?;
        }
        Ok(Self(bytes))
    }
}

/// The key of a store's bindings. Whoever has it can guess arguments from bindings; it grants
/// nothing. It is overwritten in memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct BindingKey(Zeroizing<[u8; 32]>);

impl BindingKey {
    /// A new key, from the operating system's randomness. A store makes one, once.
    ///
    /// # Errors
    ///
    /// If there is no randomness.
    pub fn generate() -> Result<Self, ApprovalError> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut()).map_err(|error| {
            let message = format!("the operating system gives no randomness for a key: {error}");
            ApprovalError::new(ApprovalErrorKind::Store, message)
        })?;
        Ok(Self(key))
    }

    /// The key that a store has kept.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes that a store keeps, for nobody else to read.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn bind(&self, call: &BoundCall<'_>) -> Bindings {
        Bindings {
            binding: self.hash(&call.as_value()),
            scope: self.hash(&call.scope()),
        }
    }

    fn hash(&self, value: &Exact) -> Binding {
        let mut text = String::new();
        canonical::write(value, &mut text);
        let text = Zeroizing::new(text);
        // A key of any length is one.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.as_bytes()) else {
            return Binding([0; 32]);
        };
        mac.update(text.as_bytes());
        Binding(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for BindingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BindingKey")
    }
}

/// What a call is bound to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bindings {
    /// The call, exactly.
    pub(crate) binding: Binding,
    /// What calls have in common that differ in nothing but arguments and paths.
    pub(crate) scope: Binding,
}

/// The metadata that tells where an agent runs.
const ENVIRONMENT: &str = "environment";

/// What of a call is bound.
pub(crate) struct BoundCall<'a> {
    pub(crate) agent_id: &'a str,
    pub(crate) acting_for: Vec<&'a str>,
    pub(crate) tool_name: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) risk_level: RiskLevel,
    pub(crate) arguments: &'a [ExactArgument],
    pub(crate) metadata: BoundMetadata,
}

/// The metadata that policies read.
#[derive(Debug, Clone)]
pub(crate) struct BoundMetadata(Vec<ExactEntry>);

impl BoundMetadata {
    pub(crate) fn new(
        metadata: &Map<String, Value>,
        budget: &mut usize,
    ) -> Result<Self, (String, Inexact)> {
        let mut entries = Vec::new();
        for key in [ENVIRONMENT].into_iter().chain(PATH_METADATA) {
            let Some(value) = metadata.get(key) else {
                continue;
            };
            let value = Exact::of(Captured::Json(value), budget);
            entries.push(entry(
                key,
                value.map_err(|problem| (key.to_owned(), problem))?,
            ));
        }
        Ok(Self(entries))
    }
}

impl BoundCall<'_> {
    fn as_value(&self) -> Exact {
        let arguments = self.arguments.iter();
        let arguments = arguments.map(|argument| entry(&argument.name, argument.value.clone()));
        let declared = self.arguments.iter().filter(|argument| argument.is_path);
        let mut paths: Vec<&str> = declared.map(|argument| argument.name.as_str()).collect();
        paths.sort_unstable();
        let mut entries = self.common();
        entries.push(entry("arguments", Exact::Map(arguments.collect())));
        entries.push(entry("paths", list(&paths)));
        entries.push(entry("metadata", Exact::Map(self.metadata.0.clone())));
        Exact::Map(entries)
    }

    fn scope(&self) -> Exact {
        let metadata = self.metadata.0.iter();
        let environment = metadata.filter(|entry| entry.key == ENVIRONMENT);
        let mut entries = self.common();
        entries.push(entry("scope", Exact::Map(environment.cloned().collect())));
        Exact::Map(entries)
    }

    fn common(&self) -> Vec<ExactEntry> {
        vec![
            // Of this form of the text.
            entry("version", Exact::Unsigned(1)),
            entry("agent", text(self.agent_id)),
            entry("acting_for", list(&self.acting_for)),
            entry("tool", text(self.tool_name)),
            entry("operation", text(self.operation)),
            entry("risk_level", text(self.risk_level.as_str())),
        ]
    }
}

fn list(names: &[&str]) -> Exact {
    Exact::List(names.iter().map(|name| text(name)).collect())
}

fn text(text: &str) -> Exact {
    Exact::Text(text.to_owned())
}

fn entry(key: &str, value: Exact) -> ExactEntry {
    ExactEntry {
        key: key.to_owned(),
        is_field: false,
        value,
    }
}
