//! The entry functions of the fuzzers, fed with bytes of a seed's making, and with what fuzzers once found.

use std::time::Instant;

use proptest::prelude::*;
use tincan::rtmfp::chance::Chance;
use tincan::rtmfp::testing::fuzzing;

/// Some bytes, the same for the same number.
fn bytes(number: u32, length: usize) -> Vec<u8> {
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&number.to_be_bytes());
    let mut chance = Chance::new(seed);
    (0..length).map(|_| chance.u32() as u8).collect()
}

#[test]
fn two_ends_survive_whoever_stands_between_them_and_whoever_has_their_keys() {
    let now = Instant::now();
    for number in 0..400 {
        fuzzing::session(now, &bytes(number, 200 + 5 * number as usize));
    }
}

#[test]
fn people_on_a_server_survive_what_a_third_says_to_everybody() {
    let now = Instant::now();
    for number in 0..200 {
        tincan::rendezvous::fuzzing::node(now, &bytes(number, 100 + 5 * number as usize));
    }
}

/// An IPv4 address in IPv6 dress was read as one address and written as another, and passed by the questions asked of it.
#[test]
fn an_ipv4_address_in_ipv6_dress_is_read_as_what_it_is() {
    let dressed = [&[6, 0x82][..], &[0; 10], &[0xff; 2], &[127, 0, 0, 1], &[0, 22]].concat();
    fuzzing::wire(Instant::now(), &dressed);
}

proptest! {
    #[test]
    fn every_parser_takes_any_bytes(choice in any::<u8>(), bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let bytes = [&[choice][..], &bytes].concat();
        fuzzing::wire(Instant::now(), &bytes);
        tincan::netconnection::fuzzing::amf(&bytes);
    }
}
