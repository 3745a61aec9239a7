//! Times and numbers as people say them. The script says them in the same words.

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// How long that is, in its two largest units, or one where the second tells nothing.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.whole_seconds().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {small_unit}"),
    };
    if minutes == 0 {
        format!("{seconds} s")
    } else if hours == 0 {
        format!("{minutes} min")
    } else if days == 0 {
        two(hours, "h", minutes % 60, "min")
    } else {
        two(days, "d", hours % 24, "h")
    }
}

/// How long ago that was.
pub(crate) fn ago(time: OffsetDateTime, now: OffsetDateTime) -> String {
    let since = now - time;
    if since < Duration::seconds(5) {
        "just now".to_owned()
    } else {
        format!("{} ago", span(since))
    }
}

/// How much time is left until then.
pub(crate) fn left(time: OffsetDateTime, now: OffsetDateTime) -> String {
    if time <= now {
        "no time left".to_owned()
    } else {
        format!("{} left", span(time - now))
    }
}

/// A time for programs.
pub(crate) fn stamp(time: OffsetDateTime) -> String {
    // Only years beyond 9999 cannot be written.
    time.format(&Rfc3339).unwrap_or_default()
}

/// A time for people, to the second.
pub(crate) fn moment(time: OffsetDateTime) -> String {
    let form =
        time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    time.format(form).unwrap_or_default()
}

/// A number of things.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}
