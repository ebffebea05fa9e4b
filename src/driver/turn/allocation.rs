//! One allocation at a TURN server, decided: bytes and time in, bytes and datagrams out.
//!
//! The library knows the messages, their keys and when to refresh what. Here is decided what a far address needs: a
//! permission with the first packet to it, which waits meanwhile, and a channel once something came from there, so that
//! addresses that never answer hold none. And whether the server is still there: after some quiet it is asked, and
//! given up when it stays silent; the refreshes of the RFC alone would notice after half an hour.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use turn_client_proto::api::{Transmit, TurnClientApi as _, TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet};
use turn_client_proto::prelude::DelayedTransmitBuild as _;
use turn_client_proto::stun::Instant as ProtocolTime;
use turn_client_proto::tcp::TurnClientTcp;
use turn_client_proto::types::stun::attribute::ErrorCode;
use turn_client_proto::types::stun::message::{BINDING, Message, MessageWriteVec};
use turn_client_proto::types::stun::prelude::MessageWrite as _;
use turn_client_proto::types::{AddressFamily, TransportType, TurnCredentials};
use turn_client_proto::udp::TurnClientUdp;

use super::{Secret, TurnProblem};

/// Where an allocation stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// The server is asked.
    Asking,
    /// Ports are lent.
    Lent,
    /// No more, or never.
    Over(TurnProblem),
}

/// An allocation.
pub(super) struct Allocation {
    client: Client,
    server: SocketAddr,
    local: SocketAddr,
    /// What the library calls zero.
    began: Instant,
    standing: Standing,
    relayed: Vec<SocketAddr>,
    /// The last error the server answered with, and how often it did not know us.
    error: Option<u16>,
    unknown: u32,
    permissions: BTreeMap<IpAddr, Permission>,
    /// Permissions to be asked for, in the order they came to be wanted.
    wanted: VecDeque<IpAddr>,
    peers: BTreeMap<SocketAddr, Peer>,
    /// Packets for addresses whose permission is on its way.
    waiting: VecDeque<(SocketAddr, Bytes)>,
    heard: Instant,
    asked: u32,
    ask_at: Instant,
    scratch: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Permission {
    /// To be asked for, once fewer are on their way.
    Wanted,
    Asked,
    Given,
    /// Refused; not asked again before this.
    Refused(Instant),
}

/// A far address that something came from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Peer {
    /// When a channel may be asked for again; none while there is one, or on its way.
    channel_at: Option<Instant>,
}

enum Client {
    Udp(TurnClientUdp),
    Stream(TurnClientTcp),
}

/// Does the same with either.
macro_rules! with {
    ($client:expr, $inner:ident => $do:expr) => {
        match $client {
            Client::Udp($inner) => $do,
            Client::Stream($inner) => $do,
        }
    };
}

impl Allocation {
    /// Asks a server for ports, of both families as far as it has them, over UDP or a stream.
    pub(super) fn ask(
        now: Instant,
        stream: bool,
        (local, server): (SocketAddr, SocketAddr),
        (user, secret): (&str, &Secret),
    ) -> Self {
        let mut config = TurnConfig::new(TurnCredentials::new(user, secret.reveal()));
        config.add_address_family(AddressFamily::IPV6);
        // The usual times would let a lost refresh wait for 40 s.
        config.set_request_retransmits(FIRST_RETRY, LONGEST_RETRY, RETRIES, LONGEST_RETRY);
        let client = if stream {
            Client::Stream(TurnClientTcp::allocate(local, server, config))
        } else {
            Client::Udp(TurnClientUdp::allocate(local, server, config))
        };
        Self {
            client,
            server,
            local,
            began: now,
            standing: Standing::Asking,
            relayed: Vec::new(),
            error: None,
            unknown: 0,
            permissions: BTreeMap::new(),
            wanted: VecDeque::new(),
            peers: BTreeMap::new(),
            waiting: VecDeque::new(),
            heard: now,
            asked: 0,
            ask_at: now + QUIET,
            scratch: Vec::new(),
        }
    }

    pub(super) fn standing(&self) -> Standing {
        self.standing
    }

    /// The addresses by which others reach us.
    pub(super) fn relayed(&self) -> &[SocketAddr] {
        &self.relayed
    }

    /// Takes one message of the server's, and hands on what a peer sent in it.
    pub(super) fn received(
        &mut self,
        now: Instant,
        message: &[u8],
        mut arrived: impl FnMut(SocketAddr, &[u8]),
    ) {
        (self.heard, self.asked, self.ask_at) = (now, 0, now + QUIET);
        if self.standing == Standing::Asking {
            self.look_for_error(message);
        }
        let (time, stream) = (self.time(now), matches!(self.client, Client::Stream(_)));
        let transport = if stream { TransportType::Tcp } else { TransportType::Udp };
        let message = Transmit::new(message, transport, self.server, self.local);
        let from = match with!(&mut self.client, client => client.recv(message, time)) {
            TurnRecvRet::PeerData(data) => {
                arrived(data.peer, data.data());
                data.peer
            }
            TurnRecvRet::Handled | TurnRecvRet::Ignored(_) | TurnRecvRet::PeerIcmp { .. } => return,
        };
        if !self.peers.contains_key(&from) && self.peers.len() < MOST_PEERS {
            self.peers.insert(from, Peer { channel_at: Some(now) });
        }
        self.want_channel(now, from);
    }

