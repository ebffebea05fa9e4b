//! The dialling side of start-up, towards a far end that the tests play themselves (RFC 7016 §3.5.1.1.1, §3.5.1.2).

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::crypto::Profile;
use tincan::rtmfp::endpoint::{Endpoint, EndpointConfig, SessionKey};
use tincan::rtmfp::testing::plain_crypto::Plain;
use tincan::rtmfp::{PathId, Route, SessionEnd};

use crate::support::raw::{
    IHELLO, IIKEYING, RIKEYING, chunk, cookie_change, counted, keys, parts_of_iikeying, payloads, redirect,
    rhello, rikeying, sealed, sent_by, split_counted, startup,
};
use crate::support::scenario::{Net, TRIP, all_opened, ended, endpoint, opened};
use crate::support::virtual_network::Host;

fn place(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], 1935))
}

fn route(number: u8) -> Route {
    Route { via: PathId(0), address: place(number) }
}

/// Ada, who dials somebody by name at these places, where nobody is.
fn dialling(name: &'static str, places: &[u8]) -> (Net, Host, SessionKey) {
    let mut net = Net::new(TRIP);
    let ada = net.add(endpoint("ada"));
    let routes: Vec<Route> = places.iter().map(|number| route(*number)).collect();
    let wanted = Bytes::from_static(name.as_bytes());
    let session = net.with(ada, |endpoint, now| endpoint.open_session(now, wanted, &routes));
    (net, ada, session)
}

/// The tag of Ada's first hello.
fn tag(net: &Net, ada: Host) -> Vec<u8> {
    split_counted(&payloads(net, ada, IHELLO)[0]).1.to_vec()
}

/// Where hellos went, in order.
fn greeted(net: &Net, ada: Host) -> Vec<SocketAddr> {
    sent_by(net, ada).iter().filter(|seen| seen.payload(IHELLO).is_some()).map(|seen| seen.to).collect()
}

/// Ada, whose hello was answered by Bob at place 1 with this cookie: her IIKeying's session ID and component.
fn keying(cookie: &[u8]) -> (Net, Host, SessionKey, u32, Vec<u8>) {
    let (mut net, ada, session) = dialling("bob", &[1]);
    let tag = tag(&net, ada);
    net.inject(ada, place(1), &rhello(&tag, cookie, b"bob"));
    let payload = payloads(&net, ada, IIKEYING).remove(0);
    let (id, _, _, component, _) = parts_of_iikeying(&payload);
    (net, ada, session, id, component.to_vec())
}

/// Conforms: 7016-3.5.1.1.1-a
#[test]
fn hellos_go_to_every_candidate_at_once_and_ask_for_whom_was_asked() {
    let (net, ada, _) = dialling("bob", &[1, 2, 3]);
    assert_eq!(greeted(&net, ada), [place(1), place(2), place(3)]);
    for payload in payloads(&net, ada, IHELLO) {
        let (endpoint_discriminator, of_this) = split_counted(&payload);
        assert_eq!((endpoint_discriminator, of_this), (&b"bob"[..], &tag(&net, ada)[..]));
    }
}

/// Conforms: 7016-3.5.1.1.1-b, 7016-3.5-b
#[test]
fn a_session_that_did_not_open_in_95_seconds_never_will() {
    let mut net = Net::new(TRIP);
    let ada = net.add(Endpoint::new(EndpointConfig::new(Arc::new(Plain::new("ada")), [1; 32])));
    let session =
        net.with(ada, |endpoint, now| endpoint.open_session(now, Bytes::from_static(b"bob"), &[route(1)]));
    let waited = Duration::from_secs(95);
    net.run_until(waited - Duration::from_millis(1));
    assert_eq!((ended(&net, ada, session), net.machine(ada).sessions()), (None, 1));
    net.run_until(Duration::from_secs(600));
    assert_eq!(ended(&net, ada, session), Some((waited, SessionEnd::NeverOpened { waited })));
    assert_eq!(net.machine(ada).sessions(), 0);
    assert!(net.sent().last().is_some_and(|sent| sent.at < waited), "nothing is sent after that");
}

