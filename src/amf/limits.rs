//! What a message may hold, and why bytes are refused.
//!
//! The limits are counted twice: while the bytes are looked over, as they stand, and while references are followed, each
//! value as often as it is used. So a small message that refers to itself over and over is refused like a large one.

/// Objects in objects go no deeper than this.
pub const MOST_DEPTH: usize = 16;

/// Values in one message, references counted as often as they are used.
pub const MOST_ELEMENTS: usize = 65_536;

/// Bytes of one message, and also of all the text read from it, references counted as often as they are used.
pub const MOST_BYTES: usize = 4 << 20;

/// Why bytes are refused as AMF.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotAmf {
    /// They end inside a value.
    #[error("the values are cut short")]
    Truncated,
    /// A marker that is reserved, unknown, or not readable without its class.
    #[error("a value of an unknown kind")]
    UnknownMarker,
    /// An AMF3 text or class that is to be looked up where none was written.
    #[error("a reference to nothing")]
    Dangling,
    /// More depth, values or text than a message may have.
    #[error("more than a message may hold")]
    TooMuch,
}

/// How many values and how much text may still come.
pub(super) struct Allowance {
    elements: usize,
    text: usize,
}

impl Allowance {
    /// All that one message may hold.
    pub(super) fn whole() -> Self {
        Self { elements: MOST_ELEMENTS, text: MOST_BYTES }
    }

    /// Values that may still come.
    pub(super) fn elements_left(&self) -> usize {
        self.elements
    }

    /// Counts one value.
    pub(super) fn element(&mut self) -> Result<(), NotAmf> {
        self.elements = self.elements.checked_sub(1).ok_or(NotAmf::TooMuch)?;
        Ok(())
    }

    /// Counts that many bytes of text or of a byte array.
    pub(super) fn text(&mut self, bytes: usize) -> Result<(), NotAmf> {
        self.text = self.text.checked_sub(bytes).ok_or(NotAmf::TooMuch)?;
        Ok(())
    }
}
