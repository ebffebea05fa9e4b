use super::*;
use crate::call::additions::Additions;
use crate::call::random_id::RandomId;

const CALL: RandomId = RandomId([9; 16]);
const SUB: SubscriberId = SubscriberId(1);
const LATER: SubscriberId = SubscriberId(2);

fn offer(intent: Intent) -> Capabilities {
    Capabilities { intent, call: CALL, video: true, lasting: None, additions: Additions::OURS }
}

fn link() -> PeerLink {
    PeerLink::new(Instant::now(), "Bob".into())
}

fn name(name: &str) -> Message {
    Message::Username(name.into())
}

fn caps(intent: Intent) -> Message {
    Message::Capabilities(offer(intent))
}

fn said(effects: &[LinkEffect]) -> Vec<Message> {
    let said = effects.iter().filter_map(|effect| match effect {
        LinkEffect::Send(message) => Some(message.clone()),
        _ => None,
    });
    said.collect()
}

fn tells(effects: &[LinkEffect], news: &LinkNews) -> bool {
    effects.contains(&LinkEffect::Tell(news.clone()))
}

/// A caller up to step 8.
fn dialled() -> PeerLink {
    let mut link = link();
    link.dial(offer(Intent::Call));
    link.public_playing();
    link.play_started(SUB);
    link
}

/// A called end up to step 7.
fn rung_by_a_tincan() -> PeerLink {
    let mut link = link();
    link.wants_public(Instant::now(), SUB);
    link.heard(caps(Intent::Call));
    link.heard(name("Ada"));
    link
}

#[test]
fn a_caller_publishes_then_plays_then_names_itself_then_plays_the_answer() {
    let mut link = link();
    assert_eq!(
        link.dial(offer(Intent::Call)),
        [LinkEffect::PublishPrivate, LinkEffect::PlayPublic],
        "steps 2 and 3"
    );
    assert_eq!(link.public_playing(), [LinkEffect::Tell(LinkNews::Reached)]);
    assert_eq!(link.wants_private(SUB), [LinkEffect::AcceptPrivate(SUB)]);
    assert_eq!(
        link.play_started(SUB),
        [LinkEffect::Send(caps(Intent::Call)), LinkEffect::Send(name("Bob")), LinkEffect::PlayPrivate],
        "steps 6 and 8"
    );
    let named = LinkNews::Named { name: "Ada".into(), capabilities: None };
    assert_eq!(
        link.heard(name("Ada")),
        [LinkEffect::Tell(named), LinkEffect::Tell(LinkNews::LinesUp)],
        "step 10"
    );
}

#[test]
fn a_called_end_accepts_publishes_and_plays_and_withholds_its_name() {
    let mut link = link();
    assert_eq!(
        link.wants_public(Instant::now(), SUB),
        [
            LinkEffect::AcceptPublic(SUB),
            LinkEffect::PublishPrivate,
            LinkEffect::PlayPrivate,
            LinkEffect::Tell(LinkNews::Reached)
        ],
        "steps 3 to 5"
    );
    let named = LinkNews::Named { name: "Ada".into(), capabilities: None };
    assert_eq!(link.heard(name("Ada")), [LinkEffect::Tell(named)], "step 7");
    assert_eq!(link.play_started(LATER), [], "step 9 waits for the person");
    assert_eq!(
        link.give_name(),
        [LinkEffect::Send(name("Bob")), LinkEffect::Tell(LinkNews::LinesUp)],
        "step 9"
    );
}

#[test]
fn a_called_tincan_rings_on_its_line_before_the_person_accepts() {
    let mut link = rung_by_a_tincan();
    assert_eq!(link.say(Message::Ringing(CALL)), [], "nobody plays the line yet");
    assert_eq!(said(&link.play_started(LATER)), [caps(Intent::Call), Message::Ringing(CALL)]);
    assert_eq!(said(&link.give_name()), [name("Bob")]);
}

#[test]
fn a_plain_caller_never_hears_anything_of_ours() {
    let mut link = link();
    link.wants_public(Instant::now(), SUB);
    link.say(Message::Ringing(CALL));
    link.heard(name("Ada"));
    link.say(Message::Ringing(CALL));
    link.play_started(LATER);
    link.say(Message::KeyFrameWanted);
    assert_eq!(said(&link.give_name()), [name("Bob")]);
}

#[test]
fn nothing_of_ours_but_capabilities_goes_out_before_the_far_ends_came() {
    let mut link = dialled();
    assert_eq!(link.say(Message::KeyFrameWanted), []);
    assert_eq!(said(&link.heard(caps(Intent::Call))), [Message::KeyFrameWanted]);
}

#[test]
fn what_waited_for_capabilities_falls_when_the_far_end_turns_out_plain() {
    let mut link = dialled();
    link.say(Message::KeyFrameWanted);
    let chat = Message::Chat { name: "Bob".into(), text: "hello".into() };
    assert_eq!(link.say(chat.clone()), []);
    assert_eq!(said(&link.heard(name("Ada"))), [chat]);
}

#[test]
fn capabilities_are_taken_once() {
    let mut link = rung_by_a_tincan();
    let other = Capabilities {
        intent: Intent::Chat,
        call: RandomId([1; 16]),
        video: false,
        lasting: None,
        additions: Additions::OURS,
    };
    assert_eq!(link.heard(Message::Capabilities(other)), []);
    assert_eq!(link.far(), Far::Tincan(offer(Intent::Call)));
}

#[test]
fn a_name_is_told_once() {
    let mut link = rung_by_a_tincan();
    let before = link.far_name().map(str::to_owned);
    assert_eq!(link.heard(name("Somebody you know")), []);
    assert_eq!(link.far_name().map(str::to_owned), before);
}

