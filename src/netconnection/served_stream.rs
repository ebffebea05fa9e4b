//! NetStream through a server, the server's end (RFC 7425 §5.3.5): what clients publish to us, and play from us.
//!
//! A client creates a stream, and asks on it to publish or to play. Who may, and what goes from whom to whom, the layer
//! above decides: here a message that came is only passed up, and one that is sent finds its flow.

use std::time::Instant;

use super::accepted_connection::ClientState;
use super::command::Command;
use super::connection::Role;
use super::ids::{ConnectionId, ServerStreamId, StreamWish, Target};
use super::message::{self, Message};
use super::node::{Node, NodeEvent};
use super::outlet::Outlet;
use super::peer_stream::SAMPLE_ACCESS;
use super::session::Owner;
use super::status::StatusCode;
use super::user_control::UserControl;

/// A stream that a client created.
#[derive(Debug)]
pub(super) struct ServedStream {
    pub(super) connection: ConnectionId,
    number: u32,
    /// Where our messages on it go.
    pub(super) outlet: Outlet,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Nothing is asked of it.
    Idle,
    /// The layer above decides.
    Asked(StreamWish),
    /// It was accepted.
    Running(StreamWish),
}

impl ServedStream {
    /// Where our media goes, if the client plays.
    pub(super) fn playing(&self) -> Option<&Outlet> {
        (self.state == State::Running(StreamWish::Play)).then_some(&self.outlet)
    }
}

impl Node {
    /// Lets a client publish or play on a stream, as it asked ([`NodeEvent::StreamRequested`]). What it plays is sent to
    /// [`Target::ServerStream`] from now on; what it publishes comes as [`NodeEvent::StreamMedia`] and
    /// [`NodeEvent::StreamData`].
    pub fn accept_stream(&mut self, now: Instant, stream: ServerStreamId) {
        let Some(served) = self.served.get_mut(&stream) else { return };
        let State::Asked(wish) = served.state else { return };
        served.state = State::Running(wish);
        let number = served.number;
        let target = Target::ServerStream(stream);
        match wish {
            StreamWish::Publish => {
                let start = Command::status(&StatusCode::PublishStart, "The stream is published now.");
                self.write_data(now, target, message::encode_command(&start));
            }
            StreamWish::Play => {
                let begin = UserControl::StreamBegin(number);
                self.write_data(now, target, message::encode_user_control(begin));
                for (code, text) in [
                    (StatusCode::PlayReset, "Playing and resetting."),
                    (StatusCode::PlayStart, "Started playing."),
                ] {
                    self.write_data(now, target, message::encode_command(&Command::status(&code, text)));
                }
                let access = message::encode_data(SAMPLE_ACCESS, &[true.into(), true.into()]);
                self.write_data(now, target, access);
            }
        }
    }

    /// Refuses what a client asked of a stream, or no longer lets it publish or play. The client may ask for something
    /// else on the same stream.
    pub fn refuse_stream(&mut self, now: Instant, stream: ServerStreamId, why: &str) {
        let Some(served) = self.served.get_mut(&stream) else { return };
        let code = match std::mem::replace(&mut served.state, State::Idle) {
            State::Idle => return,
            State::Asked(StreamWish::Publish) => StatusCode::PublishBadName,
            State::Running(StreamWish::Publish) => StatusCode::UnpublishSuccess,
            State::Asked(StreamWish::Play) => StatusCode::PlayStreamNotFound,
            State::Running(StreamWish::Play) => StatusCode::PlayUnpublishNotify,
        };
        let status = message::encode_command(&Command::status(&code, why));
        self.write_data(now, Target::ServerStream(stream), status);
        if let Some(served) = self.served.get_mut(&stream) {
            served.outlet.close_media(&mut self.endpoint, now);
        }
    }

    /// `createStream`: the number of a new stream, unless the client has too many.
    pub(super) fn create_served(&mut self, id: ConnectionId) -> Option<u32> {
        let stream = ServerStreamId(self.next_name());
        let connection = self.connections.get_mut(&id)?;
        let Role::Server(ClientState::Accepted { streams }) = &mut connection.role else { return None };
        let number = (1..=MOST_STREAMS).find(|number| !streams.contains_key(number))?;
        streams.insert(number, stream);
        let outlet = Outlet::new(connection.session, number, connection.control_in);
        self.served.insert(stream, ServedStream { connection: id, number, outlet, state: State::Idle });
        Some(number)
    }

    /// `deleteStream`, or the end of the connection.
    pub(super) fn delete_served(&mut self, now: Instant, stream: ServerStreamId) {
        let Some(mut served) = self.served.remove(&stream) else { return };
        let session = served.outlet.session;
        served.outlet.close(&mut self.endpoint, now);
        self.refuse_flows_of(now, session, Owner::Served(stream));
        if served.state != State::Idle {
            self.tell(NodeEvent::StreamEnded { stream });
        }
    }

    /// The streams of a client end with its connection.
    pub(super) fn end_served_of(&mut self, now: Instant, connection: ConnectionId) {
        let of_it = self.served.iter().filter(|(_, served)| served.connection == connection);
        let streams: Vec<ServerStreamId> = of_it.map(|(id, _)| *id).collect();
        for stream in streams {
            self.delete_served(now, stream);
        }
    }

    /// A message of a client's on one of its streams.
    pub(super) fn on_served_message(&mut self, now: Instant, stream: ServerStreamId, message: Message) {
        let Some(served) = self.served.get_mut(&stream) else { return };
        let published = served.state == State::Running(StreamWish::Publish);
        match message {
            Message::Media(message) if published => self.tell(NodeEvent::StreamMedia { stream, message }),
            Message::Data { handler, arguments } if published => {
                self.tell(NodeEvent::StreamData { stream, handler, arguments });
            }
            Message::Command(command) => self.on_served_command(now, stream, &command),
            Message::Media(_) | Message::Data { .. } | Message::UserControl(_) | Message::Unknown => {}
        }
    }

    fn on_served_command(&mut self, now: Instant, stream: ServerStreamId, command: &Command) {
        let wish = match command.name.as_str() {
            "publish" => StreamWish::Publish,
            "play" | "play2" => StreamWish::Play,
            "closeStream" => {
                self.stop_served(now, stream);
                return;
            }
            "receiveAudio" | "receiveVideo" | "pause" | "seek" => return,
            _ => {
                let failed = Command::call_failed(command.transaction, &command.name);
                self.write_data(now, Target::ServerStream(stream), message::encode_command(&failed));
                return;
            }
        };
        // Whoever asks for something else has done with what went before.
        self.stop_served(now, stream);
        let Some(served) = self.served.get_mut(&stream) else { return };
        let connection = served.connection;
        served.state = State::Asked(wish);
        match command.text(0) {
            Some(name) => {
                let name = name.to_owned();
                self.tell(NodeEvent::StreamRequested { connection, stream, wish, name });
            }
            None => self.refuse_stream(now, stream, "A stream needs a name."),
        }
    }

    fn stop_served(&mut self, now: Instant, stream: ServerStreamId) {
        let Some(served) = self.served.get_mut(&stream) else { return };
        if std::mem::replace(&mut served.state, State::Idle) != State::Idle {
            served.outlet.close_media(&mut self.endpoint, now);
            self.tell(NodeEvent::StreamEnded { stream });
        }
    }
}

/// Streams a client may have created at once.
const MOST_STREAMS: u32 = 1024;
