//! How much the path to a far end carries of ours, all of it counted: from what the far end reports of delays and losses.
//! Pure.
//!
//! A queue that grows tells first that too much is sent; then the rate falls at once to a little less than what arrives.
//! While nothing waits the rate grows: by a fixed step near where it fell last, so that two who share a path end up with
//! equal parts, and ever faster where nothing is known. Losses alone lower it only when they are heavy, and not when less
//! sent does not mean less lost: radio links lose packets without being full. A queue that does not shrink however little
//! is sent is somebody else's, and counts as part of the path.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::departures::Feedback;

/// Bits a second at which a call begins.
pub(crate) const START: f64 = 700_000.0;
/// The least that is ever assumed.
pub(crate) const LEAST: f64 = 30_000.0;
/// Growth a second where nothing is known, as a factor's logarithm.
const FAST: f64 = 0.42;
/// Growth near where the rate fell last, in bits a second each second at [`STEP_AT`]; less for less, by the square root.
const STEP: f64 = 42_000.0;
const STEP_AT: f64 = 500_000.0;
const SMALLEST_STEP: f64 = 9_000.0;
/// The rate falls to so much of what arrives.
const FALL: f64 = 0.85;
/// It falls to so much when pictures are stuck here, and a queue of so many seconds is assumed.
const STALL: f64 = 0.6;
const STALL_QUEUE: f64 = 0.4;
/// Reports that come within this time may still tell of before.
const STALL_LASTS: Duration = Duration::from_millis(200);
/// Beyond so much of what arrived when it fell last, the path has changed.
const BEYOND: f64 = 1.2;
/// Seconds of queue that are no sign of anything.
const CALM_QUEUE: f64 = 0.045;
/// What arrives is counted over so many seconds.
const ARRIVING: f64 = 0.45;
/// What arrives from a queue is counted over fewer, as it comes evenly and tells of a change.
const ARRIVING_NOW: f64 = 0.17;
/// The base of delays is the least of the last so many seconds.
const BASE_SECONDS: usize = 15;
/// Losses are judged over so long.
const LOSS_WINDOW: Duration = Duration::from_secs(3);
/// And compared with the least over so long.
const LOSS_MEMORY: Duration = Duration::from_secs(10);
/// Shares lost: below the first nothing is wrong, above the second too much is sent unless shown otherwise.
const LIGHT_LOSS: f64 = 0.02;
const HEAVY_LOSS: f64 = 0.12;
/// What chance is allowed to add, in standard deviations of the share lost.
const CHANCE: f64 = 2.0;
/// Falls in a row without effect that show a queue, or losses, to be somebody else's.
const IN_VAIN: u32 = 3;
/// Losses that were shown to be nobody's fault are borne for so long.
const LOSSES_BORNE: Duration = Duration::from_secs(30);

/// What is known of the path to a far end.
#[derive(Debug)]
pub(crate) struct PathEstimate {
    rate: f64,
    most: f64,
    /// What arrived when the rate fell last.
    capacity: Option<f64>,
    base: Base,
    /// Seconds that what arrived last had waited, somebody else's queue left out.
    queue: f64,
    /// Somebody else's.
    others: f64,
    /// Waits of the last seconds, for what is somebody else's.
    waits: VecDeque<(Instant, f64)>,
    /// How far delays spread without a queue, in seconds.
    spread: f64,
    arrived: VecDeque<(f64, u64)>,
    /// Bytes that have left here.
    left: VecDeque<(Instant, u64)>,
    counted: VecDeque<(Instant, u64, u64)>,
    losses: VecDeque<(Instant, f64)>,
    fell: Option<Fall>,
    /// When pictures were found stuck here last.
    stalled: Option<Instant>,
    in_vain: u32,
    lossy: Option<LossFall>,
    losses_borne: Option<(Instant, f64)>,
    heard: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Fall {
    at: Instant,
    /// Seconds of queue then, and the rate after it.
    queue: f64,
    rate: f64,
}

/// The rate is falling for the sake of losses.
#[derive(Clone, Copy, Debug)]
struct LossFall {
    from: f64,
    loss: f64,
    at: Instant,
}

impl PathEstimate {
    /// A path nothing is known about, of which no more than `most` bits a second are wanted.
    pub(crate) fn new(most: f64) -> Self {
        Self {
            rate: START.min(most),
            most,
            capacity: None,
            base: Base::default(),
            queue: 0.0,
            others: 0.0,
            waits: VecDeque::new(),
            spread: 0.0,
            arrived: VecDeque::new(),
            left: VecDeque::new(),
            counted: VecDeque::new(),
            losses: VecDeque::new(),
            fell: None,
            stalled: None,
            in_vain: 0,
            lossy: None,
            losses_borne: None,
            heard: None,
        }
    }

