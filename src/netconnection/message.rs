//! RTMP messages in flows (RFC 7425 §5.1.2).
//!
//! ```text
//! type u8 | timestamp u32, milliseconds | payload
//! ```

use bytes::Bytes;

use super::command::{self, Command, NotACommand};
use super::ids::{MediaKind, MediaMessage, ObjectEncoding};
use super::user_control::UserControl;
use crate::amf::{self, Value};

/// One message, as far as this package knows its type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Message {
    /// Type 4.
    UserControl(UserControl),
    /// Types 8 and 9.
    Media(MediaMessage),
    /// Types 18 and 15: a handler's name, then its arguments.
    Data { handler: String, arguments: Vec<Value> },
    /// Types 20 and 17.
    Command(Command),
    /// Anything else, and what cannot be read. Passed over.
    Unknown,
}

impl Message {
    /// Reads a message that came on a flow.
    pub(super) fn parse(bytes: &Bytes) -> Self {
        let Some((&[message_type, a, b, c, d], _)) = bytes.split_first_chunk::<5>() else {
            return Self::Unknown;
        };
        let payload = bytes.slice(5..);
        if payload.len() > LONGEST_PAYLOAD {
            return Self::Unknown;
        }
        let media = |kind, payload| {
            Self::Media(MediaMessage { kind, timestamp: u32::from_be_bytes([a, b, c, d]), payload })
        };
        match message_type {
            USER_CONTROL => UserControl::parse(&payload).map_or(Self::Unknown, Self::UserControl),
            AUDIO => media(MediaKind::Audio, payload),
            VIDEO => media(MediaKind::Video, payload),
            DATA => Self::parse_data(&payload),
            COMMAND => Self::parse_command(&payload),
            // The extended forms begin with a format selector, which must be 0 (§5.3.3).
            DATA_EXTENDED => payload.strip_prefix(&[0]).map_or(Self::Unknown, Self::parse_data),
            COMMAND_EXTENDED => payload.strip_prefix(&[0]).map_or(Self::Unknown, Self::parse_command),
            _ => Self::Unknown,
        }
    }

    fn parse_data(payload: &[u8]) -> Self {
        let Ok(mut values) = amf::read_sequence(payload) else { return Self::Unknown };
        // A publisher's word to a server to keep the data; subscribers see it unstripped from some (RTMP 1.0 has it not).
        if values.first().and_then(Value::as_str) == Some("@setDataFrame") {
            values.remove(0);
        }
        let mut values = values.into_iter();
        match values.next() {
            Some(Value::String(handler)) if handler.len() <= command::LONGEST_NAME => {
                Self::Data { handler, arguments: values.take(command::MOST_ARGUMENTS).collect() }
            }
            _ => Self::Unknown,
        }
    }

    fn parse_command(payload: &[u8]) -> Self {
        match Command::parse(payload) {
            Ok(command) => Self::Command(command),
            Err(NotACommand) => Self::Unknown,
        }
    }
}

/// A media message as it goes on a flow.
pub(super) fn encode_media(message: &MediaMessage) -> Bytes {
    let message_type = match message.kind {
        MediaKind::Audio => AUDIO,
        MediaKind::Video => VIDEO,
    };
    encode(message_type, message.timestamp, &message.payload)
}

/// A data message (`NetStream.send`) as it goes on a flow.
pub(super) fn encode_data(handler: &str, arguments: &[Value]) -> Bytes {
    let mut payload = Vec::new();
    amf::write_sequence(&[handler.into()], &mut payload);
    amf::write_sequence(arguments, &mut payload);
    encode(DATA, 0, &payload)
}

/// A command as it goes on a flow, in AMF0.
pub(super) fn encode_command(command: &Command) -> Bytes {
    encode(COMMAND, 0, &command.encode())
}

/// A command as it goes on a flow between ends that agreed on this encoding (§5.3.3). The extended form begins with the
/// format selector 0, whose values are AMF0 too, unless a marker switches one to AMF3.
pub(super) fn encode_command_as(command: &Command, encoding: ObjectEncoding) -> Bytes {
    match encoding {
        ObjectEncoding::Amf0 => encode_command(command),
        ObjectEncoding::Amf3 => encode(COMMAND_EXTENDED, 0, &[&[0][..], &command.encode()].concat()),
    }
}

/// A user control message as it goes on a flow.
pub(super) fn encode_user_control(control: UserControl) -> Bytes {
    encode(USER_CONTROL, 0, &control.encode())
}

fn encode(message_type: u8, timestamp: u32, payload: &[u8]) -> Bytes {
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.push(message_type);
    bytes.extend(timestamp.to_be_bytes());
    bytes.extend(payload);
    bytes.into()
}

