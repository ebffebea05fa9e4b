//! Direct streams between peers that a server introduced (RFC 7425 §5.4).

use std::time::Duration;

use tincan::amf::Value;
use tincan::netconnection::node::{
    MediaDeadline, MediaKind, OwnIdentity, PlaybackEnd, PlaybackId, PublicationId, SubscriberId, Target,
};
use tincan::netconnection::{Node, NodeEvent, StatusCode};

use crate::support::nodes::{
    Nodes, accept_all, ada_and_bob_with_server, add_client, id, media, network_with_server, node, play,
    publish, restarted, subscriber, tells, timestamps, told, within,
};
use crate::support::scenario::TRIP;
use crate::support::virtual_network::Host;

const A_WHILE: Duration = Duration::from_secs(2);

fn ended(net: &Nodes, host: Host, id: PlaybackId) -> Option<PlaybackEnd> {
    told(net, host, |event| match event {
        NodeEvent::PlaybackEnded { playback, end } if *playback == id => Some(*end),
        _ => None,
    })
}

fn statuses(net: &Nodes, host: Host, id: PlaybackId) -> Vec<StatusCode> {
    let status = |event: &NodeEvent| match event {
        NodeEvent::PlaybackStatus { playback, code } if *playback == id => Some(code.clone()),
        _ => None,
    };
    net.events(host).iter().filter_map(|(_, event)| status(event)).collect()
}

/// Ada publishes "cam" and Bob plays it; the server is there as well.
fn bob_plays_ada() -> (Nodes, Host, Host, PublicationId, SubscriberId, PlaybackId) {
    let (mut net, _, ada, bob) = ada_and_bob_with_server();
    let publication = publish(&mut net, ada, "cam");
    let playback = play(&mut net, bob, ada, "cam");
    net.run_for(A_WHILE);
    let subscriber = subscriber(&net, ada).expect("a subscriber");
    (net, ada, bob, publication, subscriber, playback)
}

fn key(timestamp: u32, net: &mut Nodes, from: Host, target: Target) {
    let deadline = MediaDeadline::default();
    net.with(from, |node, now| {
        node.send_media(now, target, media(MediaKind::Video, timestamp, 3000), deadline)
    });
}

fn delta(timestamp: u32, net: &mut Nodes, from: Host, target: Target, milliseconds: u64) {
    net.with(from, |node, now| {
        let until = within(now, milliseconds);
        let deadline = MediaDeadline { start_by: until, finish_by: until, needs_previous: true };
        node.send_media(now, target, media(MediaKind::Video, timestamp, 1000), deadline);
    });
}

#[test]
fn a_stream_is_played_from_the_peer_itself_after_an_introduction() {
    let (net, ada, bob, publication, subscriber, playback) = bob_plays_ada();
    let asked = NodeEvent::PeerConnect {
        subscriber,
        publication: Some(publication),
        name: "cam".to_owned(),
        peer: id(&net, bob),
        own: OwnIdentity::Main,
    };
    assert!(net.told(ada, &asked) <= net.told(ada, &NodeEvent::PlayStarted { subscriber, publication }));
    assert_eq!(statuses(&net, bob, playback), [StatusCode::PlayReset, StatusCode::PlayStart]);
    assert_eq!(net.machine(bob).peer_route(id(&net, ada)), Some(net.route_to(ada)));
}

#[test]
fn sound_pictures_and_data_arrive() {
    let (mut net, ada, bob, publication, _, playback) = bob_plays_ada();
    let target = Target::Publication(publication);
    net.with(ada, |node, now| {
        node.send_data(now, target, "onIm", vec!["Ada".into(), "hello".into()]);
        for n in 0..20 {
            node.send_media(now, target, media(MediaKind::Audio, n, 100), MediaDeadline::default());
            node.send_media(now, target, media(MediaKind::Video, n, 5000), MediaDeadline::default());
        }
    });
    net.run_for(A_WHILE);
    let all: Vec<u32> = (0..20).collect();
    // Sound comes as it arrives, which need not be the order it was sent in.
    let mut sound = timestamps(&net, bob, MediaKind::Audio);
    sound.sort_unstable();
    assert_eq!(sound, all);
    assert_eq!(timestamps(&net, bob, MediaKind::Video), all);
    let handler = "onIm".to_owned();
    let data = NodeEvent::Data { playback, handler, arguments: vec!["Ada".into(), "hello".into()] };
    assert!(net.told(bob, &data).is_some());
    assert_eq!(net.machine(ada).queued(target, MediaKind::Video), 0);
}

