//! Calls under a condition, stepped a millisecond at a time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tincan::media::encoded::EncodedFrame;
use tincan::media::picture::Picture;
use tincan::media::stepped::Reconstruction;

use super::condition::Condition;
use super::end::End;
use super::media::Media;
use super::picture_score::{likeness, psnr};
use super::probe::{Freezes, Gaps, Second, Values};
use super::report::Report;
use crate::support::virtual_network::SharedLine;
use crate::world::World;

/// How a scene is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Of the network's luck.
    pub(crate) seed: u8,
    /// The second end sends pictures too.
    pub(crate) both_ways: bool,
    /// Pictures are compared with the camera's, and with what the encoder meant.
    pub(crate) compares: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, both_ways: true, compares: true }
    }
}

/// Calls that are up, on a way of their own.
pub(crate) struct Scene {
    pub(crate) world: World,
    /// Two for each call: the first is watched sending, the second receiving.
    pub(crate) ends: Vec<End>,
    pub(crate) watches: Vec<Watch>,
    condition: Condition,
    options: Options,
    media: Media,
    lines: [SharedLine; 2],
    started: Instant,
    millisecond: u64,
    pictures: usize,
}

/// What was seen of one direction of a call.
#[derive(Default)]
pub(crate) struct Watch {
    /// Stamps of the pictures sent, and their numbers.
    sent: VecDeque<(u32, usize)>,
    /// What the encoder meant, the newest few.
    meant: VecDeque<(u32, Picture)>,
    reconstruction: Reconstruction,
    pub(crate) freezes: Freezes,
    pub(crate) gaps: Gaps,
    pub(crate) psnr: Values,
    pub(crate) ssim: Values,
    /// Milliseconds from camera to screen.
    pub(crate) glass_to_glass: Values,
    /// Milliseconds from microphone to ear.
    pub(crate) mouth_to_ear: Values,
    pub(crate) queue: Values,
    pub(crate) lip_sync: Values,
    pub(crate) key_pictures: u32,
    /// Pictures shown that were not what the encoder meant, and by how many decibels they were worse at most.
    pub(crate) smeared: (u32, f64),
    /// At which milliseconds pictures were shown, and real sound played.
    pub(crate) shown_at: Vec<u64>,
    pub(crate) sound_at: Vec<u64>,
    /// At which milliseconds a datagram would have waited longer than 200 ms.
    pub(crate) queued_at: Vec<u64>,
    pub(crate) seconds: Vec<Second>,
    /// What the microphone heard and the loudspeaker played, at 48 kHz, from the same moment on.
    pub(crate) spoken: Vec<f32>,
    pub(crate) heard: Vec<f32>,
    before: Before,
}

/// Where everything stood a second ago.
#[derive(Default)]
struct Before {
    bytes: u64,
    key_pictures: u32,
    shown: usize,
    mouth_to_ear: usize,
    lip_sync: usize,
    frozen: Duration,
    concealed_ms: u32,
    queue_ms: u32,
}

/// What the encoder meant is kept for so many pictures; after a long blackout nothing is compared.
const MOST_MEANT: usize = 64;

/// Runs a condition to its end: a report of each call.
pub(crate) fn run(condition: &Condition, media: &Media, options: Options) -> Vec<Report> {
    let mut scene = Scene::new(condition, media, options);
    while scene.step() {}
    scene.reports()
}

impl Scene {
    /// Lets everybody call each other over a good way, and begins.
    pub(crate) fn new(condition: &Condition, media: &Media, options: Options) -> Self {
        let mut world = World::with_seed(options.seed);
        world.net.keep_no_log();
        let mut link = crate::support::link::Link::with_latency(Duration::from_millis(40));
        condition.at(0).shape(&mut link);
        let lines = [world.net.add_shared_line(link), world.net.add_shared_line(link)];
        let names = ["Ada", "Bob", "Cleo", "Dan", "Eve", "Finn"];
        let hosts: Vec<_> = names.iter().take(condition.calls * 2).map(|name| world.client(name)).collect();
        let origin = world.net.now();
        let ends: Vec<End> = hosts.iter().map(|(host, _)| End::new(&mut world, *host, origin)).collect();
        for pair in hosts.chunks_exact(2) {
            world.connect(pair[0].0, pair[1].0, pair[1].1);
        }
        for (number, end) in ends.iter().enumerate() {
            world.net.share(end.host, lines[number % 2]);
        }
        let started = world.net.now();
        let mut scene = Self {
            world,
            watches: (0..condition.calls).map(|_| Watch::default()).collect(),
            ends,
            condition: condition.clone(),
            options,
            media: media.clone(),
            lines,
            started,
            millisecond: 0,
            pictures: 0,
        };
        for (watch, pair) in scene.watches.iter_mut().zip(scene.ends.chunks_exact(2)) {
            watch.before.bytes = scene.world.net.bytes_sent(pair[0].host);
        }
        scene
    }

