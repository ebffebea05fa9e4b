use std::time::Duration;

use super::*;

const FLOW: SendFlowId = SendFlowId(2);

struct Bench {
    queue: SendQueue,
    sent: InFlight,
}

impl Bench {
    fn new() -> Self {
        Self { queue: SendQueue::new(Dialect::Rfc), sent: InFlight::new() }
    }

    fn push(&mut self, bytes: usize, options: WriteOptions) -> MessageId {
        self.queue.push(Bytes::from(vec![7; bytes]), 1000, options)
    }

    fn message(&mut self) -> u64 {
        self.push(10, WriteOptions::default()).0
    }

    /// Sends the next fragment, and answers its number and forward number.
    fn send(&mut self) -> Option<(u64, u64)> {
        let next = self.queue.next_to_send()?;
        self.queue.depart(FLOW, next.sequence, 100, &mut self.sent);
        Some((next.sequence, next.forward))
    }

    fn acknowledge(&mut self, cumulative: u64, islands: &[RangeInclusive<u64>]) -> usize {
        self.queue.acknowledge(cumulative, islands, &mut self.sent)
    }

    fn lose(&mut self, number: u64) {
        let flights = self.sent.lose_all();
        for flight in flights {
            if flight.sequence == number {
                self.queue.on_lost(number, flight.size);
            }
        }
    }

    fn reports(&mut self) -> Vec<(u64, bool)> {
        std::iter::from_fn(|| self.queue.next_report()).map(|(id, done)| (id.0, done)).collect()
    }
}

fn reported() -> WriteOptions {
    WriteOptions { report: true, ..WriteOptions::default() }
}

#[test]
fn a_long_message_becomes_fragments_with_adjacent_numbers() {
    let mut bench = Bench::new();
    bench.push(2500, WriteOptions::default());
    let mut places = Vec::new();
    while let Some(next) = bench.queue.next_to_send() {
        places.push((next.sequence, next.place, next.data.len()));
        bench.queue.depart(FLOW, next.sequence, next.data.len(), &mut bench.sent);
    }
    use FragmentPlace::{First, Last, Middle};
    assert_eq!(places, [(1, First, 1000), (2, Middle, 1000), (3, Last, 500)]);
}

#[test]
fn an_empty_message_is_one_whole_fragment() {
    let mut bench = Bench::new();
    bench.push(0, WriteOptions::default());
    let next = bench.queue.next_to_send().expect("it is sent");
    assert_eq!((next.place, next.abandoned, next.forward), (FragmentPlace::Whole, false, 0));
}

#[test]
fn a_message_is_reported_delivered_when_its_last_fragment_is_acknowledged() {
    let mut bench = Bench::new();
    bench.push(1500, reported());
    bench.send();
    bench.send();
    assert_eq!(bench.acknowledge(0, &[2..=2]), 100);
    assert_eq!(bench.reports(), []);
    assert_eq!(bench.acknowledge(2, &[]), 100);
    assert_eq!(bench.reports(), [(1, true)]);
    assert!(bench.queue.is_empty() && bench.queue.queued_bytes() == 0);
}

#[test]
fn what_was_lost_goes_again_before_what_is_new() {
    let mut bench = Bench::new();
    (0..3).for_each(|_| _ = bench.message());
    bench.send();
    bench.lose(1);
    assert_eq!(bench.send(), Some((1, 0)));
    assert_eq!(bench.send(), Some((2, 0)));
}

#[test]
fn a_late_acknowledgement_of_a_lost_fragment_spares_sending_it_again_but_counts_no_bytes() {
    let mut bench = Bench::new();
    bench.message();
    bench.send();
    bench.lose(1);
    assert_eq!(bench.acknowledge(1, &[]), 0);
    assert_eq!(bench.send(), None);
    assert!(bench.queue.is_empty());
}

#[test]
fn acknowledging_what_was_never_sent_does_nothing() {
    let mut bench = Bench::new();
    bench.message();
    bench.message();
    bench.send();
    assert_eq!(bench.acknowledge(0, &[2..=u64::MAX]), 0);
    assert_eq!(bench.acknowledge(u64::MAX, &[]), 100);
    assert_eq!(bench.send(), Some((2, 1)));
}

#[test]
fn a_message_that_did_not_start_in_time_is_given_up_and_does_not_block_those_behind() {
    let (mut bench, now) = (Bench::new(), Instant::now());
    bench.push(10, WriteOptions { start_by: Some(now + Duration::from_millis(5)), ..reported() });
    bench.message();
    bench.queue.expire(now + Duration::from_millis(4));
    assert_eq!(bench.reports(), []);
    bench.queue.expire(now + Duration::from_millis(5));
    assert_eq!(bench.reports(), [(1, false)]);
    assert_eq!(bench.send(), Some((2, 1)));
}

