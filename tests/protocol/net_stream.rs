//! NetStreams through a server, as the far end sees them (RFC 7425 §5.3.5, §5.3.7).

use std::cell::RefCell;
use std::rc::Rc;

use tincan::amf::Value;
use tincan::netconnection::node::{
    ConnectionId, MediaDeadline, MediaKind, ServerStreamId, StreamWish, Target,
};
use tincan::netconnection::{NodeEvent, StatusCode};
use tincan::rtmfp::endpoint::{ReceiveFlowId, SendFlowId};

use crate::support::nodes::media;
use crate::support::stage::{Seen, Stage, command, parsed};

const STREAM_BEGIN_5: &[u8] = &[4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5];

fn connection(stage: &Stage) -> ConnectionId {
    let connected = stage.node_events().find_map(|event| match event {
        NodeEvent::Connected { connection, .. } => Some(*connection),
        _ => None,
    });
    connected.expect("a connection")
}

/// A client with a stream that its server calls 5; the stream, and the server's control flow.
fn client_with_stream() -> (Stage, ServerStreamId, SendFlowId) {
    let (mut stage, control) = Stage::connected_client();
    let connection = connection(&stage);
    let stream = stage.node(|node, now| node.create_stream(now, connection));
    stage.run();
    stage.write(control, &command("_result", 2.0, Value::Null, &[5.0.into()]));
    stage.run();
    (stage, stream, control)
}

/// A server whose client created a stream that we call 1: its control flow, and the server's.
fn server_with_stream() -> (Stage, SendFlowId, ReceiveFlowId, Rc<RefCell<Vec<ServerStreamId>>>) {
    let (mut stage, control, answer) = Stage::connected_server();
    let asked = Rc::new(RefCell::new(Vec::new()));
    let accepted = Rc::clone(&asked);
    stage.react(move |node, now, event| {
        if let NodeEvent::StreamRequested { stream, .. } = event {
            accepted.borrow_mut().push(*stream);
            node.accept_stream(now, *stream);
        }
    });
    stage.write(control, &command("createStream", 2.0, Value::Null, &[]));
    stage.run();
    let (name, values) = parsed(&stage.heard(answer)[1]).expect("a command");
    assert_eq!((name.as_str(), values), ("_result", vec![2.0.into(), Value::Null, 1.0.into()]));
    (stage, control, answer, asked)
}

fn timestamps(stage: &Stage, kind: MediaKind) -> Vec<u32> {
    let of_kind = |event: &NodeEvent| match event {
        NodeEvent::StreamMedia { message, .. } if message.kind == kind => Some(message.timestamp),
        _ => None,
    };
    stage.node_events().filter_map(of_kind).collect()
}

fn sound(timestamp: u8) -> Vec<u8> {
    vec![8, 0, 0, 0, timestamp, 0xaf, 1, 2, 3]
}

fn picture(timestamp: u8) -> Vec<u8> {
    vec![9, 0, 0, 0, timestamp, 0x17, 1, 0, 0, 0, 4]
}

fn send(stage: &mut Stage, stream: ServerStreamId, kind: MediaKind, timestamp: u32) {
    stage.node(|node, now| {
        let target = Target::ServerStream(stream);
        node.send_media(now, target, media(kind, timestamp, 50), MediaDeadline::default());
    });
}

