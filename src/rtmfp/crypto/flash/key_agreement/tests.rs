//! Agreements of every pairing, and what is refused.

use super::*;
use crate::rtmfp::crypto::flash::Flash;
use crate::rtmfp::crypto::{PacketCipher, Profile};

fn peer(seed: u8) -> Flash {
    Flash::peer(Identity::generate([seed; 32]))
}

fn weak_peer(seed: u8) -> Flash {
    Flash::peer(Identity::generate_flash_era([seed; 32]))
}

fn agreed(initiator: &Flash, responder: &Flash) -> (SessionKeys, SessionKeys) {
    let first = initiator.initiate(responder.certificate(), [1; 32])().expect("a component");
    let response = responder.respond(initiator.certificate(), &first.component, [2; 32])()
        .expect("the responder's keys");
    (first.pending.finish(&response.component)().expect("the initiator's keys"), response.keys)
}

fn carries(from: &mut dyn PacketCipher, to: &mut dyn PacketCipher) -> bool {
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    from.seal(1, b"hello", &[5], &mut out, &mut ends);
    to.open(&mut out).is_ok_and(|plain| plain.starts_with(b"hello"))
}

/// Conforms: 7425-4.6.5-a
#[test]
fn every_pairing_of_lasting_and_fresh_keys_agrees() {
    let (ada, bob) = (peer(1), peer(2));
    let (here, there) = (Flash::server([3; 32]), Flash::server([4; 32]));
    let (old, older) = (weak_peer(5), weak_peer(6));
    for (initiator, responder, group) in [
        (&ada, &bob, 14),
        (&ada, &there, 14),
        (&here, &bob, 14),
        (&here, &there, 16),
        (&old, &older, 2),
        (&old, &there, 2),
        (&here, &old, 2),
    ] {
        let (mut a, mut b) = agreed(initiator, responder);
        assert!(carries(&mut *a.cipher, &mut *b.cipher) && carries(&mut *b.cipher, &mut *a.cipher));
        assert_eq!((a.near_nonce, a.far_nonce), (b.far_nonce, b.near_nonce));
        assert_ne!(a.near_nonce, a.far_nonce);
        assert_eq!(a.cipher.describe(), format!("AES-128 · HMAC-128 · group {group}"));
        assert_eq!(b.cipher.describe(), a.cipher.describe());
    }
}

/// Computed independently from the formulas of §4.6.3-§4.6.5, however the RFC spells the hash's name.
///
/// Conforms: 7425-4.6.3-a, 7425-4.6.3-b, 7425-4.6.4-a, slip-11
#[test]
fn keys_are_derived_as_the_rfc_says() {
    let secret = [0x01, 0x23, 0x45, 0x67, 0x89];
    let keys = DerivedKeys::new(&secret, b"near", b"far");
    assert_eq!(keys.encrypt[..8], [0xda, 0x4d, 0xee, 0x34, 0x0d, 0xe4, 0x7d, 0x59]);
    assert_eq!(keys.decrypt[..8], [0xf5, 0x87, 0xf9, 0x1f, 0x63, 0xf7, 0x51, 0xa2]);
    assert_eq!(keys.hmac_send[..8], [0x53, 0x41, 0x85, 0xa1, 0x3c, 0x9f, 0x6f, 0x71]);
    assert_eq!(keys.hmac_receive[..8], [0xc2, 0x4a, 0x0d, 0x37, 0x79, 0x22, 0xb3, 0x00]);
    assert_eq!(hmac_sha256(&secret, b"near")[..8], [0x0d, 0x06, 0xa7, 0x85, 0xdd, 0x25, 0xb6, 0x76]);
}

