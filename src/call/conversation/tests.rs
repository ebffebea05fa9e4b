use std::time::Duration;

use super::thread::MOST_LINES;
use super::*;
use crate::history::record::{StoredFile, StoredKind};

const ADA: PeerId = PeerId([1; 32]);
const BOB: PeerId = PeerId([2; 32]);
const ONE: RandomId = RandomId([1; 16]);
const TWO: RandomId = RandomId([2; 16]);
const THREE: RandomId = RandomId([3; 16]);
const START: Moment = Moment::UNIX_EPOCH;

fn empty() -> Conversations {
    Conversations::new(vec![], &[], false, true)
}

fn with_store() -> Conversations {
    Conversations::new(vec![], &[], true, true)
}

fn view(conversations: &mut Conversations) -> Arc<Vec<Conversation>> {
    conversations.refresh();
    conversations.view()
}

fn states(conversations: &mut Conversations) -> Vec<Delivery> {
    let lines = view(conversations)[0].lines.clone();
    let states = lines.iter().filter_map(|line| match line.what {
        LineKind::Sent { state, .. } => Some(state),
        _ => None,
    });
    states.collect()
}

fn write(conversations: &mut Conversations, id: RandomId, text: &str) {
    conversations.write(START, ADA, "Ada", id, text.into());
}

fn receive(conversations: &mut Conversations, id: RandomId) -> Received {
    conversations.receive(START, ADA, "Ada", Some(id), RandomId([0xee; 16]), "hello".into())
}

fn keeps(conversations: &mut Conversations) -> Vec<(Keep, Option<u64>)> {
    std::iter::from_fn(|| conversations.next_keep()).collect()
}

fn stored(id: RandomId, seconds: u64, what: StoredKind) -> StoredLine {
    let at = START + Duration::from_secs(seconds);
    StoredLine { name: id.0, peer: ADA, peer_name: "Ada".into(), at, what }
}

fn sent(state: Delivery) -> StoredKind {
    StoredKind::Sent { text: "hello".into(), state }
}

fn missed(reason: EndReason) -> CallRecord {
    CallRecord { incoming: true, lasted: None, reason }
}

#[test]
fn a_text_waits_is_on_its_way_and_is_delivered_when_the_far_end_says_so() {
    let mut conversations = empty();
    write(&mut conversations, ONE, "hello");
    assert_eq!(states(&mut conversations), [Delivery::Waiting]);
    let (said, _) = conversations.unsaid(ADA, "Bob", false);
    assert_eq!(said, [Message::Text { id: ONE, text: "hello".into() }]);
    assert_eq!(states(&mut conversations), [Delivery::Sending]);
    conversations.acknowledged(ADA, ONE);
    assert_eq!(states(&mut conversations), [Delivery::Delivered]);
    assert!(!conversations.waits(ADA));
}

#[test]
fn a_text_to_a_plain_client_is_sent_and_no_more_is_known() {
    let mut conversations = empty();
    write(&mut conversations, ONE, "hello");
    let (said, _) = conversations.unsaid(ADA, "Bob", true);
    assert_eq!(said, [Message::Chat { name: "Bob".into(), text: "hello".into() }]);
    assert_eq!(states(&mut conversations), [Delivery::Sent]);
}

#[test]
fn what_was_not_acknowledged_is_said_again_on_the_next_lines_in_its_order() {
    let mut conversations = empty();
    write(&mut conversations, ONE, "first");
    write(&mut conversations, TWO, "second");
    let (before, _) = conversations.unsaid(ADA, "Bob", false);
    assert_eq!(conversations.unsaid(ADA, "Bob", false).0, []);
    conversations.lines_lost(ADA);
    assert_eq!(states(&mut conversations), [Delivery::Waiting; 2]);
    assert_eq!(conversations.unsaid(ADA, "Bob", false).0, before);
}

#[test]
fn a_text_that_comes_twice_is_shown_once() {
    let mut conversations = empty();
    assert_eq!(receive(&mut conversations, ONE), Received::New);
    assert_eq!(receive(&mut conversations, ONE), Received::Again);
    assert_eq!(view(&mut conversations)[0].lines.len(), 1);
    assert_eq!(view(&mut conversations)[0].unread, 1);
}

