//! The RFC's own examples, replayed: figures 20 and 21 by a sender, figure 23 by a receiver (RFC 7016 §3.6.2.8, §3.6.3.4.7).

use std::ops::RangeInclusive;
use std::time::Instant;

use super::lone::{Lone, Packet, ack, acks_in, data, data_in, first_data, ms, numbers_in};
use crate::rtmfp::endpoint::{SendFlowId, WriteOptions};

/// A sender whose fragments each have a packet of their own.
struct Sender {
    ada: Lone,
    flow: SendFlowId,
    next: u64,
}

impl Sender {
    /// One that has sent 1 up to and with `last`, of which everything through `acknowledged` arrived.
    fn after(last: u64, acknowledged: u64, give_up: &[(u64, Instant)], ada: Lone, flow: SendFlowId) -> Self {
        let mut sender = Self { ada, flow, next: 1 };
        for number in 1..=last {
            let by = give_up.iter().find(|(given_up, _)| *given_up == number).map(|(_, at)| *at);
            let expected = (number, if number <= acknowledged + 1 { number - 1 } else { acknowledged });
            assert_eq!(sender.sends_by(by), [expected]);
            sender.hears(number.min(acknowledged), &[]);
        }
        sender
    }

    /// The next message, and what goes out: numbers and forward numbers.
    fn sends(&mut self) -> Vec<(u64, u64)> {
        self.sends_by(None)
    }

    fn sends_by(&mut self, finish_by: Option<Instant>) -> Vec<(u64, u64)> {
        self.next += 1;
        let options = WriteOptions { finish_by, ..WriteOptions::default() };
        self.ada.queue(self.flow, b"x", options);
        numbers_in(&self.ada.says())
    }

    /// An acknowledgement, and what goes out because of it.
    fn hears(&mut self, cumulative: u64, islands: &[RangeInclusive<u64>]) -> Vec<(u64, u64)> {
        numbers_in(&self.hears_packets(cumulative, islands))
    }

    fn hears_packets(&mut self, cumulative: u64, islands: &[RangeInclusive<u64>]) -> Vec<Packet> {
        self.ada.hears(&[ack(self.flow, cumulative, islands)])
    }

    /// An acknowledgement with the next message ready to go in answer to it.
    fn hears_and_sends(&mut self, cumulative: u64, islands: &[RangeInclusive<u64>]) -> Vec<(u64, u64)> {
        self.next += 1;
        self.ada.queue(self.flow, b"x", WriteOptions::default());
        self.hears(cumulative, islands)
    }
}

/// Figure 20.
///
/// Conforms: 7016-3.6.2.8-a
#[test]
fn without_loss_the_forward_number_follows_the_acknowledgements() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    let mut sender = Sender::after(24, 16, &[], ada, flow);
    assert_eq!(sender.hears(16, &[]), []);
    assert_eq!(sender.sends(), [(25, 16)]);
    assert_eq!(sender.sends(), [(26, 16)]);
    assert_eq!(sender.hears(18, &[]), []);
    assert_eq!(sender.sends(), [(27, 18)]);
    assert_eq!(sender.sends(), [(28, 18)]);
}

