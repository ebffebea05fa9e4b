//! Who may answer as whom, with the real cryptography (RFC 7425 §4).

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::crypto::flash::{Flash, Identity, discriminator_for_url};
use tincan::rtmfp::crypto::{PacketCipher, Profile};
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

/// Conforms: 7016-2.2.3-d
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

/// Conforms: 7016-5-c
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

/// Conforms: 7016-3.2-e
#[test]
fn what_a_profile_says_of_identities_is_the_same_every_time() {
    let urls = [discriminator_for_url("rtmfp://one.example"), discriminator_for_url("rtmfp://two.example")];
    for number in 0..4 {
        let anew = || -> Box<dyn Profile> {
            if number < 2 {
                Box::new(Flash::peer(Identity::generate([number; 32])))
            } else {
                Box::new(Flash::server([number; 32]))
            }
        };
        let (first, second) = (anew(), anew());
        assert_eq!(first.certificate(), second.certificate());
        for other in 0..4 {
            let other = Flash::peer(Identity::generate([other; 32]));
            let certificate = other.certificate();
            let canonical = first.discriminator_of(other.identify(certificate).unwrap());
            for _ in 0..2 {
                assert_eq!(first.identify(certificate), second.identify(certificate));
                assert_eq!(first.near_prevails(certificate), second.near_prevails(certificate));
                assert_eq!(
                    canonical,
                    second.discriminator_of(second.identify(certificate).expect("a certificate"))
                );
                for endpoint_discriminator in urls.iter().chain([&canonical]) {
                    assert_eq!(
                        first.selected_by(endpoint_discriminator),
                        second.selected_by(endpoint_discriminator)
                    );
                    assert_eq!(
                        first.certificate_matches(certificate, endpoint_discriminator),
                        second.certificate_matches(certificate, endpoint_discriminator)
                    );
                }
                let signature = first.sign(b"parameters");
                assert_eq!(signature, second.sign(b"parameters"));
                assert_eq!(
                    first.verify(certificate, b"parameters", &signature),
                    second.verify(certificate, b"parameters", &signature)
                );
            }
        }
    }
}

/// Conforms: 7016-3.2-d, 7016-3.2-f, 7016-3.2-g
#[test]
fn identities_differ_and_so_do_the_discriminators_that_name_them_and_one_of_any_two_prevails() {
    let everybody: Vec<Flash> = (0..8)
        .map(|number| Flash::peer(Identity::generate([number; 32])))
        .chain((0..8).map(|number| Flash::server([number; 32])))
        .collect();
    let canonical = |of: &Flash| of.discriminator_of(of.identify(of.certificate()).expect("a certificate"));
    for (place, one) in everybody.iter().enumerate() {
        for (other_place, other) in everybody.iter().enumerate() {
            let same = place == other_place;
            assert_eq!(one.certificate() == other.certificate(), same);
            assert_eq!(canonical(one) == canonical(other), same);
            assert_eq!(one.selected_by(&canonical(other)), same);
            if !same {
                assert_ne!(one.near_prevails(other.certificate()), other.near_prevails(one.certificate()));
            }
        }
    }
}

/// Conforms: 7016-3.2-a, 7016-3.2-b
#[test]
fn one_discriminator_may_select_several_identities_and_several_may_select_one() {
    let (one, two) = (Flash::server([1; 32]), Flash::server([2; 32]));
    for url in ["rtmfp://one.example", "rtmfp://two.example/path"] {
        let endpoint_discriminator = discriminator_for_url(url);
        assert!(one.selected_by(&endpoint_discriminator) && two.selected_by(&endpoint_discriminator));
        assert!(one.certificate_matches(two.certificate(), &endpoint_discriminator));
    }
}

/// Two ends of one agreement: what seals at one opens at the other.
fn ciphers() -> [Box<dyn PacketCipher>; 2] {
    let (ada, bob) = (Flash::peer(Identity::generate([1; 32])), Flash::peer(Identity::generate([2; 32])));
    let initiation = ada.initiate(bob.certificate(), [3; 32])().expect("a component");
    let response = bob.respond(ada.certificate(), &initiation.component, [4; 32])().expect("keys");
    let keys = initiation.pending.finish(&response.component)().expect("keys");
    [keys.cipher, response.keys.cipher]
}

fn sealed(cipher: &mut dyn PacketCipher, session_id: u32, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    cipher.seal(session_id, plain, &[plain.len()], &mut out, &mut Vec::new());
    out
}

/// Conforms: 7016-2.2.3-b, 7016-2.2.3-c, 7016-2.2.4-d, 7016-2.2.4-e
#[test]
fn each_packet_opens_on_its_own_whichever_others_came_and_only_once() {
    let [mut ada, mut bob] = ciphers();
    let plain = |n: u8| vec![n; 20 + usize::from(n)];
    let mut datagrams: Vec<Vec<u8>> = (0..50).map(|n| sealed(&mut *ada, 7, &plain(n))).collect();
    for n in [30, 3, 49, 0, 17] {
        let mut copy = datagrams[n].clone();
        let expected = plain(n as u8);
        let opened = bob.open(&mut datagrams[n]).expect("a packet");
        assert_eq!(opened[..expected.len()], expected);
        assert!(opened[expected.len()..].iter().all(|byte| *byte == 0xff), "padding of the cipher's");
        assert!(bob.open(&mut copy).is_err(), "a repetition");
    }
}

/// Conforms: 7016-5-b
#[test]
fn packets_alike_in_everything_do_not_look_alike() {
    let [mut ada, _] = ciphers();
    let mut blocks = BTreeSet::new();
    for _ in 0..200 {
        let datagram = sealed(&mut *ada, 7, &[0x09; 64]);
        blocks.extend(datagram[4..4 + 80].chunks_exact(16).map(<[u8]>::to_vec));
    }
    assert_eq!(blocks.len(), 200 * 5, "no two blocks of theirs are the same");
}

/// Conforms: trap-2, 7016-2.2.2-b
#[test]
fn the_session_id_is_scrambled_with_what_was_encrypted() {
    let [mut ada, _] = ciphers();
    let mut default = Flash::server([9; 32]).default_cipher();
    for cipher in [&mut ada, &mut default] {
        let datagram = sealed(&mut **cipher, 0x0102_0304, &[0x03; 40]);
        let word = |at: usize| u32::from_be_bytes(datagram[at..at + 4].try_into().unwrap());
        assert_eq!(word(0) ^ word(4) ^ word(8), 0x0102_0304);
    }
    // What is found is an ID before anything was decrypted, also one that belongs to nobody.
    let (mut net, [(ada, _), (bob, _)], session) = session_of_ada_and_bob();
    let last = net.sent().iter().rposition(|sent| sent.from == ada).expect("packets of hers");
    let mut other_id = net.sent()[last].bytes.clone();
    other_id[3] ^= 1;
    let told = net.events(bob).len();
    let dropped = net.machine(bob).dropped();
    net.inject(bob, SocketAddr::from(([203, 0, 113, 1], 1)), &other_id);
    assert_eq!((net.machine(bob).dropped(), net.events(bob).len()), (dropped + 1, told));
    assert!(net.machine(ada).route(session).is_some());
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
