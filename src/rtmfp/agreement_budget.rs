//! How many key agreements the strangers of one network may cause.
//!
//! A cookie proves an address, and no more: whoever has one can ask for a key agreement with each datagram, the most
//! expensive thing there is here, and for the session that follows. So each network gets a share. Forged addresses never
//! come this far, so the table holds real networks only; it is bounded all the same.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::allowance::Allowance;
use super::network::network_of;

/// Each network's share.
#[derive(Debug, Default)]
pub(crate) struct AgreementBudget {
    networks: BTreeMap<IpAddr, Share>,
}

#[derive(Debug)]
struct Share {
    allowance: Allowance,
    /// When it is whole again, and can be forgotten.
    whole_at: Instant,
}

impl AgreementBudget {
    /// Whether somebody at `ip` may cause one more agreement; it is counted. On the machine itself nobody counts: whoever
    /// is there needs no agreements to keep it busy.
    pub(crate) fn take(&mut self, now: Instant, ip: IpAddr) -> bool {
        let network = network_of(ip);
        if network.is_loopback() {
            return true;
        }
        if !self.networks.contains_key(&network) && self.networks.len() >= MOST_NETWORKS {
            self.networks.retain(|_, share| share.whole_at > now);
            if self.networks.len() >= MOST_NETWORKS {
                return false;
            }
        }
        let share = self
            .networks
            .entry(network)
            .or_insert_with(|| Share { allowance: Allowance::new(AT_ONCE, INTERVAL), whole_at: now });
        let taken = share.allowance.take(now);
        if taken {
            share.whole_at = share.whole_at.max(now) + INTERVAL;
        }
        taken
    }
}

/// A whole school behind one router that all at once finds its server again; and then sixteen a second.
pub(crate) const AT_ONCE: u32 = 128;
const INTERVAL: Duration = Duration::from_micros(62_500);
/// Networks that are counted at once. With all of them busy, more agreements are under way than are ever worked on.
const MOST_NETWORKS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    fn taken(budget: &mut AgreementBudget, now: Instant, ip: IpAddr) -> usize {
        (0..10_000).filter(|_| budget.take(now, ip)).count()
    }

    #[test]
    fn each_network_has_its_share_and_gets_it_back_with_time() {
        let (mut budget, now) = (AgreementBudget::default(), Instant::now());
        assert_eq!(taken(&mut budget, now, ip(1)), 128);
        assert_eq!(taken(&mut budget, now, ip(2)), 128);
        assert_eq!(taken(&mut budget, now + Duration::from_secs(1), ip(1)), 16);
        assert_eq!(taken(&mut budget, now, [127, 0, 0, 1].into()), 10_000);
    }

    #[test]
    fn networks_beyond_the_bound_wait_until_others_are_forgotten() {
        let (mut budget, now) = (AgreementBudget::default(), Instant::now());
        let first = (1..=5_000).filter(|n| budget.take(now, ip(*n))).count();
        assert_eq!((first, budget.networks.len()), (MOST_NETWORKS, MOST_NETWORKS));
        assert!(budget.take(now + INTERVAL, ip(5_001)));
        assert_eq!(budget.networks.len(), 1);
    }
}
