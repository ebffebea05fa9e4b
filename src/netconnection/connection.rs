//! NetConnection, the client's end, and what both ends share (RFC 7425 §5.3).
//!
//! The life of one: a session opens, `connect` goes out on our control flow, the server answers on its own, which from
//! then on every flow of ours answers. What is asked before the answer came waits for it: some servers refuse a
//! connection that says more than `connect` too early.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::accepted_connection::ClientState;
use super::alarm::Alarm;
use super::call::Pending;
use super::command::{self, Command};
use super::flow_metadata::FlowMetadata;
use super::ids::{ConnectionId, ObjectEncoding, ServerStreamId};
use super::message::{self, Message};
use super::node::{Node, NodeEvent};
use super::peer_info;
use super::session::{Origin, Outgoing, Owner, Session};
use super::status::StatusCode;
use super::uri;
use super::user_control::UserControl;
use crate::amf::Value;
use crate::rtmfp::SessionEnd;
use crate::rtmfp::crypto::flash;
use crate::rtmfp::endpoint::{
    CloseManner, FlowOptions, ForwardedHello, OwnIdentity, Priority, ReceiveFlowId, SendFlowId, SessionKey,
    WriteOptions,
};
use crate::rtmfp::machine::Route;

/// A NetConnection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) session: SessionKey,
    pub(super) role: Role,
    /// Our control flow, once opened.
    pub(super) control_out: Option<SendFlowId>,
    /// The far end's, which our flows answer.
    pub(super) control_in: Option<ReceiveFlowId>,
    /// In which form our commands go.
    encoding: ObjectEncoding,
    pub(super) last_transaction: u64,
    /// What waits for an answer, by transaction.
    pub(super) pending: BTreeMap<u64, Pending>,
    /// Calls of the far end's that wait for ours.
    pub(super) asked_of_us: usize,
}

/// Which end we are.
#[derive(Debug)]
pub(super) enum Role {
    /// We connected.
    Client(Client),
    /// The far end did.
    Server(ClientState),
}

/// What only a client has.
#[derive(Debug)]
pub(super) struct Client {
    state: ConnectState,
    /// Our streams by the server's numbers.
    pub(super) streams: BTreeMap<u32, ServerStreamId>,
    /// Where else the server may be reached: one way over each path that the session does not take.
    other_ways: Vec<Route>,
    /// Whether this server may introduce others to us.
    trusted: bool,
    /// Whether it is Tincan's.
    is_tincan: bool,
    /// What it knows of whether we are to be met at relays only; nothing when that changed while it was asked.
    said_relay_only: Option<bool>,
    /// What `setPeerInfo` said last: servers ask for it again when our address changed.
    addresses: Vec<SocketAddr>,
    /// What `connect` asks for.
    encoding: ObjectEncoding,
    /// How often this end wants signs of life, whatever the server advises.
    keepalive: Option<Duration>,
}

#[derive(Debug)]
enum ConnectState {
    /// `connect` is to be sent when the session is open.
    Opening { connect: Box<Command>, waiting: Vec<Command> },
    /// It was sent.
    Asked { waiting: Vec<Command> },
    /// It was answered.
    Up,
}

impl Connection {
    pub(super) fn new(session: SessionKey, role: Role) -> Self {
        Self {
            session,
            role,
            control_out: None,
            control_in: None,
            encoding: ObjectEncoding::default(),
            last_transaction: CONNECT_TRANSACTION,
            pending: BTreeMap::new(),
            asked_of_us: 0,
        }
    }

    pub(super) fn is_up_as_client(&self) -> bool {
        matches!(&self.role, Role::Client(Client { state: ConnectState::Up, .. }))
    }

    /// Where a server that we connected to may be reached, but for the way that the session takes.
    pub(super) fn other_ways(&self) -> &[Route] {
        match &self.role {
            Role::Client(client) => &client.other_ways,
            Role::Server(_) => &[],
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.is_up_as_client() || matches!(&self.role, Role::Server(ClientState::Accepted { .. }))
    }
}

impl Node {
    /// Connects to the server at `candidates`: `connect(url, arguments…)`. `url` is the whole `rtmfp://…`, sent as the
    /// ancillary data of the endpoint discriminator and as `tcUrl`; its path is `app`.
    pub fn connect(
        &mut self,
        now: Instant,
        url: &str,
        candidates: &[Route],
        arguments: Vec<Value>,
    ) -> ConnectionId {
        self.connect_as(now, OwnIdentity::Main, url, candidates, arguments)
    }

