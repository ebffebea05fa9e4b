//! A raw picture in I420: full luma, chroma at half size in both directions.

use std::sync::Arc;

/// A picture. Cloning shares the samples. Rows are packed: no padding at their ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Picture {
    /// Width in samples; even.
    pub width: u32,
    /// Height in samples; even.
    pub height: u32,
    /// Y, then U, then V; BT.601, limited range.
    pub i420: Arc<[u8]>,
}