#[test]
fn a_refused_subscriber_is_told_so() {
    let (mut net, _, ada, bob) = ada_and_bob_with_server();
    net.with(ada, |node, now| node.publish_direct(now, "cam"));
    let playback = play(&mut net, bob, ada, "cam");
    net.run_for(A_WHILE);
    let subscriber = subscriber(&net, ada).expect("a subscriber");
    net.with(ada, |node, now| node.refuse_subscriber(now, subscriber));
    net.run_for(A_WHILE);
    assert_eq!(ended(&net, bob, playback), Some(PlaybackEnd::Refused));
}

#[test]
fn what_is_not_published_yet_may_be_accepted_later() {
    let (mut net, _, ada, bob) = ada_and_bob_with_server();
    let playback = play(&mut net, bob, ada, "later");
    net.run_for(A_WHILE);
    let unknown = told(&net, ada, |event| match event {
        NodeEvent::PeerConnect { subscriber, publication: None, name, .. } if name == "later" => {
            Some(*subscriber)
        }
        _ => None,
    });
    let subscriber = unknown.expect("a subscriber to nothing");
    net.with(ada, |node, now| {
        let publication = node.publish_direct(now, "later");
        node.accept_subscriber(now, subscriber, publication);
    });
    net.run_for(A_WHILE);
    assert_eq!(statuses(&net, bob, playback), [StatusCode::PlayReset, StatusCode::PlayStart]);
}

#[test]
fn what_is_never_published_is_refused_after_half_a_minute() {
    let (mut net, _, ada, bob) = ada_and_bob_with_server();
    let playback = play(&mut net, bob, ada, "never");
    net.run_for(Duration::from_secs(40));
    assert_eq!(ended(&net, bob, playback), Some(PlaybackEnd::Refused));
    assert!(tells(&net, ada, |event| matches!(event, NodeEvent::SubscriberGone { publication: None, .. })));
}

#[test]
fn eight_peers_may_play_and_the_ninth_is_refused() {
    let (mut net, server) = network_with_server();
    let ada = add_client(&mut net, server, "ada");
    publish(&mut net, ada, "cam");
    let players: Vec<(Host, PlaybackId)> = (0..9)
        .map(|n| {
            let player = add_client(&mut net, server, &format!("player {n}"));
            let playback = play(&mut net, player, ada, "cam");
            net.run_for(A_WHILE);
            (player, playback)
        })
        .collect();
    let (ninth, eight) = players.split_last().unwrap();
    for (player, playback) in eight {
        assert_eq!(ended(&net, *player, *playback), None);
    }
    assert_eq!(ended(&net, ninth.0, ninth.1), Some(PlaybackEnd::Refused));
    let again = play(&mut net, eight[0].0, ada, "cam");
    net.run_for(A_WHILE);
    assert_eq!(ended(&net, eight[0].0, again), None, "one peer counts once");
}

#[test]
fn data_arrives_in_order_whatever_is_lost() {
    let (mut net, ada, bob, publication, _, _) = bob_plays_ada();
    net.set_links(|link| {
        link.loss = 0.2;
        link.jitter = Duration::from_millis(30);
    });
    for n in 0..100 {
        net.with(ada, |node, now| {
            node.send_data(now, Target::Publication(publication), "n", vec![f64::from(n).into()]);
        });
        net.run_for(Duration::from_millis(10));
    }
    net.run_for(Duration::from_secs(60));
    let number = |event: &NodeEvent| match event {
        NodeEvent::Data { arguments, .. } => arguments.first().and_then(Value::as_number),
        _ => None,
    };
    let numbers: Vec<f64> = net.events(bob).iter().filter_map(|(_, event)| number(event)).collect();
    assert_eq!(numbers, (0..100).map(f64::from).collect::<Vec<_>>());
}

#[test]
fn late_pictures_are_given_up_and_block_nothing() {
    let (mut net, ada, bob, _, subscriber, _) = bob_plays_ada();
    let target = Target::Subscriber(subscriber);
    key(0, &mut net, ada, target);
    net.run_for(A_WHILE);
    net.cut(bob, true);
    for n in 1..5 {
        delta(n, &mut net, ada, target, 100);
    }
    net.run_for(Duration::from_millis(300));
    net.cut(bob, false);
    key(5, &mut net, ada, target);
    delta(6, &mut net, ada, target, 1000);
    net.run_for(A_WHILE);
    assert_eq!(timestamps(&net, bob, MediaKind::Video), [0, 5, 6]);
    let abandoned = NodeEvent::MediaAbandoned { target, kind: MediaKind::Video, timestamp: 1 };
    assert!(net.told(ada, &abandoned).is_some());
}

