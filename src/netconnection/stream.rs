//! NetStream through a server, the client's end (RFC 7425 §5.3.5): publishing and playing.

use std::time::Instant;

use super::call::Pending;
use super::command::{self, Command};
use super::connection::{Connection, Role};
use super::flow_metadata::LAST_STREAM;
use super::ids::{ConnectionId, ServerStreamId, Target};
use super::message::{self, Message};
use super::node::{Node, NodeEvent};
use super::outlet::Outlet;
use super::peer_stream::SAMPLE_ACCESS;
use super::session::Owner;
use super::status::StatusCode;

/// A stream through a server.
#[derive(Debug)]
pub(super) struct ServerStream {
    connection: ConnectionId,
    /// The server's number for it, once it has one.
    number: Option<u32>,
    /// Where our messages on it go, from then on.
    pub(super) outlet: Option<Outlet>,
    /// What was asked of it before.
    waiting: Vec<Command>,
}

impl Node {
    /// `createStream` on a connection to a server; comes back as [`NodeEvent::StreamCreated`], or as
    /// [`NodeEvent::StreamStatus`] with an error when the server refuses it.
    pub fn create_stream(&mut self, now: Instant, connection: ConnectionId) -> ServerStreamId {
        let id = ServerStreamId(self.next_name());
        let is_client = self.connections.get(&connection).is_some_and(|c| matches!(c.role, Role::Client(_)));
        let stream = ServerStream { connection, number: None, outlet: None, waiting: Vec::new() };
        let of_connection = self.streams.values().filter(|stream| stream.connection == connection).count();
        let asked = is_client
            && of_connection < MOST_STREAMS
            && self.ask(now, connection, "createStream", Vec::new(), Pending::CreateStream(id));
        if asked {
            self.streams.insert(id, stream);
        } else {
            let code = StatusCode::CallFailed;
            let info = code.info("No stream can be created on this connection.");
            self.tell(NodeEvent::StreamStatus { stream: id, code, info });
        }
        id
    }

    /// `publish(name, "live")` on a stream through a server.
    pub fn publish(&mut self, now: Instant, stream: ServerStreamId, name: &str) {
        self.send_on_stream(now, stream, Command::notification("publish", vec![name.into(), "live".into()]));
    }

    /// `play(name)` on a stream through a server.
    pub fn play(&mut self, now: Instant, stream: ServerStreamId, name: &str) {
        self.send_on_stream(now, stream, Command::notification("play", vec![name.into()]));
    }

    /// `closeStream` and `deleteStream`.
    pub fn delete_stream(&mut self, now: Instant, stream: ServerStreamId) {
        if self.streams.get(&stream).is_some_and(|found| found.outlet.is_some()) {
            self.send_on_stream(now, stream, Command::notification("closeStream", Vec::new()));
        }
        let Some(mut found) = self.streams.remove(&stream) else { return };
        if let Some(outlet) = &mut found.outlet {
            outlet.close(&mut self.endpoint, now);
        }
        if let Some(number) = found.number {
            self.delete_at_server(now, found.connection, number);
        }
        // All of a stream's flows are refused, or none (§5.3.5.3).
        let Some(key) = self.connections.get(&found.connection).map(|connection| connection.session) else {
            return;
        };
        self.refuse_flows_of(now, key, Owner::Stream(stream));
    }

    fn delete_at_server(&mut self, now: Instant, connection: ConnectionId, number: u32) {
        if let Some(Connection { role: Role::Client(client), .. }) = self.connections.get_mut(&connection) {
            client.streams.remove(&number);
        }
        let delete = Command::notification("deleteStream", vec![f64::from(number).into()]);
        self.send_control(now, connection, delete);
    }

    fn send_on_stream(&mut self, now: Instant, id: ServerStreamId, command: Command) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.outlet.is_some() {
            self.write_data(now, Target::ServerStream(id), message::encode_command(&command));
        } else if stream.waiting.len() < MOST_WAITING {
            stream.waiting.push(command);
        }
    }

    pub(super) fn on_create_stream_answer(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        id: ServerStreamId,
        answer: &Command,
    ) {
        let number = (answer.name == command::RESULT).then(|| answer.stream_id(0)).flatten();
        let Some(number) = number.filter(|number| (1..=LAST_STREAM).contains(number)) else {
            self.streams.remove(&id);
            let code = StatusCode::of(answer.info()).unwrap_or(StatusCode::CallFailed);
            self.tell(NodeEvent::StreamStatus { stream: id, code, info: answer.info().clone() });
            return;
        };
        let Some(stream) = self.streams.get_mut(&id) else {
            // Deleted before it existed.
            self.delete_at_server(now, connection, number);
            return;
        };
        let Some(found) = self.connections.get_mut(&connection) else { return };
        if let Role::Client(client) = &mut found.role {
            client.streams.insert(number, id);
        }
        stream.number = Some(number);
        stream.outlet = Some(Outlet::new(found.session, number, found.control_in));
        let waiting = std::mem::take(&mut stream.waiting);
        self.tell(NodeEvent::StreamCreated { connection, stream: id });
        for command in waiting {
            self.send_on_stream(now, id, command);
        }
    }

    pub(super) fn on_stream_message(&mut self, id: ServerStreamId, message: Message) {
        match message {
            Message::Media(message) => self.tell(NodeEvent::StreamMedia { stream: id, message }),
            Message::Data { handler, .. } if handler == SAMPLE_ACCESS => {}
            Message::Data { handler, arguments } => {
                self.tell(NodeEvent::StreamData { stream: id, handler, arguments });
            }
            Message::Command(command) if command.name == command::ON_STATUS => {
                let info = command.info().clone();
                if let Some(code) = StatusCode::of(&info) {
                    self.tell(NodeEvent::StreamStatus { stream: id, code, info });
                }
            }
            Message::Command(_) | Message::UserControl(_) | Message::Unknown => {}
        }
    }

    /// The streams end with their connection, which is told.
    pub(super) fn end_streams_of(&mut self, now: Instant, connection: ConnectionId) {
        let of_it = self.streams.extract_if(.., |_, stream| stream.connection == connection);
        for (_, stream) in of_it {
            if let Some(mut outlet) = stream.outlet {
                outlet.close(&mut self.endpoint, now);
            }
        }
    }
}

/// Streams on one connection.
const MOST_STREAMS: usize = 1024;

/// Commands for a stream that does not exist yet.
const MOST_WAITING: usize = 16;
