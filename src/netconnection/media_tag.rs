//! What is inside sound and picture messages: FLV tag bodies, with the headers of Enhanced RTMP where the old ones lack a
//! codec.
//!
//! Sound is written as Opus (`9p "Opus" …`), pictures as H.264 in the old form, which every program reads. Both forms of
//! H.264 are read, behind time offsets and as the only track of a multitrack message too.

use bytes::Bytes;

/// What a sound message holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AudioTag<'a> {
    /// The Opus identification header (RFC 7845 §5.1); may be empty.
    Config {
        /// The header, magic included.
        opus_head: &'a [u8],
    },
    /// One Opus packet.
    OpusFrame(&'a [u8]),
    /// Nothing is said for a while, or no more.
    Silence,
    /// Another codec, or something unreadable.
    Other,
}

/// What a picture message holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum VideoTag<'a> {
    /// How to decode H.264.
    Config {
        /// The AVCDecoderConfigurationRecord (ISO 14496-15).
        avcc: &'a [u8],
    },
    /// One H.264 picture.
    Frame {
        /// Whether decoding can start here.
        key: bool,
        /// Milliseconds from the message's time to when it is shown; may be negative.
        composition_ms: i32,
        /// NAL units, each with its length in front.
        nal_units: &'a [u8],
    },
    /// No more pictures.
    End,
    /// Another codec, a command, or something unreadable.
    Other,
}

/// The message that tells how many channels the Opus packets after it have. Send it reliably, before the first.
pub fn opus_sequence_start(channels: u8) -> Bytes {
    let mut tag = vec![AUDIO_ENHANCED | AUDIO_SEQUENCE_START];
    tag.extend(OPUS);
    tag.extend(b"OpusHead");
    tag.extend([1, channels]);
    tag.extend(OPUS_PRE_SKIP.to_le_bytes());
    tag.extend(48_000_u32.to_le_bytes());
    // No gain, and the mapping family of mono and stereo.
    tag.extend([0, 0, 0]);
    tag.into()
}

/// A sound message of one Opus packet.
pub fn opus_frame(packet: &[u8]) -> Bytes {
    let mut tag = Vec::with_capacity(5 + packet.len());
    tag.push(AUDIO_ENHANCED | AUDIO_CODED_FRAMES);
    tag.extend(OPUS);
    tag.extend(packet);
    tag.into()
}

/// The message after the last Opus packet.
pub fn opus_sequence_end() -> Bytes {
    let mut tag = vec![AUDIO_ENHANCED | AUDIO_SEQUENCE_END];
    tag.extend(OPUS);
    tag.into()
}

/// The message that tells how to decode the H.264 pictures after it. Send it reliably, before the first.
pub fn avc_sequence_header(avcc: &[u8]) -> Bytes {
    avc(true, AVC_SEQUENCE_HEADER, 0, avcc)
}

/// A message of one H.264 picture, its NAL units with their lengths in front. `composition_ms` has 24 bits.
pub fn avc_frame(key: bool, composition_ms: i32, nal_units: &[u8]) -> Bytes {
    avc(key, AVC_NAL_UNITS, composition_ms, nal_units)
}

/// The message after the last H.264 picture.
pub fn avc_sequence_end() -> Bytes {
    avc(true, AVC_SEQUENCE_END, 0, &[])
}

fn avc(key: bool, packet: u8, composition_ms: i32, body: &[u8]) -> Bytes {
    let frame = if key { FRAME_KEY } else { FRAME_INTER };
    let mut tag = Vec::with_capacity(5 + body.len());
    tag.extend([frame << 4 | CODEC_AVC, packet]);
    tag.extend(&composition_ms.clamp(-0x80_0000, 0x7f_ffff).to_be_bytes()[1..]);
    tag.extend(body);
    tag.into()
}

/// Reads a sound message.
pub fn parse_audio(tag: &[u8]) -> AudioTag<'_> {
    let Some((&first, rest)) = tag.split_first() else { return AudioTag::Silence };
    if first & 0xf0 != AUDIO_ENHANCED {
        return AudioTag::Other;
    }
    enhanced_audio(first & 0x0f, rest).unwrap_or(AudioTag::Other)
}

fn enhanced_audio(packet: u8, rest: &[u8]) -> Option<AudioTag<'_>> {
    let (packet, codec, body) = codec_and_body(packet, rest, AUDIO_MULTITRACK)?;
    if codec != OPUS {
        return None;
    }
    match packet {
        AUDIO_SEQUENCE_START => Some(AudioTag::Config { opus_head: body }),
        AUDIO_CODED_FRAMES => Some(AudioTag::OpusFrame(body)),
        AUDIO_SEQUENCE_END => Some(AudioTag::Silence),
        _ => None,
    }
}

