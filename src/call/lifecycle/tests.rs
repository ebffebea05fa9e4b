use super::*;

const ME: PeerId = PeerId([1; 32]);
const FAR: PeerId = PeerId([2; 32]);
const OTHER: PeerId = PeerId([3; 32]);
const CALL: RandomId = RandomId([1; 16]);
const THEIRS: RandomId = RandomId([2; 16]);

fn caps(call: RandomId) -> Option<Capabilities> {
    Some(Capabilities { intent: Intent::Call, call, video: true, lasting: None, additions: Additions::OURS })
}

fn dialling(now: Instant) -> Lifecycle {
    let mut life = Lifecycle::new(ME);
    life.look(now, "Ada".into(), None, true);
    let effects = life.found(now, FAR, "Ada".into(), CALL, LinesNow::default(), EndReason::NoWayThrough);
    assert!(matches!(effects[..], [CallEffect::Dial(FAR, _)]));
    life
}

fn waiting(now: Instant) -> Lifecycle {
    let mut life = dialling(now);
    life.reached(now, FAR);
    life
}

fn ringing(now: Instant) -> Lifecycle {
    let mut life = Lifecycle::new(ME);
    life.named(now, FAR, "Ada", caps(THEIRS), CALL);
    life
}

fn up(now: Instant) -> Lifecycle {
    let mut life = ringing(now);
    life.accept(now);
    life.lines_up(now, FAR);
    assert!(life.is_up_with(FAR));
    life
}

fn ended(effects: &[CallEffect]) -> Option<EndReason> {
    effects.iter().find_map(|effect| match effect {
        CallEffect::Tell(Event::Ended { reason }) => Some(*reason),
        _ => None,
    })
}

fn says(effects: &[CallEffect], message: &Message) -> bool {
    effects.iter().any(|effect| matches!(effect, CallEffect::Say(FAR | OTHER, said) if said == message))
}

fn starts(effects: &[CallEffect]) -> bool {
    effects.contains(&CallEffect::StartMedia(FAR))
}

#[test]
fn a_call_that_is_answered_is_up_when_the_name_comes_back() {
    let now = Instant::now();
    let mut life = waiting(now);
    let rings = life.heard(now, FAR, &Message::Ringing(CALL));
    assert_eq!(rings, [CallEffect::Tell(Event::RingingThere)]);
    assert!(!starts(&life.named(now, FAR, "Ada", caps(CALL), THEIRS)));
    assert!(starts(&life.lines_up(now, FAR)));
}

#[test]
fn a_plain_client_that_names_itself_has_answered() {
    let now = Instant::now();
    let mut life = waiting(now);
    life.named(now, FAR, "Ada", None, THEIRS);
    assert!(starts(&life.lines_up(now, FAR)));
}

#[test]
fn a_far_end_that_only_chats_has_not_answered() {
    let now = Instant::now();
    let mut life = waiting(now);
    let chat = Capabilities {
        intent: Intent::Chat,
        call: THEIRS,
        video: false,
        lasting: None,
        additions: Additions::OURS,
    };
    life.named(now, FAR, "Ada", Some(chat), THEIRS);
    assert!(!starts(&life.lines_up(now, FAR)));
    assert!(starts(&life.heard(now, FAR, &Message::Accepted(CALL))));
}

#[test]
fn no_media_starts_here_before_the_person_accepts() {
    let now = Instant::now();
    let mut life = ringing(now);
    assert!(!starts(&life.lines_up(now, FAR)));
    let effects = life.accept(now);
    assert_eq!(effects[0], CallEffect::GiveName(FAR));
    assert!(starts(&effects));
}

#[test]
fn a_name_that_nobody_bears_ends_in_not_found() {
    let now = Instant::now();
    let mut life = Lifecycle::new(ME);
    life.look(now, "Nobody".into(), None, true);
    assert_eq!(ended(&life.tick(now + FIND_WITHIN)), Some(EndReason::NotFound));
}

#[test]
fn a_way_that_does_not_open_ends_in_no_way_through() {
    let now = Instant::now();
    let mut life = dialling(now);
    assert_eq!(life.tick(now + CONNECT_WITHIN / 2), []);
    assert_eq!(ended(&life.tick(now + CONNECT_WITHIN)), Some(EndReason::NoWayThrough));
    let mut life = dialling(now);
    assert_eq!(ended(&life.lost(now, FAR, Loss::Unreachable)), Some(EndReason::NoWayThrough));
}

