//! One UDP socket: bound exclusively, read and written by the batch, with offload and congestion marks.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV6};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use quinn_udp::{EcnCodepoint, RecvMeta, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::DriverConfig;
use super::counters::SharedCounters;
use super::error::DriverError;
use super::mark::Mark;
use crate::rtmfp::machine::{Ecn, PathKind, Transmit};

/// A bound socket.
pub(super) struct Udp {
    socket: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    /// What the system marks packets with that say nothing of their own.
    mark: Mark,
    kind: PathKind,
    failures: Failures,
}

/// How the reads of a socket go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Failing {
    /// Now and then, as sockets do.
    Seldom,
    /// Many in a row.
    Often,
    /// So many, for so long, that it will not mend itself.
    ForGood,
}

/// Reads that failed in a row.
#[derive(Debug, Default)]
struct Failures {
    count: u32,
    since: Option<Instant>,
}

impl Failures {
    fn count(&mut self, now: Instant, error: &io::Error) -> Failing {
        let since = *self.since.get_or_insert(now);
        self.count = self.count.saturating_add(1);
        // Some systems report here that a far port is closed: as often as we write to it, and nothing is broken.
        let is_far =
            matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused);
        if !is_far && self.count > FAILURES_FOR_GOOD && now >= since + FAILING_FOR_GOOD {
            Failing::ForGood
        } else if self.count > FAILURES_BEFORE_A_PAUSE {
            Failing::Often
        } else {
            Failing::Seldom
        }
    }
}

/// Room for one read: several buffers, each large enough for what the system may put together.
pub(super) struct ReceiveBuffers {
    bytes: Vec<u8>,
    meta: [RecvMeta; BUFFERS],
}

impl Udp {
    /// Binds one address of a configuration.
    pub(super) fn bind(address: SocketAddr, config: &DriverConfig) -> Result<Self, DriverError> {
        let bind = || -> io::Result<Self> {
            let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
            if address.is_ipv6() {
                socket.set_only_v6(true)?;
            }
            if !config.exclusive {
                socket.set_reuse_address(true)?;
            }
            // As much as the system allows; less is no reason to stop.
            let _ = socket.set_recv_buffer_size(config.receive_buffer);
            socket.set_nonblocking(true)?;
            socket.bind(&address.into())?;
            let socket = UdpSocket::from_std(socket.into())?;
            let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
            let local = socket.local_addr()?;
            let (mark, kind, failures) = (Mark::default(), PathKind::Own, Failures::default());
            Ok(Self { socket, state, local, mark, kind, failures })
        };
        bind().map_err(|source| DriverError::from_bind(address, source))
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// The same, as another kind of path.
    pub(super) fn of_kind(self, kind: PathKind) -> Self {
        Self { kind, ..self }
    }

    pub(super) fn kind(&self) -> PathKind {
        self.kind
    }

    /// Takes note of a read that failed.
    pub(super) fn count_failure(&mut self, error: &io::Error) -> Failing {
        self.failures.count(Instant::now(), error)
    }

    pub(super) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()> {
        // An error here is met again, and counted, by the read.
        self.socket.poll_recv_ready(context).map(drop)
    }

    /// Reads what is there. `WouldBlock` when nothing is.
    pub(super) fn receive(&mut self, buffers: &mut ReceiveBuffers) -> io::Result<usize> {
        let ReceiveBuffers { bytes, meta } = buffers;
        let mut chunks = bytes.chunks_exact_mut(BUFFER_SIZE);
        let mut slices: [IoSliceMut<'_>; BUFFERS] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().expect("as many chunks as buffers")));
        let read = self.socket.try_io(Interest::READABLE, || {
            self.state.recv(UdpSockRef::from(&self.socket), &mut slices, meta)
        });
        if read.is_ok() {
            self.failures = Failures::default();
        }
        read
    }

    /// Sends the packets of one transmit, in as few system calls as the system allows. What it refuses is counted and gone.
    pub(super) async fn send(&self, transmit: &Transmit, packets: &[u8], counters: &SharedCounters) {
        let segment_size = transmit.segment_size.max(1);
        if self.mark.set(SockRef::from(&self.socket), self.local, transmit).is_marked() {
            return self.send_marked(transmit, segment_size, packets, counters).await;
        }
        let mut rest = packets;
        while !rest.is_empty() {
            // Asked anew each time: the state learns that offload does not work here from the first refusal.
            let segments = self.state.max_gso_segments().min(LARGEST_SEND / segment_size).max(1);
            let batch = rest.get(..segments * segment_size).unwrap_or(rest);
            match self.send_batch(transmit, segment_size, batch).await {
                Err(_)
                    if segments > 1 && batch.len() > segment_size && self.state.max_gso_segments() == 1 =>
                {
                    continue; // once more, packet by packet
                }
                done => count_sent(done, batch.len(), counters),
            }
            rest = &rest[batch.len()..];
        }
    }

    /// Sends packets one by one with the socket's own mark: those that the batching interface sends always carry mark 0.
    /// Real-time data is little enough for that.
    async fn send_marked(
        &self,
        transmit: &Transmit,
        segment_size: usize,
        packets: &[u8],
        counters: &SharedCounters,
    ) {
        for packet in packets.chunks(segment_size) {
            let sent =
                self.with_room(|| self.socket.try_send_to(packet, transmit.route.address).map(drop)).await;
            count_sent(sent, packet.len(), counters);
        }
    }

    async fn send_batch(&self, transmit: &Transmit, segment_size: usize, batch: &[u8]) -> io::Result<()> {
        let whole = quinn_udp::Transmit {
            destination: transmit.route.address,
            ecn: transmit.ecn.map(code_point),
            contents: batch,
            segment_size: (batch.len() > segment_size).then_some(segment_size),
            src_ip: None,
        };
        self.with_room(|| {
            self.socket
                .try_io(Interest::WRITABLE, || self.state.try_send(UdpSockRef::from(&self.socket), &whole))
        })
        .await
    }

    /// Tries once more when the system's send buffer was full.
    async fn with_room(&self, attempt: impl Fn() -> io::Result<()>) -> io::Result<()> {
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // A full buffer drains at the link's speed; waiting longer than this would only deliver old packets.
                let _ = tokio::time::timeout(WAIT_FOR_ROOM, self.socket.writable()).await;
                attempt()
            }
            done => done,
        }
    }
}