#[test]
fn a_picture_whose_predecessor_fell_is_not_sent_at_all() {
    let (mut net, ada, bob, _, subscriber, _) = bob_plays_ada();
    let target = Target::Subscriber(subscriber);
    net.cut(bob, true);
    key(0, &mut net, ada, target);
    net.with(ada, |node, now| node.abandon_video(now, target));
    delta(1, &mut net, ada, target, 5000);
    net.run_for(2 * TRIP);
    net.cut(bob, false);
    assert_eq!(net.machine(ada).queued(target, MediaKind::Video), 0);
    key(2, &mut net, ada, target);
    net.run_for(A_WHILE);
    assert_eq!(timestamps(&net, bob, MediaKind::Video), [2]);
}

/// Conforms: 7425-5.4-a
#[test]
fn streams_in_both_directions_share_one_session() {
    let (mut net, ada, bob, ..) = bob_plays_ada();
    publish(&mut net, bob, "other cam");
    net.clear_log();
    let playback = play(&mut net, ada, bob, "other cam");
    net.run_for(A_WHILE);
    assert_eq!(statuses(&net, ada, playback), [StatusCode::PlayReset, StatusCode::PlayStart]);
    let startup = net.sent().iter().filter(|sent| sent.bytes.windows(7).any(|seven| seven == b"ada\x21\x0f"));
    assert_eq!(startup.count(), 0);
    let ours = net.machine(ada).session_bindings(id(&net, bob));
    assert!(!ours.is_empty(), "a session");
    assert_eq!(net.machine(bob).session_bindings(id(&net, ada)), ours);
}

#[test]
fn two_who_dial_each_other_a_moment_apart_keep_both_streams_as_they_began() {
    for (loss, jitter) in [(0.0, 0), (0.0, 30), (0.05, 0), (0.05, 30), (0.15, 30)] {
        for apart in (0..400).step_by(10) {
            let case = format!("{apart} ms apart, loss {loss}, jitter {jitter} ms");
            let (mut net, _, ada, bob) = ada_and_bob_with_server();
            net.set_job_time(Duration::from_millis(15));
            net.set_links(|link| {
                link.loss = loss;
                link.jitter = Duration::from_millis(jitter);
            });
            let from_ada = publish(&mut net, ada, "from ada");
            let from_bob = publish(&mut net, bob, "from bob");
            let at_ada = play(&mut net, ada, bob, "from bob");
            net.run_for(Duration::from_millis(apart));
            let at_bob = play(&mut net, bob, ada, "from ada");
            net.run_for(Duration::from_secs(10));
            key(7, &mut net, ada, Target::Publication(from_ada));
            key(7, &mut net, bob, Target::Publication(from_bob));
            net.run_for(Duration::from_secs(10));
            for (host, playback) in [(ada, at_ada), (bob, at_bob)] {
                let played = statuses(&net, host, playback);
                assert_eq!(played, [StatusCode::PlayReset, StatusCode::PlayStart], "{case}");
                assert_eq!(ended(&net, host, playback), None, "{case}");
                let gone = tells(&net, host, |event| matches!(event, NodeEvent::SubscriberGone { .. }));
                assert!(!gone, "{case}");
                assert_eq!(timestamps(&net, host, MediaKind::Video), [7], "{case}");
            }
        }
    }
}

#[test]
fn both_may_dial_at_once_over_a_lossy_network() {
    for seed in 0..20 {
        let (mut net, _, ada, bob) = ada_and_bob_with_server();
        net.set_links(|link| link.loss = 0.15);
        // Other luck with every seed: so many packets are lost or not before.
        net.run_for(Duration::from_secs(20 * seed));
        publish(&mut net, ada, "from ada");
        publish(&mut net, bob, "from bob");
        let at_ada = play(&mut net, ada, bob, "from bob");
        let at_bob = play(&mut net, bob, ada, "from ada");
        net.run_for(Duration::from_secs(30));
        for (host, playback) in [(ada, at_ada), (bob, at_bob)] {
            let played = statuses(&net, host, playback);
            assert!(played.ends_with(&[StatusCode::PlayReset, StatusCode::PlayStart]), "seed {seed}");
            assert_eq!(ended(&net, host, playback), None, "seed {seed}");
        }
    }
}

#[test]
fn a_peer_that_starts_anew_is_played_in_its_new_session_at_once() {
    let (mut net, _, ada, bob) = ada_and_bob_with_server();
    publish(&mut net, ada, "cam");
    publish(&mut net, bob, "cam");
    play(&mut net, ada, bob, "cam");
    net.run_for(A_WHILE);
    net.restart(bob, restarted("bob"));
    accept_all(&mut net, bob);
    net.with(bob, |node, now| node.publish_direct(now, "cam"));
    let (peer, route) = (id(&net, ada), net.route_to(ada));
    net.with(bob, |node, now| node.play_direct(now, peer, "cam", &[route]));
    net.run_for(Duration::from_millis(500));
    let playback = play(&mut net, ada, bob, "cam");
    net.run_for(Duration::from_millis(500));
    assert_eq!(statuses(&net, ada, playback), [StatusCode::PlayReset, StatusCode::PlayStart]);
}

