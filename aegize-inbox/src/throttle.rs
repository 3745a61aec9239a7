//! How often somebody may try to sign in: from each address, and altogether.
//!
//! Buckets that refill. The invariant: memory is bounded, since an address is forgotten when its
//! bucket is full again, and all of them together drain one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The attempts that an address has at once, and how long one takes to come back.
const EACH: Rate = Rate {
    most: 10,
    every: Duration::from_secs(30),
};

/// The same for everybody together.
const ALL: Rate = Rate {
    most: 300,
    every: Duration::from_millis(200),
};

#[derive(Clone, Copy)]
struct Rate {
    most: u32,
    every: Duration,
}

/// Counts attempts that fail.
#[derive(Default)]
pub(crate) struct Throttle {
    buckets: Mutex<Buckets>,
}

#[derive(Default)]
struct Buckets {
    all: Bucket,
    each: HashMap<IpAddr, Bucket>,
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
    pub(crate) fn take(&self, from: IpAddr) -> Result<(), Duration> {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.all.refill(ALL, now);
        buckets.each.retain(|_, bucket| {
            bucket.refill(EACH, now);
            bucket.taken > 0
        });
        let Buckets { all, each } = &mut *buckets;
        if all.taken >= ALL.most {
            return Err(ALL.every);
        }
        let bucket = each.entry(network(from)).or_default();
        if bucket.taken >= EACH.most {
            return Err(EACH.every);
        }
        bucket.refill(EACH, now);
        bucket.taken += 1;
        all.taken += 1;
        Ok(())
    }

    /// Gives an attempt back that succeeded.
    pub(crate) fn give_back(&self, from: IpAddr) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Buckets { all, each } = &mut *buckets;
        all.taken = all.taken.saturating_sub(1);
        if let Some(bucket) = each.get_mut(&network(from)) {
            bucket.taken = bucket.taken.saturating_sub(1);
        }
    }
}

/// Of the sixth version, whoever has one address has its whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address @ IpAddr::V4(_) => address,
    }
}
