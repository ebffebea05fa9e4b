//! Between coded frames and NetStream messages: the tags around them, and until when each is worth sending.
//!
//! # Pictures that are lost
//!
//! A lost piece of a picture is sent again for as long as that is sooner than doing without: twice the way there and back,
//! and half of it ([`Patience::over`]). What needs the picture waits for it at the far end, so a piece that comes late costs
//! nothing but time. A picture that is given up takes its dependants with it. The encoder hears of both, and builds the
//! next picture on one that is known to have arrived, for a far end that names the addition `pictures`; for others it
//! makes a key picture. The decoder never sees a picture whose reference is missing: the last good one stays.
//!
//! What was seen of 640x360 at up to 800 kbit/s over ways of that length, there and back, with that loss both ways: first
//! when every picture given up was answered by a key picture, then with pictures built on what arrived; the rate control
//! was the same. Quality is that of the worst picture, in dB of the luma.
//!
//! | way | loss | key pictures in 20 s | lowest quality | shown late (95 of 100) |
//! | --- | --- | --- | --- | --- |
//! | 50 ms | 5 % | 3, then 3 | 40.6, then 40.2 dB | 109, then 97 ms |
//! | 50 ms | 10 % | 3, then 5 | 28.2, then 30.5 dB | 177, then 144 ms |
//! | 150 ms | 2 % | 13, then 4 | 29.7, then 40.4 dB | 444, then 430 ms |
//! | 150 ms | 10 % | 16, then 5 | 28.0, then 32.3 dB | 309, then 669 ms |
//! | 300 ms | 2 % | 42, then 5 | 30.8, then 40.0 dB | 534, then 1087 ms |
//!
//! With the rate control that follows the delay there are at 50 ms and 10 % still three key pictures, 40.3 dB at the least,
//! and 109 ms. After a second in which nothing passed, over a way of 50 ms, the first picture was there 305 to 325 ms after
//! the line was
//! back; with key pictures 540 to 570 ms. `cargo test --test call -- --ignored --nocapture what_is_seen` measures it again.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::call::sound_again::Sound;
use crate::media::encoded::EncodedFrame;
use crate::netconnection::media_tag::{
    AudioTag, VideoTag, avc_frame, avc_sequence_header, opus_frame, parse_audio, parse_video,
};
use crate::netconnection::node::{MediaDeadline, MediaKind, MediaMessage};

/// Sound that is later than this is concealed there anyway.
const SOUND_START: Duration = Duration::from_millis(200);
const SOUND_FINISH: Duration = Duration::from_millis(400);
/// A picture that could not leave in this time holds up fresher ones.
const START: Duration = Duration::from_millis(300);
/// The least that a picture is sent again for, and the most.
const SHORTEST_PATIENCE: Duration = Duration::from_millis(250);
const LONGEST_PATIENCE: Duration = Duration::from_millis(1_000);
/// A key frame is large, and everything waits for it.
const KEY_START: Duration = Duration::from_secs(2);
const KEY_FINISH: Duration = Duration::from_secs(4);

/// Sound that travels beside fresher sound is of use now or not at all: it is never sent a third time.
const AGAIN_START: Duration = Duration::from_millis(40);
const AGAIN_FINISH: Duration = Duration::from_millis(50);

/// The message that sends sound a second time, in case the first was lost: the same one. It is written right after a
/// fresh one, and so travels in the same datagram.
pub(crate) fn again(now: Instant, sound: Sound) -> (MediaMessage, MediaDeadline) {
    let Sound { timestamp, packet } = sound;
    let message = MediaMessage { kind: MediaKind::Audio, timestamp, payload: opus_frame(&packet) };
    let deadline = MediaDeadline {
        start_by: Some(now + AGAIN_START),
        finish_by: Some(now + AGAIN_FINISH),
        needs_previous: false,
    };
    (message, deadline)
}

/// The messages for one frame, with their deadlines. The codec's configuration goes out with every key frame, so that
/// whoever begins to listen there can decode.
pub(crate) fn outgoing(
    now: Instant,
    patience: Patience,
    frame: EncodedFrame,
) -> Vec<(MediaMessage, MediaDeadline)> {
    match frame {
        EncodedFrame::Audio { timestamp, packet } => {
            let message = MediaMessage { kind: MediaKind::Audio, timestamp, payload: opus_frame(&packet) };
            let deadline = MediaDeadline {
                start_by: Some(now + SOUND_START),
                finish_by: Some(now + SOUND_FINISH),
                needs_previous: false,
            };
            vec![(message, deadline)]
        }
        EncodedFrame::Video { timestamp, key, refresh, config, nal_units } => {
            let mut messages = Vec::with_capacity(2);
            if let Some(config) = config {
                let payload = avc_sequence_header(&config);
                let message = MediaMessage { kind: MediaKind::Video, timestamp, payload };
                messages.push((message, MediaDeadline::default()));
            }
            let payload = avc_frame(key, 0, &nal_units);
            let message = MediaMessage { kind: MediaKind::Video, timestamp, payload };
            let (start, finish) = match (key, refresh) {
                (true, _) => (KEY_START, KEY_FINISH),
                (false, true) => (patience.start * 2, patience.finish * 2),
                (false, false) => (patience.start, patience.finish),
            };
            let deadline = MediaDeadline {
                start_by: Some(now + start),
                finish_by: Some(now + finish),
                needs_previous: !refresh,
            };
            messages.push((message, deadline));
            messages
        }
    }
}

