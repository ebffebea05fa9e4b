//! Nodes in a network: a server that introduces its clients to each other, and clients.
//!
//! Their cryptography is readable; who is selected is said as in RFC 7425 §4.4, which introductions go by.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tincan::netconnection::node::{
    ConnectionId, MediaKind, MediaMessage, NodeConfig, PlaybackId, PublicationId, SubscriberId,
};
use tincan::netconnection::{Node, NodeEvent};
use tincan::rtmfp::PeerId;
use tincan::rtmfp::crypto::{CryptoError, Initiation, PacketCipher, Profile, Response, Work};
use tincan::rtmfp::endpoint::{AddressOrigin, EndpointConfig, KnownAddress};
use tincan::rtmfp::testing::plain_crypto::Plain;

use super::scenario::TRIP;
use super::virtual_network::{Host, VirtualNetwork};

/// A network of nodes.
pub(crate) type Nodes = VirtualNetwork<Node>;

/// What the server is called in URLs.
pub(crate) const URL: &str = "rtmfp://server.example/calls";

/// A node of that name. One called "server" is selected by URLs, and proves nothing.
pub(crate) fn node(name: &str) -> Node {
    let mut seed = [0; 32];
    name.bytes().zip(&mut seed).for_each(|(letter, byte)| *byte = letter);
    seeded_node(name, seed)
}

/// The same program after it was started again: it knows nothing of before.
pub(crate) fn restarted(name: &str) -> Node {
    seeded_node(name, [9; 32])
}

fn seeded_node(name: &str, seed: [u8; 32]) -> Node {
    Node::new(NodeConfig { endpoint: seeded_config(name, seed), most_peer_connections: 8 })
}

/// The settings of an endpoint that is selected as nodes are.
pub(crate) fn endpoint_config(name: &str) -> EndpointConfig {
    seeded_config(name, [name.len() as u8; 32])
}

fn seeded_config(name: &str, seed: [u8; 32]) -> EndpointConfig {
    let profile = Selectable { plain: Plain::new(name), certificate: name.as_bytes().to_vec() };
    EndpointConfig { open_within: Duration::from_secs(20), ..EndpointConfig::new(Arc::new(profile), seed) }
}

/// A network with a server that lets everybody in and introduces them.
pub(crate) fn network_with_server() -> (Nodes, Host) {
    let mut net = Nodes::new(TRIP);
    let server = net.add(node("server"));
    let mut clients: Vec<(PeerId, ConnectionId, KnownAddress)> = Vec::new();
    net.react(server, move |node: &mut Node, now, event: &NodeEvent| match event {
        NodeEvent::ConnectRequested { connection, peer, route, .. } => {
            let observed = KnownAddress { address: route.address, origin: AddressOrigin::Observed };
            clients.push((*peer, *connection, observed));
            node.accept_connection(now, *connection, Vec::new());
        }
        NodeEvent::HelloForAnother { route, peer: Some(peer), endpoint_discriminator, tag } => {
            let found = clients.iter().find(|(id, ..)| id == peer);
            if let Some((_, connection, address)) = found {
                node.introduce(now, *route, endpoint_discriminator, tag, *connection, &[*address]);
            }
        }
        _ => {}
    });
    (net, server)
}

/// Adds a client that is connected to the server.
pub(crate) fn add_client(net: &mut Nodes, server: Host, name: &str) -> Host {
    let client = net.add(node(name));
    connect(net, client, server);
    net.run_for(Duration::from_secs(1));
    assert!(tells(net, client, |event| matches!(event, NodeEvent::Connected { .. })), "{name} is connected");
    net.take_events(client);
    client
}

/// A server, and Ada and Bob who are connected to it.
pub(crate) fn ada_and_bob_with_server() -> (Nodes, Host, Host, Host) {
    let (mut net, server) = network_with_server();
    let ada = add_client(&mut net, server, "ada");
    let bob = add_client(&mut net, server, "bob");
    (net, server, ada, bob)
}

/// Lets a client connect to the server.
pub(crate) fn connect(net: &mut Nodes, client: Host, server: Host) -> ConnectionId {
    let route = net.route_to(server);
    net.with(client, |node, now| node.connect(now, URL, &[route], vec!["user".into()]))
}

/// Who a host is.
pub(crate) fn id(net: &Nodes, host: Host) -> PeerId {
    net.machine(host).near_id()
}

