//! Which way a talk with one peer takes, of those that are known. Pure.
//!
//! Each end tells the other where it can be reached, and both probe those places at the same time, so that each one's
//! probes open its own router for the other's. One end then decides for both: a way inside one network before any other, a
//! direct one before a relay, and of two alike the quicker if it is clearly so. As long as a relay carries the talk, all
//! is tried again every minute.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::rtmfp::allowance::Allowance;
use crate::rtmfp::machine::Route;

/// Places that one end tells, and that are taken of the other.
pub(crate) const MOST_PLACES: usize = 16;
/// Ways probed at once.
pub(crate) const MOST_PROBED: usize = 16;
/// When ways are probed after something changed: the first probe of an end often only opens its router.
const ROUNDS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(500), Duration::from_millis(1_500)];
/// A relayed talk is tried to be taken off the relay this often.
const AGAIN: Duration = Duration::from_secs(60);
/// A far end that probes from somewhere is probed there, at most this often.
const ASK_BACK_EVERY: Duration = Duration::from_millis(400);
/// Of two ways alike the quicker one must be quicker by this, and by a quarter.
const CLEARLY: Duration = Duration::from_millis(20);
/// A way that spares somebody a relay may take so much longer than it.
const LONGER_THAN_A_RELAY: Duration = Duration::from_millis(250);
/// A way between private addresses is taken for one inside a network, unless it takes so much longer than one outside: then
/// it is a tunnel to somewhere.
const LONGER_INSIDE: Duration = Duration::from_millis(10);
/// After a move to a way that is only quicker there is none to another such for so long.
const SETTLES: Duration = Duration::from_secs(10);
/// Nor to one that only works, while nothing is heard: the far end has to follow first.
const FOLLOWS: Duration = Duration::from_secs(1);
/// A way that was taken, and did not carry the talk, is not taken again for so long.
const FAILED_FOR: Duration = Duration::from_secs(60);
/// A way that is left within this time, by no choice of ours, did not carry the talk.
const ON_TRIAL: Duration = Duration::from_secs(5);

/// So many lists of places of one far end are probed at once, and one more in such a time: the places it names may be
/// anybody's.
const LISTS_AT_ONCE: u32 = 6;
const LIST_EVERY: Duration = Duration::from_secs(30);

/// Where somebody can be reached.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Place {
    /// The address.
    pub(crate) address: SocketAddr,
    /// Whether it is a relay's.
    pub(crate) relayed: bool,
}

/// What a way is, the best first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum WayKind {
    /// Inside one network.
    Local,
    /// From one network to the other.
    Direct,
    /// Over a relay.
    Relayed,
}

/// A way, and how long a round trip on it takes, once that is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Way {
    /// The way.
    pub(crate) route: Route,
    /// What it is.
    pub(crate) kind: WayKind,
    /// How long it takes there and back.
    pub(crate) round_trip: Option<Duration>,
}

/// What is known of the ways to one peer.
#[derive(Debug)]
pub(crate) struct Ways {
    /// Where the far end says it can be reached.
    theirs: Vec<Place>,
    lists: Allowance,
    /// What it was told last of us.
    told: Option<Vec<Place>>,
    /// How many probes of a series are done, and when the next is due.
    round: usize,
    next: Option<Instant>,
    asked_back: BTreeMap<Route, Instant>,
    chosen: Option<(Route, Instant)>,
    failed: BTreeMap<Route, Instant>,
}

impl Default for Ways {
    fn default() -> Self {
        Self {
            theirs: Vec::new(),
            lists: Allowance::new(LISTS_AT_ONCE, LIST_EVERY),
            told: None,
            round: 0,
            next: None,
            asked_back: BTreeMap::new(),
            chosen: None,
            failed: BTreeMap::new(),
        }
    }
}

impl Ways {
    /// Whether the far end has to be told where we are; it counts as told then.
    pub(crate) fn tells(&mut self, now: Instant, ours: &[Place]) -> bool {
        let news = self.told.as_deref() != Some(ours);
        if news {
            self.told = Some(ours.to_vec());
            self.restart(now);
        }
        news
    }

    /// The far end tells where it can be reached.
    pub(crate) fn on_told(&mut self, now: Instant, theirs: Vec<Place>) {
        if theirs == self.theirs {
            return;
        }
        self.theirs = theirs;
        if self.lists.take(now) {
            self.restart(now);
        } else if self.next.is_none() {
            self.round = ROUNDS.len() - 1;
            self.next = Some(now + LIST_EVERY);
        }
    }

    /// Where the far end says it can be reached.
    pub(crate) fn theirs(&self) -> &[Place] {
        &self.theirs
    }

