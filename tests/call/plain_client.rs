//! A client as the web chat of old was: the ten steps, `username` and `message`, and nothing else.

use std::collections::VecDeque;
use std::time::Instant;

use tincan::amf::Value;
use tincan::netconnection::node::{
    MediaKind, Node, NodeEvent, PlaybackEnd, PlaybackId, PublicationId, Target,
};
use tincan::rtmfp::PeerId;
use tincan::rtmfp::machine::{Input, Machine, Output, Route};

/// What its person does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PlainCommand {
    Connect {
        url: String,
        server: Route,
    },
    Call(PeerId),
    Say(String),
    /// Plays this stream of somebody.
    Play(PeerId, String),
    Close,
}

/// What its person sees.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PlainEvent {
    Connected,
    /// `username`: the incoming line is there.
    ConnectedWith(String),
    /// `message`.
    Line(String, String),
    /// Some other handler, with so many arguments: its player would report an error.
    Unknown(String, usize),
    /// A picture, by the last byte of its message.
    Picture(Option<u8>),
    /// Some other stream that it asked for is not for it.
    Refused,
    /// The far end's stream is over.
    Over,
}

pub(crate) struct PlainClient {
    node: Node,
    name: String,
    public: Option<PublicationId>,
    calling: Option<PeerId>,
    output: Option<PublicationId>,
    input: Option<PlaybackId>,
    events: VecDeque<PlainEvent>,
}

impl PlainClient {
    pub(crate) fn new(node: Node, name: &str) -> Self {
        Self {
            node,
            name: name.to_owned(),
            public: None,
            calling: None,
            output: None,
            input: None,
            events: VecDeque::new(),
        }
    }

    fn command(&mut self, now: Instant, command: PlainCommand) {
        match command {
            PlainCommand::Connect { url, server } => {
                self.node.connect(now, &url, &[server], vec![Value::from(self.name.as_str())]);
            }
            PlainCommand::Call(peer) => {
                self.calling = Some(peer);
                self.output = Some(self.node.publish_direct(now, &peer.to_string()));
                self.node.play_direct(now, peer, &peer.to_string(), &[]);
            }
            PlainCommand::Say(text) => {
                if let Some(output) = self.output {
                    let arguments = vec![Value::from(self.name.as_str()), Value::String(text)];
                    self.node.send_data(now, Target::Publication(output), "message", arguments);
                }
            }
            PlainCommand::Play(peer, name) => {
                self.node.play_direct(now, peer, &name, &[]);
            }
            PlainCommand::Close => {
                if let Some(output) = self.output.take() {
                    self.node.unpublish(now, output);
                }
                if let Some(input) = self.input.take() {
                    self.node.close_playback(now, input);
                }
            }
        }
    }

    fn event(&mut self, now: Instant, event: NodeEvent) {
        let me = self.node.near_id();
        match event {
            NodeEvent::Connected { .. } => {
                self.public = Some(self.node.publish_direct(now, &me.to_string()));
                self.events.push_back(PlainEvent::Connected);
            }
            NodeEvent::PeerConnect { subscriber, publication: Some(publication), peer, .. } => {
                self.node.accept_subscriber(now, subscriber, publication);
                if Some(publication) == self.public {
                    self.output = Some(self.node.publish_direct(now, &peer.to_string()));
                    self.input = Some(self.node.play_direct(now, peer, &me.to_string(), &[]));
                }
            }
            NodeEvent::PeerConnect { subscriber, .. } => self.node.refuse_subscriber(now, subscriber),
            NodeEvent::PlayStarted { publication, .. } if Some(publication) == self.output => {
                let name = vec![Value::from(self.name.as_str())];
                self.node.send_data(now, Target::Publication(publication), "username", name);
                if let Some(peer) = self.calling.take() {
                    self.input = Some(self.node.play_direct(now, peer, &me.to_string(), &[]));
                }
            }
            NodeEvent::Data { playback, handler, arguments } if Some(playback) == self.input => {
                let text =
                    |at: usize| arguments.get(at).and_then(Value::as_str).unwrap_or_default().to_owned();
                self.events.push_back(match (handler.as_str(), arguments.len()) {
                    ("username", 1) => PlainEvent::ConnectedWith(text(0)),
                    ("message", 2) => PlainEvent::Line(text(0), text(1)),
                    // What every publisher of Flash sends by itself.
                    ("|RtmpSampleAccess", _) => return,
                    (other, count) => PlainEvent::Unknown(other.to_owned(), count),
                });
            }
            NodeEvent::Media { playback, message }
                if Some(playback) == self.input && message.kind == MediaKind::Video =>
            {
                self.events.push_back(PlainEvent::Picture(message.payload.last().copied()));
            }
            NodeEvent::PlaybackEnded { playback, .. } if Some(playback) == self.input => {
                self.events.push_back(PlainEvent::Over);
            }
            NodeEvent::PlaybackEnded { end: PlaybackEnd::Refused, .. } => {
                self.events.push_back(PlainEvent::Refused);
            }
            _ => {}
        }
    }
}

impl Machine for PlainClient {
    type Command = PlainCommand;
    type Event = PlainEvent;

    fn handle_input(&mut self, now: Instant, input: Input<'_, PlainCommand>) {
        match input.without_command() {
            Ok(input) => self.node.handle_input(now, input),
            Err(command) => self.command(now, command),
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<PlainEvent> {
        loop {
            match self.node.poll_output(now, packets) {
                Output::Transmit(transmit) => return Output::Transmit(transmit),
                Output::Compute(job) => return Output::Compute(job),
                Output::Event(event) => self.event(now, event),
                Output::Sleep(until) => {
                    return match self.events.pop_front() {
                        Some(event) => Output::Event(event),
                        None => Output::Sleep(until),
                    };
                }
            }
        }
    }
}
