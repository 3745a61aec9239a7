//! How long to wait after a failure.

use std::time::Duration;

/// The longest wait after a first failure; each further one doubles it.
const FIRST: Duration = Duration::from_millis(250);
/// The longest wait after any failure.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest wait that a receiver may ask for.
const MOST_ASKED: Duration = Duration::from_secs(15 * 60);

/// Failures in a row, and the wait after the last.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    until: Duration,
    /// The part of the wait that the receiver asked for.
    asked_until: Duration,
}

impl Backoff {
    /// How much of the wait is left.
    pub(super) fn rest(&self, now: Duration) -> Duration {
        self.until.saturating_sub(now)
    }

    /// Begins a wait: between the half and the whole of a time that doubles with each failure in a
    /// row, as `random` says, or longer if the receiver asks for it.
    pub(super) fn fail(&mut self, now: Duration, asked: Option<Duration>, random: u32) {
        let doubled = FIRST.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        let half = doubled.min(LONGEST) / 2;
        let wait = half + half.mul_f64(f64::from(random) / f64::from(u32::MAX));
        // Beyond that, a shift would be of no further use.
        self.failures = (self.failures + 1).min(31);
        self.asked_until = now + asked.unwrap_or_default().min(MOST_ASKED);
        self.until = self.asked_until.max(now + wait);
    }

    /// Ends the wait, except for what the receiver asked for, and begins with short ones again:
    /// somebody waits for the outcome.
    pub(super) fn hurry(&mut self) {
        self.failures = 0;
        self.until = self.until.min(self.asked_until);
    }

    pub(super) fn succeed(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn waits_double_up_to_a_minute_and_vary_by_half() {
        for (random, factor) in [(0, 1), (u32::MAX, 2)] {
            let mut backoff = Backoff::default();
            let waits = [
                125, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
            ];
            for (wait, seconds) in waits.into_iter().zip(0..) {
                let now = Duration::from_secs(1000 * seconds);
                assert_eq!(backoff.rest(now), ms(0));
                backoff.fail(now, None, random);
                assert_eq!(backoff.rest(now), ms(wait * factor));
                assert_eq!(backoff.rest(now + ms(wait * factor - 1)), ms(1));
            }
            for _ in 0..1000 {
                backoff.fail(ms(0), None, random);
            }
            assert_eq!(backoff.rest(ms(0)), ms(30_000 * factor));
            backoff.succeed();
            backoff.fail(ms(0), None, random);
            assert_eq!(backoff.rest(ms(0)), ms(125 * factor));
        }
    }

    #[test]
    fn a_receiver_is_left_alone_as_long_as_it_asks_within_bounds() {
        let mut backoff = Backoff::default();
        backoff.fail(ms(0), Some(ms(1)), 0);
        assert_eq!(backoff.rest(ms(0)), ms(125), "not less than without asking");
        backoff.fail(ms(0), Some(ms(5000)), 0);
        assert_eq!(backoff.rest(ms(0)), ms(5000));
        backoff.fail(ms(0), Some(Duration::MAX), 0);
        assert_eq!(backoff.rest(ms(0)), MOST_ASKED);
    }

    #[test]
    fn hurry_ends_a_wait_but_not_the_one_that_was_asked_for() {
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.fail(ms(0), None, 0);
        }
        assert_eq!(backoff.rest(ms(0)), ms(2000));
        backoff.hurry();
        assert_eq!(backoff.rest(ms(0)), ms(0));
        backoff.fail(ms(0), Some(ms(100)), 0);
        assert_eq!(backoff.rest(ms(0)), ms(125), "from the beginning");
        backoff.hurry();
        assert_eq!(backoff.rest(ms(0)), ms(100));
    }
}
