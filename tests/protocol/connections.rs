//! NetConnections between clients and a server (RFC 7425 §5.3).

use std::time::Duration;

use tincan::amf::Value;
use tincan::netconnection::node::{CallToken, ConnectionId};
use tincan::netconnection::{Node, NodeEvent, StatusCode};

use crate::support::nodes::{Nodes, URL, add_client, connect, id, network_with_server, node, tells, told};
use crate::support::scenario::TRIP;
use crate::support::virtual_network::Host;

const A_WHILE: Duration = Duration::from_secs(2);

/// A client and a server that decides nothing by itself.
fn client_and_undecided_server() -> (Nodes, Host, Host, ConnectionId) {
    let mut net = Nodes::new(TRIP);
    let (server, client) = (net.add(node("server")), net.add(node("ada")));
    let connection = connect(&mut net, client, server);
    net.run_for(A_WHILE);
    (net, server, client, connection)
}

fn requested(net: &Nodes, server: Host) -> ConnectionId {
    told(net, server, |event| match event {
        NodeEvent::ConnectRequested { connection, .. } => Some(*connection),
        _ => None,
    })
    .expect("somebody who wants to connect")
}

/// A client and a server with a connection: the client's name for it, and the server's.
fn connected() -> (Nodes, Host, Host, ConnectionId, ConnectionId) {
    let (mut net, server, client, near) = client_and_undecided_server();
    let far = requested(&net, server);
    net.with(server, |node, now| node.accept_connection(now, far, Vec::new()));
    net.run_for(A_WHILE);
    net.take_events(server);
    net.take_events(client);
    (net, server, client, near, far)
}

fn called(net: &Nodes, host: Host) -> Option<(String, Vec<Value>, Option<CallToken>)> {
    told(net, host, |event| match event {
        NodeEvent::Called { name, arguments, token, .. } => Some((name.clone(), arguments.clone(), *token)),
        _ => None,
    })
}

fn answered(net: &Nodes, host: Host) -> Option<Result<Vec<Value>, Vec<Value>>> {
    told(net, host, |event| match event {
        NodeEvent::Answered { result, .. } => Some(result.clone()),
        _ => None,
    })
}

fn disconnected(net: &Nodes, host: Host) -> Option<StatusCode> {
    told(net, host, |event| match event {
        NodeEvent::Disconnected { code, .. } => Some(code.clone()),
        _ => None,
    })
}

#[test]
fn a_server_is_told_who_wants_to_connect_and_with_what() {
    let (net, server, client, _) = client_and_undecided_server();
    let request = told(&net, server, |event| match event {
        NodeEvent::ConnectRequested { peer, proven, properties, arguments, .. } => {
            Some((*peer, *proven, properties.clone(), arguments.clone()))
        }
        _ => None,
    });
    let (peer, proven, properties, arguments) = request.expect("a request");
    assert_eq!((peer, proven), (id(&net, client), true));
    assert_eq!(properties.property("app"), Some(&"calls".into()));
    assert_eq!(properties.property("tcUrl"), Some(&URL.into()));
    assert_eq!(arguments, ["user".into()]);
    assert_eq!(net.events(client), []);
}

#[test]
fn an_accepted_client_is_told_so_with_what_the_server_adds() {
    let (mut net, server, client, near) = client_and_undecided_server();
    let far = requested(&net, server);
    let more = vec![("motd".to_owned(), "hello".into())];
    net.with(server, |node, now| node.accept_connection(now, far, more));
    net.run_for(A_WHILE);
    let [(_, NodeEvent::Connected { connection, info })] = net.events(client) else {
        panic!("connected, and nothing else: {:?}", net.events(client));
    };
    assert_eq!(*connection, near);
    assert_eq!(StatusCode::of(info), Some(StatusCode::ConnectSuccess));
    assert_eq!(info.property("motd"), Some(&"hello".into()));
    let completed = NodeEvent::PeerInfo { connection: far, addresses: Vec::new(), behind_nat: true };
    assert!(net.told(server, &completed).is_some(), "the handshake ends with setPeerInfo");
}

#[test]
fn a_rejected_client_is_told_why_and_the_session_is_closed() {
    let (mut net, server, client, near) = client_and_undecided_server();
    let far = requested(&net, server);
    net.with(server, |node, now| node.reject_connection(now, far, "not today"));
    net.run_for(A_WHILE);
    let refused = NodeEvent::Disconnected {
        connection: near,
        code: StatusCode::ConnectRejected,
        description: "not today".to_owned(),
    };
    assert!(net.told(client, &refused).is_some(), "{:?}", net.events(client));
    assert!(!tells(&net, server, |event| matches!(event, NodeEvent::ClientGone { .. })));
}

