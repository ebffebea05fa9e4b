//! Sound and pictures from a file and into one. The tag bodies of FLV are what RTMP's messages carry, so they pass as they
//! are; only the script data is read, since data messages are values here.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tincan::amf::{self, Value};
use tincan::netconnection::media_tag::{self, VideoTag};
use tincan::netconnection::node::{MediaDeadline, MediaKind, MediaMessage, Target};
use tincan::netconnection::{Node, NodeEvent};

use crate::client::{Client, Problem, Server};
use crate::numbered::{Counts, is_status};

/// One tag of a file.
pub(crate) struct Tag {
    kind: Kind,
    /// Milliseconds from the file's beginning.
    pub(crate) at: u32,
    body: Bytes,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Media(MediaKind),
    Script,
}

/// What stands before each tag's body, and what before the first tag.
const TAG_HEADER: usize = 11;
const FILE_HEADER: [u8; 13] = [b'F', b'L', b'V', 1, 5, 0, 0, 0, 9, 0, 0, 0, 0];
/// Tag types.
const AUDIO: u8 = 8;
const VIDEO: u8 = 9;
const SCRIPT: u8 = 18;

/// All tags of a file.
pub(crate) fn read(path: &str) -> Result<Vec<Tag>, Problem> {
    let file = Bytes::from(std::fs::read(path)?);
    if !file.starts_with(b"FLV") {
        return Err(format!("{path} is no FLV file").into());
    }
    let mut tags = Vec::new();
    let mut place = FILE_HEADER.len();
    while let Some(&[kind, s1, s2, s3, t1, t2, t3, t0, ..]) = file.get(place..place + TAG_HEADER) {
        let size = u32::from_be_bytes([0, s1, s2, s3]) as usize;
        let begin = place + TAG_HEADER;
        if begin + size > file.len() {
            break;
        }
        let kind = match kind {
            AUDIO => Some(Kind::Media(MediaKind::Audio)),
            VIDEO => Some(Kind::Media(MediaKind::Video)),
            SCRIPT => Some(Kind::Script),
            _ => None,
        };
        let (at, body) = (u32::from_be_bytes([t0, t1, t2, t3]), file.slice(begin..begin + size));
        tags.extend(kind.map(|kind| Tag { kind, at, body }));
        place = begin + size + 4;
    }
    Ok(tags)
}

impl Tag {
    /// Sends it. Pictures depend on those before them, and nobody wants sound of a second ago; what tells how to decode is
    /// always delivered.
    pub(crate) fn send(&self, node: &mut Node, now: Instant, target: Target) {
        let kind = match self.kind {
            Kind::Media(kind) => kind,
            Kind::Script => {
                let arguments = amf::read_sequence(&self.body).unwrap_or_default();
                node.send_data(now, target, "@setDataFrame", arguments);
                return;
            }
        };
        let key = matches!(media_tag::parse_video(&self.body), VideoTag::Frame { key: true, .. });
        let deadline = match kind {
            _ if self.is_configuration() => MediaDeadline::default(),
            MediaKind::Audio => in_time(now, 1_000, false),
            MediaKind::Video => in_time(now, 2_000, !key),
        };
        let message = MediaMessage { kind, timestamp: self.at, payload: self.body.clone() };
        node.send_media(now, target, message, deadline);
    }

    /// Whether it tells how to decode: the second byte of AAC's and H.264's bodies is 0 then.
    fn is_configuration(&self) -> bool {
        self.kind != Kind::Script && self.body.get(1) == Some(&0)
    }

    /// How it is counted.
    pub(crate) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Media(_) if self.is_configuration() => "configuration",
            Kind::Media(MediaKind::Audio) => "sound",
            Kind::Media(MediaKind::Video) => "picture",
            Kind::Script => "word",
        }
    }
}

fn in_time(now: Instant, milliseconds: u64, needs_previous: bool) -> MediaDeadline {
    MediaDeadline {
        start_by: Some(now + Duration::from_millis(milliseconds)),
        finish_by: Some(now + Duration::from_millis(2 * milliseconds)),
        needs_previous,
    }
}

/// A file being written.
pub(crate) struct Recording {
    file: BufWriter<File>,
    /// How much came, by kind.
    pub(crate) counts: Counts,
}

