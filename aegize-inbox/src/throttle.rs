//! How often somebody may try to sign in: with each token that there is, and otherwise from each
//! address and altogether.
//!
//! Buckets that refill. The invariants: memory is bounded, since who tries is forgotten when their
//! bucket is full again, and all addresses together drain one; and whoever guesses, knowing no
//! token, keeps nobody out who has one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The attempts that a token or an address has at once, and how long one takes to come back.
const EACH: Rate = Rate {
    most: 10,
    every: Duration::from_secs(30),
};

/// The same for all addresses together.
const ALL: Rate = Rate {
    most: 300,
    every: Duration::from_millis(200),
};

#[derive(Clone, Copy)]
struct Rate {
    most: u32,
    every: Duration,
}

/// Whose attempt it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// Of whoever tries a token that has this id, and that there is.
    Token(String),
    /// Of whoever is there and tries anything else.
    Network(IpAddr),
}

impl Who {
    /// Whoever has an address. Of the sixth version, that is a whole /64.
    pub(crate) fn at(address: IpAddr) -> Self {
        Self::Network(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// Counts attempts that fail.
#[derive(Default)]
pub(crate) struct Throttle {
    buckets: Mutex<Buckets>,
}

#[derive(Default)]
struct Buckets {
    all: Bucket,
    each: HashMap<Who, Bucket>,
}

/// What was taken from a bucket, and when that was counted.
#[derive(Default)]
struct Bucket {
    taken: u32,
    at: Option<Instant>,
}

impl Bucket {
    /// Gives back what time has given back.
    fn refill(&mut self, rate: Rate, now: Instant) {
        let Some(at) = self.at.filter(|_| self.taken > 0) else {
            self.at = Some(now);
            return;
        };
        let back = now.saturating_duration_since(at).as_millis() / rate.every.as_millis();
        let back = u32::try_from(back).unwrap_or(u32::MAX).min(self.taken);
        self.taken -= back;
        self.at = Some(at + rate.every * back);
    }
}

impl Throttle {
    /// Takes an attempt. If there is none left: how long until there is.
    pub(crate) fn take(&self, who: &Who) -> Result<(), Duration> {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.all.refill(ALL, now);
        buckets.each.retain(|_, bucket| {
            bucket.refill(EACH, now);
            bucket.taken > 0
        });
        let Buckets { all, each } = &mut *buckets;
        let is_counted = matches!(who, Who::Network(_));
        if is_counted && all.taken >= ALL.most {
            return Err(ALL.every);
        }
        let bucket = each.entry(who.clone()).or_default();
        if bucket.taken >= EACH.most {
            return Err(EACH.every);
        }
        bucket.refill(EACH, now);
        bucket.taken += 1;
        all.taken += u32::from(is_counted);
        Ok(())
    }

    /// Gives an attempt back that succeeded.
    pub(crate) fn give_back(&self, who: &Who) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Buckets { all, each } = &mut *buckets;
        if matches!(who, Who::Network(_)) {
            all.taken = all.taken.saturating_sub(1);
        }
        if let Some(bucket) = each.get_mut(who) {
            bucket.taken = bucket.taken.saturating_sub(1);
        }
    }
}
