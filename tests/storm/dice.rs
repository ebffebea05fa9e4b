//! Choices from a seed, and the seeds that a test tries.

use std::time::Duration;

use tincan::rtmfp::chance::Chance;

/// Where all choices of one run come from.
pub(crate) struct Dice(Chance);

impl Dice {
    /// The dice of a seed. `purpose` keeps what is chosen for one thing from changing what is chosen for another.
    pub(crate) fn new(seed: u64, purpose: u8) -> Self {
        Self(Chance::new(Self::bytes(seed, purpose)))
    }

    /// A seed for something that takes bytes.
    pub(crate) fn bytes(seed: u64, purpose: u8) -> [u8; 32] {
        let mut bytes = [purpose; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        bytes
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + u64::from(self.0.u32()) % (high - low + 1)
    }

    /// So many milliseconds.
    pub(crate) fn ms(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.between(low, high))
    }

    /// Once in `n` times.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.between(1, n) == 1
    }

    /// A share up to `most`.
    pub(crate) fn share(&mut self, most: f64) -> f64 {
        most * f64::from(self.0.u32()) / f64::from(u32::MAX)
    }
}

/// Runs a check for so many seeds, or for those that the environment asks for.
pub(crate) fn for_seeds(usual: u64, check: impl Fn(u64) -> Result<(), String>) {
    let number = |name| std::env::var(name).ok().and_then(|text: String| text.parse().ok());
    let seeds = match (number("STORM_SEED"), number("STORM_SEEDS")) {
        (Some(one), _) => one..one + 1,
        (None, many) => 0..many.unwrap_or(usual),
    };
    for seed in seeds {
        let named = Named(seed);
        if let Err(broken) = check(seed) {
            panic!("{broken}");
        }
        drop(named);
    }
}

/// Tells its seed when something fails while it is there.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {0}: run it alone with STORM_SEED={0}", self.0);
        }
    }
}
