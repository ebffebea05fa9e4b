//! Sessions: opening them, and what an open one does (RFC 7016 §3.5).

pub(crate) mod closing;
pub(crate) mod congestion;
pub(crate) mod keepalive;
pub(crate) mod mobility;
pub(crate) mod open;
pub(crate) mod round_trip;
pub(crate) mod time_critical;
pub(crate) mod timestamps;
