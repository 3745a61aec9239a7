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
