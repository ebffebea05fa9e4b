//! Tries another RTMFP server: connects to it, publishes sound, pictures and data, plays them back, and prints what came.
//! `cargo run --no-default-features --features net --example peer -- RTMFP-URL [both|publish|play] [STREAM] [SECONDS]`.
//!
//! `both`, unless told otherwise, is two clients, each with a session of its own. The messages carry real headers, so that
//! servers sort and keep them as they do with any publisher's, and numbered bytes instead of coded sound and pictures, so
//! that the player knows what is missing. Ends with status 1 when nothing came, or not what was sent.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tincan::amf::Value;
use tincan::driver::{self, Driver, DriverConfig, DriverError};
use tincan::netconnection::media_tag::{self, AudioTag, VideoTag};
use tincan::netconnection::node::{
    ConnectionId, MediaDeadline, MediaKind, MediaMessage, NodeConfig, ServerStreamId, Target,
};
use tincan::netconnection::{Node, NodeEvent};
use tincan::rtmfp::EndpointConfig;
use tincan::rtmfp::crypto::flash::{Flash, Identity};
use tincan::rtmfp::machine::{Input, Machine, Output, PathId, Route};
use tokio::sync::mpsc;
use tokio::time::timeout;

type Ask = Box<dyn FnOnce(&mut Node, Instant) + Send>;
type Problem = Box<dyn std::error::Error>;

/// How long a server may take to answer each request.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long the player waits for what is still on its way.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// What a packet of sound, and a picture, holds: the latter takes several packets.
const SOUND_SIZE: usize = 80;
const PICTURE_SIZE: usize = 4_000;

/// A node that does what it is asked.
struct Asked(Node);

impl Machine for Asked {
    type Command = Ask;
    type Event = NodeEvent;

    fn handle_input(&mut self, now: Instant, input: Input<'_, Ask>) {
        match input.without_command() {
            Ok(input) => self.0.handle_input(now, input),
            Err(ask) => ask(&mut self.0, now),
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<NodeEvent> {
        self.0.poll_output(now, packets)
    }
}

/// One client of the server, with a key made for this run.
struct Client {
    who: &'static str,
    driver: Driver<Ask>,
    told: mpsc::UnboundedReceiver<NodeEvent>,
}

impl Client {
    fn new(who: &'static str) -> Result<Self, DriverError> {
        let mut seeds = [[0; 32]; 2];
        seeds.iter_mut().for_each(|seed| getrandom::fill(seed).expect("the system has randomness"));
        let identity = Identity::generate(seeds[0]);
        println!("{who}: peer ID {}", identity.peer_id());
        let endpoint = EndpointConfig::new(Arc::new(Flash::peer(identity)), seeds[1]);
        let node = Node::new(NodeConfig { endpoint, most_peer_connections: 8 });
        let (tell, told) = mpsc::unbounded_channel();
        let driver = driver::spawn(Asked(node), DriverConfig::any_port(), move |event| {
            // Nobody listens any more once this client is done.
            let _ = tell.send(event);
        })?;
        Ok(Self { who, driver, told })
    }

    async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Node, Instant) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let ask: Ask = Box::new(move |node, now| {
            let _ = answer.send(ask(node, now));
        });
        self.driver.command(ask).await?;
        Ok(answered.await?)
    }

    /// Connects and makes a stream.
    async fn open_stream(&mut self, server: &Server) -> Result<(ConnectionId, ServerStreamId), Problem> {
        let begun = Instant::now();
        let (url, routes) = (server.url.clone(), server.routes(self.driver.local_addresses()));
        let connection = self.ask(move |node, now| node.connect(now, &url, &routes, Vec::new())).await?;
        self.wait_for("connect", |event| matches!(event, NodeEvent::Connected { .. })).await?;
        println!("{}: connected after {} ms", self.who, begun.elapsed().as_millis());
        let stream = self.ask(move |node, now| node.create_stream(now, connection)).await?;
        self.wait_for("createStream", |event| matches!(event, NodeEvent::StreamCreated { .. })).await?;
        Ok((connection, stream))
    }