/// Conforms: 7425-3-a, 7425-4.5.1-a, 7425-4.5.2.2-a, 7425-4.5.2.3-a
#[test]
fn components_are_laid_out_as_others_expect() {
    let first = peer(1).initiate(peer(2).certificate(), [1; 32])().expect("a component");
    assert_eq!(first.component[..5], [2, 0x1d, 14, 0x41, 0x0e]);
    assert_eq!(first.component[69..], [3, 0x1a, 7, 16, 2, 0x1e, 7]);
    let response = peer(2).respond(peer(1).certificate(), &first.component, [2; 32])().expect("keys");
    assert_eq!(response.component[..9], [3, 0x1a, 7, 16, 2, 0x1e, 7, 0x41, 0x0e]);
}

/// Conforms: 7425-4.5.2-a
#[test]
fn options_in_any_order_agree_too() {
    let (ada, bob) = (peer(1), peer(2));
    let shuffled =
        [&[2, 0x1e, 2, 3, 0x1a, 2, 16, 2, 0x77, 1, 17, 0x0e][..], &[5; 16], &[2, 0x1d, 14]].concat();
    assert!(bob.respond(ada.certificate(), &shuffled, [2; 32])().is_ok());
}

#[test]
fn an_end_without_tags_or_sequence_numbers_is_refused() {
    let (ada, bob) = (peer(1), peer(2));
    let refusal = |offer: &[u8]| {
        let component = [&[2, 0x1d, 14][..], offer].concat();
        bob.respond(ada.certificate(), &component, [2; 32])().map(|_| ()).expect_err("refused")
    };
    assert_eq!(refusal(&[3, 0x1a, 7, 16]), CryptoError::NoCommonGround);
    assert_eq!(refusal(&[3, 0x1a, 7, 15, 2, 0x1e, 7]), CryptoError::NoCommonGround);
    assert_eq!(refusal(&[3, 0x1a, 7, 33, 2, 0x1e, 7]), CryptoError::Malformed);
    let first = ada.initiate(bob.certificate(), [1; 32])().expect("a component");
    let bare = [3, 0x1a, 0, 0, 2, 0x1e, 0, 1, 0x0e];
    assert_eq!(first.pending.finish(&bare)().map(|_| ()), Err(CryptoError::NoCommonGround));
}