/// Figure 21.
///
/// Conforms: 7016-3.6.2.8-a, slip-2, slip-3
#[test]
fn of_three_lost_fragments_one_is_sent_again_and_two_are_given_up() {
    let mut ada = Lone::new();
    ada.open_flow();
    let flow = ada.open_flow();
    let late_31 = ada.now + ms(100);
    let mut sender = Sender::after(44, 30, &[(31, late_31)], ada, flow);
    // Lines 1 to 5.
    assert_eq!(sender.hears(30, &[]), []);
    assert_eq!(sender.sends(), [(45, 30)]);
    assert_eq!(sender.hears(30, &[32..=32]), []);
    assert_eq!(sender.sends(), [(46, 30)]);
    assert_eq!(sender.hears(30, &[32..=32, 34..=34]), []);
    // Line 6: 31 was passed over a third time, and is too late to be sent again; line 7 says that it will not come.
    sender.ada.skip(ms(100));
    assert_eq!(sender.hears_and_sends(30, &[32..=32, 34..=35]), [(47, 32)]);
    // Lines 8 and 9: 33 is lost, and sent again.
    assert_eq!(sender.hears(30, &[32..=32, 34..=36]), [(33, 32)]);
    // Lines 10 to 12.
    assert_eq!(sender.hears(30, &[32..=32, 34..=37]), []);
    for (sent, acknowledged) in (48..=59).zip(38..) {
        assert_eq!(sender.sends(), [(sent, 32)]);
        // What figure 23 acknowledges for each: 32 among them, which line 13 of figure 21 forgets.
        assert_eq!(sender.hears(30, &[32..=32, 34..=acknowledged.min(45)]), []);
    }
    let late_60 = sender.ada.now + ms(100);
    assert_eq!(sender.sends_by(Some(late_60)), [(60, 32)]);
    // Lines 13 to 20.
    assert_eq!(sender.hears_and_sends(30, &[32..=32, 34..=46]), [(61, 32)]);
    assert_eq!(sender.hears_and_sends(32, &[34..=47]), [(62, 32)]);
    assert_eq!(sender.hears_and_sends(47, &[]), [(63, 47)]);
    assert_eq!(sender.hears_and_sends(49, &[]), [(64, 49)]);
    // Lines 21 to 23.
    assert_eq!(sender.hears(59, &[]), []);
    assert_eq!(sender.hears(59, &[61..=61]), []);
    assert_eq!(sender.hears(59, &[61..=62]), []);
    // Lines 24 and 25: 60 is lost, and too late; behind it only 64, which is on its way and tells nobody.
    sender.ada.skip(ms(100));
    let update = sender.hears_packets(59, &[61..=63]);
    assert_eq!(numbers_in(&update), [(60, 60)]);
    assert!(data_in(&update)[0].abandoned && data_in(&update)[0].data.is_empty());
    // Lines 26 and 27.
    assert_eq!(sender.hears(59, &[61..=64]), []);
    assert_eq!(sender.hears(64, &[]), []);
    assert!(sender.ada.session.send_flows[&flow].queue.is_empty());
}

/// What a packet acknowledges: everything through a number, and more beyond holes.
fn acknowledged(packets: &[Packet]) -> Vec<(u64, Vec<RangeInclusive<u64>>)> {
    acks_in(packets).into_iter().map(|ack| (ack.cumulative, ack.islands)).collect()
}

/// Figure 23.
///
/// Conforms: 7016-3.6.3.4.7-a, slip-2
#[test]
fn a_receiver_acknowledges_a_flow_with_two_losses_as_the_rfc_does() {
    let mut bob = Lone::new();
    let hears = |bob: &mut Lone, number, forward| acknowledged(&bob.hears(&[data(3, number, forward)]));
    bob.hears(&[first_data(3, 1, 0)]);
    for number in 2..=28 {
        bob.hears(&[data(3, number, number.min(18))]);
    }
    bob.wait(ms(200));
    // Lines 1 to 3: every second packet.
    assert_eq!(hears(&mut bob, 29, 18), []);
    assert_eq!(hears(&mut bob, 30, 18), [(30, vec![])]);
    // Lines 4 to 7: each packet beyond a hole.
    assert_eq!(hears(&mut bob, 32, 20), [(30, vec![32..=32])]);
    assert_eq!(hears(&mut bob, 34, 22), [(30, vec![32..=32, 34..=34])]);
    for number in 35..=45 {
        assert_eq!(hears(&mut bob, number, 30), [(30, vec![32..=32, 34..=number])]);
    }
    // Lines 8 to 11: the forward number closes the hole at 31.
    assert_eq!(hears(&mut bob, 46, 30), [(30, vec![32..=32, 34..=46])]);
    assert_eq!(hears(&mut bob, 47, 32), [(32, vec![34..=47])]);
    // Lines 12 and 13: 33 came after all.
    assert_eq!(hears(&mut bob, 33, 32), [(47, vec![])]);
    // Lines 14 to 16: as at the beginning.
    assert_eq!(hears(&mut bob, 48, 32), []);
    assert_eq!(hears(&mut bob, 49, 32), [(49, vec![])]);
    let numbers: Vec<u64> = bob
        .events
        .iter()
        .filter_map(|event| match event {
            crate::rtmfp::Event::Message { sequence, .. } => Some(*sequence),
            _ => None,
        })
        .collect();
    assert!(numbers.into_iter().eq((1..=30).chain(32..=49)), "in order, without the one that was given up");
}
