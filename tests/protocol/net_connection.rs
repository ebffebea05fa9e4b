//! NetConnection as the far end sees it (RFC 7425 §5.3): connecting, setPeerInfo, keepalives, both ways of closing.

use std::time::Duration;

use tincan::amf::Value;
use tincan::netconnection::node::{ConnectionId, ObjectEncoding};
use tincan::netconnection::{NodeEvent, StatusCode};
use tincan::rtmfp::Event;
use tincan::rtmfp::crypto::flash::discriminator_for_url;
use tincan::rtmfp::endpoint::SessionKey;

use crate::support::nodes::{Nodes, URL, endpoint_config, node, play, publish};
use crate::support::scenario::TRIP;
use crate::support::stage::{Seen, Stage, command, connect, parsed, success};

fn is_connected(stage: &Stage) -> bool {
    stage.node_events().any(|event| matches!(event, NodeEvent::Connected { .. }))
}

fn disconnected(stage: &Stage) -> Option<StatusCode> {
    stage.node_events().find_map(|event| match event {
        NodeEvent::Disconnected { code, .. } => Some(code.clone()),
        _ => None,
    })
}

fn session_ended(stage: &Stage) -> bool {
    stage.hand_events().any(|event| matches!(event, Event::SessionEnded { .. }))
}

/// The one connection of a node that is a client.
fn connection(stage: &Stage) -> ConnectionId {
    let connected = stage.node_events().find_map(|event| match event {
        NodeEvent::Connected { connection, .. } => Some(*connection),
        _ => None,
    });
    connected.expect("a connection")
}

/// Conforms: 7425-5.3.1-a
#[test]
fn a_client_asks_every_candidate_for_the_server_of_its_uri() {
    let mut net = Nodes::new(TRIP);
    let (client, one, other) = (net.add(node("ada")), net.add(node("bob")), net.add(node("server")));
    let routes = [net.route_to(one), net.route_to(other)];
    net.with(client, |node, now| node.connect(now, URL, &routes, Vec::new()));
    let wanted = discriminator_for_url(URL);
    assert_eq!(wanted.get(1), Some(&0x0a), "the ancillary data option");
    assert!(wanted.ends_with(URL.as_bytes()));
    net.run_for(Duration::from_secs(1));
    for host in [one, other] {
        let to = net.address(host);
        let asked = net.sent().iter().any(|sent| {
            let holds_uri = sent.bytes.windows(wanted.len()).any(|window| window == wanted);
            sent.from == client && sent.to == to && holds_uri
        });
        assert!(asked, "{to} was asked");
    }
}

/// Conforms: 7425-5.3.1-b
#[test]
fn a_client_opens_a_control_flow_in_queue_order_and_says_connect_on_it() {
    let stage = Stage::client();
    let [control] = &stage.seen()[..] else { panic!("one flow: {:?}", stage.seen()) };
    assert_eq!((&control.metadata[..], control.answers), (&b"TC\x04\x00"[..], None));
    let [said] = &stage.heard(control.flow)[..] else { panic!("one message") };
    let (name, values) = parsed(said).expect("a command");
    assert_eq!((name.as_str(), &values[0]), ("connect", &Value::Number(1.0)));
    assert_eq!(values[1].property("tcUrl").and_then(Value::as_str), Some(URL));
}

/// Conforms: 7425-5.3.2-a
#[test]
fn a_server_answers_connect_on_a_flow_that_answers_the_clients() {
    let (stage, control, answer) = Stage::connected_server();
    let expected = Seen { flow: answer, metadata: b"TC\x04\x00"[..].into(), answers: Some(control) };
    assert_eq!(stage.seen(), [expected]);
    let (name, values) = parsed(&stage.heard(answer)[0]).expect("a command");
    assert_eq!((name.as_str(), &values[0]), ("_result", &Value::Number(1.0)));

    let (mut stage, control) = Stage::server();
    stage.react(|node, now, event| {
        if let NodeEvent::ConnectRequested { connection, .. } = event {
            node.reject_connection(now, *connection, "not today");
        }
    });
    stage.write(control, &connect(0.0));
    stage.run();
    let seen = &stage.seen()[0];
    assert_eq!((&seen.metadata[..], seen.answers), (&b"TC\x04\x00"[..], Some(control)));
    assert_eq!(stage.heard_commands(seen.flow), ["_error"]);
}