/// Conforms: 7016-3.5.1.1.1-c
#[test]
fn every_attempt_has_a_random_tag_of_its_own() {
    let mut tags = BTreeSet::new();
    for seed in 0..10 {
        let mut net = Net::new(TRIP);
        let config = EndpointConfig::new(Arc::new(Plain::new("ada")), [seed; 32]);
        let ada = net.add(Endpoint::new(config));
        for name in [&b"bob"[..], b"carol", b"bob"] {
            let wanted = Bytes::copy_from_slice(name);
            net.with(ada, |endpoint, now| endpoint.open_session(now, wanted, &[route(1)]));
        }
        tags.extend(payloads(&net, ada, IHELLO).iter().map(|payload| split_counted(payload).1.to_vec()));
    }
    assert_eq!(tags.len(), 30);
    assert!(tags.iter().all(|tag| tag.len() >= 8));
}

/// Conforms: 7016-3.5.1.1.1-d, 7016-3.5.1.1.1-e
#[test]
fn each_candidate_is_greeted_on_a_schedule_of_its_own_with_intervals_a_second_and_a_half_longer_each() {
    let (mut net, ada, session) = dialling("bob", &[1]);
    net.run_until(Duration::from_millis(700));
    net.with(ada, |endpoint, now| endpoint.add_candidates(now, session, &[route(1), route(2)]));
    net.run_until(Duration::from_secs(14));
    for (number, start) in [(1, 0), (2, 700)] {
        let greeted = sent_by(&net, ada).into_iter().filter(|seen| seen.to == place(number));
        let times: Vec<u128> = greeted.map(|seen| seen.at - start).collect();
        assert_eq!(times, [0, 500, 2_500, 6_000, 11_000], "place {number}");
        let intervals: Vec<u128> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(intervals.windows(2).all(|pair| pair[1] >= pair[0] + 1_500));
    }
}

/// Conforms: 7016-3.5.1.1.1-f, 7016-2.3.5-d
#[test]
fn a_redirect_counts_only_with_our_tag_and_only_until_somebody_answered() {
    let (mut net, ada, _) = dialling("bob", &[1]);
    let tag = tag(&net, ada);
    net.inject(ada, place(1), &redirect(b"another tag", &[place(2)]));
    net.inject(ada, place(1), &redirect(&tag[..15], &[place(2)]));
    assert_eq!(greeted(&net, ada), [place(1)]);
    net.inject(ada, place(9), &redirect(&tag, &[place(3), place(1), place(4)]));
    assert_eq!(greeted(&net, ada), [place(1), place(3), place(4)], "known ones are not greeted again");
    net.inject(ada, place(4), &rhello(&tag, b"cookie", b"bob"));
    net.inject(ada, place(9), &redirect(&tag, &[place(5)]));
    net.run_until(Duration::from_secs(10));
    assert_eq!(greeted(&net, ada), [place(1), place(3), place(4)]);
}

/// Conforms: 7016-2.3.5-b
#[test]
fn a_redirect_without_addresses_names_the_one_it_came_from() {
    let (mut net, ada, _) = dialling("bob", &[1]);
    let tag = tag(&net, ada);
    net.inject(ada, place(2), &redirect(&tag, &[]));
    assert_eq!(greeted(&net, ada), [place(1), place(2)]);
}

/// Conforms: 7016-2.3.5-e
#[test]
fn a_redirect_that_is_cut_short_names_nobody() {
    let (mut net, ada, _) = dialling("bob", &[1]);
    let payload = [&counted(&tag(&net, ada))[..], &[2, 192, 0, 2, 3, 7, 143], &[2, 192, 0]].concat();
    net.inject(ada, place(2), &startup(0, &chunk(0x71, &payload)));
    assert_eq!(greeted(&net, ada), [place(1)]);
}

/// Conforms: 7016-3.5.1.1.1-g
#[test]
fn redirects_add_no_candidates_beyond_24() {
    let (mut net, ada, _) = dialling("bob", &[1]);
    let tag = tag(&net, ada);
    for first in [10, 40, 70] {
        let many: Vec<SocketAddr> = (first..first + 22).map(place).collect();
        net.inject(ada, place(1), &redirect(&tag, &many));
    }
    assert_eq!(greeted(&net, ada).len(), 24);
}

