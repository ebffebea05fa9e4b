//! The answering side of start-up (RFC 7016 §3.5.1.1.2): which IIKeyings are being worked on, and the answer to one.
//!
//! Before a valid cookie nothing is remembered at all; after it, a bounded number of key agreements, one for each cookie.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::startup_packet;
use crate::rtmfp::PeerId;
use crate::rtmfp::crypto::Profile;
use crate::rtmfp::endpoint::OwnIdentity;
use crate::rtmfp::machine::{JobId, Route};
use crate::rtmfp::wire::chunk::{Chunk, InitiatorKeying, ResponderKeying};

/// What makes two IIKeyings the same: far session ID, certificate and key component (§3.5.1.1.2).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct KeyingMark([u8; 32]);

impl KeyingMark {
    /// The mark of an IIKeying.
    pub(crate) fn of(keying: &InitiatorKeying<'_>) -> Self {
        let mut hash = Sha256::new();
        hash.update(keying.session_id.to_be_bytes());
        for part in [keying.certificate, keying.component] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

/// An IIKeying that was found good, while its keys are being computed.
pub(crate) struct Admitted {
    /// Where it came from.
    pub(crate) route: Route,
    /// Whom it wants.
    pub(crate) own: OwnIdentity,
    /// What it is told apart by.
    pub(crate) mark: KeyingMark,
    /// The session ID the initiator wants to be reached by.
    pub(crate) far_session_id: u32,
    /// The initiator's certificate.
    pub(crate) certificate: Vec<u8>,
    /// Its fingerprint.
    pub(crate) peer: PeerId,
    /// The initiator's key component.
    pub(crate) component: Vec<u8>,
}

/// Key agreements under way for strangers.
#[derive(Default)]
pub(crate) struct Admissions {
    by_job: BTreeMap<JobId, (Admitted, Vec<u8>)>,
    cookies: BTreeSet<Vec<u8>>,
}

impl Admissions {
    /// Whether there is room for one more, and this cookie is not already at work.
    pub(crate) fn takes(&self, cookie: &[u8]) -> bool {
        self.by_job.len() < MOST_AGREEMENTS && !self.cookies.contains(cookie)
    }

    /// Notes one.
    pub(crate) fn note(&mut self, job: JobId, admitted: Admitted, cookie: &[u8]) {
        self.cookies.insert(cookie.to_vec());
        self.by_job.insert(job, (admitted, cookie.to_vec()));
    }

    /// Takes it out again when its job is done.
    pub(crate) fn take(&mut self, job: JobId) -> Option<Admitted> {
        let (admitted, cookie) = self.by_job.remove(&job)?;
        self.cookies.remove(&cookie);
        Some(admitted)
    }

    /// Bytes of what is kept for them.
    pub(crate) fn held_bytes(&self) -> usize {
        let kept = |(admitted, cookie): &(Admitted, Vec<u8>)| {
            admitted.certificate.len() + admitted.component.len() + 2 * cookie.len()
        };
        self.by_job.values().map(kept).sum()
    }

    /// How many are under way.
    pub(crate) fn len(&self) -> usize {
        self.by_job.len()
    }
}

/// The plain packet with our RIKeying.
pub(crate) fn responder_keying(
    near_id: u32,
    component: &[u8],
    initiator_component: &[u8],
    profile: &dyn Profile,
) -> Vec<u8> {
    let chunk = |signature| {
        Chunk::ResponderKeying(ResponderKeying { session_id: near_id, component, signed: &[], signature })
    };
    // The signature also covers the initiator's component, without its length (§2.3.8).
    let signed = [&startup_packet::payload(&chunk(&[])), initiator_component].concat();
    startup_packet::with_chunk(&chunk(&profile.sign(&signed)))
}

/// Key agreements for strangers at once. A modern processor does so many in a few tenths of a second.
const MOST_AGREEMENTS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmfp::machine::PathId;

    fn keying(session_id: u32) -> InitiatorKeying<'static> {
        InitiatorKeying {
            session_id,
            cookie_echo: b"cookie",
            certificate: b"certificate",
            component: b"component",
            signed: &[],
            signature: &[],
        }
    }

    fn admitted(n: u32) -> Admitted {
        Admitted {
            route: Route { via: PathId(0), address: ([192, 0, 2, 1], 1).into() },
            own: OwnIdentity::Main,
            mark: KeyingMark::of(&keying(n)),
            far_session_id: n,
            certificate: Vec::new(),
            peer: PeerId([0; 32]),
            component: Vec::new(),
        }
    }

    #[test]
    fn the_mark_ignores_the_cookie_but_not_where_one_field_ends() {
        let other_cookie = InitiatorKeying { cookie_echo: b"another", ..keying(1) };
        assert_eq!(KeyingMark::of(&keying(1)), KeyingMark::of(&other_cookie));
        let shifted = InitiatorKeying { certificate: b"certificatec", component: b"omponent", ..keying(1) };
        assert_ne!(KeyingMark::of(&keying(1)), KeyingMark::of(&shifted));
    }

    #[test]
    fn one_agreement_for_each_cookie_and_64_in_all() {
        let mut admissions = Admissions::default();
        for n in 0..64u32 {
            assert!(admissions.takes(&n.to_be_bytes()));
            admissions.note(JobId(u64::from(n)), admitted(n), &n.to_be_bytes());
            assert!(!admissions.takes(&n.to_be_bytes()));
        }
        assert!(!admissions.takes(b"one more"));
        admissions.take(JobId(5)).unwrap();
        assert!(admissions.takes(b"one more") && admissions.takes(&5u32.to_be_bytes()));
    }
}
