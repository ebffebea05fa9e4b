//! Who is listed, where, and in which order: conversations by their latest line, then contacts, who is on the local network,
//! and people on the server, each by name, then who is refused. Nobody is listed twice. Computed again only when something of it changed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use crate::call::view::{Contact, Conversation, Line, LineKind, NearbyPerson, Person, Presence, ServerState};
use crate::call::{ClientView, PeerId};
use crate::settings::Settings;
use crate::ui::parts::chat::{is_missed, summary};

/// Height of a heading, in points.
const HEADING: f32 = 36.0;
/// Height of a conversation or contact.
const LARGE: f32 = 56.0;
/// Height of a person on the server.
const SMALL: f32 = 48.0;
/// Height of what stands there when nobody does.
const EMPTY: f32 = 58.0;

/// One thing in the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry {
    Heading(Section),
    Row(Row),
    Nobody(Nobody),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Section {
    Conversations,
    Contacts,
    Nearby,
    People,
    Blocked,
}

/// Why nobody is listed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Nobody {
    /// Nobody else is on the server.
    OnServer,
    /// Nobody fits what was typed.
    Found,
}

/// Somebody in the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) peer: PeerId,
    pub(super) name: String,
    pub(super) presence: Presence,
    pub(super) contact: bool,
    pub(super) verified: bool,
    pub(super) blocked: bool,
    pub(super) unread: usize,
    pub(super) typing: bool,
    /// The latest line, or the one that was found.
    pub(super) last: Option<String>,
    pub(super) missed: bool,
    pub(super) at: Option<SystemTime>,
    /// Somebody on the server, of whom no more is known.
    pub(super) small: bool,
}

/// What is listed, and what it was computed from.
pub(super) struct Listed {
    people: Arc<Vec<Person>>,
    nearby: Arc<Vec<NearbyPerson>>,
    contacts: Arc<Vec<Contact>>,
    conversations: Arc<Vec<Conversation>>,
    settings: Arc<Settings>,
    connected: bool,
    needle: String,
    entries: Vec<Entry>,
    /// The top of each entry, and the end of the last.
    tops: Vec<f32>,
}

impl Listed {
    /// The list for a view, computed again if it must be. `needle` is in small letters.
    pub(super) fn current<'a>(kept: &'a mut Option<Self>, view: &ClientView, needle: String) -> &'a Self {
        let fits = kept.as_ref().is_some_and(|kept| {
            Arc::ptr_eq(&kept.people, &view.people)
                && Arc::ptr_eq(&kept.nearby, &view.nearby)
                && Arc::ptr_eq(&kept.contacts, &view.contacts)
                && Arc::ptr_eq(&kept.conversations, &view.conversations)
                && Arc::ptr_eq(&kept.settings, &view.settings)
                && kept.connected == (view.own.server_state == ServerState::Connected)
                && kept.needle == needle
        });
        if !fits {
            *kept = None;
        }
        kept.get_or_insert_with(|| Self::new(view, needle))
    }

    fn new(view: &ClientView, needle: String) -> Self {
        let entries = entries(view, &needle);
        let mut tops = Vec::with_capacity(entries.len() + 1);
        let mut top = 0.0;
        for entry in &entries {
            tops.push(top);
            top += match entry {
                Entry::Heading(_) => HEADING,
                Entry::Row(row) if row.small => SMALL,
                Entry::Row(_) => LARGE,
                Entry::Nobody(_) => EMPTY,
            };
        }
        tops.push(top);
        Self {
            people: Arc::clone(&view.people),
            nearby: Arc::clone(&view.nearby),
            contacts: Arc::clone(&view.contacts),
            conversations: Arc::clone(&view.conversations),
            settings: Arc::clone(&view.settings),
            connected: view.own.server_state == ServerState::Connected,
            needle,
            entries,
            tops,
        }
    }

    /// How high all of it is.
    pub(super) fn end(&self) -> f32 {
        self.tops.last().copied().unwrap_or(0.0)
    }

    /// What touches this part of the content, and one more on each side for the keyboard to reach.
    pub(super) fn visible(&self, from: f32, to: f32) -> std::ops::Range<usize> {
        let first = self.tops.partition_point(|top| *top <= from).saturating_sub(2);
        let last = (self.tops.partition_point(|top| *top < to) + 1).min(self.entries.len());
        first.min(last)..last
    }

    /// An entry with its top and its bottom.
    pub(super) fn at(&self, at: usize) -> (&Entry, f32, f32) {
        (&self.entries[at], self.tops[at], self.tops[at + 1])
    }
}