#[test]
fn a_peer_that_vanishes_is_reported_on_both_sides() {
    let (mut net, ada, bob, publication, subscriber, playback) = bob_plays_ada();
    net.cut(bob, true);
    net.run_for(Duration::from_secs(60));
    let gone = NodeEvent::SubscriberGone { subscriber, publication: Some(publication), vanished: true };
    assert!(net.told(ada, &gone).is_some(), "{:?}", net.events(ada));
    assert_eq!(ended(&net, bob, playback), Some(PlaybackEnd::Vanished));
}

#[test]
fn a_player_that_stops_is_gone_without_having_vanished() {
    let (mut net, ada, bob, publication, subscriber, playback) = bob_plays_ada();
    net.with(bob, |node, now| node.close_playback(now, playback));
    net.run_for(A_WHILE);
    let gone = NodeEvent::SubscriberGone { subscriber, publication: Some(publication), vanished: false };
    assert!(net.told(ada, &gone).is_some());
    assert_eq!(ended(&net, bob, playback), Some(PlaybackEnd::ClosedHere));
}

#[test]
fn a_session_without_streams_is_closed_after_a_few_seconds() {
    let (mut net, ada, bob, _, _, playback) = bob_plays_ada();
    net.with(bob, |node, now| node.close_playback(now, playback));
    net.run_for(A_WHILE);
    assert!(net.machine(bob).peer_route(id(&net, ada)).is_some());
    net.run_for(Duration::from_secs(10));
    assert_eq!(net.machine(bob).peer_route(id(&net, ada)), None);
    assert_eq!(net.machine(ada).peer_route(id(&net, bob)), None);
}

#[test]
fn a_stream_that_is_no_longer_published_ends_at_its_players() {
    let (mut net, ada, bob, publication, _, playback) = bob_plays_ada();
    net.with(ada, |node, now| node.unpublish(now, publication));
    net.run_for(A_WHILE);
    assert_eq!(ended(&net, bob, playback), Some(PlaybackEnd::Unpublished));
}

#[test]
fn a_peer_that_closes_the_session_ends_every_stream_in_it() {
    let (mut net, ada, bob, publication, subscriber, playback) = bob_plays_ada();
    let peer = id(&net, bob);
    net.with(ada, |node, now| node.close_peer(now, peer));
    net.run_for(A_WHILE);
    assert_eq!(ended(&net, bob, playback), Some(PlaybackEnd::Unpublished));
    let gone = NodeEvent::SubscriberGone { subscriber, publication: Some(publication), vanished: false };
    assert!(net.told(ada, &gone).is_some());
}

#[test]
fn a_peer_that_nobody_knows_is_unreachable() {
    let (mut net, _, ada, _) = ada_and_bob_with_server();
    let stranger = node("stranger").near_id();
    let playback = net.with(ada, |node: &mut Node, now| node.play_direct(now, stranger, "cam", &[]));
    net.run_for(Duration::from_secs(60));
    assert_eq!(ended(&net, ada, playback), Some(PlaybackEnd::Unreachable));
}

#[test]
fn a_known_address_needs_no_server() {
    let mut net = Nodes::new(TRIP);
    let (ada, bob) = (net.add(node("ada")), net.add(node("bob")));
    publish(&mut net, ada, "cam");
    let (peer, route) = (id(&net, ada), net.route_to(ada));
    let playback = net.with(bob, |node, now| node.play_direct(now, peer, "cam", &[route]));
    net.run_for(A_WHILE);
    assert_eq!(statuses(&net, bob, playback), [StatusCode::PlayReset, StatusCode::PlayStart]);
}

#[test]
fn whoever_cannot_prove_an_identity_plays_nothing() {
    let mut net = Nodes::new(TRIP);
    let (server, ada) = (net.add(node("server")), net.add(node("ada")));
    publish(&mut net, ada, "cam");
    let (peer, route) = (id(&net, ada), net.route_to(ada));
    let playback = net.with(server, |node, now| node.play_direct(now, peer, "cam", &[route]));
    net.run_for(A_WHILE);
    assert_eq!(ended(&net, server, playback), Some(PlaybackEnd::Refused));
    assert_eq!(subscriber(&net, ada), None);
}