impl ReceiveBuffers {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; BUFFERS * BUFFER_SIZE], meta: [RecvMeta::default(); BUFFERS] }
    }

    /// The `index`th batch of the last read: from where, its mark, each datagram's length, and all the bytes.
    pub(super) fn batch(&mut self, index: usize) -> Option<(SocketAddr, Option<Ecn>, usize, &mut [u8])> {
        let meta = self.meta.get(index)?;
        let start = index * BUFFER_SIZE;
        let bytes = self.bytes.get_mut(start..start + meta.len.min(BUFFER_SIZE))?;
        if bytes.is_empty() {
            return None;
        }
        let segment_size = if meta.stride == 0 { bytes.len() } else { meta.stride };
        Some((canonical(meta.addr), meta.ecn.map(mark), segment_size, bytes))
    }
}

/// What became of some bytes.
fn count_sent(done: io::Result<()>, bytes: usize, counters: &SharedCounters) {
    match done {
        Ok(()) => {
            SharedCounters::add(&counters.batches_sent, 1);
            SharedCounters::add(&counters.bytes_sent, bytes);
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            SharedCounters::add(&counters.send_dropped, 1);
        }
        Err(error) => {
            SharedCounters::add(&counters.send_errors, 1);
            tracing::trace!(%error, "packets were refused by the system");
        }
    }
}

/// The address without a flow label, which would make one peer look like many.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => address,
        SocketAddr::V6(v6) => SocketAddrV6::new(*v6.ip(), v6.port(), 0, v6.scope_id()).into(),
    }
}

fn code_point(ecn: Ecn) -> EcnCodepoint {
    match ecn {
        Ecn::Capable0 => EcnCodepoint::Ect0,
        Ecn::Capable1 => EcnCodepoint::Ect1,
        Ecn::CongestionExperienced => EcnCodepoint::Ce,
    }
}

fn mark(code_point: EcnCodepoint) -> Ecn {
    match code_point {
        EcnCodepoint::Ect0 => Ecn::Capable0,
        EcnCodepoint::Ect1 => Ecn::Capable1,
        EcnCodepoint::Ce => Ecn::CongestionExperienced,
    }
}

/// Batches taken with one system call.
const BUFFERS: usize = if quinn_udp::BATCH_SIZE < 8 { quinn_udp::BATCH_SIZE } else { 8 };
/// The most the system puts together: a whole IP datagram's worth.
const BUFFER_SIZE: usize = 1 << 16;
/// The most one system call may carry with segmentation offload, headers left room for.
const LARGEST_SEND: usize = 65_000;
/// How long a packet may wait for room in the system's send buffer.
const WAIT_FOR_ROOM: Duration = Duration::from_millis(20);
/// Failed reads in a row before each is followed by a pause.
const FAILURES_BEFORE_A_PAUSE: u32 = 16;
/// So many, over so long, are no accident.
const FAILURES_FOR_GOOD: u32 = 50;
const FAILING_FOR_GOOD: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn after(failures: u32, millis: u64, kind: io::ErrorKind) -> Failing {
        let start = Instant::now();
        let mut counted = Failures::default();
        let error = io::Error::from(kind);
        for _ in 1..failures {
            counted.count(start, &error);
        }
        counted.count(start + Duration::from_millis(millis), &error)
    }

    #[test]
    fn a_socket_fails_for_good_when_nothing_was_read_for_a_second() {
        assert_eq!(after(3, 5_000, io::ErrorKind::NotConnected), Failing::Seldom);
        assert_eq!(after(100, 100, io::ErrorKind::NotConnected), Failing::Often);
        assert_eq!(after(100, 2_000, io::ErrorKind::NotConnected), Failing::ForGood);
    }

    #[test]
    fn closed_ports_far_away_are_no_failure_of_the_socket() {
        assert_eq!(after(1_000, 10_000, io::ErrorKind::ConnectionReset), Failing::Often);
    }
}
