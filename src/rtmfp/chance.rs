//! Randomness from a seed, so that every run can be repeated.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// The one source of tags, cookies secrets, session IDs and key seeds of an endpoint.
pub struct Chance(ChaCha20Rng);

impl Chance {
    /// The same seed gives the same sequence. Outside tests the seed comes from the system's randomness.
    pub fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// That many random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A random 32-bit number.
    pub fn u32(&mut self) -> u32 {
        self.0.next_u32()
    }
}