/// Conforms: 7425-5.3.2-b, trap-20
#[test]
fn the_servers_first_control_flow_is_the_one_that_the_clients_flows_answer() {
    let mut stage = Stage::client();
    let asked = Some(stage.seen()[0].flow);
    let first = stage.open(b"TC\x04\x00", asked);
    stage.write(first, &[4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    stage.run();
    let second = stage.open(b"TC\x04\x00", asked);
    stage.write(second, &command("_result", 1.0, Value::Null, &[success(Vec::new())]));
    stage.run();
    let connection = connection(&stage);
    let stream = stage.node(|node, now| node.create_stream(now, connection));
    stage.run();
    stage.write(second, &command("_result", 2.0, Value::Null, &[7.0.into()]));
    stage.run();
    stage.node(|node, now| node.publish(now, stream, "cam"));
    stage.run();
    let of_stream = stage.seen().pop().expect("a flow for the stream");
    assert_eq!((&of_stream.metadata[..], of_stream.answers), (&b"TC\x04\x07"[..], Some(first)));
}

/// Conforms: 7425-5.3.2-c
#[test]
fn a_client_may_speak_on_more_control_flows() {
    let (mut stage, _, answer) = Stage::connected_server();
    let more = stage.open(b"TC\x04\x00", Some(answer));
    stage.write(more, &command("hello", 0.0, Value::Null, &[]));
    stage.run();
    let called = |event: &NodeEvent| matches!(event, NodeEvent::Called { name, .. } if name == "hello");
    assert!(stage.node_events().any(called));
    stage.close(more);
    stage.run();
    assert!(!stage.node_events().any(|event| matches!(event, NodeEvent::ClientGone { .. })));
    assert_eq!(stage.refused(), []);
}

/// Conforms: 7425-5.3.2-d
#[test]
fn a_connection_is_up_when_its_connect_is_answered_on_stream_0() {
    let mut stage = Stage::client();
    let asked = Some(stage.seen()[0].flow);
    let yes = |transaction| command("_result", transaction, Value::Null, &[success(Vec::new())]);
    let elsewhere = stage.open(b"TC\x04\x03", asked);
    stage.write(elsewhere, &yes(1.0));
    let control = stage.open(b"TC\x04\x00", asked);
    stage.write(control, &yes(7.0));
    stage.run();
    assert!(!is_connected(&stage), "neither of these answers connect");
    stage.write(control, &yes(1.0));
    stage.run();
    assert!(is_connected(&stage));
}

/// Conforms: 7425-5.3.3-a, 7425-5.3.3-d, trap-20
#[test]
fn a_client_that_was_let_in_says_set_peer_info_even_with_nothing_to_tell() {
    let mut stage = Stage::client();
    let control = stage.seen()[0].flow;
    stage.run();
    assert_eq!(stage.heard_commands(control), ["connect"], "not before it is let in");
    stage.let_in(Vec::new());
    assert_eq!(stage.heard_commands(control), ["connect", "setPeerInfo"]);
    let (_, values) = parsed(&stage.heard(control)[1]).expect("a command");
    assert_eq!(values, [Value::Number(0.0), Value::Null]);
}

/// Conforms: 7425-5.3.3-b, 7425-5.3.3-c, 7425-5.3.3-f
#[test]
fn set_peer_info_lists_every_address_as_in_figure_3() {
    let (mut stage, _) = Stage::connected_client();
    let (connection, control) = (connection(&stage), stage.seen()[0].flow);
    let addresses = ["192.0.2.129:50001".parse().unwrap(), "[2001:db8:1::2]:50002".parse().unwrap()];
    stage.node(|node, now| node.set_peer_info(now, connection, &addresses));
    stage.run();
    let mut expected = vec![20, 0, 0, 0, 0, 2, 0, 11];
    expected.extend(b"setPeerInfo");
    expected.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 2, 0, 17]);
    expected.extend(b"192.0.2.129:50001");
    expected.extend([2, 0, 21]);
    expected.extend(b"[2001:db8:1::2]:50002");
    assert_eq!(stage.heard(control).pop().expect("a message"), expected);
}

