//! Words of agents on their way to people. The invariant: what nobody would see is shown as an
//! escape, so that a text cannot pass for another one.

use crate::shown::is_unseen_in_a_line;

/// A text in one line.
pub(super) fn one_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unseen_in_a_line(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn what_nobody_sees_is_shown() {
        assert_eq!(
            one_line("a\nb\u{1b}[2J\u{202e}c\u{200b}d\u{fe0f}\u{e0101}\u{a0}\u{2800}e"),
            "a\\u{a}b\\u{1b}[2J\\u{202e}c\\u{200b}d\\u{fe0f}\\u{e0101}\\u{a0}\\u{2800}e"
        );
        let letters = "Größe 日本語 👍 <b> & `c`";
        assert_eq!(one_line(letters), letters);
    }
}