/// Reads a picture message.
pub fn parse_video(tag: &[u8]) -> VideoTag<'_> {
    let read = match tag.split_first() {
        Some((&first, rest)) if first & VIDEO_ENHANCED != 0 => enhanced_video(first, rest),
        Some((&first, rest)) if first & 0x0f == CODEC_AVC => old_video(first >> 4, rest),
        _ => None,
    };
    read.unwrap_or(VideoTag::Other)
}

fn old_video(frame: u8, rest: &[u8]) -> Option<VideoTag<'_>> {
    let key = is_key(frame)?;
    let (&packet, rest) = rest.split_first()?;
    let (composition_ms, body) = composition(rest)?;
    match packet {
        AVC_SEQUENCE_HEADER => Some(VideoTag::Config { avcc: body }),
        AVC_NAL_UNITS => Some(VideoTag::Frame { key, composition_ms, nal_units: body }),
        AVC_SEQUENCE_END => Some(VideoTag::End),
        _ => None,
    }
}

fn enhanced_video(first: u8, rest: &[u8]) -> Option<VideoTag<'_>> {
    let key = is_key(first >> 4 & 0x07)?;
    let (packet, codec, body) = codec_and_body(first & 0x0f, rest, VIDEO_MULTITRACK)?;
    if codec != AVC1 {
        return None;
    }
    match packet {
        VIDEO_SEQUENCE_START => Some(VideoTag::Config { avcc: body }),
        VIDEO_CODED_FRAMES => {
            let (composition_ms, nal_units) = composition(body)?;
            Some(VideoTag::Frame { key, composition_ms, nal_units })
        }
        VIDEO_CODED_FRAMES_AT_ONCE => Some(VideoTag::Frame { key, composition_ms: 0, nal_units: body }),
        VIDEO_SEQUENCE_END => Some(VideoTag::End),
        _ => None,
    }
}

/// Whether a picture of this type can be decoded by itself; `None` for commands and for what has no meaning.
fn is_key(frame: u8) -> Option<bool> {
    match frame {
        FRAME_KEY | FRAME_GENERATED_KEY => Some(true),
        FRAME_INTER | FRAME_DISPOSABLE => Some(false),
        _ => None,
    }
}

/// 24 bits with a sign, in milliseconds.
fn composition(rest: &[u8]) -> Option<(i32, &[u8])> {
    let (&[high, middle, low], body) = rest.split_first_chunk::<3>()?;
    Some((i32::from_be_bytes([high, middle, low, 0]) >> 8, body))
}

/// Passes over the modifiers in front (ModEx): we have no use for nanoseconds.
///
/// ```text
/// length-1 u8 (FF: length-1 u16 follows) | that many bytes | modifier's kind, next packet type: 4 bits each
/// ```
fn skip_modifiers(mut packet: u8, mut rest: &[u8]) -> Option<(u8, &[u8])> {
    while packet == MODIFIER {
        let (&short, after) = rest.split_first()?;
        let (length, after) = if short == 0xff {
            let (long, after) = after.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*long)) + 1, after)
        } else {
            (usize::from(short) + 1, after)
        };
        let (&kinds, after) = after.get(length..)?.split_first()?;
        packet = kinds & 0x0f;
        rest = after;
    }
    Some((packet, rest))
}

/// The packet type, codec and body, behind modifiers and, when it is the only one, as a track.
///
/// ```text
/// codec, 4 bytes | body          multitrack: kind (0: one track), packet type: 4 bits each | codec | track u8 | body
/// ```
fn codec_and_body(packet: u8, rest: &[u8], multitrack: u8) -> Option<(u8, [u8; 4], &[u8])> {
    let (packet, rest) = skip_modifiers(packet, rest)?;
    if packet != multitrack {
        let (codec, body) = rest.split_first_chunk::<4>()?;
        return Some((packet, *codec, body));
    }
    let (&kinds, rest) = rest.split_first()?;
    let (codec, rest) = rest.split_first_chunk::<4>()?;
    let (_track, body) = rest.split_first()?;
    (kinds >> 4 == 0).then_some((kinds & 0x0f, *codec, body))
}

const OPUS: [u8; 4] = *b"Opus";
const AVC1: [u8; 4] = *b"avc1";

/// What an Opus encoder needs to settle, in samples at 48 kHz.
const OPUS_PRE_SKIP: u16 = 312;

const AUDIO_ENHANCED: u8 = 0x90;
const AUDIO_SEQUENCE_START: u8 = 0;
const AUDIO_CODED_FRAMES: u8 = 1;
const AUDIO_SEQUENCE_END: u8 = 2;
const AUDIO_MULTITRACK: u8 = 5;

