//! Between coded frames and NetStream messages: the tags around them, and until when each is worth sending.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::media::encoded::EncodedFrame;
use crate::netconnection::media_tag::{
    AudioTag, VideoTag, avc_frame, avc_sequence_header, opus_frame, parse_audio, parse_video,
};
use crate::netconnection::node::{MediaDeadline, MediaKind, MediaMessage};

/// Sound that is later than this is concealed there anyway.
const SOUND_START: Duration = Duration::from_millis(200);
const SOUND_FINISH: Duration = Duration::from_millis(400);
/// A delta picture that could not leave in this time holds up fresher ones.
const DELTA_START: Duration = Duration::from_millis(300);
const DELTA_FINISH: Duration = Duration::from_millis(1_000);
/// A key frame is large, and everything waits for it.
const KEY_START: Duration = Duration::from_secs(2);
const KEY_FINISH: Duration = Duration::from_secs(4);

/// The messages for one frame, with their deadlines. The codec's configuration goes out with every key frame, so that
/// whoever begins to listen there can decode.
pub(crate) fn outgoing(now: Instant, frame: EncodedFrame) -> Vec<(MediaMessage, MediaDeadline)> {
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
        EncodedFrame::Video { timestamp, key, config, nal_units } => {
            let mut messages = Vec::with_capacity(2);
            if let Some(config) = config {
                let payload = avc_sequence_header(&config);
                let message = MediaMessage { kind: MediaKind::Video, timestamp, payload };
                messages.push((message, MediaDeadline::default()));
            }
            let payload = avc_frame(key, 0, &nal_units);
            let message = MediaMessage { kind: MediaKind::Video, timestamp, payload };
            let (start, finish) = if key { (KEY_START, KEY_FINISH) } else { (DELTA_START, DELTA_FINISH) };
            let deadline = MediaDeadline {
                start_by: Some(now + start),
                finish_by: Some(now + finish),
                needs_previous: !key,
            };
            messages.push((message, deadline));
            messages
        }
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

    fn key_frame() -> EncodedFrame {
        EncodedFrame::Video {
            timestamp: 40,
            key: true,
            config: Some(Bytes::from_static(&[1, 66, 0, 30, 255, 225, 0, 0, 1, 0, 0])),
            nal_units: Bytes::from_static(&[0, 0, 0, 2, 0x65, 9]),
        }
    }

    #[test]
    fn a_key_frame_comes_out_with_its_configuration() {
        let mut incoming = Incoming::default();
        let frames: Vec<_> = outgoing(Instant::now(), key_frame())
            .into_iter()
            .filter_map(|(message, _)| incoming.frame(message))
            .collect();
        assert_eq!(frames, [key_frame()]);
    }

    #[test]
    fn sound_comes_out_as_it_went_in() {
        let sound = EncodedFrame::Audio { timestamp: 20, packet: Bytes::from_static(&[0xf8, 1, 2]) };
        let messages = outgoing(Instant::now(), sound.clone());
        assert_eq!(Incoming::default().frame(messages[0].0.clone()), Some(sound));
    }

    #[test]
    fn configuration_is_never_given_up_and_a_delta_falls_with_the_picture_before_it() {
        let now = Instant::now();
        let messages = outgoing(now, key_frame());
        assert_eq!(messages[0].1, MediaDeadline::default());
        assert!(!messages[1].1.needs_previous);
        let delta = EncodedFrame::Video {
            timestamp: 73,
            key: false,
            config: None,
            nal_units: Bytes::from_static(&[0, 0, 0, 1, 0x41]),
        };
        let messages = outgoing(now, delta);
        assert!(messages[0].1.needs_previous);
        assert_eq!(messages[0].1.start_by, Some(now + DELTA_START));
    }

    #[test]
    fn rubble_is_no_frame() {
        let message = MediaMessage { kind: MediaKind::Video, timestamp: 0, payload: Bytes::from_static(&[]) };
        assert_eq!(Incoming::default().frame(message), None);
    }
}
