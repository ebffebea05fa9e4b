//! The bits of a NAL unit, emulation prevention taken out on the way (H.264 §7.3.1, §7.2, §9.1).

/// Reads bits from the front. `None` at the end, for ever.
pub(crate) struct BitReader<'a> {
    rest: std::slice::Iter<'a, u8>,
    byte: u8,
    left: u32,
    zeros: u32,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes.iter(), byte: 0, left: 0, zeros: 0 }
    }

    /// The next byte of what the unit means.
    fn next_byte(&mut self) -> Option<u8> {
        let mut byte = *self.rest.next()?;
        if self.zeros >= 2 && byte == 3 {
            self.zeros = 0;
            byte = *self.rest.next()?;
        }
        self.zeros = if byte == 0 { self.zeros + 1 } else { 0 };
        Some(byte)
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        if self.left == 0 {
            self.byte = self.next_byte()?;
            self.left = 8;
        }
        self.left -= 1;
        Some(self.byte >> self.left & 1 == 1)
    }

    /// So many bits, at most 32: u(n).
    pub(crate) fn bits(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count.min(32) {
            value = value << 1 | u32::from(self.flag()?);
        }
        Some(value)
    }

    /// An Exp-Golomb code: ue(v). `None` for one longer than the standard has any.
    pub(crate) fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let rest = self.bits(zeros)?;
        ((1_u64 << zeros) - 1 + u64::from(rest)).try_into().ok()
    }

    /// A signed Exp-Golomb code: se(v).
    pub(crate) fn signed(&mut self) -> Option<i64> {
        let code = i64::from(self.unsigned()?);
        Some(if code % 2 == 1 { code / 2 + 1 } else { -(code / 2) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_as_the_standard_lists_them() {
        // 1, 010, 011, 00100, 00111: 0, 1, 2, 3 and 6.
        let mut reader = BitReader::new(&[0b1010_0110, 0b0100_0011, 0b1000_0000]);
        let read: Vec<_> = (0..5).filter_map(|_| reader.unsigned()).collect();
        assert_eq!(read, [0, 1, 2, 3, 6]);
        let mut reader = BitReader::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let read: Vec<_> = (0..5).filter_map(|_| reader.signed()).collect();
        assert_eq!(read, [0, 1, -1, 2, -2]);
    }

    #[test]
    fn a_three_after_two_zeros_is_not_part_of_what_is_meant() {
        let mut reader = BitReader::new(&[0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 3]);
        let read: Vec<_> = (0..8).map(|_| reader.bits(8)).collect();
        assert_eq!(read, [0, 0, 1, 0, 0, 0, 0, 3].map(Some));
        assert_eq!(reader.bits(1), None);
    }

    #[test]
    fn the_end_and_a_code_without_end_are_nothing() {
        assert_eq!(BitReader::new(&[]).flag(), None);
        assert_eq!(BitReader::new(&[0, 0, 0, 0, 0, 0]).unsigned(), None);
        assert_eq!(BitReader::new(&[0, 0]).unsigned(), None);
    }
}
