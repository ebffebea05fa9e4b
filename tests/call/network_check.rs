//! What kind of router is found in a check of the network, and what is said of it, in virtual time.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tincan::call::network_check::family::Told;
use tincan::call::network_check::{FamilyCheck, Findings, Outlook, Reach, RouterKind, judge};
use tincan::netconnection::Node;
use tincan::netconnection::node::NodeConfig;
use tincan::rendezvous::service::{Rules, Service, ServiceEvent};
use tincan::rtmfp::EndpointConfig;
use tincan::rtmfp::crypto::flash::{Flash, Identity};
use tincan::rtmfp::machine::{Input, Machine, Output};

use crate::support::topology::Families;
use crate::support::virtual_network::VirtualNetwork;
use crate::support::virtual_router::RouterKind as Kind;

/// The server, or who checks.
enum Either {
    Server(Box<Service>),
    Check(Box<FamilyCheck>),
}

#[derive(Clone, Debug, PartialEq)]
enum Event {
    Server(ServiceEvent),
    Check(Told),
}

impl Machine for Either {
    type Command = Infallible;
    type Event = Event;

    fn handle_input(&mut self, now: std::time::Instant, input: Input<'_, Infallible>) {
        match self {
            Self::Server(server) => match input.without_command() {
                Ok(input) => server.handle_input(now, input),
                Err(never) => match never {},
            },
            Self::Check(check) => check.handle_input(now, input),
        }
    }

    fn poll_output(&mut self, now: std::time::Instant, packets: &mut Vec<u8>) -> Output<Event> {
        match self {
            Self::Server(server) => map(server.poll_output(now, packets), Event::Server),
            Self::Check(check) => map(check.poll_output(now, packets), Event::Check),
        }
    }
}

fn map<E>(output: Output<E>, told: impl FnOnce(E) -> Event) -> Output<Event> {
    match output {
        Output::Transmit(transmit) => Output::Transmit(transmit),
        Output::Compute(job) => Output::Compute(job),
        Output::Event(event) => Output::Event(told(event)),
        Output::Sleep(until) => Output::Sleep(until),
    }
}

/// What a check finds behind a router or not; the server has a second port and lends some, or is not there at all.
fn checked(router: Option<Kind>, server_is_up: bool) -> Findings {
    let mut net = VirtualNetwork::new(Duration::from_millis(40));
    let node = Node::new(NodeConfig::new(EndpointConfig::new(Arc::new(Flash::server([1; 32])), [2; 32])));
    let service = Service::new(node, Rules::default());
    let server = net.add(Either::Server(Box::new(service)));
    net.lend_ports(server, 1937..=1940);
    net.add_second_port(server, 1936);
    net.cut(server, !server_is_up);
    let router = router.map(|kind| net.add_router(kind));
    let endpoint = EndpointConfig::new(Arc::new(Flash::peer(Identity::generate([3; 32]))), [4; 32]);
    let address = net.address(server);
    let check = FamilyCheck::new(
        Node::new(NodeConfig::new(endpoint)),
        "rtmfp://calls.example/",
        "a check",
        vec![address],
    );
    let check = net.add_at(router, Families::V4, Either::Check(Box::new(check)));
    net.run_for(Duration::from_secs(15));
    let done = net.events(check).iter().find_map(|(at, event)| match event {
        Event::Check(Told::Done(reach)) => Some((*at, Reach::clone(reach))),
        _ => None,
    });
    let (at, reach) = done.expect("it ends");
    assert!(at <= Duration::from_secs(10), "{at:?}");
    Findings {
        host: "calls.example".into(),
        addresses: vec![address.ip()],
        own: vec![net.address(check).ip()],
        ipv4: Some(reach),
        ..Findings::default()
    }
}

fn router_found(findings: &Findings) -> Option<RouterKind> {
    findings.ipv4.as_ref().and_then(|reach| findings.router(reach))
}

#[test]
fn every_kind_of_router_is_told_from_the_others() {
    assert_eq!(router_found(&checked(None, true)), Some(RouterKind::None));
    assert_eq!(router_found(&checked(Some(Kind::PORT_RESTRICTED), true)), Some(RouterKind::OneForAll));
    assert_eq!(router_found(&checked(Some(Kind::SYMMETRIC), true)), Some(RouterKind::OneForEach));
}

#[test]
fn each_step_has_its_time() {
    let findings = checked(Some(Kind::PORT_RESTRICTED), true);
    let reach = findings.ipv4.as_ref().expect("asked over IPv4");
    let steps = [reach.hello, reach.keys, reach.connected].map(|step| step.expect("a step").as_millis());
    assert_eq!(steps, [80, 160, 240], "of round trips of 80 ms");
    assert_eq!(judge(&findings, false).0, Outlook::DirectOrRelayed);
}

/// What a check over a port that a TURN server lends finds, behind a router that lets no UDP out.
fn checked_over_lent_port(server_is_up: bool) -> Reach {
    let mut net = VirtualNetwork::new(Duration::from_millis(40));
    let node = Node::new(NodeConfig::new(EndpointConfig::new(Arc::new(Flash::server([1; 32])), [2; 32])));
    let server = net.add(Either::Server(Box::new(Service::new(node, Rules::default()))));
    net.cut(server, !server_is_up);
    let router = net.add_router(Kind::PORT_RESTRICTED);
    net.router(router).let_out(Box::new(|_| false));
    let endpoint = EndpointConfig::new(Arc::new(Flash::peer(Identity::generate([3; 32]))), [4; 32]);
    let node = Node::new(NodeConfig::new(endpoint));
    let addresses = vec![net.address(server)];
    let check = FamilyCheck::over_lent_port(node, "rtmfp://calls.example/", "a check", addresses);
    let check = net.add_at(Some(router), Families::V4, Either::Check(Box::new(check)));
    net.run_for(Duration::from_secs(2));
    assert_eq!(net.events(check), [], "it waits for the port");
    net.borrow_port(check);
    net.run_for(Duration::from_secs(11));
    let done = net.events(check).iter().find_map(|(_, event)| match event {
        Event::Check(Told::Done(reach)) => Some(Reach::clone(reach)),
        _ => None,
    });
    done.expect("it ends")
}

#[test]
fn over_a_port_that_a_turn_server_lends_the_server_is_found_or_not() {
    let found = checked_over_lent_port(true);
    let time = found.connected.map(|time| time.as_millis());
    assert_eq!(time, Some(200 + 480), "of round trips of 160 ms, and a pause that favours direct ways");
    assert_eq!(checked_over_lent_port(false).connected, None);
}

#[test]
fn silence_ends_in_ten_seconds() {
    let findings = checked(None, false);
    assert_eq!(judge(&findings, false).0, Outlook::None);
}
