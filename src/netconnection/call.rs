//! Remote procedure calls on a connection, in both directions (RTMP 1.0 §7.2.1.2).

use std::time::Instant;

use super::command::{self, Command};
use super::connection::Connection;
use super::ids::{CallToken, ConnectionId, ServerStreamId};
use super::node::{Node, NodeEvent};
use crate::amf::Value;

/// What we wait for an answer to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pending {
    /// A call of the layer above.
    Call(CallToken),
    /// `createStream`.
    CreateStream(ServerStreamId),
}

/// A call of the far end's that waits for our answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct AskedOfUs {
    connection: ConnectionId,
    transaction: f64,
}

impl Node {
    /// Calls a procedure at the far end of a connection; the answer comes as [`NodeEvent::Answered`], an error without
    /// values when there is no answer to come: the connection ended, or too many calls wait already.
    pub fn call(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        name: &str,
        arguments: Vec<Value>,
    ) -> CallToken {
        let token = CallToken(self.next_name());
        if !self.ask(now, connection, name, arguments, Pending::Call(token)) {
            self.tell(NodeEvent::Answered { token, result: Err(Vec::new()) });
        }
        token
    }

    /// Calls a procedure and wants no answer.
    pub fn notify(&mut self, now: Instant, connection: ConnectionId, name: &str, arguments: Vec<Value>) {
        if !self.send_when_up(now, connection, Command::notification(name, arguments)) {
            tracing::debug!("a notification was dropped: no such connection");
        }
    }

    /// Answers a call.
    pub fn answer(&mut self, now: Instant, token: CallToken, result: Result<Value, Value>) {
        let Some(AskedOfUs { connection, transaction }) = self.asked_of_us.remove(&token) else { return };
        if let Some(connection) = self.connections.get_mut(&connection) {
            connection.asked_of_us = connection.asked_of_us.saturating_sub(1);
        }
        let answer = match result {
            Ok(value) => Command::result(transaction, vec![value]),
            Err(info) => Command::error(transaction, info),
        };
        self.send_control(now, connection, answer);
    }

    /// Sends a command whose answer belongs to `pending`. Answers whether it was taken.
    pub(super) fn ask(
        &mut self,
        now: Instant,
        id: ConnectionId,
        name: &str,
        arguments: Vec<Value>,
        pending: Pending,
    ) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        if connection.pending.len() >= MOST_PENDING {
            return false;
        }
        connection.last_transaction += 1;
        let transaction = connection.last_transaction;
        let command = Command::new(name, transaction as f64, Value::Null, arguments);
        if !self.send_when_up(now, id, command) {
            return false;
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.pending.insert(transaction, pending);
        }
        true
    }

    /// `_result` or `_error`.
    pub(super) fn on_answer(&mut self, now: Instant, id: ConnectionId, command: Command) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let is_number = command.transaction >= 0.0 && command.transaction.fract() == 0.0;
        let pending = is_number.then(|| connection.pending.remove(&(command.transaction as u64))).flatten();
        let good = command.name == command::RESULT;
        match pending {
            Some(Pending::Call(token)) => {
                let values = command.arguments;
                self.tell(NodeEvent::Answered { token, result: if good { Ok(values) } else { Err(values) } });
            }
            Some(Pending::CreateStream(stream)) => self.on_create_stream_answer(now, id, stream, &command),
            // An answer nobody waits for.
            None => {}
        }
    }

    /// A command that is not ours to understand.
    pub(super) fn on_call(&mut self, now: Instant, id: ConnectionId, command: Command) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let token = if command.transaction == 0.0 {
            None
        } else if connection.asked_of_us >= MOST_ASKED_OF_US {
            self.send_control(now, id, Command::call_failed(command.transaction, &command.name));
            return;
        } else {
            connection.asked_of_us += 1;
            let token = CallToken(self.next_name());
            self.asked_of_us.insert(token, AskedOfUs { connection: id, transaction: command.transaction });
            Some(token)
        };
        self.tell(NodeEvent::Called {
            connection: id,
            name: command.name,
            arguments: command.arguments,
            token,
        });
    }

    /// The connection is over: nothing that waits will be answered.
    pub(super) fn fail_calls_of(&mut self, id: ConnectionId, connection: &Connection) {
        self.asked_of_us.retain(|_, asked| asked.connection != id);
        for pending in connection.pending.values() {
            if let Pending::Call(token) = *pending {
                self.tell(NodeEvent::Answered { token, result: Err(Vec::new()) });
            }
        }
    }
}

/// Calls of ours on one connection that wait for an answer.
const MOST_PENDING: usize = 256;

/// Calls of the far end's on one connection that wait for ours.
const MOST_ASKED_OF_US: usize = 256;
