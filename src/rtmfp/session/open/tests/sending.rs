//! What goes into packets, and with what numbers (RFC 7016 §2.3.11, §3.6.2.2, §3.6.2.3, §3.6.2.7).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::lone::{
    Fragment, Lone, PLAIN, Packet, ack, ack_with_room, data, data_in, first_data, fragment, ms, numbers_in,
};
use crate::rtmfp::endpoint::{Priority, SendFlowId, WriteOptions};
use crate::rtmfp::limits;
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::packet::PacketHeader;
use crate::rtmfp::wire::user_data::{FragmentPlace, UserData};

fn finish_by(lone: &Lone, span: Duration) -> WriteOptions {
    WriteOptions { finish_by: Some(lone.now + span), ..WriteOptions::default() }
}

/// Lets everything in flight be lost: the retransmission timeout passes.
fn time_out(lone: &mut Lone) -> Vec<Packet> {
    let timeout = lone.session.figures(lone.now).retransmission_timeout;
    lone.wait(timeout)
}

/// Conforms: 7016-2.3.11-e, 7016-3.6.2.2-b
#[test]
fn the_fragments_of_a_message_have_adjacent_numbers_from_its_beginning_to_its_end() {
    use FragmentPlace::{First, Last, Middle, Whole};
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    for length in [10, 3000, 2000, 0] {
        ada.queue(flow, &vec![7; length], WriteOptions::default());
    }
    let mut said = data_in(&ada.says());
    while let Some(last) = said.last().filter(|last| last.sequence < 8) {
        let acknowledged = last.sequence;
        said.extend(data_in(&ada.hears(&[ack(flow, acknowledged, &[])])));
    }
    let seen: Vec<_> = said.iter().map(|fragment| (fragment.sequence, fragment.place)).collect();
    // The third begins in the packet that the second ends in.
    let third = [(5, First), (6, Middle), (7, Last)];
    let expected = [&[(1, Whole), (2, First), (3, Middle), (4, Last)][..], &third, &[(8, Whole)]].concat();
    assert_eq!(seen, expected);
    assert_eq!(said.iter().map(|fragment| fragment.data.len()).sum::<usize>(), 5010);
}

/// Conforms: 7016-3.6.2.2-c
#[test]
fn an_empty_message_is_a_whole_fragment_without_data_and_arrives_empty() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    let said = data_in(&ada.writes(flow, b""));
    assert_eq!((said[0].place, said[0].abandoned, said[0].data.len()), (FragmentPlace::Whole, false, 0));
    ada.hears(&[Chunk::UserData(UserData { data: b"", ..super::lone::opening(5, 1, 0) })]);
    assert_eq!(ada.messages(), [(5, vec![])]);
}

/// Conforms: 7016-3.6.2.2-a, 7016-3.6.2.3-h
#[test]
fn no_packet_is_longer_than_the_path_takes_with_the_longest_header_and_all_options() {
    let mut ada = Lone::new();
    let flow = ada.open_flow_with(&[7; 512], None);
    // A far end that sent its time: the next packet says ours, and echoes that.
    ada.hears_with(PacketHeader { timestamp: Some(1), ..PLAIN }, &[]);
    ada.skip(ms(12));
    ada.queue(flow, &[1; 9000], WriteOptions::default());
    let mut said = ada.says();
    for _ in 0..9 {
        // Nothing of the flow itself is acknowledged: the options stay.
        said.extend(ada.hears(&[ack(SendFlowId(99), 0, &[])]));
    }
    let sizes: Vec<usize> =
        said.iter().map(|packet| packet.length() + packet.header.encoded_length()).collect();
    assert!(said.iter().any(|packet| packet.header.encoded_length() == 5), "the longest header there is");
    // Four bytes of session ID; the cipher of this test adds nothing.
    assert!(sizes.iter().all(|size| *size <= limits::DATAGRAM_SIZE - 4), "{sizes:?}");
    // A fragment that did not fit was left as it was: numbers follow each other without a hole.
    let numbers: Vec<u64> = data_in(&said).iter().map(|fragment| fragment.sequence).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64) && numbers.len() > 3, "{numbers:?}");
}