#[test]
fn a_text_that_was_deleted_here_does_not_come_again() {
    let mut conversations = empty();
    receive(&mut conversations, ONE);
    conversations.delete(ADA, ONE);
    assert_eq!(receive(&mut conversations, ONE), Received::Again);
    assert!(view(&mut conversations).is_empty());
}

#[test]
fn a_text_of_an_earlier_run_that_comes_again_is_known() {
    let line = stored(ONE, 1, StoredKind::Received { text: "hello".into(), read: true });
    let mut conversations = Conversations::new(vec![line], &[], true, true);
    assert_eq!(receive(&mut conversations, ONE), Received::Again);
    assert_eq!(view(&mut conversations)[0].unread, 0);
    assert_eq!(keeps(&mut conversations), []);
}

#[test]
fn a_text_is_acknowledged_only_once_it_is_safe() {
    let mut conversations = with_store();
    assert_eq!(receive(&mut conversations, ONE), Received::NewUnsafe);
    assert_eq!(receive(&mut conversations, ONE), Received::AgainUnsafe);
    let kept = keeps(&mut conversations);
    let [(Keep::Line(line), Some(ticket))] = &kept[..] else {
        panic!("not one line with a ticket: {kept:?}")
    };
    assert_eq!(line.what, StoredKind::Received { text: "hello".into(), read: false });
    assert_eq!(conversations.kept(*ticket), Some((ADA, ONE)));
    assert_eq!(conversations.kept(*ticket), None);
    assert_eq!(receive(&mut conversations, ONE), Received::Again);
}

#[test]
fn with_keeping_switched_off_nothing_new_is_kept_and_texts_are_acknowledged_at_once() {
    let mut conversations = with_store();
    conversations.set_keep_lines(false);
    assert_eq!(receive(&mut conversations, ONE), Received::New);
    write(&mut conversations, TWO, "hello");
    conversations.acknowledged(ADA, TWO);
    assert_eq!(keeps(&mut conversations), []);
}

#[test]
fn what_is_kept_already_is_kept_up_to_date_and_erased_with_keeping_switched_off() {
    let mut conversations = with_store();
    write(&mut conversations, ONE, "hello");
    keeps(&mut conversations);
    conversations.set_keep_lines(false);
    conversations.acknowledged(ADA, ONE);
    assert_eq!(keeps(&mut conversations), [(Keep::Line(stored(ONE, 0, sent(Delivery::Delivered))), None)]);
    conversations.erase(Some(ADA));
    assert_eq!(keeps(&mut conversations), [(Keep::Erase(Some(ADA)), None)]);
}

#[test]
fn what_was_under_way_when_the_program_ended_waits_again() {
    let lines = vec![
        stored(ONE, 1, sent(Delivery::Delivered)),
        stored(TWO, 2, sent(Delivery::Sending)),
        stored(THREE, 3, sent(Delivery::Waiting)),
    ];
    let mut conversations = Conversations::new(lines, &[], true, true);
    assert_eq!(states(&mut conversations), [Delivery::Delivered, Delivery::Waiting, Delivery::Waiting]);
    let (said, _) = conversations.unsaid(ADA, "Bob", false);
    let ids: Vec<_> =
        said.iter().map(|message| matches!(message, Message::Text { id, .. } if *id == TWO)).collect();
    assert_eq!(ids, [true, false]);
}

#[test]
fn the_conversation_with_the_latest_line_comes_first_also_after_a_restart() {
    let old = stored(ONE, 10, sent(Delivery::Delivered));
    let new = StoredLine { peer: BOB, ..stored(TWO, 20, sent(Delivery::Delivered)) };
    let mut conversations = Conversations::new(vec![new, old], &[], true, true);
    let order: Vec<PeerId> = view(&mut conversations).iter().map(|shown| shown.peer_id).collect();
    assert_eq!(order, [BOB, ADA]);
    receive(&mut conversations, THREE);
    assert_eq!(view(&mut conversations)[0].peer_id, ADA);
}