const VIDEO_ENHANCED: u8 = 0x80;
const VIDEO_SEQUENCE_START: u8 = 0;
const VIDEO_CODED_FRAMES: u8 = 1;
const VIDEO_SEQUENCE_END: u8 = 2;
const VIDEO_CODED_FRAMES_AT_ONCE: u8 = 3;
const VIDEO_MULTITRACK: u8 = 6;

/// The packet type of a modifier, of sound and of pictures.
const MODIFIER: u8 = 7;

const FRAME_KEY: u8 = 1;
const FRAME_INTER: u8 = 2;
const FRAME_DISPOSABLE: u8 = 3;
const FRAME_GENERATED_KEY: u8 = 4;
const CODEC_AVC: u8 = 7;
const AVC_SEQUENCE_HEADER: u8 = 0;
const AVC_NAL_UNITS: u8 = 1;
const AVC_SEQUENCE_END: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    const AVCC: &[u8] = &[1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, 4, 0x67, 0x42, 0xc0, 0x1e, 1, 0, 2, 0x68, 0xce];
    const NAL: &[u8] = &[0, 0, 0, 2, 0x65, 0x88];

    #[test]
    fn opus_is_written_as_the_reference_shows() {
        let mut start = b"\x90Opus".to_vec();
        start.extend(b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00");
        assert_eq!(opus_sequence_start(2), start);
        assert_eq!(parse_audio(&start), AudioTag::Config { opus_head: &start[5..] });
        assert_eq!(parse_audio(&opus_frame(&[0xfc, 0xff])), AudioTag::OpusFrame(&[0xfc, 0xff]));
        assert_eq!(parse_audio(&opus_sequence_end()), AudioTag::Silence);
        assert_eq!(parse_audio(&[]), AudioTag::Silence);
    }

    #[test]
    fn pictures_are_written_in_the_old_form_and_read_back() {
        assert_eq!(avc_sequence_header(AVCC)[..5], [0x17, 0, 0, 0, 0]);
        assert_eq!(parse_video(&avc_sequence_header(AVCC)), VideoTag::Config { avcc: AVCC });
        for (key, composition_ms) in [(true, 40), (false, -40)] {
            let frame = VideoTag::Frame { key, composition_ms, nal_units: NAL };
            assert_eq!(parse_video(&avc_frame(key, composition_ms, NAL)), frame);
        }
        assert_eq!(parse_video(&avc_sequence_end()), VideoTag::End);
    }

    #[test]
    fn the_enhanced_forms_of_a_picture_read_like_the_old_ones() {
        let read = |head: &[u8], body: &[u8]| {
            let tag = [head, body].concat();
            match parse_video(&tag) {
                VideoTag::Frame { key, composition_ms, nal_units } if nal_units == NAL => {
                    Some((key, composition_ms))
                }
                _ => None,
            }
        };
        assert_eq!(read(b"\x91avc1\0\0\x28", NAL), Some((true, 40)));
        assert_eq!(read(b"\xa1avc1\xff\xff\xd8", NAL), Some((false, -40)));
        assert_eq!(read(b"\xa3avc1", NAL), Some((false, 0)));
        // Behind a time offset, and as the only track of a multitrack message.
        assert_eq!(read(b"\xa7\x02\0\0\x01\x03avc1", NAL), Some((false, 0)));
        assert_eq!(read(b"\xa6\x03avc1\x01", NAL), Some((false, 0)));
        let config = [b"\x90avc1", AVCC].concat();
        assert_eq!(parse_video(&config), VideoTag::Config { avcc: AVCC });
        assert_eq!(parse_video(b"\x92avc1"), VideoTag::End);
    }

    #[test]
    fn sound_behind_a_time_offset_and_as_a_track_is_read() {
        assert_eq!(parse_audio(b"\x97\x02\x07\xa1\x20\x01Opus\xfc"), AudioTag::OpusFrame(&[0xfc]));
        assert_eq!(parse_audio(b"\x95\x01Opus\x01\xfc"), AudioTag::OpusFrame(&[0xfc]));
    }

    #[test]
    fn other_codecs_commands_and_cut_headers_are_other() {
        for tag in
            [&b"\xaf\x01\x21"[..], b"\x91mp4a", b"\x91Op", b"\x97\xff\xff", b"\x95\x11Opus\x01", b"\x93Opus"]
        {
            assert_eq!(parse_audio(tag), AudioTag::Other, "{tag:x?}");
        }
        for tag in
            [&b""[..], b"\x17", b"\x17\x01\0", b"\x57\x01\0\0\0", b"\xd0\0", b"\x90hvc1", b"\xa6\x13avc1"]
        {
            assert_eq!(parse_video(tag), VideoTag::Other, "{tag:x?}");
        }
    }
}
