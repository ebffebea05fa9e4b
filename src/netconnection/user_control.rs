//! User control messages (RTMP type 4; RFC 7425 §5.2, §5.3.4).
//!
//! ```text
//! event u16 | data: stream u32, or two u32 for events 34 (flow synchronization) and 41 (set keepalive timers)
//! ```

use std::time::Duration;

/// What we send or act on; other events are passed over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum UserControl {
    /// 0: the stream is about to be sent.
    StreamBegin(u32),
    /// 1: the stream was sent.
    StreamEnd(u32),
    /// 34: a barrier across `count` flows (§5.2).
    FlowSync { barrier: u32, count: u32 },
    /// 41: how often a client should ask for signs of life, of its server and of its peers (§5.3.4).
    SetKeepalive { server: Duration, peer: Duration },
}

impl UserControl {
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let (event, rest) = payload.split_first_chunk::<2>()?;
        let (first, rest) = rest.split_first_chunk::<4>()?;
        let first = u32::from_be_bytes(*first);
        let second = || rest.first_chunk::<4>().map(|second| u32::from_be_bytes(*second));
        match u16::from_be_bytes(*event) {
            STREAM_BEGIN => Some(Self::StreamBegin(first)),
            STREAM_END => Some(Self::StreamEnd(first)),
            FLOW_SYNC => Some(Self::FlowSync { barrier: first, count: second()? }),
            SET_KEEPALIVE => Some(Self::SetKeepalive {
                server: Duration::from_millis(first.into()),
                peer: Duration::from_millis(second()?.into()),
            }),
            _ => None,
        }
    }

    pub(super) fn encode(self) -> Vec<u8> {
        let (event, first, second) = match self {
            Self::StreamBegin(stream) => (STREAM_BEGIN, stream, None),
            Self::StreamEnd(stream) => (STREAM_END, stream, None),
            Self::FlowSync { barrier, count } => (FLOW_SYNC, barrier, Some(count)),
            Self::SetKeepalive { server, peer } => {
                (SET_KEEPALIVE, milliseconds(server), Some(milliseconds(peer)))
            }
        };
        let mut bytes = event.to_be_bytes().to_vec();
        bytes.extend(first.to_be_bytes());
        bytes.extend(second.into_iter().flat_map(u32::to_be_bytes));
        bytes
    }
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

const STREAM_BEGIN: u16 = 0;
const STREAM_END: u16 = 1;
const FLOW_SYNC: u16 = 34;
const SET_KEEPALIVE: u16 = 41;

#[cfg(test)]
mod tests {
    use super::*;

    /// Conforms: 7425-5.2-a, 7425-5.3.4-a
    #[test]
    fn the_events_are_written_as_peers_expect_them() {
        let begin = UserControl::StreamBegin(5);
        assert_eq!(begin.encode(), [0, 0, 0, 0, 0, 5]);
        let sync = UserControl::FlowSync { barrier: 8, count: 2 };
        assert_eq!(sync.encode(), [0, 0x22, 0, 0, 0, 8, 0, 0, 0, 2]);
        let keepalive =
            UserControl::SetKeepalive { server: Duration::from_secs(15), peer: Duration::from_secs(10) };
        assert_eq!(keepalive.encode(), [0, 0x29, 0, 0, 0x3a, 0x98, 0, 0, 0x27, 0x10]);
        for control in [begin, sync, keepalive, UserControl::StreamEnd(1)] {
            assert_eq!(UserControl::parse(&control.encode()), Some(control));
        }
    }

    #[test]
    fn cut_and_unknown_events_are_passed_over() {
        assert_eq!(UserControl::parse(&[0, 0x22, 0, 0, 0, 8]), None);
        assert_eq!(UserControl::parse(&[0, 6, 0, 0, 0, 8]), None);
        assert_eq!(UserControl::parse(&[0]), None);
    }
}
