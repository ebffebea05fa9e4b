//! The second opening state, S_KEYING_SENT: somebody acceptable answered, and keys are being agreed (RFC 7016 §3.5.1.1.1).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::hello_sent::{HelloSent, Retry};
use crate::rtmfp::PeerId;
use crate::rtmfp::crypto::{Initiation, PendingKeys, Profile, SessionKeys, Work};
use crate::rtmfp::machine::Route;
use crate::rtmfp::session::startup_packet;
use crate::rtmfp::wire::chunk::{Chunk, InitiatorKeying, ResponderKeying};

/// Whom we agree on keys with, and how far that is.
pub(crate) struct KeyingSent {
    /// Where the winning RHello came from: DESTADDR.
    pub(crate) route: Route,
    /// The session ID we want to be reached by.
    pub(crate) near_id: u32,
    /// The responder's certificate.
    pub(crate) certificate: Vec<u8>,
    /// Its fingerprint.
    pub(crate) peer: PeerId,
    /// Packets of the open session that overtook the RIKeying.
    pub(crate) early: EarlyData,
    /// What to go back to if the way to the responder is lost.
    pub(crate) hello: HelloSent,
    cookie: Vec<u8>,
    cookie_changed: bool,
    phase: Phase,
}

enum Phase {
    /// Our key component is being computed.
    Preparing,
    /// IIKeying goes out until it is answered.
    Asking {
        component: Vec<u8>,
        pending: Box<dyn PendingKeys>,
        packet: Vec<u8>,
        /// When it went out first.
        since: Instant,
        retry: Retry,
        /// The far end's session ID, while the keys from its RIKeying are being computed.
        finishing: Option<u32>,
    },
}

impl KeyingSent {
    /// The state after an acceptable RHello.
    pub(crate) fn new(
        route: Route,
        near_id: u32,
        certificate: &[u8],
        peer: PeerId,
        cookie: &[u8],
        hello: HelloSent,
    ) -> Self {
        Self {
            route,
            near_id,
            certificate: certificate.to_vec(),
            peer,
            early: EarlyData::default(),
            hello,
            cookie: cookie.to_vec(),
            cookie_changed: false,
            phase: Phase::Preparing,
        }
    }

    /// Our half of the agreement is there: IIKeying is due from now on.
    pub(crate) fn on_initiation(&mut self, now: Instant, initiation: Initiation, profile: &dyn Profile) {
        let Initiation { component, pending } = initiation;
        let packet = self.packet(&component, profile);
        self.phase = Phase::Asking {
            component,
            pending,
            packet,
            since: now,
            retry: Retry::starting(now),
            finishing: None,
        };
    }