    /// Sends a packet to a far address, or keeps it until that is allowed.
    pub(super) fn send(&mut self, now: Instant, to: SocketAddr, packet: Bytes, out: &mut dyn FnMut(&[u8])) {
        match self.permissions.get(&to.ip()) {
            Some(Permission::Given) => return self.send_now(now, to, &packet, out),
            Some(Permission::Wanted | Permission::Asked) => {}
            Some(Permission::Refused(until)) if *until > now => return,
            None if self.permissions.len() >= MOST_PERMISSIONS => {
                tracing::debug!("too many far addresses for one lent port");
                return;
            }
            Some(Permission::Refused(_)) | None => {
                self.permissions.insert(to.ip(), Permission::Wanted);
                self.wanted.push_back(to.ip());
                self.ask_for_permissions(now);
            }
        }
        if self.waiting.len() >= MOST_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back((to, packet));
    }

    /// Asks for the permissions that are wanted, a few at a time: the library sends one request after the other with
    /// pauses, but counts from here when each is to be sent again.
    fn ask_for_permissions(&mut self, now: Instant) {
        let is_asked = |permission: &&Permission| matches!(permission, Permission::Asked);
        let mut asked = self.permissions.values().filter(is_asked).count();
        let time = self.time(now);
        while asked < MOST_ON_THEIR_WAY
            && let Some(ip) = self.wanted.pop_front()
        {
            match with!(&mut self.client, client => client.create_permission(TransportType::Udp, ip, time)) {
                Ok(()) => {
                    self.permissions.insert(ip, Permission::Asked);
                    asked += 1;
                }
                Err(error) => {
                    tracing::debug!(%error, "no permission was asked for");
                    self.permissions.remove(&ip);
                    self.waiting.retain(|(to, _)| to.ip() != ip);
                }
            }
        }
    }

    /// Does what is due. When to come again.
    pub(super) fn poll(&mut self, now: Instant, out: &mut dyn FnMut(&[u8])) -> Option<Instant> {
        // Bounded: each turn takes something from a queue of the library's, and those are short.
        for _ in 0..MOST_TURNS {
            let time = self.time(now);
            let next = match with!(&mut self.client, client => client.poll(time)) {
                TurnPollRet::Closed => {
                    self.end();
                    return None;
                }
                TurnPollRet::WaitUntil(until) => until,
                // Of ports lent for TCP, which nobody asks for.
                TurnPollRet::AllocateTcpSocket { .. } | TurnPollRet::TcpClose { .. } => continue,
            };
            let mut nothing = true;
            while let Some(event) = with!(&mut self.client, client => client.poll_event()) {
                nothing = false;
                self.happened(now, &event, out);
            }
            while let Some(transmit) = with!(&mut self.client, client => client.poll_transmit(time)) {
                nothing = false;
                out(transmit.data.as_ref());
            }
            if nothing {
                if self.standing == Standing::Asking && !self.relayed.is_empty() {
                    self.standing = Standing::Lent;
                }
                let alive = self.see_whether_it_lives(now, out);
                let next = self.began + next.saturating_duration_since(ProtocolTime::ZERO);
                // Never at once: a clock may stand between two calls.
                return Some(next.min(alive).max(now + SHORTEST_WAIT));
            }
        }
        Some(now + SHORTEST_WAIT)
    }

    /// Gives the ports back.
    pub(super) fn give_back(&mut self, now: Instant, out: &mut dyn FnMut(&[u8])) {
        let time = self.time(now);
        if with!(&mut self.client, client => client.delete(time)).is_ok() {
            while let Some(transmit) = with!(&mut self.client, client => client.poll_transmit(time)) {
                out(transmit.data.as_ref());
            }
        }
    }

    fn happened(&mut self, now: Instant, event: &TurnEvent, out: &mut dyn FnMut(&[u8])) {
        match *event {
            TurnEvent::AllocationCreated(_, relayed) => self.relayed.push(relayed),
            TurnEvent::AllocationCreateFailed(family) => tracing::debug!(%family, "no port is lent"),
            TurnEvent::PermissionCreated(_, ip) => {
                self.permissions.insert(ip, Permission::Given);
                let (ready, rest) =
                    std::mem::take(&mut self.waiting).into_iter().partition(|(to, _)| to.ip() == ip);
                self.waiting = rest;
                self.ask_for_permissions(now);
                let ready: VecDeque<(SocketAddr, Bytes)> = ready;
                ready.iter().for_each(|(to, packet)| self.send_now(now, *to, packet, out));
            }
            TurnEvent::PermissionCreateFailed(_, ip) => {
                tracing::info!("the TURN server does not let us write to a far address");
                self.permissions.insert(ip, Permission::Refused(now + REFUSED));
                self.waiting.retain(|(to, _)| to.ip() != ip);
                self.ask_for_permissions(now);
            }
            TurnEvent::ChannelCreateFailed(_, peer) => {
                if let Some(peer) = self.peers.get_mut(&peer) {
                    peer.channel_at = Some(now + REFUSED);
                }
            }
            TurnEvent::ChannelCreated(..) | TurnEvent::TcpConnected(_) | TurnEvent::TcpConnectFailed(_) => {}
        }
    }