    /// No more is wanted than this.
    pub(crate) fn set_most(&mut self, most: f64) {
        self.most = most;
        self.rate = self.rate.min(most);
    }

    /// Bits a second that the path carries.
    pub(crate) fn rate(&self) -> f64 {
        self.rate
    }

    /// Seconds that what arrives has waited in queues, as far as our sending less helps.
    pub(crate) fn queue(&self) -> f64 {
        self.queue
    }

    /// Share of fragments that got lost over the last three seconds, 0 to 1.
    pub(crate) fn loss(&self) -> f64 {
        let (Some(first), Some(last)) = (self.counted.front(), self.counted.back()) else { return 0.0 };
        let (sent, received) = (last.1 - first.1, last.2 - first.2);
        if sent == 0 { 0.0 } else { (1.0 - received as f64 / sent as f64).clamp(0.0, 1.0) }
    }

    /// How far arrivals spread anyway.
    pub(crate) fn spread(&self) -> Duration {
        Duration::from_secs_f64(self.spread.clamp(0.0, MOST_SPREAD))
    }

    /// Share of the rate to send now: less while a queue is to be drained.
    pub(crate) fn share(&self) -> f64 {
        let over = self.queue - self.tolerated();
        if over <= 0.0 { 1.0 } else { (1.0 - over / 0.8).clamp(0.2, 1.0) }
    }

    /// When the far end reported last.
    pub(crate) fn heard(&self) -> Option<Instant> {
        self.heard
    }

    /// Whether less than what was once tried is known to fit.
    pub(crate) fn has_fallen(&self) -> bool {
        self.fell.is_some()
    }

    /// The far end reported.
    pub(crate) fn take(&mut self, now: Instant, feedback: &Feedback, round_trip: Duration) {
        let passed = self.heard.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.heard = Some(now);
        if passed > SILENCE {
            self.after_silence(now, passed);
        }
        self.count_losses(now, feedback);
        self.count_arrived(feedback);
        self.measure_queue(now, &feedback.delays);
        if self.queue > self.tolerated() {
            self.ease_queue(now, round_trip);
        } else if !self.ease_losses(now) {
            self.grow(now, passed.min(LONGEST_STEP).as_secs_f64());
        }
        self.rate = self.rate.clamp(LEAST.min(self.most), self.most);
    }

    /// What was to go out at this rate could not for a long moment, and no report has said why yet: the path has become
    /// narrow, and the next reports will say how narrow.
    pub(crate) fn note_stall(&mut self, now: Instant) {
        if self.fell.is_some_and(|fell| now.saturating_duration_since(fell.at) < AFTER_A_FALL) {
            return;
        }
        self.rate = (self.rate * STALL).max(LEAST.min(self.most));
        self.queue = self.queue.max(STALL_QUEUE);
        self.stalled = Some(now);
        self.fell = Some(Fall { at: now, queue: self.queue, rate: self.rate });
    }

    /// So many bytes have left for the far end so far. Told before each report of its.
    pub(crate) fn note_left(&mut self, now: Instant, bytes: u64) {
        if self.left.back().is_some_and(|(_, before)| *before > bytes) {
            // Another session.
            self.left.clear();
        }
        self.left.push_back((now, bytes));
        while self.left.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > LEFT_MEMORY) {
            self.left.pop_front();
        }
    }

    /// Bits a second that left over the last moment, at least so long.
    fn leaving(&self, span: Duration) -> Option<f64> {
        let (now, bytes) = self.left.back()?;
        let past = self.left.iter().rev().find(|(at, _)| now.saturating_duration_since(*at) >= span);
        let (since, before) = past.or(self.left.front())?;
        let passed = now.saturating_duration_since(*since).as_secs_f64();
        (passed > 0.0).then(|| bytes.saturating_sub(*before) as f64 * 8.0 / passed)
    }

    /// Whether little leaves because pictures are held back since a stall, and not because they are easy.
    fn holds_back(&self, now: Instant) -> bool {
        self.stalled.is_some_and(|at| now.saturating_duration_since(at) < HELD_BACK)
    }