    /// [`Self::connect`], as one of our identities. One that we do not have gets no further: the connection fails.
    pub fn connect_as(
        &mut self,
        now: Instant,
        own: OwnIdentity,
        url: &str,
        candidates: &[Route],
        arguments: Vec<Value>,
    ) -> ConnectionId {
        let url = &*uri::encoded(url);
        let id = ConnectionId(self.next_name());
        let discriminator = flash::discriminator_for_url(url).into();
        let key = self.endpoint.open_session_as(now, own, discriminator, candidates);
        let mut connect =
            Command::new("connect", CONNECT_TRANSACTION as f64, connect_properties(url), arguments);
        let relay_only = self.endpoint.is_relay_only();
        say_relay_only(&mut connect, relay_only);
        let mut session = Session::new(Origin::ToServer);
        session.connection = Some(id);
        self.sessions.insert(key, session);
        let client = Client {
            state: ConnectState::Opening { connect: Box::new(connect), waiting: Vec::new() },
            streams: BTreeMap::new(),
            other_ways: one_over_each_path(candidates),
            trusted: true,
            is_tincan: false,
            said_relay_only: Some(relay_only),
            addresses: Vec::new(),
            encoding: ObjectEncoding::default(),
            keepalive: None,
        };
        self.connections.insert(id, Connection::new(key, Role::Client(client)));
        id
    }

    /// Whether the server of a connection that is not up yet answers, and only the keys are not agreed on: when it stays so
    /// for seconds, it is a program that knows none as strong as ours.
    pub fn stops_at_keys(&self, connection: ConnectionId) -> bool {
        self.connections.get(&connection).is_some_and(|found| self.endpoint.was_greeted(found.session))
    }

    /// Closes a connection, and the direct streams made through it stay. It ends in [`NodeEvent::Disconnected`], or in
    /// [`NodeEvent::ClientGone`] for a client that was accepted.
    pub fn close_connection(&mut self, now: Instant, connection: ConnectionId) {
        self.end_connection(now, connection, StatusCode::ConnectClosed, "closed here");
    }

    /// Ends a connection at once, without a farewell on its flows: what is queued is not sent, and the session is closed
    /// (RFC 7425 §5.3.6). It is told like [`Self::close_connection`].
    pub fn abort_connection(&mut self, now: Instant, connection: ConnectionId) {
        let Some(session) = self.connections.get(&connection).map(|found| found.session) else { return };
        self.end_connection(now, connection, StatusCode::ConnectClosed, "closed here");
        self.endpoint.close_session(now, session, CloseManner::Abrupt);
    }

    /// Tells the server where we can be reached (RFC 7425 §5.3.3).
    pub fn set_peer_info(&mut self, now: Instant, connection: ConnectionId, addresses: &[SocketAddr]) {
        let Some(found) = self.connections.get_mut(&connection) else { return };
        let Role::Client(client) = &mut found.role else { return };
        client.addresses = addresses.to_vec();
        // Before the connection is up there is nothing to do: it is said first thing then.
        if found.is_up() {
            self.tell_addresses(now, connection);
        }
    }

    /// Asks the server for this encoding of commands, AMF0 when nothing is said (RFC 7425 §5.3.3). To be said before the
    /// session is open: at once after [`Self::connect`].
    pub fn prefer_encoding(&mut self, connection: ConnectionId, encoding: ObjectEncoding) {
        let Some(found) = self.connections.get_mut(&connection) else { return };
        let Role::Client(client) = &mut found.role else { return };
        let ConnectState::Opening { connect, .. } = &mut client.state else { return };
        client.encoding = encoding;
        if let Value::Object(properties) = &mut connect.object {
            let named = properties.iter_mut().find(|(name, _)| name == "objectEncoding");
            if let Some((_, value)) = named {
                *value = encoding.number().into();
            }
        }
    }

