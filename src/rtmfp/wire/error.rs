//! Why bytes from the network are not a chunk.

/// Why a chunk, or an element inside one, is treated as absent (RFC 7016 §2.3). The sender gets no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ChunkError {
    /// An element does not fit into what contains it.
    #[error("an element is cut short")]
    Truncated,
    /// A number beyond 64 bits (RFC 7016 §2.1.2).
    #[error("a number is larger than 64 bits")]
    NumberTooLarge,
    /// A chunk type we do not know, to be skipped.
    #[error("unknown chunk type {0:#04x}")]
    UnknownType(u8),
    /// Every element fits, but the values make no sense together.
    #[error("malformed chunk")]
    Malformed,
}