    /// The least that the rate may fall to for a queue of now. Where far less leaves than is allowed, because the picture is
    /// easy, and all of that arrives, what arrives does not tell what the path would carry.
    fn least_after_fall(&self) -> f64 {
        if self.left.back().is_some_and(|(now, _)| self.holds_back(*now)) {
            return 0.0;
        }
        let few = self.rate * self.share() * MUCH_LESS;
        let eases = |span| self.leaving(span).filter(|leaving| *leaving < few);
        let Some((lately, longer)) = eases(LEFT_LATELY).zip(eases(LEFT_MEMORY)) else { return 0.0 };
        // Less arrives where the path is full, and more where a queue drains.
        if self.arriving(ARRIVING).is_none_or(|arriving| !(0.7..1.5).contains(&(arriving / lately))) {
            return 0.0;
        }
        self.rate.min(lately.max(longer) * 2.0 + EASY_ROOM)
    }

    /// Seconds of queue that are put up with: the spread of arrivals, and a packet or two of our own.
    fn tolerated(&self) -> f64 {
        CALM_QUEUE + self.spread.min(MOST_SPREAD) + (2.0 * PACKET / self.rate).min(0.12)
    }

    /// Nothing was heard for a while: a way that was cut, or is new. It is as wide as before until it shows otherwise, but
    /// better not tried to the full at once.
    fn after_silence(&mut self, now: Instant, passed: Duration) {
        self.rate *= if passed > LONG_SILENCE { 0.5 } else { 0.75 };
        if passed > LONG_SILENCE {
            // Where pictures pause and nothing is said, nothing arrives to be reported: a low rate would never be refuted.
            self.rate = self.rate.max(TRIED_AGAIN);
        }
        self.capacity = None;
        self.arrived.clear();
        self.counted.clear();
        self.losses.clear();
        self.waits.clear();
        self.fell = Some(Fall { at: now, queue: 0.0, rate: self.rate });
    }

