//! Two people who are relayed to each other: who may write to which port, how much, and until when.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::{PairEnd, RelayRules};
use crate::rtmfp::PeerId;
use crate::rtmfp::machine::{PathId, Received, Route};
use crate::rtmfp::network::network_of;

/// Two people and their ports.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) sides: [Side; 2],
    pub(super) opened: Instant,
    /// When somebody was last told of the ports.
    pub(super) offered: Instant,
    /// When something last went from one to the other.
    carried: Instant,
    /// Both ways.
    pub(super) bytes: u64,
    /// Since when neither is connected to the server.
    deserted: Option<Instant>,
}

/// One of the two.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) peer: PeerId,
    /// The port they write to.
    pub(super) port: PathId,
    /// Its address, as they are told it.
    pub(super) told: SocketAddr,
    /// Where they are known to be, the newest last.
    allowed: Vec<IpAddr>,
    /// From where they write.
    seat: Option<Seat>,
    /// What is for them, until it is known where they are.
    kept: Vec<Vec<u8>>,
    allowance: Allowance,
    /// Packets of theirs that went on to the other.
    sent: u64,
    present: bool,
}

#[derive(Clone, Copy, Debug)]
struct Seat {
    address: SocketAddr,
    heard: Instant,
}

/// Bytes that may go at once, refilled by the second.
#[derive(Debug)]
struct Allowance {
    /// In bytes times a million, so that no microsecond is lost.
    left: u64,
    /// Up to when refilling has been counted.
    counted: Option<Instant>,
}

/// What is to be done with packets that came.
#[derive(Debug)]
pub(super) struct Taken {
    /// Their sender was not known before: where it is, and what was kept for it.
    pub(super) newcomer: Option<(Route, Vec<Vec<u8>>)>,
    /// Where the packets go on to.
    pub(super) onward: Option<Route>,
    /// How many bytes of them.
    pub(super) length: usize,
}

impl Pair {
    pub(super) fn new(now: Instant, sides: [Side; 2]) -> Self {
        Self { sides, opened: now, offered: now, carried: now, bytes: 0, deserted: None }
    }

    pub(super) fn side_of(&self, peer: PeerId) -> Option<&Side> {
        self.sides.iter().find(|side| side.peer == peer)
    }

    /// Whether one of the two is in that network.
    pub(super) fn is_in(&self, network: IpAddr) -> bool {
        let newest = |side: &Side| side.allowed.last().is_some_and(|ip| network_of(*ip) == network);
        self.sides.iter().any(newest)
    }

    pub(super) fn has_port_of(&self, ipv4: bool) -> bool {
        self.sides.iter().any(|side| side.told.is_ipv4() == ipv4)
    }

    /// Whether the two use it: packets went both ways, and more than the hellos that are tried everywhere.
    pub(super) fn is_established(&self) -> bool {
        self.sides.iter().all(|side| side.sent >= PACKETS_OF_A_SESSION)
    }

    /// That person is at these addresses too.
    pub(super) fn allow(&mut self, peer: PeerId, addresses: impl Iterator<Item = IpAddr>) {
        if let Some(side) = self.sides.iter_mut().find(|side| side.peer == peer) {
            side.allow(addresses);
        }
    }

    pub(super) fn set_present(&mut self, now: Instant, peer: PeerId, present: bool) {
        if let Some(side) = self.sides.iter_mut().find(|side| side.peer == peer) {
            side.present = present;
            let anybody = self.sides.iter().any(|side| side.present);
            self.deserted = if anybody { None } else { self.deserted.or(Some(now)) };
        }
    }

    /// Packets at the port of one of the two; `None` when they are nobody's.
    pub(super) fn take(
        &mut self,
        now: Instant,
        rules: &RelayRules,
        index: usize,
        received: &Received<'_>,
    ) -> Option<Taken> {
        let [first, second] = &mut self.sides;
        let (from, to) = if index == 0 { (first, second) } else { (second, first) };
        let is_new = from.seat.is_none();
        if received.segment_size == 0 || !from.seats(now, received.route.address) {
            return None;
        }
        let newcomer = is_new.then(|| (received.route, std::mem::take(&mut from.kept)));
        let whole =
            from.allowance.take(now, rules.bytes_per_second, received.segment_size, received.bytes.len());
        let length = if self.bytes < rules.most_bytes { whole } else { 0 };
        let onward = to.seat.map(|seat| Route { via: to.port, address: seat.address });
        if onward.is_some() && length > 0 {
            self.carried = now;
            self.bytes += length as u64;
            from.sent += length.div_ceil(received.segment_size) as u64;
        } else {
            let packets = received.bytes.get(..length).unwrap_or_default();
            packets.chunks(received.segment_size).for_each(|packet| to.keep(packet));
        }
        Some(Taken { newcomer, onward: onward.filter(|_| length > 0), length })
    }

