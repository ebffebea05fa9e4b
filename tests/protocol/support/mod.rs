//! The bench: a network in memory, routers, and the scenes that tests begin with.

pub mod scenario;
pub mod virtual_network;
pub mod virtual_router;