/// Conforms: 7016-3.5.1.1.1-h
#[test]
fn an_answer_counts_only_with_our_tag_and_a_certificate_that_is_authentic_and_wanted_and_only_the_first() {
    let (mut net, ada, _) = dialling("bob", &[1, 2]);
    let tag = tag(&net, ada);
    for (of_answer, certificate) in
        [(&tag[..], &b"eve"[..]), (&tag, b""), (b"another tag", b"bob"), (b"", b"bob")]
    {
        net.inject(ada, place(1), &rhello(of_answer, b"cookie", certificate));
        assert!(payloads(&net, ada, IIKEYING).is_empty(), "{certificate:?}");
    }
    net.inject(ada, place(2), &rhello(&tag, b"first", b"bob"));
    net.inject(ada, place(1), &rhello(&tag, b"second", b"bob"));
    net.run_until(Duration::from_secs(5));
    for seen in sent_by(&net, ada).iter().filter(|seen| seen.payload(IIKEYING).is_some()) {
        let (_, cookie, ..) = parts_of_iikeying(seen.payload(IIKEYING).unwrap());
        assert_eq!((seen.to, cookie), (place(2), &b"first"[..]));
    }
}

/// Conforms: 7016-3.5.1.1.1-j, 7016-2.3.7-b, 7016-3.5.1.5-a, 7016-3.5-b
#[test]
fn keying_goes_to_where_the_answer_came_from_with_its_cookie_and_an_id_of_its_own() {
    let (mut net, ada, _) = dialling("bob", &[1]);
    let first = tag(&net, ada);
    net.run_until(Duration::from_secs(5));
    assert!(payloads(&net, ada, IIKEYING).is_empty(), "there is no cookie to show yet");
    // The place dialled was a forwarder's: Bob answers from his own.
    net.inject(ada, place(7), &rhello(&first, b"a cookie", b"bob"));
    let seen = sent_by(&net, ada).pop().expect("keying");
    assert_eq!((seen.to, seen.session_id), (place(7), 0));
    let payload = seen.payload(IIKEYING).expect("keying").to_vec();
    let (id, cookie, certificate, _, signature) = parts_of_iikeying(&payload);
    assert_eq!((cookie, certificate), (&b"a cookie"[..], &b"ada"[..]));
    assert!(Plain::new("bob").verify(b"ada", &payload[..payload.len() - signature.len()], signature));

    let wanted = Bytes::from_static(b"carol");
    net.with(ada, |endpoint, now| endpoint.open_session(now, wanted, &[route(3)]));
    let second = split_counted(payloads(&net, ada, IHELLO).last().unwrap()).1.to_vec();
    net.inject(ada, place(3), &rhello(&second, b"another", b"carol"));
    let other = payloads(&net, ada, IIKEYING).pop().unwrap();
    let (other_id, ..) = parts_of_iikeying(&other);
    assert!(id != 0 && other_id != 0 && id != other_id);
    net.run_for(Duration::from_secs(5));
    let mut to_dialled = sent_by(&net, ada).into_iter().filter(|seen| seen.to == place(1));
    assert!(to_dialled.next_back().unwrap().at <= 5_000, "nobody else is greeted any more");
}

/// Conforms: 7016-3.5.1.1.1-k
#[test]
fn keying_is_repeated_with_intervals_a_second_and_a_half_longer_each() {
    let (mut net, ada, ..) = keying(b"cookie");
    net.run_until(Duration::from_secs(14));
    let seen: Vec<_> =
        sent_by(&net, ada).into_iter().filter(|seen| seen.payload(IIKEYING).is_some()).collect();
    let times: Vec<u128> = seen.iter().map(|seen| seen.at).collect();
    assert_eq!(times, [0, 500, 2_500, 6_000, 11_000]);
    assert!(seen.iter().all(|again| again.chunks == seen[0].chunks && again.to == place(1)));
}

