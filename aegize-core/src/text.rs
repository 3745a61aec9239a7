//! Text that somebody else wrote, on its way to a terminal, a log or a comparison.

/// Whether a terminal acts on a character instead of showing it: controls, line and paragraph
/// separators, and the overrides that let a line read differently from what it says
/// (CVE-2021-42574).
pub(crate) fn is_active(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The first character of a name that a reader would not see: an active one, or one without
/// width.
pub(crate) fn find_invisible(text: &str) -> Option<char> {
    let has_no_width =
        |c| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    text.chars().find(|c| is_active(*c) || has_no_width(*c))
}

/// A text with nothing in it that a terminal acts on: its words stay words.
pub(crate) fn one_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_active(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}