    fn count_losses(&mut self, now: Instant, feedback: &Feedback) {
        let Some(sent) = feedback.sent else { return };
        if self.counted.back().is_some_and(|last| sent < last.1 || feedback.received < last.2) {
            // Another session.
            self.counted.clear();
        }
        self.counted.push_back((now, sent, feedback.received));
        while self.counted.front().is_some_and(|(at, ..)| now.saturating_duration_since(*at) > LOSS_WINDOW) {
            self.counted.pop_front();
        }
        self.losses.push_back((now, self.loss()));
        while self.losses.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > LOSS_MEMORY) {
            self.losses.pop_front();
        }
    }

    fn count_arrived(&mut self, feedback: &Feedback) {
        if self.arrived.back().is_some_and(|(clock, _)| *clock > feedback.clock) {
            self.arrived.clear();
        }
        self.arrived.push_back((feedback.clock, feedback.bytes));
        while self.arrived.front().is_some_and(|(clock, _)| feedback.clock - clock > ARRIVED_MEMORY) {
            self.arrived.pop_front();
        }
    }

    /// Bits a second that arrived over at least so many seconds.
    fn arriving(&self, seconds: f64) -> Option<f64> {
        let (clock, bytes) = self.arrived.back()?;
        let (since, before) = self.arrived.iter().rev().find(|(at, _)| clock - at >= seconds)?;
        Some(bytes.saturating_sub(*before) as f64 * 8.0 / (clock - since))
    }

    fn measure_queue(&mut self, now: Instant, delays: &[f64]) {
        // The least of the newest few: a packet or two may wait for a picture's, all of them only for a queue.
        let newest = delays.get(..delays.len().min(NEWEST)).unwrap_or_default();
        let Some(least) = newest.iter().copied().reduce(f64::min) else { return };
        let average = newest.iter().sum::<f64>() / newest.len() as f64;
        let wait = (least - self.base.note(now, least)).max(0.0);
        self.waits.push_back((now, wait));
        while self.waits.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > WAITS_MEMORY) {
            self.waits.pop_front();
        }
        let smallest = self.waits.iter().map(|(_, wait)| *wait).fold(f64::INFINITY, f64::min);
        self.others = self.others.min(smallest);
        self.queue = wait - self.others;
        if self.stalled.is_some_and(|at| now.saturating_duration_since(at) < STALL_LASTS) {
            self.queue = self.queue.max(STALL_QUEUE);
        }
        if self.queue < self.tolerated() {
            self.spread += ((average - least) - self.spread) * 0.05;
        }
    }

    /// Too much is sent, or others send too much.
    fn ease_queue(&mut self, now: Instant, round_trip: Duration) {
        let Some(arriving) = self.arriving(ARRIVING_NOW) else { return };
        if let Some(fell) = self.fell {
            // What arrives now was sent before the fall: it tells better and better how wide the path has become. But a queue
            // that neither grows, nor loses anything, nor held anything up here may be none of ours.
            let before = round_trip + Duration::from_secs_f64(self.queue.clamp(0.0, LONGEST_EFFECT));
            let has_grown = self.queue > fell.queue + GROWN;
            let is_ours = has_grown || self.loss() > HEAVY_LOSS / 2.0 || self.holds_back(now);
            let least = if is_ours { 0.0 } else { fell.rate * 0.4 };
            let lower = (arriving * FALL).max(least).max(self.least_after_fall());
            if self.in_vain == 0 && now.saturating_duration_since(fell.at) < before && lower < self.rate {
                self.rate = lower;
                self.capacity = Some(arriving);
                return;
            }
            let effect_after =
                round_trip + Duration::from_secs_f64(0.2 + fell.queue.clamp(0.0, LONGEST_EFFECT));
            if now.saturating_duration_since(fell.at) < effect_after {
                return;
            }
            let recent = now.saturating_duration_since(fell.at) < effect_after + AFTER_A_FALL;
            if recent && self.queue < 0.8 * fell.queue {
                // It drains.
                self.fell = Some(Fall { at: now - effect_after, queue: self.queue, rate: self.rate });
                return;
            }
            // Sound alone cannot send less: a queue that it keeps is its own.
            self.in_vain = if recent && self.rate > SOUND_ALONE { self.in_vain + 1 } else { 0 };
        }
        if self.in_vain >= IN_VAIN {
            self.in_vain = 0;
            self.others = self.waits.iter().map(|(_, wait)| *wait).fold(f64::INFINITY, f64::min);
            self.queue = 0.0;
            return;
        }
        // Of what was already held back, less arrives than the path would carry.
        let least = if self.in_vain > 0 { self.rate * 0.6 } else { 0.0 };
        let easy = self.least_after_fall();
        self.rate = self.rate.min((arriving * FALL).max(least).max(easy));
        self.capacity = Some(arriving).filter(|_| easy == 0.0).or(self.capacity);
        self.fell = Some(Fall { at: now, queue: self.queue, rate: self.rate });
    }

    /// Whether losses speak against growing; falls when they are heavy.
    fn ease_losses(&mut self, now: Instant) -> bool {
        let loss = self.loss();
        let counted =
            self.counted.back().zip(self.counted.front()).map_or(0, |(last, first)| last.1 - first.1);
        if counted < ENOUGH_SENT {
            return false;
        }
        if let Some((until, borne)) = self.losses_borne {
            if now < until && loss < borne + HEAVY_LOSS {
                return false;
            }
            self.losses_borne = None;
        }
        if loss <= LIGHT_LOSS {
            self.lossy = None;
            return false;
        }
        if loss <= HEAVY_LOSS {
            // Losses that were there before are the path's own; those that came as more was sent are not.
            let least = self.losses.iter().map(|(_, loss)| *loss).fold(f64::INFINITY, f64::min);
            let known =
                self.losses.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > LOSS_WINDOW);
            // Of few fragments now more and now fewer get lost by chance alone.
            let chance = CHANCE * (loss / counted as f64).sqrt();
            return !known || loss > least + LIGHT_LOSS + chance;
        }
        let mut fall = *self.lossy.get_or_insert(LossFall { from: self.rate, loss, at: now });
        if now.saturating_duration_since(fall.at) < LOSS_WINDOW / 2 {
            return true;
        }
        if self.rate >= fall.from {
            // Of the few fragments it began with many may have been lost by chance: no loss would ever look as heavy.
            fall.loss = loss;
        }
        if self.rate < fall.from * 0.55 && loss > fall.loss * 0.7 {
            // It is not our sending that loses them.
            self.losses_borne = Some((now + LOSSES_BORNE, loss.max(fall.loss)));
            self.lossy = None;
            self.rate = fall.from * 0.9;
            return true;
        }
        self.rate *= 1.0 - 0.5 * loss;
        self.capacity = Some(self.rate / FALL);
        self.lossy = Some(LossFall { at: now, ..fall });
        true
    }

    fn grow(&mut self, now: Instant, passed: f64) {
        let settled = self.fell.is_none_or(|fell| now.saturating_duration_since(fell.at) > AFTER_A_FALL);
        if self.queue > self.tolerated() / 2.0 || !settled {
            return;
        }
        self.in_vain = 0;
        if self.capacity.is_some_and(|capacity| self.rate > capacity * BEYOND) {
            self.capacity = None;
        }
        let grown = match self.capacity {
            Some(capacity) if self.rate > capacity * 0.8 => {
                self.rate + passed * (STEP * (self.rate / STEP_AT).sqrt()).clamp(SMALLEST_STEP, STEP * 1.2)
            }
            _ => self.rate * (passed * FAST).exp(),
        };
        // What is not sent shows nothing. But a path that never showed a limit is good for a whole picture: an easy one sends
        // little, and would stay small for ever.
        let Some(arriving) = self.arriving(ARRIVING) else { return };
        let unproven = self.fell.is_none() && arriving > SOUND_AND_LITTLE;
        let shown = (arriving * 1.5 + 40_000.0).max(if unproven { UNPROVEN } else { 0.0 });
        self.rate = grown.min(shown.max(self.rate));
    }
}

