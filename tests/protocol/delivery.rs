//! Messages over sessions of whole endpoints (RFC 7016 §3.6).

use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::endpoint::{CloseManner, Delivery, ReceiveFlowId, WriteOptions};
use tincan::rtmfp::{Event, Misuse};

use crate::support::scenario::{
    TRIP, accept_flows, flow_options, messages, send, session_between_ada_and_bob,
};

#[test]
fn a_message_comes_one_trip_after_it_was_written() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    accept_flows(&mut net, bob, Delivery::Ordered);
    let now = net.elapsed();
    send(&mut net, ada, near, &[Bytes::from_static(b"hello")]);
    net.run_for(Duration::from_secs(1));
    let came = net.events(bob).iter().find_map(|(at, event)| match event {
        Event::Message { session, bytes, .. } if *session == far => Some((*at, bytes.clone())),
        _ => None,
    });
    assert_eq!(came, Some((now + TRIP, Bytes::from_static(b"hello"))));
}

#[test]
fn large_messages_come_whole_in_both_directions() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    accept_flows(&mut net, ada, Delivery::Ordered);
    accept_flows(&mut net, bob, Delivery::Ordered);
    let (there, back) = (Bytes::from(vec![1; 700_000]), Bytes::from(vec![2; 300_000]));
    send(&mut net, ada, near, std::slice::from_ref(&there));
    send(&mut net, bob, far, std::slice::from_ref(&back));
    net.run_for(Duration::from_secs(60));
    assert!(messages(&net, bob) == [there] && messages(&net, ada) == [back]);
}

#[test]
fn a_flow_is_finished_when_it_is_closed_and_everything_came() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    accept_flows(&mut net, bob, Delivery::Ordered);
    let flow = send(&mut net, ada, near, &[Bytes::from_static(b"one"), Bytes::from_static(b"two")]);
    net.with(ada, |endpoint, now| endpoint.close_flow(now, near, flow));
    net.run_for(Duration::from_secs(5));
    assert_eq!(messages(&net, bob), ["one", "two"]);
    let finished = net
        .events(bob)
        .iter()
        .any(|(_, event)| matches!(event, Event::FlowFinished { session, .. } if *session == far));
    let completed = Event::FlowCompleted { session: near, flow };
    assert!(finished && net.told(ada, &completed).is_some());
}

#[test]
fn a_flow_that_nobody_takes_is_refused() {
    let (mut net, ada, bob, near, _) = session_between_ada_and_bob();
    let flow = send(&mut net, ada, near, &[Bytes::from_static(b"anybody?")]);
    net.run_for(Duration::from_secs(15));
    let refused = net
        .events(ada)
        .iter()
        .any(|(_, event)| matches!(event, Event::FlowRefused { flow: refused, .. } if *refused == flow));
    assert!(refused && messages(&net, bob).is_empty(), "{:?}", net.events(ada));
}

#[test]
fn a_refusal_carries_its_code() {
    let (mut net, ada, bob, near, _) = session_between_ada_and_bob();
    net.react(bob, |endpoint, now, event| {
        if let Event::FlowOpened { session, flow, .. } = event {
            endpoint.reject_flow(now, *session, *flow, 77);
        }
    });
    let flow = send(&mut net, ada, near, &[Bytes::from_static(b"may I?")]);
    net.run_for(Duration::from_secs(2));
    assert!(net.told(ada, &Event::FlowRefused { session: near, flow, code: 77 }).is_some());
}

#[test]
fn a_flow_can_answer_another() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    net.react(bob, move |endpoint, now, event| {
        if let Event::FlowOpened { session, flow, .. } = event {
            endpoint.accept_flow(*session, *flow, Delivery::Ordered);
            let options = tincan::rtmfp::FlowOptions { answers: Some(*flow), ..flow_options(b"back") };
            let back = endpoint.open_flow(far, options).expect("an open session");
            endpoint
                .write(now, far, back, Bytes::from_static(b"answer"), WriteOptions::default())
                .expect("room");
        }
    });
    let asked = send(&mut net, ada, near, &[Bytes::from_static(b"question")]);
    net.run_for(Duration::from_secs(2));
    let answered = net.events(ada).iter().find_map(|(_, event)| match event {
        Event::FlowOpened { answers, metadata, .. } => Some((*answers, metadata.clone())),
        _ => None,
    });
    assert_eq!(answered, Some((Some(asked), Bytes::from_static(b"back"))));
}

#[test]
fn nothing_can_be_written_before_a_session_is_open_nor_after_it_ended() {
    let (mut net, ada, _, near, _) = session_between_ada_and_bob();
    let flow = send(&mut net, ada, near, &[]);
    net.with(ada, |endpoint, now| endpoint.close_session(now, near, CloseManner::Abrupt));
    let refused = net.with(ada, |endpoint, now| {
        endpoint.write(now, near, flow, Bytes::from_static(b"late"), WriteOptions::default())
    });
    assert_eq!(refused.map_err(|misuse| misuse == Misuse::NoSession), Err(true));
    let early = net.with(ada, |endpoint, now| {
        let opening = endpoint.open_session(now, Bytes::from_static(b"bob"), &[]);
        endpoint.open_flow(opening, flow_options(b"test"))
    });
    assert_eq!(early, Err(Misuse::NoSession));
}

#[test]
fn a_flow_that_is_held_gives_nothing_and_in_the_end_stops_its_sender_until_it_is_resumed() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    accept_flows(&mut net, bob, Delivery::Ordered);
    let flow = send(&mut net, ada, near, &[Bytes::from_static(b"first")]);
    net.run_for(Duration::from_secs(1));
    let receiving = ReceiveFlowId(flow.0);
    net.with(bob, |endpoint, _| endpoint.suspend_flow(far, receiving));
    for _ in 0..4 {
        net.with(ada, |endpoint, now| {
            endpoint.write(now, near, flow, Bytes::from(vec![7; 1 << 20]), WriteOptions::default())
        })
        .expect("room");
        net.run_for(Duration::from_secs(30));
    }
    assert_eq!(messages(&net, bob).len(), 1);
    let held_back = net.machine(ada).queued(near, flow);
    assert!(held_back > 1 << 20, "two of four million bytes are more than may be held: {held_back}");
    net.with(bob, |endpoint, now| endpoint.resume_flow(now, far, receiving));
    net.run_for(Duration::from_secs(60));
    assert_eq!((messages(&net, bob).len(), net.machine(ada).queued(near, flow)), (5, 0));
}

#[test]
fn a_message_given_up_is_a_gap_that_is_told_before_the_next() {
    let (mut net, ada, bob, near, _) = session_between_ada_and_bob();
    accept_flows(&mut net, bob, Delivery::Ordered);
    let flow = send(&mut net, ada, near, &[Bytes::from_static(b"one")]);
    net.run_for(Duration::from_secs(1));
    net.with(ada, |endpoint, now| {
        let late = WriteOptions { start_by: Some(now), ..WriteOptions::default() };
        for (message, options) in [(&b"two"[..], late), (b"three", WriteOptions::default())] {
            endpoint.write(now, near, flow, Bytes::from_static(message), options).expect("room");
        }
    });
    net.run_for(Duration::from_secs(1));
    let told: Vec<&str> = net
        .events(bob)
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Gap { .. } => Some("a gap"),
            Event::Message { bytes, .. } => std::str::from_utf8(bytes).ok(),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["one", "a gap", "three"]);
}
