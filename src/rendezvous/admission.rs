//! How much one address may ask of a server: hellos, connections, calls, each by the second, with room for bursts.
//!
//! Addresses in hellos may be forged, so the table is bounded, and what does not fit shares one allowance: a flood of forged
//! addresses slows strangers down, and takes neither memory nor the server.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::rtmfp::network::network_of;

/// What is asked.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Ask {
    /// An introduction.
    Hello,
    /// To come in.
    Connect,
    /// A procedure call.
    Call,
}

/// How many of each a second, on average, from one address; the double is allowed at once, for connections ten times.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rates {
    /// Introductions. A program that calls sends about one a second until it is through.
    pub hellos: u32,
    /// Connections. A whole school may sit behind one address.
    pub connections: u32,
    /// Calls, of everybody at that address.
    pub calls: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self { hellos: 50, connections: 5, calls: 50 }
    }
}

/// Who asked how much lately.
#[derive(Debug)]
pub struct Admission {
    rates: Rates,
    buckets: BTreeMap<(Ask, IpAddr), Bucket>,
    /// For addresses that found no place in the table.
    shared: BTreeMap<Ask, Bucket>,
    last_sweep: Option<Instant>,
}

/// How much is left, and as of when.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// In thousandths of a request.
    left: u64,
    at: Instant,
}

impl Admission {
    /// Nobody asked yet.
    pub fn new(rates: Rates) -> Self {
        Self { rates, buckets: BTreeMap::new(), shared: BTreeMap::new(), last_sweep: None }
    }

    /// Other rates from now on.
    pub fn set_rates(&mut self, rates: Rates) {
        self.rates = rates;
    }

    /// Whether `from` may ask this now; asking is counted.
    pub fn admit(&mut self, now: Instant, from: IpAddr, ask: Ask) -> bool {
        let (rate, burst) = self.rates.of(ask);
        let key = (ask, network_of(from));
        if !self.buckets.contains_key(&key) && self.buckets.len() >= MOST_ADDRESSES {
            self.sweep(now);
        }
        let full = Bucket { left: burst, at: now };
        let bucket = if self.buckets.contains_key(&key) || self.buckets.len() < MOST_ADDRESSES {
            self.buckets.entry(key).or_insert(full)
        } else {
            self.shared.entry(ask).or_insert(full)
        };
        bucket.take(now, rate, burst)
    }

    /// Forgets whoever has asked nothing for so long that their allowance is whole again. At most once a second, as a flood
    /// would otherwise have it done for each of its datagrams.
    fn sweep(&mut self, now: Instant) {
        if self.last_sweep.is_some_and(|last| now.saturating_duration_since(last) < SWEEP_EVERY) {
            return;
        }
        self.last_sweep = Some(now);
        let rates = self.rates;
        self.buckets.retain(|(ask, _), bucket| {
            let (rate, burst) = rates.of(*ask);
            bucket.level(now, rate, burst) < burst
        });
    }
}

impl Rates {
    /// Thousandths a millisecond (which is requests a second), and thousandths at once.
    fn of(self, ask: Ask) -> (u64, u64) {
        let (rate, seconds) = match ask {
            Ask::Hello => (self.hellos, 2),
            Ask::Connect => (self.connections, 10),
            Ask::Call => (self.calls, 2),
        };
        (u64::from(rate), u64::from(rate) * seconds * 1000)
    }
}

impl Bucket {
    fn level(&self, now: Instant, rate: u64, burst: u64) -> u64 {
        let passed = now.saturating_duration_since(self.at).as_millis();
        let gained = u64::try_from(passed).unwrap_or(u64::MAX).saturating_mul(rate);
        self.left.saturating_add(gained).min(burst)
    }

    fn take(&mut self, now: Instant, rate: u64, burst: u64) -> bool {
        let level = self.level(now, rate, burst);
        let rest = level.checked_sub(1000);
        *self = Self { left: rest.unwrap_or(level), at: now };
        rest.is_some()
    }
}

/// About four megabytes of table.
const MOST_ADDRESSES: usize = 50_000;
const SWEEP_EVERY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    fn admitted(admission: &mut Admission, now: Instant, from: IpAddr, ask: Ask, asked: u32) -> usize {
        (0..asked).filter(|_| admission.admit(now, from, ask)).count()
    }

    #[test]
    fn a_burst_is_let_through_and_then_the_rate() {
        let start = Instant::now();
        let mut admission = Admission::new(Rates { hellos: 10, ..Rates::default() });
        assert_eq!(admitted(&mut admission, start, v4(1), Ask::Hello, 100), 20);
        let later = start + Duration::from_millis(500);
        assert_eq!(admitted(&mut admission, later, v4(1), Ask::Hello, 100), 5);
    }

    #[test]
    fn one_address_and_one_kind_of_asking_do_not_burden_another() {
        let now = Instant::now();
        let mut admission = Admission::new(Rates::default());
        admitted(&mut admission, now, v4(1), Ask::Connect, 1000);
        assert!(!admission.admit(now, v4(1), Ask::Connect));
        assert!(admission.admit(now, v4(2), Ask::Connect));
        assert!(admission.admit(now, v4(1), Ask::Hello));
    }

    #[test]
    fn all_of_an_ipv6_network_share_one_allowance() {
        let now = Instant::now();
        let mut admission = Admission::new(Rates { calls: 1, ..Rates::default() });
        let address = |n: u16| IpAddr::V6([0x2001, 0xdb8, 0, 0, 0, 0, 0, n].into());
        let through = (0..100).filter(|n| admission.admit(now, address(*n), Ask::Call)).count();
        assert_eq!(through, 2);
    }

    #[test]
    fn a_flood_of_forged_addresses_takes_bounded_memory_and_passes() {
        let start = Instant::now();
        let mut admission = Admission::new(Rates::default());
        for n in 0..100_000 {
            admission.admit(start, v4(n), Ask::Hello);
        }
        assert_eq!(admission.buckets.len(), MOST_ADDRESSES);
        assert!(admission.admit(start, v4(7), Ask::Hello), "who was there before is not affected");
        assert!(!admission.admit(start, v4(200_000), Ask::Hello), "strangers share what is left");
        let later = start + Duration::from_secs(2);
        assert!(admission.admit(later, v4(200_000), Ask::Hello));
        assert_eq!(admission.buckets.len(), 1);
    }
}
