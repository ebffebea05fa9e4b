use std::time::Duration;

use super::*;

const SMALL: ReceiveLimits = ReceiveLimits { window: 4096, largest_message: 1000 };

fn flow() -> ReceiveFlow {
    let mut flow = ReceiveFlow::new(SMALL);
    flow.accept(Delivery::Ordered);
    flow
}

fn whole(sequence: u64, forward: u64) -> Piece<'static> {
    Piece { sequence, forward, place: FragmentPlace::Whole, abandoned: false, finished: false, data: b"data" }
}

fn delivered(flow: &mut ReceiveFlow) -> Vec<u64> {
    let mut out = Vec::new();
    flow.deliver(&mut out).expect("small messages");
    out.iter().for_each(|message| _ = flow.note_given(message));
    out.into_iter().map(|message| message.first).collect()
}

#[test]
fn fragments_in_order_are_delivered_and_wait_for_their_acknowledgement() {
    let (mut flow, now) = (flow(), Instant::now());
    assert!(!flow.on_piece(now, whole(1, 0)) && !flow.on_piece(now, whole(2, 0)));
    assert!(flow.owes_acknowledgement);
    assert_eq!(delivered(&mut flow), [1, 2]);
}

#[test]
fn a_gap_is_acknowledged_at_once_and_so_is_what_fills_it() {
    let (mut flow, now) = (flow(), Instant::now());
    assert!(flow.on_piece(now, whole(2, 0)));
    assert_eq!((flow.cumulative(), flow.islands(9)), (0, vec![2..=2]));
    assert!(flow.on_piece(now, whole(1, 0)));
    assert_eq!(delivered(&mut flow), [1, 2]);
    assert!(!flow.on_piece(now, whole(3, 0)));
}

#[test]
fn a_duplicate_is_acknowledged_at_once_and_delivered_once() {
    let (mut flow, now) = (flow(), Instant::now());
    flow.on_piece(now, whole(1, 0));
    assert!(flow.on_piece(now, whole(1, 0)));
    assert_eq!(delivered(&mut flow), [1]);
}

#[test]
fn a_forward_number_lets_what_is_behind_a_given_up_message_through() {
    let (mut flow, now) = (flow(), Instant::now());
    flow.on_piece(now, whole(3, 2));
    assert_eq!((delivered(&mut flow), flow.cumulative()), (vec![3], 3));
}

#[test]
fn nothing_is_delivered_before_the_flow_is_taken() {
    let (mut flow, now) = (ReceiveFlow::new(SMALL), Instant::now());
    flow.on_piece(now, whole(1, 0));
    assert_eq!(delivered(&mut flow), [0_u64; 0]);
    flow.accept(Delivery::Ordered);
    assert_eq!(delivered(&mut flow), [1]);
}

#[test]
fn the_window_shrinks_with_what_is_held_but_never_to_nothing() {
    let (mut flow, now) = (flow(), Instant::now());
    assert_eq!(flow.window(), 4096);
    let piece = Piece { data: &[0; 936], ..whole(3, 0) };
    for sequence in 3..8 {
        flow.on_piece(now, Piece { sequence, ..piece });
    }
    assert_eq!(flow.window(), 1);
    flow.note_acknowledged(1);
    assert!(!flow.owes_acknowledgement);
}

/// Conforms: 7016-3.6.3.2-c, 7016-3.6.3.4.1-e
#[test]
fn a_sender_that_was_told_of_less_than_two_blocks_is_answered_at_once() {
    let (mut flow, now) = (flow(), Instant::now());
    let mut next = 1..;
    for (told, at_once) in [(4096, false), (1024, true), (1025, false), (0, true)] {
        flow.note_acknowledged(told);
        let number = next.next().expect("numbers");
        assert_eq!(flow.on_piece(now, whole(number, 0)), at_once, "{told}");
        delivered(&mut flow);
    }
}

#[test]
fn what_is_held_is_bounded_whatever_comes() {
    let mut flow = ReceiveFlow::new(ReceiveLimits { window: 1000, largest_message: 1000 });
    flow.accept(Delivery::Ordered);
    let now = Instant::now();
    for sequence in 2..1000 {
        flow.on_piece(now, Piece { data: &[0; 1100], ..whole(sequence, 0) });
    }
    assert!(flow.buffer.cost() <= flow.hard_limit() + 2000);
    assert_eq!(flow.islands(9).len(), 1, "what was not taken is not acknowledged");
}

#[test]
fn a_flow_ends_once_everything_came_and_still_answers_repeated_data() {
    let (mut flow, now) = (flow(), Instant::now());
    let last = Piece { finished: true, ..whole(2, 0) };
    assert!(flow.on_piece(now, last));
    assert_eq!(flow.take_end(), None);
    assert!(flow.on_piece(now, whole(1, 0)));
    assert_eq!(delivered(&mut flow), [1, 2]);
    assert_eq!((flow.take_end(), flow.take_end()), (Some(FlowEnd { after_gap: false }), None));
    assert_eq!(flow.forgotten_at(), Some(now + Duration::from_secs(120)));
    flow.note_acknowledged(1);
    assert!(flow.on_piece(now, last) && flow.owes_acknowledgement);
}

#[test]
fn a_rejected_flow_takes_nothing_but_still_acknowledges_and_completes() {
    let (mut flow, now) = (flow(), Instant::now());
    flow.on_piece(now, whole(1, 0));
    flow.reject(7);
    assert_eq!((flow.rejection(), flow.buffer.is_empty()), (Some(7), true));
    assert!(flow.on_piece(now, Piece { abandoned: true, finished: true, ..whole(2, 2) }));
    assert_eq!(flow.cumulative(), 2);
    assert!(flow.forgotten_at().is_some() && flow.take_end().is_none());
}

#[test]
fn a_message_of_nothing_but_empty_fragments_does_not_grow_without_bound() {
    let (mut flow, now) = (flow(), Instant::now());
    let mut too_large = false;
    for sequence in 1..5000 {
        let place = if sequence == 1 { FragmentPlace::First } else { FragmentPlace::Middle };
        flow.on_piece(now, Piece { place, data: b"", ..whole(sequence, 0) });
        too_large |= flow.deliver(&mut Vec::new()).is_err();
        assert!(too_large || flow.held_bytes() <= flow.hard_limit());
    }
    assert!(too_large);
}
