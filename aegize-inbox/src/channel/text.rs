//! Words of agents on their way to people. The invariant: what nobody would see is shown as an
//! escape, so that a text cannot pass for another one.

/// A text in one line.
pub(super) fn one_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Controls, separators of lines, what turns the direction of a text, and what has no width.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn what_nobody_sees_is_shown() {
        assert_eq!(
            one_line("a\nb\u{1b}[2J\u{202e}c\u{200b}d"),
            "a\\u{a}b\\u{1b}[2J\\u{202e}c\\u{200b}d"
        );
        let letters = "Größe 日本語 👍 <b> & `c`";
        assert_eq!(one_line(letters), letters);
    }
}