    async fn wait_for(&mut self, what: &str, wanted: impl Fn(&NodeEvent) -> bool) -> Result<(), Problem> {
        loop {
            let event = timeout(PATIENCE, self.told.recv())
                .await
                .map_err(|_| format!("{}: no answer to {what} within {} s", self.who, PATIENCE.as_secs()))?
                .ok_or("the driver has stopped")?;
            if wanted(&event) {
                return Ok(());
            }
            match event {
                NodeEvent::Disconnected { code, description, .. } => {
                    return Err(format!("{}: {} {description}", self.who, code.as_str()).into());
                }
                NodeEvent::StreamStatus { code, info, .. } => {
                    println!("{}: {} {info:?}", self.who, code.as_str());
                }
                other => println!("{}: {other:?}", self.who),
            }
        }
    }

    async fn leave(self, connection: ConnectionId, stream: ServerStreamId) -> Result<(), Problem> {
        self.ask(move |node, now| {
            node.delete_stream(now, stream);
            node.close_connection(now, connection);
        })
        .await?;
        self.driver.stop().await;
        Ok(())
    }
}

/// Where the server is.
#[derive(Clone)]
struct Server {
    url: String,
    addresses: Vec<SocketAddr>,
}

impl Server {
    fn parse(url: &str) -> Result<Self, Problem> {
        let rest = url.strip_prefix("rtmfp://").ok_or("the address must read rtmfp://host[:port][/app]")?;
        let authority = rest.split('/').next().unwrap_or_default();
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let with_port = if has_port { authority.to_owned() } else { format!("{authority}:1935") };
        Ok(Self { url: url.to_owned(), addresses: with_port.to_socket_addrs()?.collect() })
    }

    /// Each address by the socket of its family.
    fn routes(&self, local: &[SocketAddr]) -> Vec<Route> {
        let route = |&address: &SocketAddr| {
            let path = local.iter().position(|local| local.is_ipv4() == address.is_ipv4())?;
            Some(Route { via: PathId(u32::try_from(path).ok()?), address })
        };
        self.addresses.iter().filter_map(route).collect()
    }
}

/// What was sent, or came, by kind.
type Counts = BTreeMap<&'static str, u64>;

/// Publishes at the pace of a call: 50 packets of sound and 30 pictures a second, and a word each second.
async fn publish(server: Server, name: String, lasting: Duration) -> Result<Counts, Problem> {
    let mut client = Client::new("publisher")?;
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
async fn play(
    server: Server,
    name: String,
    lasting: Duration,
    strangers: bool,
) -> Result<(Counts, Counts), Problem> {
    let mut client = Client::new("player")?;
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

fn is_status(event: &NodeEvent, wanted: &str) -> bool {
    matches!(event, NodeEvent::StreamStatus { code, .. } if code.as_str() == wanted)
}

#[tokio::main]
async fn main() -> Result<ExitCode, Problem> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: peer RTMFP-URL [both|publish|play] [STREAM] [SECONDS]";
    let server = Server::parse(&arguments.next().ok_or(usage)?)?;
    let what = arguments.next().unwrap_or_else(|| "both".to_owned());
    let name = arguments.next().unwrap_or_else(|| "tincan".to_owned());
    let lasting = Duration::from_secs(arguments.next().map_or(Ok(5), |seconds| seconds.parse())?);
    let good = match what.as_str() {
        "publish" => {
            println!("sent: {:?}", publish(server, name, lasting).await?);
            true
        }
        "play" => {
            let (came, _) = play(server, name, lasting, true).await?;
            println!("came: {came:?}");
            !came.is_empty()
        }
        "both" => {
            let player = play(server.clone(), name.clone(), lasting + LAST_WORDS, false);
            let (sent, played) = tokio::join!(publish(server, name, lasting), player);
            let (sent, (came, wrong)) = (sent?, played?);
            println!("sent: {sent:?}\ncame: {came:?}\nwrong: {wrong:?}");
            wrong.is_empty() && sent.keys().all(|kind| came.contains_key(kind))
        }
        _ => return Err(usage.into()),
    };
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