/// Conforms: 7016-3.6.2.3.2-a, 7016-3.6.2.3.2-b, 7016-2.3.12-b
#[test]
fn what_follows_in_number_and_packet_is_next_user_data_and_the_first_of_a_flow_never_is() {
    let mut ada = Lone::new();
    let flows = [ada.open_flow(), ada.open_flow()];
    for flow in flows {
        (0..3).for_each(|_| _ = ada.queue(flow, b"abc", WriteOptions::default()));
    }
    let said = ada.says();
    assert_eq!(said[0].kinds(), [0x10, 0x11, 0x11, 0x10, 0x11, 0x11]);
    // What is sent again but does not follow is spelled out.
    let resent = {
        ada.hears(&[ack(flows[0], 0, &[2..=2]), ack(flows[1], 3, &[])]);
        time_out(&mut ada)
    };
    assert_eq!(numbers_in(&resent), [(1, 0), (3, 0)]);
    assert_eq!(resent[0].kinds(), [0x10, 0x10]);
}

/// Conforms: 7016-3.6.1.2-a, 7016-3.6.1.2-b
#[test]
fn later_messages_have_greater_numbers_and_lower_numbers_go_first() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    let ids: Vec<u64> = (0..4).map(|_| ada.queue(flow, &[7; 1500], WriteOptions::default()).0).collect();
    assert!(ids.is_sorted_by(|one, other| one < other), "{ids:?}");
    let first = numbers_in(&ada.says());
    assert!(first.is_sorted());
    // After a loss the lost ones go before those that were never sent.
    let resent = numbers_in(&time_out(&mut ada));
    assert_eq!(resent[0].0, 1);
    assert!(resent.is_sorted());
}

/// Conforms: 7016-3.6.1.2-d, 7016-3.6.1.2-c
#[test]
fn a_message_that_is_never_sent_leaves_a_number_behind() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    ada.writes(flow, b"one");
    let too_late = WriteOptions { start_by: Some(ada.now), ..WriteOptions::default() };
    ada.queue(flow, b"never sent", too_late);
    let said = data_in(&ada.writes(flow, b"three"));
    assert_eq!((said.len(), said[0].sequence, &said[0].data[..]), (1, 3, &b"three"[..]));
    // Its receiver sees that there was something between the two.
    let mut bob = Lone::new();
    bob.hears(&[first_data(flow.0, 1, 0)]);
    bob.hears(&[data(flow.0, 3, 2)]);
    let gaps = bob.events.iter().filter(|event| matches!(event, crate::rtmfp::Event::Gap { .. })).count();
    assert_eq!((bob.messages().len(), gaps), (2, 1));
}

/// Conforms: 7016-3.6.2.3-b, slip-9
#[test]
fn of_abandoned_fragments_only_the_first_in_the_queue_and_the_last_of_the_flow_are_sent() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    ada.writes(flow, b"one");
    // Two to five are given up before they were sent; one is on its way.
    for _ in 0..4 {
        let too_late = WriteOptions { start_by: Some(ada.now), ..WriteOptions::default() };
        ada.queue(flow, b"late", too_late);
    }
    assert_eq!(numbers_in(&ada.says()), [], "none of them is first");
    // One arrived: the last of the four is first now, and says for all of them that they will not come.
    assert_eq!(numbers_in(&ada.hears(&[ack(flow, 1, &[])])), [(5, 5)]);
    let too_late = WriteOptions { start_by: Some(ada.now), ..WriteOptions::default() };
    ada.queue(flow, b"late", too_late);
    let now = ada.now;
    ada.session.expire_messages(now);
    ada.session.close_flow(now, flow);
    let said = data_in(&ada.says());
    assert_eq!((said.len(), said[0].sequence, said[0].finished, said[0].abandoned), (1, 6, true, true));
}

