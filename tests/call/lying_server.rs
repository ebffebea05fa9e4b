//! A server that lets everybody in and answers what it likes.

use std::collections::VecDeque;
use std::time::Instant;

use tincan::amf::Value;
use tincan::netconnection::node::{Node, NodeEvent};
use tincan::rtmfp::PeerId;
use tincan::rtmfp::machine::{Input, Machine, Output};

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) struct Lies {
    /// To `lookup`, whoever is asked for.
    pub(crate) found: Option<(PeerId, String)>,
    /// To `people`.
    pub(crate) people: Vec<(PeerId, String)>,
    /// So often it says that the list changed, each time it is asked something.
    pub(crate) changes: usize,
}

pub(crate) struct LyingServer {
    node: Node,
    lies: Lies,
    asked: VecDeque<String>,
}

impl LyingServer {
    pub(crate) fn new(node: Node, lies: Lies) -> Self {
        Self { node, lies, asked: VecDeque::new() }
    }

    fn event(&mut self, now: Instant, event: NodeEvent) {
        match event {
            NodeEvent::ConnectRequested { connection, .. } => {
                let info = vec![("tincan".to_owned(), Value::Number(1.0))];
                self.node.accept_connection(now, connection, info);
            }
            NodeEvent::Called { connection, name, token, .. } => {
                let answer = match name.as_str() {
                    "lookup" => self.lies.found.as_ref().map(person),
                    "people" => Some(Value::Array(self.lies.people.iter().map(person).collect())),
                    _ => Some(Value::Null),
                };
                if let Some(token) = token {
                    self.node.answer(now, token, answer.ok_or(Value::Null));
                }
                for _ in 0..self.lies.changes {
                    self.node.notify(now, connection, "peopleChanged", vec![]);
                }
                self.asked.push_back(name);
            }
            _ => {}
        }
    }
}

fn person((peer, name): &(PeerId, String)) -> Value {
    Value::Object(vec![
        ("id".to_owned(), Value::String(peer.to_string())),
        ("name".to_owned(), Value::from(name.as_str())),
    ])
}

impl Machine for LyingServer {
    type Command = ();
    type Event = String;

    fn handle_input(&mut self, now: Instant, input: Input<'_, ()>) {
        if let Ok(input) = input.without_command() {
            self.node.handle_input(now, input);
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<String> {
        loop {
            match self.node.poll_output(now, packets) {
                Output::Transmit(transmit) => return Output::Transmit(transmit),
                Output::Compute(job) => return Output::Compute(job),
                Output::Event(event) => self.event(now, event),
                Output::Sleep(until) => {
                    return self.asked.pop_front().map_or(Output::Sleep(until), Output::Event);
                }
            }
        }
    }
}
