//! What things cost: `cargo bench --no-default-features --features compare [WORD]` prints one JSON object a line.
//!
//! Each has `name`, `value` and `unit`; where something sets a limit, also `limit`, in the same unit, and `ratio`: how many
//! times the limit's cost is paid, so 1 cannot be beaten. Values are the best of several rounds, which other programs
//! disturb least; ratios hold between computers, values do not. With a word, only what has it
//! in its name is run, with its group.

mod amf;
#[cfg(all(feature = "media", feature = "cli", feature = "server", target_os = "linux"))]
mod call_cost;
mod crypto;
mod engine;
#[cfg(feature = "media")]
mod media;
#[cfg(all(feature = "net", unix))]
mod network;

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Takes measurements, and prints them.
pub(crate) struct Bench {
    only: Option<String>,
}

impl Bench {
    /// Whether this one, or one of this group, was asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()) || only.contains(name))
    }

    /// A figure that nothing limits but itself.
    pub(crate) fn tell(&self, name: &str, value: f64, unit: &str) {
        println!(r#"{{"name":"{name}","value":{value:.3},"unit":"{unit}"}}"#);
    }

    /// A cost, and the least that it could be.
    pub(crate) fn tell_with_limit(&self, name: &str, value: f64, unit: &str, limit: f64) {
        let ratio = value / limit;
        println!(
            r#"{{"name":"{name}","value":{value:.3},"unit":"{unit}","limit":{limit:.3},"ratio":{ratio:.3}}}"#
        );
    }
}

/// The shortest of several rounds of `times` runs each, for one run.
pub(crate) fn best<R>(times: u32, mut work: impl FnMut() -> R) -> Duration {
    let round = |_| {
        let start = Instant::now();
        for _ in 0..times {
            black_box(work());
        }
        start.elapsed() / times
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}

pub(crate) fn nanoseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

/// How often everything is measured.
const ROUNDS: u32 = 9;

fn main() {
    // Cargo passes flags of its own.
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let bench = Bench { only };
    crypto::run(&bench);
    engine::run(&bench);
    amf::run(&bench);
    #[cfg(feature = "media")]
    media::run(&bench);
    #[cfg(all(feature = "media", feature = "cli", feature = "server", target_os = "linux"))]
    call_cost::run(&bench);
    #[cfg(all(feature = "net", unix))]
    network::run(&bench);
}