/// Conforms: 7016-3.6.2.3-c, slip-3
#[test]
fn what_is_given_up_at_the_front_is_dropped_only_if_something_that_is_sent_tells_of_it() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    let by = finish_by(&ada, ms(3000));
    (0..3).for_each(|_| _ = ada.queue(flow, b"late", by));
    ada.says();
    // All three are lost at the moment they are too late. Behind them stands one to be sent: it tells.
    ada.queue(flow, b"four", WriteOptions::default());
    ada.hears(&[ack_with_room(flow, 0, 0, &[])]);
    time_out(&mut ada);
    assert_eq!(numbers_in(&ada.hears(&[ack(flow, 0, &[])])), [(4, 3)]);

    // With nothing behind, the last of them is not dropped but sent itself.
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    let by = finish_by(&ada, ms(3000));
    (0..3).for_each(|_| _ = ada.queue(flow, b"late", by));
    ada.says();
    let said = data_in(&time_out(&mut ada));
    assert_eq!((said.len(), said[0].sequence, said[0].forward, said[0].abandoned), (1, 3, 3, true));
}

#[test]
fn a_gap_is_told_at_once_though_more_was_given_up_behind_what_is_on_its_way() {
    let mut ada = Lone::new();
    let (flow, others) = (ada.open_flow(), [ada.open_flow(), ada.open_flow(), ada.open_flow()]);
    let by = finish_by(&ada, ms(100));
    ada.queue(flow, b"lost", by);
    ada.says();
    others.iter().for_each(|other| _ = ada.writes(*other, b"x"));
    ada.writes(flow, b"on its way");
    let too_late = WriteOptions { start_by: Some(ada.now), ..WriteOptions::default() };
    ada.queue(flow, b"never sent", too_late);
    assert_eq!(numbers_in(&ada.says()), []);
    ada.skip(ms(100));
    others[..2].iter().for_each(|other| _ = ada.hears(&[ack(*other, 1, &[])]));
    // One is lost and given up, two is on its way, three is given up: nobody else tells the receiver of one.
    assert_eq!(numbers_in(&ada.hears(&[ack(others[2], 1, &[])])), [(1, 1)]);
}

/// Conforms: 7016-3.6.2.3-d
#[test]
fn the_forward_number_follows_the_first_fragment_that_may_still_arrive() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    let by = finish_by(&ada, ms(100));
    ada.queue(flow, b"one", by);
    assert_eq!(numbers_in(&ada.says()), [(1, 0)], "not given up: one less than its number");
    ada.wait(ms(100));
    // Given up, but on its way, and not sent as given up.
    assert_eq!(numbers_in(&ada.writes(flow, b"two")), [(2, 0)]);
    // Lost: it will not come any more.
    let said = data_in(&time_out(&mut ada));
    assert_eq!((said[0].sequence, said[0].forward), (2, 1));
    // Sent as given up: its own number, also while it is on its way.
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    let too_late = WriteOptions { start_by: Some(ada.now), ..WriteOptions::default() };
    ada.queue(flow, b"late", too_late);
    assert_eq!(numbers_in(&ada.says()), [(1, 1)]);
    assert_eq!(numbers_in(&ada.writes(flow, b"two")), [(2, 1)]);
}

/// Conforms: 7016-3.6.2.3-g, 7016-3.6.2.7-a
#[test]
fn given_up_fragments_carry_the_mark_and_no_data_and_the_last_of_a_flow_its_mark_every_time() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    let by = finish_by(&ada, ms(3000));
    ada.queue(flow, &[7; 2000], by);
    let now = ada.now;
    ada.session.close_flow(now, flow);
    let said = data_in(&ada.says());
    assert_eq!(said.iter().map(|fragment| fragment.finished).collect::<Vec<_>>(), [false, true]);
    assert!(said.iter().all(|fragment| !fragment.abandoned && !fragment.data.is_empty()));
    // Given up when it is lost: both its fragments, though only its end is said again.
    let again = data_in(&time_out(&mut ada));
    assert_eq!((again.len(), again[0].sequence, again[0].forward), (1, 2, 2));
    assert!(again[0].finished && again[0].abandoned && again[0].data.is_empty());
}

