//! A node, and a far end worked by hand: every flow that it opens and every message that it sends is the test's own.
//!
//! So a test shows what other programs may do, and sees each flow and message of the node's as a far end sees it.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tincan::amf::{self, Value};
use tincan::netconnection::{Node, NodeEvent};
use tincan::rtmfp::endpoint::{
    Delivery, FlowOptions, Priority, ReceiveFlowId, SendFlowId, SessionKey, WriteOptions,
};
use tincan::rtmfp::machine::{Input, Machine, Output};
use tincan::rtmfp::{Endpoint, EndpointConfig, Event};

use super::nodes::{URL, endpoint_config, node};
use super::scenario::TRIP;
use super::virtual_network::{Host, VirtualNetwork};

/// Either of the two.
pub(crate) enum Party {
    Node(Box<Node>),
    Hand(Box<Endpoint>),
}

#[derive(Debug, PartialEq)]
pub(crate) enum Told {
    Node(NodeEvent),
    Hand(Event),
}

impl Machine for Party {
    type Command = Infallible;
    type Event = Told;

    fn handle_input(&mut self, now: Instant, input: Input<'_, Infallible>) {
        match self {
            Self::Node(node) => node.handle_input(now, input),
            Self::Hand(endpoint) => endpoint.handle_input(now, input),
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<Told> {
        match self {
            Self::Node(node) => mapped(node.poll_output(now, packets), Told::Node),
            Self::Hand(endpoint) => mapped(endpoint.poll_output(now, packets), Told::Hand),
        }
    }
}

fn mapped<E>(output: Output<E>, told: impl FnOnce(E) -> Told) -> Output<Told> {
    match output {
        Output::Transmit(transmit) => Output::Transmit(transmit),
        Output::Compute(job) => Output::Compute(job),
        Output::Event(event) => Output::Event(told(event)),
        Output::Sleep(until) => Output::Sleep(until),
    }
}

/// A flow that the node opened, as the far end sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Seen {
    pub(crate) flow: ReceiveFlowId,
    pub(crate) metadata: Bytes,
    pub(crate) answers: Option<SendFlowId>,
}

/// The two, and what lies between.
pub(crate) struct Stage {
    pub(crate) net: VirtualNetwork<Party>,
    pub(crate) near: Host,
    pub(crate) hand: Host,
}

pub(crate) const A_WHILE: Duration = Duration::from_secs(1);

impl Stage {
    /// A node of that name, and a far end of that name; one called "server" is selected by URLs.
    pub(crate) fn new(name: &str, hand_name: &str) -> Self {
        Self::with_config(name, endpoint_config(hand_name))
    }

    pub(crate) fn with_config(name: &str, hand: EndpointConfig) -> Self {
        let mut net = VirtualNetwork::new(TRIP);
        let near = net.add(Party::Node(Box::new(node(name))));
        let hand = net.add(Party::Hand(Box::new(Endpoint::new(hand))));
        let mut stage = Self { net, near, hand };
        stage.accept(Delivery::Ordered);
        stage
    }

    /// A client whose server the test is, as far as the `connect` command.
    pub(crate) fn client() -> Self {
        let mut stage = Self::new("ada", "server");
        let server = stage.net.route_to(stage.hand);
        stage.node(|node, now| node.connect(now, URL, &[server], vec!["user".into()]));
        stage.run();
        stage
    }

    /// A client whose server the test is, with a connection that is up. Answers the server's control flow.
    pub(crate) fn connected_client() -> (Self, SendFlowId) {
        let mut stage = Self::client();
        let control = stage.let_in(Vec::new());
        (stage, control)
    }

    /// Answers `connect` with success and these properties, on a control flow that it opens for that.
    pub(crate) fn let_in(&mut self, more: Vec<(&str, Value)>) -> SendFlowId {
        let asked = self.seen()[0].flow;
        let control = self.open(b"TC\x04\x00", Some(asked));
        self.write(control, &command("_result", 1.0, Value::Null, &[success(more)]));
        self.run();
        control
    }