/// How long pictures that do not stand alone are worth waiting for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Patience {
    /// Before it begins to leave.
    start: Duration,
    /// For so long it is sent again.
    finish: Duration,
}

impl Patience {
    /// Where giving a picture up costs a key frame.
    pub(crate) const STEADY: Self = Self { start: START, finish: Duration::from_millis(1_000) };

    /// Where it costs little. Long enough for a second loss of the same piece to be made good: when only pieces are missing,
    /// sending them again is cheaper and sooner than a picture that does without.
    pub(crate) fn over(round_trip: Duration) -> Self {
        let finish = round_trip * 5 / 2 + Duration::from_millis(100);
        Self { start: START, finish: finish.clamp(SHORTEST_PATIENCE, LONGEST_PATIENCE) }
    }
}

/// The far end's messages on their way to frames.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    /// The newest configuration; given with every key frame.
    config: Option<Bytes>,
    missed: bool,
}

impl Incoming {
    /// A message came too early to be used.
    pub(crate) fn drop_one(&mut self) {
        self.missed = true;
    }

    /// Whether messages were dropped, so that the decoder has no footing.
    pub(crate) fn missed(&self) -> bool {
        self.missed
    }

    /// The frame in a message, if it is one that we can decode.
    pub(crate) fn frame(&mut self, message: MediaMessage) -> Option<EncodedFrame> {
        let MediaMessage { kind, timestamp, payload } = message;
        let part = |part: &[u8]| payload.slice_ref(part);
        match kind {
            MediaKind::Audio => match parse_audio(&payload) {
                AudioTag::OpusFrame(packet) => Some(EncodedFrame::Audio { timestamp, packet: part(packet) }),
                _ => None,
            },
            MediaKind::Video => match parse_video(&payload) {
                VideoTag::Config { avcc } => {
                    self.config = Some(part(avcc));
                    None
                }
                VideoTag::Frame { key, nal_units, .. } => Some(EncodedFrame::Video {
                    timestamp,
                    key,
                    refresh: key,
                    config: self.config.clone().filter(|_| key),
                    nal_units: part(nal_units),
                }),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience::STEADY;

    fn key_frame() -> EncodedFrame {
        EncodedFrame::Video {
            timestamp: 40,
            key: true,
            refresh: true,
            config: Some(Bytes::from_static(&[1, 66, 0, 30, 255, 225, 0, 0, 1, 0, 0])),
            nal_units: Bytes::from_static(&[0, 0, 0, 2, 0x65, 9]),
        }
    }

    #[test]
    fn a_key_frame_comes_out_with_its_configuration() {
        let mut incoming = Incoming::default();
        let frames: Vec<_> = outgoing(Instant::now(), PATIENCE, key_frame())
            .into_iter()
            .filter_map(|(message, _)| incoming.frame(message))
            .collect();
        assert_eq!(frames, [key_frame()]);
    }

    #[test]
    fn sound_comes_out_as_it_went_in() {
        let sound = EncodedFrame::Audio { timestamp: 20, packet: Bytes::from_static(&[0xf8, 1, 2]) };
        let messages = outgoing(Instant::now(), PATIENCE, sound.clone());
        assert_eq!(Incoming::default().frame(messages[0].0.clone()), Some(sound));
    }

    #[test]
    fn configuration_is_never_given_up_and_a_delta_falls_with_the_picture_before_it() {
        let now = Instant::now();
        let messages = outgoing(now, PATIENCE, key_frame());
        assert_eq!(messages[0].1, MediaDeadline::default());
        assert!(!messages[1].1.needs_previous);
        let picture = |refresh| EncodedFrame::Video {
            timestamp: 73,
            key: false,
            refresh,
            config: None,
            nal_units: Bytes::from_static(&[0, 0, 0, 1, 0x41]),
        };
        let delta = outgoing(now, PATIENCE, picture(false));
        assert!(delta[0].1.needs_previous);
        assert_eq!(delta[0].1.finish_by, Some(now + PATIENCE.finish));
        let refresh = outgoing(now, PATIENCE, picture(true));
        assert!(!refresh[0].1.needs_previous);
        assert!(refresh[0].1.finish_by > delta[0].1.finish_by);
    }

    #[test]
    fn pictures_are_sent_again_for_longer_over_a_longer_way_but_not_for_ever() {
        assert_eq!(Patience::over(Duration::from_millis(200)).finish, Duration::from_millis(600));
        assert_eq!(Patience::over(Duration::ZERO).finish, SHORTEST_PATIENCE);
        assert_eq!(Patience::over(Duration::from_secs(3)).finish, LONGEST_PATIENCE);
    }

    #[test]
    fn rubble_is_no_frame() {
        let message = MediaMessage { kind: MediaKind::Video, timestamp: 0, payload: Bytes::from_static(&[]) };
        assert_eq!(Incoming::default().frame(message), None);
    }
}
