//! The relay alone: packets in, packets out, in virtual time.

use super::*;
use crate::rtmfp::machine::Ecn;

const ADA: u8 = 1;
const BOB: u8 = 2;

struct Bench {
    now: Instant,
    relay: Relay,
    told: Vec<RelayEvent>,
}

/// Where a packet went, out of which of the relay's ports, and what it was.
type Went = (u32, String, Vec<u8>);

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn peer(number: u8) -> PeerId {
    PeerId([number; 32])
}

fn party(number: u8, seen: &str) -> Party {
    Party { peer: peer(number), route: Route { via: PathId(0), address: address(seen) }, proven: Vec::new() }
}

impl Bench {
    /// A server on `198.51.100.1:1935` with so many ports from 2001 on; paths have the numbers of their ports.
    fn new(rules: RelayRules, ports: u16) -> Self {
        let mut relay = Relay::new(rules);
        relay.note_own(PathId(0), address("198.51.100.1:1935"));
        for port in 2001..2001 + ports {
            relay.open_port(PathId(port.into()), address(&format!("198.51.100.1:{port}")));
        }
        Self { now: Instant::now(), relay, told: Vec::new() }
    }

    /// Ada and Bob, who are told of ports 2001 and 2002.
    fn with_ada_and_bob(rules: RelayRules) -> Self {
        let mut bench = Self::new(rules, 6);
        let lent = bench.lend((ADA, "192.0.2.1:4000"), (BOB, "203.0.113.2:5000")).expect("ports");
        assert_eq!(lent.to_first, address("198.51.100.1:2001"));
        assert_eq!(lent.to_second, address("198.51.100.1:2002"));
        bench
    }

    /// The same, in the middle of a call.
    fn in_a_call(rules: RelayRules) -> Self {
        let mut bench = Self::with_ada_and_bob(rules);
        for _ in 0..4 {
            bench.write(2001, "192.0.2.1:4000", b"from ada");
            bench.write(2002, "203.0.113.2:5000", b"from bob");
        }
        assert!(matches!(bench.told[..], [RelayEvent::Established { pairs: 1 }]), "{:?}", bench.told);
        bench.told.clear();
        bench
    }

    fn lend(&mut self, first: (u8, &str), second: (u8, &str)) -> Result<Lent, NotRelayed> {
        self.relay.lend(self.now, &party(first.0, first.1), &party(second.0, second.1))
    }

    fn write(&mut self, port: u32, from: &str, packet: &[u8]) -> Vec<Went> {
        self.write_batch(port, from, packet.len(), packet).into_iter().map(|(_, went)| went).collect()
    }

    fn write_batch(&mut self, port: u32, from: &str, size: usize, packets: &[u8]) -> Vec<(Transmit, Went)> {
        let route = Route { via: PathId(port), address: address(from) };
        let mut bytes = packets.to_vec();
        let received = Received { route, ecn: Some(Ecn::Capable0), segment_size: size, bytes: &mut bytes };
        self.relay.take(self.now, received).expect("a port of the relay's");
        self.poll()
    }

    fn poll(&mut self) -> Vec<(Transmit, Went)> {
        let (mut all, mut packets) = (Vec::new(), Vec::new());
        loop {
            packets.clear();
            match self.relay.poll(self.now, &mut packets) {
                Output::Transmit(transmit) => {
                    let Route { via, address } = transmit.route;
                    all.push((transmit, (via.0, address.to_string(), packets.clone())));
                }
                Output::Event(event) => self.told.push(event),
                Output::Compute(job) => panic!("a relay computes nothing: {job:?}"),
                Output::Sleep(_) => return all,
            }
        }
    }

    /// Time passes, and the relay is woken when it wants to be.
    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let due = match self.relay.poll(self.now, &mut Vec::new()) {
                Output::Event(event) => {
                    self.told.push(event);
                    continue;
                }
                Output::Sleep(due) => due.filter(|due| *due <= until),
                other => panic!("nobody wrote: {other:?}"),
            };
            match due {
                Some(due) => self.now = due,
                None => break,
            }
        }
        self.now = until;
    }

    fn seconds(&mut self, seconds: u64) {
        self.wait(Duration::from_secs(seconds));
    }
}

fn went(port: u32, to: &str, packet: &[u8]) -> Vec<Went> {
    vec![(port, to.to_owned(), packet.to_vec())]
}