    /// A server whose client the test is: a session, and nothing said. Answers the client's control flow.
    pub(crate) fn server() -> (Self, SendFlowId) {
        let mut stage = Self::new("server", "ada");
        let route = stage.net.route_to(stage.near);
        let wanted = tincan::rtmfp::crypto::flash::discriminator_for_url(URL);
        stage.hand(|endpoint, now| endpoint.open_session(now, wanted.into(), &[route]));
        stage.run();
        let control = stage.open(b"TC\x04\x00", None);
        (stage, control)
    }

    /// A server whose client the test is, with a connection that is up: the client's control flow, and the server's.
    pub(crate) fn connected_server() -> (Self, SendFlowId, ReceiveFlowId) {
        let (mut stage, control) = Self::server();
        stage.react(|node, now, event| {
            if let NodeEvent::ConnectRequested { connection, .. } = event {
                node.accept_connection(now, *connection, Vec::new());
            }
        });
        stage.write(control, &connect(0.0));
        stage.run();
        let answer = stage.seen()[0].flow;
        (stage, control, answer)
    }

    /// Lets the far end accept every flow from now on.
    pub(crate) fn accept(&mut self, delivery: Delivery) {
        self.net.react(self.hand, move |party, _, told| {
            if let (Party::Hand(endpoint), Told::Hand(Event::FlowOpened { session, flow, .. })) =
                (party, told)
            {
                endpoint.accept_flow(*session, *flow, delivery);
            }
        });
    }

    /// Lets the node's program answer each event at once.
    pub(crate) fn react(&mut self, mut reaction: impl FnMut(&mut Node, Instant, &NodeEvent) + 'static) {
        self.net.react(self.near, move |party, now, told| {
            if let (Party::Node(node), Told::Node(event)) = (party, told) {
                reaction(node, now, event);
            }
        });
    }

    pub(crate) fn run(&mut self) {
        self.net.run_for(A_WHILE);
    }

    pub(crate) fn node<R>(&mut self, act: impl FnOnce(&mut Node, Instant) -> R) -> R {
        self.net.with(self.near, |party, now| match party {
            Party::Node(node) => act(node, now),
            Party::Hand(_) => panic!("the node is no hand"),
        })
    }

    pub(crate) fn hand<R>(&mut self, act: impl FnOnce(&mut Endpoint, Instant) -> R) -> R {
        self.net.with(self.hand, |party, now| match party {
            Party::Hand(endpoint) => act(endpoint, now),
            Party::Node(_) => panic!("the hand is no node"),
        })
    }

    /// The session at the far end that was opened last.
    pub(crate) fn session(&self) -> SessionKey {
        let opened = self.hand_events().filter_map(|event| match event {
            Event::SessionOpened { session, .. } => Some(*session),
            _ => None,
        });
        opened.last().expect("an open session")
    }

    /// Opens a flow to the node.
    pub(crate) fn open(&mut self, metadata: &[u8], answers: Option<ReceiveFlowId>) -> SendFlowId {
        let session = self.session();
        let metadata = Bytes::copy_from_slice(metadata);
        let options = FlowOptions { metadata, priority: Priority::Routine, time_critical: false, answers };
        self.hand(|endpoint, _| endpoint.open_flow(session, options)).expect("an open session")
    }

    /// Sends the node a message.
    pub(crate) fn write(&mut self, flow: SendFlowId, message: &[u8]) {
        let session = self.session();
        let message = Bytes::copy_from_slice(message);
        let written =
            self.hand(|endpoint, now| endpoint.write(now, session, flow, message, WriteOptions::default()));
        written.expect("an open flow");
    }

    pub(crate) fn close(&mut self, flow: SendFlowId) {
        let session = self.session();
        self.hand(|endpoint, now| endpoint.close_flow(now, session, flow));
    }

