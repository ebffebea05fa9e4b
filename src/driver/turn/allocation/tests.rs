//! An allocation against a server of a page, in virtual time.

use std::collections::BTreeMap;

use turn_client_proto::types::attribute::{ChannelNumber, Data, Lifetime, XorPeerAddress, XorRelayedAddress};
use turn_client_proto::types::channel::ChannelData;
use turn_client_proto::types::message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH, SEND};
use turn_client_proto::types::stun::attribute::{Nonce, Realm};
use turn_client_proto::types::stun::message::{IntegrityAlgorithm, MessageWriteVec};
use turn_client_proto::types::stun::prelude::{MessageWrite as _, MessageWriteExt as _};

use super::*;

const LENT: &str = "198.51.100.1:50000";

/// Answers everything at once.
#[derive(Default)]
struct Server {
    password: &'static str,
    silent: bool,
    error: Option<u16>,
    channels: BTreeMap<u16, SocketAddr>,
    /// What would go to peers, and whether it came over a channel.
    sent: Vec<(SocketAddr, Vec<u8>, bool)>,
    asked: Vec<&'static str>,
}

impl Server {
    fn take(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Ok(message) = Message::from_bytes(bytes) else {
            let data = ChannelData::parse(bytes).expect("a message or channel data");
            let to = self.channels[&data.id()];
            self.sent.push((to, data.data().to_vec(), true));
            return None;
        };
        if self.silent {
            return None;
        }
        let peer = message.attribute::<XorPeerAddress>().ok().map(|peer| peer.addr(message.transaction_id()));
        if message.has_method(SEND) {
            let data = message.attribute::<Data>().expect("data").data().to_vec();
            self.sent.push((peer.expect("a peer"), data, false));
            return None;
        }
        if message.has_method(BINDING) {
            self.asked.push("binding");
            return Some(Message::builder_success(&message, MessageWriteVec::new()).finish());
        }
        let is_signed = message.attribute::<Realm>().is_ok();
        let credentials = TurnCredentials::new("ada", self.password).into_long_term_credentials("realm");
        let credentials = credentials.into();
        let wrong = is_signed && message.validate_integrity(&credentials).is_err();
        if !is_signed || wrong {
            return Some(refusal(&message, ErrorCode::UNAUTHORIZED));
        }
        if let Some(code) = self.error {
            return Some(refusal(&message, code));
        }
        let mut reply = Message::builder_success(&message, MessageWriteVec::new());
        let id = reply.transaction_id();
        let ten_minutes = Lifetime::new(600);
        if message.has_method(ALLOCATE) {
            self.asked.push("allocate");
            let lent = XorRelayedAddress::new(LENT.parse().unwrap(), id);
            reply.add_attribute(&lent).unwrap();
            reply.add_attribute(&ten_minutes).unwrap();
        } else if message.has_method(REFRESH) {
            self.asked.push("refresh");
            reply.add_attribute(&ten_minutes).unwrap();
        } else if message.has_method(CHANNEL_BIND) {
            self.asked.push("channel");
            let number = message.attribute::<ChannelNumber>().expect("a number").channel();
            self.channels.insert(number, peer.expect("a peer"));
        } else {
            assert!(message.has_method(CREATE_PERMISSION));
            self.asked.push("permission");
        }
        reply.add_message_integrity(&credentials, IntegrityAlgorithm::Sha1).unwrap();
        Some(reply.finish())
    }
}

fn refusal(message: &Message<'_>, code: u16) -> Vec<u8> {
    let mut reply = Message::builder_error(message, MessageWriteVec::new());
    reply.add_attribute(&ErrorCode::builder(code).build().unwrap()).unwrap();
    reply.add_attribute(&Realm::new("realm").unwrap()).unwrap();
    reply.add_attribute(&Nonce::new("nonce").unwrap()).unwrap();
    if code != ErrorCode::UNAUTHORIZED {
        let credentials = TurnCredentials::new("ada", "secret").into_long_term_credentials("realm");
        reply.add_message_integrity(&credentials.into(), IntegrityAlgorithm::Sha1).unwrap();
    }
    reply.finish()
}

struct Bench {
    now: Instant,
    allocation: Allocation,
    server: Server,
    arrived: Vec<(SocketAddr, Vec<u8>)>,
}

impl Bench {
    fn new(server: Server) -> Self {
        let now = Instant::now();
        let ends = ("192.0.2.1:4000".parse().unwrap(), "198.51.100.1:3478".parse().unwrap());
        let allocation = Allocation::ask(now, false, ends, ("ada", &Secret::new("secret")));
        Self { now, allocation, server, arrived: Vec::new() }
    }

