//! Flows: one-way streams of messages inside a session (RFC 7016 §3.6).
//!
//! [`send_flow`] and [`receive_flow`] are the two ends of one. A send flow keeps its messages in a [`send_queue`] until
//! they are acknowledged or given up, and what is on its way stands in the session's [`in_flight`] list; a receive flow
//! keeps track of what came in a [`sequence_set`], and puts messages together in a [`reassembly`] buffer, which its user
//! may let fill by suspending it. None of them knows packets, or time beyond the `now` it is given: the session asks what
//! to send and tells what came.

pub(crate) mod in_flight;
pub(crate) mod reassembly;
pub(crate) mod receive_flow;
pub(crate) mod send_flow;
pub(crate) mod send_queue;
pub(crate) mod sequence_set;
pub(crate) mod turns;
