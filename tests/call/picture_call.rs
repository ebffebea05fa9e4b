//! Calls with sound and pictures that no codec made: a camera and encoder that keep to what they are told, and an eye and
//! an ear at the far end that note what came and when.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use tincan::call::PeerId;
use tincan::call::client_machine::{ClientCommand, ClientEvent};
use tincan::call::rate_control::SendTarget;
use tincan::call::view::{CallState, UpCall};
use tincan::media::encoded::{EncodedFrame, PictureFate};

use crate::support::virtual_network::Host;
use crate::world::{Told, World};

const STEP: Duration = Duration::from_millis(10);

/// What one end sends and the other notes of it.
pub(crate) struct Sender {
    pub(crate) host: Host,
    to: Host,
    to_id: PeerId,
    asked: u32,
    /// Messages of both ends that were looked at.
    seen: (usize, usize),
    target: Option<SendTarget>,
    sound_bits: u32,
    key_wanted: bool,
    /// Pictures were lost: the next is built on one that arrived.
    refresh_wanted: bool,
    held: bool,
    size: (u32, u32),
    /// Bits sent beyond the rate, as an encoder counts them.
    debt: f64,
    next_picture: Duration,
    next_sound: Duration,
    pictures: u32,
    began: Duration,
    /// The picture that the far end could decode last.
    decoded: Option<u32>,
    /// When each picture that could be decoded came, and how long sound took, by when it came.
    pub(crate) shown: Vec<Duration>,
    pub(crate) sound_delays: Vec<(Duration, Duration)>,
    sent_sounds: u32,
    /// When key frames were made, and targets told.
    pub(crate) keys: Vec<Duration>,
    pub(crate) targets: Vec<(Duration, SendTarget)>,
    sent_at: BTreeMap<u32, Duration>,
}

/// A picture that bears this after its number does without those that were lost.
const REFRESH: u8 = 0x52;

impl Sender {
    pub(crate) fn new(world: &World, host: Host, (to, to_id): (Host, PeerId)) -> Self {
        let now = world.net.elapsed();
        Self {
            host,
            to,
            to_id,
            asked: 0,
            seen: (0, world.net.events(to).len()),
            target: None,
            sound_bits: 48_000,
            key_wanted: true,
            refresh_wanted: false,
            held: false,
            size: (0, 0),
            debt: 0.0,
            next_picture: now,
            next_sound: now,
            pictures: 0,
            began: now,
            decoded: None,
            shown: vec![],
            sound_delays: vec![],
            sent_sounds: 0,
            keys: vec![],
            targets: vec![],
            sent_at: BTreeMap::new(),
        }
    }

    fn look(&mut self, world: &World) {
        for (at, told) in &world.net.events(self.host)[self.seen.0..] {
            match told {
                Told::Client(ClientEvent::Target(target)) => {
                    self.target = Some(*target);
                    self.targets.push((*at, *target));
                }
                Told::Client(ClientEvent::PicturesHeld(held)) => self.held = *held,
                Told::Client(ClientEvent::SoundRate(bits)) => self.sound_bits = bits.unwrap_or(48_000),
                Told::Client(ClientEvent::KeyFrameWanted) => {
                    self.key_wanted = true;
                    self.asked += 1;
                }
                Told::Client(ClientEvent::PictureFate(PictureFate::Lost { .. })) => {
                    self.refresh_wanted = true;
                }
                _ => {}
            }
        }
        for (at, told) in &world.net.events(self.to)[self.seen.1..] {
            match told {
                Told::Client(ClientEvent::Frame(EncodedFrame::Audio { timestamp, .. })) => {
                    if let Some(sent) = self.sent_at.remove(timestamp) {
                        self.sound_delays.push((*at, *at - sent));
                    }
                }
                Told::Client(ClientEvent::Frame(EncodedFrame::Video { key, nal_units, .. })) => {
                    let number = nal_units[..4].try_into().map(u32::from_be_bytes).expect("a number");
                    if *key || nal_units[4] == REFRESH || number > 0 && self.decoded == Some(number - 1) {
                        self.decoded = Some(number);
                        self.shown.push(*at);
                    }
                }
                _ => {}
            }
        }
        self.seen = (world.net.events(self.host).len(), world.net.events(self.to).len());
    }