#[test]
fn what_comes_in_at_the_one_port_leaves_by_the_other() {
    let mut bench = Bench::with_ada_and_bob(RelayRules::default());
    assert_eq!(bench.write(2001, "192.0.2.1:4000", b"hello"), []);
    // Bob's router gives this destination another port. What was kept for him goes first, then his answer.
    let both = bench.write(2002, "203.0.113.2:61000", b"answer");
    let expected = [went(2002, "203.0.113.2:61000", b"hello"), went(2001, "192.0.2.1:4000", b"answer")];
    assert_eq!(both, expected.concat());
    let next = bench.write(2001, "192.0.2.1:4000", b"keying");
    assert_eq!(next, went(2002, "203.0.113.2:61000", b"keying"));
}

#[test]
fn a_batch_goes_on_as_a_batch_with_its_mark() {
    let mut bench = Bench::in_a_call(RelayRules::default());
    let sent = bench.write_batch(2001, "192.0.2.1:4000", 1200, &[7; 3000]);
    let [(transmit, (2002, _, packets))] = &sent[..] else { panic!("one batch: {sent:?}") };
    assert_eq!((transmit.segment_size, transmit.ecn, packets.len()), (1200, Some(Ecn::Capable0), 3000));
}

#[test]
fn strangers_are_passed_over_and_nothing_is_sent_to_them() {
    let mut bench = Bench::with_ada_and_bob(RelayRules::default());
    assert_eq!(bench.write(2001, "198.51.100.66:1", b"from mallory"), []);
    assert_eq!(bench.write(2005, "198.51.100.66:1", b"at a port of nobody's"), []);
    // Bob's address does not open Ada's port.
    assert_eq!(bench.write(2001, "203.0.113.2:5000", b"at the wrong port"), []);
    assert_eq!(bench.write(2002, "203.0.113.2:5000", b"from bob"), []);
    let all = bench.write(2001, "192.0.2.1:4000", b"from ada");
    let expected = [went(2001, "192.0.2.1:4000", b"from bob"), went(2002, "203.0.113.2:5000", b"from ada")];
    assert_eq!(all, expected.concat());
}

#[test]
fn no_more_than_two_packets_are_kept_for_somebody_who_has_not_come() {
    let mut bench = Bench::with_ada_and_bob(RelayRules::default());
    for packet in [b"1", b"2", b"3"] {
        bench.write(2002, "203.0.113.2:5000", packet);
    }
    bench.write(2002, "203.0.113.2:5000", &[0; 1501]);
    let kept = bench.write(2001, "192.0.2.1:4000", b"ada");
    let packets: Vec<_> = kept.iter().map(|(_, _, packet)| packet.as_slice()).collect();
    assert_eq!(packets, [b"2", b"3".as_slice(), b"ada"]);
}

#[test]
fn two_who_dial_each_other_get_the_same_ports() {
    let mut bench = Bench::with_ada_and_bob(RelayRules::default());
    let lent = bench.lend((BOB, "203.0.113.2:5000"), (ADA, "192.0.2.1:4000")).expect("ports");
    assert_eq!(lent.to_first, address("198.51.100.1:2002"));
    assert_eq!(lent.to_second, address("198.51.100.1:2001"));
    assert_eq!(bench.relay.pairs(), 1);
}

#[test]
fn a_router_that_forgets_costs_a_second() {
    let mut bench = Bench::in_a_call(RelayRules::default());
    bench.wait(Duration::from_millis(900));
    assert_eq!(bench.write(2001, "192.0.2.1:4001", b"too soon"), []);
    bench.wait(Duration::from_millis(100));
    let next = bench.write(2001, "192.0.2.1:4001", b"from another port");
    assert_eq!(next, went(2002, "203.0.113.2:5000", b"from another port"));
    assert_eq!(bench.write(2002, "203.0.113.2:5000", b"back"), went(2001, "192.0.2.1:4001", b"back"));
}

#[test]
fn who_changes_networks_goes_on_once_the_server_knows() {
    let mut bench = Bench::in_a_call(RelayRules::default());
    bench.seconds(2);
    assert_eq!(bench.write(2001, "198.51.100.77:9", b"from elsewhere"), []);
    bench.relay.allow(peer(ADA), address("198.51.100.77:9").ip());
    let next = bench.write(2001, "198.51.100.77:9", b"from elsewhere");
    assert_eq!(next, went(2002, "203.0.113.2:5000", b"from elsewhere"));
}

