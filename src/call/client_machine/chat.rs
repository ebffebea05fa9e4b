//! What is written: said on lines that are up, dialled for when there are none, tried again until it is there; who reads
//! and who writes right now.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::{ClientEvent, ClientMachine};
use crate::call::additions::Additions;
use crate::call::conversation::Received;
use crate::call::event::{Event, Notice};
use crate::call::messages::{Capabilities, Intent, LONGEST_TEXT, Message};
use crate::call::peer_link::Far;
use crate::call::random_id::RandomId;
use crate::call::view::Presence;
use crate::history::record::StoredLine;
use crate::rtmfp::PeerId;

/// Peers dialled at once for what has waited for them, and for what the person does right now.
const MOST_DIALLED: usize = 4;
const MOST_DIALLED_AT_ONCE: usize = 16;
/// The first pause before somebody is dialled again, doubled with each, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// The same for a file that moved a moment ago: both ends were there.
const AFTER_A_DROP: Duration = Duration::from_secs(3);
/// "Writes" is said at most this often, and shown for so long.
const TYPING_SAID_EVERY: Duration = Duration::from_secs(3);
const TYPING_SHOWN_FOR: Duration = Duration::from_secs(6);

/// When whom to dial again, and what was said of typing.
#[derive(Debug, Default)]
pub(super) struct ChatSide {
    retries: BTreeMap<PeerId, Retry>,
    typing_said: Option<(PeerId, Instant)>,
}

#[derive(Clone, Copy, Debug)]
struct Retry {
    at: Instant,
    pause: Duration,
}

impl ClientMachine {
    pub(super) fn write(&mut self, now: Instant, to: PeerId, text: String) {
        if self.is_me(to) || text.trim().is_empty() || text.len() > LONGEST_TEXT {
            self.tell(Event::Notice(Notice::TextNotSent));
            return;
        }
        self.acquaintances.meet(to);
        let id = self.draw_id();
        let name = self.name_of(to);
        let at = self.date(now);
        self.conversations.write(at, to, &name, id, text);
        self.chat.typing_said = None;
        self.chat.retries.remove(&to);
        self.reach(now, to);
        if self.links.contains_key(&to) {
            // It counts as waiting only once it turns out that they cannot be reached.
            self.conversations.under_way(to);
        }
    }

    /// Something waits to be said to a peer, or is wanted of it.
    fn waits_for(&self, peer: PeerId) -> bool {
        self.conversations.waits(peer) || self.transfers.wants_lines(peer)
    }

    /// The person did something that is to reach a peer now.
    pub(super) fn reach(&mut self, now: Instant, peer: PeerId) {
        self.flush(now, peer, MOST_DIALLED_AT_ONCE);
    }

    /// Says what waits for a peer, dialling when there are no lines and fewer than `most` are being made.
    fn flush(&mut self, now: Instant, peer: PeerId, most: usize) {
        let is_over = self.leaving.is_some() || self.config.blocked.contains(&peer);
        if is_over || !self.waits_for(peer) {
            return;
        }
        if !self.links.contains_key(&peer) {
            let server = self.servers.get(&self.server_for(peer));
            if server.is_none_or(|server| !server.is_connected()) && !self.is_nearby(peer) {
                // Nobody could introduce us yet; they are tried when the server is there, or they are on our network.
                return;
            }
            if !self.may_dial(most) {
                self.came_online(now, peer);
                return;
            }
            let call = self.draw_id();
            let offer = Capabilities {
                intent: Intent::Chat,
                call,
                video: false,
                lasting: None,
                additions: Additions::OURS,
            };
            // The addresses of a link that is being called are no way to this peer.
            let hints = std::mem::take(&mut self.hints);
            self.dial_lines(now, peer, offer);
            self.hints = hints;
        }
        if self.links.contains_key(&peer) {
            self.say_what_waits(now, peer);
        } else {
            self.try_later(now, peer, FIRST_PAUSE);
        }
    }

    /// Says what waits for a peer, if there are lines.
    pub(super) fn say_what_waits(&mut self, now: Instant, peer: PeerId) {
        if !self.conversations.waits(peer) {
            return;
        }
        let Some(lines) = self.links.get_mut(&peer) else { return };
        let plain = lines.link.far() == Far::Plain;
        if !(lines.link.takes_additions() || plain && lines.link.lines_up()) {
            return;
        }
        lines.idle_since = now;
        let (messages, not_taken) = self.conversations.unsaid(peer, &self.config.name, plain);
        for message in messages {
            self.say(now, peer, message);
        }
        self.files_not_taken(now, peer, not_taken);
    }

