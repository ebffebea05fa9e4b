//! The lines to each peer: carries out what [`PeerLink`] decides, and passes what it tells to call and conversation.

use std::time::{Duration, Instant};

use super::ClientMachine;
use super::privacy::Gate;
use super::server::Which;
use crate::amf::Value;
use crate::call::lifecycle::{LinesNow, Offer};
use crate::call::messages::{Capabilities, Intent, Message};
use crate::call::peer_link::{Far, LinkEffect, LinkNews, PeerLink};
use crate::call::stream_bridge::Incoming;
use crate::netconnection::node::{OwnIdentity, PlaybackEnd, PlaybackId, PublicationId, SubscriberId, Target};
use crate::netconnection::status::StatusCode;
use crate::rtmfp::PeerId;
use crate::rtmfp::machine::Route;

/// Far peers with lines to us at once, in a call or not.
pub(super) const MOST_LINKS: usize = 32;
/// Those beyond them who may ask, in case somebody makes room.
pub(super) const MOST_AT_THE_DOOR: usize = 8;
/// Those of them with whom the person has nothing to do: a peer ID costs nothing, and places must be left for others.
const MOST_STRANGERS: usize = 16;
/// Lines are closed so long after the last thing said on them.
const PART_AFTER: Duration = Duration::from_secs(2);
/// To a plain client, whose only sign of the end is a closed line.
const PART_AFTER_PLAIN: Duration = Duration::from_millis(200);
/// Lines on which nobody writes are closed after so long.
const IDLE: Duration = Duration::from_secs(300);
/// Lines that a stranger began and never finished.
const UNFINISHED: Duration = Duration::from_secs(75);

/// One peer's lines, with the node's names for them.
pub(super) struct Lines {
    pub(super) link: PeerLink,
    /// As whom we talk on them.
    pub(super) own: OwnIdentity,
    publication: Option<PublicationId>,
    public: Option<PlaybackId>,
    pub(super) private: Option<PlaybackId>,
    pub(super) candidates: Vec<Route>,
    /// When they are to be closed, nobody needing them.
    part_at: Option<Instant>,
    pub(super) idle_since: Instant,
    /// The far end's media on its way to frames.
    pub(super) incoming: Incoming,
    /// Packets received, when last looked.
    pub(super) packets: u64,
    /// When it was last told how its packets fare.
    pub(super) reported: Option<Instant>,
}

impl ClientMachine {
    /// Ends what there is with everybody, and with the servers.
    pub(super) fn go(&mut self, now: Instant) {
        let peers: Vec<PeerId> = self.links.keys().copied().collect();
        for peer in peers {
            self.with_link(now, peer, |link| link.close());
            self.node.close_peer(now, peer);
        }
        self.disconnect_all(now);
    }

    /// Lets the link of a peer decide, and carries out what it decides.
    pub(super) fn with_link(
        &mut self,
        now: Instant,
        peer: PeerId,
        act: impl FnOnce(&mut PeerLink) -> Vec<LinkEffect>,
    ) {
        if let Some(lines) = self.links.get_mut(&peer) {
            let effects = act(&mut lines.link);
            self.carry_out_lines(now, peer, effects);
        }
    }

    pub(super) fn dial_lines(&mut self, now: Instant, peer: PeerId, offer: Capabilities) {
        if self.call.up().any(|up| up == peer) && self.links.contains_key(&peer) {
            // An attempt at getting the lost lines back is under way.
            self.hurry_lines(now, peer);
            return;
        }
        let own = self.own_for(peer);
        if !self.has_link(now, peer, own) {
            return;
        }
        let candidates = self.places_of(peer);
        if let Some(lines) = self.links.get_mut(&peer) {
            lines.part_at = None;
            lines.candidates = candidates;
        }
        self.with_link(now, peer, |link| link.dial(offer));
    }

    pub(super) fn say(&mut self, now: Instant, peer: PeerId, message: Message) {
        if let Message::Bye { call, .. } = message
            && self.links.get(&peer).is_some_and(|lines| lines.link.takes_additions())
        {
            self.goodbyes.said(now, peer, call, message.clone());
        }
        self.with_link(now, peer, |link| link.say(message));
    }

    /// The call over these lines is over, and they serve nothing else.
    pub(super) fn part(&mut self, now: Instant, peer: PeerId) {
        if let Some(lines) = self.links.get_mut(&peer) {
            let plain = lines.link.far() == Far::Plain;
            lines.part_at = Some(now + if plain { PART_AFTER_PLAIN } else { PART_AFTER });
        }
    }

