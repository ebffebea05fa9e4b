//! Files in conversations, over lossy and narrow ways, with drops and restarts.

use std::time::Duration;

use bytes::Bytes;
use tincan::call::client_machine::{ClientCommand, ClientEvent};
use tincan::call::event::{Notice, Refusal};
use tincan::call::random_id::RandomId;
use tincan::call::view::{Delivery, FileLine, FileState, LineKind};
use tincan::call::{Command, Event, PeerId};
use tincan::media::encoded::EncodedFrame;

use crate::keeper::Keeper;
use crate::plain_client::PlainEvent;
use crate::support::virtual_network::Host;
use crate::world::World;

const CAT: &str = "pictures/cat.png";
const HERE: &str = "/downloads/cat.png";

/// Two who wrote to each other before: Ada, who is offered a file, and Bob, who has it.
struct Two {
    world: World,
    ada: Host,
    ada_id: PeerId,
    ada_disk: Keeper,
    bob: Host,
    bob_id: PeerId,
    bob_disk: Keeper,
}

impl Two {
    fn new(size: usize) -> Self {
        let mut world = World::new();
        let (ada, ada_id, ada_disk) = world.kept_client("Ada");
        let (bob, bob_id, bob_disk) = world.kept_client("Bob");
        bob_disk.put(CAT, size);
        world.person(ada, Command::SendText { to: bob_id, text: "send me the cat".into() });
        let two = |world: &World| delivered(world, ada, bob_id);
        assert!(world.until(10, two), "the greeting is not delivered");
        Self { world, ada, ada_id, ada_disk, bob, bob_id, bob_disk }
    }

    fn offer(&mut self) -> RandomId {
        self.world.person(self.bob, Command::OfferFile { to: self.ada_id, path: CAT.into() });
        let (ada, bob_id) = (self.ada, self.bob_id);
        assert!(self.world.until(10, |world| file(world, ada, bob_id).is_some()), "no offer came");
        file(&self.world, ada, bob_id).expect("checked above").0
    }

    fn accept(&mut self) -> RandomId {
        let line = self.offer();
        self.world.person(self.ada, Command::AcceptFile { peer: self.bob_id, line });
        line
    }

    fn ada_sees(&self) -> FileState {
        file(&self.world, self.ada, self.bob_id).expect("Ada's line").1.state
    }

    fn bob_sees(&self) -> FileState {
        file(&self.world, self.bob, self.ada_id).expect("Bob's line").1.state
    }

    fn until(&mut self, seconds: u64, done: impl Fn(&FileState, &FileState) -> bool) -> bool {
        let (ada, bob, ada_id, bob_id) = (self.ada, self.bob, self.ada_id, self.bob_id);
        self.world.until(seconds, |world| {
            let of = |host, with| file(world, host, with).map(|(_, file)| file.state);
            let (Some(ada), Some(bob)) = (of(ada, bob_id), of(bob, ada_id)) else { return false };
            done(&ada, &bob)
        })
    }

    fn arrives(&mut self, within: u64) {
        let both_done =
            |ada: &FileState, bob: &FileState| matches!((ada, bob), (FileState::Done(_), FileState::Done(_)));
        let done = self.until(within, both_done);
        assert!(done, "Ada sees {:?}, Bob {:?}", self.ada_sees(), self.bob_sees());
        assert_eq!(self.ada_disk.file(HERE), self.bob_disk.file(CAT));
        assert_eq!(self.ada_disk.files(), 1, "no part is left");
    }

    /// Runs until Ada has so much of it.
    fn has(&mut self, bytes: usize) {
        let disk = self.ada_disk.clone();
        assert!(self.world.until(120, |_| disk.written() >= bytes), "only {} came", disk.written());
    }

    fn narrow(&mut self, bytes_per_second: u64) {
        self.world.net.set_links(|link| link.bytes_per_second = Some(bytes_per_second));
    }
}

fn delivered(world: &World, host: Host, to: PeerId) -> bool {
    let view = world.view(host);
    let conversation = view.conversations.iter().find(|conversation| conversation.peer_id == to);
    conversation.is_some_and(|conversation| {
        conversation.lines.iter().all(|line| match &line.what {
            LineKind::Sent { state, .. } => *state >= Delivery::Delivered,
            _ => true,
        })
    })
}

