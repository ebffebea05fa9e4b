//! Sessions: opening them, and what an open one does (RFC 7016 §3.5).

pub(crate) mod open;
pub(crate) mod time_critical;
