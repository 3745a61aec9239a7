//! Files that people write, read completely or not at all: those of approvers here, and those of
//! channels in `aegize-inbox`.
//!
//! The invariant: what is told of a file shows no value that stands in it.

use serde::de::DeserializeOwned;
use serde_saphyr::{Error, Location, UserMessageFormatter};

/// What is wrong with a file, and where.
#[derive(Debug)]
pub struct Flaw {
    /// Where it stands, if that is known.
    pub place: Location,
    /// What it is, and what to write instead.
    pub message: String,
}

/// What a text says.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Flaw> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        merge_keys: serde_saphyr::MergeKeyPolicy::Error,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| Flaw {
        place: error.location().unwrap_or(Location::UNKNOWN),
        message: told(&error),
    })
}

fn told(error: &Error) -> String {
    match error {
        Error::SerdeUnknownField {
            field, expected, ..
        } => format!("unknown key `{field}`; {}", remedy(field, expected)),
        Error::SerdeUnknownVariant {
            variant, expected, ..
        } => format!("unknown word `{variant}`; {}", remedy(variant, expected)),
        Error::SerdeMissingField { field, .. } => format!("missing key `{field}`; add it"),
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key `{key}` is there twice; remove one")
        }
        Error::Unexpected {
            expected: "mapping start",
            ..
        } => "expected a mapping; write `key: value`".to_owned(),
        Error::Unexpected {
            expected: "sequence start",
            ..
        } => "expected a list; write `[a, b]`".to_owned(),
        Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. } => {
            "expected one word; write it without brackets".to_owned()
        }
        Error::InvalidScalar { ty: "u64", .. } => {
            "expected a whole number; write one such as 30".to_owned()
        }
        Error::MergeKeyNotAllowed { .. } => {
            "the merge key `<<` is not read; write out what it stands for".to_owned()
        }
        Error::MultipleDocuments { .. } => {
            "a second document begins here; remove what separates it".to_owned()
        }
        Error::Eof { .. } => "the text ends where more is expected; complete it".to_owned(),
        other => {
            let message = other.render_with_formatter(&UserMessageFormatter);
            let line = message.lines().next().unwrap_or_default();
            // The place is told beside it.
            let bare = line.rsplit_once(" at line ").map_or(line, |(bare, _)| bare);
            format!("not valid YAML: {bare}")
        }
    }
}

/// What to write instead of an unknown word.
fn remedy(word: &str, known: &[&str]) -> String {
    let close = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= (candidate.len() / 3).max(1) || candidate.starts_with(&format!("{word}_"))
        })
        .min();
    match close {
        Some((_, nearest)) => format!("did you mean `{nearest}`?"),
        None => format!("use {}", known.join(", ")),
    }
}