/// Bytes before the payload.
pub(super) const HEADER: usize = 5;

/// RTMP has 24 bits for the length of a payload (§5.1).
pub(super) const LONGEST_PAYLOAD: usize = 0xff_ffff;

const USER_CONTROL: u8 = 4;
const AUDIO: u8 = 8;
const VIDEO: u8 = 9;
const DATA_EXTENDED: u8 = 15;
const COMMAND_EXTENDED: u8 = 17;
const DATA: u8 = 18;
const COMMAND: u8 = 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::netconnection::media_tag;

    proptest! {
        #[test]
        fn any_bytes_are_read_or_passed_over(
            message_type in 0u8..24,
            payload in proptest::collection::vec(prop_oneof![0u8..0x12, any::<u8>()], 0..200),
        ) {
            let bytes = [&[message_type, 0, 0, 0, 0][..], &payload].concat();
            let _ = Message::parse(&bytes.into());
            let _ = media_tag::parse_audio(&payload);
            let _ = media_tag::parse_video(&payload);
            let _ = super::super::flow_metadata::FlowMetadata::parse(&payload);
        }
    }

    /// Conforms: 7425-5.1.2-a
    #[test]
    fn media_keeps_its_kind_time_and_bytes() {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let message =
                MediaMessage { kind, timestamp: 0xffff_fff0, payload: Bytes::from_static(b"tag body") };
            assert_eq!(Message::parse(&encode_media(&message)), Message::Media(message));
        }
    }

    /// Conforms: 7425-5.1-a
    #[test]
    fn a_message_has_8_bits_of_type_32_of_time_and_at_most_16777215_bytes() {
        let message = |size| MediaMessage {
            kind: MediaKind::Video,
            timestamp: u32::MAX,
            payload: vec![1; size].into(),
        };
        let longest = encode_media(&message(LONGEST_PAYLOAD));
        assert_eq!(longest[..6], [9, 0xff, 0xff, 0xff, 0xff, 1]);
        assert_eq!(longest.len(), 5 + 16_777_215);
        assert!(matches!(Message::parse(&longest), Message::Media(_)));
        assert_eq!(Message::parse(&encode_media(&message(LONGEST_PAYLOAD + 1))), Message::Unknown);
        assert_eq!(Message::parse(&Bytes::from_static(&[255, 0, 0, 0, 0])), Message::Unknown);
    }

    /// Conforms: 7425-5.1.2-a
    #[test]
    fn less_than_a_header_is_no_message() {
        for length in 0..5 {
            assert_eq!(Message::parse(&Bytes::copy_from_slice(&[8, 0, 0, 0, 0][..length])), Message::Unknown);
        }
        assert!(matches!(Message::parse(&Bytes::from_static(&[8, 0, 0, 0, 0])), Message::Media(_)));
    }

    /// Conforms: 7425-5.2-b, 7425-5.3.4-b
    #[test]
    fn user_control_has_no_time_when_sent_and_any_when_read() {
        let control = UserControl::FlowSync { barrier: 8, count: 2 };
        let mut bytes = encode_user_control(control).to_vec();
        assert_eq!(bytes[..5], [4, 0, 0, 0, 0]);
        bytes[1..5].fill(0xab);
        assert_eq!(Message::parse(&bytes.into()), Message::UserControl(control));
    }

    #[test]
    fn the_extended_forms_read_like_the_short_ones() {
        let command = encode_command(&Command::notification("onIm", vec!["hi".into()]));
        let extended = [&[COMMAND_EXTENDED, 0, 0, 0, 0, 0][..], &command[5..]].concat();
        assert_eq!(Message::parse(&extended.into()), Message::parse(&command));

        let data = encode_data("onIm", &["hi".into()]);
        let extended = [&[DATA_EXTENDED, 0, 0, 0, 0, 0][..], &data[5..]].concat();
        assert_eq!(Message::parse(&extended.into()), Message::parse(&data));
    }

    #[test]
    fn a_data_frame_is_read_without_the_word_that_keeps_it() {
        let kept = encode_data("@setDataFrame", &["onMetaData".into(), 1.0.into()]);
        let plain = Message::Data { handler: "onMetaData".to_owned(), arguments: vec![1.0.into()] };
        assert_eq!(Message::parse(&kept), plain);
    }

    #[test]
    fn another_format_and_another_type_are_passed_over() {
        assert_eq!(Message::parse(&Bytes::from_static(&[17, 0, 0, 0, 0, 1, 5])), Message::Unknown);
        assert_eq!(Message::parse(&Bytes::from_static(&[22, 0, 0, 0, 0, 1])), Message::Unknown);
        assert_eq!(Message::parse(&Bytes::from_static(&[8, 0, 0, 0])), Message::Unknown);
    }
}
