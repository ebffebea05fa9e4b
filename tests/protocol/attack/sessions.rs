//! A far end with the keys of its session: floods in it, and windows, gaps and numbers chosen to hurt.

use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::endpoint::{Delivery, SessionKey, WriteOptions};
use tincan::rtmfp::{Event, SessionEnd};

use super::eve::{Eve, FIRST, FLOW_EXCEPTION, MIDDLE, place, range_ack, user_data};
use crate::support::raw::{PING, PING_REPLY, chunk, sent_by, vlu};
use crate::support::scenario::{
    Net, TRIP, accept_flows, dial, ended, endpoint, flow_options, messages, opened, send,
};
use crate::support::virtual_network::Host;

/// Bob, who accepts every flow; Ada, who has a session with him; and Eve, who has one too.
struct Scene {
    net: Net,
    bob: Host,
    ada: Host,
    adas: SessionKey,
    eve: Eve,
    /// Bob's name for Eve's session.
    eves: SessionKey,
}

impl Scene {
    fn new() -> Self {
        let mut net = Net::new(TRIP);
        let (bob, ada) = (net.add(endpoint("bob")), net.add(endpoint("ada")));
        accept_flows(&mut net, bob, Delivery::Ordered);
        dial(&mut net, ada, bob, "bob");
        net.run_for(Duration::from_secs(1));
        let adas = opened(&net, ada).expect("Ada's session");
        let (eve, eves) = Eve::open(&mut net, bob, place(1));
        Self { net, bob, ada, adas, eve, eves }
    }

    fn say(&mut self, chunks: &[u8]) {
        self.eve.say(&mut self.net, self.bob, chunks);
    }

    fn held(&self) -> usize {
        self.net.machine(self.bob).held_bytes()
    }

    fn is_open(&self) -> bool {
        self.net.machine(self.bob).route(self.eves).is_some()
    }

    /// Eve's session ended as one that is not worth listening to, and Ada's goes on.
    fn ends_in_abuse_and_ada_is_heard(mut self) {
        let end = ended(&self.net, self.bob, self.eves).map(|(_, end)| end);
        assert_eq!(end, Some(SessionEnd::Abusive));
        self.ada_is_heard();
        assert!(self.held() < 10_000, "what Eve left is gone");
    }

    fn ada_is_heard(&mut self) {
        let before = messages(&self.net, self.bob).len();
        send(&mut self.net, self.ada, self.adas, &[Bytes::from_static(b"from Ada")]);
        self.net.run_for(Duration::from_secs(1));
        let heard = messages(&self.net, self.bob);
        assert_eq!(heard[before..], ["from Ada"]);
    }

    /// Bob writes so much to Eve on a flow of his, which is answered by nobody but the test.
    fn bob_writes(&mut self, bytes: usize) -> usize {
        let eves = self.eves;
        let flow = self.net.with(self.bob, |bob, now| {
            let flow = bob.open_flow(eves, flow_options(b"test")).expect("an open session");
            let options = WriteOptions { report: true, ..WriteOptions::default() };
            bob.write(now, eves, flow, Bytes::from(vec![7; bytes]), options).expect("room");
            flow
        });
        flow.0 as usize
    }

    fn sent_to_eve(&self) -> usize {
        sent_by(&self.net, self.bob).iter().filter(|seen| seen.to == self.eve.from).count()
    }
}

/// Conforms: 7016-5-f
#[test]
fn flows_without_end_are_refused_then_not_remembered_and_end_their_session() {
    let mut scene = Scene::new();
    let mut most = 0;
    for number in 1..3_000 {
        scene.say(&user_data(number, 1, 1, 0, b"x"));
        most = most.max(scene.held());
    }
    let flows =
        scene.net.events(scene.bob).iter().filter(|(_, event)| matches!(event, Event::FlowOpened { .. }));
    assert_eq!(flows.count(), 256, "as many as may be open at once");
    assert!(most < 1024 * 1024, "{most} bytes at the most");
    scene.ends_in_abuse_and_ada_is_heard();
}

