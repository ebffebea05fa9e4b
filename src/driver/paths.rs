//! Paths that come and go while a driver runs: further sockets, and ports that somebody else lends.
//!
//! A lent path is two bounded queues. What the machine sends over it waits in its [`Outbox`] for the lender, who carries it
//! wherever it must go; what came for it is handed in by [`LentPath::deliver`]. Neither side ever waits for the other:
//! what finds no room is dropped, as a network would, and the machine's own timers deal with the loss.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, oneshot};

use super::error::DriverError;
use crate::rtmfp::machine::{PathId, PathKind, Transmit, Urgency};

/// Opens and closes paths of a running driver; as many copies as are useful. Without the driver, nothing opens any more.
#[derive(Clone, Debug)]
pub struct Paths {
    changes: mpsc::Sender<Change>,
    next: Arc<AtomicU32>,
}

/// What the loop is asked.
#[derive(Debug)]
pub(super) enum Change {
    Bind { path: PathId, address: SocketAddr, kind: PathKind, answer: BindAnswer },
    Lend(Lent),
    Close(PathId),
}

pub(super) type BindAnswer = oneshot::Sender<Result<SocketAddr, DriverError>>;

/// The loop's end of a lent path. The lender is gone when nothing comes any more.
#[derive(Debug)]
pub(super) struct Lent {
    pub(super) path: PathId,
    pub(super) local: SocketAddr,
    pub(super) kind: PathKind,
    pub(super) arrived: mpsc::Receiver<Arrived>,
    pub(super) outbox: Arc<Outbox>,
}

/// A datagram that came over a lent path.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) from: SocketAddr,
    pub(super) bytes: Vec<u8>,
}

/// The lender's end of a lent path. Dropping it closes the path.
#[derive(Debug)]
pub struct LentPath {
    path: PathId,
    local: SocketAddr,
    arrived: mpsc::Sender<Arrived>,
    outbox: Arc<Outbox>,
}

/// One packet on its way out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Packet {
    /// Where to.
    pub to: SocketAddr,
    /// The packet.
    pub bytes: Bytes,
    /// How urgent it is.
    pub urgency: Urgency,
}

impl Paths {
    pub(super) fn new(first: u32) -> (Self, mpsc::Receiver<Change>) {
        let (changes, receiver) = mpsc::channel(CHANGES);
        (Self { changes, next: Arc::new(AtomicU32::new(first)) }, receiver)
    }

    /// Binds a further socket, and tells the machine. The answer is its path, and the address with the port that the
    /// system chose.
    ///
    /// # Errors
    /// [`DriverError`] when it cannot be bound, [`DriverError::Stopped`] without a driver.
    pub async fn bind(
        &self,
        address: SocketAddr,
        kind: PathKind,
    ) -> Result<(PathId, SocketAddr), DriverError> {
        let path = self.number();
        let (answer, answered) = oneshot::channel();
        let asked = self.changes.send(Change::Bind { path, address, kind, answer }).await;
        asked.map_err(|_| DriverError::Stopped)?;
        let local = answered.await.map_err(|_| DriverError::Stopped)??;
        Ok((path, local))
    }

    /// Tells the machine of a path that the caller carries: its packets come from, and its datagrams go to, the answer.
    /// `local` is the address by which others reach it.
    ///
    /// # Errors
    /// [`DriverError::Stopped`] without a driver.
    pub async fn lend(&self, local: SocketAddr, kind: PathKind) -> Result<LentPath, DriverError> {
        let path = self.number();
        let (sender, arrived) = mpsc::channel(ARRIVED);
        let outbox = Arc::new(Outbox::default());
        let lent = Lent { path, local, kind, arrived, outbox: Arc::clone(&outbox) };
        self.changes.send(Change::Lend(lent)).await.map_err(|_| DriverError::Stopped)?;
        Ok(LentPath { path, local, arrived: sender, outbox })
    }

    /// Closes a path, of whatever kind. What is not there is closed already.
    ///
    /// # Errors
    /// [`DriverError::Stopped`] without a driver.
    pub async fn close(&self, path: PathId) -> Result<(), DriverError> {
        self.changes.send(Change::Close(path)).await.map_err(|_| DriverError::Stopped)
    }