    /// Says to a server that others may learn of us over relays only, or that they may learn where we are again.
    pub(super) fn tell_relay_only(&mut self, now: Instant, id: ConnectionId) {
        let relay_only = self.endpoint.is_relay_only();
        let Some(found) = self.connections.get_mut(&id) else { return };
        let Role::Client(client) = &mut found.role else { return };
        match &mut client.state {
            ConnectState::Opening { connect, .. } => {
                client.said_relay_only = Some(relay_only);
                say_relay_only(connect, relay_only);
            }
            // It is said as soon as it is known what server that is.
            ConnectState::Asked { .. } => client.said_relay_only = None,
            ConnectState::Up => {
                if client.is_tincan && client.said_relay_only != Some(relay_only) {
                    client.said_relay_only = Some(relay_only);
                    let command = Command::notification(SET_RELAY_ONLY, vec![relay_only.into()]);
                    self.send_control(now, id, command);
                }
                self.tell_addresses(now, id);
            }
        }
    }

    fn tell_addresses(&mut self, now: Instant, id: ConnectionId) {
        let Some(Role::Client(client)) = self.connections.get(&id).map(|found| &found.role) else { return };
        let told = if self.endpoint.is_relay_only() { &[][..] } else { &client.addresses };
        let command = peer_info::command(told);
        self.send_control(now, id, command);
    }

    /// Whether hellos forwarded by this server are answered (on by default for servers we connect to).
    pub fn trust_introductions(&mut self, connection: ConnectionId, trusted: bool) {
        let Some(found) = self.connections.get_mut(&connection) else { return };
        if let Role::Client(client) = &mut found.role {
            client.trusted = trusted;
        }
        let open = self.sessions.get(&found.session).is_some_and(|session| session.far_end.is_some());
        if open {
            self.endpoint.set_forwarded_hello(found.session, forwarded_hello(trusted));
        }
    }

    /// How often the server is asked for a sign of life when it is silent, in place of what it advises (RFC 7425 §5.3.4).
    /// No less than 5 seconds.
    pub fn prefer_keepalive(&mut self, connection: ConnectionId, every: Duration) {
        let every = every.clamp(LEAST_KEEPALIVE, MOST_KEEPALIVE);
        let Some(found) = self.connections.get_mut(&connection) else { return };
        if let Role::Client(client) = &mut found.role {
            client.keepalive = Some(every);
            self.endpoint.set_patience(found.session, every, self.config.endpoint.vanish_after);
        }
    }

    /// The session to a server is open: says `connect` (§5.3.1).
    pub(super) fn on_server_reached(&mut self, now: Instant, key: SessionKey) {
        let Some(id) = self.sessions.get(&key).and_then(|session| session.connection) else { return };
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let Role::Client(client) = &mut connection.role else { return };
        let ConnectState::Opening { connect, waiting } = &mut client.state else { return };
        let waiting = std::mem::take(waiting);
        let connect = std::mem::replace(connect, Box::new(Command::notification("connect", Vec::new())));
        client.state = ConnectState::Asked { waiting };
        self.endpoint.set_forwarded_hello(key, forwarded_hello(client.trusted));
        self.alarms.set(now + self.config.endpoint.open_within, Alarm::Connect(id));
        self.open_control_flow(id, None);
        self.send_control(now, id, *connect);
    }

    /// Opens our control flow.
    pub(super) fn open_control_flow(&mut self, id: ConnectionId, answers: Option<ReceiveFlowId>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let options = FlowOptions {
            metadata: FlowMetadata::in_order(0).encode(),
            priority: Priority::Data,
            time_critical: false,
            answers,
        };
        let Ok(flow) = self.endpoint.open_flow(connection.session, options) else { return };
        connection.control_out = Some(flow);
        if let Some(session) = self.sessions.get_mut(&connection.session) {
            session.outgoing.insert(flow, Outgoing::Connection(id));
        }
    }

    /// Queues a command on our control flow.
    pub(super) fn send_control(&mut self, now: Instant, id: ConnectionId, command: Command) {
        let Some(connection) = self.connections.get(&id) else { return };
        self.write_control(now, id, message::encode_command_as(&command, connection.encoding));
    }

