//! Sessions: opening them, and what an open one does (RFC 7016 §3.5).
//!
//! We dial: [`initiator`]. We are dialled: [`cookie`], then [`responder`]. Both at once: [`glare`]. All three end in an
//! [`open`] session.

pub(crate) mod closing;
pub(crate) mod congestion;
pub(crate) mod congestion_marks;
pub(crate) mod cookie;
pub(crate) mod giving_way;
pub(crate) mod glare;
pub(crate) mod initiator;
pub(crate) mod keepalive;
pub(crate) mod media_pace;
pub(crate) mod mobility;
pub(crate) mod open;
pub(crate) mod pacing;
pub(crate) mod packing;
pub(crate) mod path_mtu;
pub(crate) mod probing;
pub(crate) mod responder;
pub(crate) mod round_trip;
pub(crate) mod startup_packet;
pub(crate) mod time_critical;
pub(crate) mod timestamps;