/// Lets a host publish, and let everybody in who asks for it.
pub(crate) fn publish(net: &mut Nodes, host: Host, name: &str) -> PublicationId {
    let publication = net.with(host, |node, now| node.publish_direct(now, name));
    accept_all(net, host);
    publication
}

/// Lets a host accept every subscriber to what it publishes.
pub(crate) fn accept_all(net: &mut Nodes, host: Host) {
    net.react(host, |node: &mut Node, now, event: &NodeEvent| {
        if let NodeEvent::PeerConnect { subscriber, publication: Some(publication), .. } = event {
            node.accept_subscriber(now, *subscriber, *publication);
        }
    });
}

/// Lets a host play another's stream, introduced by the server.
pub(crate) fn play(net: &mut Nodes, player: Host, publisher: Host, name: &str) -> PlaybackId {
    let peer = id(net, publisher);
    net.with(player, |node, now| node.play_direct(now, peer, name, &[]))
}

/// Whether a host was told something.
pub(crate) fn tells(net: &Nodes, host: Host, what: impl Fn(&NodeEvent) -> bool) -> bool {
    net.events(host).iter().any(|(_, event)| what(event))
}

/// The first thing a host was told that `what` finds something in.
pub(crate) fn told<T>(net: &Nodes, host: Host, what: impl Fn(&NodeEvent) -> Option<T>) -> Option<T> {
    net.events(host).iter().find_map(|(_, event)| what(event))
}

/// The subscriber that a host was told of first.
pub(crate) fn subscriber(net: &Nodes, host: Host) -> Option<SubscriberId> {
    told(net, host, |event| match event {
        NodeEvent::PeerConnect { subscriber, .. } => Some(*subscriber),
        _ => None,
    })
}

/// The times of the messages of a kind that a host was given, in the order it was.
pub(crate) fn timestamps(net: &Nodes, host: Host, kind: MediaKind) -> Vec<u32> {
    let of_kind = |event: &NodeEvent| match event {
        NodeEvent::Media { message, .. } if message.kind == kind => Some(message.timestamp),
        _ => None,
    };
    net.events(host).iter().filter_map(|(_, event)| of_kind(event)).collect()
}

/// A message of that many bytes.
pub(crate) fn media(kind: MediaKind, timestamp: u32, size: usize) -> MediaMessage {
    MediaMessage { kind, timestamp, payload: vec![timestamp as u8; size].into() }
}

/// Shortens the waits of a deadline that starts now.
pub(crate) fn within(now: Instant, milliseconds: u64) -> Option<Instant> {
    Some(now + Duration::from_millis(milliseconds))
}

/// Readable cryptography, selected by URL or by fingerprint.
struct Selectable {
    plain: Plain,
    certificate: Vec<u8>,
}

impl Profile for Selectable {
    fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    fn identify(&self, certificate: &[u8]) -> Result<PeerId, CryptoError> {
        self.plain.identify(certificate)
    }

    fn is_static(&self, certificate: &[u8]) -> bool {
        certificate != b"server"
    }

    fn selected_by(&self, endpoint_discriminator: &[u8]) -> bool {
        self.certificate_matches(&self.certificate, endpoint_discriminator)
    }

    fn certificate_matches(&self, certificate: &[u8], endpoint_discriminator: &[u8]) -> bool {
        let by_url = endpoint_discriminator.get(1) == Some(&0x0a) && certificate == b"server";
        by_url
            || self
                .plain
                .identify(certificate)
                .is_ok_and(|id| self.discriminator_of(id) == endpoint_discriminator)
    }

    fn discriminator_of(&self, peer: PeerId) -> Vec<u8> {
        [&[0x21, 0x0f][..], &peer.0].concat()
    }

    fn near_prevails(&self, far_certificate: &[u8]) -> bool {
        self.plain.near_prevails(far_certificate)
    }

    fn default_cipher(&self) -> Box<dyn PacketCipher> {
        self.plain.default_cipher()
    }

    fn initiate(&self, far_certificate: &[u8], seed: [u8; 32]) -> Work<Initiation> {
        self.plain.initiate(far_certificate, seed)
    }

    fn respond(&self, certificate: &[u8], component: &[u8], seed: [u8; 32]) -> Work<Response> {
        self.plain.respond(certificate, component, seed)
    }

    fn sign(&self, signed_parameters: &[u8]) -> Vec<u8> {
        self.plain.sign(signed_parameters)
    }

    fn verify(&self, certificate: &[u8], signed_parameters: &[u8], signature: &[u8]) -> bool {
        self.plain.verify(certificate, signed_parameters, signature)
    }
}
