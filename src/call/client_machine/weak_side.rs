//! Servers of the Flash years, and who we are to them: another peer ID, of a weak key, used nowhere else.
//!
//! Plain clients on such a server are called by their weak peer ID, and the call stays there. Of another Tincan we learn,
//! on lines in that world, who it is by its lasting identity; the call moves to lines of that identity then, in a session
//! straight to where the far end was found, and the weak lines end. Nothing but that is said on them.

use std::collections::BTreeMap;
use std::time::Instant;

use super::ClientMachine;
use crate::call::messages::{Capabilities, Intent, Message};
use crate::call::peer_link::{Loss, PeerLink};
use crate::netconnection::node::{OwnIdentity, PublicationId};
use crate::rtmfp::PeerId;
use crate::rtmfp::machine::Route;

/// Of so many it is remembered by which weak peer ID they are found.
const MOST_REMEMBERED: usize = 256;

/// What we know of that world.
#[derive(Debug, Default)]
pub(super) struct WeakSide {
    /// "I can be called", there.
    public: Option<PublicationId>,
    /// How those are found whose lasting peer ID is known, as they or their links say.
    found_as: BTreeMap<PeerId, FoundAs>,
    /// Whom the person means by the weak peer ID that is being dialled.
    expected: Option<(PeerId, PeerId)>,
}

#[derive(Clone, Copy, Debug)]
struct FoundAs {
    weak: PeerId,
    /// Where they were, when they said so.
    at: Option<Route>,
}

impl ClientMachine {
    /// Who we are in a world, if we are anybody there.
    pub(super) fn me_as(&self, own: OwnIdentity) -> Option<PeerId> {
        match own {
            OwnIdentity::Main => Some(self.me),
            OwnIdentity::Second => self.node.id_of(OwnIdentity::Second),
        }
    }

    /// Whether a peer ID is one of ours.
    pub(super) fn is_me(&self, peer: PeerId) -> bool {
        peer == self.me || self.me_as(OwnIdentity::Second) == Some(peer)
    }

    /// Our public stream in a world.
    pub(super) fn public_as(&self, own: OwnIdentity) -> Option<PublicationId> {
        match own {
            OwnIdentity::Main => self.public,
            OwnIdentity::Second => self.weak.public,
        }
    }

    /// Step 1, in a world: one stream for all its servers, since it is played directly.
    pub(super) fn publish_as(&mut self, now: Instant, own: OwnIdentity) {
        if self.public_as(own).is_some() {
            return;
        }
        let Some(me) = self.me_as(own) else { return };
        let public = Some(self.node.publish_direct(now, &me.to_string()));
        match own {
            OwnIdentity::Main => self.public = public,
            OwnIdentity::Second => self.weak.public = public,
        }
    }

    /// As whom we reach a peer: by the lines there are, or by the kind of its server. Who is known by its lasting identity
    /// is reached by ours.
    pub(super) fn own_for(&self, peer: PeerId) -> OwnIdentity {
        if let Some(lines) = self.links.get(&peer) {
            return lines.own;
        }
        let is_lasting = self.weak.found_as.contains_key(&peer);
        let is_old = self.servers.is_old(&self.server_for(peer));
        if is_old && !is_lasting { OwnIdentity::Second } else { OwnIdentity::Main }
    }

    /// Whether what is said to a peer goes through a session of weak identities.
    pub(super) fn is_weak(&self, peer: PeerId) -> bool {
        self.own_for(peer) == OwnIdentity::Second
    }

    /// Under which peer ID somebody is to be dialled through the server that is asked: under the weak one, when only that
    /// is known there.
    pub(super) fn as_found_there(&mut self, peer: PeerId, weak: Option<PeerId>) -> PeerId {
        self.weak.expected = None;
        let is_old = self.servers.is_old(&self.questions.through);
        if let Some(weak) = weak {
            self.remember(peer, FoundAs { weak, at: None });
        }
        match self.weak.found_as.get(&peer) {
            Some(found) if is_old => {
                let weak = found.weak;
                self.weak.expected = Some((weak, peer));
                if let Some(server) = self.met_at.get(&peer).cloned() {
                    self.note_server(weak, server);
                }
                weak
            }
            _ => peer,
        }
    }

    /// Where somebody is tried whom no server introduces by that peer ID.
    pub(super) fn found_at(&self, peer: PeerId) -> Option<Route> {
        self.weak.found_as.get(&peer)?.at
    }

    /// Fresh lines with a peer decide by this.
    pub(super) fn new_link(&self, now: Instant, own: OwnIdentity) -> PeerLink {
        let link = PeerLink::new(now, self.config.name.clone());
        match own {
            OwnIdentity::Main => link,
            OwnIdentity::Second => link.showing_weak(self.me),
        }
    }

    /// On weak lines, both ends said who they are: what we dialled for goes on there.
    pub(super) fn moved(&mut self, now: Instant, from: PeerId, to: PeerId, offer: Option<Capabilities>) {
        let expected = self.weak.expected.filter(|(weak, _)| *weak == from).map(|(_, lasting)| lasting);
        if self.is_me(to) || expected.is_some_and(|expected| expected != to) {
            tracing::warn!("whoever answers is not the one who was meant");
            self.leave_weak_lines(now, from);
            return;
        }
        let at = self.node.peer_route(from);
        self.remember(to, FoundAs { weak: from, at });
        if let Some(server) = self.met_at.get(&from).cloned() {
            self.note_server(to, server);
        }
        let Some(offer) = offer else { return };
        if self.config.blocked.contains(&to) {
            // The person means not to talk to them, under whatever peer ID.
            self.leave_weak_lines(now, from);
            return;
        }
        let goes_on = match offer.intent {
            Intent::Call => self.call.moved(from, to),
            Intent::Chat => self.take_along(now, from, to),
        };
        if goes_on {
            self.acquaintances.meet(to);
            self.dial_lines(now, to, offer);
        }
        self.with_link(now, from, PeerLink::close);
    }

    /// Whether somebody goes by a name on weak lines who should have pointed on to the lasting identity that the person
    /// means: a plain client never does. The lines end then.
    pub(super) fn stands_in_for_another(&mut self, now: Instant, peer: PeerId) -> bool {
        let stands_in = self.is_weak(peer) && self.weak.expected.is_some_and(|(weak, _)| weak == peer);
        if stands_in {
            tracing::warn!("whoever answers does not say that it is the one who was meant");
            self.weak.expected = None;
            self.leave_weak_lines(now, peer);
        }
        stands_in
    }

    fn leave_weak_lines(&mut self, now: Instant, peer: PeerId) {
        self.with_link(now, peer, PeerLink::close);
        let effects = self.call.lost(now, peer, Loss::Refused);
        self.carry_out(now, effects);
    }

    /// What was written to the weak peer ID is written to the lasting one.
    fn take_along(&mut self, now: Instant, from: PeerId, to: PeerId) -> bool {
        let (messages, _) = self.conversations.unsaid(from, &self.config.name, false);
        let mut any = false;
        for message in messages {
            if let Message::Text { id, text } = message {
                self.conversations.delete(from, id);
                let (at, name, id) = (self.date(now), self.name_of(to), self.draw_id());
                self.conversations.write(at, to, &name, id, text);
                any = true;
            }
        }
        any
    }

    fn remember(&mut self, lasting: PeerId, found: FoundAs) {
        let known = self.weak.found_as.contains_key(&lasting);
        if known || self.weak.found_as.len() < MOST_REMEMBERED {
            self.weak.found_as.insert(lasting, found);
        }
    }
}
