use super::*;

/// A packet of 20 ms whose second byte tells it from others.
fn packet(n: u8) -> Bytes {
    // Configuration 9 (SILK, wideband, 20 ms), one frame.
    Bytes::from(vec![9 << 3, n])
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
    for n in [1, 0, 2, 2, 3, 0] {
        bench.arrive(n, 5);
    }
    assert_eq!(bench.step(10), Step::Wait);
    let heard: Vec<_> = (0..4).map(|n| bench.step(100 + n * 20)).collect();
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
fn a_late_packet_is_still_heard_when_nothing_newer_has_come() {
    let mut bench = Bench::new();
    bench.arrive(0, 0);
    assert_eq!(bench.step(40), Step::Packet(packet(0)));
    assert_eq!(bench.step(60), Step::Conceal { milliseconds: 20 });
    bench.arrive(1, 70);
    assert_eq!(bench.step(80), Step::Packet(packet(1)));
}

#[test]
fn after_a_second_without_network_the_newest_is_heard_at_once() {
    let mut bench = Bench::new();
    for n in 0..100 {
        bench.arrive(n, u64::from(n) * 20);
        bench.step(u64::from(n) * 20 + 40);
    }
    for n in 0..50 {
        bench.step(2040 + n * 20);
    }
    // Everything held back comes at once.
    for n in 100..150 {
        bench.arrive(n, 3000);
    }
    let Step::Packet(first) = bench.step(3040) else { panic!("a packet was there") };
    // Of the 50 packets held back all but what fits the delay aimed at are left out.
    assert!(first[1] >= 135, "{}", first[1]);
}

#[test]
fn stamps_that_wrap_go_on() {
    let mut bench = Bench::new();
    let start = bench.start;
    let first = u32::MAX - 29;
    for n in 0..4_u32 {
        bench.buffer.push(first.wrapping_add(n * 20), packet(n as u8), start);
    }
    let heard: Vec<_> = (0..4).map(|n| bench.step(100 + n * 20)).collect();
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
    assert!(even.buffer.target_ms() <= 25, "{}", even.buffer.target_ms());
    assert!((70..=110).contains(&uneven.buffer.target_ms()), "{}", uneven.buffer.target_ms());
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
fn a_far_end_that_starts_its_clock_again_is_followed() {
    let mut bench = Bench::new();
    bench.arrive(500_000, 0);
    assert_eq!(bench.step(40), Step::Packet(packet(500_000_u32 as u8)));
    bench.arrive(0, 1000);
    assert_eq!(bench.step(1100), Step::Packet(packet(0)));
}