    /// The lines are needed again.
    pub(super) fn keep(&mut self, peer: PeerId) {
        if let Some(lines) = self.links.get_mut(&peer) {
            lines.part_at = None;
        }
    }

    /// A server is there: what waits for those who are found on it is said.
    pub(super) fn write_through(&mut self, now: Instant, which: &Which) {
        for peer in self.waited_for() {
            if self.server_for(peer) == *which {
                self.came_online(now, peer);
            }
        }
    }

    /// Somebody asks to play a stream of ours.
    pub(super) fn wants_to_play(
        &mut self,
        now: Instant,
        subscriber: SubscriberId,
        name: &str,
        peer: PeerId,
        own: OwnIdentity,
    ) {
        if self.wants_screen(now, subscriber, name, peer, own) {
            return;
        }
        let named = name.parse::<PeerId>().ok();
        let is_mine = named.is_some() && named == self.me_as(own);
        if is_mine && self.public_as(own).is_some() && self.leaving.is_none() {
            if !self.config.blocked.contains(&peer) && self.has_link(now, peer, own) {
                self.with_link(now, peer, |link| link.wants_public(now, subscriber));
                return;
            }
        } else if named == Some(peer) && self.links.get(&peer).is_some_and(|lines| lines.own == own) {
            // A private line is played only to the peer it is named after.
            self.with_link(now, peer, |link| link.wants_private(subscriber));
            return;
        }
        self.node.refuse_subscriber(now, subscriber);
    }

    pub(super) fn play_started(
        &mut self,
        now: Instant,
        subscriber: SubscriberId,
        publication: PublicationId,
    ) {
        self.screen_plays(now, subscriber, publication);
        if let Some(peer) = self.peer_by(|lines| lines.publication == Some(publication)) {
            self.with_link(now, peer, |link| link.play_started(subscriber));
            self.say_what_waits(now, peer);
        }
    }

    pub(super) fn subscriber_gone(
        &mut self,
        now: Instant,
        subscriber: SubscriberId,
        publication: Option<PublicationId>,
        vanished: bool,
    ) {
        self.screen_plays_no_more(subscriber);
        let private =
            publication.and_then(|publication| self.peer_by(|lines| lines.publication == Some(publication)));
        let peers: Vec<PeerId> = match private {
            Some(peer) => vec![peer],
            None => self.links.keys().copied().collect(),
        };
        for peer in peers {
            self.with_link(now, peer, |link| link.subscriber_gone(subscriber, vanished));
        }
    }

    pub(super) fn playback_status(&mut self, now: Instant, playback: PlaybackId, code: &StatusCode) {
        if code.as_str() == "NetStream.Play.Start"
            && let Some(peer) = self.peer_by(|lines| lines.public == Some(playback))
        {
            self.with_link(now, peer, PeerLink::public_playing);
        }
    }

    pub(super) fn playback_ended(&mut self, now: Instant, playback: PlaybackId, end: PlaybackEnd) {
        self.far_screen_ended(playback);
        if let Some(peer) = self.peer_by(|lines| lines.private == Some(playback)) {
            self.with_link(now, peer, |link| link.playback_ended(true, end));
        } else if let Some(peer) = self.peer_by(|lines| lines.public == Some(playback)) {
            self.with_link(now, peer, |link| link.playback_ended(false, end));
        }
    }

    pub(super) fn data(&mut self, now: Instant, playback: PlaybackId, handler: &str, arguments: &[Value]) {
        // The public stream carries nothing.
        let Some(peer) = self.peer_by(|lines| lines.private == Some(playback)) else { return };
        if let Some(message) = Message::from_data(handler, arguments) {
            self.with_link(now, peer, |link| link.heard(message));
            self.say_what_waits(now, peer);
        }
    }

    pub(super) fn tick_lines(&mut self, now: Instant) {
        if self.lines_deadline().is_none_or(|at| at > now) {
            return;
        }
        let due: Vec<PeerId> =
            self.links.iter().filter(|(peer, _)| self.ends_at(peer) <= Some(now)).map(|(p, _)| *p).collect();
        for peer in due {
            if self.ends_at(&peer).is_some() {
                self.with_link(now, peer, |link| link.close());
            }
        }
    }

    pub(super) fn lines_deadline(&self) -> Option<Instant> {
        self.links.keys().filter_map(|peer| self.ends_at(peer)).min()
    }

    /// When lines are to be closed for want of use.
    fn ends_at(&self, peer: &PeerId) -> Option<Instant> {
        let lines = self.links.get(peer)?;
        if self.call.is_with(*peer) {
            return None;
        }
        let idle = if lines.link.lines_up() { IDLE } else { UNFINISHED };
        Some(lines.part_at.unwrap_or(lines.idle_since + idle))
    }

