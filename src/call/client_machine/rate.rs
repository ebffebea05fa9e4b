//! How media fare and how much more may be sent: reports of delays both ways, and what follows from them for encoders,
//! queues and the session below.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::media::{Awaits, Fresh};
use super::{ClientEvent, ClientMachine};
use crate::call::additions::Addition;
use crate::call::delay_report::{ArrivalLog, Counted, DelayReport};
use crate::call::departures::Departures;
use crate::call::loss_count::LossCount;
use crate::call::messages::Message;
use crate::call::rate_control::USUAL_SOUND;
use crate::media::encoded::EncodedFrame;
use crate::netconnection::node::{MediaKind, Target};
use crate::rtmfp::PeerId;

/// A fresh picture begins only when what it would wait for, here and on the way, is shorter than this, in seconds: queued
/// behind a long queue it would be old before it is seen, and the next one would be wanted.
const CLEAR: f64 = 0.2;
/// A picture that stands alone is large: it is held up only by more than this.
const CROWDED: f64 = 0.35;
/// Pictures that wait here for longer than this, in seconds, are given up for a fresh one.
const OLDEST_QUEUE: f64 = 0.8;
/// While a picture waits for longer than this before it begins to leave, no more are coded: they would wait behind it, and
/// what is coded and then given up takes all that follows it along.
const LONGEST_UNSENT: Duration = Duration::from_millis(180);
/// Pictures that are given up and could not even begin to leave within this time show that nothing is known of the path any
/// more: none is coded until the far end reports of it.
const STUCK_AFTER: Duration = Duration::from_millis(100);
/// But that is waited for no longer than this.
const LONGEST_STUCK: Duration = Duration::from_millis(1_000);
/// No picture waits for so long.
const FORGOTTEN: Duration = Duration::from_secs(3);
/// What left so much before they were given up met what they met.
const STUCK_SINCE: Duration = Duration::from_millis(100);
/// A queue that does not clear within this time is not waited for any longer.
const LONGEST_HOLD: Duration = Duration::from_millis(1_200);
/// A round trip that has grown by more than this has met a queue.
const LONGER_TRIP: Duration = Duration::from_millis(80);
/// A far end that reported so lately still counts what we show.
const STILL_COUNTED: Duration = Duration::from_secs(6);

/// What is known of the media of one call on their way, both ways.
#[derive(Debug, Default)]
pub(super) struct MediaFlow {
    arrivals: ArrivalLog,
    departures: Departures,
    /// What was lost of ours, as the far end counts it, and of theirs, as we do.
    there: LossCount,
    here: LossCount,
    reported: Option<Instant>,
    /// Since when fresh pictures wait for the queue to clear.
    held_since: Option<Instant>,
    /// Pictures that have not left yet, by their time, and since when they wait; the oldest first.
    unsent: VecDeque<(u32, Instant)>,
    /// When pictures were given up that had not left, if nothing was heard of the path since.
    stuck: Option<Instant>,
    /// Whether the encoder was told to wait.
    holds: bool,
    /// A frame of sound that waits for the next.
    half: Option<EncodedFrame>,
}

impl MediaFlow {
    /// Our losses as the far end counts them, if it does.
    pub(super) fn losses_there(&self, now: Instant) -> Option<&LossCount> {
        self.is_counted(now).then_some(&self.there)
    }

    /// The far end's losses as we count them, if it tells what it sends.
    pub(super) fn losses_here(&self, now: Instant) -> Option<&LossCount> {
        self.is_counted(now).then_some(&self.here)
    }

    /// What goes out with this frame. On a `thin` way two frames of sound go together, as the headers of each packet cost as
    /// much as the sound in it; elsewhere each goes at once.
    pub(super) fn join_sound(&mut self, frame: EncodedFrame, thin: bool) -> [Option<EncodedFrame>; 2] {
        if !matches!(frame, EncodedFrame::Audio { .. }) {
            return [None, Some(frame)];
        }
        match self.half.take() {
            None if thin => {
                self.half = Some(frame);
                [None, None]
            }
            half => [half, Some(frame)],
        }
    }

