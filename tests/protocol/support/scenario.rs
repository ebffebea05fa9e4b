//! The scenes that tests begin with, and what they ask again and again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::endpoint::{
    Delivery, Endpoint, EndpointConfig, FlowOptions, Priority, SendFlowId, SessionKey, WriteOptions,
};
use tincan::rtmfp::testing::plain_crypto::Plain;
use tincan::rtmfp::{Event, SessionEnd};

use super::virtual_network::{Host, VirtualNetwork};

/// How long a datagram takes in most scenes.
pub(crate) const TRIP: Duration = Duration::from_millis(40);

/// How long an attempt to open a session lasts in most scenes: as long as a person waits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A network of endpoints.
pub(crate) type Net = VirtualNetwork<Endpoint>;

/// The settings of an endpoint with readable cryptography, whose name is its certificate and what selects it.
pub(crate) fn config(name: &str) -> EndpointConfig {
    let mut seed = [0; 32];
    name.bytes().zip(&mut seed).for_each(|(letter, byte)| *byte = letter);
    let config = EndpointConfig::new(Arc::new(Plain::new(name)), seed);
    EndpointConfig { open_within: PATIENCE, ..config }
}

/// An endpoint with the usual settings.
pub(crate) fn endpoint(name: &str) -> Endpoint {
    Endpoint::new(config(name))
}

/// Ada and Bob, both with public addresses.
pub(crate) fn ada_and_bob() -> (Net, Host, Host) {
    let mut net = Net::new(TRIP);
    let (ada, bob) = (net.add(endpoint("ada")), net.add(endpoint("bob")));
    (net, ada, bob)
}

/// Ada and Bob with a session that Ada opened: her name for it, and his.
pub(crate) fn session_between_ada_and_bob() -> (Net, Host, Host, SessionKey, SessionKey) {
    let (mut net, ada, bob) = ada_and_bob();
    let near = dial(&mut net, ada, bob, "bob");
    net.run_for(Duration::from_secs(2));
    let far = opened(&net, bob).expect("an open session at Bob's");
    net.take_events(ada);
    net.take_events(bob);
    (net, ada, bob, near, far)
}

/// Lets `from` open a session to whoever `name` selects, at the address of `to`.
pub(crate) fn dial(net: &mut Net, from: Host, to: Host, name: &str) -> SessionKey {
    let route = net.route_to(to);
    let wanted = Bytes::copy_from_slice(name.as_bytes());
    net.with(from, |endpoint, now| endpoint.open_session(now, wanted, &[route]))
}

/// The first session that a host was told is open.
pub(crate) fn opened(net: &Net, host: Host) -> Option<SessionKey> {
    all_opened(net, host).first().copied()
}

/// All sessions that a host was told are open.
pub(crate) fn all_opened(net: &Net, host: Host) -> Vec<SessionKey> {
    net.events(host)
        .iter()
        .filter_map(|(_, event)| match event {
            Event::SessionOpened { session, .. } => Some(*session),
            _ => None,
        })
        .collect()
}

/// When a host was told that its first session is open.
pub(crate) fn opened_at(net: &Net, host: Host) -> Option<Duration> {
    net.events(host)
        .iter()
        .find_map(|(at, event)| matches!(event, Event::SessionOpened { .. }).then_some(*at))
}

/// How a session ended, and when, as its host was told.
pub(crate) fn ended(net: &Net, host: Host, wanted: SessionKey) -> Option<(Duration, SessionEnd)> {
    net.events(host).iter().find_map(|(at, event)| match event {
        Event::SessionEnded { session, end } if *session == wanted => Some((*at, *end)),
        _ => None,
    })
}

/// A flow without surprises.
pub(crate) fn flow_options(metadata: &'static [u8]) -> FlowOptions {
    FlowOptions {
        metadata: Bytes::from_static(metadata),
        priority: Priority::Routine,
        time_critical: false,
        answers: None,
    }
}

/// Opens a flow and queues messages on it.
pub(crate) fn send(net: &mut Net, host: Host, session: SessionKey, messages: &[Bytes]) -> SendFlowId {
    net.with(host, |endpoint, now| {
        let flow = endpoint.open_flow(session, flow_options(b"test")).expect("an open session");
        for message in messages {
            endpoint.write(now, session, flow, message.clone(), WriteOptions::default()).expect("room");
        }
        flow
    })
}

/// Lets a host accept every flow it is offered.
pub(crate) fn accept_flows(net: &mut Net, host: Host, delivery: Delivery) {
    net.react(host, move |endpoint, _, event| {
        if let Event::FlowOpened { session, flow, .. } = event {
            endpoint.accept_flow(*session, *flow, delivery);
        }
    });
}

/// The messages a host was given.
pub(crate) fn messages(net: &Net, host: Host) -> Vec<Bytes> {
    net.events(host)
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Message { bytes, .. } => Some(bytes.clone()),
            _ => None,
        })
        .collect()
}