    /// The IIKeying to send now, if it is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<&[u8]> {
        match &mut self.phase {
            Phase::Asking { packet, retry, finishing: None, .. } => retry.take(now).then_some(&packet[..]),
            _ => None,
        }
    }

    /// When IIKeying is due again.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Asking { retry, finishing: None, .. } => Some(retry.due()),
            _ => None,
        }
    }

    /// Begins the schedule anew.
    pub(crate) fn restart(&mut self, now: Instant) {
        if let Phase::Asking { retry, .. } = &mut self.phase {
            *retry = Retry::starting(now);
        }
    }

    /// Takes another cookie for the one we sent, once (§3.5.1.2); IIKeying is then due at once.
    pub(crate) fn on_cookie_change(&mut self, now: Instant, old: &[u8], new: &[u8], profile: &dyn Profile) {
        if self.cookie_changed || old != self.cookie {
            return;
        }
        let Phase::Asking { component, .. } = &self.phase else { return };
        let component = component.clone();
        self.cookie = new.to_vec();
        self.cookie_changed = true;
        let fresh = self.packet(&component, profile);
        if let Phase::Asking { packet, retry, .. } = &mut self.phase {
            *packet = fresh;
            *retry = Retry::starting(now);
        }
    }

    /// Checks an RIKeying; the work that ends in the session's keys, if it is one to go on with. While one is being
    /// worked on, others are not looked at.
    pub(crate) fn on_responder_keying(
        &mut self,
        keying: &ResponderKeying<'_>,
        profile: &dyn Profile,
    ) -> Option<Work<SessionKeys>> {
        let Phase::Asking { component, pending, finishing, .. } = &mut self.phase else { return None };
        if finishing.is_some() || keying.session_id == 0 {
            return None;
        }
        // The signature also covers our component (§2.3.8).
        let signed = [keying.signed, component].concat();
        if !profile.verify(&self.certificate, &signed, keying.signature) {
            return None;
        }
        *finishing = Some(keying.session_id);
        Some(pending.finish(keying.component))
    }

    /// The keys could not be computed: that RIKeying was not a good one. IIKeying goes on.
    pub(crate) fn on_bad_answer(&mut self) {
        if let Phase::Asking { finishing, .. } = &mut self.phase {
            *finishing = None;
        }
    }

    /// The session ID to reach the responder by, once an RIKeying was taken.
    pub(crate) fn far_session_id(&self) -> Option<u32> {
        match &self.phase {
            Phase::Asking { finishing, .. } => *finishing,
            Phase::Preparing => None,
        }
    }

    /// How long ago IIKeying went out first.
    pub(crate) fn asked_for(&self, now: Instant) -> Option<Duration> {
        match &self.phase {
            Phase::Asking { since, .. } => Some(now.saturating_duration_since(*since)),
            Phase::Preparing => None,
        }
    }

    /// Bytes of what the responder, or whoever knows our session ID, sent and is kept.
    pub(crate) fn held_bytes(&self) -> usize {
        self.certificate.len() + self.cookie.len() + self.early.held_bytes()
    }

    fn packet(&self, component: &[u8], profile: &dyn Profile) -> Vec<u8> {
        let chunk = |signature| {
            Chunk::InitiatorKeying(InitiatorKeying {
                session_id: self.near_id,
                cookie_echo: &self.cookie,
                certificate: profile.certificate(),
                component,
                signed: &[],
                signature,
            })
        };
        let signature = profile.sign(&startup_packet::payload(&chunk(&[])));
        startup_packet::with_chunk(&chunk(&signature))
    }
}

/// Packets that may belong to the session being opened, kept until its keys are there: the responder may send at once,
/// and its RIKeying may be lost or late. Only so many are kept, the first ones.
#[derive(Debug, Default)]
pub(crate) struct EarlyData(VecDeque<(Route, Vec<u8>)>);

impl EarlyData {
    /// Keeps a packet if there is room.
    pub(crate) fn keep(&mut self, route: Route, datagram: &[u8]) {
        if self.0.len() < MOST_EARLY_PACKETS && datagram.len() <= LARGEST_EARLY_PACKET {
            self.0.push_back((route, datagram.to_vec()));
        }
    }

    /// Bytes of the packets kept.
    pub(crate) fn held_bytes(&self) -> usize {
        self.0.iter().map(|(_, datagram)| datagram.len()).sum()
    }

    /// The packets, oldest first.
    pub(crate) fn into_packets(self) -> impl Iterator<Item = (Route, Vec<u8>)> {
        self.0.into_iter()
    }
}

/// Three bursts of six packets (§3.5.2.3): more cannot be under way to somebody who has acknowledged nothing.
const MOST_EARLY_PACKETS: usize = 18;
const LARGEST_EARLY_PACKET: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmfp::machine::PathId;

    #[test]
    fn the_first_18_early_packets_are_kept_in_order() {
        let route = Route { via: PathId(0), address: ([192, 0, 2, 1], 1).into() };
        let mut early = EarlyData::default();
        (0..40u8).for_each(|n| early.keep(route, &[n; 30]));
        let kept: Vec<u8> = early.into_packets().map(|(_, bytes)| bytes[0]).collect();
        assert_eq!(kept, (0..18).collect::<Vec<u8>>());
    }
}