    fn send(&mut self, world: &mut World) {
        let now = world.net.elapsed();
        let timestamp = (now - self.began).as_millis() as u32;
        if now >= self.next_sound {
            self.next_sound += Duration::from_millis(20);
            let packet = Bytes::from(vec![7; self.sound_bits as usize / 400]);
            self.sent_at.insert(timestamp, now);
            self.sent_sounds += 1;
            world.ask(self.host, ClientCommand::Frame(EncodedFrame::Audio { timestamp, packet }));
        }
        let Some(target) = self.target else { return };
        if now < self.next_picture {
            return;
        }
        let interval = 1.0 / f64::from(target.frames_per_second);
        if self.held {
            self.next_picture = now + Duration::from_millis(1);
            return;
        }
        self.next_picture = (self.next_picture + Duration::from_secs_f64(interval)).max(now);
        let rate = f64::from(target.bits_per_second);
        self.debt = (self.debt - rate * interval).max(0.0);
        let key = std::mem::take(&mut self.key_wanted) || self.size != (target.width, target.height);
        if !key && self.debt > rate * 0.25 {
            return;
        }
        if self.size != (target.width, target.height) {
            // Another size is another encoder.
            (self.size, self.debt) = ((target.width, target.height), 0.0);
        }
        // A picture that stands alone is as large as eight others, within what the size needs.
        let least = f64::from(target.width * target.height) * 0.12;
        let bits = if key { (rate * interval * 8.0).min(least * 4.0).max(least) } else { rate * interval };
        self.debt += bits;
        let mut nal_units = vec![0x41; (bits / 8.0) as usize + 8];
        nal_units[..4].copy_from_slice(&self.pictures.to_be_bytes());
        let refresh = std::mem::take(&mut self.refresh_wanted) || key;
        if refresh {
            nal_units[4] = REFRESH;
        }
        self.pictures += 1;
        if key {
            self.keys.push(now);
        }
        let config = key.then(|| Bytes::from_static(&[1, 66, 0, 30, 255, 225, 0, 0, 1, 0, 0]));
        let frame = EncodedFrame::Video { timestamp, key, refresh, config, nal_units: nal_units.into() };
        world.ask(self.host, ClientCommand::Frame(frame));
    }

    /// Whom it sends to.
    pub(crate) fn to(&self) -> Host {
        self.to
    }

    /// Kilobits of picture a second that were asked for last.
    pub(crate) fn target_kbps(&self) -> f64 {
        self.target.map_or(0.0, |target| f64::from(target.bits_per_second) / 1000.0)
    }

    pub(crate) fn height(&self) -> u32 {
        self.target.map_or(0, |target| target.height)
    }

    /// The longest time without a new picture in a span.
    pub(crate) fn longest_freeze(&self, from: Duration, until: Duration) -> Duration {
        let within = self.shown.iter().copied().filter(|at| (from..until).contains(at));
        let moments: Vec<Duration> = std::iter::once(from).chain(within).chain([until]).collect();
        moments.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    /// The longest that sound took in a span, the way itself left out.
    pub(crate) fn longest_queue(&self, from: Duration, until: Duration) -> Duration {
        let within = self.sound_delays.iter().filter(|(at, _)| (from..until).contains(at));
        within.map(|(_, delay)| *delay).max().unwrap_or_default().saturating_sub(WAY)
    }

    /// The share of sound sent that came.
    pub(crate) fn sound_that_came(&self) -> f64 {
        self.sound_delays.len() as f64 / f64::from(self.sent_sounds.max(1))
    }

    pub(crate) fn keys_in(&self, from: Duration, until: Duration) -> usize {
        self.keys.iter().filter(|at| (from..until).contains::<Duration>(at)).count()
    }
}

/// How long a datagram takes.
const WAY: Duration = Duration::from_millis(40);

pub(crate) fn up(world: &World, host: Host) -> UpCall {
    match world.view(host).call {
        CallState::Up(call) => call,
        other => panic!("the call is not up: {other:?}"),
    }
}

/// Lets all of them send for so long; answers the time then.
pub(crate) fn run(world: &mut World, senders: &mut [&mut Sender], time: Duration) -> Duration {
    let end = world.net.elapsed() + time;
    let mut next_line = world.net.elapsed();
    while world.net.elapsed() < end {
        for sender in senders.iter_mut() {
            sender.look(world);
            sender.send(world);
        }
        world.net.run_for(STEP);
        if std::env::var_os("TINCAN_TRACE").is_some() && world.net.elapsed() >= next_line {
            next_line += Duration::from_millis(250);
            trace(world, senders);
        }
    }
    for sender in senders.iter_mut() {
        sender.look(world);
    }
    world.net.elapsed()
}

/// What is going on, for who changes the rates: set `TINCAN_TRACE` to see it.
fn trace(world: &mut World, senders: &[&mut Sender]) {
    for sender in senders {
        let figures = world.net.with(sender.host, |anyone, now| match anyone {
            crate::world::Anyone::Client(client) => client.direct_figures(now, sender.to_id).pop(),
            _ => None,
        });
        let figures = figures.unwrap_or_default();
        let (now, quality) = (world.net.elapsed(), up(world, sender.host).quality);
        let wait = sender.longest_queue(now.saturating_sub(Duration::from_millis(250)), now);
        eprintln!(
            "{:7.2} {:?} available {:6.0} target {:6.0} {:4}p queue {:4.0} sound {:4} shown {:4} keys {:3} loss {:.1} \
             flight {} queued {} window {} datagram {} trip {:?} asked {}",
            now.as_secs_f64(),
            sender.host,
            quality.available_kbps.unwrap_or_default(),
            sender.target_kbps(),
            sender.height(),
            quality.queue_ms.unwrap_or_default(),
            wait.as_millis(),
            sender.shown.len(),
            sender.keys.len(),
            quality.loss_percent,
            figures.in_flight,
            figures.queued,
            figures.congestion_window,
            figures.datagram_size,
            figures.round_trip,
            sender.asked,
        );
    }
}