#[test]
fn a_missed_call_counts_as_unread_until_it_is_seen() {
    let mut conversations = with_store();
    conversations.record(START, ADA, "Ada", ONE, missed(EndReason::NoAnswer));
    assert_eq!(view(&mut conversations)[0].unread, 1);
    assert!(conversations.mark_read(ADA));
    assert_eq!(view(&mut conversations)[0].unread, 0);
    assert_eq!(keeps(&mut conversations).last(), Some(&(Keep::ReadAll(ADA), None)));
    assert!(!conversations.mark_read(ADA));
}

#[test]
fn a_call_that_was_declined_here_is_not_missed() {
    let mut conversations = empty();
    conversations.record(START, ADA, "Ada", ONE, missed(EndReason::Declined));
    assert_eq!(view(&mut conversations)[0].unread, 0);
}

#[test]
fn what_was_unread_when_the_program_ended_still_is() {
    let call = StoredKind::Call { incoming: true, seconds: None, reason: "no_answer".into(), read: false };
    let text = StoredKind::Received { text: "hello".into(), read: true };
    let mut conversations =
        Conversations::new(vec![stored(ONE, 1, text), stored(TWO, 2, call)], &[], true, true);
    let shown = view(&mut conversations)[0].clone();
    assert_eq!(shown.unread, 1);
    let reason = EndReason::NoAnswer;
    assert_eq!(shown.lines[1].what, LineKind::Call { incoming: true, lasted: None, reason });
}

#[test]
fn what_was_read_up_to_a_line_is_told_once() {
    let mut conversations = empty();
    receive(&mut conversations, ONE);
    receive(&mut conversations, TWO);
    assert_eq!(conversations.read_owed(ADA), None);
    conversations.mark_read(ADA);
    assert_eq!(conversations.read_owed(ADA), Some(TWO));
    conversations.read_told(ADA);
    assert_eq!(conversations.read_owed(ADA), None);
}

#[test]
fn a_line_that_was_read_there_takes_those_before_it_along() {
    let mut conversations = empty();
    for (id, text) in [(ONE, "one"), (TWO, "two"), (THREE, "three")] {
        write(&mut conversations, id, text);
        conversations.acknowledged(ADA, id);
    }
    conversations.read_there(ADA, TWO);
    assert_eq!(states(&mut conversations), [Delivery::Read, Delivery::Read, Delivery::Delivered]);
}

#[test]
fn typing_shows_for_a_while_and_ends_with_the_text() {
    let (mut conversations, now) = (empty(), Instant::now());
    receive(&mut conversations, ONE);
    conversations.types(ADA, now + Duration::from_secs(6));
    assert!(view(&mut conversations)[0].typing);
    let until = conversations.deadline().expect("it ends");
    assert!(conversations.tick(until));
    assert!(!view(&mut conversations)[0].typing);
    conversations.types(ADA, now + Duration::from_secs(60));
    receive(&mut conversations, TWO);
    assert!(!view(&mut conversations)[0].typing);
}

#[test]
fn old_lines_are_let_go_and_can_be_loaded_again() {
    let mut conversations = with_store();
    for n in 0..=MOST_LINES {
        let id = RandomId((n as u128).to_be_bytes());
        conversations.receive(START, ADA, "Ada", Some(id), id, n.to_string());
    }
    let shown = view(&mut conversations)[0].clone();
    assert_eq!((shown.lines.len(), shown.more), (MOST_LINES, true));
    let oldest = shown.lines[0].id;
    assert_eq!(conversations.want_earlier(ADA), Some(Some(oldest.0)));
    assert_eq!(conversations.want_earlier(ADA), None);
    let text = StoredKind::Received { text: "0".into(), read: true };
    let again = StoredLine { name: oldest.0, ..stored(ONE, 0, text.clone()) };
    let earlier = StoredLine { name: [0; 16], ..again.clone() };
    conversations.earlier(ADA, vec![earlier, again], false);
    let shown = view(&mut conversations)[0].clone();
    assert_eq!((shown.lines.len(), shown.more), (MOST_LINES + 1, false));
    assert_eq!(conversations.want_earlier(ADA), None);
}