/// Conforms: 7425-5.3.7-a, 7425-5.1.1-a
#[test]
fn a_client_plays_from_a_server_as_in_figure_5() {
    let mut stage = Stage::client();
    let client_flow_0 = stage.seen()[0].flow;
    let server_flow_0 = stage.let_in(Vec::new());
    assert_eq!(stage.heard_commands(client_flow_0), ["connect", "setPeerInfo"]);
    let connection = connection(&stage);
    let stream = stage.node(|node, now| {
        let stream = node.create_stream(now, connection);
        node.play(now, stream, "cam");
        stream
    });
    stage.run();
    assert_eq!(stage.heard_commands(client_flow_0).last().map(String::as_str), Some("createStream"));
    assert_eq!(stage.seen().len(), 1, "play waits for the stream");
    stage.write(server_flow_0, &command("_result", 2.0, Value::Null, &[5.0.into()]));
    stage.run();
    let client_flow_1 = stage.seen().pop().expect("a flow for the stream");
    assert_eq!(
        (&client_flow_1.metadata[..], client_flow_1.answers),
        (&b"TC\x04\x05"[..], Some(server_flow_0))
    );
    let (name, values) = parsed(&stage.heard(client_flow_1.flow)[0]).expect("a command");
    assert_eq!((name.as_str(), values[2].as_str()), ("play", Some("cam")));

    let start = command("onStatus", 0.0, Value::Null, &[StatusCode::PlayStart.info("")]);
    let flows = [&[STREAM_BEGIN_5, &start][..], &[&sound(1), &sound(2)], &[&picture(1), &picture(2)]];
    for messages in flows {
        let flow = stage.open(b"TC\x04\x05", Some(client_flow_0));
        messages.iter().for_each(|message| stage.write(flow, message));
    }
    stage.run();
    let started =
        NodeEvent::StreamStatus { stream, code: StatusCode::PlayStart, info: StatusCode::PlayStart.info("") };
    assert!(stage.node_events().any(|event| *event == started));
    assert_eq!(timestamps(&stage, MediaKind::Audio), [1, 2]);
    assert_eq!(timestamps(&stage, MediaKind::Video), [1, 2]);
    assert_eq!(stage.refused(), []);
}

/// Conforms: 7425-5.3.7-a, 7425-5.3.5.2-a, 7425-5.1.1-a
#[test]
fn a_server_plays_to_its_client_as_in_figure_5() {
    let (mut stage, client_flow_0, server_flow_0, asked) = server_with_stream();
    stage.write(client_flow_0, &command("setPeerInfo", 0.0, Value::Null, &[]));
    let client_flow_1 = stage.open(b"TC\x04\x01", Some(server_flow_0));
    stage.write(client_flow_1, &command("play", 0.0, Value::Null, &["cam".into()]));
    stage.run();
    let request = |event: &NodeEvent| matches!(event, NodeEvent::StreamRequested { wish: StreamWish::Play, name, .. } if name == "cam");
    assert!(stage.node_events().any(request));
    let stream = asked.borrow()[0];
    for timestamp in [1, 2] {
        send(&mut stage, stream, MediaKind::Audio, timestamp);
        send(&mut stage, stream, MediaKind::Video, timestamp);
    }
    stage.run();
    let [_, status, one, other] = &stage.seen()[..] else { panic!("four flows: {:?}", stage.seen()) };
    for flow in [status, one, other] {
        assert_eq!((&flow.metadata[..2], flow.metadata[2] & 4, flow.metadata[3]), (&b"TC"[..], 4, 1));
        assert_eq!(flow.answers, Some(client_flow_0));
    }
    assert_eq!(stage.heard(status.flow)[0], [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1][..], "StreamBegin first");
    assert_eq!(stage.heard_commands(status.flow), ["onStatus", "onStatus"]);
    let kinds = |flow: &Seen| stage.heard(flow.flow).iter().map(|message| message[0]).collect::<Vec<_>>();
    let mut kinds = [kinds(one), kinds(other)];
    kinds.sort();
    assert_eq!(kinds, [[8, 8], [9, 9]]);
}

/// Conforms: 7425-5.3.5.1-a
#[test]
fn what_a_client_sends_on_a_stream_answers_the_servers_control_flow() {
    let (mut stage, stream, control) = client_with_stream();
    stage.node(|node, now| node.publish(now, stream, "cam"));
    send(&mut stage, stream, MediaKind::Audio, 1);
    send(&mut stage, stream, MediaKind::Video, 1);
    stage.run();
    let of_stream = &stage.seen()[1..];
    assert_eq!(of_stream.len(), 3);
    for flow in of_stream {
        assert_eq!((flow.metadata[3], flow.answers), (5, Some(control)), "{flow:?}");
    }
}

