//! A cursor over bytes from the network that cannot overrun.

use super::error::ChunkError;
use super::vlu;

/// What is left to read of an element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from the start.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes are left.
    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// One byte.
    pub(crate) fn u8(&mut self) -> Result<u8, ChunkError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// Two bytes, in network order.
    pub(crate) fn u16(&mut self) -> Result<u16, ChunkError> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes, in network order.
    pub(crate) fn u32(&mut self) -> Result<u32, ChunkError> {
        self.array().map(u32::from_be_bytes)
    }

    /// A number of variable length (§2.1.2).
    pub(crate) fn vlu(&mut self) -> Result<u64, ChunkError> {
        let (value, length) = vlu::read(self.bytes)?;
        self.bytes = &self.bytes[length..];
        Ok(value)
    }

    /// The next `length` bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], ChunkError> {
        let (taken, left) = self.bytes.split_at_checked(length).ok_or(ChunkError::Truncated)?;
        self.bytes = left;
        Ok(taken)
    }

    /// A length of variable size, and that many bytes.
    pub(crate) fn counted(&mut self) -> Result<&'a [u8], ChunkError> {
        let length = usize::try_from(self.vlu()?).map_err(|_| ChunkError::Truncated)?;
        self.bytes(length)
    }

    /// The next `N` bytes as an array.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], ChunkError> {
        let (taken, left) = self.bytes.split_first_chunk().ok_or(ChunkError::Truncated)?;
        self.bytes = left;
        Ok(*taken)
    }

    /// Everything that is left; nothing is left after it.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Conforms: 7016-2-a, 7016-2.1.1-a
    #[test]
    fn elements_are_read_one_after_the_other() {
        let mut reader = Reader::new(&[1, 0, 2, 0, 0, 0, 3, 0x81, 0, 2, 9, 8, 7]);
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!(reader.u16(), Ok(2));
        assert_eq!(reader.u32(), Ok(3));
        assert_eq!(reader.vlu(), Ok(128));
        assert_eq!(reader.counted(), Ok(&[9, 8][..]));
        assert_eq!(reader.rest(), [7]);
        assert!(reader.is_empty());
    }

    /// Conforms: 7016-2-d
    #[test]
    fn a_claimed_length_beyond_the_end_is_cut_short() {
        assert_eq!(Reader::new(&[3, 1, 2]).counted(), Err(ChunkError::Truncated));
        let huge = [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert_eq!(Reader::new(&huge).counted(), Err(ChunkError::Truncated));
        assert_eq!(Reader::new(&[1]).u16(), Err(ChunkError::Truncated));
    }
}
