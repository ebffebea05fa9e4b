//! Numbers of variable length (VLU, RFC 7016 §2.1.2): seven bits to a byte, most significant first.

use super::error::ChunkError;

/// The most bytes that [`write`] takes.
#[cfg(test)]
pub(crate) const LONGEST: usize = 10;

/// How many bytes `value` takes.
pub(crate) fn encoded_length(value: u64) -> usize {
    let bits = (u64::BITS - value.leading_zeros()).max(1);
    bits.div_ceil(7) as usize
}

/// Appends `value` in its shortest form.
pub(crate) fn write(value: u64, out: &mut Vec<u8>) {
    for group in (1..encoded_length(value)).rev() {
        out.push(0x80 | (value >> (7 * group)) as u8);
    }
    out.push(value as u8 & 0x7f);
}

/// The number at the start of `bytes`, and how many bytes it takes. Longer forms than needed are legal.
pub(crate) fn read(bytes: &[u8]) -> Result<(u64, usize), ChunkError> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().enumerate() {
        if value >> (u64::BITS - 7) != 0 {
            return Err(ChunkError::NumberTooLarge);
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok((value, index + 1));
        }
    }
    Err(ChunkError::Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Conforms: 7016-2.1.2-a, 7016-2.1.2-b
    #[test]
    fn numbers_take_the_bytes_the_rfc_says() {
        for (value, bytes) in [
            (0, &[0x00][..]),
            (127, &[0x7f]),
            (128, &[0x81, 0x00]),
            (16384, &[0x81, 0x80, 0x00]),
            (u64::MAX, &[0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        ] {
            let mut out = Vec::new();
            write(value, &mut out);
            assert_eq!(out, bytes);
            assert_eq!(encoded_length(value), bytes.len());
            assert_eq!(read(bytes), Ok((value, bytes.len())));
        }
        assert_eq!(encoded_length(u64::MAX), LONGEST);
    }

    /// Conforms: 7016-2.1.2-c
    #[test]
    fn a_longer_form_than_needed_is_the_same_number() {
        assert_eq!(read(&[0x80, 0x80, 0x05, 0xff]), Ok((5, 3)));
    }

    /// Conforms: 7016-2.1.2-c
    #[test]
    fn a_number_that_never_ends_is_cut_short() {
        assert_eq!(read(&[]), Err(ChunkError::Truncated));
        assert_eq!(read(&[0x81, 0x80]), Err(ChunkError::Truncated));
    }

    /// Conforms: 7016-2.1.2-b
    #[test]
    fn a_number_beyond_64_bits_is_refused_and_never_wraps() {
        assert_eq!(
            read(&[0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]),
            Err(ChunkError::NumberTooLarge)
        );
    }
}