    pub(crate) fn reject(&mut self, flow: ReceiveFlowId) {
        let session = self.session();
        self.hand(|endpoint, now| endpoint.reject_flow(now, session, flow, 0));
    }

    pub(crate) fn hand_events(&self) -> impl Iterator<Item = &Event> {
        self.net.events(self.hand).iter().filter_map(|(_, told)| match told {
            Told::Hand(event) => Some(event),
            Told::Node(_) => None,
        })
    }

    pub(crate) fn node_events(&self) -> impl Iterator<Item = &NodeEvent> {
        self.net.events(self.near).iter().filter_map(|(_, told)| match told {
            Told::Node(event) => Some(event),
            Told::Hand(_) => None,
        })
    }

    /// Every flow that the node opened, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let flow = |event: &Event| match event {
            Event::FlowOpened { flow, metadata, answers, .. } => {
                Some(Seen { flow: *flow, metadata: metadata.clone(), answers: *answers })
            }
            _ => None,
        };
        self.hand_events().filter_map(flow).collect()
    }

    /// Every message of the node's on a flow, in order.
    pub(crate) fn heard(&self, wanted: ReceiveFlowId) -> Vec<Bytes> {
        let message = |event: &Event| match event {
            Event::Message { flow, bytes, .. } if *flow == wanted => Some(bytes.clone()),
            _ => None,
        };
        self.hand_events().filter_map(message).collect()
    }

    /// The names of the commands among them.
    pub(crate) fn heard_commands(&self, wanted: ReceiveFlowId) -> Vec<String> {
        self.heard(wanted).iter().filter_map(|message| Some(parsed(message)?.0)).collect()
    }

    /// The flows that the node refused, with its code.
    pub(crate) fn refused(&self) -> Vec<(SendFlowId, u64)> {
        let refused = |event: &Event| match event {
            Event::FlowRefused { flow, code, .. } => Some((*flow, *code)),
            _ => None,
        };
        self.hand_events().filter_map(refused).collect()
    }

    /// The flows that the node finished.
    pub(crate) fn finished(&self) -> Vec<ReceiveFlowId> {
        let finished = |event: &Event| match event {
            Event::FlowFinished { flow, .. } => Some(*flow),
            _ => None,
        };
        self.hand_events().filter_map(finished).collect()
    }
}

/// A command message in AMF0, as RTMP type 20.
pub(crate) fn command(name: &str, transaction: f64, object: Value, arguments: &[Value]) -> Vec<u8> {
    let mut bytes = vec![20, 0, 0, 0, 0];
    amf::write_sequence(&[name.into(), transaction.into(), object], &mut bytes);
    amf::write_sequence(arguments, &mut bytes);
    bytes
}

/// `connect`, asking for an object encoding.
pub(crate) fn connect(object_encoding: f64) -> Vec<u8> {
    let object = Value::object([
        ("app", "calls".into()),
        ("tcUrl", URL.into()),
        ("objectEncoding", object_encoding.into()),
    ]);
    command("connect", 1.0, object, &["user".into()])
}

/// The information object of a good answer to `connect`.
pub(crate) fn success(more: Vec<(&str, Value)>) -> Value {
    let mut properties = vec![
        ("level".to_owned(), "status".into()),
        ("code".to_owned(), "NetConnection.Connect.Success".into()),
    ];
    properties.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Value::Object(properties)
}

/// A command's name and its values, transaction first; `None` for other messages.
pub(crate) fn parsed(message: &Bytes) -> Option<(String, Vec<Value>)> {
    let payload = match message.first()? {
        20 => message.get(5..)?,
        17 => message.get(5..)?.strip_prefix(&[0])?,
        _ => return None,
    };
    let mut values = amf::read_sequence(payload).ok()?.into_iter();
    let name = values.next()?.as_str()?.to_owned();
    Some((name, values.collect()))
}