#[test]
fn ringing_ends_after_its_time_at_both_ends() {
    let now = Instant::now();
    let mut caller = waiting(now);
    let effects = caller.tick(now + RING_FOR);
    assert!(says(&effects, &Message::Bye { call: CALL, why: Goodbye::NoAnswer }));
    assert_eq!(ended(&effects), Some(EndReason::NoAnswer));
    let mut called = ringing(now);
    let bye = Message::Bye { call: THEIRS, why: Goodbye::NoAnswer };
    assert_eq!(ended(&called.heard(now, FAR, &bye)), Some(EndReason::NoAnswer));
    let mut alone = ringing(now);
    assert_eq!(ended(&alone.tick(now + RUNG_FOR)), Some(EndReason::NoAnswer));
}

#[test]
fn declining_is_told_to_the_caller() {
    let now = Instant::now();
    let effects = ringing(now).decline(now);
    assert!(says(&effects, &Message::Declined(THEIRS)));
    assert_eq!(ended(&effects), Some(EndReason::Declined));
    let heard = waiting(now).heard(now, FAR, &Message::Declined(CALL));
    assert_eq!(ended(&heard), Some(EndReason::Declined));
}

#[test]
fn a_second_caller_hears_busy_and_the_call_goes_on() {
    let now = Instant::now();
    let mut life = up(now);
    let effects = life.named(now, OTHER, "Eve", caps(CALL), CALL);
    assert_eq!(effects, [CallEffect::Say(OTHER, Message::Busy(CALL))]);
    assert!(life.is_up_with(FAR));
    let heard = waiting(now).heard(now, FAR, &Message::Busy(CALL));
    assert_eq!(ended(&heard), Some(EndReason::Busy));
}

#[test]
fn a_second_caller_that_is_plain_finds_its_line_closed() {
    let now = Instant::now();
    assert_eq!(up(now).named(now, OTHER, "Eve", None, CALL), [CallEffect::Part(OTHER)]);
}

#[test]
fn who_stops_dialling_leaves_a_missed_call() {
    let now = Instant::now();
    let effects = waiting(now).hang_up(now);
    assert!(says(&effects, &Message::Bye { call: CALL, why: Goodbye::Cancel }));
    assert_eq!(ended(&effects), Some(EndReason::Cancelled));
    let mut called = ringing(now);
    let bye = Message::Bye { call: THEIRS, why: Goodbye::Cancel };
    let effects = called.heard(now, FAR, &bye);
    assert!(says(&effects, &Message::Ended(THEIRS)));
    let record = CallRecord { incoming: true, lasted: None, reason: EndReason::Cancelled };
    assert!(effects.contains(&CallEffect::Record(FAR, record)));
}

#[test]
fn hanging_up_ends_it_here_and_there() {
    let now = Instant::now();
    let mut here = up(now);
    let effects = here.hang_up(now + Duration::from_secs(60));
    assert_eq!(effects[0], CallEffect::Say(FAR, Message::Bye { call: THEIRS, why: Goodbye::HangUp }));
    assert_eq!(effects[1], CallEffect::StopMedia);
    assert_eq!(ended(&effects), Some(EndReason::Ended));
    assert!(matches!(here.phase(), Phase::Ended { lasted: Some(lasted), .. } if lasted.as_secs() == 60));
    let bye = Message::Bye { call: THEIRS, why: Goodbye::HangUp };
    assert_eq!(ended(&up(now).heard(now, FAR, &bye)), Some(EndReason::EndedThere));
}

#[test]
fn a_goodbye_to_an_older_call_ends_nothing() {
    let now = Instant::now();
    let mut life = up(now);
    let effects = life.heard(now, FAR, &Message::Bye { call: RandomId([9; 16]), why: Goodbye::HangUp });
    assert_eq!(ended(&effects), None);
    assert!(life.is_up_with(FAR));
}