/// The least delay of the last seconds: what the path takes without queues, as the two clocks count it.
#[derive(Debug, Default)]
struct Base {
    /// The least of each second, the latest last.
    seconds: VecDeque<(Instant, f64)>,
}

impl Base {
    /// Notes a delay; answers the base.
    fn note(&mut self, now: Instant, delay: f64) -> f64 {
        match self.seconds.back_mut() {
            Some((since, least)) if now.saturating_duration_since(*since) < Duration::from_secs(1) => {
                *least = least.min(delay);
            }
            _ => self.seconds.push_back((now, delay)),
        }
        if self.seconds.len() > BASE_SECONDS {
            self.seconds.pop_front();
        }
        self.seconds.iter().map(|(_, least)| *least).fold(f64::INFINITY, f64::min)
    }
}

/// Bits of a packet.
const PACKET: f64 = 9_600.0;
/// Seconds of spread that count at most: more than that is a queue after all.
const MOST_SPREAD: f64 = 0.06;
/// Of the delays in a report, so many of the newest say how it stands now.
const NEWEST: usize = 3;
/// Seconds of arrivals remembered.
const ARRIVED_MEMORY: f64 = 1.5;
/// What leaves is looked at over so long, and over the last of it.
const LEFT_MEMORY: Duration = Duration::from_millis(1_200);
const LEFT_LATELY: Duration = Duration::from_millis(500);
/// For so long after a stall little leaves.
const HELD_BACK: Duration = Duration::from_millis(2_500);
/// Share of the rate below which what leaves does not show what the path carries.
const MUCH_LESS: f64 = 0.6;
/// Bits a second that an easy picture is left beyond twice what it needs: a small picture, should it become hard.
const EASY_ROOM: f64 = 200_000.0;
/// Bits a second that a path is taken to carry which never showed a limit.
const UNPROVEN: f64 = 1_700_000.0;
/// Less than this is no picture: what one would need nobody knows.
const SOUND_AND_LITTLE: f64 = 100_000.0;
/// Waits remembered.
const WAITS_MEMORY: Duration = Duration::from_secs(1);
/// A fall shows its effect before the next growth, and one soon after it is part of the same story.
const AFTER_A_FALL: Duration = Duration::from_millis(600);
/// Seconds by which a queue has grown that is fed by us.
const GROWN: f64 = 0.08;
/// Bits a second that sound takes in any case.
const SOUND_ALONE: f64 = 60_000.0;
/// Seconds of queue that are waited for at most until a fall shows.
const LONGEST_EFFECT: f64 = 0.8;
/// Without a report for so long, the way was cut.
const SILENCE: Duration = Duration::from_millis(900);
const LONG_SILENCE: Duration = Duration::from_secs(3);
/// After a long silence at least so many bits a second are tried: the smallest picture and sound.
const TRIED_AGAIN: f64 = 100_000.0;
/// Reports that are further apart let grow no more than this.
const LONGEST_STEP: Duration = Duration::from_millis(300);
/// Fewer fragments than this say nothing of losses.
const ENOUGH_SENT: u64 = 30;

#[cfg(test)]
mod tests;
