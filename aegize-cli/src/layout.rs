//! Texts in columns: how wide they are in a terminal, and times, durations and numbers as people
//! read them.

use std::iter::repeat_n;

use time::{OffsetDateTime, UtcOffset};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How many cells of a terminal a text takes.
pub(crate) fn width_of(text: &str) -> usize {
    text.width()
}

/// A text that takes at most so many cells; `…` stands for what is left out.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    let Some(mut room) = width.checked_sub(1) else {
        return String::new();
    };
    let mut shown = String::new();
    for c in text.chars() {
        let Some(left) = room.checked_sub(c.width().unwrap_or(0)) else {
            break;
        };
        room = left;
        shown.push(c);
    }
    shown + "…"
}

/// A text in lines that a terminal does not break itself: where that begins a line, there would be
/// whatever whoever wrote the text wants. The first line begins at a cell, those that are added at
/// a column. They are broken between words, as far as these fit. Without a width it stays as it is.
pub(crate) fn folded(text: &str, start: usize, column: usize, width: Option<usize>) -> String {
    let Some(width) = width else {
        return text.to_owned();
    };
    let column = column.min(width / 2);
    let line_break: String = std::iter::once('\n').chain(repeat_n(' ', column)).collect();
    let mut shown = String::with_capacity(text.len());
    let mut at = start;
    // Where the last word of the line begins, in bytes and in cells.
    let mut word = None;
    for c in text.chars() {
        let cells = c.width().unwrap_or(0);
        if c == '\n' {
            (at, word) = (0, None);
        } else if at + cells > width {
            let moved = word.take().filter(|_| c != ' ');
            let moved = moved.filter(|(_, cell)| column + at - cell + cells <= width);
            let (byte, cell) = moved.unwrap_or((shown.len(), at));
            shown.insert_str(byte, &line_break);
            at = column + at - cell;
        }
        shown.push(c);
        at += cells;
        if c == ' ' {
            word = Some((shown.len(), at));
        }
    }
    shown
}

/// A text that takes at least so many cells.
pub(crate) fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(width_of(text));
    format!("{text}{:missing$}", "")
}

/// The day of a time in UTC, such as `2026-06-27`.
pub(crate) fn day(time: OffsetDateTime) -> String {
    let date = time.to_offset(UtcOffset::UTC).date();
    let (year, month, day) = date.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

/// A time in UTC without its day, such as `18:00:00`.
pub(crate) fn time_of_day(time: OffsetDateTime) -> String {
    let (hour, minute, second) = time.to_offset(UtcOffset::UTC).to_hms();
    format!("{hour:02}:{minute:02}:{second:02}")
}

/// A time in UTC as records have it.
pub(crate) fn rfc3339(time: OffsetDateTime) -> String {
    let us = time.microsecond();
    format!("{}T{}.{us:06}Z", day(time), time_of_day(time))
}

/// A number of microseconds, to about three digits.
pub(crate) fn duration(us: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", us / unit, us % unit / (unit / 10));
    let seconds = us / 1_000_000;
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", tenths(1_000)),
        1_000_000..60_000_000 => format!("{} s", tenths(1_000_000)),
        60_000_000..3_600_000_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// How long a time is, to its largest unit.
pub(crate) fn roughly(time: time::Duration) -> String {
    let seconds = time.whole_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_to_their_width_on_the_screen() {
        for (text, width, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("e\u{301}e\u{301}e\u{301}", 3, "e\u{301}e\u{301}e\u{301}"),
            ("ab", 1, "…"),
            ("ab", 0, ""),
        ] {
            assert_eq!(cut(text, width), expected, "{text} {width}");
        }
        assert_eq!(padded("日", 4), "日  ");
        assert_eq!(padded("abc", 2), "abc");
    }

    #[test]
    fn what_a_terminal_would_break_is_broken_before() {
        for (text, start, column, width, expected) in [
            ("abcdef", 0, 2, None, "abcdef"),
            ("abcdef", 0, 2, Some(6), "abcdef"),
            ("abcdef", 1, 2, Some(6), "abcde\n  f"),
            ("abcdefghij", 0, 2, Some(4), "abcd\n  ef\n  gh\n  ij"),
            ("日本語", 0, 1, Some(5), "日本\n 語"),
            ("ae\u{301}b", 0, 1, Some(2), "ae\u{301}\n b"),
            ("ab\ncd", 3, 1, Some(5), "ab\ncd"),
            ("abc", 9, 9, Some(4), "\n  ab\n  c"),
            ("one two six", 0, 2, Some(9), "one two \n  six"),
            ("one two-six", 0, 2, Some(9), "one \n  two-six"),
            ("one two-six-ten", 0, 2, Some(9), "one \n  two-six\n  -ten"),
            ("one     two", 0, 2, Some(5), "one  \n     \n  two"),
        ] {
            assert_eq!(folded(text, start, column, width), expected, "{text}");
        }
    }

    #[test]
    fn durations_have_the_unit_that_suits_them() {
        for (us, expected) in [
            (0, "0 µs"),
            (999, "999 µs"),
            (1_000, "1.0 ms"),
            (123_456, "123.4 ms"),
            (59_999_999, "59.9 s"),
            (61_000_000, "1 min 1 s"),
            (3_660_000_000, "1 h 1 min"),
            (u64::MAX, "5124095576 h 1 min"),
        ] {
            assert_eq!(duration(us), expected);
        }
    }

    #[test]
    fn long_times_are_told_roughly() {
        for (seconds, expected) in [
            (-5, "0 s"),
            (59, "59 s"),
            (119, "1 min"),
            (3_600, "1 h"),
            (172_799, "47 h"),
            (172_800, "2 d"),
        ] {
            assert_eq!(roughly(time::Duration::seconds(seconds)), expected);
        }
    }
}
