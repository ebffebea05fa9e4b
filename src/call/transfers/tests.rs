use bytes::Bytes;

use super::*;
use crate::call::random_id::RandomId;
use crate::call::view::FileLine;

const ADA: PeerId = PeerId([1; 32]);
const SUM: [u8; 32] = [9; 32];

fn key(n: u8) -> FileKey {
    FileKey { peer: ADA, id: RandomId([n; 16]) }
}

fn desk(effects: &[TransferEffect]) -> Vec<FileJob> {
    let jobs = effects.iter().filter_map(|effect| match effect {
        TransferEffect::Desk(job) => Some(job.clone()),
        _ => None,
    });
    jobs.collect()
}

fn said(effects: &[TransferEffect]) -> Vec<Message> {
    let said = effects.iter().filter_map(|effect| match effect {
        TransferEffect::Say(_, message) | TransferEffect::SayLast(_, message) => Some(message.clone()),
        _ => None,
    });
    said.collect()
}

fn shown(effects: &[TransferEffect]) -> Option<FileState> {
    effects.iter().rev().find_map(|effect| match effect {
        TransferEffect::Show(_, state, _) => Some(state.clone()),
        _ => None,
    })
}

/// A file of that size that is offered to us, over lines that are up.
fn offered(size: u64) -> Transfers {
    let mut transfers = Transfers::default();
    transfers.lines_up(ADA);
    transfers.take_offer(key(1), "cat.png".into(), size);
    transfers
}

/// The same, taken, with a place.
fn taken(size: u64) -> Transfers {
    let mut transfers = offered(size);
    transfers.accept(key(1));
    transfers.reported(FileReport::Placed { key: key(1), part: "/cat.png.part".into(), offset: 0 });
    transfers
}

/// A file of ours that the far end has heard of.
fn given(size: u64) -> Transfers {
    let mut transfers = Transfers::default();
    transfers.lines_up(ADA);
    transfers.offered(key(1), "/cat.png".into(), "cat.png".into(), size);
    transfers.acknowledged(key(1));
    transfers
}

fn piece(transfers: &mut Transfers, offset: u64, length: usize) -> Vec<TransferEffect> {
    let bytes = Bytes::from(vec![7; length]);
    transfers.heard(ADA, Message::FileBytes { id: key(1).id, offset, bytes })
}

#[test]
fn a_file_that_is_taken_gets_a_place_and_is_wanted_from_there() {
    let mut transfers = offered(10);
    let effects = transfers.accept(key(1));
    let place = FileJob::Place { key: key(1), name: "cat.png".into(), size: 10, part: None };
    assert_eq!(desk(&effects), [place]);
    let placed = FileReport::Placed { key: key(1), part: "/cat.png.part".into(), offset: 0 };
    let effects = transfers.reported(placed);
    assert_eq!(said(&effects), [Message::FileWant { id: key(1).id, offset: 0, up_to: 10 }]);
    assert_eq!(transfers.accept(key(1)), []);
}

#[test]
fn what_comes_is_written_and_the_whole_is_compared_and_named() {
    let mut transfers = taken(10);
    assert_eq!(desk(&piece(&mut transfers, 0, 6)).len(), 1);
    assert_eq!(desk(&piece(&mut transfers, 6, 4)).len(), 1);
    assert_eq!(transfers.heard(ADA, Message::FileEnd { id: key(1).id, digest: SUM }), []);
    let effects = transfers.reported(FileReport::Written { key: key(1), up_to: 10 });
    assert_eq!(desk(&effects), [FileJob::Finish { key: key(1), digest: SUM }]);
    let effects = transfers.reported(FileReport::Finished { key: key(1), path: "/cat.png".into() });
    assert_eq!(shown(&effects), Some(FileState::Done("/cat.png".into())));
    assert_eq!(said(&effects), [Message::FileDone(key(1).id)]);
}

#[test]
fn pieces_that_were_not_asked_for_are_passed_over() {
    let mut transfers = offered(10);
    assert_eq!(piece(&mut transfers, 0, 4), []);
    let mut transfers = taken(10);
    piece(&mut transfers, 0, 4);
    assert_eq!(piece(&mut transfers, 0, 4), [], "a repetition");
    assert_eq!(piece(&mut transfers, 6, 4), [], "a hole before it");
    assert_eq!(piece(&mut transfers, 4, 7), [], "more than the file has");
    assert_eq!(piece(&mut transfers, u64::MAX, 4), [], "beyond all numbers");
}

#[test]
fn nobody_sends_more_than_the_disk_keeps_up_with() {
    let size = 100 << 20;
    let mut transfers = taken(size);
    let mut at = 0;
    while !piece(&mut transfers, at, 65_536).is_empty() {
        at += 65_536;
    }
    assert_eq!(at, 2 << 20);
    let effects = transfers.reported(FileReport::Written { key: key(1), up_to: 1 << 20 });
    let more = Message::FileGoOn { id: key(1).id, done: 1 << 20, up_to: 3 << 20 };
    assert_eq!(said(&effects), [more]);
}

