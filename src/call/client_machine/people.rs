//! What a Tincan server answers: who is there, and who goes by a name.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use super::ClientMachine;
use crate::amf::Value;
use crate::call::end_reason::EndReason;
use crate::call::lifecycle::{LinesNow, Phase};
use crate::call::peer_link::Far;
use crate::call::view::{Person, Presence};
use crate::netconnection::node::CallToken;
use crate::rtmfp::PeerId;
use crate::settings::Visibility;

/// People taken from a server's list.
const MOST_PEOPLE: usize = 5_000;

/// What we asked the server, until it answers.
#[derive(Debug, Default)]
pub(super) struct Questions {
    people: Option<CallToken>,
    lookup: Option<CallToken>,
    /// Whom the lookup is for, when the peer ID is known already.
    wanted: Option<PeerId>,
}

impl ClientMachine {
    /// Tells the server how we want to be seen, and asks who is there.
    pub(super) fn greet_server(&mut self, now: Instant) {
        if self.server.tincan().is_none() {
            self.look_again(now);
            return;
        }
        self.tell_visibility(now);
        self.ask_for_people(now);
        self.look_again(now);
    }

    pub(super) fn tell_visibility(&mut self, now: Instant) {
        if let Some(connection) = self.server.tincan() {
            let visibility = match self.config.settings.visibility {
                Visibility::Everyone => "everyone",
                Visibility::Known => "known",
                Visibility::Nobody => "nobody",
            };
            self.node.notify(now, connection, "setVisibility", vec![visibility.into()]);
        }
    }

    pub(super) fn forget_people(&mut self) {
        self.people = Arc::default();
        self.questions.people = None;
        self.questions.lookup = None;
    }

    /// Finds out whom to dial; waits for the server when it is not there yet.
    pub(super) fn look_up(&mut self, now: Instant, whom: String, peer: Option<PeerId>) {
        self.questions.wanted = peer;
        if let Some(peer) = peer
            && self.links.get(&peer).is_some_and(|lines| lines.link.lines_up())
        {
            // They are on the line already.
            self.found(now, peer, whom, EndReason::NoWayThrough);
            return;
        }
        if !self.server.is_connected() {
            return;
        }
        match (self.server.tincan(), peer) {
            (Some(connection), _) => {
                let asked = peer.map_or_else(|| whom, |peer| peer.to_string());
                let token = self.node.call(now, connection, "lookup", vec![Value::String(asked)]);
                self.questions.lookup = Some(token);
            }
            // Other servers cannot be asked; whoever is connected there answers, or nobody does.
            (None, Some(peer)) => self.found(now, peer, whom, EndReason::NotFound),
            (None, None) => {
                let effects = self.call.not_found(now, EndReason::NotFound);
                self.carry_out(now, effects);
            }
        }
    }

    pub(super) fn answered(
        &mut self,
        now: Instant,
        token: CallToken,
        result: Result<Vec<Value>, Vec<Value>>,
    ) {
        if self.questions.people == Some(token) {
            self.questions.people = None;
            if let Ok(values) = result {
                self.take_people(now, &values);
            }
        } else if self.questions.lookup == Some(token) {
            self.questions.lookup = None;
            match result.ok().and_then(|values| values.iter().find_map(person)) {
                Some(found) if found.peer_id != self.me => {
                    self.found(now, found.peer_id, found.name, EndReason::NoWayThrough);
                }
                _ if self.questions.wanted.is_some() && !self.hints.is_empty() => {
                    // The link says where they are, whatever this server knows.
                    let peer = self.questions.wanted.expect("checked in this arm's guard");
                    let name = self.name_of(peer);
                    self.found(now, peer, name, EndReason::NotFound);
                }
                _ => {
                    let effects = self.call.not_found(now, EndReason::NotFound);
                    self.carry_out(now, effects);
                }
            }
        }
    }

    /// The server calls us.
    pub(super) fn called(&mut self, now: Instant, name: &str, arguments: &[Value], token: Option<CallToken>) {
        if name == "peopleChanged" {
            if arguments.iter().any(|value| matches!(value, Value::Array(_))) {
                self.take_people(now, arguments);
            } else {
                self.ask_for_people(now);
            }
        }
        if let Some(token) = token {
            self.node.answer(now, token, Ok(Value::Null));
        }
    }

    fn ask_for_people(&mut self, now: Instant) {
        if let Some(connection) = self.server.tincan() {
            self.questions.people = Some(self.node.call(now, connection, "people", vec![]));
        }
    }

    /// The server came while somebody is being looked for.
    fn look_again(&mut self, now: Instant) {
        if let Phase::Looking { whom, .. } = self.call.phase() {
            let (whom, wanted) = (whom.clone(), self.questions.wanted);
            self.look_up(now, whom, wanted);
        }
    }

    fn found(&mut self, now: Instant, peer: PeerId, name: String, otherwise: EndReason) {
        let lines = self.links.get(&peer).map_or_else(LinesNow::default, |lines| LinesNow {
            up: lines.link.lines_up(),
            plain: lines.link.far() == Far::Plain,
        });
        let call = self.draw_id();
        let effects = self.call.found(now, peer, name, call, lines, otherwise);
        self.carry_out(now, effects);
    }

    fn take_people(&mut self, now: Instant, values: &[Value]) {
        let list = values.iter().find_map(|value| match value {
            Value::Array(list) => Some(list),
            _ => None,
        });
        let mut people: Vec<Person> = list
            .into_iter()
            .flatten()
            .take(MOST_PEOPLE)
            .filter_map(person)
            .filter(|person| person.peer_id != self.me)
            .collect();
        people.sort_by_cached_key(|person| (person.name.to_lowercase(), person.peer_id));
        let before: BTreeSet<PeerId> = self.people.iter().map(|person| person.peer_id).collect();
        self.people = Arc::new(people);
        self.dirty = true;
        let came: Vec<PeerId> = self.people.iter().map(|person| person.peer_id).collect();
        for peer in came.into_iter().filter(|peer| !before.contains(peer)) {
            self.came_online(now, peer);
        }
    }
}

/// `{id, name}`.
fn person(value: &Value) -> Option<Person> {
    let peer_id = value.property("id")?.as_str()?.parse().ok()?;
    let name = value.property("name").and_then(Value::as_str).unwrap_or_default();
    Some(Person { name: name.chars().take(64).collect(), peer_id, presence: Presence::Online })
}
