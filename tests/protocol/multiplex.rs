//! Which packet belongs to which session, and under which key (RFC 7016 §2.2.2, §2.2.3, §3.3).

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::SessionEnd;
use tincan::rtmfp::crypto::Profile;
use tincan::rtmfp::endpoint::Delivery;
use tincan::rtmfp::testing::plain_crypto::Plain;

use crate::support::raw::{
    self, IHELLO, IIKEYING, PING, PING_REPLY, RHELLO, RIKEYING, chunk, keys, parts_of_iikeying,
    parts_of_rhello, payloads, rhello, rikeying, sealed, sent_by, split_counted, under_default_key,
};
use crate::support::scenario::{
    TRIP, accept_flows, ada_and_bob, all_opened, dial, ended, messages, opened, send,
    session_between_ada_and_bob,
};

/// Conforms: 7016-2.2.2-d, 7016-2.2.2-e, 7016-2.2.3-f, 7016-2.3.2-b, 7016-2.3.4-b, 7016-2.3.7-c, 7016-2.3.8-b
/// Conforms: 7016-3.5.1.1.1-m, 7016-2.2.4-g, 7016-2.2.4-i
#[test]
fn every_packet_of_a_handshake_has_the_session_id_the_key_and_the_mode_that_its_chunk_asks_for() {
    let (mut net, ada, bob) = ada_and_bob();
    dial(&mut net, ada, bob, "bob");
    net.run_until(Duration::from_secs(1));
    let (hers, his) = (sent_by(&net, ada), sent_by(&net, bob));

    let hello = hers[0].payload(IHELLO).expect("a hello first");
    let (endpoint_discriminator, tag) = split_counted(hello);
    assert_eq!(endpoint_discriminator, b"bob");
    let (tag_echo, cookie, certificate) = parts_of_rhello(his[0].payload(RHELLO).expect("its answer"));
    assert_eq!((tag_echo, certificate), (tag, &b"bob"[..]));
    let keying = hers[1].payload(IIKEYING).expect("keying");
    let (initiator_id, cookie_echo, certificate, component, signature) = parts_of_iikeying(keying);
    assert_eq!((cookie_echo, certificate), (cookie, &b"ada"[..]));
    let answer = his[1].payload(RIKEYING).expect("its answer");
    let responder_id = u32::from_be_bytes(answer[..4].try_into().unwrap());
    let ids: Vec<u32> =
        [&hers[0], &his[0], &hers[1], &his[1]].into_iter().map(|seen| seen.session_id).collect();
    assert_eq!(ids, [0, 0, 0, initiator_id]);
    assert!([&hers[0], &his[0], &hers[1], &his[1]].iter().all(|seen| seen.startup && seen.flags == 3));

    // What is signed: her keying up to the signature, his with her component behind it.
    let signed = &keying[..keying.len() - signature.len()];
    assert!(Plain::new("bob").verify(b"ada", signed, signature));
    let (his_component, his_signature) = split_counted(&answer[4..]);
    let his_signed = [&answer[..answer.len() - his_signature.len()], component].concat();
    assert!(Plain::new("ada").verify(b"bob", &his_signed, his_signature));
    assert_eq!((component.len(), his_component.len()), (32, 32));

    assert!(hers.len() > 3 && his.len() > 3, "signs of life follow");
    assert!(hers[2..].iter().all(|seen| !seen.startup && seen.session_id == responder_id));
    assert!(his[2..].iter().all(|seen| !seen.startup && seen.session_id == initiator_id));
    assert!(
        hers[2..].iter().all(|seen| seen.flags & 3 == 1) && his[2..].iter().all(|seen| seen.flags & 3 == 2)
    );
    assert_ne!((initiator_id, responder_id), (0, 0));
}