    /// Whether it is over, and why.
    pub(super) fn end(&self, now: Instant, rules: &RelayRules) -> Option<PairEnd> {
        let (since, idle) = if self.is_established() {
            (self.carried, IDLE)
        } else {
            (self.offered.max(self.carried), UNUSED)
        };
        if self.bytes >= rules.most_bytes {
            Some(PairEnd::Bytes)
        } else if self.opened + rules.longest <= now {
            Some(PairEnd::Time)
        } else if self.deserted.is_some_and(|since| since + DESERTED <= now) {
            Some(PairEnd::BothLeft)
        } else if since + idle <= now {
            Some(PairEnd::Idle)
        } else {
            None
        }
    }
}

impl Side {
    pub(super) fn new(
        peer: PeerId,
        port: PathId,
        told: SocketAddr,
        addresses: impl Iterator<Item = IpAddr>,
    ) -> Self {
        let mut side = Self {
            peer,
            port,
            told,
            allowed: Vec::new(),
            seat: None,
            kept: Vec::new(),
            allowance: Allowance { left: 0, counted: None },
            sent: 0,
            present: true,
        };
        side.allow(addresses);
        side
    }

    fn allow(&mut self, addresses: impl Iterator<Item = IpAddr>) {
        for ip in addresses.map(|ip| ip.to_canonical()) {
            self.allowed.retain(|known| *known != ip);
            self.allowed.push(ip);
        }
        self.allowed.drain(..self.allowed.len().saturating_sub(MOST_ALLOWED));
    }

    /// Whether what comes from there is taken. Routers forget, and people change networks: when the address that wrote
    /// until now is silent, another of the same person takes its place. Somebody else behind the same address could do so
    /// too, and would hear sealed packets until they in turn are silent.
    fn seats(&mut self, now: Instant, address: SocketAddr) -> bool {
        let takes = match self.seat {
            Some(seat) if seat.address == address => true,
            Some(seat) => seat.heard + SILENT <= now && self.allowed.contains(&address.ip()),
            None => self.allowed.contains(&address.ip()),
        };
        if takes {
            self.seat = Some(Seat { address, heard: now });
        }
        takes
    }

    /// Keeps the newest packets: what opens a session is sent again and again, and one is enough.
    fn keep(&mut self, packet: &[u8]) {
        if packet.len() <= LARGEST_KEPT {
            if self.kept.len() >= MOST_KEPT {
                self.kept.remove(0);
            }
            self.kept.push(packet.to_vec());
        }
    }
}

impl Allowance {
    /// How many of these bytes may go on now: whole packets only.
    fn take(&mut self, now: Instant, rate: u32, segment_size: usize, bytes: usize) -> usize {
        let most = u64::from(rate) * (SCALE / BURSTS_A_SECOND);
        let counted = self.counted.replace(now);
        let gained = counted.map(|counted| {
            let micros = now.saturating_duration_since(counted).as_micros();
            u64::try_from(micros).unwrap_or(u64::MAX).saturating_mul(rate.into())
        });
        // Full at the beginning.
        self.left = gained.map_or(most, |gained| self.left.saturating_add(gained)).min(most);
        let room = usize::try_from(self.left / SCALE).unwrap_or(usize::MAX);
        let taken = if bytes <= room { bytes } else { room / segment_size * segment_size };
        self.left -= taken as u64 * SCALE;
        taken
    }
}

const SCALE: u64 = 1_000_000;
/// Half a second's worth at once: a key frame.
const BURSTS_A_SECOND: u64 = 2;
/// Addresses of one person: two families, a relay of their own, and one from before.
const MOST_ALLOWED: usize = 4;
/// An opening session's answer to each of two hellos.
const MOST_KEPT: usize = 2;
const LARGEST_KEPT: usize = 1500;
/// A session that opens has had so many packets each way: hello, keying, and the first of what it carries.
const PACKETS_OF_A_SESSION: u64 = 3;
/// Whoever talks is never silent for so long but when their router or their network changed.
const SILENT: Duration = Duration::from_millis(1000);
/// Sessions show signs of life every ten seconds.
const IDLE: Duration = Duration::from_secs(30);
/// Longer than the pause between two hellos of somebody who still tries.
const UNUSED: Duration = Duration::from_secs(10);
/// Enough for both to connect to the server again.
const DESERTED: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_lets_half_a_second_through_at_once_and_then_the_rate() {
        let now = Instant::now();
        let mut allowance = Allowance { left: 0, counted: None };
        assert_eq!(allowance.take(now, 100_000, 1000, 80_500), 50_000);
        assert_eq!(allowance.take(now, 100_000, 1000, 1000), 0);
        let later = now + Duration::from_millis(15);
        assert_eq!(allowance.take(later, 100_000, 1000, 5000), 1000);
        assert_eq!(allowance.take(later, 100_000, 500, 5000), 500);
        assert_eq!(allowance.take(now + Duration::from_secs(3600), 100_000, 1000, 60_000), 50_000);
    }
}
