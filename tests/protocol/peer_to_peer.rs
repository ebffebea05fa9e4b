//! Direct streams as the far end sees them (RFC 7425 §5.4).

use std::time::Duration;

use tincan::amf::Value;
use tincan::netconnection::node::{MediaDeadline, MediaKind, OwnIdentity, PlaybackEnd, PlaybackId, Target};
use tincan::netconnection::{NodeEvent, StatusCode};
use tincan::rtmfp::PeerId;
use tincan::rtmfp::endpoint::{ReceiveFlowId, SendFlowId};

use crate::support::nodes::{ada_and_bob_with_server, id, media, play};
use crate::support::scenario::TRIP;
use crate::support::stage::{Stage, command, parsed};

/// Ada wants to play what the test publishes as Bob: her playback, and her control flow.
fn player() -> (Stage, PlaybackId, ReceiveFlowId) {
    let mut stage = Stage::new("ada", "bob");
    let (peer, route) = (bob(&mut stage), stage.net.route_to(stage.hand));
    let playback = stage.node(|node, now| node.play_direct(now, peer, "cam", &[route]));
    stage.run();
    let control = stage.seen()[0].flow;
    (stage, playback, control)
}

fn bob(stage: &mut Stage) -> PeerId {
    stage.hand(|endpoint, _| endpoint.own_peer_id()).expect("a certificate")
}

/// Ada publishes, and lets everybody play; the test is a subscriber: its control flow.
fn publisher(stream: u8) -> (Stage, SendFlowId) {
    let mut stage = Stage::new("ada", "bob");
    let publication = stage.node(|node, now| node.publish_direct(now, "cam"));
    stage.react(move |node, now, event| {
        if let NodeEvent::PeerConnect { subscriber, .. } = event {
            node.accept_subscriber(now, *subscriber, publication);
        }
    });
    let (peer, route) = (stage.node(|node, _| node.near_id()), stage.net.route_to(stage.near));
    stage.hand(|endpoint, now| endpoint.open_session_to_peer(now, peer, &[route]));
    stage.run();
    let control = stage.open(&[b'T', b'C', 4, stream], None);
    stage.write(control, &command("play", 0.0, Value::Null, &["cam".into()]));
    stage.run();
    (stage, control)
}

fn played(stage: &Stage, playback: PlaybackId) -> Vec<u32> {
    let of_it = |event: &NodeEvent| match event {
        NodeEvent::Media { playback: id, message } if *id == playback => Some(message.timestamp),
        _ => None,
    };
    stage.node_events().filter_map(of_it).collect()
}

fn ended(stage: &Stage, playback: PlaybackId) -> Option<PlaybackEnd> {
    stage.node_events().find_map(|event| match event {
        NodeEvent::PlaybackEnded { playback: id, end } if *id == playback => Some(*end),
        _ => None,
    })
}

fn picture(timestamp: u8) -> Vec<u8> {
    vec![9, 0, 0, 0, timestamp, 0x17, 1, 0, 0, 0, 4]
}

/// Conforms: 7425-5.4.1-a
#[test]
fn a_peer_is_asked_for_by_its_fingerprint_where_the_server_is() {
    let (mut net, server, ada, bob) = ada_and_bob_with_server();
    net.clear_log();
    play(&mut net, bob, ada, "cam");
    let wanted = [&[0x21, 0x0f][..], &id(&net, ada).0].concat();
    let hello = net.sent().iter().find(|sent| sent.from == bob).expect("a hello");
    assert_eq!(hello.to, net.address(server));
    assert!(hello.bytes.windows(wanted.len()).any(|window| window == wanted));
    net.run_for(6 * TRIP);
    assert!(net.machine(bob).peer_route(id(&net, ada)).is_some(), "the server introduced them");
}

#[test]
fn a_session_opened_ahead_of_its_use_is_the_one_that_is_used() {
    let (mut net, _, ada, bob) = ada_and_bob_with_server();
    let peer = id(&net, ada);
    net.with(bob, |node, now| node.reach(now, OwnIdentity::Main, peer, &[]));
    net.run_for(6 * TRIP);
    assert!(net.machine(bob).peer_route(peer).is_some(), "the server introduced them");
    play(&mut net, bob, ada, "cam");
    net.run_for(6 * TRIP);
    assert_eq!(net.machine(bob).sessions(), 2, "the server's and Ada's");
}

#[test]
fn a_session_opened_ahead_of_its_use_is_closed_when_it_is_not_used() {
    let (mut net, _, ada, bob) = ada_and_bob_with_server();
    for peer in [id(&net, ada), PeerId([9; 32])] {
        net.with(bob, |node, now| node.reach(now, OwnIdentity::Main, peer, &[]));
        assert_eq!(net.machine(bob).sessions(), 2);
        net.run_for(Duration::from_secs(60));
        assert_eq!(net.machine(bob).sessions(), 1, "the server's alone");
    }
}

