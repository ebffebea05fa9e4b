//! Numbered bytes in place of coded sound and pictures, so that the player knows what is missing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tincan::amf::Value;
use tincan::netconnection::media_tag::{self, AudioTag, VideoTag};
use tincan::netconnection::node::{MediaDeadline, MediaKind, MediaMessage, ServerStreamId, Target};
use tincan::netconnection::{Node, NodeEvent};

use crate::client::{Client, Problem, Server};

/// What a packet of sound, and a picture, holds: the latter takes several packets.
const SOUND_SIZE: usize = 80;
const PICTURE_SIZE: usize = 4_000;

/// What was sent, or came, by kind.
pub(crate) type Counts = BTreeMap<&'static str, u64>;

/// Publishes at the pace of a call: 50 packets of sound and 30 pictures a second, and a word each second.
pub(crate) async fn publish(server: Server, name: String, lasting: Duration) -> Result<Counts, Problem> {
    let mut client = Client::new("publisher", &server)?;
    let (connection, stream) = client.open_stream(&server).await?;
    client.ask(move |node, now| node.publish(now, stream, &name)).await?;
    client.wait_for("publish", |event| is_status(event, "NetStream.Publish.Start")).await?;
    println!("publisher: the stream is published");
    let mut counts = Counts::new();
    let begun = Instant::now();
    let mut every = tokio::time::interval(Duration::from_millis(10));
    while begun.elapsed() < lasting {
        every.tick().await;
        let at = begun.elapsed();
        let due = due_at(at, &mut counts);
        client
            .ask(move |node, now| {
                for message in due {
                    message.send(node, now, stream, at);
                }
            })
            .await?;
    }
    client.leave(connection, stream).await?;
    Ok(counts)
}

enum Message {
    /// Configuration: always delivered.
    Start,
    Sound(u64),
    Picture(u64),
    Word(u64),
}

/// What should have been sent by now, and was not yet.
fn due_at(at: Duration, counts: &mut Counts) -> Vec<Message> {
    type Make = fn(u64) -> Message;
    let mut due = Vec::new();
    if counts.is_empty() {
        due.push(Message::Start);
    }
    let make: [(_, _, Make); 3] =
        [("sound", 50, Message::Sound), ("picture", 30, Message::Picture), ("word", 1, Message::Word)];
    for (kind, per_second, message) in make {
        let count = counts.entry(kind).or_default();
        while u128::from(*count) * 1000 <= at.as_millis() * per_second {
            due.push(message(*count));
            *count += 1;
        }
    }
    due
}

impl Message {
    fn send(self, node: &mut Node, now: Instant, stream: ServerStreamId, at: Duration) {
        let target = Target::ServerStream(stream);
        let timestamp = u32::try_from(at.as_millis()).unwrap_or(u32::MAX);
        let in_time = |milliseconds| MediaDeadline {
            start_by: Some(now + Duration::from_millis(milliseconds)),
            finish_by: Some(now + Duration::from_millis(2 * milliseconds)),
            needs_previous: false,
        };
        let mut media = |kind, payload, deadline| {
            node.send_media(now, target, MediaMessage { kind, timestamp, payload }, deadline);
        };
        match self {
            Self::Start => {
                media(MediaKind::Audio, media_tag::opus_sequence_start(1), MediaDeadline::default());
                let avcc = [1, 66, 0, 31, 0xff, 0xe0, 0];
                media(MediaKind::Video, media_tag::avc_sequence_header(&avcc), MediaDeadline::default());
            }
            Self::Sound(number) => {
                media(MediaKind::Audio, media_tag::opus_frame(&numbered(number, SOUND_SIZE)), in_time(500));
            }
            Self::Picture(number) => {
                let picture = media_tag::avc_frame(number % 30 == 0, 0, &numbered(number, PICTURE_SIZE));
                media(MediaKind::Video, picture, in_time(1_000));
            }
            Self::Word(number) => {
                let arguments = vec![Value::from("number"), Value::Number(number as f64)];
                node.send_data(now, target, "word", arguments);
            }
        }
    }
}

/// Bytes that tell by themselves whether they came whole.
fn numbered(number: u64, size: usize) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize(size, number.to_be_bytes()[7]);
    bytes
}

fn is_whole(bytes: &[u8], size: usize) -> bool {
    let number = bytes.first_chunk().map(|first| u64::from_be_bytes(*first));
    number.is_some_and(|number| bytes == numbered(number, size))
}

/// Plays until the time is over or the stream ends, and counts.
pub(crate) async fn play(
    server: Server,
    name: String,
    lasting: Duration,
    strangers: bool,
) -> Result<(Counts, Counts), Problem> {
    let mut client = Client::new("player", &server)?;
    let (connection, stream) = client.open_stream(&server).await?;
    client.ask(move |node, now| node.play(now, stream, &name)).await?;
    let until = tokio::time::Instant::now() + lasting;
    let (mut came, mut wrong) = (Counts::new(), Counts::new());
    while let Ok(Some(event)) = tokio::time::timeout_at(until, client.told.recv()).await {
        let Some((kind, good)) = judge(&event) else {
            match event {
                NodeEvent::StreamStatus { code, .. } => println!("player: {}", code.as_str()),
                NodeEvent::Disconnected { code, description, .. } => {
                    println!("player: {} {description}", code.as_str());
                    break;
                }
                other => println!("player: {other:?}"),
            }
            continue;
        };
        // Somebody else's publisher sends what it likes.
        *if good || strangers { &mut came } else { &mut wrong }.entry(kind).or_default() += 1;
    }
    client.leave(connection, stream).await?;
    Ok((came, wrong))
}

/// Which kind came, and whether as our publisher sends it.
fn judge(event: &NodeEvent) -> Option<(&'static str, bool)> {
    Some(match event {
        NodeEvent::StreamMedia { message, .. } if message.kind == MediaKind::Audio => {
            match media_tag::parse_audio(&message.payload) {
                AudioTag::OpusFrame(packet) => ("sound", is_whole(packet, SOUND_SIZE)),
                AudioTag::Config { .. } | AudioTag::Silence => ("sound configuration", true),
                AudioTag::Other => ("sound of another codec", false),
            }
        }
        NodeEvent::StreamMedia { message, .. } => match media_tag::parse_video(&message.payload) {
            VideoTag::Frame { nal_units, .. } => ("picture", is_whole(nal_units, PICTURE_SIZE)),
            VideoTag::Config { .. } | VideoTag::End => ("picture configuration", true),
            // A command of the server, as "seeking", has a header and one byte.
            VideoTag::Other if message.payload.len() <= 2 => ("picture command", true),
            VideoTag::Other => ("picture of another codec", false),
        },
        NodeEvent::StreamData { handler, arguments, .. } => {
            ("word", handler == "word" && arguments.first() == Some(&Value::from("number")))
        }
        _ => return None,
    })
}

/// Whether a stream got that status.
pub(crate) fn is_status(event: &NodeEvent, wanted: &str) -> bool {
    matches!(event, NodeEvent::StreamStatus { code, .. } if code.as_str() == wanted)
}