    /// Whether there are lines with a peer, of that identity of ours, or room for some.
    fn has_link(&mut self, now: Instant, peer: PeerId, own: OwnIdentity) -> bool {
        if let Some(lines) = self.links.get(&peer) {
            return lines.own == own;
        }
        if self.is_me(peer) || !self.make_room(now, peer) {
            return false;
        }
        let lines = Lines {
            link: self.new_link(now, own),
            own,
            publication: None,
            public: None,
            private: None,
            candidates: vec![],
            part_at: None,
            idle_since: now,
            incoming: Incoming::default(),
            packets: 0,
            reported: None,
        };
        self.links.insert(peer, lines);
        true
    }

    /// Whether there is room for lines with this peer. For somebody known, a stranger on whose lines nothing was said for the
    /// longest time goes.
    fn make_room(&mut self, now: Instant, peer: PeerId) -> bool {
        let is_nobody = |peer: &PeerId| !self.is_known(*peer) && !self.call.is_with(*peer);
        let mut strangers: Vec<(Instant, PeerId)> = self
            .links
            .iter()
            .filter(|(peer, _)| is_nobody(peer))
            .map(|(peer, lines)| (lines.idle_since, *peer))
            .collect();
        let is_full = self.links.len() >= MOST_LINKS;
        if !self.is_known(peer) {
            return !is_full && strangers.len() < MOST_STRANGERS;
        }
        strangers.sort_unstable();
        match strangers.first() {
            Some((_, longest)) if is_full => self.with_link(now, *longest, PeerLink::close),
            _ if is_full => return false,
            _ => {}
        }
        true
    }

    pub(super) fn peer_by(&self, is_it: impl Fn(&Lines) -> bool) -> Option<PeerId> {
        self.links.iter().find(|(_, lines)| is_it(lines)).map(|(peer, _)| *peer)
    }

    fn carry_out_lines(&mut self, now: Instant, peer: PeerId, effects: Vec<LinkEffect>) {
        self.dirty |= !effects.is_empty();
        let own = self.own_for(peer);
        let (me, public) = (self.me_as(own), self.public_as(own));
        for effect in effects {
            if let LinkEffect::Tell(news) = effect {
                self.line_news(now, peer, news);
                continue;
            }
            let Some(lines) = self.links.get_mut(&peer) else { return };
            match effect {
                LinkEffect::PublishPrivate => {
                    lines.publication = Some(self.node.publish_direct(now, &peer.to_string()));
                }
                LinkEffect::PlayPublic => {
                    let name = peer.to_string();
                    lines.public =
                        Some(self.node.play_direct_as(now, lines.own, peer, &name, &lines.candidates));
                }
                LinkEffect::PlayPrivate => {
                    let Some(me) = me else { continue };
                    let name = me.to_string();
                    lines.private =
                        Some(self.node.play_direct_as(now, lines.own, peer, &name, &lines.candidates));
                }
                LinkEffect::ClosePrivatePlayback => {
                    if let Some(playback) = lines.private.take() {
                        self.node.close_playback(now, playback);
                    }
                    lines.incoming = Incoming::default();
                    self.recording_untold(now, peer);
                    self.chat_lines_anew(now, peer);
                }
                LinkEffect::AcceptPublic(subscriber) => match public {
                    Some(public) => self.node.accept_subscriber(now, subscriber, public),
                    None => self.node.refuse_subscriber(now, subscriber),
                },
                LinkEffect::AcceptPrivate(subscriber) => match lines.publication {
                    Some(private) => self.node.accept_subscriber(now, subscriber, private),
                    None => self.node.refuse_subscriber(now, subscriber),
                },
                LinkEffect::Refuse(subscriber) => self.node.refuse_subscriber(now, subscriber),
                LinkEffect::Send(message) => {
                    if let Some(listener) = lines.link.listener() {
                        let (handler, arguments) = message.to_data();
                        self.node.send_data(now, Target::Subscriber(listener), handler, arguments);
                    }
                }
                LinkEffect::Close => self.close_lines(now, peer),
                LinkEffect::Tell(_) => {}
            }
        }
    }

    fn close_lines(&mut self, now: Instant, peer: PeerId) {
        if let Some(lines) = self.links.remove(&peer) {
            for playback in [lines.public, lines.private].into_iter().flatten() {
                self.node.close_playback(now, playback);
            }
            if let Some(publication) = lines.publication {
                self.node.unpublish(now, publication);
            }
        }
        self.goodbyes.forget(peer);
        self.recording_untold(now, peer);
        self.chat_lines_lost(now, peer);
    }