/// Conforms: 7016-3.5.1.1.1-l, 7016-2.3.8-c
#[test]
fn only_an_answer_that_is_signed_and_fits_opens_and_until_then_keying_goes_on() {
    let (mut net, ada, _, id, component) = keying(b"cookie");
    let (to, theirs) = ((id, &component[..]), [9; 32]);
    let payload = [&55_u32.to_be_bytes()[..], &counted(&theirs)].concat();
    let unbound = [&payload[..], &Plain::new("bob").sign(&payload)].concat();
    for (what, broken) in [
        ("another's signature", rikeying(to, 55, "eve", &theirs)),
        ("a signature for another keying", rikeying((id, &[0; 32]), 55, "bob", &theirs)),
        ("a signature without our component", startup(id, &chunk(RIKEYING, &unbound))),
        ("an ID that is nobody's", rikeying((id ^ 1, &component), 55, "bob", &theirs)),
        ("no ID", rikeying((0, &component), 55, "bob", &theirs)),
        ("an ID that cannot be", rikeying(to, 0, "bob", &theirs)),
        ("a component that does not fit", rikeying(to, 55, "bob", &theirs[1..])),
    ] {
        net.inject(ada, place(1), &broken);
        let to_session = sent_by(&net, ada).iter().filter(|seen| !seen.startup).count();
        assert_eq!(to_session, 0, "{what}");
    }
    net.run_until(Duration::from_secs(4));
    assert_eq!(payloads(&net, ada, IIKEYING).len(), 3, "at 0, 1 and 3.5 seconds");
    net.inject(ada, place(1), &rikeying(to, 55, "bob", &theirs));
    let seen = sent_by(&net, ada).pop().expect("a sign of life");
    assert_eq!((seen.startup, seen.session_id), (false, 55));
    let mut cipher = keys(theirs, &component).cipher;
    net.inject(ada, place(1), &sealed(&mut *cipher, id, &[0x02]));
    assert_eq!(all_opened(&net, ada).len(), 1);
}

/// Conforms: 7016-3.5.1.2-b, 7016-3.5.1.2-c, 7016-2.3.6-d
#[test]
fn a_cookie_is_changed_once_and_only_for_the_one_that_was_sent() {
    let (mut net, ada, session, id, _) = keying(b"first");
    let cookies = |net: &Net| -> Vec<Vec<u8>> {
        payloads(net, ada, IIKEYING).iter().map(|keying| parts_of_iikeying(keying).1.to_vec()).collect()
    };
    net.inject(ada, place(1), &cookie_change(id, b"never sent", b"second"));
    net.inject(ada, place(1), &cookie_change(0, b"first", b"second"));
    assert_eq!(cookies(&net), [b"first"]);
    net.inject(ada, place(1), &cookie_change(id, b"first", b"second, and longer"));
    assert_eq!(cookies(&net), [&b"first"[..], b"second, and longer"]);
    let keying = payloads(&net, ada, IIKEYING).pop().unwrap();
    let (same_id, _, _, _, signature) = parts_of_iikeying(&keying);
    assert!(Plain::new("bob").verify(b"ada", &keying[..keying.len() - signature.len()], signature));
    assert_eq!(same_id, id);
    net.inject(ada, place(1), &cookie_change(id, b"second, and longer", b"third"));
    net.inject(ada, place(1), &cookie_change(id, b"first", b"third"));
    net.run_until(Duration::from_secs(2));
    assert!(cookies(&net)[1..].iter().all(|cookie| cookie == b"second, and longer"));
    assert_eq!(ended(&net, ada, session), None);
}

/// Conforms: 7016-3.5.1.7-a
#[test]
fn of_several_servers_under_one_name_the_first_to_answer_wins_and_the_others_keep_nothing() {
    let mut net = Net::new(TRIP);
    let servers = [(); 3].map(|()| net.add(endpoint("server")));
    let ada = net.add(endpoint("ada"));
    net.set_link(servers[0], |link| link.latency = 3 * TRIP);
    net.set_link(servers[1], |link| link.latency = TRIP / 2);
    let routes = servers.map(|server| net.route_to(server));
    net.with(ada, |endpoint, now| endpoint.open_session(now, Bytes::from_static(b"server"), &routes));
    net.run_until(Duration::from_secs(10));
    let session = opened(&net, ada).expect("a session");
    assert_eq!(net.machine(ada).route(session), Some(routes[1]));
    assert_eq!(servers.map(|server| net.machine(server).sessions()), [0, 1, 0]);
}