    pub(super) fn write_control(&mut self, now: Instant, id: ConnectionId, message: bytes::Bytes) {
        let Some(connection) = self.connections.get(&id) else { return };
        let Some(flow) = connection.control_out else { return };
        let written = self.endpoint.write(now, connection.session, flow, message, WriteOptions::default());
        if let Err(misuse) = written {
            tracing::warn!("a command was dropped: {misuse}");
        }
    }

    /// Queues a command that must not go out before the connection is up. Answers whether it was taken.
    pub(super) fn send_when_up(&mut self, now: Instant, id: ConnectionId, command: Command) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        if connection.is_up() {
            self.send_control(now, id, command);
            return true;
        }
        let Role::Client(Client {
            state: ConnectState::Opening { waiting, .. } | ConnectState::Asked { waiting },
            ..
        }) = &mut connection.role
        else {
            return false;
        };
        if waiting.len() >= MOST_WAITING {
            return false;
        }
        waiting.push(command);
        true
    }

    /// A new flow that answers our control flow: the far end's control flow, or one for a stream.
    pub(super) fn on_connection_flow(
        &mut self,
        id: ConnectionId,
        flow: ReceiveFlowId,
        stream: u32,
    ) -> Option<Owner> {
        let connection = self.connections.get_mut(&id)?;
        if stream == 0 {
            // The first one is canonical: flows of ours answer it (§5.3.2).
            connection.control_in.get_or_insert(flow);
            return Some(Owner::Connection(id));
        }
        match &connection.role {
            Role::Client(client) => client.streams.get(&stream).map(|stream| Owner::Stream(*stream)),
            Role::Server(ClientState::Accepted { streams }) => {
                streams.get(&stream).map(|stream| Owner::Served(*stream))
            }
            Role::Server(_) => None,
        }
    }

    pub(super) fn on_connection_message(&mut self, now: Instant, id: ConnectionId, message: Message) {
        let Some(connection) = self.connections.get(&id) else { return };
        let is_client = matches!(connection.role, Role::Client(_));
        match message {
            Message::Command(command) if is_client => self.on_command_of_server(now, id, command),
            Message::Command(command) => self.on_command_of_client(now, id, command),
            Message::UserControl(UserControl::SetKeepalive { server, peer }) if is_client => {
                self.on_set_keepalive(id, server, peer);
            }
            // Nothing else belongs on stream 0.
            Message::UserControl(_) | Message::Media(_) | Message::Data { .. } | Message::Unknown => {}
        }
    }

    fn on_command_of_server(&mut self, now: Instant, id: ConnectionId, command: Command) {
        match command.name.as_str() {
            command::RESULT if command.transaction == CONNECT_TRANSACTION as f64 => {
                self.on_connect_result(now, id, &command);
            }
            command::ERROR if command.transaction == CONNECT_TRANSACTION as f64 => {
                let code = StatusCode::of(command.info()).unwrap_or(StatusCode::ConnectRejected);
                let description = description_of(command.info());
                self.end_connection(now, id, code, &description);
            }
            command::RESULT | command::ERROR => self.on_answer(now, id, command),
            command::ON_STATUS => self.on_connection_status(now, id, command),
            "close" => self.end_connection(now, id, StatusCode::ConnectClosed, "closed by the server"),
            _ => self.on_call(now, id, command),
        }
    }