#[test]
fn a_neighbour_cannot_take_the_port_of_somebody_who_talks() {
    let mut bench = Bench::in_a_call(RelayRules::default());
    for _ in 0..50 {
        bench.wait(Duration::from_millis(100));
        assert_eq!(bench.write(2001, "192.0.2.1:6666", b"from a neighbour"), []);
        assert!(!bench.write(2001, "192.0.2.1:4000", b"from ada").is_empty());
    }
}

#[test]
fn an_ipv4_and_an_ipv6_network_meet() {
    let mut bench = Bench::new(RelayRules::default(), 1);
    bench.relay.note_own(PathId(1), address("[2001:db8::1]:1935"));
    bench.relay.open_port(PathId(3001), address("[2001:db8::1]:3001"));
    let lent = bench.lend((ADA, "192.0.2.1:4000"), (BOB, "[2001:db8:2::2]:5000")).expect("ports");
    assert_eq!(lent.to_first, address("198.51.100.1:2001"));
    assert_eq!(lent.to_second, address("[2001:db8::1]:3001"));
    bench.write(2001, "192.0.2.1:4000", b"hello");
    let there = bench.write(3001, "[2001:db8:2::2]:5000", b"answer");
    let expected = [went(3001, "[2001:db8:2::2]:5000", b"hello"), went(2001, "192.0.2.1:4000", b"answer")];
    assert_eq!(there, expected.concat());
}

#[test]
fn what_is_above_the_rate_is_lost_and_whole_packets_only() {
    let rules = RelayRules { bytes_per_second: 10_000, ..RelayRules::default() };
    let mut bench = Bench::in_a_call(rules);
    bench.seconds(1);
    let sent = bench.write_batch(2001, "192.0.2.1:4000", 1200, &[0; 12_000]);
    assert_eq!(sent.iter().map(|(_, (_, _, packets))| packets.len()).sum::<usize>(), 4800);
    assert_eq!(bench.write_batch(2001, "192.0.2.1:4000", 1200, &[0; 1200]).len(), 0);
    // The other way has an allowance of its own.
    assert_eq!(bench.write_batch(2002, "203.0.113.2:5000", 1200, &[0; 1200]).len(), 1);
}

#[test]
fn a_pair_ends_half_a_minute_after_its_last_packet() {
    let mut bench = Bench::in_a_call(RelayRules::default());
    bench.seconds(29);
    assert_eq!(bench.relay.pairs(), 1);
    bench.seconds(2);
    assert_eq!(bench.relay.pairs(), 0);
    let [RelayEvent::Ended { why: PairEnd::Idle, bytes, .. }] = bench.told[..] else {
        panic!("{:?}", bench.told)
    };
    // All but the very first, which was kept and handed over later.
    assert_eq!(bytes, 7 * 8);
    assert_eq!(bench.write(2001, "192.0.2.1:4000", b"too late"), []);
}

#[test]
fn a_relay_that_was_not_needed_is_taken_back_soon_and_silently() {
    let mut bench = Bench::with_ada_and_bob(RelayRules::default());
    bench.write(2002, "203.0.113.2:5000", b"an answer to nobody");
    bench.seconds(11);
    assert_eq!((bench.relay.pairs(), bench.told.len()), (0, 0));
}

#[test]
fn a_pair_has_its_share_of_bytes_and_time() {
    let rules = RelayRules { most_bytes: 1000, ..RelayRules::default() };
    let mut bench = Bench::in_a_call(rules);
    bench.write(2001, "192.0.2.1:4000", &[0; 1000]);
    assert_eq!(bench.write(2001, "192.0.2.1:4000", b"one more"), []);
    bench.seconds(1);
    assert!(matches!(bench.told[..], [RelayEvent::Ended { why: PairEnd::Bytes, .. }]), "{:?}", bench.told);

    let rules = RelayRules { longest: Duration::from_secs(60), ..RelayRules::default() };
    let mut bench = Bench::in_a_call(rules);
    for _ in 0..61 {
        bench.seconds(1);
        bench.write(2001, "192.0.2.1:4000", b"on and on");
    }
    assert!(matches!(bench.told[..], [RelayEvent::Ended { why: PairEnd::Time, .. }]), "{:?}", bench.told);
}