    /// One more millisecond; whether there are more.
    pub(crate) fn step(&mut self) -> bool {
        if let Some((_, way)) = self.condition.plan.iter().find(|(from, _)| *from == self.millisecond) {
            for line in self.lines {
                self.world.net.set_shared_line(line, |link| way.shape(link));
            }
        }
        self.millisecond += 1;
        let now = self.started + Duration::from_millis(self.millisecond);
        let ahead = now.saturating_duration_since(self.world.net.now());
        self.world.net.run_for(ahead);
        self.ends.iter_mut().for_each(End::follow);
        self.capture(now);
        self.present(now);
        if self.millisecond.is_multiple_of(10) {
            for (number, watch) in self.watches.iter_mut().enumerate() {
                let queue = self.world.net.queueing(self.ends[2 * number].host).as_millis();
                let queue = u32::try_from(queue).unwrap_or(u32::MAX);
                watch.queue.add(f64::from(queue));
                watch.before.queue_ms = watch.before.queue_ms.max(queue);
                if queue > 200 {
                    watch.queued_at.push(self.millisecond);
                }
            }
        }
        self.ends.iter_mut().for_each(|end| end.ask_for_key_pictures(&mut self.world));
        if self.millisecond.is_multiple_of(1_000) {
            self.ends.iter_mut().for_each(|end| end.report(&mut self.world));
            self.sample(now);
        }
        self.millisecond < u64::from(self.condition.seconds) * 1_000
    }

    /// Steps so far, in milliseconds.
    pub(crate) fn millisecond(&self) -> u64 {
        self.millisecond
    }

    /// Cameras and microphones.
    fn capture(&mut self, now: Instant) {
        if self.media.step * u32::try_from(self.pictures).unwrap_or(u32::MAX) < now - self.started {
            let picture = self.media.picture(self.pictures);
            for (number, end) in self.ends.iter_mut().enumerate() {
                let watched = number.is_multiple_of(2);
                if !watched && !self.options.both_ways {
                    continue;
                }
                let frame = end.see(&mut self.world, picture, now);
                if let (Some(frame), true) = (frame, watched) {
                    self.watches[number / 2].on_sent(&frame, self.pictures, self.options.compares);
                }
            }
            self.pictures += 1;
        }
        if self.millisecond.is_multiple_of(10) {
            // A block is given when its last sample was heard.
            let from = now - Duration::from_millis(10);
            let block = self.media.block((self.millisecond / 10 - 1) as usize);
            for (number, end) in self.ends.iter_mut().enumerate() {
                end.hear(&mut self.world, &block, from);
                if number.is_multiple_of(2) {
                    self.watches[number / 2].spoken.extend_from_slice(&block);
                }
            }
        }
    }

    /// Loudspeakers and screens.
    fn present(&mut self, now: Instant) {
        for (number, end) in self.ends.iter_mut().enumerate() {
            let watch = Some(&mut self.watches[number / 2]).filter(|_| !number.is_multiple_of(2));
            // The two devices' clocks do not beat together.
            let heard = if self.millisecond % 10 == 7 { end.play(now) } else { None };
            let shown = end.studio.show(now);
            let Some(watch) = watch else { continue };
            let age = |stamp: u32| f64::from(end.studio.stamp(now).wrapping_sub(stamp).cast_signed());
            if let Some(heard) = heard {
                watch.heard.extend_from_slice(&heard.samples);
                let real = watch.gaps.on_block(heard.concealed_ms, heard.stamp.is_some());
                if let (Some(stamp), true) = (heard.stamp, real) {
                    watch.mouth_to_ear.add(age(stamp));
                    watch.sound_at.push(self.millisecond);
                }
            }
            if let Some((stamp, picture)) = shown {
                watch.shown_at.push(self.millisecond);
                watch.freezes.on_shown(now);
                watch.glass_to_glass.add(age(stamp));
                if let Some(skew) = end.studio.lip_sync_ms() {
                    watch.lip_sync.add(skew);
                }
                if self.options.compares {
                    watch.compare(stamp, &picture, &self.media);
                }
            }
        }
    }