    fn line_news(&mut self, now: Instant, peer: PeerId, news: LinkNews) {
        let is_word = match &news {
            LinkNews::Named { .. } => true,
            LinkNews::Heard(message) => !matches!(message, Message::Ended(_)),
            _ => false,
        };
        if is_word && self.config.blocked.contains(&peer) && !self.is_in_our_call(peer) {
            // Blocked since these lines were made: they only say goodbye.
            return;
        }
        let effects = match news {
            LinkNews::Reached => self.call.reached(now, peer),
            LinkNews::Moved { to, offer } => {
                self.moved(now, peer, to, offer);
                return;
            }
            LinkNews::Named { name, capabilities } => {
                if self.stands_in_for_another(now, peer) {
                    return;
                }
                self.goes_by(peer, &name);
                if capabilities.is_none_or(|far| far.intent == Intent::Call) {
                    let gate = self.gate(now, peer);
                    if gate != Gate::Open {
                        self.turn_away(now, peer, capabilities.map(|far| far.call), gate);
                        return;
                    }
                }
                let fallback = self.draw_id();
                let effects = self.call.named(now, peer, &name, capabilities, fallback);
                if capabilities.is_some_and(|far| far.intent == Intent::Chat) {
                    self.with_link(now, peer, PeerLink::give_name);
                }
                effects
            }
            LinkNews::LinesUp => {
                self.chat_lines_up(now, peer);
                self.recording_lines_up(now, peer);
                let effects = self.call.lines_up(now, peer);
                if self.call.flows_with(peer) {
                    // A call that came back: both decoders begin anew.
                    self.begin_pictures(now, peer);
                }
                effects
            }
            LinkNews::Heard(message) => {
                if let Some(lines) = self.links.get_mut(&peer) {
                    lines.idle_since = now;
                }
                self.line_message(now, peer, message);
                return;
            }
            LinkNews::Lost(loss) => self.call.lost(now, peer, loss),
        };
        self.carry_out(now, effects);
    }

    fn line_message(&mut self, now: Instant, peer: PeerId, message: Message) {
        match message {
            Message::Text { id, text } => self.receive(now, peer, Some(id), text),
            Message::Chat { text, .. } => self.receive(now, peer, None, text),
            Message::TextAck(id) => self.acknowledged(now, peer, id),
            Message::Read(up_to) => self.conversations.read_there(peer, up_to),
            Message::Typing => self.far_types(now, peer),
            Message::FileOffer { .. }
            | Message::FileWant { .. }
            | Message::FileGoOn { .. }
            | Message::FileBytes { .. }
            | Message::FileEnd { .. }
            | Message::FileDone(_)
            | Message::FileStop { .. } => self.file_message(now, peer, message),
            Message::Media { video, muted, .. } => self.media.far_says(peer, video, muted),
            Message::Recording(on) => self.far_records(peer, on),
            Message::KeyFrameWanted => {
                if self.call.flows_with(peer) {
                    self.tell_encoder();
                }
            }
            Message::Ways(theirs) => self.far_ways(now, peer, theirs),
            Message::Screen { on } => self.far_screen(now, peer, on),
            Message::ScreenKeyFrameWanted => self.screen_key_frame_wanted(peer),
            Message::Delays(report) => self.delays_reported(now, peer, &report),
            Message::Report { concealed_percent, receive_kbps, sound_lost_percent } => {
                tracing::debug!(concealed_percent, receive_kbps, "the far end reports");
                if let Some(percent) = sound_lost_percent.filter(|_| self.call.flows_with(peer)) {
                    self.media.sound_again.on_report(percent);
                }
            }
            Message::Verify(step) => self.verify_step(now, peer, step),
            Message::Call { call, video } => {
                self.keep(peer);
                let name = self.told_name(peer).map_or_else(|| peer.short(), str::to_owned);
                let gate = self.gate(now, peer);
                if gate != Gate::Open {
                    self.turn_away(now, peer, Some(call), gate);
                    return;
                }
                let lines = LinesNow {
                    up: self.links.get(&peer).is_some_and(|lines| lines.link.lines_up()),
                    plain: false,
                };
                let effects = self.call.offered(now, Offer { peer, name, call, video, lines });
                self.carry_out(now, effects);
            }
            Message::Ended(call) => self.goodbyes.answered(peer, call),
            other => {
                let effects = self.call.heard(now, peer, &other);
                self.carry_out(now, effects);
            }
        }
    }
}
