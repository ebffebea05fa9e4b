//! RTMP messages and the flows that carry them, as the far end sees them (RFC 7425 §5.1, §5.2).

use tincan::amf::Value;
use tincan::netconnection::NodeEvent;
use tincan::netconnection::node::{MediaDeadline, MediaKind, Target};
use tincan::rtmfp::Event;
use tincan::rtmfp::endpoint::SendFlowId;

use crate::support::nodes::media;
use crate::support::scenario::TRIP;
use crate::support::stage::{Stage, command};

/// A client that plays stream 5 from the test: the server's control flow, and one for the stream in that order of
/// delivery.
fn player(metadata: &[u8]) -> (Stage, SendFlowId, SendFlowId) {
    let (mut stage, control) = Stage::connected_client();
    let connection = stage.node_events().find_map(|event| match event {
        NodeEvent::Connected { connection, .. } => Some(*connection),
        _ => None,
    });
    stage.node(|node, now| {
        let stream = node.create_stream(now, connection.expect("a connection"));
        node.play(now, stream, "cam");
    });
    stage.run();
    stage.write(control, &command("_result", 2.0, Value::Null, &[5.0.into()]));
    stage.run();
    let asked = stage.seen()[0].flow;
    let flow = stage.open(metadata, Some(asked));
    (stage, control, flow)
}

fn timestamps(stage: &Stage) -> Vec<u32> {
    let of_media = |event: &NodeEvent| match event {
        NodeEvent::StreamMedia { message, .. } => Some(message.timestamp),
        _ => None,
    };
    stage.node_events().filter_map(of_media).collect()
}

fn sound(timestamp: u8) -> Vec<u8> {
    vec![8, 0, 0, 0, timestamp, 0xaf, 1, 2, 3]
}

fn picture(timestamp: u8) -> Vec<u8> {
    vec![9, 0, 0, 0, timestamp, 0x17, 1, 0, 0, 0, 4]
}

/// Sends three messages a moment apart, of which the second is lost at first.
fn send_with_a_loss(stage: &mut Stage, flow: SendFlowId, message: fn(u8) -> Vec<u8>) {
    for timestamp in 1..=3 {
        if timestamp == 2 {
            let next = stage.net.sent().len();
            stage.net.lose(next);
        }
        stage.write(flow, &message(timestamp));
        stage.net.run_for(TRIP / 8);
    }
    stage.net.run_for(50 * TRIP);
}

/// Conforms: 7425-5.1-c
#[test]
fn messages_that_only_byte_streams_need_are_ignored() {
    let (mut stage, control, flow) = player(b"TC\x04\x05");
    stage.write(flow, &sound(1));
    stage.run();
    let before = stage.node_events().count();
    for message_type in [1, 2, 3, 5, 6] {
        for payload in [&[][..], &[0, 0, 0, 1], &[0xff; 20]] {
            let message = [&[message_type, 0, 0, 0, 0][..], payload].concat();
            stage.write(control, &message);
            stage.write(flow, &message);
        }
    }
    stage.run();
    assert_eq!(stage.node_events().count(), before);
    stage.write(flow, &sound(2));
    stage.run();
    assert_eq!(timestamps(&stage), [1, 2]);
    assert_eq!(stage.refused(), []);
}

/// Conforms: 7425-5.1-b, 7425-5.1.1-d, 7425-5.1.1-e, 7425-5.2-f
#[test]
fn nothing_is_sent_that_a_flow_does_not_need_and_every_flow_says_whose_it_is() {
    let (mut stage, _, _) = player(b"TC\x04\x05");
    let stream = stage.node_events().find_map(|event| match event {
        NodeEvent::StreamCreated { connection, stream } => Some((*connection, *stream)),
        _ => None,
    });
    let (connection, stream) = stream.expect("a stream");
    stage.node(|node, now| {
        let target = Target::ServerStream(stream);
        node.publish(now, stream, "cam");
        node.send_data(now, target, "onMetaData", Vec::new());
        node.send_bulk(now, target, "file", Vec::new());
        for kind in [MediaKind::Audio, MediaKind::Video] {
            node.send_media(now, target, media(kind, 1, 50), MediaDeadline::default());
        }
        node.notify(now, connection, "x", Vec::new());
    });
    stage.run();
    stage.node(|node, now| {
        node.delete_stream(now, stream);
        node.close_connection(now, connection);
    });
    stage.run();
    let sent = stage.hand_events().filter_map(|event| match event {
        Event::Message { bytes, .. } => Some(bytes.clone()),
        _ => None,
    });
    let sent: Vec<_> = sent.collect();
    assert!(sent.len() > 10, "a whole conversation");
    for message in sent {
        assert!(![1, 2, 3, 5, 6].contains(&message[0]), "{message:x?}");
        assert_ne!((message[0], message.get(5..7)), (4, Some(&[0, 34][..])), "no barrier was needed");
    }
    for flow in stage.seen() {
        let [b'T', b'C', flags, stream, ..] = flow.metadata[..] else { panic!("{flow:?}") };
        assert_eq!(flags & !0x01, 0x04, "{flow:?}");
        assert!(stream == 0 || stream == 5, "{flow:?}");
    }
}

/// Conforms: 7425-5.1.1-f, 7425-5.1.1-g
#[test]
fn flows_of_no_stream_and_of_unknown_kinds_are_refused() {
    let (mut stage, ..) = player(b"TC\x04\x05");
    let asked = stage.seen()[0].flow;
    let strange = [&b"TC\x00"[..], b"TC\x01", b"TC\x00\x05", b"TC", b"T", b"", b"GC\x04\x05", b"tc\x04\x05"];
    let flows: Vec<SendFlowId> = strange
        .iter()
        .map(|metadata| {
            let flow = stage.open(metadata, Some(asked));
            stage.write(flow, &sound(1));
            flow
        })
        .collect();
    // The bits that mean nothing yet may be set.
    let odd = stage.open(b"TC\xfe\x05", Some(asked));
    stage.write(odd, &sound(9));
    stage.run();
    let mut refused = stage.refused();
    refused.sort();
    assert_eq!(refused, flows.iter().map(|flow| (*flow, 0)).collect::<Vec<_>>());
    assert_eq!(timestamps(&stage), [9]);
}

/// Conforms: 7425-5.1.1-h
#[test]
fn sound_comes_in_the_order_that_its_sender_hints_at() {
    let (mut stage, _, flow) = player(b"TC\x04\x05");
    send_with_a_loss(&mut stage, flow, sound);
    assert_eq!(timestamps(&stage), [1, 2, 3]);
    let (mut stage, _, flow) = player(b"TC\x05\x05");
    send_with_a_loss(&mut stage, flow, sound);
    assert_eq!(timestamps(&stage), [1, 3, 2]);
}

/// Conforms: 7425-5.1.1-c
#[test]
fn pictures_that_come_too_late_are_left_out_and_sound_is_left_to_its_buffer() {
    let (mut stage, _, flow) = player(b"TC\x05\x05");
    send_with_a_loss(&mut stage, flow, picture);
    assert_eq!(timestamps(&stage), [1, 3]);
    let (mut stage, _, flow) = player(b"TC\x05\x05");
    send_with_a_loss(&mut stage, flow, sound);
    assert_eq!(timestamps(&stage), [1, 3, 2]);
}
