use super::*;
use crate::call::additions::Additions;
use crate::call::messages::Goodbye;

const ME: PeerId = PeerId([1; 32]);
const ADA: PeerId = PeerId([2; 32]);
const BOB: PeerId = PeerId([3; 32]);
const EVE: PeerId = PeerId([4; 32]);

fn id(peer: PeerId) -> RandomId {
    RandomId([peer.0[0]; 16])
}

fn rings(calls: &mut Calls, now: Instant, peer: PeerId) -> Vec<CallEffect> {
    let capabilities = Capabilities {
        intent: Intent::Call,
        call: id(peer),
        video: true,
        lasting: None,
        additions: Additions::OURS,
    };
    calls.named(now, peer, "somebody", Some(capabilities), id(peer))
}

/// A call with Ada that is up.
fn up(now: Instant) -> Calls {
    let mut calls = Calls::new(ME);
    rings(&mut calls, now, ADA);
    calls.accept(now);
    calls.lines_up(now, ADA);
    assert!(calls.flows_with(ADA));
    calls
}

/// Ada waits, and the call with Bob is up.
fn one_held(now: Instant) -> Calls {
    let mut calls = up(now);
    rings(&mut calls, now, BOB);
    calls.accept_second(now, true);
    calls.lines_up(now, BOB);
    assert!(calls.flows_with(BOB));
    calls
}

fn waiting(calls: &Calls) -> Option<PeerId> {
    calls.on_hold().map(|with| with.peer)
}

fn bye(peer: PeerId) -> Message {
    Message::Bye { call: id(peer), why: Goodbye::HangUp }
}

#[test]
fn a_call_during_a_call_rings_beside_it() {
    let now = Instant::now();
    let mut calls = up(now);
    let effects = rings(&mut calls, now, BOB);
    let told = CallEffect::Tell(Event::SecondRinging { peer: BOB, name: "somebody".into(), silently: false });
    assert!(effects.contains(&told), "{effects:?}");
    assert!(effects.contains(&CallEffect::Say(BOB, Message::Ringing(id(BOB)))));
    assert_eq!(calls.second().map(|with| with.peer), Some(BOB));
    assert!(calls.flows_with(ADA));
}

#[test]
fn a_third_call_is_busy() {
    let now = Instant::now();
    for mut calls in [up(now), one_held(now)] {
        if calls.on_hold().is_none() {
            rings(&mut calls, now, BOB);
        }
        let effects = rings(&mut calls, now, EVE);
        assert_eq!(effects, [CallEffect::Say(EVE, Message::Busy(id(EVE)))]);
    }
}

#[test]
fn taking_the_second_ends_the_first_unless_it_is_held() {
    let now = Instant::now();
    let mut calls = up(now);
    rings(&mut calls, now, BOB);
    let effects = calls.accept_second(now, false);
    assert!(effects.contains(&CallEffect::Say(ADA, bye(ADA))));
    assert!(effects.contains(&CallEffect::StopMedia));
    calls.lines_up(now, BOB);
    assert!(calls.flows_with(BOB) && waiting(&calls).is_none());

    let calls = one_held(now);
    assert_eq!(waiting(&calls), Some(ADA));
    assert!(!calls.flows_with(ADA));
}

#[test]
fn a_held_call_and_the_current_one_change_places() {
    let now = Instant::now();
    let mut calls = one_held(now);
    let effects = calls.hold(true);
    assert_eq!(
        effects,
        [
            CallEffect::Say(BOB, Message::Hold { call: id(BOB), on: true }),
            CallEffect::PauseMedia,
            CallEffect::Say(ADA, Message::Hold { call: id(ADA), on: false }),
            CallEffect::StartMedia(ADA),
        ]
    );
    assert!(calls.flows_with(ADA));
    assert_eq!(waiting(&calls), Some(BOB));
}

#[test]
fn when_the_current_call_ends_the_held_one_comes_back_and_still_waits() {
    let now = Instant::now();
    let mut calls = one_held(now);
    calls.hang_up(now);
    assert!(calls.is_up_with(ADA) && !calls.flows_with(ADA));
    assert_eq!(waiting(&calls), Some(ADA));
    assert!(calls.hold(false).contains(&CallEffect::StartMedia(ADA)));
    assert!(calls.flows_with(ADA));
}

#[test]
fn a_held_far_end_that_hangs_up_is_recorded_and_disturbs_nothing() {
    let now = Instant::now();
    let mut calls = one_held(now);
    let effects = calls.heard(now, ADA, &bye(ADA));
    assert!(effects.iter().any(|effect| matches!(effect, CallEffect::Record(ADA, _))));
    assert!(!effects.iter().any(|effect| matches!(effect, CallEffect::StopMedia | CallEffect::Tell(_))));
    assert!(calls.flows_with(BOB) && waiting(&calls).is_none());
}

#[test]
fn a_second_call_that_nobody_takes_is_missed() {
    let now = Instant::now();
    let mut calls = up(now);
    rings(&mut calls, now, BOB);
    let effects = calls.heard(now, BOB, &Message::Bye { call: id(BOB), why: Goodbye::NoAnswer });
    let missed = |effect: &CallEffect| matches!(effect, CallEffect::Record(BOB, record) if record.reason == EndReason::NoAnswer && record.incoming);
    assert!(effects.iter().any(missed), "{effects:?}");
    assert!(!effects.iter().any(|effect| matches!(effect, CallEffect::Tell(Event::Ended { .. }))));
    assert!(calls.second().is_none() && calls.flows_with(ADA));
}

#[test]
fn a_second_call_rings_as_the_first_once_the_first_is_over() {
    let now = Instant::now();
    let mut calls = up(now);
    rings(&mut calls, now, BOB);
    let effects = calls.heard(now, ADA, &bye(ADA));
    assert!(
        effects.iter().any(|effect| matches!(effect, CallEffect::Tell(Event::Ringing { peer: BOB, .. })))
    );
    assert!(matches!(calls.phase(), Phase::Ringing { .. }));
}

#[test]
fn nothing_flows_until_neither_end_holds() {
    let now = Instant::now();
    let mut calls = up(now);
    assert!(calls.hold(true).contains(&CallEffect::PauseMedia));
    calls.heard(now, ADA, &Message::Hold { call: id(ADA), on: true });
    assert!(!calls.hold(false).contains(&CallEffect::StartMedia(ADA)));
    let effects = calls.heard(now, ADA, &Message::Hold { call: id(ADA), on: false });
    assert_eq!(effects, [CallEffect::StartMedia(ADA)]);
}

#[test]
fn lines_that_come_back_are_told_again_who_waits() {
    let now = Instant::now();
    let mut calls = up(now);
    calls.hold(true);
    calls.lost(now, ADA, Loss::Vanished);
    let effects = calls.lines_up(now, ADA);
    assert_eq!(effects, [CallEffect::Say(ADA, Message::Hold { call: id(ADA), on: true })]);
}

#[test]
fn one_may_dial_somebody_else_while_the_first_waits() {
    let now = Instant::now();
    let mut calls = up(now);
    assert!(!calls.may_dial());
    calls.hold(true);
    assert!(calls.may_dial());
    calls.look(now, "Bob".into(), Some(BOB), true);
    assert_eq!(waiting(&calls), Some(ADA));
    calls.not_found(now, EndReason::NotFound);
    assert!(calls.is_up_with(ADA), "what waits comes back when nobody is found");
}
