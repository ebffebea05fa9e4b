//! Writing elements and chunks; length fields fix themselves when what they count is written.

use super::vlu;

/// Bytes of a chunk's type and length fields (RFC 7016 §2.3).
pub(crate) const CHUNK_HEADER: usize = 3;

/// How many bytes `bytes` takes behind its length.
pub(crate) fn counted_length(bytes: &[u8]) -> usize {
    vlu::encoded_length(bytes.len() as u64) + bytes.len()
}

/// Appends elements to a buffer.
pub(crate) struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Appends to `out`.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// One byte.
    pub(crate) fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    /// Two bytes, in network order.
    pub(crate) fn u16(&mut self, value: u16) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    /// Four bytes, in network order.
    pub(crate) fn u32(&mut self, value: u32) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    /// A number of variable length (§2.1.2).
    pub(crate) fn vlu(&mut self, value: u64) {
        vlu::write(value, self.out);
    }

    /// Bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Bytes behind their length.
    pub(crate) fn counted(&mut self, bytes: &[u8]) {
        self.vlu(bytes.len() as u64);
        self.bytes(bytes);
    }

    /// An option (§2.1.3): its length, its type, its value.
    pub(crate) fn option(&mut self, kind: u64, value: &[u8]) {
        self.vlu((vlu::encoded_length(kind) + value.len()) as u64);
        self.vlu(kind);
        self.bytes(value);
    }

    /// An option whose value is a number of variable length, with `after` behind it.
    pub(crate) fn number_option(&mut self, kind: u64, number: u64, after: &[u8]) {
        let length = vlu::encoded_length(kind) + vlu::encoded_length(number) + after.len();
        self.vlu(length as u64);
        self.vlu(kind);
        self.vlu(number);
        self.bytes(after);
    }

    /// The end of an option list (§2.1.4).
    pub(crate) fn marker(&mut self) {
        self.u8(0);
    }

    /// A whole chunk: type, length and what `payload` writes.
    ///
    /// A payload that its 16-bit length field cannot count is taken back and nothing is written, as if the chunk were
    /// lost on the way: what goes into a chunk can come from the network, so this is no bug of the caller's.
    pub(crate) fn chunk(&mut self, kind: u8, payload: impl FnOnce(&mut Writer<'_>)) {
        let start = self.out.len();
        self.u8(kind);
        self.u16(0);
        payload(&mut Writer::new(self.out));
        match u16::try_from(self.out.len() - start - CHUNK_HEADER) {
            Ok(length) => {
                self.out[start + 1..start + CHUNK_HEADER].copy_from_slice(&length.to_be_bytes());
            }
            Err(_) => self.out.truncate(start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunks_length_field_fixes_itself() {
        let mut out = vec![9];
        Writer::new(&mut out).chunk(0x18, |writer| writer.vlu(300));
        assert_eq!(out, [9, 0x18, 0, 2, 0x82, 0x2c]);
    }

    #[test]
    fn a_chunk_too_long_for_its_length_field_is_not_written() {
        let mut out = vec![9];
        Writer::new(&mut out).chunk(0x01, |writer| writer.bytes(&[0; 65536]));
        assert_eq!(out, [9]);
    }

    /// Conforms: 7016-2.1.3-a, 7016-2.1.4-a
    #[test]
    fn options_count_their_type() {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.option(0x0e, &[1, 2]);
        writer.number_option(0x1d, 14, &[7]);
        writer.marker();
        assert_eq!(out, [3, 0x0e, 1, 2, 3, 0x1d, 14, 7, 0]);
    }
}
