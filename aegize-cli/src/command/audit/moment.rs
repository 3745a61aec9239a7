//! Times as people write them.

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::command::span;

/// A time in RFC 3339, one in UTC that leaves out what nobody needs, or how long ago it was.
pub(super) fn parse(text: &str) -> Result<OffsetDateTime, String> {
    let spelt = text.replace(' ', "T");
    let complete = ["", "Z", ":00Z", "T00:00:00Z"].map(|rest| format!("{spelt}{rest}"));
    let mut moments = complete
        .iter()
        .filter_map(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    moments
        .next()
        .or_else(|| OffsetDateTime::now_utc().checked_sub(ago(text)?))
        .ok_or_else(|| {
            "it is no time; write a date such as 2026-06-27, a time such as \
             2026-06-27T18:00:00Z, or how long ago it was, such as 90s, 15m, 1h, 2d or 4w"
                .to_owned()
        })
}

fn ago(text: &str) -> Option<Duration> {
    span::parse(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn times_are_utc_unless_they_say_otherwise() {
        let noon = datetime!(2026-06-27 12:00 UTC);
        for text in [
            "2026-06-27T12:00:00Z",
            "2026-06-27T14:00:00+02:00",
            "2026-06-27 12:00:00.000",
            "2026-06-27T12:00:00",
            "2026-06-27 12:00",
        ] {
            assert_eq!(parse(text), Ok(noon), "{text}");
        }
        assert_eq!(parse("2026-06-27"), Ok(datetime!(2026-06-27 0:00 UTC)));
    }

    #[test]
    fn what_was_so_long_ago_is_counted_from_now() {
        for (text, seconds) in [
            ("0s", 0),
            ("90s", 90),
            ("15m", 900),
            ("1h", 3600),
            ("2d", 172_800),
            ("4w", 2_419_200),
        ] {
            let before = OffsetDateTime::now_utc();
            let ago = parse(text).unwrap() + Duration::seconds(seconds);
            assert!(before <= ago && ago <= OffsetDateTime::now_utc(), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "h",
            "-1h",
            "1",
            "1y",
            "1.5h",
            "1 h",
            "yesterday",
            "2026-13-01",
            "2026-02-30",
            "27.06.2026",
            "2026-06-27T25:00:00Z",
            "9223372036854775807w",
            "9999999w",
            "é",
        ] {
            assert!(parse(text).unwrap_err().contains("such as"), "{text}");
        }
    }
}
