//! NetConnection, the server's end (RFC 7425 §5.3): clients that connect, and introducing them to each other.
//!
//! What clients publish and play on the streams they create stands in `served_stream`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::alarm::Alarm;
use super::command::{self, Command};
use super::connection::{Connection, Role};
use super::ids::{ConnectionId, ServerStreamId};
use super::message;
use super::node::{Node, NodeEvent};
use super::peer_info;
use super::session::{Origin, Owner};
use super::status::StatusCode;
use super::user_control::UserControl;
use crate::amf::Value;
use crate::rtmfp::endpoint::{AddressOrigin, KnownAddress, ReceiveFlowId, SessionKey};
use crate::rtmfp::machine::Route;

/// How far a client has come.
#[derive(Debug)]
pub(super) enum ClientState {
    /// It opened its control flow, and has not said `connect`.
    Silent,
    /// It did; the layer above decides.
    Asking { transaction: f64, object_encoding: f64 },
    /// It is in.
    Accepted {
        /// The streams it created, by the numbers we gave them.
        streams: BTreeMap<u32, ServerStreamId>,
    },
}

impl Node {
    /// Lets a client in, with more properties for the information object.
    pub fn accept_connection(&mut self, now: Instant, connection: ConnectionId, info: Vec<(String, Value)>) {
        let Some(found) = self.connections.get_mut(&connection) else { return };
        let Role::Server(ClientState::Asking { transaction, object_encoding }) = found.role else { return };
        found.role = Role::Server(ClientState::Accepted { streams: BTreeMap::new() });
        let far_end = self.sessions.get(&found.session).and_then(|session| session.far_end);
        let mut answer = StatusCode::ConnectSuccess.info("Connection succeeded.");
        if let Value::Object(properties) = &mut answer {
            let forwarded = || Value::object([("*", CAN_FORWARD.into())]);
            let own = [
                ("objectEncoding", object_encoding.into()),
                (
                    "connectionID",
                    far_end.map_or(Value::Null, |far_end| far_end.peer.to_string().as_str().into()),
                ),
                ("capsEx", 0.0.into()),
                ("fourCcList", Value::Array(vec!["*".into()])),
                ("audioFourCcInfoMap", forwarded()),
                ("videoFourCcInfoMap", forwarded()),
            ];
            properties.extend(own.map(|(name, value)| (name.to_owned(), value)));
            properties.extend(info);
        }
        self.send_control(now, connection, Command::result(transaction, vec![answer]));
    }

    /// Refuses a client with `NetConnection.Connect.Rejected` and a sentence.
    pub fn reject_connection(&mut self, now: Instant, connection: ConnectionId, why: &str) {
        let Some(found) = self.connections.get(&connection) else { return };
        let Role::Server(ClientState::Asking { transaction, .. }) = found.role else { return };
        let refusal = Command::error(transaction, StatusCode::ConnectRejected.info(why));
        self.send_control(now, connection, refusal);
        self.end_connection(now, connection, StatusCode::ConnectRejected, why);
    }

    /// Asks a client for keepalives, as a server (RFC 7425 §5.3.4): towards the server and between peers.
    pub fn set_keepalive(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        server: Duration,
        peer: Duration,
    ) {
        let control = UserControl::SetKeepalive { server, peer };
        self.write_control(now, connection, message::encode_user_control(control));
    }

    /// As an introducer: answers a hello with where that peer is, and forwards it to the peer's session.
    ///
    /// The answer goes first, so that the initiator's first packets open its router for those of the peer.
    pub fn introduce(
        &mut self,
        now: Instant,
        hello_from: Route,
        endpoint_discriminator: &[u8],
        tag: &[u8],
        to: ConnectionId,
        known_addresses: &[KnownAddress],
    ) {
        if self.connections.contains_key(&to) {
            self.redirect(hello_from, tag, known_addresses);
            let initiator = KnownAddress { address: hello_from.address, origin: AddressOrigin::Observed };
            self.forward_hello(now, to, endpoint_discriminator, initiator, tag);
        }
    }

    /// One half of [`Self::introduce`]: answers a hello with where that peer is.
    pub fn redirect(&mut self, hello_from: Route, tag: &[u8], known_addresses: &[KnownAddress]) {
        self.endpoint.redirect(hello_from, tag, known_addresses);
    }

