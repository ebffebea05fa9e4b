//! What is around this computer: others on its local network, and the router in front of it.
//!
//! [`discovery`] tells others on the network that somebody is here, or a server, and finds those who do the same; what is
//! said there is in [`announcement`]. [`port_mapping`] holds a port of the router's open. Both are doers with threads or
//! tasks of libraries behind them, and decide nothing: what is found is only a hint of where a peer ID may be reached, and
//! who is really there proves it by its key.

pub mod announcement;
pub mod discovery;
pub mod port_mapping;