    /// Both ends told their names: whatever waited goes out.
    pub(super) fn chat_lines_up(&mut self, now: Instant, peer: PeerId) {
        self.chat.retries.remove(&peer);
        self.say_what_waits(now, peer);
        self.tell_read(now, peer);
        if self.links.get(&peer).is_some_and(|lines| lines.link.takes_additions()) {
            let effects = self.transfers.lines_up(peer);
            self.carry_out_files(now, effects);
        }
    }

    /// The lines to a peer are gone, or never came about.
    pub(super) fn chat_lines_lost(&mut self, now: Instant, peer: PeerId) {
        self.conversations.lines_lost(peer);
        let effects = self.transfers.lines_lost(peer);
        let moved = !effects.is_empty();
        self.carry_out_files(now, effects);
        if self.waits_for(peer) && self.leaving.is_none() {
            self.try_later(now, peer, if moved { AFTER_A_DROP } else { FIRST_PAUSE });
        }
    }

    /// The far end began its lines anew: nothing that was said on the old ones counts.
    pub(super) fn chat_lines_anew(&mut self, now: Instant, peer: PeerId) {
        self.conversations.lines_lost(peer);
        let effects = self.transfers.lines_lost(peer);
        self.carry_out_files(now, effects);
    }

    fn try_later(&mut self, now: Instant, peer: PeerId, first: Duration) {
        let before = self.chat.retries.get(&peer).map(|retry| retry.pause);
        let pause = before.map_or(first, |pause| (pause * 2).max(FIRST_PAUSE)).min(LONGEST_PAUSE);
        // Spread, so that two who lost each other do not dial at the same moment each time.
        let spread = pause.mul_f64(f64::from(self.chance.u32()) / f64::from(u32::MAX) / 4.0);
        self.chat.retries.insert(peer, Retry { at: now + pause + spread, pause });
    }

    /// For whom something waits.
    pub(super) fn waited_for(&self) -> BTreeSet<PeerId> {
        let mut peers = self.transfers.wanted_peers();
        peers.extend(self.conversations.waited_for());
        peers
    }

    /// A peer was not there a moment ago, and can be reached now.
    pub(super) fn came_online(&mut self, now: Instant, peer: PeerId) {
        if !self.waits_for(peer) {
            return;
        }
        // An attempt that began before they were there may still fail; the next one then comes soon.
        let is_tried = self.links.contains_key(&peer);
        let at = if is_tried { now + LONGEST_PAUSE } else { now };
        self.chat.retries.insert(peer, Retry { at, pause: FIRST_PAUSE / 2 });
    }

    fn can_be_reached(&self, peer: PeerId) -> bool {
        self.presence_of(peer) != Presence::Offline || self.people.iter().any(|person| person.peer_id == peer)
    }

    /// Whether one more may be dialled: lines that we are making, but for those of the call, are bounded. Those that others
    /// begin do not count, so that nobody can hold up what we write.
    fn may_dial(&self, most: usize) -> bool {
        let in_call = self.call.with().map(|with| with.peer);
        let others = self.links.iter().filter(|(peer, _)| Some(**peer) != in_call);
        let dialling = others.filter(|(_, lines)| lines.link.is_dialling()).count();
        dialling < most && self.leaving.is_none() && (self.servers.any_connected() || self.anybody_nearby())
    }

    pub(super) fn tick_chat(&mut self, now: Instant) {
        self.dirty |= self.conversations.tick(now);
        while self.may_dial(MOST_DIALLED) {
            let due = self.chat.retries.iter().filter(|(_, retry)| retry.at <= now);
            // Who is known to be there first.
            let next = due.min_by_key(|(peer, retry)| (!self.can_be_reached(**peer), retry.at));
            let Some((peer, retry)) = next.map(|(peer, retry)| (*peer, *retry)) else {
                return;
            };
            if self.links.contains_key(&peer) || !self.waits_for(peer) {
                self.chat.retries.remove(&peer);
                continue;
            }
            // The pause stays known until the lines are up, and grows when they do not come about.
            let until = now + LONGEST_PAUSE;
            self.chat.retries.insert(peer, Retry { at: until, ..retry });
            self.flush(now, peer, MOST_DIALLED);
        }
    }

    pub(super) fn chat_deadline(&self) -> Option<Instant> {
        let retry =
            self.chat.retries.values().map(|retry| retry.at).min().filter(|_| self.may_dial(MOST_DIALLED));
        [retry, self.conversations.deadline()].into_iter().flatten().min()
    }

