//! What a flow of RTMP messages is for (RFC 7425 §5.1.1).
//!
//! ```text
//! 54 43 ("TC") | flags: 04 stream ID present, 01 network order hinted | stream ID VLU
//! ```

use bytes::Bytes;

/// The user metadata of a flow that carries RTMP messages of one stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct FlowMetadata {
    pub(super) stream: u32,
    /// Whether the sender hints that messages be taken as they arrive.
    pub(super) as_they_arrive: bool,
}

impl FlowMetadata {
    pub(super) fn in_order(stream: u32) -> Self {
        Self { stream, as_they_arrive: false }
    }

    pub(super) fn as_it_arrives(stream: u32) -> Self {
        Self { stream, as_they_arrive: true }
    }

    /// Streams beyond [`LAST_STREAM`] do not exist, and nobody asks for one.
    pub(super) fn encode(self) -> Bytes {
        let mut bytes = vec![b'T', b'C', STREAM_PRESENT | u8::from(self.as_they_arrive)];
        let groups = (1..5).rev().filter(|group| self.stream >> (7 * group) != 0);
        bytes.extend(groups.map(|group| (self.stream >> (7 * group) & 0x7f) as u8 | 0x80));
        bytes.push((self.stream & 0x7f) as u8);
        bytes.into()
    }

    /// `None` for any other kind of flow, and for one without a stream ID, which a receiver refuses.
    pub(super) fn parse(metadata: &[u8]) -> Option<Self> {
        let [b'T', b'C', flags, rest @ ..] = metadata else { return None };
        if flags & STREAM_PRESENT == 0 {
            return None;
        }
        let mut stream: u32 = 0;
        for byte in rest {
            stream = stream.checked_mul(128)?.checked_add(u32::from(byte & 0x7f))?;
            if stream > LAST_STREAM {
                return None;
            }
            if byte & 0x80 == 0 {
                return Some(Self { stream, as_they_arrive: flags & NETWORK_ORDER != 0 });
            }
        }
        None
    }
}

/// RTMP has 24 bits for a stream ID (§5.1).
pub(super) const LAST_STREAM: u32 = 0xff_ffff;

const STREAM_PRESENT: u8 = 0x04;
const NETWORK_ORDER: u8 = 0x01;

#[cfg(test)]
mod tests {
    use super::*;

    /// Conforms: 7425-5.1.1-b
    #[test]
    fn metadata_is_written_as_peers_expect_it() {
        let hex = |metadata: FlowMetadata| metadata.encode().to_vec();
        assert_eq!(hex(FlowMetadata::in_order(0)), [0x54, 0x43, 0x04, 0x00]);
        assert_eq!(hex(FlowMetadata::as_it_arrives(5)), [0x54, 0x43, 0x05, 0x05]);
        assert_eq!(hex(FlowMetadata::in_order(128)), [0x54, 0x43, 0x04, 0x81, 0x00]);
        assert_eq!(hex(FlowMetadata::in_order(2_000_001)), [0x54, 0x43, 0x04, 0xfa, 0x89, 0x01]);
    }

    /// Conforms: 7425-5.1-a
    #[test]
    fn a_stream_id_has_24_bits() {
        assert_eq!(FlowMetadata::parse(b"TC\x04\x87\xff\xff\x7f"), Some(FlowMetadata::in_order(0xff_ffff)));
        assert_eq!(FlowMetadata::parse(b"TC\x04\x88\x80\x80\x00"), None);
    }

    /// Conforms: 7425-5.1.1-b
    #[test]
    fn reserved_bits_mean_nothing() {
        assert_eq!(FlowMetadata::parse(b"TC\xfe\x05"), Some(FlowMetadata::in_order(5)));
        assert_eq!(FlowMetadata::parse(b"TC\xff\x05"), Some(FlowMetadata::as_it_arrives(5)));
    }

    #[test]
    fn every_stream_id_reads_back() {
        for stream in [0, 1, 127, 128, 16_383, 16_384, 2_000_001, LAST_STREAM] {
            let metadata = FlowMetadata::as_it_arrives(stream);
            assert_eq!(FlowMetadata::parse(&metadata.encode()), Some(metadata));
        }
    }

    #[test]
    fn other_kinds_of_flows_and_cut_or_huge_stream_ids_are_refused() {
        for metadata in [
            &b"GC"[..],
            b"TC",
            b"TC\x00\x05",
            b"TC\x04",
            b"TC\x04\x81",
            b"TC\x04\xff\xff\xff\xff\xff\x7f",
            b"TC\x04\x88\x80\x80\x00",
        ] {
            assert_eq!(FlowMetadata::parse(metadata), None, "{metadata:x?}");
        }
    }
}