/// Conforms: 7016-5-f
#[test]
fn pings_without_end_are_answered_eight_at_a_time_and_end_their_session() {
    let mut scene = Scene::new();
    let many = chunk(PING, b"").repeat(390);
    scene.net.clear_log();
    let mut packets = 0;
    while scene.is_open() {
        scene.say(&many);
        packets += 1;
        assert!(packets < 10);
    }
    let replies =
        sent_by(&scene.net, scene.bob).iter().filter(|seen| seen.payload(PING_REPLY).is_some()).count();
    assert!(replies <= 8 * packets, "{replies} replies");
    scene.ends_in_abuse_and_ada_is_heard();
}

#[test]
fn a_ping_in_each_packet_is_a_fair_question_for_ever() {
    let mut scene = Scene::new();
    for _ in 0..5_000 {
        scene.say(&chunk(PING, b"are you there?"));
    }
    assert!(scene.is_open());
}

/// Conforms: 7016-5-f
#[test]
fn fragments_of_a_message_that_never_begins_are_held_in_bounds_and_end_their_session() {
    let mut scene = Scene::new();
    let data = vec![7; 60_000];
    let mut most = 0;
    for number in 2..4_000 {
        scene.say(&user_data(3, number, number, MIDDLE, &data));
        most = most.max(scene.held());
    }
    // The window, the largest message, and what may be sent before the window is known.
    assert!(most > 6 << 20 && most < (6 << 20) + 200_000, "{most} bytes at the most");
    scene.ends_in_abuse_and_ada_is_heard();
}

#[test]
fn empty_fragments_cost_their_sender_as_much_room_as_if_they_were_long() {
    let mut scene = Scene::new();
    let mut most = 0;
    for number in 2..150_000 {
        scene.say(&user_data(3, number, number, MIDDLE, b""));
        most = most.max(scene.held());
    }
    assert!(most < 7 << 20, "{most} bytes at the most");
    scene.ada_is_heard();
}

/// Conforms: 7016-5-f
#[test]
fn acknowledgements_of_what_was_never_sent_change_nothing_and_end_their_session() {
    let mut scene = Scene::new();
    let flow = scene.bob_writes(500_000);
    let under_way =
        scene.net.machine(scene.bob).queued(scene.eves, tincan::rtmfp::endpoint::SendFlowId(flow as u64));
    scene.net.clear_log();
    scene.say(&range_ack(&[flow, 4096, 1 << 40]));
    scene.say(&range_ack(&[flow, 4096, 0, 5, 1 << 40]));
    let after =
        scene.net.machine(scene.bob).queued(scene.eves, tincan::rtmfp::endpoint::SendFlowId(flow as u64));
    assert_eq!(
        (after, scene.sent_to_eve()),
        (under_way, 0),
        "nothing counts as arrived, and nothing more is sent"
    );
    for _ in 0..1_000 {
        scene.say(&range_ack(&[flow, 4096, 1 << 40]));
    }
    let done = |event: &Event| matches!(event, Event::MessageDone { delivered: true, .. });
    assert!(!scene.net.events(scene.bob).iter().any(|(_, event)| done(event)));
    scene.ends_in_abuse_and_ada_is_heard();
}

#[test]
fn many_acknowledgements_of_the_same_in_one_packet_are_one() {
    let mut scene = Scene::new();
    let flow = scene.bob_writes(500_000);
    scene.net.clear_log();
    let again = range_ack(&[flow, 4096, 1]).repeat(150);
    scene.say(&again);
    let sent = scene.sent_to_eve();
    assert!(sent <= 12, "{sent} packets for one acknowledgement");
}

