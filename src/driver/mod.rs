//! The only sockets: one task that drives a machine.