/// Conforms: 7016-3.6.2-b, 7016-3.6.2.3-i
#[test]
fn a_fragment_sent_again_is_in_flight_with_the_size_of_its_new_chunk() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    let first = ada.writes(flow, b"abc");
    assert_eq!(ada.session.in_flight.bytes(), first[0].length(), "all of the chunk");
    assert_eq!(ada.session.send_flows[&flow].queue.in_flight_bytes(), first[0].length());
    // Something was acknowledged, so the chunk has no options any more.
    ada.hears(&[ack(flow, 0, &[])]);
    let again = time_out(&mut ada);
    assert!(again[0].length() < first[0].length());
    assert_eq!(ada.session.in_flight.bytes(), again[0].length());
    ada.hears(&[ack(flow, 1, &[])]);
    assert_eq!(ada.session.in_flight.bytes(), 0);
    assert_eq!(data_in(&again)[0].data, b"abc");
}

#[test]
fn a_packet_with_real_time_data_says_so_in_its_header_and_others_do_not() {
    let mut ada = Lone::new();
    let plain = ada.open_flow();
    let sound = ada.session.open_flow(crate::rtmfp::FlowOptions {
        metadata: bytes::Bytes::new(),
        priority: Priority::Audio,
        time_critical: true,
        answers: None,
    });
    let sound = sound.expect("an open session");
    assert!(!ada.writes(plain, b"file")[0].header.time_critical);
    assert!(ada.writes(sound, b"sound")[0].header.time_critical);
}

/// Conforms: 7016-3.6.2.7-b
#[test]
fn what_was_given_up_stays_given_up_whatever_is_heard_of_it() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    let by = finish_by(&ada, ms(100));
    ada.queue(flow, &[7; 2000], by);
    ada.says();
    ada.wait(ms(100));
    ada.hears(&[ack(flow, 0, &[2..=2])]);
    for _ in 0..3 {
        let said = data_in(&time_out(&mut ada));
        assert!(said.iter().all(|fragment| fragment.abandoned && fragment.data.is_empty()), "{said:?}");
    }
}

/// Conforms: 7016-3.6.2.7.1-a
#[test]
fn with_nothing_left_to_send_a_receiver_with_gaps_is_told_of_them_by_an_update() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    let by = finish_by(&ada, ms(3000));
    ada.queue(flow, b"lost", by);
    ada.says();
    ada.writes(flow, b"arrives");
    ada.hears(&[ack(flow, 0, &[2..=2])]);
    let said = data_in(&time_out(&mut ada));
    assert_eq!(said.len(), 1);
    assert!(said[0].abandoned && said[0].data.is_empty());
    assert_eq!((said[0].sequence, said[0].forward), (1, 1), "its own number, offset 0");
    // Until it is acknowledged it is said again.
    assert_eq!(numbers_in(&time_out(&mut ada)), [(1, 1)]);
    ada.hears(&[ack(flow, 2, &[])]);
    assert!(time_out(&mut ada).is_empty());
}

/// What is known of a sender from outside: what it sent, and what was said about it.
#[derive(Default)]
struct Outside {
    /// Numbers on their way, and whether they were sent as given up. Lost ones are not known to be, and stay.
    outstanding: BTreeMap<u64, bool>,
    acknowledged: BTreeSet<u64>,
    /// Data of each number when it was first sent.
    said: BTreeMap<u64, Vec<u8>>,
    highest_forward: u64,
}