    /// Over a channel, 4 bytes are added to each packet; as an indication, 36 to 48.
    fn send_now(&mut self, now: Instant, to: SocketAddr, packet: &[u8], out: &mut dyn FnMut(&[u8])) {
        let time = self.time(now);
        match with!(&mut self.client, client => client.send_to(TransportType::Udp, to, packet, time)) {
            Ok(Some(message)) => {
                self.scratch.resize(message.data.len(), 0);
                let length = message.data.write_into(&mut self.scratch);
                out(self.scratch.get(..length).unwrap_or_default());
            }
            Ok(None) => {}
            Err(error) => {
                // The permission ran out behind our back: the next packet asks anew.
                tracing::debug!(%error, "a packet was not sent");
                self.permissions.remove(&to.ip());
            }
        }
        self.want_channel(now, to);
    }

    fn want_channel(&mut self, now: Instant, with: SocketAddr) {
        let Some(peer) = self.peers.get_mut(&with) else { return };
        if peer.channel_at.is_some_and(|at| at <= now) {
            let time = protocol_time(self.began, now);
            let asked =
                with!(&mut self.client, client => client.bind_channel(TransportType::Udp, with, time));
            peer.channel_at = asked.is_err().then(|| now + REFUSED);
        }
    }

    /// After some quiet, asks the server for a sign of life; also keeps routers in between from forgetting us.
    fn see_whether_it_lives(&mut self, now: Instant, out: &mut dyn FnMut(&[u8])) -> Instant {
        if self.standing == Standing::Lent && self.ask_at <= now {
            if self.asked >= MOST_ASKED {
                self.standing = Standing::Over(TurnProblem::WentSilent);
                return now;
            }
            self.asked += 1;
            self.ask_at = now + ANSWER_WITHIN;
            out(&Message::builder_request(BINDING, MessageWriteVec::new()).finish());
        }
        self.ask_at.max(now)
    }

    /// The library does not say why it failed.
    fn look_for_error(&mut self, message: &[u8]) {
        let Ok(message) = Message::from_bytes(message) else { return };
        let Ok(error) = message.attribute::<ErrorCode>() else { return };
        self.error = Some(error.code());
        // The first answer is always this one: it brings what the password is mixed with.
        if error.code() == ErrorCode::UNAUTHORIZED {
            self.unknown += 1;
        }
        if self.unknown > 1 {
            self.standing = Standing::Over(TurnProblem::WrongCredentials);
        }
    }

    fn end(&mut self) {
        let problem = match (self.standing, self.error) {
            (Standing::Over(_), _) => return,
            (Standing::Lent, _) => TurnProblem::WentSilent,
            (Standing::Asking, None) => TurnProblem::NoAnswer,
            (Standing::Asking, Some(code)) => match code {
                ErrorCode::UNAUTHORIZED | ErrorCode::WRONG_CREDENTIALS => TurnProblem::WrongCredentials,
                ErrorCode::ALLOCATION_QUOTA_REACHED | ErrorCode::INSUFFICIENT_CAPACITY => TurnProblem::Full,
                code => TurnProblem::Declined(code),
            },
        };
        self.standing = Standing::Over(problem);
    }

    fn time(&self, now: Instant) -> ProtocolTime {
        protocol_time(self.began, now)
    }
}

fn protocol_time(began: Instant, now: Instant) -> ProtocolTime {
    ProtocolTime::ZERO + now.saturating_duration_since(began)
}

/// Requests over UDP: the first again after this, with growing pauses, this often.
const FIRST_RETRY: Duration = Duration::from_millis(400);
const LONGEST_RETRY: Duration = Duration::from_secs(2);
const RETRIES: u32 = 6;
/// A server that was not heard of for this long is asked whether it is still there,
const QUIET: Duration = Duration::from_secs(15);
/// again after this,
const ANSWER_WITHIN: Duration = Duration::from_millis(1_500);
/// and this often before it is given up.
const MOST_ASKED: u32 = 4;
/// What the server refused is not asked for again before this.
const REFUSED: Duration = Duration::from_secs(20);
/// Packets that wait for a permission: hellos, and what follows them.
const MOST_WAITING: usize = 64;
/// Far computers that one lent port writes to: each costs the server and us a refresh every four minutes.
const MOST_PERMISSIONS: usize = 64;
/// Requests for permissions that wait for an answer: at 50 ms from one to the next, the last of them leaves well before
/// it would be sent again.
const MOST_ON_THEIR_WAY: usize = 4;
/// Far addresses with channels.
const MOST_PEERS: usize = 128;
const MOST_TURNS: usize = 64;
const SHORTEST_WAIT: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests;
