//! Finding people: what the person dials, who is listed on the home server, and what servers answer when they are asked.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::ClientMachine;
use super::server::{ServerSide, Which};
use crate::amf::Value;
use crate::call::command::Command;
use crate::call::end_reason::EndReason;
use crate::call::event::Refusal;
use crate::call::lifecycle::{LinesNow, Phase};
use crate::call::link::Link;
use crate::call::messages::clean_name;
use crate::call::peer_link::{Far, Loss};
use crate::call::random_id::RandomId;
use crate::call::server_address::ServerAddress;
use crate::call::view::{Person, Presence};
use crate::netconnection::node::{CallToken, ConnectionId};
use crate::rtmfp::PeerId;

/// People taken from a server's list.
const MOST_PEOPLE: usize = 5_000;
/// The list is asked for at most this often, however often a server says that it changed.
const BETWEEN_LISTS: Duration = Duration::from_millis(200);
/// Whoever is found nowhere may be hidden: a knock at their peer ID is answered within this, or by nobody.
const KNOCK_FOR: Duration = Duration::from_secs(4);

/// What we asked the server, until it answers.
#[derive(Debug, Default)]
pub(super) struct Questions {
    people: Option<CallToken>,
    /// When the list was asked for last.
    people_asked: Option<Instant>,
    /// The list has changed since.
    people_changed: bool,
    lookup: Option<CallToken>,
    /// Whom the lookup is for, when the peer ID is known already.
    wanted: Option<PeerId>,
    /// Which server is asked.
    pub(super) through: Which,
    /// This call goes to somebody whom no server knows; until when.
    knock: Option<(RandomId, Instant)>,
}

impl Questions {
    /// The server that was asked is gone.
    pub(super) fn forget_lookup(&mut self) {
        self.lookup = None;
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let people = self.people_due();
        [self.knock.map(|(_, until)| until), people].into_iter().flatten().min()
    }

    /// When the list is to be asked for again.
    fn people_due(&self) -> Option<Instant> {
        let asked = self.people_asked.filter(|_| self.people_changed && self.people.is_none());
        asked.map(|at| at + BETWEEN_LISTS)
    }

    /// Whether this call is a knock at a door behind which nobody may be.
    pub(super) fn knocks(&self, call: RandomId) -> bool {
        self.knock.is_some_and(|(knocking, _)| knocking == call)
    }
}

impl ClientMachine {
    /// Dials what the person wrote: a link, a peer ID, the name of a contact, or one on the server.
    pub(super) fn dial(&mut self, now: Instant, whom: String, with_video: bool) {
        let whom = whom.trim().to_owned();
        if let Phase::Ringing { with, .. } = self.call.phase()
            && (with.peer.to_string() == whom || with.name == whom)
        {
            self.person(now, Command::Accept { with_video });
            return;
        }
        if !self.call.may_dial() {
            self.refuse(Refusal::InCall);
            return;
        }
        self.hints.clear();
        let (mut through, mut weak) = (None, None);
        let (peer, shown) = if Link::looks_like_one(&whom) {
            let link = match Link::parse(&whom) {
                Ok(link) => link,
                Err(error) => return self.refuse(Refusal::Link(error)),
            };
            match link.server.as_deref().map(ServerAddress::parse).transpose() {
                Ok(server) => through = server.map(|server| server.normalised()),
                Err(error) => return self.refuse(Refusal::Server(error)),
            }
            self.hints = link.addresses;
            weak = link.weak;
            let kept = self.contacts.name(link.peer).map(str::to_owned);
            (Some(link.peer), kept.or(link.name).unwrap_or_else(|| link.peer.short()))
        } else {
            match whom.parse::<PeerId>().ok().or_else(|| self.contacts.by_name(&whom)) {
                Some(peer) => (Some(peer), self.name_of(peer)),
                None => (None, whom),
            }
        };
        if peer.is_some_and(|peer| self.is_me(peer)) || (peer.is_none() && shown == self.config.name) {
            self.refuse(Refusal::ThatIsYou);
            return;
        }
        if shown.is_empty() {
            self.refuse(Refusal::Nobody);
            return;
        }
        self.questions.through = match (peer, through) {
            (Some(peer), Some(key)) => {
                self.note_server(peer, key.clone());
                self.servers.which(&key)
            }
            (Some(peer), None) => self.server_for(peer),
            (None, _) => Which::Home,
        };
        let peer = peer.map(|peer| self.as_found_there(peer, weak));
        self.media.set_aside();
        self.media.camera_on = with_video;
        self.call.look(now, shown.clone(), peer, with_video);
        self.look_up(now, shown, peer);
    }

    /// The home server is gone, and its list with it.
    pub(super) fn forget_people(&mut self) {
        self.listed.clear();
        self.questions.people = None;
        self.questions.people_changed = false;
        if self.questions.through == Which::Home {
            self.questions.forget_lookup();
        }
        self.show_people();
    }