impl Recording {
    /// Begins a file.
    pub(crate) fn new(path: &str) -> Result<Self, Problem> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(&FILE_HEADER)?;
        Ok(Self { file, counts: Counts::new() })
    }

    /// Keeps a message of a stream.
    pub(crate) fn keep(&mut self, message: &MediaMessage) -> Result<(), Problem> {
        let tag =
            Tag { kind: Kind::Media(message.kind), at: message.timestamp, body: message.payload.clone() };
        *self.counts.entry(tag.name()).or_default() += 1;
        if tag.body.is_empty() {
            return Ok(());
        }
        let size = u32::try_from(tag.body.len())?;
        let [t0, t1, t2, t3] = tag.at.to_be_bytes();
        let [_, s1, s2, s3] = size.to_be_bytes();
        let kind = if message.kind == MediaKind::Audio { AUDIO } else { VIDEO };
        self.file.write_all(&[kind, s1, s2, s3, t1, t2, t3, t0, 0, 0, 0])?;
        self.file.write_all(&tag.body)?;
        self.file.write_all(&(size + TAG_HEADER as u32).to_be_bytes())?;
        Ok(())
    }

    /// Counts a data message.
    pub(crate) fn count_word(&mut self, _handler: &str, _arguments: &[Value]) {
        *self.counts.entry("word").or_default() += 1;
    }

    /// Ends the file.
    pub(crate) fn finish(mut self) -> Result<Counts, Problem> {
        self.file.flush()?;
        Ok(self.counts)
    }
}

/// Sends a file's tags at their times, until they or the time are over.
pub(crate) async fn send_paced(
    client: &Client,
    tags: &[Tag],
    target: Target,
    lasting: Duration,
) -> Result<Counts, Problem> {
    let begun = tokio::time::Instant::now();
    let mut counts = Counts::new();
    for due in tags.chunk_by(|a, b| a.at == b.at) {
        let at = Duration::from_millis(u64::from(due.first().map_or(0, |tag| tag.at)));
        if at > lasting {
            break;
        }
        tokio::time::sleep_until(begun + at).await;
        let mut sent = Vec::new();
        for tag in due {
            *counts.entry(tag.name()).or_default() += 1;
            sent.push(Tag { kind: tag.kind, at: tag.at, body: tag.body.clone() });
        }
        client.ask(move |node, now| sent.iter().for_each(|tag| tag.send(node, now, target))).await?;
    }
    Ok(counts)
}

/// Publishes a file's sound and pictures to a server.
pub(crate) async fn publish(
    server: Server,
    name: String,
    lasting: Duration,
    path: &str,
) -> Result<Counts, Problem> {
    let tags = read(path)?;
    let mut client = Client::new("publisher", &server)?;
    let (connection, stream) = client.open_stream(&server).await?;
    client.ask(move |node, now| node.publish(now, stream, &name)).await?;
    client.wait_for("publish", |event| is_status(event, "NetStream.Publish.Start")).await?;
    println!("publisher: the stream is published");
    let counts = send_paced(&client, &tags, Target::ServerStream(stream), lasting).await?;
    client.leave(connection, stream).await?;
    Ok(counts)
}

/// Plays a server's stream into a file.
pub(crate) async fn play(
    server: Server,
    name: String,
    lasting: Duration,
    path: &str,
) -> Result<Counts, Problem> {
    let mut recording = Recording::new(path)?;
    let mut client = Client::new("player", &server)?;
    let (connection, stream) = client.open_stream(&server).await?;
    client.ask(move |node, now| node.play(now, stream, &name)).await?;
    let until = tokio::time::Instant::now() + lasting;
    while let Ok(Some(event)) = tokio::time::timeout_at(until, client.told.recv()).await {
        match event {
            NodeEvent::StreamMedia { message, .. } => recording.keep(&message)?,
            NodeEvent::StreamData { handler, arguments, .. } => recording.count_word(&handler, &arguments),
            NodeEvent::StreamStatus { code, .. } => println!("player: {}", code.as_str()),
            NodeEvent::Disconnected { code, description, .. } => {
                println!("player: {} {description}", code.as_str());
                break;
            }
            other => println!("player: {other:?}"),
        }
    }
    client.leave(connection, stream).await?;
    recording.finish()
}
