//! One endpoint, two identities on the same socket: a lasting one, and a weak one for those who know nothing better.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::crypto::Profile;
use tincan::rtmfp::crypto::flash::{Flash, Identity, Verification, discriminator_for_url};
use tincan::rtmfp::dialect::Dialect;
use tincan::rtmfp::endpoint::{Delivery, Endpoint, EndpointConfig, OwnIdentity, SessionKey, WriteOptions};
use tincan::rtmfp::{Event, PeerId, SessionEnd};

use crate::support::scenario::{Net, TRIP, accept_flows, ended, flow_options, messages};
use crate::support::virtual_network::Host;

/// A Flash-era profile with a key of its own.
fn weak(number: u8) -> Flash {
    Flash::peer(Identity::generate_flash_era([number; 32])).verifying(Verification::OnRequest)
}

/// Somebody with a lasting identity and a weak one.
fn two_faced(number: u8) -> Endpoint {
    let lasting = Flash::peer(Identity::generate([number; 32]));
    let config = EndpointConfig::new(Arc::new(lasting), [number; 32]);
    Endpoint::new(EndpointConfig { second_profile: Some(Arc::new(weak(number))), ..config })
}

struct Scene {
    net: Net,
    ada: Host,
    bob: Host,
}

impl Scene {
    fn new() -> Self {
        let mut net = Net::new(TRIP);
        let (ada, bob) = (net.add(two_faced(1)), net.add(two_faced(2)));
        Self { net, ada, bob }
    }

    fn id(&self, host: Host, own: OwnIdentity) -> PeerId {
        self.net.machine(host).peer_id_of(own).expect("both have two identities")
    }

    /// Lets one dial the other, each as this identity.
    fn dial(&mut self, from: Host, to: Host, own: OwnIdentity) -> SessionKey {
        let (far, route) = (self.id(to, own), self.net.route_to(to));
        self.net.with(from, |endpoint, now| endpoint.open_session_to_peer_as(now, own, far, &[route]))
    }

    /// Whom `host` met, as whom, how they speak, and whether the far end proved who it is.
    fn met(&self, host: Host) -> Vec<(PeerId, OwnIdentity, Dialect, bool)> {
        met(&self.net, host)
    }
}