    /// A second is over.
    fn sample(&mut self, now: Instant) {
        for (number, watch) in self.watches.iter_mut().enumerate() {
            let (from, to) = (&self.ends[2 * number], &self.ends[2 * number + 1]);
            let bytes = self.world.net.bytes_sent(from.host);
            let (frozen, before) = (watch.freezes.until(now).0, &watch.before);
            watch.seconds.push(Second {
                second: u32::try_from(self.millisecond / 1_000).unwrap_or(u32::MAX),
                target_kbps: from.target.bits_per_second / 1_000,
                target_lines: from.target.height,
                sent_lines: from.studio.send_size().map_or(0, |size| size.1),
                sent_kbps: u32::try_from((bytes - before.bytes) * 8 / 1_000).unwrap_or(u32::MAX),
                key_pictures: watch.key_pictures - before.key_pictures,
                queue_ms: before.queue_ms,
                shown: u32::try_from(watch.shown_at.len() - before.shown).unwrap_or(u32::MAX),
                psnr: watch.psnr.mean_from(before.shown),
                frozen_ms: u32::try_from((frozen - before.frozen).as_millis()).unwrap_or(u32::MAX),
                concealed_ms: watch.gaps.total_ms - before.concealed_ms,
                buffer_ms: to.studio.buffer_ms().unwrap_or_default(),
                mouth_to_ear_ms: watch.mouth_to_ear.mean_from(before.mouth_to_ear),
                lip_sync_ms: watch.lip_sync.mean_from(before.lip_sync),
            });
            watch.before = Before {
                bytes,
                key_pictures: watch.key_pictures,
                shown: watch.shown_at.len(),
                mouth_to_ear: watch.mouth_to_ear.count(),
                lip_sync: watch.lip_sync.count(),
                frozen,
                concealed_ms: watch.gaps.total_ms,
                queue_ms: 0,
            };
        }
    }

    /// What there is to say of each call.
    pub(crate) fn reports(&self) -> Vec<Report> {
        let now = self.started + Duration::from_millis(self.millisecond);
        self.watches.iter().map(|watch| Report::new(&self.condition, watch, now)).collect()
    }
}

impl Watch {
    fn on_sent(&mut self, frame: &EncodedFrame, number: usize, compares: bool) {
        let EncodedFrame::Video { timestamp, key, .. } = frame else { return };
        self.key_pictures += u32::from(*key);
        self.sent.push_back((*timestamp, number));
        if compares {
            self.meant.extend(self.reconstruction.next(frame));
            if self.meant.len() > MOST_MEANT {
                self.meant.pop_front();
            }
        }
    }

    fn compare(&mut self, stamp: u32, shown: &Picture, media: &Media) {
        let older = |other: u32| stamp.wrapping_sub(other).cast_signed() > 0;
        while self.sent.front().is_some_and(|(other, _)| older(*other)) {
            self.sent.pop_front();
        }
        while self.meant.front().is_some_and(|(other, _)| older(*other)) {
            self.meant.pop_front();
        }
        let camera = self.sent.front().filter(|(other, _)| *other == stamp);
        let camera = camera.map(|(_, number)| media.picture(*number));
        let Some(camera) = camera else { return };
        let likeness = likeness(camera, shown);
        self.psnr.add(likeness.psnr);
        self.ssim.add(likeness.ssim);
        let meant = self.meant.front().filter(|(other, _)| *other == stamp).map(|(_, meant)| meant);
        if let Some(meant) = meant.filter(|meant| *meant != shown) {
            let same_size = (meant.width, meant.height) == (shown.width, shown.height);
            let worse = if same_size { 60.0 - psnr(meant, shown) } else { 60.0 };
            self.smeared = (self.smeared.0 + 1, self.smeared.1.max(worse));
        }
    }
}
