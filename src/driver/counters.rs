//! What a driver counts: enough to tell a quiet network from a broken socket.

use std::sync::atomic::{AtomicU64, Ordering};

/// A driver's figures since it started.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counters {
    /// Batches of datagrams that came.
    pub batches_received: u64,
    /// Bytes that came.
    pub bytes_received: u64,
    /// Batches of packets that the system took.
    pub batches_sent: u64,
    /// Bytes that the system took.
    pub bytes_sent: u64,
    /// Receives that failed (a far port that is closed, a network that went away).
    pub receive_errors: u64,
    /// Batches that the system refused, or that named a path that is not there.
    pub send_errors: u64,
    /// Batches dropped because the system's send buffer stayed full.
    pub send_dropped: u64,
}

/// The same, written by the task and read by anybody.
#[derive(Debug, Default)]
pub(super) struct SharedCounters {
    pub(super) batches_received: AtomicU64,
    pub(super) bytes_received: AtomicU64,
    pub(super) batches_sent: AtomicU64,
    pub(super) bytes_sent: AtomicU64,
    pub(super) receive_errors: AtomicU64,
    pub(super) send_errors: AtomicU64,
    pub(super) send_dropped: AtomicU64,
}

impl SharedCounters {
    pub(super) fn add(counter: &AtomicU64, amount: usize) {
        counter.fetch_add(u64::try_from(amount).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> Counters {
        Counters {
            batches_received: self.batches_received.load(Ordering::Relaxed),
            bytes_received: self.bytes_received.load(Ordering::Relaxed),
            batches_sent: self.batches_sent.load(Ordering::Relaxed),
            bytes_sent: self.bytes_sent.load(Ordering::Relaxed),
            receive_errors: self.receive_errors.load(Ordering::Relaxed),
            send_errors: self.send_errors.load(Ordering::Relaxed),
            send_dropped: self.send_dropped.load(Ordering::Relaxed),
        }
    }
}
