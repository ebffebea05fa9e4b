//! Two people behind routers meet through a third who knows both (RFC 7016 §3.5.1.6).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tincan::rtmfp::endpoint::{AddressOrigin, Endpoint, ForwardedHello, KnownAddress, SessionKey};
use tincan::rtmfp::{Event, SessionEnd};

use crate::support::raw;
use crate::support::scenario::{Net, TRIP, dial, ended, endpoint, opened};
use crate::support::virtual_network::Host;
use crate::support::virtual_router::{DependsOn, RouterKind};

/// What Carol does with hellos that want Bob, with whom she has this session.
fn introducing(with_bob: SessionKey) -> impl FnMut(&mut Endpoint, Instant, &Event) {
    move |endpoint, now, event| {
        if let Event::HelloForAnother { route, endpoint_discriminator, tag } = event
            && endpoint.selects(with_bob, endpoint_discriminator)
        {
            let observed = |address| KnownAddress { address, origin: AddressOrigin::Observed };
            let Some(bob) = endpoint.route(with_bob) else { return };
            endpoint.redirect(*route, tag, &[observed(bob.address)]);
            endpoint.forward_hello(now, with_bob, endpoint_discriminator, observed(route.address), tag);
        }
    }
}

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
    net.react(carol, introducing(with_bob));
    let session = net.with(ada, {
        let route = net.route_to(carol);
        move |endpoint, now| endpoint.open_session(now, Bytes::from_static(b"bob"), &[route])
    });
    net.run_for(Duration::from_secs(30));
    (net, ada, session)
}

/// Conforms: 7016-3.5.1.4-b, 7016-3.5.1.5-b, 7016-3.5.1.5-c, 7016-3.5.1.6-b, 7016-2.3.5-c, 7016-2.3.3-c, 7016-3.5.1.1.2-f
#[test]
fn an_introducer_tells_both_where_the_other_is_and_passes_the_hello_on_as_it_came() {
    let mut net = Net::new(TRIP);
    let (carol, bob) = (net.add(endpoint("carol")), net.add(endpoint("bob")));
    let to_carol = dial(&mut net, bob, carol, "carol");
    net.run_until(Duration::from_secs(2));
    net.with(bob, |endpoint, _| endpoint.set_forwarded_hello(to_carol, ForwardedHello::Answer));
    let with_bob = opened(&net, carol).expect("Bob's session");
    net.react(carol, introducing(with_bob));
    net.clear_log();

    let (stranger, tag) = (SocketAddr::from(([192, 0, 2, 66], 6666)), [7; 33]);
    net.inject(carol, stranger, &raw::ihello(b"bob", &tag));
    let hers = raw::sent_by(&net, carol);
    assert_eq!(hers.len(), 2);
    let redirect = hers.iter().find_map(|seen| Some((seen, seen.payload(raw::REDIRECT)?)));
    let (seen, payload) = redirect.expect("a redirect");
    assert_eq!((seen.to, seen.session_id, seen.startup, seen.flags & 3), (stranger, 0, true, 3));
    assert_eq!(payload, [&raw::counted(&tag)[..], &raw::address_bytes(net.address(bob), 2)].concat());
    let forwarded = hers.iter().find_map(|seen| Some((seen, seen.payload(raw::FIHELLO)?)));
    let (seen, payload) = forwarded.expect("a forwarded hello");
    assert_eq!((seen.to, seen.startup, seen.flags & 3), (net.address(bob), false, 2));
    assert_eq!(payload, [&raw::counted(b"bob")[..], &raw::address_bytes(stranger, 2), &tag].concat());

    net.run_for(TRIP);
    let his = raw::sent_by(&net, bob);
    let answer = his.iter().find(|seen| seen.to == stranger).expect("an answer to the stranger");
    let (echo, cookie, certificate) = raw::parts_of_rhello(answer.payload(raw::RHELLO).unwrap());
    assert_eq!((echo, certificate), (&tag[..], &b"bob"[..]));
    // The cookie is the stranger's, as if he had asked Bob himself.
    net.inject(bob, stranger, &raw::iikeying(5, cookie, "ada", &[1; 32]));
    assert_eq!(raw::payloads(&net, bob, raw::RIKEYING).len(), 1);
}

