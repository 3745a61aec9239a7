//! What a receiver wrote, on its way into an error.
//!
//! The invariant: it is one line of bounded length, and shows neither what the sink was given in
//! confidence nor what looks like a credential. A receiver may send back what it was sent.

use aegize_core::Redactor;

const LONGEST: usize = 300;

/// The text, without the secrets.
pub(crate) fn told<'s>(text: &str, secrets: impl IntoIterator<Item = &'s str>) -> String {
    // Secrets are looked for before the text is cut: half of one is not found.
    let mut text: String = text.chars().take(64 * LONGEST).collect();
    for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "[redacted]");
    }
    let is_active = |c: char| c.is_control() || c.is_whitespace();
    let words: Vec<_> = text
        .split(is_active)
        .filter(|word| !word.is_empty())
        .collect();
    let text = words.join(" ");
    Redactor::new()
        .redact(&text)
        .chars()
        .take(LONGEST)
        .collect()
}