#[test]
fn a_start_deadline_does_not_touch_a_message_under_way() {
    let (mut bench, now) = (Bench::new(), Instant::now());
    bench.push(1500, WriteOptions { start_by: Some(now), ..reported() });
    bench.send();
    bench.queue.expire(now);
    assert_eq!(bench.reports(), []);
    assert_eq!(bench.send(), Some((2, 0)));
}

#[test]
fn a_finish_deadline_gives_up_what_is_in_flight_and_it_is_not_sent_again() {
    let (mut bench, now) = (Bench::new(), Instant::now());
    bench.push(10, WriteOptions { finish_by: Some(now), ..reported() });
    bench.message();
    bench.send();
    bench.queue.expire(now);
    assert_eq!(bench.reports(), [(1, false)]);
    // While it may still arrive the forward number must not pass it (§3.6.2.3).
    assert_eq!(bench.queue.next_to_send().map(|next| next.forward), Some(0));
    bench.lose(1);
    assert_eq!(bench.send(), Some((2, 1)));
}

#[test]
fn a_chain_falls_with_the_message_it_hangs_on_and_so_do_later_links() {
    let (mut bench, now) = (Bench::new(), Instant::now());
    let key = bench.push(10, WriteOptions { start_by: Some(now), ..reported() });
    let second = bench.push(10, WriteOptions { needs: Some(key), ..reported() });
    bench.message();
    bench.push(10, WriteOptions { needs: Some(second), ..reported() });
    bench.queue.expire(now);
    assert_eq!(bench.reports(), [(1, false), (2, false), (4, false)]);
    bench.push(10, WriteOptions { needs: Some(second), ..reported() });
    assert_eq!(bench.reports(), [(5, false)]);
    assert_eq!(bench.send(), Some((3, 2)));
}

#[test]
fn given_up_with_nothing_behind_the_forward_number_goes_alone() {
    let mut bench = Bench::new();
    bench.message();
    bench.message();
    bench.queue.give_up_all();
    let next = bench.queue.next_to_send().expect("the receiver must learn of it");
    assert_eq!((next.sequence, next.forward, next.abandoned), (2, 2, true));
}

#[test]
fn a_gap_before_what_is_in_flight_is_announced_without_waiting_for_it() {
    // The RFC's figure 21, line 25: 60 is given up while 64 is in flight.
    let mut bench = Bench::new();
    let (first, second) = (bench.message(), bench.message());
    bench.send();
    bench.send();
    bench.lose(first);
    bench.queue.give_up(first);
    bench.queue.depart(FLOW, second, 100, &mut bench.sent);
    let next = bench.queue.next_to_send().expect("the update");
    assert_eq!((next.sequence, next.forward, next.abandoned), (first, first, true));
}

#[test]
fn finishing_marks_a_fresh_tail_and_adds_an_empty_one_otherwise() {
    let mut bench = Bench::new();
    bench.message();
    bench.queue.finish();
    assert_eq!(bench.queue.next_to_send().map(|next| (next.finished, next.abandoned)), Some((true, false)));

    let mut bench = Bench::new();
    bench.message();
    bench.send();
    bench.queue.finish();
    let next = bench.queue.next_to_send().expect("the last fragment");
    assert_eq!((next.sequence, next.finished, next.abandoned, next.forward), (2, true, true, 0));
}

#[test]
fn a_finished_queue_given_up_still_sends_its_last_number() {
    let mut bench = Bench::new();
    (0..3).for_each(|_| _ = bench.message());
    bench.queue.finish();
    bench.queue.give_up_all();
    let next = bench.queue.next_to_send().expect("the last fragment");
    assert_eq!((next.sequence, next.forward, next.finished, next.abandoned), (3, 3, true, true));
    bench.send();
    bench.acknowledge(3, &[]);
    assert!(bench.queue.is_empty());
}

#[test]
fn a_message_of_several_fragments_begins_in_the_packet_that_the_one_before_it_ends_in() {
    let mut bench = Bench::new();
    let mut lengths = |sizes: &[usize]| {
        for size in sizes {
            bench.queue.push(Bytes::from(vec![1; *size]), 1000, WriteOptions::default());
        }
        let mut lengths = Vec::new();
        while let Some(next) = bench.queue.next_to_send() {
            lengths.push(next.data.len());
            bench.queue.depart(FLOW, next.sequence, next.data.len(), &mut bench.sent);
        }
        lengths
    };
    // 300 and 696 bytes and a header of four bytes are a packet's worth.
    assert_eq!(lengths(&[1300, 1700]), [1000, 300, 696, 1000, 4]);
    // Nothing waits any more, so nothing is filled up; and a short message stays in one piece.
    assert_eq!(lengths(&[1700, 900, 1100]), [1000, 700, 900, 1000, 100]);
}