#[test]
fn where_nobody_answers_the_connection_fails() {
    let mut net = Nodes::new(TRIP);
    let (server, client) = (net.add(node("server")), net.add(node("ada")));
    net.cut(server, true);
    connect(&mut net, client, server);
    net.run_for(Duration::from_secs(60));
    assert_eq!(disconnected(&net, client), Some(StatusCode::ConnectFailed));
}

#[test]
fn a_server_that_never_decides_is_given_up() {
    let (mut net, _, client, _) = client_and_undecided_server();
    net.run_for(Duration::from_secs(60));
    assert_eq!(disconnected(&net, client), Some(StatusCode::ConnectFailed));
}

#[test]
fn a_call_is_answered_in_both_directions() {
    let (mut net, server, client, near, far) = connected();
    for (caller, connection, callee) in [(client, near, server), (server, far, client)] {
        net.with(caller, |node, now| node.call(now, connection, "add", vec![1.0.into(), 2.0.into()]));
        net.run_for(A_WHILE);
        let (name, arguments, token) = called(&net, callee).expect("a call");
        assert_eq!((name.as_str(), arguments), ("add", vec![1.0.into(), 2.0.into()]));
        let token = token.expect("an answer is wanted");
        net.with(callee, |node, now| node.answer(now, token, Ok(3.0.into())));
        net.run_for(A_WHILE);
        assert_eq!(answered(&net, caller), Some(Ok(vec![3.0.into()])));
        net.take_events(server);
        net.take_events(client);
    }
}

#[test]
fn a_call_may_be_answered_with_an_error() {
    let (mut net, server, client, near, _) = connected();
    net.with(client, |node, now| node.call(now, near, "dance", Vec::new()));
    net.run_for(A_WHILE);
    let token = called(&net, server).and_then(|(.., token)| token).expect("an answer is wanted");
    let info = StatusCode::CallFailed.info("Method not found");
    net.with(server, |node, now| node.answer(now, token, Err(info.clone())));
    net.run_for(A_WHILE);
    assert_eq!(answered(&net, client), Some(Err(vec![info])));
}

#[test]
fn a_notification_wants_no_answer() {
    let (mut net, server, client, near, _) = connected();
    net.with(client, |node, now| node.notify(now, near, "hello", vec![Value::Null]));
    net.run_for(A_WHILE);
    assert_eq!(called(&net, server), Some(("hello".to_owned(), vec![Value::Null], None)));
}

#[test]
fn what_is_asked_before_the_connection_is_up_waits_for_it() {
    let (mut net, server, client, near) = client_and_undecided_server();
    net.with(client, |node, now| node.call(now, near, "early", Vec::new()));
    net.run_for(A_WHILE);
    assert_eq!(called(&net, server), None);
    let far = requested(&net, server);
    net.with(server, |node, now| node.accept_connection(now, far, Vec::new()));
    net.run_for(A_WHILE);
    assert_eq!(called(&net, server).map(|(name, ..)| name), Some("early".to_owned()));
}

#[test]
fn a_server_learns_where_its_client_can_be_reached() {
    let (mut net, server, client, near, far) = connected();
    let addresses = vec!["192.0.2.7:1935".parse().unwrap(), "[2001:db8::7]:1935".parse().unwrap()];
    net.with(client, |node, now| node.set_peer_info(now, near, &addresses));
    net.run_for(A_WHILE);
    let told = NodeEvent::PeerInfo { connection: far, addresses, behind_nat: true };
    assert!(net.told(server, &told).is_some());
}

#[test]
fn a_client_that_closes_is_gone_at_once_and_its_calls_fail() {
    let (mut net, server, client, near, far) = connected();
    net.with(client, |node, now| {
        node.call(now, near, "slow", Vec::new());
        node.close_connection(now, near);
    });
    net.run_for(A_WHILE);
    assert_eq!(answered(&net, client), Some(Err(Vec::new())));
    assert_eq!(disconnected(&net, client), Some(StatusCode::ConnectClosed));
    assert!(net.told(server, &NodeEvent::ClientGone { connection: far }).is_some());
}

#[test]
fn a_client_that_the_server_closes_is_told() {
    let (mut net, server, client, _, far) = connected();
    net.with(server, |node, now| node.close_connection(now, far));
    net.run_for(A_WHILE);
    assert_eq!(disconnected(&net, client), Some(StatusCode::ConnectClosed));
    assert!(net.told(server, &NodeEvent::ClientGone { connection: far }).is_some());
}

#[test]
fn both_ends_notice_when_the_other_vanishes() {
    let (mut net, server, client, _, far) = connected();
    net.cut(client, true);
    net.run_for(Duration::from_secs(120));
    assert!(net.told(server, &NodeEvent::ClientGone { connection: far }).is_some());
    assert_eq!(disconnected(&net, client), Some(StatusCode::ConnectClosed));
}

