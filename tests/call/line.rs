//! A film through encoder, call, network and decoder, in virtual time: what is seen of it at the other end.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tincan::call::client_machine::{ClientCommand, ClientEvent};
use tincan::media::encoded::EncodedFrame;
use tincan::media::picture::Picture;
use tincan::media::stepped::SteppedStudio;
use tincan::media::studio::VideoTarget;

use crate::support::virtual_network::Host;
use crate::world::{Told, World};

pub(crate) const WIDTH: u32 = 640;
pub(crate) const HEIGHT: u32 = 360;
/// How finely time passes at both ends.
const STEP: Duration = Duration::from_millis(5);
/// Pictures before the film runs backwards, and then forwards again.
const PICTURES: usize = 40;

/// A textured room with somebody moving in it, and the grain of a camera.
pub(crate) fn film() -> Vec<Picture> {
    (0..PICTURES).map(draw).collect()
}

fn draw(number: usize) -> Picture {
    let (w, h) = (WIDTH as usize, HEIGHT as usize);
    let mut samples = vec![128; Picture::bytes(WIDTH, HEIGHT)];
    let (luma, chroma) = samples.split_at_mut(w * h);
    let (cx, cy) = (w / 2 + number * 3 / 2, h / 2 + number / 3);
    let mut grain = 7 + number as u32 * 977;
    for (place, sample) in luma.iter_mut().enumerate() {
        let (x, y) = (place % w, place / w);
        let (dx, dy) = (x.abs_diff(cx), y.abs_diff(cy));
        let inside = dx * dx * 2 + dy * dy < 12_000;
        let (x, y) = if inside { (x + 4000 - number * 3 / 2, y + 4000 - number / 3) } else { (x, y) };
        let coarse = noise(x / 16, y / 16) / 3 + noise(x / 4, y / 4) / 6 + if inside { 90 } else { 40 };
        grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample = (coarse + (grain >> 30)) as u8;
    }
    for (place, sample) in chroma.iter_mut().enumerate() {
        *sample = (118 + noise(place % (w / 2) / 16, place / (w / 2) / 16) / 12) as u8;
    }
    Picture::new(WIDTH, HEIGHT, samples).expect("a size that pictures have")
}

fn noise(x: usize, y: usize) -> u32 {
    let mixed = (x as u32).wrapping_mul(2_654_435_761) ^ (y as u32).wrapping_mul(2_246_822_519);
    (mixed.wrapping_mul(3_266_489_917) ^ mixed >> 13).wrapping_mul(668_265_263) >> 24
}

/// Of every fourth row of luma, in decibels.
fn psnr(a: &Picture, b: &Picture) -> f64 {
    let width = a.width as usize;
    let rows = |picture: &Picture| -> Vec<u8> {
        picture.planes().0.chunks(width).step_by(4).flatten().copied().collect()
    };
    let (a, b) = (rows(a), rows(b));
    let squares: u64 = a.iter().zip(&b).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
    10.0 * (255.0_f64.powi(2) / (squares as f64 / a.len() as f64).max(1e-9)).log10()
}

/// A picture that was shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub(crate) at: Duration,
    /// Milliseconds from capture to shown.
    pub(crate) late: u32,
    pub(crate) psnr: Option<f64>,
}

/// Bob's film, and what Ada sees of it.
pub(crate) struct Line {
    pub(crate) world: World,
    pub(crate) ada: Host,
    pub(crate) bob: Host,
    film: Vec<Picture>,
    sender: SteppedStudio,
    /// Pictures captured so far; and packets of sound.
    captured: u32,
    said: u32,
    started: Duration,
    receiver: SteppedStudio,
    origin: Instant,
    pub(crate) shown: Vec<Shown>,
    pub(crate) key_bytes: Vec<usize>,
    pub(crate) bytes: usize,
    pub(crate) asked: u32,
    target: VideoTarget,
    pub(crate) most_bits: u32,
}

