//! Whom the person keeps: names, servers, what was verified, and who only goes by a contact's name. Pure.
//!
//! A contact is a peer ID; its name is the person's own choice, and nothing a far end says changes it. What changes here is
//! answered as a [`Keep`], to be written down by whoever keeps things.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization;

use super::event::{Notice, Refusal};
use super::server_address::ServerAddress;
use super::view::{Contact, Known, Moment, Presence};
use crate::history::record::{Keep, StoredContact};
use crate::netconnection::{NameError, UserName, is_invisible};
use crate::rtmfp::PeerId;

/// Contacts kept; whoever has more has no list of people any more.
const MOST_CONTACTS: usize = 10_000;
/// Removed ones that can still be taken back, the latest.
const MOST_REMOVED: usize = 64;
/// Of whom it was said that they go by a contact's name, so that it is said once.
const MOST_SAID: usize = 1_024;
/// Told names are cut to this, in characters.
const LONGEST_TOLD: usize = 64;

/// All contacts.
#[derive(Debug, Default)]
pub(crate) struct Contacts {
    kept: BTreeMap<PeerId, StoredContact>,
    removed: Vec<StoredContact>,
    said: BTreeSet<PeerId>,
}

impl Contacts {
    /// Those of earlier starts.
    pub(crate) fn new(remembered: Vec<StoredContact>) -> Self {
        let kept =
            remembered.into_iter().take(MOST_CONTACTS).map(|contact| (contact.peer, contact)).collect();
        Self { kept, removed: vec![], said: BTreeSet::new() }
    }

    /// Whether somebody is kept.
    pub(crate) fn has(&self, peer: PeerId) -> bool {
        self.kept.contains_key(&peer)
    }

    /// What a contact is called here.
    pub(crate) fn name(&self, peer: PeerId) -> Option<&str> {
        self.kept.get(&peer).map(|contact| contact.name.as_str())
    }

    /// The server on which a contact is found, when it is a certain one.
    pub(crate) fn server(&self, peer: PeerId) -> Option<&str> {
        self.kept.get(&peer)?.server.as_deref()
    }

    /// Everybody who is kept.
    pub(crate) fn peers(&self) -> impl Iterator<Item = PeerId> {
        self.kept.keys().copied()
    }

    /// The one contact of that name, by what it is called here; `None` when there is none, or more than one.
    pub(crate) fn by_name(&self, name: &str) -> Option<PeerId> {
        let mut of_name = self.kept.values().filter(|contact| same_name(&contact.name, name));
        let first = of_name.next()?;
        of_name.next().is_none().then_some(first.peer)
    }

    /// Keeps somebody, or calls them otherwise and finds them on another server. `told` is the name they gave themselves.
    ///
    /// # Errors
    /// [`Refusal::Name`] or [`Refusal::Server`] when one of these cannot be used; nothing is changed then.
    pub(crate) fn add(
        &mut self,
        at: Moment,
        peer: PeerId,
        name: &str,
        told: Option<&str>,
        server: Option<&str>,
    ) -> Result<Option<Keep>, Refusal> {
        let name = usable_name(name)?;
        let server = server.map(ServerAddress::parse).transpose().map_err(Refusal::Server)?;
        let server = server.map(|server| server.normalised());
        if self.kept.len() >= MOST_CONTACTS && !self.has(peer) {
            return Ok(None);
        }
        // Somebody who was removed and comes back is the same person: what was verified belongs to the peer ID.
        let before = self.take_removed(peer);
        let contact = self.kept.entry(peer).or_insert_with(|| {
            before.unwrap_or_else(|| StoredContact {
                peer,
                name: String::new(),
                told_name: told.unwrap_or_default().chars().take(LONGEST_TOLD).collect(),
                server: None,
                verified_at: None,
                added_at: at,
            })
        });
        contact.name = name;
        contact.server = server;
        Ok(Some(Keep::Contact(contact.clone())))
    }