    /// The other half: forwards a hello to a client, as one that is to be answered at `initiator`.
    pub fn forward_hello(
        &mut self,
        now: Instant,
        to: ConnectionId,
        endpoint_discriminator: &[u8],
        initiator: KnownAddress,
        tag: &[u8],
    ) {
        if let Some(session) = self.connections.get(&to).map(|connection| connection.session) {
            self.endpoint.forward_hello(now, session, endpoint_discriminator, initiator, tag);
        }
    }

    /// A flow of stream 0 that answers nothing of ours: a client is about to connect (§5.3.1).
    pub(super) fn on_control_flow(
        &mut self,
        now: Instant,
        key: SessionKey,
        flow: ReceiveFlowId,
    ) -> Option<Owner> {
        let session = self.sessions.get_mut(&key)?;
        if session.origin != Origin::Theirs || session.connection.is_some() {
            return None;
        }
        let id = ConnectionId(self.next_name());
        let mut connection = Connection::new(key, Role::Server(ClientState::Silent));
        connection.control_in = Some(flow);
        self.connections.insert(id, connection);
        self.sessions.get_mut(&key)?.connection = Some(id);
        self.alarms.set(now + SILENT_FOR, Alarm::Connect(id));
        Some(Owner::Connection(id))
    }

    pub(super) fn on_command_of_client(&mut self, now: Instant, id: ConnectionId, command: Command) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let Role::Server(state) = &mut connection.role else { return };
        match (state, command.name.as_str()) {
            (ClientState::Silent, "connect") => self.on_connect(now, id, command),
            (ClientState::Silent, _) => {
                self.end_connection(now, id, StatusCode::ConnectFailed, "a command came before connect");
            }
            // What comes while the layer above decides comes too early (§5.3.1).
            (ClientState::Asking { .. }, _) => {}
            (ClientState::Accepted { .. }, "connect") => {
                self.send_control(now, id, Command::call_failed(command.transaction, &command.name));
            }
            (ClientState::Accepted { .. }, "createStream") => {
                let answer = match self.create_served(id) {
                    Some(number) => Command::result(command.transaction, vec![f64::from(number).into()]),
                    None => Command::call_failed(command.transaction, &command.name),
                };
                self.send_control(now, id, answer);
            }
            (ClientState::Accepted { streams }, "deleteStream") => {
                let stream = command.stream_id(0).and_then(|number| streams.remove(&number));
                if let Some(stream) = stream {
                    self.delete_served(now, stream);
                }
                if command.transaction != 0.0 {
                    self.send_control(now, id, Command::result(command.transaction, vec![Value::Undefined]));
                }
            }
            (ClientState::Accepted { .. }, peer_info::NAME) => {
                let addresses: Vec<SocketAddr> = peer_info::addresses(&command);
                let far_end = self.sessions.get(&connection.session).and_then(|session| session.far_end);
                let behind_nat = far_end.is_none_or(|far_end| !addresses.contains(&far_end.route.address));
                self.tell(NodeEvent::PeerInfo { connection: id, addresses, behind_nat });
            }
            (ClientState::Accepted { .. }, command::RESULT | command::ERROR) => {
                self.on_answer(now, id, command)
            }
            (ClientState::Accepted { .. }, _) => self.on_call(now, id, command),
        }
    }

    fn on_connect(&mut self, now: Instant, id: ConnectionId, command: Command) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let object_encoding =
            command.object.property("objectEncoding").and_then(Value::as_number).unwrap_or(0.0);
        connection.role =
            Role::Server(ClientState::Asking { transaction: command.transaction, object_encoding });
        let control_in = connection.control_in;
        let session = connection.session;
        let Some(far_end) = self.sessions.get(&session).and_then(|session| session.far_end) else { return };
        self.open_control_flow(id, control_in);
        if !matches!(command.object, Value::Object(_) | Value::EcmaArray(_)) {
            self.reject_connection(now, id, "connect needs an object");
            return;
        }
        self.tell(NodeEvent::ConnectRequested {
            connection: id,
            peer: far_end.peer,
            proven: far_end.proven,
            route: far_end.route,
            properties: command.object,
            arguments: command.arguments,
        });
    }
}

/// Enhanced RTMP's bit for a server that passes a codec on without knowing it.
const CAN_FORWARD: f64 = 4.0;

/// How long a client may leave its control flow without `connect`.
const SILENT_FOR: Duration = Duration::from_secs(20);