/// Conforms: 7425-5.3.3-g, 7425-5.3.3-h
#[test]
fn with_amf3_commands_are_of_type_17_and_format_0() {
    let mut stage = Stage::new("ada", "server");
    let server = stage.net.route_to(stage.hand);
    stage.node(|node, now| {
        let connection = node.connect(now, URL, &[server], Vec::new());
        node.prefer_encoding(connection, ObjectEncoding::Amf3);
    });
    stage.run();
    let control = stage.seen()[0].flow;
    let said = stage.heard(control).remove(0);
    assert_eq!(said[0], 20, "nothing is agreed on before connect is answered");
    let (_, values) = parsed(&said).expect("a command");
    assert_eq!(values[1].property("objectEncoding"), Some(&Value::Number(3.0)));

    stage.let_in(vec![("objectEncoding", 3.0.into())]);
    let told = stage.heard(control).remove(1);
    assert_eq!(told[..6], [17, 0, 0, 0, 0, 0]);
    assert_eq!(parsed(&told).map(|(name, _)| name).as_deref(), Some("setPeerInfo"));

    let connection = connection(&stage);
    stage.node(|node, now| node.notify(now, connection, "x", vec![Value::Bytes(vec![9])]));
    stage.run();
    // An AMF3 byte array (0c) of one byte (03), which the marker 11 switches to.
    assert!(stage.heard(control).pop().expect("a message").ends_with(&[5, 0x11, 0x0c, 0x03, 9]));
}

#[test]
fn a_server_that_insists_on_amf0_is_spoken_to_in_amf0() {
    let mut stage = Stage::new("ada", "server");
    let server = stage.net.route_to(stage.hand);
    stage.node(|node, now| {
        let connection = node.connect(now, URL, &[server], Vec::new());
        node.prefer_encoding(connection, ObjectEncoding::Amf3);
    });
    stage.run();
    stage.let_in(vec![("objectEncoding", 0.0.into())]);
    assert_eq!(stage.heard(stage.seen()[0].flow)[1][0], 20);
}

/// Conforms: 7425-5.3.3-i
#[test]
fn a_client_counts_as_behind_nat_when_it_does_not_list_where_it_is_seen() {
    let (mut stage, control, _) = Stage::connected_server();
    let seen = stage.net.address(stage.hand).to_string();
    for list in [vec![seen.as_str().into(), "10.0.0.1:1".into()], vec!["10.0.0.1:1".into()], Vec::new()] {
        stage.write(control, &command("setPeerInfo", 0.0, Value::Null, &list));
    }
    stage.run();
    let behind_nat = |event: &NodeEvent| match event {
        NodeEvent::PeerInfo { behind_nat, .. } => Some(*behind_nat),
        _ => None,
    };
    assert_eq!(stage.node_events().filter_map(behind_nat).collect::<Vec<_>>(), [false, true, true]);
}

/// Conforms: 7425-5.3.4-a, 7425-5.3.4-c
#[test]
fn a_server_advises_any_keepalives_it_likes_as_often_as_it_likes() {
    let (mut stage, _, answer) = Stage::connected_server();
    let connection = stage.node_events().find_map(|event| match event {
        NodeEvent::ConnectRequested { connection, .. } => Some(*connection),
        _ => None,
    });
    let connection = connection.expect("a client");
    for (server, peer) in [(15, 10), (3600, 1)] {
        let [server, peer] = [server, peer].map(Duration::from_secs);
        stage.node(|node, now| node.set_keepalive(now, connection, server, peer));
    }
    stage.run();
    let advice: Vec<_> = stage.heard(answer).into_iter().filter(|message| message[0] == 4).collect();
    assert_eq!(advice[0], [4, 0, 0, 0, 0, 0, 41, 0, 0, 0x3a, 0x98, 0, 0, 0x27, 0x10][..]);
    assert_eq!(advice[1], [4, 0, 0, 0, 0, 0, 41, 0, 0x36, 0xee, 0x80, 0, 0, 0x03, 0xe8][..]);
}