/// Conforms: 7425-5.4.1-b, 7425-5.4.1-c
#[test]
fn a_subscriber_says_play_on_a_new_flow_of_a_stream_that_is_not_0() {
    let (mut stage, ..) = player();
    let peer = bob(&mut stage);
    stage.node(|node, now| node.play_direct(now, peer, "other", &[]));
    stage.run();
    let [one, other] = &stage.seen()[..] else { panic!("two flows: {:?}", stage.seen()) };
    for (flow, name) in [(one, "cam"), (other, "other")] {
        assert_eq!((&flow.metadata[..3], flow.answers), (&b"TC\x04"[..], None));
        assert!(flow.metadata[3..].iter().any(|byte| byte & 0x7f != 0), "{flow:?}");
        let (said, values) = parsed(&stage.heard(flow.flow)[0]).expect("a command");
        assert_eq!((said.as_str(), &values[2]), ("play", &Value::from(name)));
    }
    assert_ne!(one.metadata, other.metadata);
}

/// Conforms: 7425-5.4.2-a
#[test]
fn what_a_publisher_sends_answers_the_subscribers_flow_and_has_its_stream_id() {
    let (mut stage, control) = publisher(9);
    let subscriber = stage.node_events().find_map(|event| match event {
        NodeEvent::PeerConnect { subscriber, .. } => Some(*subscriber),
        _ => None,
    });
    let target = Target::Subscriber(subscriber.expect("a subscriber"));
    for kind in [MediaKind::Audio, MediaKind::Video] {
        stage.node(|node, now| node.send_media(now, target, media(kind, 1, 50), MediaDeadline::default()));
    }
    stage.run();
    let flows = stage.seen();
    assert_eq!(flows.len(), 3);
    for flow in &flows {
        assert_eq!((flow.metadata[2] & 4, &flow.metadata[3..], flow.answers), (4, &[9][..], Some(control)));
    }
    let first = stage.heard(flows[0].flow);
    assert_eq!(first[0], [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9][..], "StreamBegin");
    let codes = first.iter().filter_map(parsed).filter_map(|(_, values)| StatusCode::of(&values[2]));
    assert_eq!(codes.collect::<Vec<_>>(), [StatusCode::PlayReset, StatusCode::PlayStart]);
    let mut kinds: Vec<u8> = flows[1..].iter().map(|flow| stage.heard(flow.flow)[0][0]).collect();
    kinds.sort();
    assert_eq!(kinds, [8, 9]);
}

/// Conforms: 7425-5.4.2-b, trap-20
#[test]
fn media_belongs_to_the_stream_whose_flow_it_answers_whatever_its_stream_id() {
    let (mut stage, playback, control) = player();
    let peer = bob(&mut stage);
    let second = stage.node(|node, now| node.play_direct(now, peer, "other", &[]));
    stage.run();
    let (of_first, of_second) = (stage.seen()[0].clone(), stage.seen()[1].clone());
    assert_eq!(of_first.flow, control);
    // Each with the stream ID of the other.
    let one = stage.open(&of_second.metadata, Some(of_first.flow));
    stage.write(one, &picture(1));
    let other = stage.open(&of_first.metadata, Some(of_second.flow));
    stage.write(other, &picture(2));
    let unasked = stage.open(&of_first.metadata, None);
    stage.write(unasked, &picture(3));
    stage.run();
    assert_eq!(played(&stage, playback), [1]);
    assert_eq!(played(&stage, second), [2]);
}

/// Conforms: 7425-5.4.2-c
#[test]
fn one_flow_with_one_message_shows_that_a_stream_is_published_and_flows_come_and_go() {
    for first_message in [picture(0), vec![4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]] {
        let (mut stage, playback, control) = player();
        let flow = stage.open(b"TC\x04\x09", Some(control));
        stage.write(flow, &first_message);
        stage.close(flow);
        stage.run();
        for timestamp in 1..4 {
            let flow = stage.open(b"TC\x04\x09", Some(control));
            stage.write(flow, &picture(timestamp));
            stage.close(flow);
            stage.run();
        }
        assert!(played(&stage, playback).ends_with(&[1, 2, 3]));
        assert_eq!(ended(&stage, playback), None);
        stage.reject(control);
        stage.run();
        assert_eq!(ended(&stage, playback), Some(PlaybackEnd::Unpublished), "it was published");
    }
    let (mut stage, playback, control) = player();
    stage.reject(control);
    stage.run();
    assert_eq!(ended(&stage, playback), Some(PlaybackEnd::Refused), "it never was");
}

/// Conforms: 7425-5.4.3-a
#[test]
fn a_publisher_stops_when_the_subscribers_control_flow_is_finished() {
    let (mut stage, control) = publisher(9);
    let flow = stage.seen()[0].flow;
    assert_eq!(stage.finished(), []);
    stage.close(control);
    stage.run();
    assert!(
        stage.node_events().any(|event| matches!(event, NodeEvent::SubscriberGone { vanished: false, .. }))
    );
    assert_eq!(stage.finished(), [flow]);
}

/// Conforms: 7425-5.4.3-b
#[test]
fn any_exception_on_its_control_flow_tells_a_subscriber_that_the_stream_is_closed() {
    for code in [0, 1, u64::MAX] {
        let (mut stage, playback, control) = player();
        let media = stage.open(b"TC\x04\x09", Some(control));
        stage.write(media, &picture(1));
        stage.run();
        let session = stage.session();
        stage.hand(|endpoint, now| endpoint.reject_flow(now, session, control, code));
        stage.run();
        assert_eq!(ended(&stage, playback), Some(PlaybackEnd::Unpublished), "code {code}");
        assert_eq!(stage.refused(), [(media, 0)], "its media is refused with it");
    }
}
