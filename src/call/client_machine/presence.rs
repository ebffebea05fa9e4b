//! Who is there: what each Tincan server is told of us, and what it tells of those we know.
//!
//! What a server was told is compared with what it should know, and the difference is said: so a change of a setting, of the
//! call, of the contacts, or a new connection needs nothing else. A server is asked only for those who are found on it, so
//! that no server learns the whole list of contacts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ClientMachine;
use super::server::Which;
use crate::amf::Value;
use crate::call::view::Presence;
use crate::rtmfp::PeerId;
use crate::settings::Visibility;

/// As many as a server watches for us.
const MOST_WATCHED: usize = 512;

/// What a server was told over its present connection.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct ToldServer {
    visibility: Option<&'static str>,
    state: Option<&'static str>,
    watched: Vec<PeerId>,
    keepalive: Option<Duration>,
}

impl ClientMachine {
    /// Tells every server what changed for it. Answers whether anything was said.
    pub(super) fn tell_servers(&mut self, now: Instant) -> bool {
        let connected: Vec<_> = self
            .servers
            .all()
            .filter_map(|(which, server)| Some((which, server.connected()?, server.tincan().is_some())))
            .collect();
        let mut said = false;
        for (which, connection, tincan) in connected {
            let (visibility, state) = (self.visibility_at(&which), self.own_state());
            let watched = if tincan { self.to_watch(&which) } else { vec![] };
            let keepalive = Duration::from_secs(u64::from(self.config.settings.keepalive));
            let now_told = ToldServer {
                visibility: tincan.then_some(visibility),
                state: tincan.then_some(state),
                watched,
                keepalive: Some(keepalive),
            };
            let Some(server) = self.servers.get_mut(&which) else { continue };
            if server.told == now_told {
                continue;
            }
            said = true;
            let before = std::mem::replace(&mut server.told, now_told.clone());
            server.presence.retain(|peer, _| now_told.watched.binary_search(peer).is_ok());
            if before.keepalive != now_told.keepalive {
                self.node.prefer_keepalive(connection, keepalive);
            }
            // In this order: who hides is not seen for a moment.
            if before.visibility != now_told.visibility {
                self.node.notify(now, connection, "setVisibility", vec![visibility.into()]);
            }
            if before.state != now_told.state {
                self.node.notify(now, connection, "setState", vec![state.into()]);
            }
            if before.watched != now_told.watched {
                let ids = now_told.watched.iter().map(|peer| Value::String(peer.to_string())).collect();
                self.node.notify(now, connection, "watch", vec![Value::Array(ids)]);
            }
        }
        if said {
            self.show_people();
        }
        said
    }

    /// The connection is gone, and with it what was told both ways.
    pub(super) fn forget_told(&mut self, which: &Which) {
        if let Some(server) = self.servers.get_mut(which) {
            server.told = ToldServer::default();
            server.presence.clear();
        }
        if *which == Which::Home {
            self.forget_people();
        } else if self.questions.through == *which {
            self.questions.forget_lookup();
        }
        self.dirty = true;
    }

    /// A server tells what somebody does.
    pub(super) fn presence_told(&mut self, now: Instant, which: &Which, arguments: &[Value]) {
        let peer = arguments.first().and_then(Value::as_str).and_then(|id| id.parse::<PeerId>().ok());
        let word = arguments.get(1).and_then(Value::as_str);
        let (Some(peer), Some(presence)) = (peer, word.and_then(from_word)) else { return };
        let Some(server) = self.servers.get_mut(which) else { return };
        if server.told.watched.binary_search(&peer).is_err() {
            return;
        }
        server.presence.insert(peer, presence);
        self.show_people();
        self.dirty = true;
        if presence != Presence::Offline {
            self.came_online(now, peer);
        }
    }

    /// Whether somebody can be reached, as far as it is known.
    pub(super) fn presence_of(&self, peer: PeerId) -> Presence {
        let told = self.servers.all().filter_map(|(_, server)| server.presence.get(&peer)).copied();
        let told = told.max_by_key(|presence| *presence != Presence::Offline).unwrap_or_default();
        let on_the_line = self.links.get(&peer).is_some_and(|lines| lines.link.lines_up());
        let is_here = on_the_line || self.is_nearby(peer);
        if told == Presence::Offline && is_here { Presence::Online } else { told }
    }

    /// Puts what is known of contacts into the list of people.
    pub(super) fn show_people(&mut self) {
        let mut people = self.listed.clone();
        for person in &mut people {
            let better = self.presence_of(person.peer_id);
            if better != Presence::Offline {
                person.presence = better;
            }
        }
        if *self.people != people {
            self.people = Arc::new(people);
            self.dirty = true;
        }
    }

    /// On further servers we are visitors: found by those who know us, and not in the list of strangers.
    fn visibility_at(&self, which: &Which) -> &'static str {
        match (self.config.settings.visibility, which) {
            (Visibility::Everyone, Which::Home) => "everyone",
            (Visibility::Everyone | Visibility::Known, _) => "known",
            (Visibility::Nobody, _) => "nobody",
        }
    }

    fn own_state(&self) -> &'static str {
        if self.config.settings.do_not_disturb {
            "busy"
        } else if self.call.up().next().is_some() {
            "in_call"
        } else {
            "online"
        }
    }

    /// Whom to watch on a server: contacts and those we wrote with who are found there, contacts first.
    fn to_watch(&self, which: &Which) -> Vec<PeerId> {
        let contacts = self.contacts.peers();
        let written_with = self.conversations.peers().filter(|peer| !self.contacts.has(*peer));
        let here = contacts.chain(written_with).filter(|peer| {
            *peer != self.me && !self.config.blocked.contains(peer) && self.server_for(*peer) == *which
        });
        let mut watched: Vec<PeerId> = here.take(MOST_WATCHED).collect();
        watched.sort_unstable();
        watched
    }
}

fn from_word(word: &str) -> Option<Presence> {
    match word {
        "online" => Some(Presence::Online),
        "in_call" => Some(Presence::InCall),
        "busy" => Some(Presence::DoNotDisturb),
        "offline" => Some(Presence::Offline),
        _ => None,
    }
}