/// A server's advice of keepalives, with a timestamp.
fn advice(timestamp: u32, server_ms: u32, peer_ms: u32) -> Vec<u8> {
    let mut message = vec![4];
    message.extend(timestamp.to_be_bytes());
    message.extend([0, 41]);
    message.extend(server_ms.to_be_bytes());
    message.extend(peer_ms.to_be_bytes());
    message
}

/// A client whose server never asks for a sign of life itself, and the server's control flow.
fn client_of_a_quiet_server() -> (Stage, tincan::rtmfp::endpoint::SendFlowId) {
    let mut config = endpoint_config("server");
    config.keepalive = Duration::from_secs(1_000_000);
    let mut stage = Stage::with_config("ada", config);
    let server = stage.net.route_to(stage.hand);
    stage.node(|node, now| node.connect(now, URL, &[server], Vec::new()));
    stage.run();
    let control = stage.let_in(Vec::new());
    (stage, control)
}

/// Packets that the node sends in so long.
fn packets_in(stage: &mut Stage, span: Duration) -> usize {
    stage.net.run_for(Duration::from_secs(20));
    stage.net.clear_log();
    stage.net.run_for(span);
    stage.net.sent().iter().filter(|sent| sent.from == stage.near).count()
}

/// Conforms: 7425-5.3.4-b, 7425-5.3.4-d, 7425-5.3.4-e, 7425-5.3.4-f, 7425-5.3.4-g, 7425-5.3.4-h
#[test]
fn a_client_takes_every_advice_on_keepalives_within_five_seconds_and_an_hour() {
    let (mut stage, control) = client_of_a_quiet_server();
    let minute = Duration::from_secs(60);
    // Each sign of life that is asked for is a packet, and a little more says that the answer came.
    for (advised, expected) in [(30_000, 2), (1, 12), (0, 12), (20_000, 3)] {
        stage.write(control, &advice(0xdead_beef, advised, 10_000));
        let packets = packets_in(&mut stage, minute);
        assert!((expected..=2 * expected).contains(&packets), "{packets} packets when told {advised} ms");
    }
    stage.write(control, &advice(0, u32::MAX, 10_000));
    let packets = packets_in(&mut stage, Duration::from_secs(4 * 3600));
    assert!((3..=8).contains(&packets), "{packets} packets in four hours");
}

#[test]
fn advice_on_keepalives_between_peers_is_for_them_alone() {
    let (mut net, _, ada, bob) = crate::support::nodes::ada_and_bob_with_server();
    let ids = net.events(bob).len();
    assert_eq!(ids, 0);
    publish(&mut net, ada, "cam");
    play(&mut net, bob, ada, "cam");
    net.run_for(Duration::from_secs(2));
    let (from, to) = (net.address(bob), net.address(ada));
    let between = |net: &mut Nodes| {
        net.run_for(Duration::from_secs(20));
        net.clear_log();
        net.run_for(Duration::from_secs(60));
        let count = |from: std::net::SocketAddr, to| {
            net.sent().iter().filter(|sent| net.address(sent.from) == from && sent.to == to).count()
        };
        count(from, to) + count(to, from)
    };
    let before = between(&mut net);
    let server = crate::support::virtual_network::Host(0);
    let told = net.events(server).iter().find_map(|(_, event)| match event {
        NodeEvent::ConnectRequested { connection, peer, .. } if *peer == net.machine(bob).near_id() => {
            Some(*connection)
        }
        _ => None,
    });
    let connection = told.expect("Bob's connection");
    net.with(server, |node, now| {
        node.set_keepalive(now, connection, Duration::from_secs(3600), Duration::from_secs(1));
    });
    let after = between(&mut net);
    assert!(after >= 24 && after > before + before / 2, "{after} packets a minute after {before}");
}