    /// A picture goes to the queue.
    pub(super) fn note_queued(&mut self, now: Instant, timestamp: u32) {
        self.unsent.push_back((timestamp, now));
    }

    /// A picture left, or fell; since when it had been waiting, if it had.
    fn note_gone(&mut self, timestamp: u32) -> Option<Instant> {
        let at = self.unsent.iter().position(|(other, _)| *other == timestamp)?;
        self.unsent.remove(at).map(|(_, since)| since)
    }

    /// A picture fell.
    pub(super) fn note_abandoned(&mut self, now: Instant, timestamp: u32) {
        let since = self.note_gone(timestamp);
        let waited = since.is_some_and(|since| now.saturating_duration_since(since) >= STUCK_AFTER);
        if waited && self.is_counted(now) {
            self.stuck = Some(now);
        }
    }

    /// Pictures take other lines from now on: of those that waited on the lines before, nothing is heard any more.
    pub(super) fn take_other_lines(&mut self) {
        self.unsent.clear();
        self.stuck = None;
        self.held_since = None;
    }

    /// Whether another picture would only wait.
    fn wants_no_picture(&mut self, now: Instant) -> bool {
        let since = |at: Instant| now.saturating_duration_since(at);
        // Of one that went to a session which is gone nothing is heard any more.
        while self.unsent.pop_front_if(|(_, at)| since(*at) >= FORGOTTEN).is_some() {}
        self.unsent.front().is_some_and(|(_, at)| since(*at) > LONGEST_UNSENT)
            || self.stuck.is_some_and(|at| since(at) < LONGEST_STUCK)
    }

    fn is_counted(&self, now: Instant) -> bool {
        self.reported.is_some_and(|at| now.saturating_duration_since(at) < STILL_COUNTED)
    }
}

impl ClientMachine {
    /// A media message of ours went out.
    pub(super) fn media_left(
        &mut self,
        now: Instant,
        target: Target,
        kind: MediaKind,
        timestamp: u32,
        fragments_sent: u64,
    ) {
        if self.media_target().is_some_and(|(_, ours)| ours == target) {
            self.media.flow.departures.note(now, kind, timestamp, fragments_sent);
            if kind == MediaKind::Video && self.media.flow.note_gone(timestamp).is_some() {
                self.follow_hold(now);
            }
        }
    }

    /// A frame of the far end's came: tells it how, if it wants to know and it is time.
    pub(super) fn note_arrival(&mut self, now: Instant, peer: PeerId, kind: MediaKind, timestamp: u32) {
        if !self.media.flow.arrivals.note(now, kind, timestamp) {
            return;
        }
        let Some(lines) = self.links.get(&peer).filter(|lines| lines.link.takes(Addition::Delays)) else {
            return;
        };
        let Some(listener) = lines.link.listener() else { return };
        let Some(figures) = self.node.peer_figures(now, peer) else { return };
        let counted = Counted {
            received: figures.fragments_received,
            sent: figures.fragments_sent,
            bytes: figures.bytes_received,
        };
        let report = self.media.flow.arrivals.report(now, counted);
        let (handler, arguments) = Message::Delays(report).to_data();
        self.node.send_passing(now, Target::Subscriber(listener), handler, arguments);
    }

    /// The far end tells how our media arrive.
    pub(super) fn delays_reported(&mut self, now: Instant, peer: PeerId, report: &DelayReport) {
        if self.media_peer() != Some(peer) {
            return;
        }
        let Some(figures) = self.node.peer_figures(now, peer) else { return };
        let flow = &mut self.media.flow;
        flow.reported = Some(now);
        let feedback = flow.departures.read(report);
        // A report that waited on its own way tells of before.
        let before = |stuck: &Instant| feedback.left.is_none_or(|left| left + STUCK_SINCE < *stuck);
        flow.stuck = flow.stuck.filter(before);
        if let Some(sent) = feedback.sent {
            flow.there.compare(now, sent, feedback.received);
        }
        flow.here.compare(now, feedback.far_sent, figures.fragments_received);
        self.media.rate.take_feedback(now, &feedback, figures.round_trip, figures.bytes_sent);
        if let Some(rate) = self.media.rate.media_rate() {
            self.node.set_media_rate(now, peer, rate);
        }
        if let Some((_, target)) = self.media_target()
            && self.seconds_waiting(now, target) > OLDEST_QUEUE
        {
            self.node.abandon_video(now, target);
            self.await_fresh();
        }
        self.tell_rates(now);
        self.follow_hold(now);
    }