    /// Calls a contact otherwise.
    ///
    /// # Errors
    /// [`Refusal::Name`] when the name cannot be used.
    pub(crate) fn rename(&mut self, peer: PeerId, name: &str) -> Result<Option<Keep>, Refusal> {
        let name = usable_name(name)?;
        Ok(self.change(peer, |contact| contact.name = name))
    }

    /// Keeps somebody no longer. It can be taken back for as long as the program runs.
    pub(crate) fn remove(&mut self, peer: PeerId) -> Option<Keep> {
        let contact = self.kept.remove(&peer)?;
        self.removed.push(contact);
        if self.removed.len() > MOST_REMOVED {
            self.removed.remove(0);
        }
        Some(Keep::ContactGone(peer))
    }

    /// Takes a removal back.
    pub(crate) fn restore(&mut self, peer: PeerId) -> Option<Keep> {
        if self.has(peer) {
            return None;
        }
        let contact = self.take_removed(peer)?;
        self.kept.insert(peer, contact.clone());
        Some(Keep::Contact(contact))
    }

    /// They told their name over a line of their own. What they are called here stays.
    pub(crate) fn told(&mut self, peer: PeerId, name: &str) -> Option<Keep> {
        let name: String = name.chars().take(LONGEST_TOLD).collect();
        self.change(peer, |contact| contact.told_name = name)
    }

    /// Their code was compared and found right, or, without a moment, wrong.
    pub(crate) fn verified(&mut self, peer: PeerId, at: Option<Moment>) -> Option<Keep> {
        self.change(peer, |contact| contact.verified_at = at)
    }

    /// What we know of somebody who goes by `name`.
    pub(crate) fn known(&self, peer: PeerId, name: &str) -> Known {
        match self.kept.get(&peer) {
            Some(contact) if contact.verified_at.is_some() => Known::Verified,
            Some(_) => Known::Contact,
            None if self.namesake(peer, name).is_some() => Known::KeyChanged,
            None => Known::Stranger,
        }
    }

    /// What the person must read when somebody goes by `name`: once of each peer in a run.
    pub(crate) fn warning(&mut self, peer: PeerId, name: &str) -> Option<Notice> {
        let contact = self.namesake(peer, name)?;
        if self.said.len() >= MOST_SAID {
            self.said.pop_first();
        }
        let name = name.chars().take(LONGEST_TOLD).collect();
        self.said.insert(peer).then_some(Notice::KeyChanged { name, contact, now: peer })
    }

    /// For the window, in the order of names.
    pub(crate) fn view(
        &self,
        blocked: &BTreeSet<PeerId>,
        presence: impl Fn(PeerId) -> Presence,
    ) -> Vec<Contact> {
        let mut contacts: Vec<Contact> = self
            .kept
            .values()
            .map(|contact| {
                let differs = !contact.told_name.is_empty() && contact.told_name != contact.name;
                let is_blocked = blocked.contains(&contact.peer);
                Contact {
                    peer_id: contact.peer,
                    name: contact.name.clone(),
                    told_name: differs.then(|| contact.told_name.clone()),
                    server: contact.server.clone(),
                    verified: contact.verified_at.is_some(),
                    blocked: is_blocked,
                    presence: if is_blocked { Presence::Offline } else { presence(contact.peer) },
                }
            })
            .collect();
        contacts.sort_by_cached_key(|contact| (contact.name.to_lowercase(), contact.peer_id));
        contacts
    }

    /// The contact by whose name somebody else goes: its name here, or the one it gave itself.
    fn namesake(&self, peer: PeerId, name: &str) -> Option<PeerId> {
        if self.has(peer) || name.is_empty() {
            return None;
        }
        let seen = as_seen(name);
        if seen.is_empty() {
            return None;
        }
        let goes_by =
            |contact: &&StoredContact| as_seen(&contact.name) == seen || as_seen(&contact.told_name) == seen;
        self.kept.values().find(goes_by).map(|contact| contact.peer)
    }