fn file(world: &World, host: Host, with: PeerId) -> Option<(RandomId, FileLine)> {
    let view = world.view(host);
    let conversation = view.conversations.iter().find(|conversation| conversation.peer_id == with)?;
    conversation.lines.iter().rev().find_map(|line| match &line.what {
        LineKind::File(file) => Some((line.id, file.clone())),
        _ => None,
    })
}

fn notices(world: &World, host: Host) -> Vec<Notice> {
    let notices = world.events(host).into_iter().filter_map(|event| match event {
        Event::Notice(notice) => Some(notice),
        _ => None,
    });
    notices.collect()
}

#[test]
fn a_file_is_offered_taken_and_there_over_a_way_that_loses_packets() {
    let mut two = Two::new(300_000);
    two.world.lose(0.05);
    let line = two.offer();
    let offered = Event::FileOffered { peer: two.bob_id, name: "Bob".into(), file: "cat.png".into() };
    assert!(two.world.events(two.ada).contains(&offered));
    assert!(two.until(5, |ada, bob| (ada, bob) == (&FileState::Offered, &FileState::Offered)));
    two.world.run(2);
    assert_eq!(two.ada_disk.files(), 0, "nothing moves before it is taken");
    two.world.person(two.ada, Command::AcceptFile { peer: two.bob_id, line });
    two.arrives(60);
}

#[test]
fn progress_is_seen_at_both_ends() {
    let mut two = Two::new(2_000_000);
    two.narrow(200_000);
    two.accept();
    let halfway = |state: &FileState| {
        matches!(state, FileState::Moving { done, rate }
            if (500_000..1_900_000).contains(done) && (80_000..320_000).contains(rate))
    };
    assert!(two.until(30, |ada, bob| halfway(ada) && halfway(bob)), "{:?}", two.bob_sees());
    two.arrives(60);
}

#[test]
fn a_file_goes_on_after_the_way_was_lost() {
    let mut two = Two::new(2_000_000);
    two.narrow(200_000);
    two.accept();
    two.has(600_000);
    two.world.net.cut(two.bob, true);
    let waits = |state: &FileState| matches!(state, FileState::Waiting { done } if *done >= 400_000);
    assert!(two.until(40, |ada, bob| waits(ada) && waits(bob)), "{:?}", two.bob_sees());
    two.world.net.cut(two.bob, false);
    two.arrives(120);
    assert_eq!(two.ada_disk.written(), 2_000_000, "nothing was written twice");
}

#[test]
fn a_file_goes_on_after_its_receiver_was_started_anew() {
    let mut two = Two::new(2_000_000);
    two.narrow(200_000);
    two.accept();
    two.has(600_000);
    let disk = two.ada_disk.clone();
    two.world.restart(two.ada, "Ada", &disk);
    two.arrives(120);
    assert_eq!(two.ada_disk.written(), 2_000_000, "nothing was written twice");
}

#[test]
fn a_file_goes_on_after_its_sender_was_started_anew() {
    let mut two = Two::new(2_000_000);
    two.narrow(200_000);
    two.accept();
    two.has(600_000);
    let disk = two.bob_disk.clone();
    two.world.restart(two.bob, "Bob", &disk);
    two.arrives(120);
    assert_eq!(two.ada_disk.written(), 2_000_000, "nothing was written twice");
}

#[test]
fn an_offer_that_is_repeated_is_one_offer() {
    let mut two = Two::new(1_000);
    two.offer();
    for _ in 0..2 {
        two.world.net.cut(two.bob, true);
        two.world.run(20);
        two.world.net.cut(two.bob, false);
        two.world.person(two.bob, Command::SendText { to: two.ada_id, text: "are you back?".into() });
        two.world.run(30);
    }
    let view = two.world.view(two.ada);
    let offers = view.conversations[0].lines.iter().filter(|line| matches!(line.what, LineKind::File(_)));
    assert_eq!(offers.count(), 1);
    let told = two.world.events(two.ada);
    assert_eq!(told.iter().filter(|event| matches!(event, Event::FileOffered { .. })).count(), 1);
    let line = file(&two.world, two.ada, two.bob_id).expect("Ada's line").0;
    two.world.person(two.ada, Command::AcceptFile { peer: two.bob_id, line });
    two.arrives(60);
}

#[test]
fn an_offer_to_somebody_who_is_away_waits_for_them() {
    let mut two = Two::new(1_000);
    two.world.net.cut(two.ada, true);
    two.world.run(40);
    two.world.person(two.bob, Command::OfferFile { to: two.ada_id, path: CAT.into() });
    two.world.run(60);
    assert_eq!(two.bob_sees(), FileState::Waiting { done: 0 });
    two.world.net.cut(two.ada, false);
    let (ada, bob_id) = (two.ada, two.bob_id);
    assert!(two.world.until(90, |world| file(world, ada, bob_id).is_some()));
}

