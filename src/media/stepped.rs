//! A studio without threads, devices or clock: who owns it says what time it is, what the camera saw and the microphone
//! heard, and takes what is heard and shown. For measuring whole calls in virtual time, where nothing waits.
//!
//! It holds the very pipelines that the threads of [`super::studio`] call, and calls them in the same order: what the
//! threads do to a picture or a sound on its way, this does too. A step that is added there is added here. Sound is taken
//! as that of a file: no voice is processed.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod files;

use std::time::{Duration, Instant};

use super::capture::test_picture;
use super::capture_clock::CaptureClock;
use super::codec::video_decoder::{Decoded, VideoDecoder};
use super::encoded::{EncodedFrame, PictureFate};
use super::figures::SoundFigures;
use super::picture::Picture;
use super::playout::lip_sync::LipSync;
use super::receive_pipeline::{AudioReceiver, CodedVideo, VideoInbox, VideoReceiver};
use super::send_pipeline::{AudioSender, VideoSender, VideoTarget};
use super::shaping::scale;
pub use files::{read_pictures, read_sound};

/// Samples of sound at 48 kHz that are heard and played at a time: 10 ms.
pub const BLOCK: usize = super::receive_pipeline::BLOCK;

/// One end's pipelines.
pub struct SteppedStudio {
    clock: CaptureClock,
    sending: Option<Sending>,
    receiving: Option<Receiving>,
    target: VideoTarget,
    key_requested: bool,
    key_every: Option<Duration>,
    muted: bool,
    camera_on: bool,
    held: bool,
    expected_loss: u8,
    sound_rate: Option<u32>,
}

struct Sending {
    video: VideoSender,
    audio: AudioSender,
}

struct Receiving {
    inbox: VideoInbox,
    video: VideoReceiver,
    audio: AudioReceiver,
    sync: LipSync,
    key_needed: bool,
}

/// Ten milliseconds of the far end's sound.
#[derive(Clone, Debug)]
pub struct Heard {
    /// At 48 kHz.
    pub samples: [f32; BLOCK],
    /// When the first of them was heard at the far end, by its capture clock; none before sound flows.
    pub stamp: Option<u32>,
    /// Milliseconds of sound that were made up while this was filled.
    pub concealed_ms: u32,
}

