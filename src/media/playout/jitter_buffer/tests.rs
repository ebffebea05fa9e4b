use std::time::Duration;

use super::*;

/// A packet of 20 ms that repeats its predecessor, and whose third byte tells it from others.
fn packet(n: u8) -> Bytes {
    // Configuration 9 (SILK, wideband, 20 ms), one frame; no speech, but LBRR.
    Bytes::from(vec![9 << 3, 0x40, n])
}

/// A packet in which nothing is heard.
fn silence() -> Bytes {
    Bytes::from(vec![9 << 3])
}

struct Bench {
    start: Instant,
    buffer: JitterBuffer,
}

impl Bench {
    fn new() -> Self {
        Self { start: Instant::now(), buffer: JitterBuffer::new() }
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    fn arrive(&mut self, n: u32, ms: u64) {
        let now = self.at(ms);
        self.buffer.push(n.wrapping_mul(20), packet(n as u8), now);
    }

    fn step(&mut self, ms: u64) -> Step {
        let now = self.at(ms);
        self.buffer.step(now, 0.0)
    }
}

#[test]
fn packets_are_heard_in_order_once_each_whatever_the_order_they_came_in() {
    let mut bench = Bench::new();
    for (n, ms) in [(1, 20), (0, 21), (3, 60), (2, 61), (2, 62), (0, 63)] {
        bench.arrive(n, ms);
    }
    assert_eq!(bench.step(30), Step::Wait);
    let heard: Vec<_> = (0..4).map(|n| bench.step(60 + n * 20)).collect();
    assert_eq!(heard, (0..4).map(|n| Step::Packet(packet(n))).collect::<Vec<_>>());
}

#[test]
fn a_single_missing_packet_is_repaired_from_its_successor() {
    let mut bench = Bench::new();
    for n in [0, 1, 3, 4] {
        bench.arrive(n, u64::from(n) * 20);
    }
    assert_eq!(bench.step(40), Step::Packet(packet(0)));
    assert_eq!(bench.step(60), Step::Packet(packet(1)));
    assert_eq!(bench.step(80), Step::Repair { next_packet: packet(3), milliseconds: 20 });
    assert_eq!(bench.step(100), Step::Packet(packet(3)));
}

#[test]
fn a_packet_whose_successor_does_not_repeat_it_is_made_up() {
    let mut bench = Bench::new();
    let plain = |n: u8| Bytes::from(vec![9 << 3, 0, n]);
    for n in [0_u8, 1, 3, 4] {
        let now = bench.at(u64::from(n) * 20);
        bench.buffer.push(u32::from(n) * 20, plain(n), now);
    }
    assert_eq!(bench.step(40), Step::Packet(plain(0)));
    assert_eq!(bench.step(60), Step::Packet(plain(1)));
    assert_eq!(bench.step(80), Step::Conceal { milliseconds: 20 });
    assert_eq!(bench.step(100), Step::Packet(plain(3)));
}

#[test]
fn a_late_packet_is_still_heard_when_nothing_newer_has_come() {
    let mut bench = Bench::new();
    bench.arrive(0, 0);
    assert_eq!(bench.step(40), Step::Packet(packet(0)));
    assert_eq!(bench.step(60), Step::Conceal { milliseconds: 10 });
    bench.arrive(1, 65);
    assert_eq!(bench.step(70), Step::Packet(packet(1)));
}

/// What is done from the sixth packet on, when it and the two after it never come and the one after them comes late, at a
/// moment when more delay is wanted.
fn around_three_lost_packets(wanted: f64) -> Vec<Step> {
    let mut bench = Bench::new();
    let plain = |n: u8| Bytes::from(vec![9 << 3, 0, n]);
    for n in 0_u8..5 {
        let now = bench.at(u64::from(n) * 20);
        bench.buffer.push(u32::from(n) * 20, plain(n), now);
    }
    (0..5).for_each(|n| assert_eq!(bench.step(40 + n * 20), Step::Packet(plain(n as u8))));
    let mut steps: Vec<Step> = [140, 150, 160].map(|ms| bench.step(ms)).into();
    bench.buffer.set_least(wanted);
    let now = bench.at(165);
    bench.buffer.push(160, plain(8), now);
    let mut ms = 170;
    while !matches!(steps.last(), Some(Step::Packet(_))) {
        let step = bench.step(ms);
        ms += if let Step::Conceal { milliseconds } = step { u64::from(milliseconds) } else { 0 };
        steps.push(step);
    }
    steps
}

#[test]
fn more_delay_that_is_wanted_makes_no_long_gap_longer() {
    let made_up = |steps: &[Step]| -> u32 {
        steps
            .iter()
            .map(|step| if let Step::Conceal { milliseconds } = step { *milliseconds } else { 0 })
            .sum()
    };
    let (as_before, more) = (around_three_lost_packets(0.0), around_three_lost_packets(200.0));
    assert_eq!(made_up(&as_before), 50, "{as_before:?}");
    assert_eq!(made_up(&more), 50, "{more:?}");
}

#[test]
fn silence_that_is_not_sent_is_waited_out_without_growing_delay() {
    let mut bench = Bench::new();
    bench.arrive(0, 0);
    let now = bench.at(20);
    bench.buffer.push(20, silence(), now);
    assert_eq!(bench.step(40), Step::Packet(packet(0)));
    assert_eq!(bench.step(60), Step::Packet(silence()));
    for ms in (80..240).step_by(10) {
        assert_eq!(bench.step(ms), Step::Quiet { milliseconds: 10 }, "{ms}");
    }
    // The next word comes 200 ms later, in time: it waits as long as every packet does.
    bench.arrive(10, 200);
    assert_eq!(bench.step(240), Step::Packet(packet(10)));
}

/// Ten seconds without a fault, then nothing for so long, then what was held back for 400 ms at once, and the rest in its
/// turn. When sound was heard again after the first packet, and how old it was.
fn after_a_blackout(milliseconds: u64) -> (u64, u64) {
    let mut bench = Bench::new();
    for n in 0..500 {
        bench.arrive(n, u64::from(n) * 20);
        bench.step(u64::from(n) * 20 + 40);
    }
    let back = 10_000 + milliseconds;
    for ms in (10_040..back).step_by(10) {
        assert!(!matches!(bench.step(ms), Step::Packet(_)));
    }
    let newest = u32::try_from(back / 20).unwrap();
    for n in newest - 20..=newest {
        bench.arrive(n, back);
    }
    for ms in (back..back + 1_000).step_by(10) {
        let n = u32::try_from(ms / 20).unwrap();
        if ms % 20 == 0 && n > newest {
            bench.arrive(n, ms);
        }
        if let Step::Packet(_) = bench.step(ms) {
            let heard = bench.buffer.position(0.0).unwrap() as u64 - 20;
            return (ms - back, ms - heard);
        }
    }
    panic!("nothing was heard again");
}

#[test]
fn after_a_blackout_the_newest_is_heard_at_once_and_nothing_old() {
    for length in [1_000, 10_000] {
        let (waited, age) = after_a_blackout(length);
        assert!(waited <= 60, "{waited} ms after {length}");
        assert!(age <= 80, "{age} ms old after {length}");
    }
}

#[test]
fn stamps_that_wrap_go_on() {
    let mut bench = Bench::new();
    let first = u32::MAX - 29;
    for n in 0..4_u32 {
        let now = bench.at(u64::from(n) * 20);
        bench.buffer.push(first.wrapping_add(n * 20), packet(n as u8), now);
    }
    let heard: Vec<_> = (0..4).map(|n| bench.step(60 + n * 20)).collect();
    assert_eq!(heard, (0..4).map(|n| Step::Packet(packet(n))).collect::<Vec<_>>());
}

#[test]
fn an_even_network_needs_little_delay_and_an_uneven_one_gets_more() {
    let mut even = Bench::new();
    let mut uneven = Bench::new();
    for n in 0..500 {
        even.arrive(n, u64::from(n) * 20);
        uneven.arrive(n, u64::from(n) * 20 + u64::from(n * 7919 % 80));
    }
    assert!(even.buffer.target_ms() <= 15, "{}", even.buffer.target_ms());
    assert!((70..=95).contains(&uneven.buffer.target_ms()), "{}", uneven.buffer.target_ms());
}

#[test]
fn a_packet_after_its_time_is_dropped_and_counted() {
    let mut bench = Bench::new();
    bench.arrive(0, 0);
    bench.arrive(2, 40);
    for ms in [40, 60, 80] {
        bench.step(ms);
    }
    bench.arrive(1, 90);
    assert_eq!(bench.buffer.late(), 1);
}

#[test]
fn a_far_end_that_starts_its_clock_again_a_little_back_is_followed_within_a_second() {
    let mut bench = Bench::new();
    for n in 0..500 {
        bench.arrive(n, u64::from(n) * 20);
        bench.step(u64::from(n) * 20 + 40);
    }
    for n in 0..50 {
        bench.arrive(n, 10_000 + u64::from(n) * 20);
    }
    assert_eq!(bench.step(11_000), Step::Packet(packet(47)), "what is not too old for the start");
}

#[test]
fn a_far_end_that_starts_its_clock_again_is_followed() {
    let mut bench = Bench::new();
    bench.arrive(500_000, 0);
    assert_eq!(bench.step(40), Step::Packet(packet(500_000_u32 as u8)));
    bench.arrive(0, 1000);
    assert_eq!(bench.step(1100), Step::Packet(packet(0)));
}
