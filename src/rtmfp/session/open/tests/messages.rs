//! From fragments to messages (RFC 7016 §3.6.3.2, §3.6.3.3).

use super::lone::{Lone, data, first_data, fragment, ms, opening};
use crate::rtmfp::endpoint::{Delivery, ReceiveFlowId};
use crate::rtmfp::wire::chunk::Chunk;
use crate::rtmfp::wire::user_data::FragmentPlace::{First, Last, Middle, Whole};
use crate::rtmfp::wire::user_data::{FragmentPlace, UserData};

const FLOW: ReceiveFlowId = ReceiveFlowId(5);

fn part(sequence: u64, place: FragmentPlace, data: &'static [u8]) -> Chunk<'static> {
    Chunk::UserData(UserData { fragment: place, data, ..opening(5, sequence, 0) })
}

fn texts(bob: &Lone) -> Vec<String> {
    bob.messages().into_iter().map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

/// Conforms: 7016-3.6.3.3-a, 7016-3.6.3.3-e
#[test]
fn messages_are_given_whole_and_in_order_and_broken_ones_not_at_all() {
    let mut bob = Lone::new();
    bob.hears(&[part(1, First, b"on"), part(2, Middle, b"e a")]);
    assert_eq!(texts(&bob), [""; 0], "it lacks its end so far");
    bob.hears(&[part(3, Last, b"nd a half"), part(4, Whole, b"two")]);
    assert_eq!(texts(&bob), ["one and a half", "two"]);
    // Without a beginning; without an end, followed by another; without an end, followed by what was given up.
    bob.hears(&[part(5, Middle, b"?"), part(6, Last, b"?"), part(7, First, b"?"), part(8, Whole, b"three")]);
    assert_eq!(texts(&bob)[2..], ["three"]);
    bob.hears(&[part(9, First, b"?")]);
    bob.hears(&[data(5, 11, 10)]);
    assert_eq!(texts(&bob)[3..], ["x"]);
    assert_eq!(bob.session.receive_flows[&FLOW].held_bytes(), 0);
}

/// Conforms: 7016-3.6.3.3-c, 7016-3.6.3.3-d
#[test]
fn what_is_left_of_messages_that_will_never_be_whole_makes_room() {
    let mut bob = Lone::new();
    let held = |bob: &Lone| bob.session.receive_flows[&FLOW].held_bytes() > 0;
    bob.hears(&[part(2, First, b"?"), part(3, Middle, b"?")]);
    assert!(held(&bob), "beyond a hole: it may be whole one day");
    bob.hears(&[part(1, Whole, b"x")]);
    assert!(held(&bob), "it may go on");
    bob.hears(&[Chunk::UserData(UserData { abandoned: true, ..fragment(5, 4, 4) })]);
    assert!(!held(&bob), "its next fragment was given up");
    bob.hears(&[part(6, Middle, b"?"), part(7, Last, b"?")]);
    assert!(held(&bob));
    bob.hears(&[Chunk::UserData(UserData { abandoned: true, ..fragment(5, 5, 5) })]);
    assert!(!held(&bob), "its first fragment was given up");
}

/// Conforms: 7016-3.6.3.3-f
#[test]
fn in_order_nothing_beyond_a_hole_is_given_and_in_arrival_order_everything_whole_is_given_at_once() {
    for (order, expected) in [(Delivery::Ordered, vec!["a"]), (Delivery::Arrival, vec!["a", "c", "de"])] {
        let mut bob = Lone::new();
        bob.accepts = Some(order);
        bob.hears(&[part(1, Whole, b"a")]);
        bob.hears(&[part(3, Whole, b"c")]);
        bob.hears(&[part(6, Last, b"e")]);
        bob.hears(&[part(5, First, b"d")]);
        assert_eq!(texts(&bob), expected, "{order:?}");
        bob.hears(&[part(2, Whole, b"b")]);
        bob.hears(&[part(4, Whole, b"!")]);
        let mut all = texts(&bob);
        if order == Delivery::Arrival {
            all.sort();
            assert_eq!(all, ["!", "a", "b", "c", "de"]);
        } else {
            assert_eq!(all, ["a", "b", "c", "!", "de"]);
        }
    }
}

/// Conforms: 7016-3.6.1.2-f
#[test]
fn a_hole_in_one_flow_holds_up_no_other() {
    let mut bob = Lone::new();
    bob.hears(&[first_data(5, 2, 0), first_data(6, 1, 0)]);
    assert_eq!(bob.messages(), [(6, b"x".to_vec())]);
}

/// Conforms: 7016-3.6.3.2-g, 7016-2.3.11-f
#[test]
fn a_duplicate_replaces_nothing_and_what_was_given_up_has_no_data() {
    let mut bob = Lone::new();
    bob.hears(&[part(2, Whole, b"first")]);
    bob.hears(&[part(2, Whole, b"second")]);
    let given_up = UserData { abandoned: true, data: b"ignored", ..opening(5, 3, 0) };
    bob.hears(&[Chunk::UserData(given_up)]);
    bob.hears(&[part(3, Whole, b"too late")]);
    bob.hears(&[part(1, Whole, b"zero")]);
    assert_eq!(texts(&bob), ["zero", "first"]);
    let now = bob.now;
    bob.session.reject_flow(now, FLOW, 1);
    bob.hears(&[part(5, Whole, b"not wanted")]);
    assert_eq!(bob.session.receive_flows[&FLOW].held_bytes(), 0);
    assert!(bob.wait(ms(1000)).is_empty());
}

/// Conforms: trap-8
#[test]
fn a_forward_number_that_is_the_number_itself_says_that_nothing_before_it_will_come() {
    let mut bob = Lone::new();
    bob.hears(&[part(4, Whole, b"four")]);
    let update = UserData { abandoned: true, data: b"", ..opening(5, 3, 3) };
    let told = super::lone::acks_in(&bob.hears(&[Chunk::UserData(update)]));
    assert_eq!((told[0].cumulative, told[0].islands.len()), (4, 0));
    assert_eq!(texts(&bob), ["four"]);
}