#[test]
fn only_the_conversation_that_changed_is_put_together_again() {
    let mut conversations = empty();
    receive(&mut conversations, ONE);
    conversations.receive(START, BOB, "Bob", Some(ONE), ONE, "hi".into());
    let before = view(&mut conversations);
    receive(&mut conversations, TWO);
    let after = view(&mut conversations);
    assert!(Arc::ptr_eq(&before[0].lines, &after[1].lines));
    assert!(!Arc::ptr_eq(&before[1].lines, &after[0].lines));
    assert!(Arc::ptr_eq(&view(&mut conversations), &after));
}

#[test]
fn a_deleted_line_is_gone_here_and_is_not_said_any_more() {
    let mut conversations = with_store();
    write(&mut conversations, ONE, "oops");
    keeps(&mut conversations);
    conversations.delete(ADA, ONE);
    assert_eq!(conversations.unsaid(ADA, "Bob", false).0, []);
    assert_eq!(keeps(&mut conversations), [(Keep::LineGone(ADA, ONE.0), None)]);
    assert!(view(&mut conversations).is_empty());
}

#[test]
fn an_offer_takes_its_turn_among_the_texts_and_is_acknowledged_like_one() {
    let mut conversations = with_store();
    write(&mut conversations, ONE, "look at this");
    conversations.offer(START, ADA, "Ada", TWO, ("cat.png".into(), 9), PathBuf::from("sent/cat.png"));
    let (said, _) = conversations.unsaid(ADA, "Bob", false);
    assert_eq!(said[1], Message::FileOffer { id: TWO, name: "cat.png".into(), size: 9 });
    assert!(conversations.acknowledged(ADA, TWO));
    assert!(!conversations.acknowledged(ADA, ONE));
    assert!(!conversations.waits(ADA));
}

#[test]
fn a_plain_client_is_offered_no_file() {
    let mut conversations = empty();
    conversations.offer(START, ADA, "Ada", TWO, ("cat.png".into(), 9), PathBuf::from("sent/cat.png"));
    assert_eq!(conversations.unsaid(ADA, "Bob", true), (vec![], vec![TWO]));
}

#[test]
fn a_files_progress_is_shown_and_only_its_turns_are_kept() {
    let mut conversations = with_store();
    conversations.receive_offer(START, ADA, "Ada", ONE, ("cat.png".into(), 9));
    keeps(&mut conversations);
    let part = PathBuf::from("/downloads/cat.png.part");
    conversations.set_file(ADA, ONE, FileState::Waiting { done: 0 }, Some(part.clone()));
    conversations.set_file(ADA, ONE, FileState::Moving { done: 5, rate: 100 }, None);
    conversations.set_file(ADA, ONE, FileState::Moving { done: 7, rate: 100 }, None);
    let path = PathBuf::from("/downloads/cat.png");
    conversations.set_file(ADA, ONE, FileState::Done(path.clone()), Some(path.clone()));
    let kept: Vec<(StoredFile, Option<PathBuf>)> = keeps(&mut conversations)
        .into_iter()
        .filter_map(|(keep, _)| match keep {
            Keep::Line(StoredLine { what: StoredKind::File { state, path, .. }, .. }) => Some((state, path)),
            _ => None,
        })
        .collect();
    assert_eq!(kept, [(StoredFile::Partial(0), Some(part)), (StoredFile::Done, Some(path))]);
}

#[test]
fn a_file_that_was_under_way_is_known_after_a_restart() {
    let file = |incoming, state| StoredKind::File {
        incoming,
        file_name: "cat.png".into(),
        size: 9,
        state,
        path: Some(PathBuf::from("/cat.png")),
        read: true,
    };
    let lines = vec![
        stored(ONE, 1, file(true, StoredFile::Partial(4))),
        stored(TWO, 2, file(false, StoredFile::Offered)),
        stored(THREE, 3, file(true, StoredFile::Done)),
    ];
    let conversations = Conversations::new(lines, &[], true, true);
    let unfinished: Vec<(RandomId, FileState)> =
        conversations.unfinished_files().into_iter().map(|file| (file.id, file.file.state)).collect();
    assert_eq!(unfinished, [(ONE, FileState::Waiting { done: 4 }), (TWO, FileState::Waiting { done: 0 })]);
    assert!(conversations.waits(ADA));
}