/// Conforms: 7016-3.3-c
#[test]
fn a_session_is_found_by_its_id_wherever_a_packet_comes_from() {
    let (mut net, ada, bob, near, _) = session_between_ada_and_bob();
    accept_flows(&mut net, bob, Delivery::Ordered);
    let next = net.sent().len();
    net.lose(next);
    send(&mut net, ada, near, &[Bytes::from_static(b"from afar")]);
    let lost = net.sent()[next].bytes.clone();
    net.inject(bob, SocketAddr::from(([203, 0, 113, 5], 5)), &lost);
    assert_eq!(messages(&net, bob), ["from afar"]);
}

/// Conforms: 7016-2.2.3-e, 7016-2.2.3-d
#[test]
fn a_packet_under_another_key_than_its_session_id_calls_for_does_nothing() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    let to_bob = sent_by(&net, ada).last().expect("packets").session_id;
    let from = net.address(ada);
    let ping = [&[0x01], &chunk(PING, b"?")[..]].concat();
    let close = [&[0x01], &chunk(0x4c, b"")[..]].concat();
    let mut others = keys([1; 32], &[2; 32]).cipher;
    (0..100).for_each(|_| drop(sealed(&mut *others, 1, &ping)));
    net.clear_log();
    for plain in [&ping, &close] {
        net.inject(bob, from, &under_default_key(to_bob, plain));
        net.inject(bob, from, &sealed(&mut *others, 0, plain));
        net.inject(bob, from, &sealed(&mut *others, to_bob ^ 1, plain));
    }
    let hello = [&[0x03], &chunk(IHELLO, &[&raw::counted(b"bob"), &b"tag"[..]].concat())[..]].concat();
    net.inject(bob, from, &sealed(&mut *others, 0, &hello));
    assert!(net.sent().is_empty());
    assert_eq!((ended(&net, ada, near), ended(&net, bob, far)), (None, None));
    // Under its own key the same packet is answered.
    net.inject(bob, from, &sealed(&mut *others, to_bob, &ping));
    assert_eq!(payloads(&net, bob, PING_REPLY), [b"?"]);
}

/// Conforms: trap-1, 7016-2.2.3-f
#[test]
fn while_keys_are_agreed_the_default_key_opens_what_comes_and_later_only_the_sessions_own() {
    let (mut net, ada, bob) = ada_and_bob();
    let by_hand = net.address(bob);
    net.cut(bob, true);
    dial(&mut net, ada, bob, "bob");
    let tag = split_counted(sent_by(&net, ada)[0].payload(IHELLO).unwrap()).1.to_vec();
    net.inject(ada, by_hand, &rhello(&tag, b"cookie", b"bob"));
    let keying = payloads(&net, ada, IIKEYING).remove(0);
    let (id, _, _, component, _) = parts_of_iikeying(&keying);
    let mut cipher = keys([9; 32], component).cipher;
    let ping = |message: &[u8]| [&[0x02], &chunk(PING, message)[..]].concat();

    // A packet of the session overtakes the RIKeying: it waits.
    net.inject(ada, by_hand, &sealed(&mut *cipher, id, &ping(b"early")));
    assert!(opened(&net, ada).is_none() && payloads(&net, ada, PING_REPLY).is_empty());
    net.inject(ada, by_hand, &rikeying((id, component), 77, "bob", &[9; 32]));
    assert_eq!(all_opened(&net, ada).len(), 1);
    assert_eq!(payloads(&net, ada, PING_REPLY), [b"early"]);

    // From now on the default key opens nothing on this ID: neither another RIKeying nor a ping.
    net.clear_log();
    net.inject(ada, by_hand, &rikeying((id, component), 78, "bob", &[9; 32]));
    net.inject(ada, by_hand, &under_default_key(id, &ping(b"forged")));
    assert!(net.sent().is_empty());
    net.inject(ada, by_hand, &sealed(&mut *cipher, id, &ping(b"genuine")));
    let answer = sent_by(&net, ada).remove(0);
    assert_eq!((answer.session_id, answer.payload(PING_REPLY)), (77, Some(&b"genuine"[..])));
    assert_eq!(net.elapsed(), Duration::ZERO);
    let session = all_opened(&net, ada)[0];
    net.run_for(TRIP);
    assert_eq!(ended(&net, ada, session).map(|(_, end)| end), None::<SessionEnd>);
}