#[test]
fn a_window_that_stays_shut_is_asked_about_ever_more_seldom() {
    let mut scene = Scene::new();
    let flow = scene.bob_writes(500_000);
    scene.say(&range_ack(&[flow, 0, 4]));
    // What is under way is lost, and comes again only when there is room.
    scene.net.clear_log();
    for _ in 0..30 {
        scene.net.run_for(Duration::from_secs(10));
        scene.say(&range_ack(&[flow, 0, 4]));
    }
    let sent = scene.sent_to_eve();
    assert!(scene.is_open() && sent < 120, "{sent} packets in five minutes");
}

#[test]
fn a_window_of_one_block_lets_one_packet_out_for_each_acknowledgement() {
    let mut scene = Scene::new();
    let flow = scene.bob_writes(500_000);
    scene.net.run_for(Duration::from_secs(4));
    scene.net.clear_log();
    for number in 5..205 {
        scene.say(&range_ack(&[flow, 1, number]));
    }
    let sent = scene.sent_to_eve();
    assert!(sent <= 2 * 200, "{sent} packets for 200 acknowledgements");
}

#[test]
fn numbers_at_the_end_of_all_numbers_and_far_ahead_do_no_harm() {
    let mut scene = Scene::new();
    let end = u64::MAX as usize;
    for (flow, (sequence, offset)) in [
        (end, 1),
        (end, end),
        (end - 1, 0),
        (end - 1, 1),
        (end - 1, end - 1),
        (1 << 63, 1),
        (1 << 63, 1 << 63),
    ]
    .into_iter()
    .enumerate()
    {
        scene.say(&user_data(flow + 1, sequence, offset, 0, b"x"));
        scene.say(&user_data(flow + 1, 1, 1, 0, b"y"));
        scene.say(&user_data(flow + 1, end - 1, 1, FIRST, b"z"));
    }
    for number in [end, end - 1, 1 << 63] {
        scene.say(&user_data(number, 1, 1, 0, b"a flow of its own"));
        scene.say(&chunk(FLOW_EXCEPTION, &[vlu(number), vlu(number)].concat()));
    }
    scene.net.run_for(Duration::from_secs(1));
    assert!(scene.is_open() && scene.held() < 50_000, "{} bytes", scene.held());
    let own =
        messages(&scene.net, scene.bob).iter().filter(|message| *message == "a flow of its own").count();
    assert_eq!(own, 3);
    scene.ada_is_heard();
}

#[test]
fn gaps_without_end_make_no_longer_acknowledgements_than_a_packet_holds() {
    let mut scene = Scene::new();
    scene.net.clear_log();
    for number in 1..20_000 {
        scene.say(&user_data(3, 2 * number, 2 * number, 0, b"x"));
    }
    let longest = scene.net.sent().iter().map(|sent| sent.bytes.len()).max();
    assert!(longest.is_some_and(|longest| longest <= 1_200), "{longest:?}");
    assert!(scene.is_open() && scene.held() < 200_000, "{} bytes", scene.held());
    let sent = scene.sent_to_eve();
    assert!(sent <= 20_000, "one answer for each packet at the most, {sent} for 20000");
    scene.ada_is_heard();
}

#[test]
fn islands_that_overlap_and_span_everything_cost_one_look_at_what_is_under_way() {
    let mut scene = Scene::new();
    let flow = scene.bob_writes(500_000);
    let before = scene.net.machine(scene.bob).figures(std::time::Instant::now(), scene.eves).expect("open");
    // Cut short, too large, or both: of none of these is anything beyond what was sent.
    for pairs in [&[0, 0][..], &[0, 0, 0], &[1 << 62, 1 << 62, 1 << 62, 1 << 62], &[u64::MAX as usize, 0]] {
        let numbers = [&[flow, 100, 0][..], pairs].concat();
        scene.say(&range_ack(&numbers));
    }
    let after = scene.net.machine(scene.bob).figures(std::time::Instant::now(), scene.eves).expect("open");
    assert!(
        after.in_flight <= before.in_flight + 20 * 1_200,
        "{} after {}",
        after.in_flight,
        before.in_flight
    );
    assert!(scene.is_open());
}