    /// Something changed: all ways are probed anew.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.round = 0;
        self.next = Some(now);
    }

    /// When ways are to be probed next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.next.filter(|_| !self.theirs.is_empty())
    }

    /// Whether ways are to be probed now that the talk takes this one; the next time is set.
    pub(crate) fn take_round(&mut self, now: Instant, current: WayKind) -> bool {
        if self.deadline().is_none_or(|at| at > now) {
            return false;
        }
        let done = ROUNDS.get(self.round).copied().unwrap_or_default();
        self.round += 1;
        self.next = match ROUNDS.get(self.round) {
            Some(after) => Some(now + after.saturating_sub(done)),
            None => (current == WayKind::Relayed).then_some(now + AGAIN),
        };
        if current == WayKind::Local {
            // There is nothing better.
            self.next = None;
        }
        current != WayKind::Local
    }

    /// The talk takes this way now; whoever came to a relay looks for another way again.
    pub(crate) fn on_way(&mut self, now: Instant, route: Route, kind: WayKind) {
        if let Some((chosen, at)) = self.chosen
            && chosen != route
            && now < at + ON_TRIAL
        {
            self.failed.insert(chosen, now + FAILED_FOR);
            self.chosen = None;
        }
        if kind == WayKind::Relayed && self.next.is_none() {
            self.next = Some(now + AGAIN);
        }
    }

    /// Whether a far end that probes from `route` is to be probed there.
    pub(crate) fn asks_back(&mut self, now: Instant, route: Route) -> bool {
        self.asked_back.retain(|_, at| now < *at + ASK_BACK_EVERY);
        let asks = self.asked_back.len() < MOST_PROBED && !self.asked_back.contains_key(&route);
        if asks {
            self.asked_back.insert(route, now);
        }
        asks
    }

    /// Whether to leave the `current` way for one that was just proven to work; it counts as taken then. With `silent`,
    /// nothing has come by the current one for a while.
    pub(crate) fn chooses(&mut self, now: Instant, current: Way, proven: Way, silent: bool) -> bool {
        self.failed.retain(|_, until| now < *until);
        if proven.route == current.route || self.failed.contains_key(&proven.route) {
            return false;
        }
        let chosen_before = |span| self.chosen.is_none_or(|(_, at)| now >= at + span);
        let is_better = match proven.kind.cmp(&current.kind) {
            Ordering::Less => is_not_much_longer(proven, current),
            Ordering::Equal => chosen_before(SETTLES) && is_clearly_quicker(proven, current),
            Ordering::Greater => false,
        };
        let chooses = is_better || silent && chosen_before(FOLLOWS);
        if chooses {
            self.chosen = Some((proven.route, now));
        }
        chooses
    }
}

fn is_not_much_longer(proven: Way, current: Way) -> bool {
    let longer = if current.kind == WayKind::Relayed { LONGER_THAN_A_RELAY } else { LONGER_INSIDE };
    match (proven.round_trip, current.round_trip) {
        (Some(proven), Some(current)) => proven <= current + longer,
        _ => true,
    }
}