    /// Tells the encoder to wait, or to go on.
    pub(super) fn follow_hold(&mut self, now: Instant) {
        let waits = self.media.awaits != Awaits::Nothing && !self.look_whether_clear(now);
        let holds = self.media.flow.wants_no_picture(now) || waits;
        if std::mem::replace(&mut self.media.flow.holds, holds) != holds {
            self.told.push_back(ClientEvent::PicturesHeld(holds));
        }
    }

    /// Pictures were given up. When that is because they could not go out, and not because they got lost, the path has become
    /// narrow: a round trip tells that has grown.
    pub(super) fn note_stall(&mut self, now: Instant) {
        let figures = self.media_peer().and_then(|peer| self.node.peer_figures(now, peer));
        let Some(figures) = figures else { return };
        let longer = figures.round_trip.zip(figures.shortest_round_trip);
        if longer.is_some_and(|(trip, shortest)| trip > shortest + LONGER_TRIP) {
            self.media.rate.note_stall(now);
            self.tell_rates(now);
        }
    }

    /// Tells the encoders what they should make, when that is news.
    pub(super) fn tell_rates(&mut self, now: Instant) {
        if let Some(target) = self.media.rate.target_if_new() {
            self.set_target(target);
        }
        if self.media.rate.is_paused()
            && let Some((_, target)) = self.media_target()
            && self.node.queued(target, MediaKind::Video) > 0
        {
            // Nobody waits for what is lost of the last pictures.
            self.node.abandon_video(now, target);
            self.await_fresh();
        }
        if let Some(bits) = self.media.rate.sound_if_new() {
            self.told.push_back(ClientEvent::SoundRate(Some(bits).filter(|bits| *bits < USUAL_SOUND)));
        }
        if self.media.flow.held_since.is_some() {
            self.look_whether_clear(now);
        }
    }

    /// Whether a picture of ours may join what waits; otherwise it is dropped, and a fresh one asked for in time.
    pub(super) fn has_room_for_picture(&mut self, now: Instant, target: Target, picture: Fresh) -> bool {
        if self.media.rate.is_paused() {
            self.await_fresh();
            self.media.flow.held_since = None;
            return false;
        }
        if self.seconds_waiting(now, target) > OLDEST_QUEUE {
            self.node.abandon_video(now, target);
            self.await_fresh();
        }
        // A picture that stands alone because the size changed is no hurry either.
        let crowded = picture.key && self.media.rate.network_queue().is_some_and(|queue| queue > CROWDED);
        if crowded {
            self.await_fresh();
        }
        if self.media.awaits == Awaits::Nothing {
            return true;
        }
        if !self.look_whether_clear(now) {
            return false;
        }
        if !self.media.awaits.is_ended_by(picture) {
            if self.media.awaits == Awaits::Key {
                self.ask_encoder(now);
            }
            return false;
        }
        self.media.awaits = Awaits::Nothing;
        true
    }

    /// Asks for a fresh picture, at once or when the queue is short enough for it.
    pub(super) fn ask_encoder_once_clear(&mut self, now: Instant) {
        if self.look_whether_clear(now) {
            self.ask_encoder(now);
        }
    }

    /// Whether a fresh picture would be fresh when it arrives; or nothing helps.
    fn look_whether_clear(&mut self, now: Instant) -> bool {
        let queue = self.media.rate.network_queue().unwrap_or(0.0);
        let since = *self.media.flow.held_since.get_or_insert(now);
        let clear = queue < CLEAR || now.saturating_duration_since(since) >= LONGEST_HOLD;
        if queue < CLEAR {
            self.media.flow.held_since = None;
        }
        clear
    }