    fn change(&mut self, peer: PeerId, change: impl FnOnce(&mut StoredContact)) -> Option<Keep> {
        let contact = self.kept.get_mut(&peer)?;
        let before = contact.clone();
        change(contact);
        (*contact != before).then(|| Keep::Contact(contact.clone()))
    }

    fn take_removed(&mut self, peer: PeerId) -> Option<StoredContact> {
        let at = self.removed.iter().position(|contact| contact.peer == peer)?;
        Some(self.removed.remove(at))
    }
}

/// A name by the rules of all names; what is too long is cut, since far ends may have told longer ones.
fn usable_name(written: &str) -> Result<String, Refusal> {
    let name = match UserName::new(written) {
        Err(NameError::TooLong) => {
            let cut: String = written.trim().chars().take(UserName::MOST_CHARACTERS).collect();
            UserName::new(&cut)
        }
        name => name,
    };
    name.map(|name| name.as_str().to_owned()).map_err(Refusal::Name)
}

/// What of a name tells it from others on a screen: without case, width, gaps and what is drawn as nothing, and with the
/// Latin letters in place of those that are drawn like them.
fn as_seen(name: &str) -> String {
    let shown = name.chars().take(LONGEST_TOLD).filter(|c| !is_invisible(*c));
    let folded = shown.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc();
    folded.filter(|c| !c.is_whitespace()).map(latin).collect()
}

/// Small letters of Cyrillic and Greek, of which the small or the capital looks like a Latin one.
fn latin(c: char) -> char {
    match c {
        'а' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'н' | 'һ' | 'η' => 'h',
        'і' | 'ι' | 'ı' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' | 'μ' => 'm',
        'ν' => 'n',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'ԝ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'υ' => 'y',
        'ζ' => 'z',
        c => c,
    }
}