    /// Numbers are never used twice: a late packet must not leave by another way than was meant.
    fn number(&self) -> PathId {
        PathId(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

impl LentPath {
    /// Its number.
    pub fn path(&self) -> PathId {
        self.path
    }

    /// The address by which others reach it.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Hands in a datagram that came; whether there was room for it. The path is of no more use once
    /// [`LentPath::is_closed`].
    pub fn deliver(&self, from: SocketAddr, bytes: Vec<u8>) -> bool {
        self.arrived.try_send(Arrived { from, bytes }).is_ok()
    }

    /// Whether the driver closed it, or stopped.
    pub fn is_closed(&self) -> bool {
        self.arrived.is_closed()
    }

    /// The next packet to be carried, if one waits.
    pub fn take(&self) -> Option<Packet> {
        self.outbox.take()
    }

    /// Waits until a packet is there to be taken, or the driver closed the path.
    pub async fn ready(&self) {
        tokio::select! {
            () = self.outbox.stirred() => {}
            () = self.arrived.closed() => {}
        }
    }
}

/// What waits to be carried: at most [`MOST_WAITING`] bytes. When there is no room, the oldest pictures go first, since
/// they are most and soonest worth nothing, and then whatever is oldest.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    stir: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    packets: VecDeque<Packet>,
    bytes: usize,
}

impl Outbox {
    /// Takes the packets of one transmit. How many others had to go for them.
    pub(super) fn put(&self, transmit: &Transmit, packets: &[u8]) -> usize {
        // One allocation for all of them.
        let all = Bytes::copy_from_slice(packets);
        let segment = transmit.segment_size.max(1);
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let mut start = 0;
        while start < all.len() {
            let end = (start + segment).min(all.len());
            let bytes = all.slice(start..end);
            queue.bytes += bytes.len();
            queue.packets.push_back(Packet { to: transmit.route.address, bytes, urgency: transmit.urgency });
            start = end;
        }
        let dropped = queue.make_room();
        drop(queue);
        self.stir.notify_one();
        dropped
    }

    fn take(&self) -> Option<Packet> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let packet = queue.packets.pop_front()?;
        queue.bytes -= packet.bytes.len();
        Some(packet)
    }

    async fn stirred(&self) {
        loop {
            let stirred = self.stir.notified();
            if !self.queue.lock().unwrap_or_else(PoisonError::into_inner).packets.is_empty() {
                return;
            }
            stirred.await;
        }
    }
}

impl Queue {
    fn make_room(&mut self) -> usize {
        let mut dropped = 0;
        while self.bytes > MOST_WAITING {
            let picture = self.packets.iter().position(|packet| packet.urgency == Urgency::Pictures);
            let Some(gone) = self.packets.remove(picture.unwrap_or(0)) else { break };
            self.bytes -= gone.bytes.len();
            dropped += 1;
        }
        dropped
    }
}

/// Paths that may be asked for at once; more wait.
const CHANGES: usize = 16;
/// Datagrams that may wait for the loop: some 20 ms of a fast path.
const ARRIVED: usize = 256;
/// Bytes that may wait for the lender: a quarter of a second of 2 Mbit/s. Older pictures are of no use to anybody.
const MOST_WAITING: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmfp::machine::Route;

    fn put(outbox: &Outbox, mark: u8, urgency: Urgency) -> usize {
        let route = Route { via: PathId(7), address: "192.0.2.1:5".parse().unwrap() };
        let transmit = Transmit { urgency, ..Transmit::ordinary(route, 1_000) };
        outbox.put(&transmit, &[mark; 4_000])
    }

    fn marks(outbox: &Outbox) -> Vec<u8> {
        let mut marks: Vec<u8> = std::iter::from_fn(|| outbox.take()).map(|packet| packet.bytes[0]).collect();
        marks.dedup();
        marks
    }

    #[test]
    fn a_transmit_is_cut_into_its_packets() {
        let outbox = Outbox::default();
        let route = Route { via: PathId(7), address: "192.0.2.1:5".parse().unwrap() };
        assert_eq!(outbox.put(&Transmit::ordinary(route, 4), b"abcdefghij"), 0);
        let texts: Vec<Bytes> = std::iter::from_fn(|| outbox.take()).map(|packet| packet.bytes).collect();
        assert_eq!(texts, [&b"abcd"[..], b"efgh", b"ij"]);
    }

    #[test]
    fn when_there_is_no_room_the_oldest_pictures_go_first() {
        let outbox = Outbox::default();
        put(&outbox, 1, Urgency::Sound);
        for _ in 0..15 {
            put(&outbox, 2, Urgency::Pictures);
        }
        assert!(put(&outbox, 3, Urgency::Ordinary) > 0);
        for _ in 0..12 {
            put(&outbox, 4, Urgency::Sound);
        }
        let marks = marks(&outbox);
        assert_eq!(marks, [1, 2, 3, 4], "the sound that waits longest is still there");
    }

    #[test]
    fn without_pictures_the_oldest_packets_go() {
        let outbox = Outbox::default();
        put(&outbox, 1, Urgency::Sound);
        let dropped: usize = (0..20).map(|_| put(&outbox, 2, Urgency::Sound)).sum();
        assert_eq!((dropped, marks(&outbox)), (19, vec![2]));
    }
}
