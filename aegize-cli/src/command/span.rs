//! Lengths of time as people write them: `90s`, `15m`, `1h`, `2d`, `4w`.

use std::time::Duration;

/// A number and its unit; `None` if it is anything else.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let count = text.strip_suffix(unit)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => return None,
    };
    let is_number = count.bytes().all(|byte| byte.is_ascii_digit());
    let count: u64 = is_number.then(|| count.parse().ok()).flatten()?;
    count.checked_mul(seconds).map(Duration::from_secs)
}

/// The same as an argument, longer than none.
pub(super) fn argument(text: &str) -> Result<Duration, String> {
    let time = parse(text).filter(|time| !time.is_zero());
    time.ok_or_else(|| "it is no length of time; write such as 90s, 15m, 1h, 2d or 4w".to_owned())
}