/// Without case, and however composed.
fn same_name(one: &str, other: &str) -> bool {
    match (UserName::new(one), UserName::new(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => !one.is_empty() && one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: PeerId = PeerId([1; 32]);
    const EVE: PeerId = PeerId([2; 32]);
    const THEN: Moment = Moment::UNIX_EPOCH;

    fn with_ada() -> Contacts {
        let mut contacts = Contacts::default();
        contacts.add(THEN, ADA, "Ada", Some("Augusta"), None).unwrap();
        contacts
    }

    fn seen(contacts: &Contacts) -> Vec<Contact> {
        contacts.view(&BTreeSet::new(), |_| Presence::Online)
    }

    #[test]
    fn who_is_added_is_kept_and_shown_with_the_name_they_gave_themselves() {
        let mut contacts = Contacts::default();
        let keep = contacts.add(THEN, ADA, " Ada ", Some("Augusta"), Some("Example.org")).unwrap();
        assert!(matches!(keep, Some(Keep::Contact(contact)) if contact.name == "Ada"));
        let ada = &seen(&contacts)[0];
        assert_eq!((ada.name.as_str(), ada.told_name.as_deref()), ("Ada", Some("Augusta")));
        assert_eq!(ada.server.as_deref(), Some("rtmfp://example.org"));
        assert!(!ada.verified);
    }

    #[test]
    fn a_name_or_server_that_cannot_be_used_changes_nothing() {
        let mut contacts = Contacts::default();
        assert!(matches!(contacts.add(THEN, ADA, " ", None, None), Err(Refusal::Name(NameError::Empty))));
        assert!(matches!(contacts.add(THEN, ADA, "Ada", None, Some("http://x")), Err(Refusal::Server(_))));
        assert!(!contacts.has(ADA));
    }

    #[test]
    fn a_name_that_is_too_long_is_cut() {
        let mut contacts = Contacts::default();
        contacts.add(THEN, ADA, &"a".repeat(60), None, None).unwrap();
        assert_eq!(contacts.name(ADA).map(str::len), Some(UserName::MOST_CHARACTERS));
    }

    #[test]
    fn what_a_far_end_calls_itself_never_changes_what_it_is_called_here() {
        let mut contacts = with_ada();
        assert!(contacts.told(ADA, "Countess").is_some());
        assert!(contacts.told(ADA, "Countess").is_none(), "nothing new is not kept again");
        assert_eq!(contacts.name(ADA), Some("Ada"));
        assert_eq!(seen(&contacts)[0].told_name.as_deref(), Some("Countess"));
    }

    #[test]
    fn a_removal_is_taken_back_with_everything_that_was_known() {
        let mut contacts = with_ada();
        contacts.verified(ADA, Some(THEN));
        contacts.rename(ADA, "Ada L").unwrap();
        assert_eq!(contacts.remove(ADA), Some(Keep::ContactGone(ADA)));
        assert!(seen(&contacts).is_empty());
        assert!(contacts.restore(ADA).is_some());
        let ada = &seen(&contacts)[0];
        assert_eq!((ada.name.as_str(), ada.verified), ("Ada L", true));
        assert!(contacts.restore(ADA).is_none(), "once");
    }

    #[test]
    fn who_was_removed_and_is_added_again_is_still_verified() {
        let mut contacts = with_ada();
        contacts.verified(ADA, Some(THEN));
        contacts.remove(ADA);
        contacts.add(THEN, ADA, "Lady Ada", None, None).unwrap();
        assert_eq!(contacts.known(ADA, "Lady Ada"), Known::Verified);
    }

    #[test]
    fn who_goes_by_a_contacts_name_with_another_key_is_pointed_out_once() {
        let mut contacts = with_ada();
        for name in ["ADA", "augusta"] {
            assert_eq!(contacts.known(EVE, name), Known::KeyChanged, "{name}");
        }
        assert!(matches!(
            contacts.warning(EVE, "ADA"),
            Some(Notice::KeyChanged { contact: ADA, now: EVE, .. })
        ));
        assert_eq!(contacts.warning(EVE, "ADA"), None);
        assert_eq!(contacts.known(EVE, "Eve"), Known::Stranger);
    }

    #[test]
    fn two_contacts_of_one_name_are_both_contacts() {
        let mut contacts = with_ada();
        contacts.add(THEN, EVE, "ada", None, None).unwrap();
        assert_eq!(contacts.known(EVE, "Ada"), Known::Contact);
        assert_eq!(contacts.warning(EVE, "Ada"), None);
        assert_eq!(contacts.by_name("Ada"), None, "which one is meant?");
    }

    #[test]
    fn a_name_is_compared_however_it_is_composed() {
        let mut contacts = Contacts::default();
        contacts.add(THEN, ADA, "Jos\u{e9}", None, None).unwrap();
        assert_eq!(contacts.known(EVE, "jose\u{301}"), Known::KeyChanged);
        assert_eq!(contacts.by_name("JOSE\u{301}"), Some(ADA));
    }

    #[test]
    fn a_name_that_only_looks_like_a_contacts_is_pointed_out_too() {
        let contacts = with_ada();
        for name in ["А\u{501}а", "ＡＤＡ", "A d a", "A\u{ad}da", "\u{200b}ada\u{3164}", "Αda"] {
            assert_eq!(contacts.known(EVE, name), Known::KeyChanged, "{name}");
        }
        for name in ["Adam", "Анна", "阿达", "\u{200b}"] {
            assert_eq!(contacts.known(EVE, name), Known::Stranger, "{name}");
        }
    }

    #[test]
    fn contacts_are_in_the_order_of_their_names_and_a_blocked_one_is_offline() {
        let mut contacts = with_ada();
        contacts.add(THEN, EVE, "abe", None, None).unwrap();
        let view = contacts.view(&BTreeSet::from([EVE]), |_| Presence::Online);
        let shown: Vec<_> = view.iter().map(|contact| (contact.name.as_str(), contact.presence)).collect();
        assert_eq!(shown, [("abe", Presence::Offline), ("Ada", Presence::Online)]);
        assert!(view[0].blocked);
    }
}
