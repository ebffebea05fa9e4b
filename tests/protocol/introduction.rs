//! Two people behind routers meet through a third who knows both (RFC 7016 §3.5.1.6).

use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::endpoint::{AddressOrigin, ForwardedHello, KnownAddress, SessionKey};
use tincan::rtmfp::{Event, SessionEnd};

use crate::support::scenario::{Net, TRIP, dial, ended, endpoint, opened};
use crate::support::virtual_network::Host;
use crate::support::virtual_router::RouterKind;

/// Ada dials Bob at Carol's address; each of the two is behind a router of its own, and Bob has a session with Carol.
fn introduced(adas: RouterKind, bobs: RouterKind) -> (Net, Host, SessionKey) {
    let mut net = Net::new(TRIP);
    let carol = net.add(endpoint("carol"));
    let (adas, bobs) = (net.add_router(adas), net.add_router(bobs));
    let (ada, bob) = (net.add_behind(adas, endpoint("ada")), net.add_behind(bobs, endpoint("bob")));

    let to_carol = dial(&mut net, bob, carol, "carol");
    net.run_until(Duration::from_secs(2));
    net.with(bob, |endpoint, _| endpoint.set_forwarded_hello(to_carol, ForwardedHello::Answer));
    let with_bob = opened(&net, carol).expect("Bob's session");
    net.react(carol, move |endpoint, now, event| {
        if let Event::HelloForAnother { route, endpoint_discriminator, tag } = event {
            let observed = |address| KnownAddress { address, origin: AddressOrigin::Observed };
            let Some(bob) = endpoint.route(with_bob) else { return };
            endpoint.redirect(*route, tag, &[observed(bob.address)]);
            endpoint.forward_hello(now, with_bob, endpoint_discriminator, observed(route.address), tag);
        }
    });
    let session = net.with(ada, {
        let route = net.route_to(carol);
        move |endpoint, now| endpoint.open_session(now, Bytes::from_static(b"bob"), &[route])
    });
    net.run_for(Duration::from_secs(30));
    (net, ada, session)
}

#[test]
fn every_pair_of_routers_is_crossed_but_two_symmetric_ones() {
    for adas in RouterKind::ALL {
        for bobs in RouterKind::ALL {
            let (net, ada, session) = introduced(adas, bobs);
            let met = opened(&net, ada) == Some(session);
            let impossible = (adas, bobs) == (RouterKind::Symmetric, RouterKind::Symmetric);
            assert_eq!(met, !impossible, "Ada's {adas:?}, Bob's {bobs:?}");
        }
    }
}

#[test]
fn two_who_cannot_meet_are_told_that_the_session_never_opened() {
    let (net, ada, session) = introduced(RouterKind::Symmetric, RouterKind::Symmetric);
    let end = ended(&net, ada, session).map(|(_, end)| end);
    assert_eq!(end, Some(SessionEnd::NeverOpened { waited: Duration::from_secs(20) }));
}

#[test]
fn a_forwarded_hello_is_not_answered_by_somebody_who_did_not_ask_for_introductions() {
    let mut net = Net::new(TRIP);
    let (carol, ada, bob) = (net.add(endpoint("carol")), net.add(endpoint("ada")), net.add(endpoint("bob")));
    dial(&mut net, bob, carol, "carol");
    net.run_until(Duration::from_secs(2));
    let with_bob = opened(&net, carol).expect("Bob's session");
    let stranger = KnownAddress { address: net.address(ada), origin: AddressOrigin::Observed };
    net.clear_log();
    net.with(carol, |endpoint, now| endpoint.forward_hello(now, with_bob, b"bob", stranger, b"12345678"));
    net.run_for(Duration::from_secs(1));
    assert!(net.sent().iter().all(|sent| sent.to != net.address(ada)));
}

#[test]
fn an_introducer_cannot_make_us_shout_at_others() {
    let mut net = Net::new(TRIP);
    let (carol, ada, bob) = (net.add(endpoint("carol")), net.add(endpoint("ada")), net.add(endpoint("bob")));
    let to_carol = dial(&mut net, bob, carol, "carol");
    net.run_until(Duration::from_secs(2));
    net.with(bob, |endpoint, _| endpoint.set_forwarded_hello(to_carol, ForwardedHello::Answer));
    let with_bob = opened(&net, carol).expect("Bob's session");
    let victim = KnownAddress { address: net.address(ada), origin: AddressOrigin::Observed };
    net.clear_log();
    for n in 0..500u32 {
        net.with(carol, |endpoint, now| {
            endpoint.forward_hello(now, with_bob, b"bob", victim, &n.to_be_bytes());
        });
        net.run_for(Duration::from_millis(1));
    }
    net.run_for(Duration::from_secs(1));
    let shouted = net.sent().iter().filter(|sent| sent.to == victim.address).count();
    assert!((64..=100).contains(&shouted), "{shouted} answers");
}