fn entries(view: &ClientView, needle: &str) -> Vec<Entry> {
    let refused: BTreeSet<PeerId> = view
        .settings
        .blocked
        .iter()
        .filter_map(|id| id.parse().ok())
        .chain(view.contacts.iter().filter(|contact| contact.blocked).map(|contact| contact.peer_id))
        .collect();
    let mut listed = BTreeSet::from_iter(view.own.peer_id);
    let mut talks = Vec::new();
    for talk in view.conversations.iter() {
        if listed.insert(talk.peer_id) {
            talks.extend(talk_row(view, talk, refused.contains(&talk.peer_id), needle));
        }
    }
    talks.sort_by_key(|row| std::cmp::Reverse(row.at));
    let mut contacts = Vec::new();
    for contact in view.contacts.iter().filter(|contact| !refused.contains(&contact.peer_id)) {
        if listed.insert(contact.peer_id) {
            contacts.push(contact_row(contact, false));
        }
    }
    let mut blocked = Vec::new();
    for contact in view.contacts.iter() {
        if refused.contains(&contact.peer_id) && listed.insert(contact.peer_id) {
            blocked.push(contact_row(contact, true));
        }
    }
    let mut nearby = Vec::new();
    for person in view.nearby.iter() {
        if !refused.contains(&person.peer_id) && listed.insert(person.peer_id) {
            // What the server tells of them is more than that they are here.
            let told = view.people.iter().find(|other| other.peer_id == person.peer_id);
            let presence = told.map_or(Presence::Online, |told| told.presence);
            nearby.push(Row { small: true, presence, ..row(person.peer_id, &person.name) });
        }
    }
    let mut people = Vec::new();
    for person in view.people.iter() {
        if listed.insert(person.peer_id) {
            let is_refused = refused.contains(&person.peer_id);
            let row = Row {
                blocked: is_refused,
                small: true,
                presence: person.presence,
                ..row(person.peer_id, &person.name)
            };
            if is_refused { blocked.push(row) } else { people.push(row) }
        }
    }
    for peer in refused {
        if listed.insert(peer) {
            blocked.push(Row { blocked: true, small: true, ..row(peer, &peer.short()) });
        }
    }
    let mut entries = Vec::new();
    let fits = |row: &Row| fits(row, needle);
    for (section, mut rows, by_name) in [
        (Section::Conversations, talks, false),
        (Section::Contacts, contacts, true),
        (Section::Nearby, nearby, true),
        (Section::People, people, true),
        (Section::Blocked, blocked, true),
    ] {
        if by_name {
            rows.retain(fits);
            rows.sort_by_cached_key(|row| row.name.to_lowercase());
        }
        let empty = rows.is_empty();
        // Who is there is known only while the server tells; who is there may be listed above.
        let connected = view.own.server_state == ServerState::Connected;
        let alone = view.nearby.is_empty()
            && view.people.iter().all(|person| Some(person.peer_id) == view.own.peer_id);
        let always = section == Section::People && needle.is_empty() && connected && alone;
        if !empty || always {
            entries.push(Entry::Heading(section));
        }
        entries.extend(rows.into_iter().map(Entry::Row));
        if empty && always {
            entries.push(Entry::Nobody(Nobody::OnServer));
        }
    }
    if entries.is_empty() && !needle.is_empty() {
        entries.push(Entry::Nobody(Nobody::Found));
    }
    entries
}

fn fits(row: &Row, needle: &str) -> bool {
    needle.is_empty() || row.name.to_lowercase().contains(needle) || row.peer.to_string().starts_with(needle)
}

/// The row of a conversation; with a needle, only if its name or one of its lines holds it.
fn talk_row(view: &ClientView, talk: &Conversation, blocked: bool, needle: &str) -> Option<Row> {
    let contact = view.contacts.iter().find(|contact| contact.peer_id == talk.peer_id);
    let person = view.people.iter().find(|person| person.peer_id == talk.peer_id);
    let name = contact.map_or(talk.name.as_str(), |contact| contact.name.as_str());
    let mut row = Row {
        presence: contact
            .map(|contact| contact.presence)
            .filter(|presence| *presence != Presence::Offline)
            .or(person.map(|person| person.presence))
            .or_else(|| is_nearby(view, talk.peer_id).then_some(Presence::Online))
            .unwrap_or_default(),
        contact: contact.is_some(),
        verified: contact.is_some_and(|contact| contact.verified),
        blocked,
        unread: talk.unread,
        typing: talk.typing && needle.is_empty(),
        ..row(talk.peer_id, name)
    };
    let last = talk.lines.last();
    let shown = if fits(&row, needle) {
        last
    } else {
        Some(
            talk.lines
                .iter()
                .rev()
                .find(|line| said(line).is_some_and(|text| text.to_lowercase().contains(needle)))?,
        )
    };
    row.last = shown.map(summary);
    row.missed = shown.is_some_and(is_missed);
    row.at = last.map(|line| line.at);
    Some(row)
}

fn is_nearby(view: &ClientView, peer: PeerId) -> bool {
    view.nearby.iter().any(|person| person.peer_id == peer)
}

fn said(line: &Line) -> Option<&str> {
    match &line.what {
        LineKind::Received(text) | LineKind::Sent { text, .. } => Some(text),
        LineKind::File(file) => Some(&file.name),
        LineKind::Call { .. } => None,
    }
}