/// Conforms: 7016-3.5.1.5-c, 7016-3.5.1.4-b
#[test]
fn a_hello_for_somebody_unknown_is_neither_redirected_nor_forwarded_nor_answered() {
    let mut net = Net::new(TRIP);
    let (carol, bob) = (net.add(endpoint("carol")), net.add(endpoint("bob")));
    dial(&mut net, bob, carol, "carol");
    net.run_until(Duration::from_secs(2));
    let with_bob = opened(&net, carol).expect("Bob's session");
    net.react(carol, introducing(with_bob));
    net.clear_log();
    let stranger = SocketAddr::from(([192, 0, 2, 66], 6666));
    net.inject(carol, stranger, &raw::ihello(b"dave", b"tag"));
    assert!(net.sent().is_empty());
    // And one that selects her is hers alone.
    net.inject(carol, stranger, &raw::ihello(b"carol", b"tag"));
    assert_eq!(raw::payloads(&net, carol, raw::RHELLO).len(), net.sent().len());
}

/// Conforms: 7016-3.5.1.4-a
#[test]
fn every_pair_of_routers_is_crossed_unless_neither_can_know_where_the_other_comes_from() {
    for adas in RouterKind::ALL {
        for bobs in RouterKind::ALL {
            let (net, ada, session) = introduced(adas, bobs);
            let met = opened(&net, ada) == Some(session);
            // A symmetric router writes from a port that nobody was told of: only who lets in any port can be met.
            let asks_for_ports = |kind: RouterKind| kind.filtering == DependsOn::AddressAndPort;
            let symmetric = adas == RouterKind::SYMMETRIC || bobs == RouterKind::SYMMETRIC;
            let impossible = symmetric && asks_for_ports(adas) && asks_for_ports(bobs);
            assert_eq!(met, !impossible, "Ada's {adas:?}, Bob's {bobs:?}");
        }
    }
}

#[test]
fn two_who_cannot_meet_are_told_that_the_session_never_opened() {
    let (net, ada, session) = introduced(RouterKind::SYMMETRIC, RouterKind::SYMMETRIC);
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

#[test]
fn a_redirect_to_bystanders_has_few_of_them_asked_and_ever_more_slowly() {
    let at_one = |n: u16| SocketAddr::from(([203, 0, 113, 66], 4000 + n));
    let apart = |n: u16| SocketAddr::from(([203, 0, 113, 66 + n as u8], 4000));
    for (place, most) in [(&at_one as &dyn Fn(u16) -> SocketAddr, 4), (&apart, 23)] {
        let victims: Vec<SocketAddr> = (0..64).map(place).collect();
        let known: Vec<KnownAddress> = victims
            .iter()
            .map(|address| KnownAddress { address: *address, origin: AddressOrigin::Reported })
            .collect();
        let mut net = Net::new(TRIP);
        let (carol, ada) = (net.add(endpoint("carol")), net.add(endpoint("ada")));
        net.react(carol, move |endpoint, _, event| {
            if let Event::HelloForAnother { route, tag, .. } = event {
                endpoint.redirect(*route, tag, &known);
            }
        });
        dial(&mut net, ada, carol, "bob");
        net.run_for(Duration::from_secs(200));
        let sent: Vec<_> = net.sent().iter().filter(|sent| victims.contains(&sent.to)).collect();
        let mut asked: Vec<SocketAddr> = sent.iter().map(|sent| sent.to).collect();
        asked.sort_unstable();
        asked.dedup();
        // Of 24 the introducer is one.
        assert_eq!(asked.len(), most);
        // Each twelve times in 95 seconds, with the shortest hello there is.
        assert!(sent.len() <= most * 12, "{} hellos", sent.len());
        assert!(sent.iter().all(|sent| sent.bytes.len() <= 80 && sent.from == ada));
    }
}