/// No Opus codec could be made.
#[derive(Debug, thiserror::Error)]
#[error("no Opus codec: {0}")]
pub struct NoOpus(#[from] opus::Error);

impl SteppedStudio {
    /// One that sends and plays nothing yet. Stamps count from `origin`.
    pub fn new(origin: Instant) -> Self {
        Self {
            clock: CaptureClock::starting_at(origin),
            sending: None,
            receiving: None,
            target: VideoTarget::default(),
            key_requested: false,
            key_every: None,
            muted: false,
            camera_on: true,
            held: false,
            expected_loss: 0,
            sound_rate: None,
        }
    }

    /// The stamp that what is captured at this moment bears.
    pub fn stamp(&self, at: Instant) -> u32 {
        self.clock.stamp(at)
    }

    /// Codes what is captured from now on.
    pub fn start_sending(&mut self) -> Result<(), NoOpus> {
        self.sending = Some(Sending { video: VideoSender::new(self.target), audio: AudioSender::new()? });
        Ok(())
    }

    /// Codes nothing any more.
    pub fn stop_sending(&mut self) {
        self.sending = None;
    }

    /// Decodes what is pushed from now on.
    pub fn start_receiving(&mut self) -> Result<(), NoOpus> {
        self.receiving = Some(Receiving {
            inbox: VideoInbox::default(),
            video: VideoReceiver::new(),
            audio: AudioReceiver::new()?,
            sync: LipSync::default(),
            key_needed: false,
        });
        Ok(())
    }

    /// Plays and shows nothing any more.
    pub fn stop_receiving(&mut self) {
        self.receiving = None;
    }

    /// Sends silence in place of the microphone's sound.
    pub fn set_muted(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// Sends pictures, or none.
    pub fn set_camera_on(&mut self, on: bool) {
        self.camera_on = on;
        self.key_requested = true;
    }

    /// Makes the next picture sent a key picture.
    pub fn request_key_frame(&mut self) {
        self.key_requested = true;
    }

    /// What became of a picture that was sent.
    pub fn on_picture_fate(&mut self, fate: PictureFate) {
        if let Some(sending) = &mut self.sending {
            sending.video.on_fate(fate);
        }
    }

    /// Whether to code no more pictures for now.
    pub fn hold_pictures(&mut self, held: bool) {
        self.held = held;
    }

    /// New upper limits for the pictures sent.
    pub fn set_video_target(&mut self, target: VideoTarget) {
        self.target = target;
    }

    /// How often a key picture comes that nobody asked for; `None` is the usual.
    pub fn set_key_picture_every(&mut self, every: Option<Duration>) {
        self.key_every = every;
    }

    /// How much loss, in percent, the sound's error correction is dosed for.
    pub fn set_expected_loss(&mut self, percent: u8) {
        self.expected_loss = percent;
    }

    /// The most bits a second that the sound is coded with; `None` is the usual.
    pub fn set_sound_rate(&mut self, bits_per_second: Option<u32>) {
        self.sound_rate = bits_per_second;
    }

    /// The camera took this picture at that moment: the frame to be sent, if one is due.
    pub fn see(&mut self, picture: &Picture, at: Instant) -> Option<EncodedFrame> {
        if !self.camera_on || self.held {
            return None;
        }
        let stamp = self.clock.stamp(at);
        let video = &mut self.sending.as_mut()?.video;
        video.set_target(self.target);
        video.set_key_every(self.key_every);
        if std::mem::take(&mut self.key_requested) {
            video.request_key();
        }
        video.push(picture, stamp)
    }

    /// The microphone heard these samples, at 48 kHz, the first of them at that moment: the frames to be sent.
    pub fn hear(&mut self, samples: &[f32], at: Instant) -> Vec<EncodedFrame> {
        let stamp = self.clock.stamp(at);
        let Some(sending) = &mut self.sending else { return Vec::new() };
        sending.audio.set_muted(self.muted);
        sending.audio.set_expected_loss(self.expected_loss);
        sending.audio.set_bit_rate(self.sound_rate);
        sending.audio.push(samples, stamp)
    }

    /// A frame of the far end came at this moment.
    pub fn push(&mut self, frame: EncodedFrame, at: Instant) {
        let Some(receiving) = &mut self.receiving else { return };
        match frame {
            EncodedFrame::Audio { timestamp, packet } => receiving.audio.push(timestamp, packet, at),
            EncodedFrame::Video { timestamp, key, config, nal_units, .. } => {
                receiving.inbox.push(CodedVideo { timestamp, key, config, nal_units, arrived: at });
                receiving.decode(at);
            }
        }
    }

    /// The next 10 ms for a loudspeaker without delay of its own. `None` while nothing is received.
    pub fn play(&mut self, now: Instant) -> Option<Heard> {
        let receiving = self.receiving.as_mut()?;
        let block = receiving.audio.pull(now);
        if let Some(stamp) = block.timestamp {
            receiving.sync.on_sound(stamp, now, now);
            if let Some(buffered) = receiving.audio.delay_ms() {
                receiving.audio.set_least_delay(receiving.sync.least_sound_delay(buffered, now));
            }
        }
        Some(Heard { samples: block.samples, stamp: block.timestamp, concealed_ms: block.concealed_ms })
    }

    /// The picture whose moment has come, with the stamp of its capture.
    pub fn show(&mut self, now: Instant) -> Option<(u32, Picture)> {
        let receiving = self.receiving.as_mut()?;
        receiving.decode(now);
        let shown = receiving.video.show(now);
        if let Some((stamp, _)) = &shown {
            receiving.sync.on_picture(*stamp, now);
        }
        receiving.key_needed |= receiving.video.take_key_request(now);
        shown
    }

    /// Whether the far end should be asked for a key picture now.
    pub fn take_key_frame_request(&mut self) -> bool {
        self.receiving.as_mut().is_some_and(|receiving| std::mem::take(&mut receiving.key_needed))
    }

    /// The size of the pictures sent last.
    pub fn send_size(&self) -> Option<(u32, u32)> {
        self.sending.as_ref()?.video.size()
    }

    /// What the jitter buffer aims at, in milliseconds.
    pub fn buffer_ms(&self) -> Option<u32> {
        Some(self.sound_figures()?.target_ms)
    }

    /// What became of the far end's sound so far.
    pub fn sound_figures(&self) -> Option<SoundFigures> {
        Some(self.receiving.as_ref()?.audio.figures())
    }

    /// Picture delay less sound delay, in milliseconds: above zero, the sound is early.
    pub fn lip_sync_ms(&self) -> Option<f64> {
        self.receiving.as_ref()?.sync.skew_ms()
    }
}

impl Receiving {
    fn decode(&mut self, now: Instant) {
        while let Some((coded, gap)) = self.inbox.pop() {
            self.video.push(&coded, gap, now, |stamp| self.sync.due(stamp, now));
        }
    }
}

/// Decodes a sender's own frames, none of them lost: what the encoder meant to be seen.
pub struct Reconstruction(VideoDecoder);

impl Default for Reconstruction {
    fn default() -> Self {
        Self(VideoDecoder::new())
    }
}

impl Reconstruction {
    /// The stamp and the picture of the next frame; `None` for sound, and for what cannot be decoded.
    pub fn next(&mut self, frame: &EncodedFrame) -> Option<(u32, Picture)> {
        let EncodedFrame::Video { timestamp, key, config, nal_units, .. } = frame else { return None };
        if let Some(config) = config {
            self.0.configure(config);
        }
        match self.0.decode(*key, nal_units) {
            Decoded::Picture(picture) => Some((*timestamp, picture)),
            Decoded::Nothing | Decoded::NeedsKey => None,
        }
    }
}

/// The picture in another size, as the studio makes it; itself for a size that cannot be.
pub fn scaled(picture: &Picture, width: u32, height: u32) -> Picture {
    scale::scaled(picture, width, height)
}

/// The program's test picture of a moment, in milliseconds. Both sides even.
pub fn test_picture(width: u32, height: u32, milliseconds: u64) -> Picture {
    test_picture::draw(width, height, milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_end_sees_and_hears_the_other_shows_and_plays() {
        let start = Instant::now();
        let (mut here, mut there) = (SteppedStudio::new(start), SteppedStudio::new(start));
        here.start_sending().unwrap();
        there.start_receiving().unwrap();
        let mut reconstruction = Reconstruction::default();
        let (mut meant, mut shown, mut loudest) = (Vec::new(), Vec::new(), 0.0_f32);
        for step in 0..100_u32 {
            let now = start + Duration::from_millis(10) * step;
            let tone: Vec<f32> = (0..BLOCK).map(|n| (n as f32 * 0.1).sin() * 0.5).collect();
            let mut frames = here.hear(&tone, now);
            if step % 4 == 0 && step < 50 {
                frames.extend(here.see(&test_picture(160, 90, u64::from(step)), now));
            }
            for frame in frames {
                meant.extend(reconstruction.next(&frame));
                there.push(frame, now);
            }
            let heard = there.play(now).expect("it receives");
            loudest = heard.samples.iter().fold(loudest, |loudest, sample| loudest.max(sample.abs()));
            shown.extend(there.show(now));
        }
        assert_eq!(shown.len(), 13);
        assert_eq!(meant, shown, "nothing was lost");
        assert!(loudest > 0.3, "{loudest}");
    }

    #[test]
    fn one_that_was_not_started_gives_nothing() {
        let start = Instant::now();
        let mut studio = SteppedStudio::new(start);
        assert!(studio.see(&test_picture(160, 90, 0), start).is_none());
        assert!(studio.hear(&[0.0; BLOCK], start).is_empty());
        assert!(studio.play(start).is_none() && studio.show(start).is_none());
    }
}