#[test]
fn keepalives_are_as_frequent_as_the_server_asks_within_limits() {
    let (mut net, server, client, _, far) = connected();
    let count = |net: &mut Nodes| {
        net.clear_log();
        net.run_for(Duration::from_secs(60));
        net.sent().iter().filter(|sent| sent.from == client).count()
    };
    let before = count(&mut net);
    net.with(server, |node, now| {
        node.set_keepalive(now, far, Duration::from_millis(1), Duration::from_secs(10));
    });
    net.run_for(A_WHILE);
    let after = count(&mut net);
    // Every five seconds, which is as often as a client lets itself be told, and not every millisecond.
    assert!(before < 10 && (11..40).contains(&after), "{after} packets a minute after {before}");
}

#[test]
fn a_stream_can_be_created_at_a_server_that_carries_none_and_its_name_is_refused() {
    let (mut net, server, client, near, _) = connected();
    net.react(server, |node: &mut Node, now, event: &NodeEvent| {
        if let NodeEvent::StreamRequested { stream, .. } = event {
            node.refuse_stream(now, *stream, "This server carries no streams.");
        }
    });
    let (publisher, player) = net.with(client, |node, now| {
        let publisher = node.create_stream(now, near);
        let player = node.create_stream(now, near);
        node.publish(now, publisher, "cam");
        node.play(now, player, "cam");
        (publisher, player)
    });
    net.run_for(A_WHILE);
    for (stream, expected) in
        [(publisher, StatusCode::PublishBadName), (player, StatusCode::PlayStreamNotFound)]
    {
        assert!(net.told(client, &NodeEvent::StreamCreated { connection: near, stream }).is_some());
        let status = told(&net, client, |event| match event {
            NodeEvent::StreamStatus { stream: id, code, .. } if *id == stream => Some(code.clone()),
            _ => None,
        });
        assert_eq!(status, Some(expected));
    }
    net.with(client, |node, now| node.delete_stream(now, publisher));
    net.run_for(A_WHILE);
    assert!(!tells(&net, client, |event| matches!(event, NodeEvent::Disconnected { .. })));
}

#[test]
fn calls_that_nobody_answers_are_bounded_at_both_ends() {
    let (mut net, server, client, near, _) = connected();
    for _ in 0..300 {
        net.with(client, |node, now| node.call(now, near, "slow", Vec::new()));
    }
    net.run_for(A_WHILE);
    let count = |host, what: fn(&NodeEvent) -> bool| net.events(host).iter().filter(|(_, e)| what(e)).count();
    assert_eq!(count(server, |event| matches!(event, NodeEvent::Called { .. })), 256);
    assert_eq!(count(client, |event| matches!(event, NodeEvent::Answered { result: Err(_), .. })), 44);
}

#[test]
fn connecting_survives_loss() {
    let (mut net, server) = network_with_server();
    net.set_links(|link| link.loss = 0.2);
    let client = net.add(node("ada"));
    connect(&mut net, client, server);
    let connected = |net: &Nodes| tells(net, client, |event| matches!(event, NodeEvent::Connected { .. }));
    assert!(net.run_while(Duration::from_secs(20), |net| !connected(net)));
}

#[test]
fn a_hundred_clients_come_and_go() {
    let (mut net, server) = network_with_server();
    for n in 0..100 {
        add_client(&mut net, server, &format!("client {n}"));
    }
    net.take_events(server);
    net.cut(server, true);
    net.run_for(Duration::from_secs(200));
    let gone = |(_, event): &&(Duration, NodeEvent)| matches!(event, NodeEvent::ClientGone { .. });
    assert_eq!(net.events(server).iter().filter(gone).count(), 100);
    assert_eq!(Node::near_id(net.machine(server)), id(&net, server));
}

#[test]
fn both_ends_can_ask_for_the_figures_of_their_connection_as_long_as_it_lasts() {
    let (mut net, server, client, near, far) = connected();
    let ours = net.with(client, |node, now| node.connection_figures(now, near)).expect("connected");
    let theirs = net.with(server, |node, now| node.connection_figures(now, far)).expect("connected");
    assert!(ours.packets_sent > 0 && ours.packets_sent == theirs.packets_received);
    assert_eq!(ours.cipher, theirs.cipher);
    net.with(client, |node, now| node.close_connection(now, near));
    net.run_for(A_WHILE);
    assert!(net.with(client, |node, now| node.connection_figures(now, near)).is_none());
    assert!(net.with(server, |node, now| node.connection_figures(now, far)).is_none());
}