/// Conforms: 7425-4.6.4-g
#[test]
fn a_component_that_says_nothing_of_hmac_and_sequence_numbers_offers_and_wants_neither() {
    let responder = weak_peer(2).verifying(Verification::OnRequest);
    let silent = [2, 0x1d, 2, 17, 0x0e, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
    let response = responder.respond(weak_peer(1).certificate(), &silent, [2; 32])().expect("keys");
    assert_eq!(response.keys.cipher.describe(), "AES-128 · checksum · group 2");
    let refused = weak_peer(2).respond(weak_peer(1).certificate(), &silent, [2; 32])().map(|_| ());
    assert_eq!(refused, Err(CryptoError::NoCommonGround));
}

#[test]
fn flash_era_ends_agree_as_flash_does_byte_for_byte() {
    let old = |seed| weak_peer(seed).verifying(Verification::OnRequest);
    let first = old(1).initiate(old(2).certificate(), [1; 32])().expect("a component");
    assert_eq!(first.component.len(), 76);
    assert_eq!(first.component[..5], [2, 0x1d, 2, 0x41, 0x0e]);
    assert_eq!(first.component[69..], [3, 0x1a, 2, 10, 2, 0x1e, 2]);
    let response = old(2).respond(old(1).certificate(), &first.component, [2; 32])().expect("keys");
    assert_eq!(response.component.len(), 73);
    assert_eq!(response.component[..9], [3, 0x1a, 0, 0, 2, 0x1e, 0, 0x41, 0x0e]);
    let server = Flash::server([3; 32]).verifying(Verification::OnRequest);
    let response = server.respond(old(1).certificate(), &first.component, [2; 32])().expect("keys");
    assert_eq!(response.component[..7], [3, 0x1a, 0, 0, 2, 0x1e, 0]);
    assert_eq!(response.component[7..11], [0x81, 0x02, 0x0d, 2]);
    assert_eq!(response.component.len(), 7 + 4 + 128);
    assert_eq!(old(1).sign(b"anything"), b"X");
    let (mut a, mut b) = agreed(&old(1), &old(2));
    assert_eq!(a.cipher.describe(), "AES-128 · checksum · group 2");
    assert!(carries(&mut *a.cipher, &mut *b.cipher) && carries(&mut *b.cipher, &mut *a.cipher));
}

#[test]
fn who_is_asked_for_tags_and_sequence_numbers_sends_them() {
    let (strict, lax) = (weak_peer(1), weak_peer(2).verifying(Verification::OnRequest));
    let (mut a, mut b) = agreed(&strict, &lax);
    assert!(carries(&mut *a.cipher, &mut *b.cipher) && carries(&mut *b.cipher, &mut *a.cipher));
    assert_eq!(a.cipher.describe(), "AES-128 · HMAC-128 · group 2");
    // The other way round the tags that Flash names have 10 bytes, too few for who requires them.
    let first = lax.initiate(strict.certificate(), [1; 32])().expect("a component");
    let refused = strict.respond(lax.certificate(), &first.component, [2; 32])().map(|_| ());
    assert_eq!(refused, Err(CryptoError::NoCommonGround));
}

#[test]
fn one_direction_may_have_a_tag_and_the_other_a_checksum_and_a_number() {
    let responder = weak_peer(2).verifying(Verification::OnRequest);
    let initiator = Identity::generate_flash_era([1; 32]);
    // Tags of 6 bytes always and no numbers from here; no tag, but numbers, from there.
    let component = [2, 0x1d, 2, 3, 0x1a, 4, 6, 2, 0x1e, 1];
    let mut there = responder.respond(&initiator.certificate, &component, [2; 32])().expect("keys");
    assert_eq!(there.keys.cipher.describe(), "AES-128 · checksum out, HMAC-48 in · group 2");
    let certificate = Certificate::parse(responder.certificate()).expect("a certificate");
    let public_key = certificate.static_key(2).expect("a key in group 2");
    let secret = initiator.group.shared_secret(public_key, &initiator.exponent).expect("a good key");
    let way = |tag_length, sequence| Direction { tag_length, sequence };
    let agreed = Agreed { sent: way(Some(6), false), received: way(None, true) };
    let mut here =
        session_keys(initiator.group, &secret, &component, &there.component, agreed).expect("keys");
    assert!(carries(&mut *here.cipher, &mut *there.keys.cipher));
    assert!(carries(&mut *there.keys.cipher, &mut *here.cipher));
}

#[test]
fn a_strong_static_key_never_gets_less_than_it_can_have() {
    let strong = Identity::generate([1; 32]);
    let weak = Identity::generate_flash_era([2; 32]);
    // As some do: a key in each of two groups.
    let both = [&strong.certificate[..], &weak.certificate].concat();
    let lax = || Flash::server([3; 32]).verifying(Verification::OnRequest);
    let answer =
        |component: &[u8]| lax().respond(&both, component, [4; 32])().map(|response| response.component);
    let willing = [3, 0x1a, 2, 16, 2, 0x1e, 2];
    let answered = answer(&[&[2, 0x1d, 14][..], &willing].concat()).expect("keys");
    assert_eq!(answered[..7], [3, 0x1a, 7, 16, 2, 0x1e, 7], "everything is asked for");
    assert_eq!(answer(&[&[2, 0x1d, 2][..], &willing].concat()), Err(CryptoError::NoCommonGround));
    assert_eq!(answer(&[2, 0x1d, 14]), Err(CryptoError::NoCommonGround));
    assert_eq!(answer(&[2, 0x1d, 14, 3, 0x1a, 2, 8, 2, 0x1e, 2]), Err(CryptoError::NoCommonGround));
    let first = lax().initiate(&both, [5; 32])().expect("a component");
    assert!(first.component.ends_with(&[3, 0x1a, 7, 16, 2, 0x1e, 7]));
    assert!(weak_peer(6).initiate(&both, [5; 32])().is_err(), "a weak identity is not for the strong");
}

/// Conforms: 7425-4.6.2-b
#[test]
fn an_unacceptable_public_key_gets_no_keys_whoever_has_it() {
    let server = Flash::server([3; 32]);
    let weak_key = [0x82, 0x02, 0x1d, 14].into_iter().chain([0; 255]).chain([1]).collect::<Vec<u8>>();
    let component = [2, 0x1d, 14, 3, 0x1a, 7, 16, 2, 0x1e, 7];
    let refused = server.respond(&weak_key, &component, [1; 32])().map(|_| ());
    assert_eq!(refused, Err(CryptoError::WeakKey));
    let ephemeral = [3, 0x0d, 14, 1, 3, 0x1a, 7, 16, 2, 0x1e, 7];
    let refused = peer(1).respond(&[2, 0x15, 14], &ephemeral, [1; 32])().map(|_| ());
    assert_eq!(refused, Err(CryptoError::WeakKey));
    let first = peer(1).initiate(&[2, 0x15, 14], [1; 32])().expect("a component");
    let answer = [3, 0x1a, 7, 16, 2, 0x1e, 7, 3, 0x0d, 14, 1];
    assert_eq!(first.pending.finish(&answer)().map(|_| ()), Err(CryptoError::WeakKey));
    let first = peer(1).initiate(&weak_key, [1; 32])().expect("a component");
    let answer = [3, 0x1a, 7, 16, 2, 0x1e, 7, 1, 0x0e];
    assert_eq!(first.pending.finish(&answer)().map(|_| ()), Err(CryptoError::WeakKey));
}

#[test]
fn a_group_that_either_end_does_not_have_is_refused() {
    // Group 15 is nobody's here; group 2 is known, but no group of a person's key.
    for group in [15, 2] {
        let certificate = [&[0x81, 0x02, 0x1d, group][..], &[0x5a; 128]].concat();
        assert_eq!(peer(1).initiate(&certificate, [1; 32])().map(|_| ()), Err(CryptoError::NoCommonGround));
        let component = [2, 0x1d, group, 3, 0x1a, 7, 16, 2, 0x1e, 7];
        assert_eq!(
            peer(1).respond(&certificate, &component, [1; 32])().map(|_| ()),
            Err(CryptoError::NoCommonGround)
        );
    }
}

#[test]
fn a_server_told_its_groups_agrees_in_no_other_and_offers_the_ones_it_knows() {
    let all = Flash::server([1; 32]);
    for group in [16, 14, 5, 2] {
        let only = Flash::server_in(&[99, group], [2; 32]).expect("one of them is known");
        let chosen = format!("AES-128 · HMAC-128 · group {group}");
        assert_eq!(agreed(&all, &only).0.cipher.describe(), chosen);
        assert_eq!(agreed(&only, &all).0.cipher.describe(), chosen);
        let certificate = Certificate::parse(only.certificate()).expect("ours");
        assert!(certificate.supports(group) && !certificate.supports(99));
    }
    let strong = Flash::server_in(&[16, 14], [3; 32]).expect("both are known");
    let old = weak_peer(4);
    // Whoever does not ask first what is on offer is turned away all the same.
    let first = old.initiate(all.certificate(), [1; 32])().expect("a component");
    let refused = strong.respond(old.certificate(), &first.component, [2; 32])().map(|_| ());
    assert_eq!(refused, Err(CryptoError::NoCommonGround));
    assert_eq!(Flash::server_in(&[99], [1; 32]).map(|_| ()), Err(CryptoError::NoCommonGround));
}

#[test]
fn two_ends_agree_in_the_strongest_group_that_both_have() {
    let server = Flash::server([3; 32]);
    let groups = |ids: &[u8]| -> Vec<u8> { ids.iter().flat_map(|id| [2, 0x15, *id]).collect() };
    for (far, chosen) in [(&[2, 5, 14, 16][..], 16), (&[2, 14, 5], 14), (&[2, 5], 5), (&[99, 2], 2)] {
        let first = server.initiate(&groups(far), [1; 32])().expect("a component");
        let far = Component::parse(&first.component).expect("our own component");
        assert_eq!(far.ephemeral.map(|(group, _)| group), Some(chosen));
    }
    let first = peer(1).initiate(server.certificate(), [1; 32])().expect("a component");
    assert_eq!(first.component[..3], [2, 0x1d, 14]);
    let weak = weak_peer(4);
    let first = weak.initiate(server.certificate(), [1; 32])().expect("a component");
    assert_eq!(first.component[..3], [2, 0x1d, 2]);
    assert!(peer(1).initiate(weak.certificate(), [1; 32])().is_err());
}

#[test]
fn our_own_component_sent_back_is_refused() {
    let ada = peer(1);
    let first = ada.initiate(ada.certificate(), [1; 32])().expect("a component");
    assert_eq!(first.pending.finish(&first.component)().map(|_| ()), Err(CryptoError::Malformed));
}

#[test]
fn an_initiator_that_was_sent_a_forgery_can_still_finish() {
    let (ada, bob) = (peer(1), peer(2));
    let first = ada.initiate(bob.certificate(), [1; 32])().expect("a component");
    assert!(first.pending.finish(&[1, 2, 3])().is_err());
    let response = bob.respond(ada.certificate(), &first.component, [2; 32])().expect("keys");
    assert!(first.pending.finish(&response.component)().is_ok());
}

#[test]
fn somebody_with_the_certificate_but_not_the_key_gets_nothing() {
    let (ada, bob, eve) = (peer(1), peer(2), peer(5));
    let first = ada.initiate(bob.certificate(), [1; 32])().expect("a component");
    let mut forged = eve.respond(ada.certificate(), &first.component, [2; 32])().expect("keys");
    let mut keys = first.pending.finish(&forged.component)().expect("keys of somebody else");
    assert!(!carries(&mut *keys.cipher, &mut *forged.keys.cipher));
}

/// The kinds of option in a component, the bytes of its randomness, and the group of its key.
fn parts(component: &[u8]) -> (Vec<u64>, usize, Option<u64>) {
    let (mut kinds, mut randomness, mut group) = (Vec::new(), 0, None);
    for item in option_list::items(component) {
        let Ok(Item::Option { kind, value }) = item else { panic!("a well formed component") };
        kinds.push(kind);
        match kind {
            EXTRA_RANDOMNESS => randomness = value.len(),
            EPHEMERAL_KEY | GROUP_SELECT => group = Some(u64::from(value[0])),
            _ => {}
        }
    }
    kinds.retain(|kind| ![negotiation::HMAC_NEGOTIATION, negotiation::SEQUENCE_NEGOTIATION].contains(kind));
    (kinds, randomness, group)
}

/// Conforms: 7425-4.6.1.1-a, 7425-4.6.1.2-a, 7425-4.6.1.3-a, 7425-4.6.1.4-a
/// Conforms: 7425-4.5.2.1-b, 7425-4.5.2.1-c, 7425-4.5.2.1-d, 7425-4.5.2.2-b
/// Conforms: 7425-4.5.2.3-b, 7425-4.5.2.3-c, 7425-4.5.2.3-d
#[test]
fn lasting_keys_are_named_and_salted_and_fresh_keys_are_sent() {
    let (lasting, fresh) = (|seed| peer(seed), |seed| Flash::server([seed; 32]));
    let named = (vec![GROUP_SELECT, EXTRA_RANDOMNESS], 64, Some(14));
    let salted = (vec![EXTRA_RANDOMNESS], 64, None);
    let key = |group| (vec![EPHEMERAL_KEY], 0, Some(group));
    for (initiator, responder, first, second) in [
        (fresh(1), fresh(2), key(16), key(16)),
        (fresh(1), lasting(2), key(14), salted.clone()),
        (lasting(1), fresh(2), named.clone(), key(14)),
        (lasting(1), lasting(2), named, salted),
    ] {
        let begun = initiator.initiate(responder.certificate(), [1; 32])().expect("a component");
        assert_eq!(parts(&begun.component), first);
        let response = responder.respond(initiator.certificate(), &begun.component, [2; 32])();
        assert_eq!(parts(&response.expect("keys").component), second);
    }
}

/// Conforms: 7425-4.5.2.1-a
#[test]
fn a_fresh_key_is_its_group_and_then_the_key_to_the_end_of_the_option() {
    let mut chance = Chance::new([8; 32]);
    let group = Group::find(14).expect("a group in the table");
    let (exponent, public_key) = group.key_pair(&mut chance);
    // Leading zeros do no harm, and a group's number may be written in two bytes.
    let value = [&[0x80, 14, 0, 0][..], &public_key].concat();
    let mut component = Vec::new();
    let mut writer = Writer::new(&mut component);
    writer.option(EPHEMERAL_KEY, &value);
    Terms::of_initiator(Verification::Required).write(&mut writer);
    let bob = peer(2);
    let mut there = bob.respond(&[2, 0x15, 14], &component, [2; 32])().expect("keys");
    let certificate = Certificate::parse(bob.certificate()).expect("a certificate");
    let secret =
        group.shared_secret(certificate.static_key(14).expect("a key"), &exponent).expect("a good key");
    let way = Direction { tag_length: Some(16), sequence: true };
    let agreed = Agreed { sent: way, received: way };
    let mut here = session_keys(group, &secret, &component, &there.component, agreed).expect("keys");
    assert!(carries(&mut *here.cipher, &mut *there.keys.cipher));
}

/// An option nobody knows is part of what the keys are made from; so is how lengths were written.
///
/// Conforms: 7425-4.6.3-c
#[test]
fn keys_come_from_the_components_byte_for_byte() {
    let (ada, bob) = (peer(1), peer(2));
    let first = ada.initiate(bob.certificate(), [1; 32])().expect("a component");
    let nonces = |component: &[u8]| {
        let response = bob.respond(ada.certificate(), component, [2; 32])().expect("keys");
        (response.keys.near_nonce, response.keys.far_nonce)
    };
    let (near, far) = nonces(&first.component);
    let with_unknown = [&first.component[..], &[2, 0x77, 1]].concat();
    let (same, other) = nonces(&with_unknown);
    assert!(same == near && other != far);
    let rewritten = [&[0x80][..], &first.component].concat();
    assert_ne!(nonces(&rewritten).1, far);
}

/// The secret of the two has 127 bytes: used with its leading zero, no key would fit.
///
/// Conforms: trap-18
#[test]
fn keys_are_the_rfcs_also_where_the_secret_begins_with_a_zero() {
    let of = |low: u16| {
        let mut kept = vec![2, 0x80];
        kept.extend(if low == 0 { (1..32).collect() } else { vec![0; 29] });
        if low != 0 {
            kept.extend(low.to_be_bytes());
        }
        Identity::from_secret_bytes(&kept).expect("an exponent of full length")
    };
    let (ada, bob) = (of(0), of(87));
    let certificate = Certificate::parse(&bob.certificate).expect("a certificate");
    let far_key = certificate.static_key(2).expect("a key in group 2").to_vec();
    let secret = ada.group.shared_secret(&far_key, &ada.exponent).expect("a good key");
    assert_eq!(secret.len(), 127);
    let (near, far) = (b"initiator's component", b"responder's component");
    let hmac = |key: &[u8], message: &[u8]| hmac_sha256(key, message);
    let here = DerivedKeys::new(&secret, near, far);
    assert_eq!(*here.encrypt, hmac(&secret, &hmac(far, near)));
    assert_eq!(*here.hmac_send, hmac(&secret, &*here.encrypt), "of all 32 bytes");
    let there = DerivedKeys::new(&secret, far, near);
    assert_eq!((*there.decrypt, *there.hmac_receive), (*here.encrypt, *here.hmac_send));
    assert_eq!(front_of(&*here.encrypt), [0xf9, 0x8e, 0xd5, 0xda, 0x91, 0x5b, 0xc5, 0xc9]);
}

fn front_of(bytes: &[u8]) -> [u8; 8] {
    *bytes.first_chunk().expect("32 bytes")
}