/// Conforms: 7425-5.3.5.1-b
#[test]
fn a_client_may_open_any_number_of_flows_for_a_stream() {
    let (mut stage, _, answer, _) = server_with_stream();
    let first = stage.open(b"TC\x04\x01", Some(answer));
    stage.write(first, &command("publish", 0.0, Value::Null, &["cam".into(), "live".into()]));
    stage.run();
    for timestamp in 1..=20 {
        let flow = stage.open(b"TC\x04\x01", Some(answer));
        stage.write(flow, &picture(timestamp));
        stage.run();
    }
    let more_control = stage.open(b"TC\x04\x00", Some(answer));
    stage.write(more_control, &command("hello", 0.0, Value::Null, &[]));
    stage.run();
    assert_eq!(timestamps(&stage, MediaKind::Video), (1..=20).collect::<Vec<_>>());
    assert!(stage.node_events().any(|event| matches!(event, NodeEvent::Called { .. })));
    assert_eq!(stage.refused(), []);
}

/// Conforms: 7425-5.3.5.2-b, 7425-5.3.5.3-a
#[test]
fn a_servers_flows_for_a_stream_come_and_go_and_mean_nothing() {
    let (mut stage, _, control) = client_with_stream();
    let asked = stage.seen()[0].flow;
    for timestamp in 1..=20 {
        let flow = stage.open(b"TC\x04\x05", Some(asked));
        stage.write(flow, &picture(timestamp));
        stage.close(flow);
        stage.run();
    }
    let more_control = stage.open(b"TC\x04\x00", Some(asked));
    stage.write(more_control, &command("hello", 0.0, Value::Null, &[]));
    stage.close(more_control);
    stage.run();
    assert_eq!(timestamps(&stage, MediaKind::Video), (1..=20).collect::<Vec<_>>());
    assert!(stage.node_events().any(|event| matches!(event, NodeEvent::Called { .. })));
    let ended =
        |event: &NodeEvent| matches!(event, NodeEvent::Disconnected { .. } | NodeEvent::StreamStatus { .. });
    assert!(!stage.node_events().any(ended));
    assert!(stage.refused().iter().all(|(flow, _)| *flow != control));
}

/// Conforms: 7425-5.3.5.3-b, 7425-5.3.5.3-c, 7425-5.3.5.3-e, trap-20
#[test]
fn all_flows_of_a_stream_that_is_deleted_are_refused_with_code_0_and_no_other() {
    let (mut stage, stream, _) = client_with_stream();
    let asked = stage.seen()[0].flow;
    let flows: Vec<SendFlowId> = (1..=3)
        .map(|timestamp| {
            let flow = stage.open(b"TC\x04\x05", Some(asked));
            stage.write(flow, &picture(timestamp));
            flow
        })
        .collect();
    stage.run();
    assert_eq!(stage.refused(), []);
    stage.node(|node, now| node.delete_stream(now, stream));
    stage.run();
    let mut refused = stage.refused();
    refused.sort();
    assert_eq!(refused, flows.iter().map(|flow| (*flow, 0)).collect::<Vec<_>>());
}

/// Conforms: 7425-5.3.5.3-e
#[test]
fn a_server_refuses_all_flows_of_a_stream_that_its_client_deleted() {
    let (mut stage, control, answer, _) = server_with_stream();
    let flows = [stage.open(b"TC\x04\x01", Some(answer)), stage.open(b"TC\x04\x01", Some(answer))];
    stage.write(flows[0], &command("publish", 0.0, Value::Null, &["cam".into()]));
    stage.write(flows[1], &picture(1));
    stage.run();
    stage.write(control, &command("deleteStream", 0.0, Value::Null, &[1.0.into()]));
    stage.run();
    let mut refused = stage.refused();
    refused.sort();
    assert_eq!(refused, flows.map(|flow| (flow, 0)));
    assert!(stage.node_events().any(|event| matches!(event, NodeEvent::StreamEnded { .. })));
}