#[test]
fn after_new_lines_a_file_goes_on_from_what_came() {
    let mut transfers = taken(10);
    piece(&mut transfers, 0, 6);
    transfers.reported(FileReport::Written { key: key(1), up_to: 6 });
    let effects = transfers.lines_lost(ADA);
    assert_eq!(shown(&effects), Some(FileState::Waiting { done: 6 }));
    assert!(transfers.wants_lines(ADA));
    let effects = transfers.lines_up(ADA);
    assert_eq!(said(&effects), [Message::FileWant { id: key(1).id, offset: 6, up_to: 10 }]);
}

#[test]
fn after_a_restart_a_file_goes_on_from_what_the_disk_has() {
    let mut transfers = Transfers::default();
    let state = FileState::Waiting { done: 4 };
    let file = FileLine { incoming: true, name: "cat.png".into(), size: 10, state };
    let path = Some(PathBuf::from("/cat.png.part"));
    transfers.restore(UnfinishedFile { peer: ADA, id: key(1).id, file, path: path.clone() });
    let effects = transfers.begin();
    assert_eq!(
        desk(&effects),
        [FileJob::Place { key: key(1), name: "cat.png".into(), size: 10, part: path }]
    );
    let placed = FileReport::Placed { key: key(1), part: "/cat.png.part".into(), offset: 5 };
    assert_eq!(said(&transfers.reported(placed)), []);
    assert!(transfers.wants_lines(ADA));
    let effects = transfers.lines_up(ADA);
    assert_eq!(said(&effects), [Message::FileWant { id: key(1).id, offset: 5, up_to: 10 }]);
}

#[test]
fn a_file_of_ours_is_read_as_far_as_it_is_wanted() {
    let mut transfers = given(100_000);
    assert_eq!(transfers.next_read(ADA, 65_536), None);
    transfers.heard(ADA, Message::FileWant { id: key(1).id, offset: 0, up_to: 40_000 });
    let (job, bytes) = transfers.next_read(ADA, 65_536).expect("something to read");
    assert_eq!(bytes, 40_000);
    assert!(matches!(job, FileJob::Read { offset: 0, most: 40_000, .. }), "{job:?}");
    assert_eq!(transfers.next_read(ADA, 65_536), None, "one piece is being read");
    let bytes = Bytes::from(vec![7; 40_000]);
    let effects = transfers.reported(FileReport::Read { key: key(1), offset: 0, bytes, digest: None });
    let offsets: Vec<u64> = said(&effects)
        .iter()
        .filter_map(|message| match message {
            Message::FileBytes { offset, .. } => Some(*offset),
            _ => None,
        })
        .collect();
    assert_eq!(offsets, [0, 16_384, 32_768]);
    assert_eq!(transfers.next_read(ADA, 65_536), None, "no more is wanted yet");
    transfers.heard(ADA, Message::FileGoOn { id: key(1).id, done: 40_000, up_to: 100_000 });
    assert!(transfers.next_read(ADA, 65_536).is_some());
}

#[test]
fn an_empty_file_is_moved_like_any_other() {
    let mut transfers = given(0);
    transfers.heard(ADA, Message::FileWant { id: key(1).id, offset: 0, up_to: 0 });
    assert!(transfers.next_read(ADA, 65_536).is_some());
    let report = FileReport::Read { key: key(1), offset: 0, bytes: Bytes::new(), digest: Some(SUM) };
    let effects = transfers.reported(report);
    assert_eq!(said(&effects), [Message::FileEnd { id: key(1).id, digest: SUM }]);
    assert_eq!(transfers.next_read(ADA, 65_536), None);
    let effects = transfers.heard(ADA, Message::FileDone(key(1).id));
    assert_eq!(shown(&effects), Some(FileState::Done("/cat.png".into())));
}

#[test]
fn what_was_read_for_earlier_lines_is_not_said_on_new_ones() {
    let mut transfers = given(100_000);
    transfers.heard(ADA, Message::FileWant { id: key(1).id, offset: 0, up_to: 100_000 });
    transfers.next_read(ADA, 1_000);
    transfers.lines_lost(ADA);
    transfers.lines_up(ADA);
    transfers.heard(ADA, Message::FileWant { id: key(1).id, offset: 500, up_to: 100_000 });
    let bytes = Bytes::from(vec![7; 1_000]);
    let late = FileReport::Read { key: key(1), offset: 0, bytes, digest: None };
    assert_eq!(transfers.reported(late), []);
}

#[test]
fn files_to_one_peer_take_turns() {
    let mut transfers = given(1 << 20);
    transfers.offered(key(2), "/dog.png".into(), "dog.png".into(), 1 << 20);
    for n in [1, 2] {
        transfers.heard(ADA, Message::FileWant { id: key(n).id, offset: 0, up_to: 1 << 20 });
    }
    let mut order = Vec::new();
    for _ in 0..4 {
        let Some((FileJob::Read { key, offset, .. }, _)) = transfers.next_read(ADA, 1_000) else {
            panic!("nothing to read");
        };
        order.push(key);
        let bytes = Bytes::from(vec![7; 1_000]);
        transfers.reported(FileReport::Read { key, offset, bytes, digest: None });
    }
    assert_eq!(order, [key(1), key(2), key(1), key(2)]);
}

