//! How much of what the way to the far end carries goes to sound and to pictures, and what pictures those are. Pure.
//!
//! Sound comes first: its share is never offered to the pictures. What the way carries is [`super::path_estimate`]'s to
//! say where the far end reports delays. A far end that does not is judged here by what a sender alone can see: its own
//! queue, a round trip that grows, and what counts as lost, which may only be a lost acknowledgement. There the rate falls
//! by a third when the queue grows old or losses are heavy, and grows slowly while both are low.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::departures::Feedback;
use super::path_estimate::{LEAST, PathEstimate, START};
use super::picture_choice::{PictureChoice, PicturePause};
use crate::rtmfp::endpoint::MediaRate;

/// The least bits of picture a second, at which the smallest picture still moves.
const LEAST_PICTURE: f64 = 20_000.0;
/// The least when nobody reports: nobody would say that it is well again.
const LEAST_ALONE: f64 = 150_000.0;
/// The most, up to 720 lines and beyond.
const MOST: f64 = 2_500_000.0;
const MOST_BEYOND: f64 = 5_000_000.0;
/// Losses are judged over so long.
const WINDOW: Duration = Duration::from_secs(2);
/// A fall is given so long to show before the next.
const AFTER_A_FALL: Duration = Duration::from_millis(800);
/// No growth for so long after a fall.
const CALM: Duration = Duration::from_secs(3);
/// Of growth, a second.
const GROWTH: f64 = 0.12;
/// Seconds by which a round trip may grow without meaning anything.
const LONGER_TRIP: f64 = 0.15;
/// A far end that reported so lately is listened to.
const LATELY: Duration = Duration::from_secs(4);
/// Of what is offered to pictures, so much is theirs; the rest is headers.
const PAYLOAD: f64 = 0.93;
/// Bits a second of headers that sound costs in its fifty packets, and of reports and acknowledgements.
const BESIDE_SOUND: f64 = 18_000.0;
/// How much longer than the shortest round trip what is in flight may take, arrivals' own spread left out.
const LEEWAY: Duration = Duration::from_millis(30);
/// Arrivals that spread no further are even enough.
const EVEN: Duration = Duration::from_millis(5);
/// Below this rate a picture takes longer to arrive than to be shown, in bits a second.
const NARROW: f64 = 1_000_000.0;

/// Bits of sound a second where there is room.
pub(crate) const USUAL_SOUND: u32 = 48_000;
/// The same elsewhere, and the least that the way must carry for it; the best first.
const SOUND: [(f64, u32); 4] =
    [(500_000.0, USUAL_SOUND), (150_000.0, 32_000), (80_000.0, 24_000), (0.0, 16_000)];
/// Better sound is sent only when there is so much more than just enough.
const AMPLE_FOR_SOUND: f64 = 1.3;

/// The call's figures at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    /// Fragments sent so far.
    pub(crate) sent: u64,
    /// Of them, declared lost.
    pub(crate) lost: u64,
    /// Bytes of pictures queued and not acknowledged.
    pub(crate) queued: usize,
    /// Smoothed round trip.
    pub(crate) round_trip: Option<Duration>,
    /// The shortest.
    pub(crate) shortest_round_trip: Option<Duration>,
}

/// What the person wants at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    /// Lines of picture.
    pub(crate) lines: u32,
    /// Pictures a second.
    pub(crate) frames_per_second: f32,
    /// Bits of picture a second; `None` is as the network allows.
    pub(crate) bits_per_second: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { lines: 720, frames_per_second: 30.0, bits_per_second: None }
    }
}

/// What the encoder should make: upper limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SendTarget {
    /// Bits of picture a second.
    pub bits_per_second: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
    /// Pictures a second.
    pub frames_per_second: f32,
}

/// Decides the rates.
#[derive(Debug)]
pub(crate) struct RateControl {
    path: PathEstimate,
    /// Of the whole, where nobody reports.
    alone: f64,
    last_fall: Option<Instant>,
    window: VecDeque<(Instant, Sample)>,
    /// Seconds that pictures wait here.
    waiting: f64,
    choice: PictureChoice,
    pause: PicturePause,
    sound: usize,
    told: Option<SendTarget>,
    told_sound: u32,
    limits: Limits,
    now: Option<Instant>,
}

