//! A server of the Flash years: it lets everybody in, introduces its clients to each other, and knows nothing else.

use std::collections::BTreeMap;
use std::time::Instant;

use tincan::amf::Value;
use tincan::netconnection::node::{ConnectionId, Node, NodeEvent};
use tincan::rtmfp::PeerId;
use tincan::rtmfp::crypto::flash::fingerprint_in;
use tincan::rtmfp::endpoint::{AddressOrigin, KnownAddress};
use tincan::rtmfp::machine::{Input, Machine, Output, Route};

pub(crate) struct OldServer {
    node: Node,
    clients: BTreeMap<PeerId, (ConnectionId, Route)>,
    /// Those who connected, and what `connect` said after its object.
    came: Vec<(PeerId, Vec<Value>)>,
}

impl OldServer {
    pub(crate) fn new(node: Node) -> Self {
        Self { node, clients: BTreeMap::new(), came: vec![] }
    }

    pub(crate) fn came(&self) -> &[(PeerId, Vec<Value>)] {
        &self.came
    }

    fn event(&mut self, now: Instant, event: NodeEvent) {
        match event {
            NodeEvent::ConnectRequested { connection, peer, route, arguments, .. } => {
                self.node.accept_connection(now, connection, vec![]);
                self.clients.insert(peer, (connection, route));
                self.came.push((peer, arguments));
            }
            NodeEvent::ClientGone { connection, .. } => {
                self.clients.retain(|_, (of, _)| *of != connection);
            }
            NodeEvent::Called { token: Some(token), .. } => {
                self.node.answer(now, token, Err(Value::Null));
            }
            NodeEvent::HelloForAnother { route, endpoint_discriminator, tag, .. } => {
                let wanted = fingerprint_in(&endpoint_discriminator);
                let Some((connection, at)) = wanted.and_then(|peer| self.clients.get(&peer)) else { return };
                let known = [KnownAddress { address: at.address, origin: AddressOrigin::Observed }];
                self.node.introduce(now, route, &endpoint_discriminator, &tag, *connection, &known);
            }
            _ => {}
        }
    }
}

impl Machine for OldServer {
    type Command = ();
    type Event = std::convert::Infallible;

    fn handle_input(&mut self, now: Instant, input: Input<'_, ()>) {
        if let Ok(input) = input.without_command() {
            self.node.handle_input(now, input);
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<std::convert::Infallible> {
        loop {
            match self.node.poll_output(now, packets) {
                Output::Transmit(transmit) => return Output::Transmit(transmit),
                Output::Compute(job) => return Output::Compute(job),
                Output::Event(event) => self.event(now, event),
                Output::Sleep(until) => return Output::Sleep(until),
            }
        }
    }
}