    /// One that has lent a port.
    fn lent() -> Self {
        let mut bench = Self::new(Server { password: "secret", ..Server::default() });
        bench.run(Duration::from_secs(1));
        assert_eq!(bench.allocation.standing(), Standing::Lent);
        bench
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let mut out = Vec::new();
            let deadline = self.allocation.poll(self.now, &mut |message| out.push(message.to_vec()));
            if !out.is_empty() {
                // What is answered may change what is due.
                self.pass_on(out);
                continue;
            }
            match deadline {
                Some(at) if at <= end => self.now = at,
                _ => break,
            }
        }
        self.now = end;
    }

    fn send(&mut self, to: &str, packet: &'static [u8]) {
        let mut out = Vec::new();
        let packet = Bytes::from_static(packet);
        self.allocation.send(self.now, to.parse().unwrap(), packet, &mut |message| {
            out.push(message.to_vec());
        });
        self.pass_on(out);
    }

    fn pass_on(&mut self, out: Vec<Vec<u8>>) {
        for message in out {
            if let Some(reply) = self.server.take(&message) {
                self.give(&reply);
            }
        }
    }

    fn give(&mut self, message: &[u8]) {
        let arrived = &mut self.arrived;
        self.allocation.received(self.now, message, |from, bytes| arrived.push((from, bytes.to_vec())));
    }

    /// A peer sends something to the lent port.
    fn comes_from(&mut self, peer: &str, bytes: &[u8]) {
        let mut message =
            Message::builder_indication(turn_client_proto::types::message::DATA, MessageWriteVec::new());
        let peer = XorPeerAddress::new(peer.parse().unwrap(), message.transaction_id());
        message.add_attribute(&peer).unwrap();
        message.add_attribute(&Data::new(bytes)).unwrap();
        self.give(&message.finish());
    }
}

const FAR: &str = "203.0.113.9:1000";

fn far() -> SocketAddr {
    FAR.parse().unwrap()
}

#[test]
fn a_port_is_lent_to_who_knows_the_password() {
    let bench = Bench::lent();
    assert_eq!(bench.allocation.relayed(), [LENT.parse().unwrap()]);
}

#[test]
fn who_does_not_know_it_is_told_so_at_once() {
    let mut bench = Bench::new(Server { password: "another", ..Server::default() });
    bench.run(Duration::from_secs(1));
    assert_eq!(bench.allocation.standing(), Standing::Over(TurnProblem::WrongCredentials));
}

#[test]
fn the_reason_of_a_refusal_is_kept() {
    for (code, problem) in
        [(486, TurnProblem::Full), (508, TurnProblem::Full), (403, TurnProblem::Declined(403))]
    {
        let mut bench = Bench::new(Server { password: "secret", error: Some(code), ..Server::default() });
        bench.run(Duration::from_secs(1));
        assert_eq!(bench.allocation.standing(), Standing::Over(problem));
    }
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let mut bench = Bench::new(Server { silent: true, ..Server::default() });
    bench.run(Duration::from_secs(20));
    assert_eq!(bench.allocation.standing(), Standing::Over(TurnProblem::NoAnswer));
}

#[test]
fn packets_to_a_new_address_wait_for_its_permission_and_then_go() {
    let mut bench = Bench::lent();
    bench.send(FAR, b"one");
    bench.send(FAR, b"two");
    assert_eq!(bench.server.sent, []);
    bench.run(Duration::from_millis(200));
    let sent = |packet: &[u8]| (far(), packet.to_vec(), false);
    assert_eq!(bench.server.sent, [sent(b"one"), sent(b"two")]);
    bench.send(FAR, b"three");
    assert_eq!(bench.server.sent.last(), Some(&sent(b"three")), "at once now");
    assert_eq!(bench.server.asked.iter().filter(|asked| **asked == "permission").count(), 1);
}

#[test]
fn an_address_that_answers_gets_a_channel_and_one_that_does_not_gets_none() {
    let mut bench = Bench::lent();
    bench.send(FAR, b"hello");
    bench.send("203.0.113.77:1", b"nobody there");
    bench.run(Duration::from_millis(300));
    bench.comes_from(FAR, b"hello yourself");
    assert_eq!(bench.arrived, [(far(), b"hello yourself".to_vec())]);
    bench.run(Duration::from_millis(300));
    bench.send(FAR, b"over the channel");
    assert_eq!(bench.server.sent.last(), Some(&(far(), b"over the channel".to_vec(), true)));
    assert_eq!(bench.server.channels.len(), 1);
}

#[test]
fn a_port_is_kept_for_as_long_as_it_is_wanted() {
    let mut bench = Bench::lent();
    bench.send(FAR, b"hello");
    bench.run(Duration::from_secs(3_600));
    assert_eq!(bench.allocation.standing(), Standing::Lent);
    assert!(bench.server.asked.contains(&"refresh"));
    bench.send(FAR, b"still");
    assert_eq!(bench.server.sent.last(), Some(&(far(), b"still".to_vec(), false)));
}

#[test]
fn a_server_that_went_silent_is_noticed_within_half_a_minute() {
    let mut bench = Bench::lent();
    bench.run(Duration::from_secs(60));
    assert_eq!(bench.allocation.standing(), Standing::Lent, "quiet is no silence: it answers");
    bench.server.silent = true;
    bench.run(Duration::from_secs(30));
    assert_eq!(bench.allocation.standing(), Standing::Over(TurnProblem::WentSilent));
}

#[test]
fn one_lent_port_writes_to_no_more_computers_than_it_can_keep() {
    let mut bench = Bench::lent();
    for number in 0..=255_u8 {
        let to = SocketAddr::from(([203, 0, 113, number], 1));
        bench.allocation.send(bench.now, to, Bytes::from_static(b"hello"), &mut |_| ());
    }
    bench.run(Duration::from_secs(30));
    assert_eq!(bench.allocation.permissions.len(), MOST_PERMISSIONS);
    let reached: std::collections::BTreeSet<_> = bench.server.sent.iter().map(|(to, ..)| to.ip()).collect();
    assert_eq!(reached.len(), MOST_PERMISSIONS);
    let asked = bench.server.asked.iter().filter(|asked| **asked == "permission").count();
    assert_eq!(asked, MOST_PERMISSIONS, "each is asked for once");
}
