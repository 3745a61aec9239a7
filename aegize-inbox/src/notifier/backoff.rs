//! How long to wait before something is told again.

use std::time::Duration;

/// How often something is told before it is given up: for some two hours.
pub(super) const MOST_ATTEMPTS: u32 = 16;

const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_mins(15);
const SHORTEST: Duration = Duration::from_secs(1);

/// The wait after so many attempts: what the receiver asks for, or twice as long each time.
pub(super) fn wait(attempts: u32, asked: Option<Duration>) -> Duration {
    // Without chance the waits are only less spread.
    let chance = getrandom::u32().unwrap_or(u32::MAX);
    asked.map_or_else(|| spread(attempts, chance), |asked| asked.max(SHORTEST))
}

/// Between half of the wait and all of it, so that servers that failed together do not come back
/// together.
fn spread(attempts: u32, chance: u32) -> Duration {
    let doubled = attempts.saturating_sub(1).min(16);
    let whole = FIRST.saturating_mul(1 << doubled).min(LONGEST);
    let half = whole / 2;
    half + half.mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_are_spread() {
        let rows = [(0, 2), (1, 2), (2, 4), (5, 32), (10, 900), (u32::MAX, 900)];
        for (attempts, seconds) in rows {
            let whole = Duration::from_secs(seconds);
            assert_eq!(spread(attempts, u32::MAX), whole);
            assert_eq!(spread(attempts, 0), whole / 2);
        }
    }

    #[test]
    fn a_receiver_is_asked_when_it_wants_to_be() {
        assert_eq!(wait(9, Some(Duration::from_secs(70))).as_secs(), 70);
        assert_eq!(wait(9, Some(Duration::ZERO)), SHORTEST);
    }
}