    /// Seconds that pictures wait here at the present rate.
    fn seconds_waiting(&self, now: Instant, target: Target) -> f64 {
        let queued = self.node.queued(target, MediaKind::Video);
        let total = self.media.target.map(|target| f64::from(target.bits_per_second.max(1)));
        // What is asked of the encoders is little while a queue drains, and says nothing of how fast pictures go.
        let part = self.bits_on_line().zip(total).map_or(1.0, |(line, total)| f64::from(line) / total);
        let a_second = self.media.rate.rate() * part / 8.0;
        if queued as f64 <= a_second * OLDEST_QUEUE {
            return 0.0;
        }
        let peer = self.media_peer();
        let trip = peer.and_then(|peer| self.node.peer_figures(now, peer)?.round_trip).unwrap_or_default();
        // What is in flight for one round trip is no queue.
        (queued as f64 / a_second - trip.as_secs_f64()).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn on_a_thin_way_sound_goes_by_twos_and_pictures_hold_nothing_up() {
        let sound = |timestamp| EncodedFrame::Audio { timestamp, packet: Bytes::new() };
        let picture = EncodedFrame::Video {
            timestamp: 5,
            key: true,
            refresh: true,
            config: None,
            nal_units: Bytes::new(),
        };
        let mut flow = MediaFlow::default();
        assert_eq!(flow.join_sound(sound(0), false), [None, Some(sound(0))]);
        assert_eq!(flow.join_sound(sound(20), true), [None, None]);
        assert_eq!(flow.join_sound(picture.clone(), true), [None, Some(picture)]);
        assert_eq!(flow.join_sound(sound(40), true), [Some(sound(20)), Some(sound(40))]);
        assert_eq!(flow.join_sound(sound(60), true), [None, None]);
        assert_eq!(flow.join_sound(sound(80), false), [Some(sound(60)), Some(sound(80))]);
    }

    #[test]
    fn no_more_pictures_are_coded_while_one_waits_for_long_to_leave() {
        let (mut flow, start) = (MediaFlow::default(), Instant::now());
        flow.note_queued(start, 40);
        flow.note_queued(start + Duration::from_millis(40), 80);
        assert!(!flow.wants_no_picture(start + LONGEST_UNSENT));
        assert!(flow.wants_no_picture(start + LONGEST_UNSENT + Duration::from_millis(20)));
        assert_eq!(flow.note_gone(40), Some(start));
        assert!(!flow.wants_no_picture(start + LONGEST_UNSENT + Duration::from_millis(20)));
        assert!(flow.wants_no_picture(start + LONGEST_UNSENT + Duration::from_millis(50)));
        // Nothing is ever heard of it.
        assert!(!flow.wants_no_picture(start + Duration::from_millis(40) + FORGOTTEN));
    }

    #[test]
    fn on_other_lines_no_picture_waits_for_those_that_the_lines_before_kept() {
        let (mut flow, start) = (MediaFlow::default(), Instant::now());
        flow.reported = Some(start);
        flow.note_queued(start, 40);
        flow.note_queued(start, 80);
        let later = start + LONGEST_UNSENT * 2;
        flow.note_abandoned(later, 40);
        assert!(flow.wants_no_picture(later));
        flow.take_other_lines();
        assert!(!flow.wants_no_picture(later));
    }

    #[test]
    fn after_pictures_that_could_not_leave_the_next_one_waits_for_word_of_the_path() {
        let (mut flow, start) = (MediaFlow::default(), Instant::now());
        flow.reported = Some(start - STUCK_AFTER);
        flow.note_queued(start - STUCK_AFTER, 40);
        flow.note_abandoned(start, 40);
        assert!(flow.wants_no_picture(start + LONGEST_STUCK - Duration::from_millis(1)));
        assert!(!flow.wants_no_picture(start + LONGEST_STUCK));
        // One that had left tells nothing of that, nor one that falls with another; nor does a far end that never reports.
        let mut other = MediaFlow { reported: Some(start), ..MediaFlow::default() };
        other.note_abandoned(start, 40);
        other.note_queued(start, 80);
        other.note_abandoned(start, 80);
        assert!(!other.wants_no_picture(start));
        let mut plain = MediaFlow::default();
        plain.note_queued(start - STUCK_AFTER, 40);
        plain.note_abandoned(start, 40);
        assert!(!plain.wants_no_picture(start));
    }
}