#[test]
fn a_declined_file_is_seen_as_declined_at_both_ends() {
    let mut two = Two::new(1_000);
    let line = two.offer();
    two.world.person(two.ada, Command::StopFile { peer: two.bob_id, line });
    assert!(two.until(5, |ada, bob| (ada, bob) == (&FileState::Declined, &FileState::Declined)));
}

#[test]
fn either_end_stops_a_file_and_nothing_of_it_stays() {
    for receiver_stops in [true, false] {
        let mut two = Two::new(2_000_000);
        two.narrow(200_000);
        let line = two.accept();
        two.has(300_000);
        let (who, with) = if receiver_stops { (two.ada, two.bob_id) } else { (two.bob, two.ada_id) };
        two.world.person(who, Command::StopFile { peer: with, line });
        assert!(
            two.until(10, |ada, bob| (ada, bob) == (&FileState::Cancelled, &FileState::Cancelled)),
            "Ada sees {:?}, Bob {:?}",
            two.ada_sees(),
            two.bob_sees()
        );
        two.world.run(5);
        assert_eq!(two.ada_disk.files(), 0, "receiver stops: {receiver_stops}");
    }
}

#[test]
fn a_file_that_was_stopped_while_they_were_away_is_stopped_when_they_are_back() {
    let mut two = Two::new(2_000_000);
    two.narrow(200_000);
    let line = two.accept();
    two.has(300_000);
    two.world.net.cut(two.ada, true);
    two.world.run(30);
    two.world.person(two.bob, Command::StopFile { peer: two.ada_id, line });
    two.world.run(5);
    two.world.net.cut(two.ada, false);
    assert!(two.until(90, |ada, _| *ada == FileState::Cancelled), "{:?}", two.ada_sees());
    assert_eq!(two.ada_disk.files(), 0);
}

#[test]
fn a_full_disk_fails_the_file_at_both_ends_and_is_told_where_it_is() {
    let mut two = Two::new(300_000);
    two.ada_disk.is_full_at(100_000);
    two.accept();
    assert!(two.until(20, |ada, bob| (ada, bob) == (&FileState::Failed, &FileState::Failed)));
    let told = notices(&two.world, two.ada);
    assert!(matches!(&told[..], [Notice::FileProblem { why, .. }] if why == "no space is left"), "{told:?}");
    assert_eq!(notices(&two.world, two.bob), []);
    assert_eq!(two.ada_disk.files(), 0);
}

#[test]
fn a_file_that_is_gone_fails_at_both_ends() {
    let mut two = Two::new(300_000);
    let line = two.offer();
    two.bob_disk.remove(CAT);
    two.world.person(two.ada, Command::AcceptFile { peer: two.bob_id, line });
    assert!(two.until(20, |ada, bob| (ada, bob) == (&FileState::Failed, &FileState::Failed)));
    assert!(matches!(&notices(&two.world, two.bob)[..], [Notice::FileProblem { .. }]));
}

#[test]
fn who_is_a_stranger_offers_nothing() {
    let mut world = World::new();
    let (ada, ada_id, _) = world.kept_client("Ada");
    let (eve, _, disk) = world.kept_client("Eve");
    disk.put(CAT, 1_000);
    world.person(eve, Command::OfferFile { to: ada_id, path: CAT.into() });
    assert!(world.until(20, |world| {
        file(world, eve, ada_id).is_some_and(|(_, file)| file.state == FileState::Declined)
    }));
    assert!(world.view(ada).conversations.is_empty());
    assert!(!world.events(ada).iter().any(|event| matches!(event, Event::FileOffered { .. })));
}

#[test]
fn a_plain_client_is_offered_nothing_and_hears_of_nothing() {
    let mut world = World::new();
    let (ada, _, disk) = world.kept_client("Ada");
    let (flash, flash_id) = world.plain("Flash");
    disk.put(CAT, 1_000);
    world.call(ada, flash_id);
    assert!(world.until(10, |world| world.is_up(ada)));
    world.person(ada, Command::OfferFile { to: flash_id, path: CAT.into() });
    world.person(ada, Command::Typing(flash_id));
    world.person(ada, Command::MarkRead(flash_id));
    world.run(3);
    assert!(notices(&world, ada).contains(&Notice::Refused(Refusal::TakesNoFiles)));
    assert!(file(&world, ada, flash_id).is_none());
    let heard = world.heard_plainly(flash);
    let unknown = heard.iter().filter(|event| matches!(event, PlainEvent::Unknown(..))).count();
    assert_eq!(unknown, 1, "capabilities alone: {heard:?}");
}