    /// Finds out whom to dial; waits for the server that is to be asked when it is not there yet.
    pub(super) fn look_up(&mut self, now: Instant, whom: String, peer: Option<PeerId>) {
        self.questions.wanted = peer;
        if let Some(peer) = peer
            && self.links.get(&peer).is_some_and(|lines| lines.link.lines_up())
        {
            // They are on the line already.
            self.found(now, peer, whom, EndReason::NoWayThrough);
            return;
        }
        let server = self.servers.get(&self.questions.through);
        // A link, or the local network, says where they are: no server has to be waited for. One that is there introduces
        // them at the same time, if it knows them.
        let is_placed = |peer: &PeerId| !self.hints.is_empty() || self.is_nearby(*peer);
        let is_there = server.is_some_and(ServerSide::is_connected);
        if let Some(peer) = peer.filter(|peer| self.is_nearby(*peer) || !is_there && is_placed(peer)) {
            let otherwise = if is_there { EndReason::NotFound } else { EndReason::ServerUnreachable };
            return self.found(now, peer, whom, otherwise);
        }
        let Some(server) = server else { return };
        if server.refuses_us() {
            // Waiting for it would only end in a wrong reason.
            let effects = self.call.not_found(now, EndReason::NameRefused);
            return self.carry_out(now, effects);
        }
        if !server.is_connected() {
            return;
        }
        match (server.tincan(), peer) {
            (Some(connection), _) => {
                let asked = peer.map_or_else(|| whom, |peer| peer.to_string());
                let token = self.node.call(now, connection, "lookup", vec![Value::String(asked)]);
                self.questions.lookup = Some(token);
                // Whatever the answer is, a peer ID is dialled: its session is not kept waiting for it.
                if let Some(peer) = peer {
                    let (own, places) = (self.own_for(peer), self.places_of(peer));
                    self.node.reach(now, own, peer, &places);
                }
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
                // Whom the person means by a peer ID is that one, whatever a server answers.
                Some(found)
                    if found.peer_id != self.me
                        && self.questions.wanted.is_none_or(|wanted| wanted == found.peer_id) =>
                {
                    self.warn_of(found.peer_id, &found.name);
                    self.found(now, found.peer_id, found.name, EndReason::NoWayThrough);
                }
                _ => self.not_listed(now, EndReason::NotFound),
            }
        }
    }

    /// A server calls us.
    pub(super) fn called(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        name: &str,
        arguments: &[Value],
        token: Option<CallToken>,
    ) {
        let which = self.servers.by_connection(connection);
        if name == "presence"
            && let Some(which) = &which
        {
            self.presence_told(now, which, arguments);
        }
        if name == "peopleChanged" && which == Some(Which::Home) {
            if arguments.iter().any(|value| matches!(value, Value::Array(_))) {
                self.take_people(now, arguments);
            } else {
                self.questions.people_changed = true;
                self.ask_for_changed_people(now);
            }
        }
        if let Some(token) = token {
            self.node.answer(now, token, Ok(Value::Null));
        }
    }

    pub(super) fn ask_for_people(&mut self, now: Instant) {
        if let Some(connection) = self.servers.home.tincan() {
            self.questions.people = Some(self.node.call(now, connection, "people", vec![]));
            self.questions.people_asked = Some(now);
            self.questions.people_changed = false;
        }
    }

    fn ask_for_changed_people(&mut self, now: Instant) {
        if self.questions.people_due().is_some_and(|at| at <= now) {
            self.ask_for_people(now);
        }
    }

    /// The knock at a hidden person's door was not answered, or the list is to be asked for again.
    pub(super) fn tick_questions(&mut self, now: Instant) {
        self.ask_for_changed_people(now);
        if let Some((call, _)) = self.questions.knock.take_if(|(_, until)| *until <= now)
            && let Phase::Connecting { with, .. } = self.call.phase()
            && with.call == call
        {
            let effects = self.call.lost(now, with.peer, Loss::Unreachable);
            self.carry_out(now, effects);
        }
    }

    /// The server that should know whom we mean cannot be reached.
    pub(super) fn look_elsewhere(&mut self, now: Instant) {
        if self.hints.is_empty() && !self.servers.any_connected() {
            let effects = self.call.not_found(now, EndReason::ServerUnreachable);
            self.carry_out(now, effects);
        } else {
            self.not_listed(now, EndReason::ServerUnreachable);
        }
    }

    /// No server tells of whom we mean. Who chose not to be seen is reached all the same by those who have the peer ID, and
    /// a link may say where they are.
    fn not_listed(&mut self, now: Instant, otherwise: EndReason) {
        let Some(peer) = self.questions.wanted else {
            let effects = self.call.not_found(now, otherwise);
            self.carry_out(now, effects);
            return;
        };
        // By the name that the link or the contact gave.
        let Phase::Looking { whom, .. } = self.call.phase() else { return };
        let name = whom.clone();
        self.found(now, peer, name, otherwise);
        if let Phase::Connecting { with, .. } = self.call.phase()
            && self.hints.is_empty()
        {
            self.questions.knock = Some((with.call, now + KNOCK_FOR));
        }
    }

    /// The server came while somebody is being looked for.
    pub(super) fn look_again(&mut self, now: Instant) {
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
        self.questions.knock = None;
        self.acquaintances.meet(peer);
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
        let before: BTreeSet<PeerId> = self.listed.iter().map(|person| person.peer_id).collect();
        self.listed = people;
        self.show_people();
        let came: Vec<PeerId> = self.listed.iter().map(|person| person.peer_id).collect();
        for peer in came.into_iter().filter(|peer| !before.contains(peer)) {
            self.came_online(now, peer);
        }
    }
}

/// `{id, name, state}`; without the last from a lookup.
fn person(value: &Value) -> Option<Person> {
    let peer_id = value.property("id")?.as_str()?.parse().ok()?;
    let name = value.property("name").and_then(Value::as_str).unwrap_or_default();
    let presence = match value.property("state").and_then(Value::as_str) {
        Some("busy") => Presence::DoNotDisturb,
        _ => Presence::Online,
    };
    Some(Person { name: clean_name(name), peer_id, presence })
}