#[test]
fn a_call_goes_on_while_its_people_lose_the_server_and_ends_a_minute_after_both_left() {
    let mut bench = Bench::in_a_call(RelayRules::default());
    let talk = |bench: &mut Bench, seconds: u64| {
        let mut through = true;
        for _ in 0..seconds {
            bench.seconds(1);
            through = !bench.write(2001, "192.0.2.1:4000", b"still here").is_empty();
        }
        through
    };
    for who in [ADA, BOB] {
        bench.relay.set_present(bench.now, peer(who), false);
    }
    assert!(talk(&mut bench, 50));
    bench.relay.set_present(bench.now, peer(BOB), true);
    assert!(talk(&mut bench, 100));
    bench.relay.set_present(bench.now, peer(BOB), false);
    assert!(!talk(&mut bench, 62));
    assert!(matches!(bench.told[..], [RelayEvent::Ended { why: PairEnd::BothLeft, .. }]), "{:?}", bench.told);
}

#[test]
fn one_person_and_one_address_have_so_many_pairs() {
    let rules = RelayRules { pairs_of_one: 2, pairs_of_one_address: 3, ..RelayRules::default() };
    let mut bench = Bench::new(rules, 60);
    let seen = |number: u8| format!("203.0.113.{number}:5000");
    for other in [10, 11] {
        assert!(bench.lend((ADA, "192.0.2.1:4000"), (other, &seen(other))).is_ok());
    }
    assert_eq!(bench.lend((ADA, "192.0.2.1:4000"), (12, &seen(12))), Err(NotRelayed::TooMany));
    assert!(bench.lend((BOB, "192.0.2.1:4001"), (12, &seen(12))).is_ok());
    assert_eq!(bench.lend((BOB, "192.0.2.1:4001"), (13, &seen(13))), Err(NotRelayed::TooMany));
    // What nobody used makes way.
    bench.seconds(3);
    assert!(bench.lend((ADA, "192.0.2.1:4000"), (12, &seen(12))).is_ok());
    assert_eq!(bench.relay.pairs(), 3);
}

#[test]
fn when_no_port_is_free_an_unused_pair_makes_way_and_a_call_does_not() {
    let mut bench = Bench::new(RelayRules::default(), 3);
    assert!(bench.lend((ADA, "192.0.2.1:4000"), (BOB, "203.0.113.2:5000")).is_ok());
    assert_eq!(bench.lend((3, "192.0.2.3:1"), (4, "192.0.2.4:1")), Err(NotRelayed::NoPort));
    bench.seconds(3);
    assert!(bench.lend((3, "192.0.2.3:1"), (4, "192.0.2.4:1")).is_ok());
    assert_eq!(bench.relay.pairs(), 1);

    let mut bench = Bench::new(RelayRules::default(), 3);
    assert!(bench.lend((ADA, "192.0.2.1:4000"), (BOB, "203.0.113.2:5000")).is_ok());
    for _ in 0..4 {
        bench.write(2001, "192.0.2.1:4000", b"from ada");
        bench.write(2002, "203.0.113.2:5000", b"from bob");
    }
    bench.seconds(3);
    assert_eq!(bench.lend((3, "192.0.2.3:1"), (4, "192.0.2.4:1")), Err(NotRelayed::NoPort));
    assert!(!bench.write(2001, "192.0.2.1:4000", b"from ada").is_empty());
}

#[test]
fn nothing_is_relayed_when_it_is_off_and_what_runs_ends() {
    let mut bench = Bench::in_a_call(RelayRules::default());
    bench.relay.set_rules(bench.now, RelayRules { on: false, ..RelayRules::default() });
    assert_eq!(bench.write(2001, "192.0.2.1:4000", b"from ada"), []);
    assert!(matches!(bench.told[..], [RelayEvent::Ended { why: PairEnd::Closed, .. }]), "{:?}", bench.told);
    let again = bench.lend((ADA, "192.0.2.1:4000"), (BOB, "203.0.113.2:5000"));
    assert_eq!(again, Err(NotRelayed::NotOffered));
}

#[test]
fn two_on_the_server_s_own_computer_need_no_relay() {
    let mut bench = Bench::new(RelayRules::default(), 4);
    let lent = bench.lend((ADA, "127.0.0.1:4000"), (BOB, "127.0.0.1:5000"));
    assert_eq!(lent, Err(NotRelayed::NotOffered));
}