#[test]
fn additions_from_an_end_that_announced_none_are_passed_over() {
    let mut link = dialled();
    link.heard(name("Ada"));
    assert_eq!(link.heard(Message::KeyFrameWanted), []);
}

#[test]
fn two_who_dial_each_other_at_once_make_one_pair_of_lines() {
    let now = Instant::now();
    let mut link = link();
    link.dial(offer(Intent::Call));
    assert_eq!(
        link.wants_public(now, SUB),
        [LinkEffect::AcceptPublic(SUB), LinkEffect::PlayPrivate, LinkEffect::Tell(LinkNews::Reached)]
    );
    assert_eq!(said(&link.play_started(LATER)), [caps(Intent::Call), name("Bob")]);
    link.heard(caps(Intent::Call));
    assert!(tells(&link.heard(name("Ada")), &LinkNews::LinesUp));
}

#[test]
fn a_far_end_that_dials_again_later_gets_fresh_lines() {
    let mut link = rung_by_a_tincan();
    link.play_started(LATER);
    link.give_name();
    assert!(link.lines_up());
    let later = Instant::now() + CROSSING * 2;
    let effects = link.wants_public(later, SubscriberId(3));
    assert_eq!(
        effects,
        [
            LinkEffect::AcceptPublic(SubscriberId(3)),
            LinkEffect::ClosePrivatePlayback,
            LinkEffect::PlayPrivate
        ]
    );
    assert!(!link.lines_up());
    assert_eq!(said(&link.give_name()), [], "nobody plays the new line yet");
}

#[test]
fn a_second_dial_over_lines_that_are_up_asks_on_them() {
    let mut link = dialled();
    link.heard(caps(Intent::Chat));
    link.heard(name("Ada"));
    assert_eq!(link.dial(offer(Intent::Call)), [LinkEffect::Send(Message::Call { call: CALL, video: true })]);
}

#[test]
fn a_refusal_at_step_3_and_nobody_there_are_told_apart() {
    for (end, loss) in [(PlaybackEnd::Refused, Loss::Refused), (PlaybackEnd::Unreachable, Loss::Unreachable)]
    {
        let mut link = link();
        link.dial(offer(Intent::Call));
        assert_eq!(
            link.playback_ended(false, end),
            [LinkEffect::Close, LinkEffect::Tell(LinkNews::Lost(loss))]
        );
    }
}

#[test]
fn the_public_stream_is_only_the_door() {
    let mut link = dialled();
    assert_eq!(link.playback_ended(false, PlaybackEnd::Unpublished), []);
}

#[test]
fn a_listener_that_goes_takes_the_lines_with_it() {
    let mut link = dialled();
    assert!(tells(&link.subscriber_gone(SUB, true), &LinkNews::Lost(Loss::Vanished)));
    let mut link = dialled();
    assert!(tells(&link.subscriber_gone(SUB, false), &LinkNews::Lost(Loss::Closed)));
}

#[test]
fn a_private_line_that_we_do_not_publish_is_refused() {
    assert_eq!(link().wants_private(SUB), [LinkEffect::Refuse(SUB)]);
}

const LASTING: PeerId = PeerId([1; 32]);
const THEIR_LASTING: PeerId = PeerId([2; 32]);

/// What a Tincan says on weak lines.
fn lasting_caps(lasting: PeerId) -> Message {
    Message::Capabilities(Capabilities { lasting: Some(lasting), ..offer(Intent::Call) })
}

#[test]
fn on_weak_lines_two_of_ours_say_who_they_are_and_nothing_else() {
    let mut caller = link().showing_weak(LASTING);
    caller.dial(offer(Intent::Call));
    let said_first = said(&caller.play_started(SUB));
    assert_eq!(said_first, [lasting_caps(LASTING), name("Bob")], "the far end may still be a plain client");
    caller.say(Message::Chat { name: "Bob".into(), text: "psst".into() });
    let effects = caller.heard(lasting_caps(THEIR_LASTING));
    assert!(tells(&effects, &LinkNews::Moved { to: THEIR_LASTING, offer: Some(offer(Intent::Call)) }));
    assert_eq!(said(&effects), []);
    for message in [name("Ada"), Message::Chat { name: "Ada".into(), text: "psst".into() }] {
        assert_eq!(caller.heard(message), [], "nothing more is heeded");
    }
    assert!(!caller.lines_up() && !caller.takes_additions());
}

#[test]
fn on_weak_lines_a_called_tincan_answers_with_who_it_is_and_does_not_ring() {
    let mut called = link().showing_weak(LASTING);
    called.wants_public(Instant::now(), SUB);
    called.play_started(LATER);
    let effects = called.heard(lasting_caps(THEIR_LASTING));
    assert_eq!(said(&effects), [lasting_caps(LASTING)]);
    assert!(tells(&effects, &LinkNews::Moved { to: THEIR_LASTING, offer: None }));
    assert_eq!(called.heard(name("Ada")), []);
    assert_eq!(called.give_name(), []);
}

#[test]
fn on_weak_lines_a_plain_client_is_talked_to_and_a_tincan_that_hides_is_not() {
    let mut plain = link().showing_weak(LASTING);
    plain.wants_public(Instant::now(), SUB);
    plain.play_started(LATER);
    assert!(tells(
        &plain.heard(name("Flash")),
        &LinkNews::Named { name: "Flash".into(), capabilities: None }
    ));
    assert_eq!(said(&plain.give_name()), [name("Bob")]);
    let mut hidden = link().showing_weak(LASTING);
    hidden.wants_public(Instant::now(), SUB);
    hidden.play_started(LATER);
    assert!(tells(&hidden.heard(caps(Intent::Call)), &LinkNews::Lost(Loss::Refused)));
}