    fn on_connect_result(&mut self, now: Instant, id: ConnectionId, command: &Command) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let Role::Client(client) = &mut connection.role else { return };
        let ConnectState::Asked { waiting } = &mut client.state else { return };
        let waiting = std::mem::take(waiting);
        client.state = ConnectState::Up;
        let agreed = command.info().property("objectEncoding").and_then(Value::as_number);
        if agreed == Some(client.encoding.number()) {
            connection.encoding = client.encoding;
        }
        client.is_tincan = command.info().property("tincan").and_then(Value::as_number) >= Some(1.0);
        // This completes the handshake, with or without an address (§5.3.3).
        match client.said_relay_only {
            Some(_) => self.tell_addresses(now, id),
            None => self.tell_relay_only(now, id),
        }
        for command in waiting {
            self.send_control(now, id, command);
        }
        self.tell(NodeEvent::Connected { connection: id, info: command.info().clone() });
    }

    fn on_connection_status(&mut self, now: Instant, id: ConnectionId, command: Command) {
        match StatusCode::of(command.info()) {
            Some(StatusCode::AddressChangeNotify) => self.tell_addresses(now, id),
            Some(
                code @ (StatusCode::ConnectRejected
                | StatusCode::ConnectFailed
                | StatusCode::ConnectClosed
                | StatusCode::ConnectInvalidApp
                | StatusCode::ConnectAppShutdown
                | StatusCode::ConnectIdleTimeout),
            ) => {
                let description = description_of(command.info());
                self.end_connection(now, id, code, &description);
            }
            _ => self.on_call(now, id, command),
        }
    }

    /// The server's advice on how often to ask for signs of life (§5.3.4), within our own limits.
    fn on_set_keepalive(&mut self, id: ConnectionId, server: Duration, peer: Duration) {
        let Some(connection) = self.connections.get(&id) else { return };
        let vanish_after = self.config.endpoint.vanish_after;
        if !matches!(&connection.role, Role::Client(Client { keepalive: Some(_), .. })) {
            let server = server.clamp(LEAST_KEEPALIVE, MOST_KEEPALIVE);
            self.endpoint.set_patience(connection.session, server, vanish_after);
        }
        let peer = peer.clamp(LEAST_KEEPALIVE, MOST_KEEPALIVE);
        self.peer_keepalive = Some(peer);
        for (key, session) in &self.sessions {
            if session.far_end.is_some_and(|far_end| session.is_direct_with(far_end.peer)) {
                self.endpoint.set_patience(*key, peer, vanish_after);
            }
        }
    }

    pub(super) fn on_control_flow_finished(&mut self, now: Instant, id: ConnectionId, flow: ReceiveFlowId) {
        let canonical = self.connections.get(&id).is_some_and(|c| c.control_in == Some(flow));
        if canonical {
            // The far end's orderly farewell (§5.3.6).
            self.end_connection(now, id, StatusCode::ConnectClosed, "closed by the other side");
        }
    }

    /// The far end's abrupt farewell (§5.3.6).
    pub(super) fn on_control_flow_refused(&mut self, now: Instant, id: ConnectionId, flow: SendFlowId) {
        let Some(connection) = self.connections.get(&id) else { return };
        if connection.control_out == Some(flow) {
            let code =
                if connection.is_up() { StatusCode::ConnectClosed } else { StatusCode::ConnectRejected };
            let session = connection.session;
            self.end_connection(now, id, code, "refused by the other side");
            // There is nobody left to say anything to.
            self.endpoint.close_session(now, session, CloseManner::Orderly);
        }
    }

    pub(super) fn on_connection_lost(&mut self, now: Instant, id: ConnectionId, end: SessionEnd) {
        let was_up = self.connections.get(&id).is_some_and(Connection::is_up);
        let code = if was_up { StatusCode::ConnectClosed } else { StatusCode::ConnectFailed };
        self.end_connection(now, id, code, &end.to_string());
    }

    pub(super) fn on_connect_alarm(&mut self, now: Instant, id: ConnectionId) {
        let Some(connection) = self.connections.get(&id) else { return };
        match &connection.role {
            Role::Client(Client { state: ConnectState::Asked { .. }, .. }) => {
                self.end_connection(now, id, StatusCode::ConnectFailed, "the server does not answer");
            }
            Role::Server(ClientState::Silent) => {
                self.end_connection(now, id, StatusCode::ConnectFailed, "nothing was asked");
            }
            _ => {}
        }
    }

    /// Ends a connection, tells the layer above, and closes the session when its last words are delivered.
    pub(super) fn end_connection(&mut self, now: Instant, id: ConnectionId, code: StatusCode, why: &str) {
        let Some(connection) = self.connections.remove(&id) else { return };
        self.fail_calls_of(id, &connection);
        match &connection.role {
            Role::Client(_) => {
                self.end_streams_of(now, id);
                self.tell(NodeEvent::Disconnected { connection: id, code, description: why.to_owned() });
            }
            Role::Server(ClientState::Accepted { .. }) => {
                self.end_served_of(now, id);
                self.tell(NodeEvent::ClientGone { connection: id });
            }
            Role::Server(ClientState::Silent | ClientState::Asking { .. }) => {}
        }
        if let Some(session) = self.sessions.get_mut(&connection.session) {
            session.connection = None;
        }
        self.close_gently(now, connection.session);
    }
}

