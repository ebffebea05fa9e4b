//! What a session counts, for people and for rate control.

/// One session's numbers since it opened.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counters {
    /// Bytes of datagrams sent.
    pub(crate) bytes_sent: u64,
    /// Bytes of datagrams received and opened.
    pub(crate) bytes_received: u64,
    /// Datagrams sent.
    pub(crate) packets_sent: u64,
    /// Datagrams received and opened.
    pub(crate) packets_received: u64,
    /// Fragments sent, repetitions included.
    pub(crate) fragments_sent: u64,
    /// Fragments received, those that came before too.
    pub(crate) fragments_received: u64,
    /// Fragments declared lost.
    pub(crate) fragments_lost: u64,
    /// Datagrams and chunks dropped.
    pub(crate) dropped: u64,
}