#[test]
fn a_chat_line_overtakes_a_file_on_a_narrow_way() {
    let mut two = Two::new(4_000_000);
    two.narrow(250_000);
    two.accept();
    two.has(800_000);
    let mut longest = Duration::ZERO;
    for n in 0..10 {
        let before = two.world.net.elapsed();
        two.world.person(two.bob, Command::SendText { to: two.ada_id, text: format!("line {n}") });
        let (bob, ada_id) = (two.bob, two.ada_id);
        assert!(two.world.until(10, |world| delivered(world, bob, ada_id)));
        longest = longest.max(two.world.net.elapsed() - before);
        two.world.net.run_for(Duration::from_millis(130));
    }
    // There and back is 80 ms, and the narrow way itself holds up to 200 ms of what was sent before.
    assert!(longest < Duration::from_millis(600), "a line took {longest:?}");
    assert!(matches!(two.bob_sees(), FileState::Moving { .. }), "the file was still moving");
    two.arrives(60);
}

/// Sends sound and pictures from Bob for so many seconds; answers how many of each came, and the longest that sound took.
fn talk(two: &mut Two, seconds: u64) -> (usize, usize, Duration) {
    let before = two.world.net.events(two.ada).len();
    let mut sent = Vec::new();
    for n in 0..seconds * 50 {
        let timestamp = (n * 20) as u32;
        sent.push(two.world.net.elapsed());
        let packet = Bytes::from(vec![1; 120]);
        two.world.ask(two.bob, ClientCommand::Frame(EncodedFrame::Audio { timestamp, packet }));
        if n % 2 == 0 {
            let key = n % 100 == 0;
            let picture = EncodedFrame::Video {
                timestamp,
                key,
                refresh: key,
                config: key.then(|| Bytes::from_static(&[1, 66, 0, 30, 255, 225, 0, 0, 1, 0, 0])),
                nal_units: Bytes::from(vec![7; 4_000]),
            };
            two.world.ask(two.bob, ClientCommand::Frame(picture));
        }
        two.world.net.run_for(Duration::from_millis(20));
    }
    two.world.run(2);
    let (mut sound, mut pictures, mut longest) = (0, 0, Duration::ZERO);
    for (at, told) in &two.world.net.events(two.ada)[before..] {
        let crate::world::Told::Client(ClientEvent::Frame(frame)) = told else { continue };
        match frame {
            EncodedFrame::Audio { timestamp, .. } => {
                sound += 1;
                let sent_at = sent[(*timestamp / 20) as usize];
                longest = longest.max(at.saturating_sub(sent_at));
            }
            EncodedFrame::Video { .. } => pictures += 1,
        }
    }
    (sound, pictures, longest)
}

#[test]
fn beside_a_call_a_file_takes_what_sound_and_pictures_leave() {
    // 2 Mbit/s, of which the call takes about 0.9.
    let mut quiet = Two::new(1);
    quiet.narrow(250_000);
    quiet.world.connect(quiet.bob, quiet.ada, quiet.ada_id);
    let (sound_alone, pictures_alone, longest_alone) = talk(&mut quiet, 20);

    let mut two = Two::new(20_000_000);
    two.narrow(250_000);
    two.world.connect(two.bob, two.ada, two.ada_id);
    two.accept();
    let (sound, pictures, longest) = talk(&mut two, 20);
    let moved = two.ada_disk.written();
    assert!(sound + 10 >= sound_alone, "{sound} of {sound_alone} pieces of sound came");
    assert!(pictures + 10 >= pictures_alone, "{pictures} of {pictures_alone} pictures came");
    assert!(
        longest < longest_alone + Duration::from_millis(150),
        "sound took up to {longest:?}, alone {longest_alone:?}"
    );
    assert!(moved > 300_000, "the file stands still: {moved} bytes");
    two.world.person(two.bob, Command::HangUp);
    let before = two.ada_disk.written();
    two.world.run(10);
    assert!(two.ada_disk.written() - before > 1_500_000, "it goes on faster after the call");
}