#[test]
fn no_more_than_four_come_at_once() {
    let mut transfers = Transfers::default();
    transfers.lines_up(ADA);
    let mut places = 0;
    for n in 1..=6 {
        transfers.take_offer(key(n), "cat.png".into(), 10);
        places += desk(&transfers.accept(key(n))).len();
    }
    assert_eq!(places, 4);
    let effects = transfers.stop(key(1));
    assert!(matches!(desk(&effects)[..], [FileJob::Discard { .. }, FileJob::Place { .. }]), "{effects:?}");
}

#[test]
fn a_stopped_file_is_told_and_what_came_is_deleted() {
    let mut transfers = taken(10);
    let effects = transfers.stop(key(1));
    assert_eq!(shown(&effects), Some(FileState::Cancelled));
    assert_eq!(desk(&effects), [FileJob::Discard { key: key(1), part: Some("/cat.png.part".into()) }]);
    let mut transfers = offered(10);
    let declined = Message::FileStop { id: key(1).id, why: FileStop::Declined };
    assert_eq!(said(&transfers.stop(key(1))), [declined]);
    assert_eq!(transfers.stop(key(1)), []);
}

#[test]
fn a_file_that_was_stopped_while_they_were_away_is_said_to_be() {
    let mut transfers = given(10);
    transfers.stop(key(1));
    let effects = transfers.heard(ADA, Message::FileWant { id: key(1).id, offset: 0, up_to: 10 });
    assert_eq!(said(&effects), [Message::FileStop { id: key(1).id, why: FileStop::Cancelled }]);
}

#[test]
fn what_cannot_be_written_fails_on_both_ends() {
    let mut transfers = taken(10);
    let why = FileFailure::System("no space".into());
    let failed = FileReport::Failed { key: key(1), path: "/cat.png.part".into(), why: why.clone() };
    let effects = transfers.reported(failed);
    assert_eq!(shown(&effects), Some(FileState::Failed));
    assert_eq!(said(&effects), [Message::FileStop { id: key(1).id, why: FileStop::Failed }]);
    assert_eq!(effects.last(), Some(&TransferEffect::Trouble("/cat.png.part".into(), why)));
}

#[test]
fn a_file_is_wanted_from_no_place_that_it_does_not_have() {
    let mut transfers = given(10);
    let effects = transfers.heard(ADA, Message::FileWant { id: key(1).id, offset: 11, up_to: 20 });
    assert_eq!(shown(&effects), Some(FileState::Failed));
}

#[test]
fn nobody_offers_files_without_end() {
    let mut transfers = Transfers::default();
    assert!(!transfers.may_offer(ADA, LARGEST_FILE + 1));
    for n in 0..32 {
        assert!(transfers.may_offer(ADA, 10));
        transfers.take_offer(key(n), "cat.png".into(), 10);
    }
    assert!(!transfers.may_offer(ADA, 10));
    assert!(transfers.may_offer(PeerId([2; 32]), 10));
}

#[test]
fn a_far_end_that_begins_anew_without_end_has_one_piece_read_at_a_time() {
    let mut transfers = given(1 << 30);
    let mut reads = Vec::new();
    for round in 0..1_000_u64 {
        let offset = (round % 2) << 29;
        transfers.lines_lost(ADA);
        transfers.lines_up(ADA);
        transfers.heard(ADA, Message::FileWant { id: key(1).id, offset, up_to: 1 << 30 });
        transfers.heard(ADA, Message::FileWant { id: key(1).id, offset: 7, up_to: 1 << 30 });
        reads.extend(transfers.next_read(ADA, 1_000));
    }
    assert_eq!(reads.len(), 1, "{reads:?}");
    let bytes = Bytes::from_static(&[1; 10]);
    let stale = transfers.reported(FileReport::Read { key: key(1), offset: 0, bytes, digest: None });
    assert_eq!(stale, [], "what was wanted before is not said");
    let next = transfers.next_read(ADA, 1_000);
    assert!(matches!(next, Some((FileJob::Read { offset: 536_870_912, .. }, _))), "{next:?}");
}

#[test]
fn a_file_that_moves_is_not_begun_anew_when_its_line_is_read_again() {
    let mut transfers = taken(10);
    piece(&mut transfers, 0, 4);
    let file =
        FileLine { incoming: true, name: "cat.png".into(), size: 10, state: FileState::Waiting { done: 0 } };
    transfers.restore(UnfinishedFile { peer: ADA, id: key(1).id, file, path: None });
    assert_eq!(desk(&piece(&mut transfers, 4, 6)).len(), 1);
}

#[test]
fn a_name_from_the_disk_leads_to_no_other_folder() {
    let mut transfers = Transfers::default();
    let file = FileLine {
        incoming: true,
        name: "../../.profile".into(),
        size: 10,
        state: FileState::Waiting { done: 0 },
    };
    transfers.restore(UnfinishedFile { peer: ADA, id: key(1).id, file, path: None });
    let jobs = desk(&transfers.begin());
    assert!(matches!(&jobs[..], [FileJob::Place { name, .. }] if name == "profile"), "{jobs:?}");
}
