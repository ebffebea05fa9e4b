//! The bench: a network in memory, routers, and the scenes that tests begin with.

#[allow(dead_code, reason = "every binary of tests that includes it uses a part of it")]
pub(crate) mod appended;
pub(crate) mod impostor;
#[allow(dead_code, reason = "every binary of tests that includes it uses a part of it")]
pub(crate) mod link;
pub(crate) mod nodes;
#[allow(dead_code, reason = "every binary of tests that includes it uses a part of it")]
pub(crate) mod raw;
pub(crate) mod relayed;
pub(crate) mod scenario;
pub(crate) mod stage;
#[allow(dead_code, reason = "every binary of tests that includes it uses a part of it")]
pub(crate) mod topology;
#[allow(dead_code, reason = "every binary of tests that includes it uses a part of it")]
pub(crate) mod virtual_network;
#[allow(dead_code, reason = "every binary of tests that includes it uses a part of it")]
pub(crate) mod virtual_router;
