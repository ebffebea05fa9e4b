//! Sessions under networks that lose, delay, reorder, double, queue, mark, narrow and go dark, in memory and in virtual
//! time.
//!
//! Everything follows from a seed. A failing one is named by its test; `STORM_SEED` runs that one alone, and `STORM_SEEDS`
//! says how many each test tries.

mod delivery;
mod dice;
mod fairness;
mod latency;
mod lifetime;
mod marks;
mod memory;
mod oracle;
mod path;
mod scene;
mod tcp;
mod traffic;
mod weather;

#[allow(dead_code, reason = "storms need only a part of it")]
#[path = "../protocol/support/mod.rs"]
mod support;