impl Outside {
    fn look_at(&mut self, fragment: &Fragment) -> Result<(), TestCaseError> {
        let Fragment { sequence, forward, abandoned, .. } = *fragment;
        prop_assert!(sequence > 0, "numbers begin above 0");
        prop_assert!(forward <= sequence, "an offset below 0");
        prop_assert!(forward < sequence || abandoned, "an offset of 0 on data");
        prop_assert!(forward >= self.highest_forward, "{forward} after {}", self.highest_forward);
        let update = abandoned && sequence == forward;
        prop_assert!(sequence > self.highest_forward || update, "{sequence} after {}", self.highest_forward);
        self.highest_forward = forward;
        if let Some(data) = self.said.get(&sequence) {
            prop_assert!(abandoned || *data == fragment.data, "a number that says something else");
        } else if !abandoned {
            self.said.insert(sequence, fragment.data.clone());
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Write { length: usize, lives: u64 },
    Arrive { numbers: u64 },
    Wait { ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_usize..3000, prop_oneof![Just(0_u64), 1_u64..400, Just(1 << 20)])
            .prop_map(|(length, lives)| Step::Write { length, lives }),
        any::<u64>().prop_map(|numbers| Step::Arrive { numbers }),
        (1_u64..2000).prop_map(|ms| Step::Wait { ms }),
    ]
}

proptest! {
    /// Conforms: 7016-2.3.11-h, 7016-2.3.11-i, 7016-2.3.11-j, 7016-2.3.11-k, 7016-3.6.2.3-e, 7016-3.6.2.3-f, trap-8
    #[test]
    fn whatever_is_lost_and_given_up_the_numbers_that_go_out_keep_their_rules(steps in prop::collection::vec(step(), 1..60)) {
        let mut ada = Lone::new();
        let flow = ada.open_flow();
        let mut outside = Outside::default();
        for step in steps {
            let said = match step {
                Step::Write { length, lives } => {
                    let by = finish_by(&ada, ms(lives));
                    ada.queue(flow, &vec![length as u8; length], by);
                    ada.says()
                }
                Step::Arrive { numbers } => {
                    // Some of what is on its way arrives; its receiver says so, and passes what it need not wait for.
                    let arrived: Vec<u64> = outside.outstanding.keys().copied().collect();
                    for (index, number) in arrived.into_iter().enumerate() {
                        if numbers >> (index % 64) & 1 == 1 {
                            outside.outstanding.remove(&number);
                            outside.acknowledged.insert(number);
                        }
                    }
                    outside.acknowledged.extend(1..=outside.highest_forward);
                    let have = &outside.acknowledged;
                    let cumulative = (1..).take_while(|number| have.contains(number)).last().unwrap_or(0);
                    let islands: Vec<_> = have.iter().filter(|number| **number > cumulative + 1).map(|number| *number..=*number).collect();
                    let mut merged: Vec<std::ops::RangeInclusive<u64>> = Vec::new();
                    for island in islands {
                        match merged.last_mut() {
                            Some(last) if *last.end() + 1 == *island.start() => *last = *last.start()..=*island.end(),
                            _ => merged.push(island),
                        }
                    }
                    ada.hears(&[ack(flow, cumulative, &merged)])
                }
                Step::Wait { ms: time } => ada.wait(ms(time)),
            };
            let said = data_in(&said);
            for fragment in &said {
                outside.look_at(fragment)?;
                outside.outstanding.insert(fragment.sequence, fragment.abandoned);
            }
            if let Some(last) = said.last() {
                for (number, sent_abandoned) in ada.session.send_flows[&flow].queue.outstanding() {
                    prop_assert!(last.forward < number || last.forward == number && sent_abandoned);
                }
            }
        }
        // With everything arriving from here on, the queue empties, and nothing blocks it.
        for _ in 0..200 {
            let last = outside.outstanding.keys().next_back().copied().unwrap_or(0).max(outside.highest_forward);
            let mut said = ada.hears(&[ack(flow, last, &[])]);
            said.extend(ada.wait(ms(500)));
            for fragment in data_in(&said) {
                outside.look_at(&fragment)?;
                outside.outstanding.insert(fragment.sequence, fragment.abandoned);
            }
        }
        prop_assert!(ada.session.send_flows[&flow].queue.is_empty());
    }
}

#[test]
fn a_number_from_a_far_end_that_would_wrap_is_not_believed() {
    let mut bob = Lone::new();
    let piece = UserData { options: super::lone::opening(5, 1, 0).options, ..fragment(5, u64::MAX, 0) };
    bob.hears(&[Chunk::UserData(piece)]);
    assert_eq!(bob.messages(), []);
}