    /// A text came, with a name of its own or without.
    pub(super) fn receive(&mut self, now: Instant, peer: PeerId, id: Option<RandomId>, text: String) {
        if !self.may_write(now, peer) {
            return;
        }
        let name = self.name_of(peer);
        let at = self.date(now);
        let drawn = self.draw_id();
        let received = self.conversations.receive(at, peer, &name, id, drawn, text.clone());
        if matches!(received, Received::New | Received::NewUnsafe) {
            self.tell(Event::TextReceived { peer, name, text });
        }
        if let Some(id) = id
            && matches!(received, Received::New | Received::Again)
        {
            // What is not safe yet is acknowledged when it is.
            self.say(now, peer, Message::TextAck(id));
        }
    }

    /// What a ticket was for is safe on the disk.
    pub(super) fn kept(&mut self, now: Instant, ticket: u64) {
        if let Some((peer, id)) = self.conversations.kept(ticket) {
            self.say(now, peer, Message::TextAck(id));
            self.tell_read(now, peer);
        }
    }

    /// A text, or a file's offer, was kept there.
    pub(super) fn acknowledged(&mut self, now: Instant, peer: PeerId, id: RandomId) {
        if self.conversations.acknowledged(peer, id) {
            let effects = self.transfers.acknowledged(crate::call::file_job::FileKey { peer, id });
            self.carry_out_files(now, effects);
        }
    }

    /// The conversation is on screen.
    pub(super) fn mark_read(&mut self, now: Instant, peer: PeerId) {
        if self.conversations.mark_read(peer) {
            self.tell_read(now, peer);
        }
    }

    /// Tells the far end what was read, if the person lets it be told and there are lines; otherwise with the next.
    fn tell_read(&mut self, now: Instant, peer: PeerId) {
        let Some(up_to) = self.conversations.read_owed(peer) else { return };
        if !self.config.settings.read_receipts {
            self.conversations.read_told(peer);
            return;
        }
        let takes_it = self.links.get(&peer).is_some_and(|lines| lines.link.takes_additions());
        // To its writer a line that is not safe yet is not even delivered.
        if takes_it && !self.conversations.is_unsafe(peer, up_to) {
            self.conversations.read_told(peer);
            self.say(now, peer, Message::Read(up_to));
        }
    }

    /// The person writes. Nobody is dialled for that.
    pub(super) fn typing(&mut self, now: Instant, peer: PeerId) {
        let said = self.chat.typing_said.filter(|(whom, _)| *whom == peer);
        let lately = said.is_some_and(|(_, at)| now.saturating_duration_since(at) < TYPING_SAID_EVERY);
        let takes_it = self.links.get(&peer).is_some_and(|lines| lines.link.takes_additions());
        if self.config.settings.typing && takes_it && !lately {
            self.chat.typing_said = Some((peer, now));
            self.say(now, peer, Message::Typing);
        }
    }

    pub(super) fn far_types(&mut self, now: Instant, peer: PeerId) {
        self.conversations.types(peer, now + TYPING_SHOWN_FOR);
        self.dirty = true;
    }

    pub(super) fn load_earlier(&mut self, peer: PeerId) {
        if self.config.keeps
            && let Some(before) = self.conversations.want_earlier(peer)
        {
            self.told.push_back(ClientEvent::EarlierWanted { peer, before });
        }
    }

    pub(super) fn earlier(&mut self, peer: PeerId, lines: Vec<StoredLine>, more: bool) {
        for file in self.conversations.earlier(peer, lines, more) {
            self.transfers.restore(file);
        }
    }

    /// Deletes a line here; a file that is on its way is stopped.
    pub(super) fn delete_line(&mut self, now: Instant, peer: PeerId, line: RandomId) {
        self.stop_file(now, peer, line);
        self.conversations.delete(peer, line);
    }

    /// Erases lines; files that are on their way are stopped.
    pub(super) fn erase(&mut self, now: Instant, peer: Option<PeerId>) {
        let effects = self.transfers.stop_all(peer);
        self.carry_out_files(now, effects);
        self.conversations.erase(peer);
    }

    /// Whether new lines go to the disk.
    pub(super) fn set_keep_history(&mut self) {
        self.conversations.set_keep_lines(self.config.settings.keep_history);
    }

    /// Passes on what is to be kept.
    pub(super) fn tell_keeps(&mut self) {
        while let Some((what, ticket)) = self.conversations.next_keep() {
            self.told.push_back(ClientEvent::Keep { what, ticket });
        }
    }
}
