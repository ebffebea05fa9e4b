//! Certificates and public keys outside the rules (RFC 7425 §4.6.2): each costs one agreement, or none, and opens nothing.

use std::sync::Arc;
use std::time::Duration;

use tincan::rtmfp::crypto::Profile;
use tincan::rtmfp::crypto::flash::{Flash, discriminator_for_url};
use tincan::rtmfp::endpoint::{Endpoint, EndpointConfig};

use super::eve::place;
use crate::support::raw::{
    IHELLO, IIKEYING, RHELLO, chunk, chunks, counted, iikeying_payload, parts_of_rhello, sealed, vlu,
};
use crate::support::scenario::{Net, TRIP};
use crate::support::virtual_network::Host;

fn option(kind: usize, value: &[u8]) -> Vec<u8> {
    counted(&[vlu(kind), value.to_vec()].concat())
}

/// A startup datagram of the real cryptography.
fn startup(kind: u8, payload: &[u8]) -> Vec<u8> {
    let plain = [&[0x03], &chunk(kind, payload)[..]].concat();
    sealed(&mut *Flash::server([9; 32]).default_cipher(), 0, &plain)
}

/// A server, and a cookie of it.
fn server() -> (Net, Host, Vec<u8>) {
    let mut net = Net::new(TRIP);
    let server = net.add(Endpoint::new(EndpointConfig::new(Arc::new(Flash::server([1; 32])), [1; 32])));
    let wanted = discriminator_for_url("rtmfp://example.org/");
    net.inject(server, place(1), &startup(IHELLO, &[&counted(&wanted), &b"tag"[..]].concat()));
    let mut answer = net.sent()[0].bytes.clone();
    let plain = Flash::server([9; 32]).default_cipher().open(&mut answer).expect("an answer").to_vec();
    let times = 2 * (usize::from(plain[0] & 8 != 0) + usize::from(plain[0] & 4 != 0));
    let (_, payload) =
        chunks(&plain[1 + times..]).into_iter().find(|(kind, _)| *kind == RHELLO).expect("a hello");
    let cookie = parts_of_rhello(&payload).1.to_vec();
    net.clear_log();
    (net, server, cookie)
}

/// What the server has done and has after keying with this certificate and component: agreements begun, and sessions.
fn after_keying(certificate: &[u8], component: &[u8]) -> (u64, usize) {
    let (mut net, server, cookie) = server();
    let payload = iikeying_payload(5, &cookie, certificate, component);
    net.inject(server, place(1), &startup(IIKEYING, &[&payload[..], b"X"].concat()));
    net.run_for(Duration::from_millis(100));
    let sent = net.sent().len();
    let machine = net.machine(server);
    assert_eq!(sent > 0, machine.sessions() > 0, "only a session is answered");
    assert!(machine.held_bytes() < 2_000);
    (machine.agreements_begun(), machine.sessions())
}

/// 2048 bits: ones where the prime of group 14 has them at its ends, and something between.
fn honest_key() -> Vec<u8> {
    let mut key = vec![0x5a; 256];
    key[0] = 0x7f;
    key
}

fn static_certificate(key: &[u8]) -> Vec<u8> {
    option(0x1d, &[&vlu(14), key].concat())
}

fn component() -> Vec<u8> {
    [option(0x1d, &vlu(14)), option(0x0e, &[7; 64]), option(0x1a, &[7, 16]), option(0x1e, &[7])].concat()
}

#[test]
fn a_key_within_the_rules_opens_a_session_for_one_agreement() {
    assert_eq!(after_keying(&static_certificate(&honest_key()), &component()), (1, 1));
}

#[test]
fn keys_too_close_to_either_end_with_too_few_ones_or_zeros_or_too_long_open_nothing() {
    let with_last = |byte: u8, last: &[u8]| {
        let mut key = vec![byte; 256];
        let at = key.len() - last.len();
        key[at..].copy_from_slice(last);
        key
    };
    let weak = [
        vec![],
        vec![0],
        vec![1],
        vec![2],
        with_last(0, &[1, 0, 0, 0]),
        with_last(0, &[0xff, 0xff, 0xff]),
        vec![0xff; 256],
        vec![0xff; 257],
        vec![0x5a; 600],
        [&[1][..], &[0; 255]].concat(),
        with_last(0, &[0x80, 0, 0, 0, 0, 0, 0, 0, 1]),
    ];
    for key in weak {
        let (agreements, sessions) = after_keying(&static_certificate(&key), &component());
        assert!(agreements <= 1 && sessions == 0, "{} bytes beginning {:02x?}", key.len(), key.first());
        let ephemeral =
            [option(0x0d, &[&vlu(14), &key[..]].concat()), option(0x1a, &[7, 16]), option(0x1e, &[7])]
                .concat();
        let (agreements, sessions) = after_keying(&option(0x15, &vlu(14)), &ephemeral);
        assert!(agreements <= 1 && sessions == 0, "ephemeral, {} bytes", key.len());
    }
}

#[test]
fn certificates_that_say_nothing_too_much_or_two_things_open_nothing() {
    let key = honest_key();
    let both = [static_certificate(&key), option(0x15, &vlu(14))].concat();
    let cut = static_certificate(&key)[..100].to_vec();
    let unknown_group = option(0x1d, &[&vlu(77), &key[..]].concat());
    let thousands: Vec<u8> = (0..4_000).flat_map(|group| option(0x15, &vlu(group + 100))).collect();
    for certificate in
        [vec![], vec![0], both, cut, unknown_group, thousands, option(0x77, b"?"), vec![0xff; 300]]
    {
        let (agreements, sessions) = after_keying(&certificate, &component());
        assert!(agreements <= 1 && sessions == 0, "{:02x?}", &certificate[..certificate.len().min(8)]);
    }
}

#[test]
fn components_that_name_another_group_bring_a_second_key_or_offer_no_tags_open_nothing() {
    let certificate = static_certificate(&honest_key());
    let tags = [option(0x1a, &[7, 16]), option(0x1e, &[7])].concat();
    let select = option(0x1d, &vlu(14));
    for component in [
        vec![],
        [option(0x1d, &vlu(77)), tags.clone()].concat(),
        [option(0x0d, &[&vlu(14), &honest_key()[..]].concat()), tags.clone()].concat(),
        [select.clone(), select.clone(), tags.clone()].concat(),
        [select.clone(), option(0x1a, &[7, 3]), option(0x1e, &[7])].concat(),
        [select.clone(), option(0x1a, &[7, 16])].concat(),
        [select.clone(), option(0x1e, &[7])].concat(),
        [select, tags].concat()[..3].to_vec(),
    ] {
        let (agreements, sessions) = after_keying(&certificate, &component);
        assert!(agreements <= 1 && sessions == 0, "{component:02x?}");
    }
}
