//! Who may answer as whom, with the real cryptography (RFC 7425 §4).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::crypto::flash::{Flash, Identity};
use tincan::rtmfp::endpoint::{Delivery, Endpoint, EndpointConfig, SessionKey};
use tincan::rtmfp::{Event, PeerId, SessionEnd};

use crate::support::appended::Appended;
use crate::support::impostor::Impostor;
use crate::support::scenario::{Net, TRIP, accept_flows, all_opened, ended, messages, send};
use crate::support::virtual_network::Host;

/// An endpoint with a lasting key, and its peer ID.
fn person(number: u8) -> (Endpoint, PeerId) {
    let identity = Identity::generate([number; 32]);
    let peer = identity.peer_id();
    (Endpoint::new(EndpointConfig::new(Arc::new(Flash::peer(identity)), [number; 32])), peer)
}

/// Ada and Bob with a session that Ada opened, and their peer IDs.
fn session_of_ada_and_bob() -> (Net, [(Host, PeerId); 2], SessionKey) {
    let mut net = Net::new(TRIP);
    let ((ada, ada_is), (bob, bob_is)) = (person(1), person(2));
    let (ada, bob) = (net.add(ada), net.add(bob));
    let route = net.route_to(bob);
    let session = net.with(ada, |endpoint, now| endpoint.open_session_to_peer(now, bob_is, &[route]));
    net.run_until(Duration::from_secs(1));
    (net, [(ada, ada_is), (bob, bob_is)], session)
}

#[test]
fn a_session_between_lasting_keys_is_proven_at_both_ends() {
    let (net, [(ada, ada_is), (bob, bob_is)], _) = session_of_ada_and_bob();
    for (host, far) in [(ada, bob_is), (bob, ada_is)] {
        let event = net.events(host).first().map(|(_, event)| event);
        assert!(
            matches!(event, Some(Event::SessionOpened { peer, proven: true, .. }) if *peer == far),
            "{event:?}"
        );
    }
}

#[test]
fn garbled_and_repeated_datagrams_do_nothing() {
    let (mut net, [(ada, _), (bob, _)], session) = session_of_ada_and_bob();
    let told = (net.events(ada).len(), net.events(bob).len());
    for sent in net.sent().to_vec() {
        let (to, from) = if sent.from == ada { (bob, ada) } else { (ada, bob) };
        let from: SocketAddr = net.address(from);
        for at in 0..sent.bytes.len() {
            let mut garbled = sent.bytes.clone();
            garbled[at] ^= 1 << (at % 8);
            net.inject(to, from, &garbled);
            net.inject(to, from, &sent.bytes[..at]);
        }
        net.inject(to, from, &sent.bytes);
    }
    net.run_for(Duration::from_secs(15));
    assert_eq!((net.events(ada).len(), net.events(bob).len()), told);
    assert_eq!((net.machine(ada).sessions(), net.machine(bob).sessions()), (1, 1));
    accept_flows(&mut net, bob, Delivery::Ordered);
    send(&mut net, ada, session, &[Bytes::from_static(b"still here")]);
    net.run_for(Duration::from_secs(2));
    assert_eq!(messages(&net, bob), ["still here"]);
}

#[test]
fn nobody_else_can_answer_as_a_dialled_peer_not_even_with_its_certificate() {
    let mut net = Net::new(TRIP);
    let bob_is = Identity::generate([2; 32]);
    let bobs_peer_id = bob_is.peer_id();
    let ada = net.add(person(1).0);
    let mallory = Impostor {
        claimed: Arc::new(Flash::peer(bob_is)),
        own: Arc::new(Flash::peer(Identity::generate([3; 32]))),
    };
    let mallory = net.add(Endpoint::new(EndpointConfig::new(Arc::new(mallory), [3; 32])));
    let route = net.route_to(mallory);
    let session = net.with(ada, |endpoint, now| endpoint.open_session_to_peer(now, bobs_peer_id, &[route]));
    net.run_until(Duration::from_secs(30));
    assert!(all_opened(&net, ada).is_empty() && all_opened(&net, mallory).is_empty());
    assert!(matches!(ended(&net, ada, session), Some((_, SessionEnd::NeverOpened { .. }))));
}

/// Somebody with the same key and the same fingerprint, but with more behind the certificate's Marker, is another holder:
/// the session that is open is left alone. The very same certificate replaces it.
///
/// Conforms: 7425-4.3.7-a
#[test]
fn only_an_identical_certificate_overrides_a_session() {
    for (behind, replaced) in [(&[0, 2, 0x77, 1][..], false), (&[], true)] {
        let (mut net, [(ada, ada_is), (bob, bob_is)], _) = session_of_ada_and_bob();
        let again = Appended::new(Flash::peer(Identity::generate([1; 32])), behind);
        let again = Endpoint::new(EndpointConfig::new(Arc::new(again), [8; 32]));
        assert_eq!(again.own_peer_id(), Some(ada_is), "one fingerprint");
        net.restart(ada, again);
        net.take_events(bob);
        let route = net.route_to(bob);
        net.with(ada, |endpoint, now| endpoint.open_session_to_peer(now, bob_is, &[route]));
        net.run_for(Duration::from_secs(4));
        assert_eq!(all_opened(&net, bob).len(), usize::from(replaced));
        let ended = net.events(bob).iter().any(|(_, event)| matches!(event, Event::SessionEnded { .. }));
        assert_eq!(ended, replaced);
    }
}