fn met(net: &Net, host: Host) -> Vec<(PeerId, OwnIdentity, Dialect, bool)> {
    net.events(host)
        .iter()
        .filter_map(|(_, event)| match event {
            Event::SessionOpened { peer, own, dialect, proven, .. } => Some((*peer, *own, *dialect, *proven)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_hello_is_answered_by_the_identity_it_looks_for() {
    for (own, dialect) in [(OwnIdentity::Main, Dialect::Rfc), (OwnIdentity::Second, Dialect::FlashEra)] {
        let mut scene = Scene::new();
        let session = scene.dial(scene.ada, scene.bob, own);
        scene.net.run_until(Duration::from_secs(2));
        assert_eq!(scene.met(scene.ada), [(scene.id(scene.bob, own), own, dialect, true)]);
        assert_eq!(scene.met(scene.bob), [(scene.id(scene.ada, own), own, dialect, true)]);
        assert_eq!(scene.net.machine(scene.ada).own_identity(session), Some(own));
    }
}

#[test]
fn two_that_met_by_their_weak_identities_open_a_second_session_by_their_lasting_ones_between_the_same_addresses()
 {
    let mut scene = Scene::new();
    let weak = scene.dial(scene.ada, scene.bob, OwnIdentity::Second);
    scene.net.run_for(Duration::from_secs(2));
    let strong = scene.dial(scene.ada, scene.bob, OwnIdentity::Main);
    scene.net.run_for(Duration::from_secs(30));
    let ciphers: Vec<String> = [weak, strong]
        .into_iter()
        .map(|session| {
            let figures = scene.net.with(scene.ada, |endpoint, now| endpoint.figures(now, session));
            figures.expect("both are open").cipher
        })
        .collect();
    assert_eq!(ciphers, ["AES-128 · checksum · group 2", "AES-128 · HMAC-128 · group 14"]);
    assert_eq!(scene.met(scene.bob).len(), 2);
}

#[test]
fn dialling_each_other_at_once_by_different_identities_is_no_glare() {
    let mut scene = Scene::new();
    scene.dial(scene.ada, scene.bob, OwnIdentity::Second);
    scene.dial(scene.bob, scene.ada, OwnIdentity::Main);
    scene.net.run_for(Duration::from_secs(5));
    for host in [scene.ada, scene.bob] {
        let mut as_whom: Vec<OwnIdentity> = scene.met(host).into_iter().map(|(_, own, ..)| own).collect();
        as_whom.sort();
        assert_eq!(as_whom, [OwnIdentity::Main, OwnIdentity::Second]);
        assert_eq!(scene.net.machine(host).sessions(), 2);
    }
}

#[test]
fn glare_between_weak_identities_leaves_one_session() {
    let mut scene = Scene::new();
    scene.dial(scene.ada, scene.bob, OwnIdentity::Second);
    scene.dial(scene.bob, scene.ada, OwnIdentity::Second);
    scene.net.run_for(Duration::from_secs(5));
    assert_eq!((scene.net.machine(scene.ada).sessions(), scene.net.machine(scene.bob).sessions()), (1, 1));
}

#[test]
fn a_server_that_may_do_without_tags_meets_the_weak_identity_that_was_shown_to_it() {
    let mut net = Net::new(TRIP);
    let ada = net.add(two_faced(1));
    let server = Flash::server([9; 32]).verifying(Verification::OnRequest);
    let server = net.add(Endpoint::new(EndpointConfig::new(Arc::new(server), [9; 32])));
    let (route, url) = (net.route_to(server), Bytes::from(discriminator_for_url("rtmfp://example.org/x")));
    net.with(ada, |endpoint, now| endpoint.open_session_as(now, OwnIdentity::Second, url, &[route]));
    net.run_for(Duration::from_secs(2));
    let weak_id = net.machine(ada).peer_id_of(OwnIdentity::Second).expect("two identities");
    assert_eq!(met(&net, server), [(weak_id, OwnIdentity::Main, Dialect::FlashEra, true)]);
    assert_eq!(met(&net, ada).len(), 1);
    let (_, own, dialect, proven) = met(&net, ada)[0];
    assert_eq!((own, dialect, proven), (OwnIdentity::Second, Dialect::FlashEra, false));
}

#[test]
fn a_second_identity_that_is_not_there_opens_nothing_and_answers_nobody() {
    let mut net = Net::new(TRIP);
    let lasting = Flash::peer(Identity::generate([1; 32]));
    let ada = net.add(Endpoint::new(EndpointConfig::new(Arc::new(lasting), [1; 32])));
    let bob = net.add(two_faced(2));
    let (route, back) = (net.route_to(bob), net.route_to(ada));
    let weak_bob = net.machine(bob).peer_id_of(OwnIdentity::Second).expect("two identities");
    assert_eq!(net.machine(ada).peer_id_of(OwnIdentity::Second), None);
    let session = net.with(ada, |endpoint, now| {
        endpoint.open_session_to_peer_as(now, OwnIdentity::Second, weak_bob, &[route])
    });
    let weak_ada = Identity::generate_flash_era([1; 32]).peer_id();
    net.with(bob, |endpoint, now| {
        endpoint.open_session_to_peer_as(now, OwnIdentity::Second, weak_ada, &[back])
    });
    net.run_for(Duration::from_secs(5));
    assert!(matches!(ended(&net, ada, session), Some((at, SessionEnd::NeverOpened { .. })) if at.is_zero()));
    assert!(met(&net, ada).is_empty() && met(&net, bob).is_empty());
    assert!(net.events(ada).iter().any(|(_, event)| matches!(event, Event::HelloForAnother { .. })));
}

/// A main identity that would not have the far end is no reason to show it the second one.
#[test]
fn a_far_end_without_a_group_of_the_identity_it_looks_for_gets_no_session() {
    let mut net = Net::new(TRIP);
    let (bob, old) =
        (net.add(two_faced(2)), net.add(Endpoint::new(EndpointConfig::new(Arc::new(weak(3)), [3; 32]))));
    let (bobs_lasting, route) = (net.machine(bob).own_peer_id().expect("a certificate"), net.route_to(bob));
    net.with(old, |endpoint, now| endpoint.open_session_to_peer(now, bobs_lasting, &[route]));
    net.run_for(Duration::from_secs(120));
    assert!(met(&net, bob).is_empty() && met(&net, old).is_empty());
    assert_eq!((net.machine(bob).sessions(), net.machine(old).sessions()), (0, 0));
}

/// Without sequence numbers repeated datagrams are opened twice, and without forward numbers each given-up fragment is
/// told of: neither shows above.
#[test]
fn over_a_bad_link_a_flash_era_session_carries_every_message_once_and_in_order() {
    let mut scene = Scene::new();
    let session = scene.dial(scene.ada, scene.bob, OwnIdentity::Second);
    scene.net.run_for(Duration::from_secs(2));
    accept_flows(&mut scene.net, scene.bob, Delivery::Ordered);
    scene.net.set_links(|link| {
        (link.loss, link.duplication, link.jitter) = (0.1, 0.1, Duration::from_millis(30));
    });
    let text = |number: u32| Bytes::from(format!("{number:05}").repeat(400));
    let flow = scene.net.with(scene.ada, |endpoint, now| {
        let flow = endpoint.open_flow(session, flow_options(b"test")).expect("an open session");
        for number in 0..300 {
            // Every third one is given up at once, or soon, or in the middle.
            let finish_by = (number % 3 == 1).then(|| now + Duration::from_millis(u64::from(number) * 10));
            let options = WriteOptions { finish_by, ..WriteOptions::default() };
            endpoint.write(now, session, flow, text(number), options).expect("room");
        }
        flow
    });
    scene.net.run_for(Duration::from_secs(120));
    assert_eq!(scene.net.machine(scene.ada).queued(session, flow), 0);
    let came = messages(&scene.net, scene.bob);
    let numbers: Vec<u32> =
        came.iter().map(|message| std::str::from_utf8(&message[..5]).unwrap().parse().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "in order, and none twice");
    assert!((0..300).filter(|number| number % 3 != 1).all(|number| numbers.contains(&number)));
    assert!(came.iter().zip(&numbers).all(|(message, number)| *message == text(*number)), "whole");
    assert!(numbers.len() < 300, "some were given up");
}

/// The first byte of each startup packet that a host sent, and how many there are.
fn startup_flags(net: &Net, host: Host) -> (BTreeSet<u8>, usize) {
    let (mut default, mut flags, mut count) = (Flash::server([0; 32]).default_cipher(), BTreeSet::new(), 0);
    for sent in net.sent().iter().filter(|sent| sent.from == host) {
        if let Ok(plain) = default.open(&mut sent.bytes.clone()) {
            flags.insert(plain[0]);
            count += 1;
        }
    }
    (flags, count)
}

#[test]
fn startup_packets_have_a_timestamp_where_somebody_may_need_one_and_nowhere_else() {
    for own in [OwnIdentity::Main, OwnIdentity::Second] {
        let mut scene = Scene::new();
        scene.dial(scene.ada, scene.bob, own);
        scene.net.run_until(Duration::from_secs(2));
        for host in [scene.ada, scene.bob] {
            assert_eq!(startup_flags(&scene.net, host), (BTreeSet::from([0x0b]), 2), "hello and keying");
        }
    }
    let mut net = Net::new(TRIP);
    let person = |number: u8| {
        let lasting = Flash::peer(Identity::generate([number; 32]));
        Endpoint::new(EndpointConfig::new(Arc::new(lasting), [number; 32]))
    };
    let (ada, bob) = (net.add(person(1)), net.add(person(2)));
    let (far, route) = (net.machine(bob).own_peer_id().expect("a certificate"), net.route_to(bob));
    net.with(ada, |endpoint, now| endpoint.open_session_to_peer(now, far, &[route]));
    net.run_until(Duration::from_secs(2));
    assert_eq!(startup_flags(&net, ada), (BTreeSet::from([0x03]), 2));
}