#[test]
fn both_dialling_at_once_are_connected_without_ringing() {
    let now = Instant::now();
    let mut life = dialling(now);
    let effects = life.named(now, FAR, "Ada", caps(THEIRS), THEIRS);
    assert!(!effects.iter().any(|effect| matches!(effect, CallEffect::Tell(Event::Ringing { .. }))));
    assert!(starts(&life.lines_up(now, FAR)));
    assert_eq!(life.with().map(|with| with.call), Some(CALL), "the lower peer ID is the caller");
}

#[test]
fn silence_is_told_after_two_seconds_and_ends_the_call_after_thirty() {
    let now = Instant::now();
    let mut life = up(now);
    assert_eq!(life.silent_for(now + Duration::from_secs(1)), None);
    assert!(life.silent_for(now + Duration::from_secs(3)).is_some());
    life.alive(now + Duration::from_secs(4), FAR);
    assert_eq!(life.silent_for(now + Duration::from_secs(5)), None);
    let over = now + Duration::from_secs(34);
    assert_eq!(ended(&life.tick(over)), Some(EndReason::Vanished));
}

#[test]
fn a_lost_session_is_dialled_again_and_the_call_comes_back_without_ringing() {
    let now = Instant::now();
    let mut life = up(now);
    assert_eq!(ended(&life.lost(now, FAR, Loss::Vanished)), None);
    let again = life.deadline().expect("a redial");
    let effects = life.tick(again);
    assert!(matches!(&effects[..], [CallEffect::Dial(FAR, offer)] if offer.call == THEIRS));
    let effects = life.named(again, FAR, "Ada", caps(THEIRS), CALL);
    assert_eq!(effects[0], CallEffect::GiveName(FAR));
    life.lines_up(again, FAR);
    assert!(life.is_up_with(FAR));
    assert_eq!(life.silent_for(again), None);
}

#[test]
fn a_plain_client_whose_session_is_lost_has_vanished() {
    let now = Instant::now();
    let mut life = Lifecycle::new(ME);
    life.named(now, FAR, "Ada", None, CALL);
    life.accept(now);
    life.lines_up(now, FAR);
    let effects = life.lost(now, FAR, Loss::Vanished);
    assert_eq!(ended(&effects), Some(EndReason::Vanished));
    assert!(effects.contains(&CallEffect::Part(FAR)));
}

#[test]
fn a_call_over_lines_that_are_up_rings_and_is_accepted_on_them() {
    let now = Instant::now();
    let lines = LinesNow { up: true, plain: false };
    let mut called = Lifecycle::new(ME);
    let offer = Offer { peer: FAR, name: "Ada".into(), call: THEIRS, video: true, lines };
    called.offered(now, offer);
    let effects = called.accept(now);
    assert!(says(&effects, &Message::Accepted(THEIRS)));
    assert!(starts(&effects));

    let mut caller = Lifecycle::new(ME);
    caller.look(now, "Ada".into(), None, true);
    let effects = caller.found(now, FAR, "Ada".into(), CALL, lines, EndReason::NoWayThrough);
    assert!(!starts(&effects));
    assert!(starts(&caller.heard(now, FAR, &Message::Accepted(CALL))));
}

#[test]
fn whom_we_are_looking_for_calls_first_and_is_answered_without_ringing() {
    let now = Instant::now();
    let mut life = Lifecycle::new(ME);
    life.look(now, "ada".into(), None, true);
    life.looked_for_is(FAR);
    let effects = life.named(now, FAR, "Ada", caps(THEIRS), CALL);
    assert!(effects.contains(&CallEffect::GiveName(FAR)));
    assert!(!effects.iter().any(|effect| matches!(effect, CallEffect::Tell(_))));
    assert!(starts(&life.lines_up(now, FAR)));

    life = Lifecycle::new(ME);
    for wanted in [Some(FAR), None] {
        life.look(now, "Ada".into(), wanted, true);
        let effects = life.named(now, OTHER, "Ada", caps(THEIRS), CALL);
        assert_eq!(effects, [CallEffect::Say(OTHER, Message::Busy(THEIRS))], "a name is not a peer ID");
    }
}

#[test]
fn lines_that_close_without_a_goodbye_are_dialled_again() {
    let now = Instant::now();
    let mut life = up(now);
    assert_eq!(ended(&life.lost(now, FAR, Loss::Closed)), None);
    assert!(matches!(&life.tick(now)[..], [CallEffect::Dial(FAR, offer)] if offer.call == THEIRS));
}