impl RateControl {
    /// At the start of a call.
    pub(crate) fn new() -> Self {
        let limits = Limits::default();
        Self {
            path: PathEstimate::new(whole(most_picture(limits))),
            alone: START,
            last_fall: None,
            window: VecDeque::new(),
            waiting: 0.0,
            choice: PictureChoice::new(picture(START, SOUND[0].1), limits.lines),
            pause: PicturePause::new(),
            sound: 0,
            told: None,
            told_sound: SOUND[0].1,
            limits,
            now: None,
        }
    }

    /// Keeps to other limits, with the next step.
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        if self.limits != limits {
            self.limits = limits;
            self.path.set_most(whole(most_picture(limits)));
            self.alone = self.alone.min(whole(most_picture(limits)));
            self.choice.choose_anew(self.picture_rate(), limits.lines);
            self.told = None;
        }
    }

    /// Whether no less can be sent: the way carries hardly anything.
    pub(crate) fn is_at_floor(&self) -> bool {
        let fell = if self.is_reported() { self.path.has_fallen() } else { self.last_fall.is_some() };
        self.pause.is_paused() || fell && self.rate() <= LEAST_ALONE
    }

    /// Whether the way carries so little that headers count.
    pub(crate) fn is_thin(&self) -> bool {
        self.sound + 1 == SOUND.len()
    }

    /// Whether pictures are not worth sending.
    pub(crate) fn is_paused(&self) -> bool {
        self.pause.is_paused()
    }

    /// Bits a second that the way carries of ours, all of it counted.
    pub(crate) fn rate(&self) -> f64 {
        if self.is_reported() { self.path.rate() } else { self.alone }
    }

    /// Seconds that what arrives waited on the way; none where nobody reports.
    pub(crate) fn network_queue(&self) -> Option<f64> {
        self.is_reported().then(|| self.path.queue())
    }

    /// What the session should keep to, where somebody reports.
    pub(crate) fn media_rate(&self) -> Option<MediaRate> {
        let bits = self.path.rate() * self.path.share();
        // Where arrivals are uneven, acknowledgements come no better. On a narrow line the reason is what waits for it, and
        // that must not become more.
        let spread = self.path.spread();
        let back = if bits < NARROW { Duration::ZERO } else { spread.saturating_sub(EVEN) };
        let leeway = LEEWAY + spread + back;
        self.is_reported().then_some(MediaRate { bytes_per_second: (bits / 8.0) as u32, leeway })
    }

    fn is_reported(&self) -> bool {
        self.path.heard().zip(self.now).is_some_and(|(at, now)| now.saturating_duration_since(at) < LATELY)
    }

    /// Percent lost over the last seconds: of what is sent as the far end counts it, or else of what seems lost here.
    pub(crate) fn loss_percent(&self) -> f64 {
        if self.is_reported() {
            return self.path.loss() * 100.0;
        }
        let (Some((_, first)), Some((_, last))) = (self.window.front(), self.window.back()) else {
            return 0.0;
        };
        let sent = last.sent.saturating_sub(first.sent);
        let lost = last.lost.saturating_sub(first.lost);
        if sent == 0 { 0.0 } else { (lost as f64 / sent as f64 * 100.0).min(100.0) }
    }

    /// The far end reported.
    pub(crate) fn take_feedback(
        &mut self,
        now: Instant,
        feedback: &Feedback,
        round_trip: Option<Duration>,
        bytes_left: u64,
    ) {
        self.now = Some(now);
        self.path.note_left(now, bytes_left);
        self.path.take(now, feedback, round_trip.unwrap_or(Duration::from_millis(100)));
        self.follow(now);
    }

    /// Pictures could not even begin to go out in time.
    pub(crate) fn note_stall(&mut self, now: Instant) {
        if self.is_reported() {
            self.path.note_stall(now);
            self.follow(now);
        }
    }

    /// Takes the figures, a few times a second.
    pub(crate) fn step(&mut self, now: Instant, sample: Sample) {
        self.now = Some(now);
        let before = self.window.back().map_or(now, |(at, _)| *at);
        self.window.push_back((now, sample));
        while self.window.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > WINDOW) {
            self.window.pop_front();
        }
        // What is in flight for one round trip is no queue.
        let a_second = self.rate() / 8.0;
        let travelling = a_second * sample.round_trip.unwrap_or_default().as_secs_f64();
        self.waiting = (sample.queued as f64 - travelling).max(0.0) / a_second;
        if !self.is_reported() {
            self.step_alone(now, now.saturating_duration_since(before), sample);
        }
        self.follow(now);
    }

    fn step_alone(&mut self, now: Instant, passed: Duration, sample: Sample) {
        let loss = self.loss_percent();
        let longer = sample
            .round_trip
            .zip(sample.shortest_round_trip)
            .map_or(0.0, |(trip, shortest)| trip.saturating_sub(shortest + shortest / 2).as_secs_f64());
        let most = whole(most_picture(self.limits));
        let since_fall = self.last_fall.map(|at| now.saturating_duration_since(at));
        let too_much = self.waiting > 0.35 || longer > LONGER_TRIP || loss > 12.0;
        if too_much && since_fall.is_none_or(|since| since > AFTER_A_FALL) {
            self.alone = (self.alone * 0.67).max(LEAST_ALONE.min(most));
            self.last_fall = Some(now);
        } else if self.waiting < 0.15
            && longer < LONGER_TRIP / 3.0
            && loss < 6.0
            && since_fall.is_none_or(|since| since > CALM)
        {
            self.alone = (self.alone * (1.0 + GROWTH * passed.as_secs_f64().min(1.0))).min(most);
        }
    }

    fn follow(&mut self, now: Instant) {
        let rate = self.rate();
        self.pause.follow(now, rate);
        while rate < SOUND[self.sound].0 {
            self.sound += 1;
        }
        while self.sound > 0 && rate > SOUND[self.sound - 1].0 * AMPLE_FOR_SOUND {
            self.sound -= 1;
        }
        self.choice.follow(now, self.picture_rate(), self.limits.lines);
    }

    /// Bits of picture a second that there is room for.
    fn picture_rate(&self) -> f64 {
        picture(self.rate(), SOUND[self.sound].1).min(most_picture(self.limits))
    }

    /// Bits of sound a second, when they are others than were told last.
    pub(crate) fn sound_if_new(&mut self) -> Option<u32> {
        let bits = SOUND[self.sound].1;
        (std::mem::replace(&mut self.told_sound, bits) != bits).then_some(bits)
    }

    /// What the encoder should make, when it differs enough from what was told last.
    pub(crate) fn target_if_new(&mut self) -> Option<SendTarget> {
        let rung = self.choice.rung();
        let frames_per_second = rung.frames_per_second.min(self.limits.frames_per_second.max(1.0));
        let share = if self.is_reported() { self.path.share() } else { 1.0 };
        let rate = picture(self.rate() * share, SOUND[self.sound].1).min(most_picture(self.limits));
        let target = SendTarget {
            bits_per_second: rate as u32,
            width: rung.width,
            height: rung.height,
            frames_per_second,
        };
        let worth_it = self.told.is_none_or(|told| {
            let change = f64::from(told.bits_per_second) / rate;
            let same = (told.height, told.frames_per_second) == (rung.height, frames_per_second);
            !same || !(0.93..1.07).contains(&change)
        });
        if worth_it {
            self.told = Some(target);
        }
        worth_it.then_some(target)
    }
}

/// The most bits of picture a second that are wanted.
fn most_picture(limits: Limits) -> f64 {
    let most = if limits.lines > 720 { MOST_BEYOND } else { MOST };
    limits.bits_per_second.map_or(most, |limit| f64::from(limit).clamp(LEAST_PICTURE, most))
}

/// What is left to pictures of the whole.
fn picture(whole: f64, sound: u32) -> f64 {
    ((whole - f64::from(sound) - BESIDE_SOUND) * PAYLOAD).max(LEAST_PICTURE)
}

/// The whole that leaves so much to pictures.
fn whole(picture: f64) -> f64 {
    (picture / PAYLOAD + f64::from(SOUND[0].1) + BESIDE_SOUND).max(LEAST)
}

#[cfg(test)]
mod tests;