/// Conforms: 7425-5.3.5.3-d
#[test]
fn no_new_flow_takes_the_place_of_one_that_was_refused() {
    let (mut stage, stream, _) = client_with_stream();
    stage.node(|node, now| node.publish(now, stream, "cam"));
    send(&mut stage, stream, MediaKind::Video, 1);
    send(&mut stage, stream, MediaKind::Audio, 1);
    stage.run();
    let of_sound = stage.seen().into_iter().find(|seen| stage.heard(seen.flow).iter().any(|m| m[0] == 8));
    stage.reject(of_sound.expect("a flow of sound").flow);
    stage.run();
    let before = stage.seen();
    for timestamp in 2..5 {
        send(&mut stage, stream, MediaKind::Audio, timestamp);
        send(&mut stage, stream, MediaKind::Video, timestamp);
        stage.run();
    }
    assert_eq!(stage.seen(), before);
    let target = Target::ServerStream(stream);
    let given_up = |timestamp| NodeEvent::MediaAbandoned { target, kind: MediaKind::Audio, timestamp };
    assert!((2..5).all(|sound| stage.node_events().any(|event| *event == given_up(sound))));
    let pictures = before.iter().flat_map(|seen| stage.heard(seen.flow)).filter(|message| message[0] == 9);
    assert_eq!(pictures.count(), 4, "pictures go on");
}

#[test]
fn a_client_publishes_and_another_wish_ends_that() {
    let (mut stage, _, answer, asked) = server_with_stream();
    let flow = stage.open(b"TC\x04\x01", Some(answer));
    stage.write(flow, &picture(1));
    stage.write(flow, &command("publish", 0.0, Value::Null, &["cam".into()]));
    stage.write(flow, &picture(2));
    stage.write(flow, &command("closeStream", 0.0, Value::Null, &[]));
    stage.write(flow, &picture(3));
    stage.write(flow, &command("play", 0.0, Value::Null, &["other".into()]));
    stage.run();
    assert_eq!(timestamps(&stage, MediaKind::Video), [2]);
    let stream = asked.borrow()[0];
    let ends = stage.node_events().filter(|event| **event == NodeEvent::StreamEnded { stream });
    assert_eq!(ends.count(), 1);
    assert_eq!(*asked.borrow(), [stream, stream]);
}

#[test]
fn a_player_whose_stream_is_over_is_told_so_and_may_play_another() {
    let (mut stage, _, answer, asked) = server_with_stream();
    let flow = stage.open(b"TC\x04\x01", Some(answer));
    stage.write(flow, &command("play", 0.0, Value::Null, &["cam".into()]));
    stage.run();
    let stream = asked.borrow()[0];
    send(&mut stage, stream, MediaKind::Video, 1);
    stage.node(|node, now| node.refuse_stream(now, stream, "It is over."));
    stage.run();
    let status = stage.seen()[1].flow;
    let said = stage.heard(status);
    let (_, values) = parsed(said.last().expect("a status")).expect("a command");
    assert_eq!(StatusCode::of(&values[2]), Some(StatusCode::PlayUnpublishNotify));
    stage.write(flow, &command("play", 0.0, Value::Null, &["other".into()]));
    stage.run();
    send(&mut stage, stream, MediaKind::Video, 2);
    stage.run();
    let pictures = stage.seen().into_iter().flat_map(|seen| stage.heard(seen.flow)).filter(|m| m[0] == 9);
    let times: Vec<u8> = pictures.map(|message| message[4]).collect();
    assert!(times.ends_with(&[2]), "{times:?}");
}