impl Line {
    /// A call that is up, over a way of this latency.
    pub(crate) fn new(film: &[Picture], latency: Duration, seed: u8) -> Self {
        let mut world = World::with_seed(seed);
        world.net.set_links(|link| link.latency = latency);
        let (ada, ada_id) = world.client("Ada");
        let (bob, _) = world.client("Bob");
        world.connect(bob, ada, ada_id);
        world.net.take_events(ada);
        world.net.take_events(bob);
        world.net.keep_no_log();
        let started = world.net.elapsed();
        let target = VideoTarget { width: WIDTH, height: HEIGHT, ..VideoTarget::default() };
        let origin = world.net.with(ada, |_, now| now);
        let (mut sender, mut receiver) = (SteppedStudio::new(origin), SteppedStudio::new(origin));
        sender.start_sending().expect("an Opus encoder");
        receiver.start_receiving().expect("an Opus decoder");
        Self {
            world,
            ada,
            bob,
            film: film.to_vec(),
            sender,
            captured: 0,
            said: 0,
            started,
            receiver,
            origin,
            shown: Vec::new(),
            key_bytes: Vec::new(),
            bytes: 0,
            asked: 0,
            target,
            most_bits: 800_000,
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.world.net.elapsed() - self.started
    }

    /// Lets the film run for so many seconds.
    pub(crate) fn run(&mut self, seconds: f64) {
        let until = self.elapsed() + Duration::from_secs_f64(seconds);
        while self.elapsed() < until {
            self.step();
        }
    }

    fn step(&mut self) {
        self.world.net.run_for(STEP);
        let milliseconds = self.elapsed().as_millis() as u32;
        self.take_orders();
        while self.said * 20 <= milliseconds {
            let frame = EncodedFrame::Audio { timestamp: self.said * 20, packet: Bytes::from(vec![7; 80]) };
            self.world.ask(self.bob, ClientCommand::Frame(frame.clone()));
            self.world.ask(self.ada, ClientCommand::Frame(frame));
            self.said += 1;
        }
        while self.captured * 100 / 3 <= milliseconds {
            self.capture();
        }
        self.watch();
    }

    fn take_orders(&mut self) {
        for told in self.world.net.take_events(self.bob) {
            match told {
                Told::Client(ClientEvent::Target(target)) => {
                    self.target.bits_per_second = target.bits_per_second;
                }
                Told::Client(ClientEvent::KeyFrameWanted) => self.sender.request_key_frame(),
                Told::Client(ClientEvent::PictureFate(fate)) => self.sender.on_picture_fate(fate),
                _ => {}
            }
        }
        let bits_per_second = self.target.bits_per_second.min(self.most_bits);
        self.sender.set_video_target(VideoTarget { bits_per_second, ..self.target });
    }

    fn film_at(&self, number: u32) -> &Picture {
        let number = number as usize % (2 * PICTURES - 2);
        &self.film[if number < PICTURES { number } else { 2 * PICTURES - 2 - number }]
    }

    fn capture(&mut self) {
        let stamp = self.captured * 100 / 3;
        let picture = self.film_at(self.captured).clone();
        self.captured += 1;
        let at = self.origin + Duration::from_millis(stamp.into());
        let Some(frame) = self.sender.see(&picture, at) else { return };
        if let EncodedFrame::Video { key, nal_units, .. } = &frame {
            self.bytes += nal_units.len();
            if *key {
                self.key_bytes.push(nal_units.len());
            }
        }
        self.world.ask(self.bob, ClientCommand::Frame(frame));
    }

    fn watch(&mut self) {
        let now = self.origin + self.elapsed();
        for told in self.world.net.take_events(self.ada) {
            if let Told::Client(ClientEvent::Frame(frame @ EncodedFrame::Video { .. })) = told {
                self.receiver.push(frame, now);
            }
        }
        if let Some((stamp, picture)) = self.receiver.show(now) {
            let at = self.elapsed();
            // To look at every second one is enough.
            let number = (stamp * 3).div_ceil(100);
            let psnr = number.is_multiple_of(2).then(|| psnr(&picture, self.film_at(number)));
            self.shown.push(Shown { at, late: (at.as_millis() as u32).saturating_sub(stamp), psnr });
        }
        if self.receiver.take_key_frame_request() {
            self.asked += 1;
            self.world.ask(self.ada, ClientCommand::KeyFrameNeeded);
        }
    }

    /// What was seen from a moment on.
    pub(crate) fn seen(&self, from: f64) -> Seen {
        let from = Duration::from_secs_f64(from);
        let shown: Vec<&Shown> = self.shown.iter().filter(|shown| shown.at >= from).collect();
        let mut gaps: Vec<f64> =
            shown.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64() * 1000.0).collect();
        let end = self.elapsed();
        gaps.extend(shown.last().map(|last| (end - last.at).as_secs_f64() * 1000.0));
        let mut late: Vec<u32> = shown.iter().map(|shown| shown.late).collect();
        late.sort_unstable();
        let psnr: Vec<f64> = shown.iter().filter_map(|shown| shown.psnr).collect();
        let seconds = (end - from).as_secs_f64();
        Seen {
            pictures_a_second: shown.len() as f64 / seconds,
            frozen_ms_a_minute: gaps.iter().filter(|gap| **gap > FREEZE).sum::<f64>() * 60.0 / seconds,
            longest_gap: gaps.iter().copied().fold(0.0, f64::max),
            middle_late: late.get(late.len() / 2).copied().unwrap_or(0),
            worst_late: late.get(late.len() * 95 / 100).copied().unwrap_or(0),
            psnr: psnr.iter().sum::<f64>() / psnr.len().max(1) as f64,
            worst_psnr: psnr.iter().copied().fold(f64::INFINITY, f64::min),
        }
    }
}

/// Milliseconds between two pictures from which on a person sees that it stands.
const FREEZE: f64 = 150.0;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) pictures_a_second: f64,
    pub(crate) frozen_ms_a_minute: f64,
    pub(crate) longest_gap: f64,
    pub(crate) middle_late: u32,
    pub(crate) worst_late: u32,
    pub(crate) psnr: f64,
    pub(crate) worst_psnr: f64,
}