fn is_clearly_quicker(proven: Way, current: Way) -> bool {
    match (proven.round_trip, current.round_trip) {
        (Some(proven), Some(current)) => proven + CLEARLY.max(current / 4) <= current,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmfp::machine::PathId;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn way(port: u16, kind: WayKind, trip: u64) -> Way {
        let route = Route { via: PathId(0), address: ([192, 0, 2, 1], port).into() };
        Way { route, kind, round_trip: Some(ms(trip)) }
    }

    fn place(port: u16) -> Place {
        Place { address: ([192, 0, 2, 1], port).into(), relayed: false }
    }

    #[test]
    fn a_local_way_beats_a_direct_one_and_a_direct_one_a_relay_and_never_the_other_way_round() {
        let now = Instant::now();
        let (local, direct, relayed) =
            (way(1, WayKind::Local, 5), way(2, WayKind::Direct, 40), way(3, WayKind::Relayed, 60));
        let chooses = |current, proven| Ways::default().chooses(now, current, proven, false);
        assert!(chooses(relayed, direct) && chooses(relayed, local) && chooses(direct, local));
        assert!(!chooses(direct, relayed) && !chooses(local, relayed) && !chooses(local, direct));
        assert!(chooses(relayed, way(2, WayKind::Direct, 300)), "a relay costs somebody something");
        assert!(!chooses(relayed, way(2, WayKind::Direct, 900)));
        assert!(!chooses(direct, way(1, WayKind::Local, 90)), "a tunnel is not inside");
    }

    #[test]
    fn of_two_ways_alike_the_quicker_is_taken_if_it_is_clearly_so_and_not_again_at_once() {
        let now = Instant::now();
        let mut ways = Ways::default();
        let [slow, quick, quicker] = [(1, 200), (2, 100), (3, 20)].map(|(n, t)| way(n, WayKind::Direct, t));
        assert!(!ways.chooses(now, quick, way(4, WayKind::Direct, 85), false));
        assert!(ways.chooses(now, slow, quick, false));
        assert!(!ways.chooses(now + ms(500), quick, quicker, false), "it settles first");
        assert!(ways.chooses(now + SETTLES, quick, quicker, false));
    }

    #[test]
    fn a_way_that_falls_silent_is_left_for_any_that_works() {
        let now = Instant::now();
        let (direct, relayed) = (way(2, WayKind::Direct, 40), way(3, WayKind::Relayed, 60));
        let mut ways = Ways::default();
        assert!(ways.chooses(now, direct, relayed, true));
        assert!(
            !ways.chooses(now + ms(300), relayed, way(4, WayKind::Relayed, 60), true),
            "it is given time"
        );
        assert!(ways.chooses(now + FOLLOWS, relayed, way(4, WayKind::Relayed, 60), true));
    }

    #[test]
    fn a_way_that_did_not_carry_the_talk_is_not_taken_again_for_a_minute() {
        let now = Instant::now();
        let mut ways = Ways::default();
        let (direct, relayed) = (way(2, WayKind::Direct, 40), way(3, WayKind::Relayed, 60));
        assert!(ways.chooses(now, relayed, direct, false));
        ways.on_way(now, direct.route, direct.kind);
        ways.on_way(now + ms(900), relayed.route, relayed.kind);
        assert!(!ways.chooses(now + ms(1_000), relayed, direct, false));
        assert!(ways.chooses(now + ms(900) + FAILED_FOR, relayed, direct, false));
    }

    #[test]
    fn ways_are_probed_three_times_and_then_every_minute_as_long_as_a_relay_is_taken() {
        let start = Instant::now();
        for (kind, expected) in [
            (WayKind::Relayed, vec![0, 500, 1_500, 61_500, 121_500]),
            (WayKind::Direct, vec![0, 500, 1_500]),
            (WayKind::Local, vec![]),
        ] {
            let mut ways = Ways::default();
            ways.on_told(start, vec![place(1)]);
            let mut probed = Vec::new();
            for step in 0..1_300 {
                let now = start + ms(100) * step;
                if ways.take_round(now, kind) {
                    probed.push((now - start).as_millis());
                }
            }
            assert_eq!(probed, expected, "{kind:?}");
        }
    }

    #[test]
    fn what_is_no_news_is_neither_told_again_nor_probed_again() {
        let start = Instant::now();
        let mut ways = Ways::default();
        assert!(ways.tells(start, &[place(1)]) && !ways.tells(start, &[place(1)]));
        assert!(ways.tells(start, &[place(2)]));
        ways.on_told(start, vec![place(3)]);
        while ways.take_round(ways.deadline().unwrap_or(start), WayKind::Direct) {}
        ways.on_told(start + ms(9_000), vec![place(3)]);
        assert_eq!(ways.deadline(), None);
        ways.on_told(start + ms(9_000), vec![place(4)]);
        assert_eq!(ways.deadline(), Some(start + ms(9_000)));
    }

    #[test]
    fn whoever_names_other_places_again_and_again_has_them_probed_ever_more_seldom() {
        let start = Instant::now();
        let mut ways = Ways::default();
        let mut rounds = 0;
        for n in 0..6_000_u16 {
            let now = start + ms(100) * u32::from(n);
            ways.on_told(now, vec![place(n + 1)]);
            rounds += usize::from(ways.take_round(now, WayKind::Direct));
        }
        // Three rounds for each list that is probed.
        let most = 3 * (LISTS_AT_ONCE as usize + 20);
        assert!((50..=most).contains(&rounds), "{rounds} in ten minutes");
    }

    #[test]
    fn whoever_probes_from_somewhere_is_probed_there_but_not_again_and_again() {
        let now = Instant::now();
        let mut ways = Ways::default();
        let route = |port| way(port, WayKind::Direct, 1).route;
        assert!(ways.asks_back(now, route(1)) && !ways.asks_back(now + ms(100), route(1)));
        assert!(ways.asks_back(now + ASK_BACK_EVERY, route(1)));
        assert!((0..1_000).filter(|port| ways.asks_back(now, route(*port))).count() <= MOST_PROBED);
    }
}
