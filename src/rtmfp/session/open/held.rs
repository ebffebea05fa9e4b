//! What a session holds on behalf of its far end.

use super::OpenSession;
use crate::rtmfp::flow::receive_flow::ReceiveFlow;

impl OpenSession {
    /// Bytes of receive flows and what they keep, and of answers not yet sent. What the layer above queued is its own.
    pub(crate) fn held_bytes(&self) -> usize {
        let flows = self.receive_flows.values().map(|flow| size_of::<ReceiveFlow>() + flow.held_bytes());
        let apart = self.waiting.apart.iter().map(|apart| apart.chunk.len());
        let chunks = self.waiting.chunks.iter().map(Vec::len);
        flows.chain(apart).chain(chunks).sum()
    }
}
