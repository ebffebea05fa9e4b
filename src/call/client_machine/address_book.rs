//! The contacts at work: what the person asks of them, and what far ends tell of themselves.

use std::sync::Arc;
use std::time::Instant;

use super::{ClientEvent, ClientMachine};
use crate::call::command::Command;
use crate::call::event::{Event, Notice, Refusal};
use crate::call::lifecycle::With;
use crate::call::view::{Contact, Conversation, FarEnd, Known};
use crate::history::record::Keep;
use crate::rtmfp::PeerId;

/// Peers whose server is remembered from a link, in one run.
const MOST_MET: usize = 256;

impl ClientMachine {
    /// A command that changes the contacts.
    pub(super) fn change_contacts(&mut self, now: Instant, command: Command) {
        let changed = match command {
            Command::AddContact { peer, .. } if self.is_me(peer) => Err(Refusal::ThatIsYou),
            Command::AddContact { peer, name, server } => {
                let at = self.date(now);
                let told = self.told_name(peer).map(str::to_owned);
                // Somebody who was reached by a link is found there again.
                let met_at = || self.met_at.get(&peer).filter(|_| !self.contacts.has(peer)).cloned();
                let server = server.or_else(met_at);
                self.contacts.add(at, peer, &name, told.as_deref(), server.as_deref())
            }
            Command::RenameContact { peer, name } => self.contacts.rename(peer, &name),
            Command::RemoveContact(peer) => Ok(self.contacts.remove(peer)),
            Command::RestoreContact(peer) => Ok(self.contacts.restore(peer)),
            _ => Ok(None),
        };
        match changed {
            Ok(Some(keep)) => self.keep_contact(keep),
            Ok(None) => {}
            Err(why) => self.refuse(why),
        }
    }

    /// Somebody told their name over a line of their own.
    pub(super) fn goes_by(&mut self, peer: PeerId, name: &str) {
        if let Some(keep) = self.contacts.told(peer, name) {
            self.keep_contact(keep);
        }
        self.warn_of(peer, name);
        self.conversations.rename(peer, name);
    }

    /// Says loudly when somebody goes by a contact's name with another key.
    pub(super) fn warn_of(&mut self, peer: PeerId, name: &str) {
        if let Some(notice) = self.contacts.warning(peer, name) {
            self.tell(Event::Notice(notice));
        }
    }

    /// A link says on which server somebody is found.
    pub(super) fn note_server(&mut self, peer: PeerId, key: String) {
        if self.met_at.len() >= MOST_MET && !self.met_at.contains_key(&peer) {
            self.met_at.pop_first();
        }
        self.met_at.insert(peer, key);
    }

    /// The event as the window is told it: contacts by the name they have here, strangers without sound.
    pub(super) fn as_seen_here(&self, mut event: Event) -> Event {
        if let Event::Ringing { peer, silently, .. } | Event::SecondRinging { peer, silently, .. } =
            &mut event
        {
            *silently = self.is_stranger(*peer);
        }
        if let Event::Ringing { peer, name, .. }
        | Event::SecondRinging { peer, name, .. }
        | Event::Missed { peer, name }
        | Event::FileOffered { peer, name, .. }
        | Event::Up { peer, name }
        | Event::TextReceived { peer, name, .. } = &mut event
            && let Some(kept) = self.contacts.name(*peer)
        {
            kept.clone_into(name);
        }
        event
    }

    /// Whom a call is with, as the window shows it.
    pub(super) fn far_end(&self, with: &With) -> FarEnd {
        self.far_end_by(Some(with.peer), &with.name)
    }

    /// Somebody by the name they go by, and by their peer ID when it is known.
    pub(super) fn far_end_by(&self, peer: Option<PeerId>, name: &str) -> FarEnd {
        let kept = peer.and_then(|peer| self.contacts.name(peer));
        FarEnd {
            name: kept.unwrap_or(name).to_owned(),
            peer_id: peer,
            known: peer.map_or(Known::Stranger, |peer| match self.contacts.known(peer, name) {
                Known::Stranger | Known::Contact if self.is_weak(peer) => Known::Weak,
                known => known,
            }),
        }
    }

    /// The contacts for the window; the same list as before while nothing changed.
    pub(super) fn contacts_shown(&self) -> Arc<Vec<Contact>> {
        let contacts = self.contacts.view(&self.config.blocked, |peer| self.presence_of(peer));
        match &self.shown {
            Some(shown) if *shown.contacts == contacts => Arc::clone(&shown.contacts),
            _ => Arc::new(contacts),
        }
    }

    /// Conversations with contacts bear the names that these have here.
    pub(super) fn conversations_shown(&self) -> Arc<Vec<Conversation>> {
        let mut conversations = self.conversations.view();
        let named = |conversation: &Conversation| self.contacts.name(conversation.peer_id);
        if conversations.iter().any(|c| named(c).is_some_and(|name| name != c.name)) {
            for conversation in Arc::make_mut(&mut conversations) {
                if let Some(name) = self.contacts.name(conversation.peer_id) {
                    name.clone_into(&mut conversation.name);
                }
            }
        }
        conversations
    }

    /// What somebody calls themselves, as far as it was told: on a line, in the list, or in a conversation.
    pub(super) fn told_name(&self, peer: PeerId) -> Option<&str> {
        let on_the_line = self.links.get(&peer).and_then(|lines| lines.link.far_name());
        let listed = || self.people.iter().find(|person| person.peer_id == peer).map(|p| p.name.as_str());
        let told = on_the_line.or_else(listed).or_else(|| self.conversations.name(peer));
        told.or_else(|| self.name_nearby(peer))
    }

    pub(super) fn keep_contact(&mut self, what: Keep) {
        self.told.push_back(ClientEvent::Keep { what, ticket: None });
        self.dirty = true;
    }

    /// Says that what was asked makes no sense.
    pub(super) fn refuse(&mut self, why: Refusal) {
        self.tell(Event::Notice(Notice::Refused(why)));
    }
}