fn contact_row(contact: &Contact, blocked: bool) -> Row {
    Row {
        presence: contact.presence,
        contact: true,
        verified: contact.verified,
        blocked,
        ..row(contact.peer_id, &contact.name)
    }
}

fn row(peer: PeerId, name: &str) -> Row {
    Row {
        peer,
        name: name.to_owned(),
        presence: Presence::Offline,
        contact: false,
        verified: false,
        blocked: false,
        unread: 0,
        typing: false,
        last: None,
        missed: false,
        at: None,
        small: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(number: u8, name: &str) -> Person {
        Person { name: name.into(), peer_id: PeerId([number; 32]), presence: Presence::Online }
    }

    fn contact(number: u8, name: &str) -> Contact {
        Contact {
            peer_id: PeerId([number; 32]),
            name: name.into(),
            told_name: None,
            server: None,
            verified: false,
            blocked: false,
            presence: Presence::Online,
        }
    }

    fn names(entries: &[Entry]) -> Vec<&str> {
        let rows = entries.iter().filter_map(|entry| match entry {
            Entry::Row(row) => Some(row.name.as_str()),
            _ => None,
        });
        rows.collect()
    }

    #[test]
    fn a_contact_on_the_server_is_listed_once() {
        let view = ClientView {
            contacts: Arc::new(vec![contact(2, "Bo"), contact(1, "ada")]),
            people: Arc::new(vec![person(1, "Ada"), person(3, "Cy")]),
            ..ClientView::default()
        };
        assert_eq!(names(&entries(&view, "")), ["ada", "Bo", "Cy"]);
        assert_eq!(names(&entries(&view, "c")), ["Cy"]);
        assert_eq!(entries(&view, "zz"), [Entry::Nobody(Nobody::Found)]);
    }

    #[test]
    fn who_is_nearby_is_listed_there_and_not_among_those_on_the_server_again() {
        let nearby =
            |number: u8, name: &str| NearbyPerson { name: name.into(), peer_id: PeerId([number; 32]) };
        let settings = Settings { blocked: vec![PeerId([4; 32]).to_string()], ..Settings::default() };
        let view = ClientView {
            contacts: Arc::new(vec![contact(1, "Ada")]),
            nearby: Arc::new(vec![nearby(1, "Ada"), nearby(2, "Bo"), nearby(4, "Dan")]),
            people: Arc::new(vec![person(2, "Bo"), person(3, "Cy")]),
            settings: Arc::new(settings),
            ..ClientView::default()
        };
        let all = entries(&view, "");
        assert_eq!(names(&all)[..3], ["Ada", "Bo", "Cy"]);
        assert_eq!(names(&all).len(), 4, "who is refused stands with the refused alone");
        let heading = |section| all.iter().position(|entry| *entry == Entry::Heading(section));
        assert!(heading(Section::Nearby) < heading(Section::People));
    }

    #[test]
    fn nobody_is_said_to_be_there_only_when_nobody_is() {
        let own = crate::call::view::OwnCard { server_state: ServerState::Connected, ..Default::default() };
        let alone = ClientView { own, ..ClientView::default() };
        assert!(entries(&alone, "").contains(&Entry::Nobody(Nobody::OnServer)));
        let with_ada = ClientView {
            people: Arc::new(vec![person(1, "Ada")]),
            contacts: Arc::new(vec![contact(1, "Ada")]),
            ..alone
        };
        assert!(!entries(&with_ada, "").contains(&Entry::Nobody(Nobody::OnServer)));
    }

    #[test]
    fn who_is_blocked_stands_below_and_can_be_found_by_peer_id() {
        let settings = Settings { blocked: vec![PeerId([9; 32]).to_string()], ..Settings::default() };
        let view = ClientView {
            contacts: Arc::new(vec![Contact { blocked: true, ..contact(1, "Ada") }]),
            settings: Arc::new(settings),
            ..ClientView::default()
        };
        let all = entries(&view, "");
        assert!(all.contains(&Entry::Heading(Section::Blocked)));
        assert_eq!(names(&all).len(), 2);
        assert_eq!(names(&entries(&view, "0909")).len(), 1);
    }

    #[test]
    fn of_thousands_only_those_in_sight_are_drawn() {
        let people = (0..5000_u16).map(|number| {
            let mut id = [0; 32];
            id[..2].copy_from_slice(&number.to_be_bytes());
            Person { peer_id: PeerId(id), ..person(0, &format!("P{number}")) }
        });
        let view = ClientView { people: Arc::new(people.collect()), ..ClientView::default() };
        let mut kept = None;
        let listed = Listed::current(&mut kept, &view, String::new());
        assert!(listed.visible(10_000.0, 10_600.0).len() < 20);
        assert!(listed.end() > 5000.0 * SMALL);
    }
}
