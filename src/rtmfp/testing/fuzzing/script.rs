//! Bytes read as decisions: what to do next, to whom, with which number. When the bytes end, everything is 0.

/// The decisions still to come.
#[derive(Clone, Debug)]
pub struct Script<'a> {
    rest: &'a [u8],
}

impl<'a> Script<'a> {
    /// All decisions that these bytes hold.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether there is nothing left to decide.
    pub fn is_over(&self) -> bool {
        self.rest.is_empty()
    }

    /// One byte.
    pub fn u8(&mut self) -> u8 {
        let Some((byte, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *byte
    }

    /// Two bytes.
    pub fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.u8(), self.u8()])
    }

    /// A number below `limit`, or 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(if limit > 256 { self.u16() } else { self.u8().into() }) % limit.max(1)
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        choices.get(self.below(choices.len())).copied()
    }

    /// Up to 255 bytes as they are, after their number.
    pub fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.u8()).min(self.rest.len());
        let (bytes, rest) = self.rest.split_at(length);
        self.rest = rest;
        bytes
    }

    /// All bytes that are left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// A number of those that matter: small ones, and those at the edges of what fits.
    pub fn number(&mut self) -> u64 {
        let byte = self.u8();
        match byte {
            0..=199 => u64::from(byte) % 40,
            200..=219 => u64::from(self.u16()),
            220..=229 => 1 << (self.u8() % 64),
            230..=239 => (1 << (self.u8() % 64)) - 1,
            240..=247 => u64::MAX - u64::from(self.u8()),
            _ => u64::MAX,
        }
    }
}