/// What a client tells of itself: what Flash programs told, and the codecs that Enhanced RTMP asks to announce.
fn connect_properties(url: &str) -> Value {
    let any_codec = || Value::object([("*", CAN_FORWARD_ENCODE_DECODE.into())]);
    Value::object([
        ("app", app_of(url).into()),
        ("flashVer", concat!("Tincan ", env!("CARGO_PKG_VERSION")).into()),
        ("tcUrl", url.into()),
        ("fpad", false.into()),
        ("capabilities", 235.0.into()),
        ("audioCodecs", 3575.0.into()),
        ("videoCodecs", 252.0.into()),
        ("videoFunction", 1.0.into()),
        ("objectEncoding", 0.0.into()),
        ("fourCcList", Value::Array(vec!["*".into()])),
        ("audioFourCcInfoMap", any_codec()),
        ("videoFourCcInfoMap", any_codec()),
        ("capsEx", 0.0.into()),
    ])
}

/// Has a `connect` that was not sent yet ask the server to tell nobody where we are, or not.
fn say_relay_only(connect: &mut Command, relay_only: bool) {
    if let Value::Object(properties) = &mut connect.object {
        properties.retain(|(name, _)| name != RELAY_ONLY);
        if relay_only {
            properties.push((RELAY_ONLY.to_owned(), true.into()));
        }
    }
}

/// Whether such properties are those of a program that tries relays only when direct ways had their chance, as this
/// one's engine does.
pub fn tries_relays_last(properties: &Value) -> bool {
    properties.property("flashVer").and_then(Value::as_str).is_some_and(|told| told.starts_with("Tincan "))
}

/// Whether such properties ask that nobody is told where the client is; see [`Node::set_relay_only`].
pub fn wants_relay_only(properties: &Value) -> bool {
    properties.property(RELAY_ONLY) == Some(&Value::Boolean(true))
}

/// The path of a URL, without the slash before it; the query stays.
fn app_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.split_once('/').map_or("", |(_, path)| path);
    path.split_once('#').map_or(path, |(path, _)| path)
}

fn description_of(info: &Value) -> String {
    info.property("description").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn one_over_each_path(candidates: &[Route]) -> Vec<Route> {
    let mut ways: Vec<Route> = Vec::new();
    for route in candidates {
        if ways.iter().all(|way| way.via != route.via) {
            ways.push(*route);
        }
    }
    ways
}

fn forwarded_hello(trusted: bool) -> ForwardedHello {
    if trusted { ForwardedHello::Answer } else { ForwardedHello::Ignore }
}

/// The property of `connect` that says so, and the procedure for later.
const RELAY_ONLY: &str = "relayOnly";
const SET_RELAY_ONLY: &str = "setRelayOnly";

/// `connect` is always the first transaction.
const CONNECT_TRANSACTION: u64 = 1;

/// Enhanced RTMP's bits for what a program can do with a codec.
const CAN_FORWARD_ENCODE_DECODE: f64 = 7.0;

/// Commands that wait until the connection is up.
const MOST_WAITING: usize = 64;

/// Keepalives are never more frequent, whatever a server asks for (§5.3.4).
const LEAST_KEEPALIVE: Duration = Duration::from_secs(5);

/// Nor rarer: an hour is beyond every router's memory.
const MOST_KEEPALIVE: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_application_is_the_path_of_the_url() {
        assert_eq!(app_of("rtmfp://server.example:1935/live/1?x=1"), "live/1?x=1");
        assert_eq!(app_of("rtmfp://server.example/live#cam"), "live");
        assert_eq!(app_of("rtmfp://server.example"), "");
    }

    #[test]
    fn connect_says_who_and_where_and_that_it_speaks_amf0() {
        let properties = connect_properties("rtmfp://server.example/live");
        assert_eq!(properties.property("app").and_then(Value::as_str), Some("live"));
        assert_eq!(properties.property("tcUrl").and_then(Value::as_str), Some("rtmfp://server.example/live"));
        assert_eq!(properties.property("objectEncoding").and_then(Value::as_number), Some(0.0));
    }
}
