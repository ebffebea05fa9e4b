//! Hostile bytes for everything that reads what a flow carries; see [`crate::rtmfp::testing`] for what lies below.

use std::time::Duration;

use super::command::Command;
use super::flow_metadata::FlowMetadata;
use super::media_tag;
use super::message::{self, Message};
use super::peer_info;
use super::status::StatusCode;
use super::user_control::UserControl;
use crate::amf;

/// Gives bytes to the parser that their first byte chooses: values, messages, metadata, tags.
///
/// # Panics
/// When a parser does, or when what it read is not what it would write.
pub fn amf(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    match choice % 5 {
        0 => values(bytes),
        1 => message(bytes),
        2 => {
            if let Some(metadata) = FlowMetadata::parse(bytes) {
                let again = FlowMetadata::parse(&metadata.encode()).expect("our own metadata");
                assert_eq!((again.stream, again.as_they_arrive), (metadata.stream, metadata.as_they_arrive));
            }
        }
        3 => tags(bytes),
        _ => {
            if let Some(control) = UserControl::parse(bytes) {
                assert_eq!(UserControl::parse(&control.encode()), Some(control));
            }
        }
    }
}

/// Values are few and small, and what is written of them reads back as it was.
fn values(bytes: &[u8]) {
    let Ok(values) = amf::read_sequence(bytes) else { return };
    let mut counted = Counted::default();
    values.iter().for_each(|value| counted.count(value, 0));
    assert!(counted.values <= amf::MOST_ELEMENTS && counted.text <= 2 * amf::MOST_BYTES, "{counted:?}");
    let mut written = Vec::new();
    amf::write_sequence(&values, &mut written);
    // Written in full, references make it longer, perhaps longer than may be read.
    if let Ok(again) = amf::read_sequence(&written) {
        let mut twice = Vec::new();
        amf::write_sequence(&again, &mut twice);
        assert_eq!(twice, written);
    }
}

#[derive(Debug, Default)]
struct Counted {
    values: usize,
    text: usize,
}

impl Counted {
    fn count(&mut self, value: &amf::Value, depth: usize) {
        assert!(depth <= amf::MOST_DEPTH);
        self.values += 1;
        match value {
            amf::Value::String(text) => self.text += text.len(),
            amf::Value::Bytes(bytes) => self.text += bytes.len(),
            amf::Value::Object(properties) | amf::Value::EcmaArray(properties) => {
                for (name, value) in properties {
                    self.text += name.len();
                    self.count(value, depth + 1);
                }
            }
            amf::Value::Array(values) => values.iter().for_each(|value| self.count(value, depth + 1)),
            _ => {}
        }
    }
}

fn message(bytes: &[u8]) {
    match Message::parse(&bytes.to_vec().into()) {
        Message::Command(command) => {
            let _ = (command.text(0), command.stream_id(0), StatusCode::of(command.info()));
            assert!(peer_info::addresses(&command).len() <= bytes.len());
            let again = Command::parse(&command.encode());
            assert!(again.is_ok() || command.encode().len() > bytes.len(), "our own command");
        }
        Message::Data { handler, arguments } => {
            let again = message::encode_data(&handler, &arguments);
            let read = matches!(Message::parse(&again), Message::Data { .. });
            assert!(read || again.len() > bytes.len() || handler == "@setDataFrame", "our own data");
        }
        Message::Media(media) => {
            assert_eq!(Message::parse(&message::encode_media(&media)), Message::Media(media));
        }
        Message::UserControl(UserControl::SetKeepalive { server, peer }) => {
            let most = Duration::from_millis(u32::MAX.into());
            assert!(server <= most && peer <= most);
        }
        Message::UserControl(_) | Message::Unknown => {}
    }
}

fn tags(bytes: &[u8]) {
    let _ = (media_tag::parse_audio(bytes), media_tag::parse_video(bytes));
    let frame = media_tag::opus_frame(bytes);
    assert!(frame.len() <= bytes.len() + 8);
    let _ = media_tag::parse_audio(&frame);
    let frame = media_tag::avc_frame(true, 0, bytes);
    let whole = media_tag::VideoTag::Frame { key: true, composition_ms: 0, nal_units: bytes };
    assert_eq!(media_tag::parse_video(&frame), whole);
}