/// Conforms: 7425-5.3.6-a
#[test]
fn who_closes_finishes_all_its_flows_and_waits_for_those_of_the_other() {
    let (mut stage, control) = Stage::connected_client();
    let connection = connection(&stage);
    let stream = stage.node(|node, now| node.create_stream(now, connection));
    stage.run();
    stage.write(control, &command("_result", 2.0, Value::Null, &[1.0.into()]));
    stage.run();
    stage.node(|node, now| node.publish(now, stream, "cam"));
    stage.run();
    stage.node(|node, now| node.close_connection(now, connection));
    assert_eq!(disconnected(&stage), Some(StatusCode::ConnectClosed));
    stage.net.run_for(4 * TRIP);
    let flows: Vec<_> = stage.seen().iter().map(|seen| seen.flow).collect();
    assert_eq!(stage.finished(), flows, "control and stream alike");
    assert!(!session_ended(&stage), "it waits for the server's last words");
    stage.close(control);
    stage.net.run_for(4 * TRIP);
    assert!(session_ended(&stage), "nothing is left to say");
}

#[test]
fn who_closes_does_not_wait_for_ever() {
    let (mut stage, _) = Stage::connected_client();
    let connection = connection(&stage);
    stage.node(|node, now| node.close_connection(now, connection));
    stage.net.run_for(Duration::from_secs(3));
    assert!(session_ended(&stage), "the server's flow is still open");
}

/// Conforms: 7425-5.3.6-a
#[test]
fn when_the_others_canonical_flow_is_finished_one_closes_ones_own() {
    let (mut stage, control) = Stage::connected_client();
    stage.close(control);
    stage.net.run_for(2 * TRIP + TRIP / 2);
    assert_eq!(disconnected(&stage), Some(StatusCode::ConnectClosed));
    stage.run();
    let flows: Vec<_> = stage.seen().iter().map(|seen| seen.flow).collect();
    assert_eq!(stage.finished(), flows);

    let (mut stage, control, answer) = Stage::connected_server();
    stage.close(control);
    stage.run();
    assert!(stage.node_events().any(|event| matches!(event, NodeEvent::ClientGone { .. })));
    assert_eq!(stage.finished(), [answer]);
}

/// Conforms: 7425-5.3-b, 7425-5.3.6-b
#[test]
fn a_refused_control_flow_ends_the_connection_and_all_that_belongs_to_it_at_once() {
    let (mut stage, control) = Stage::connected_client();
    let connection = connection(&stage);
    let stream = stage.node(|node, now| node.create_stream(now, connection));
    stage.run();
    stage.write(control, &command("_result", 2.0, Value::Null, &[1.0.into()]));
    stage.run();
    stage.node(|node, now| node.publish(now, stream, "cam"));
    stage.run();
    stage.reject(stage.seen()[0].flow);
    stage.net.run_for(3 * TRIP);
    assert_eq!(disconnected(&stage), Some(StatusCode::ConnectClosed));
    assert!(session_ended(&stage), "without waiting for anybody's last words");

    let (mut stage, _, answer) = Stage::connected_server();
    stage.reject(answer);
    stage.net.run_for(3 * TRIP);
    assert!(stage.node_events().any(|event| matches!(event, NodeEvent::ClientGone { .. })));
    assert!(session_ended(&stage));
}

/// Conforms: 7425-5.3.6-b
#[test]
fn an_aborted_connection_takes_the_session_with_it() {
    let (mut stage, _) = Stage::connected_client();
    let connection = connection(&stage);
    stage.node(|node, now| {
        node.notify(now, connection, "unheard", Vec::new());
        node.abort_connection(now, connection);
    });
    stage.net.run_for(TRIP + TRIP / 2);
    assert_eq!(disconnected(&stage), Some(StatusCode::ConnectClosed));
    assert!(session_ended(&stage));

    let (mut stage, ..) = Stage::connected_server();
    let session: SessionKey = stage.session();
    stage.hand(|endpoint, now| {
        endpoint.close_session(now, session, tincan::rtmfp::endpoint::CloseManner::Abrupt);
    });
    stage.net.run_for(TRIP + TRIP / 2);
    assert!(stage.node_events().any(|event| matches!(event, NodeEvent::ClientGone { .. })));
}
