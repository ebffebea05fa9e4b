//! Networks of every kind of badness, from a seed.

use std::time::Duration;

use super::dice::Dice;
use super::scene::Scene;
use super::support::link::{Bursts, Link};

/// What happens to the network at some time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// One host's datagrams get nowhere, or do again.
    Dark(bool),
    /// A host has another address, as after its router forgot it.
    Moved,
    /// The way out of a host carries datagrams up to so long.
    Narrow(usize),
}

/// A time, a host (0 or 1), and what happens there.
pub(crate) type Planned = (Duration, usize, Change);

/// A way out of a host with some of everything.
pub(crate) fn link(dice: &mut Dice) -> Link {
    let mut link = Link::with_latency(dice.ms(1, 120));
    if dice.one_in(2) {
        link.loss = dice.share(0.12);
    }
    if dice.one_in(3) {
        let (longest, loss) = (dice.ms(5, 800), 0.7 + dice.share(0.3));
        link.bursts = Some(Bursts { begin: 0.03, longest, loss });
    }
    if dice.one_in(2) {
        link.jitter = dice.ms(1, 60);
    }
    if dice.one_in(3) {
        // Long enough for far more than 32 packets to go past.
        link.detours = Some((0.01 + dice.share(0.05), dice.ms(50, 600)));
    }
    if dice.one_in(3) {
        link.duplication = dice.share(0.1);
    }
    if dice.one_in(2) {
        link.bytes_per_second = Some(dice.between(15_000, 400_000));
        link.longest_queue = dice.ms(30, 500);
    }
    if dice.one_in(4) {
        link.marks_beyond = Some(dice.ms(5, 60));
        link.clears_marks = dice.one_in(4);
    }
    if dice.one_in(6) {
        link.largest_datagram = dice.between(548, 1199) as usize;
    }
    link
}

/// What happens on the way, none of it for so long that a session would have to end.
pub(crate) fn changes(dice: &mut Dice, until: Duration) -> Vec<Planned> {
    let last = u64::try_from(until.as_millis()).expect("a short run");
    let mut changes = Vec::new();
    if dice.one_in(3) {
        let (host, at) = (dice.between(0, 1) as usize, dice.ms(0, last));
        changes
            .extend([(at, host, Change::Dark(true)), (at + dice.ms(100, 4000), host, Change::Dark(false))]);
    }
    // Only one of them moves: two that move at once have lost each other.
    let mover = dice.between(0, 1) as usize;
    for _ in 0..dice.between(0, 4).saturating_sub(2) {
        changes.push((dice.ms(0, last), mover, Change::Moved));
    }
    if dice.one_in(4) {
        let (host, at) = (dice.between(0, 1) as usize, dice.ms(0, last));
        let narrow = Change::Narrow(dice.between(548, 1199) as usize);
        changes.extend([(at, host, narrow), (at + dice.ms(500, 8000), host, Change::Narrow(1472))]);
    }
    changes
}

impl Change {
    /// Lets it happen.
    pub(crate) fn happen(self, scene: &mut Scene, host: usize) {
        let host = scene.hosts[host];
        match self {
            Self::Dark(dark) => scene.net.set_link(host, |link| link.dark = dark),
            Self::Narrow(largest) => scene.net.set_link(host, |link| link.largest_datagram = largest),
            Self::Moved => _ = scene.net.change_address(host),
        }
    }
}
