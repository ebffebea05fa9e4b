//! The bench: a network in memory, routers, and the scenes that tests begin with.

pub(crate) mod impostor;
pub(crate) mod scenario;
pub(crate) mod virtual_network;
pub(crate) mod virtual_router;
