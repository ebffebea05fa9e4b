//! Messages in a stream: over TCP and TLS, STUN messages and channel data follow one another, each padded to a multiple of
//! four bytes (RFC 8656 §12.5). The library below takes and gives them without their padding.

use bytes::{Buf as _, BytesMut};

/// Bytes of a stream, cut into messages.
#[derive(Debug, Default)]
pub(super) struct Frames {
    buffer: BytesMut,
    /// What of the buffer's start was handed out last, padding included.
    done: usize,
}

/// What comes is neither STUN nor channel data: whatever speaks there, the stream cannot be followed any further.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NoFrame;

impl Frames {
    /// Where what was read goes. It never grows beyond a message and one read.
    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        self.discard();
        self.buffer.reserve(READ);
        &mut self.buffer
    }

    /// The next whole message, without its padding.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, NoFrame> {
        self.discard();
        let &[first, second, third, fourth, ..] = &self.buffer[..] else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([third, fourth]));
        let (whole, padded) = match u16::from_be_bytes([first, second]) {
            0x0000..=0x3fff if length.is_multiple_of(4) => (STUN_HEADER + length, STUN_HEADER + length),
            0x4000..=0x4fff => (CHANNEL_HEADER + length, (CHANNEL_HEADER + length).next_multiple_of(4)),
            _ => return Err(NoFrame),
        };
        // The padding is waited for: the next message begins after it.
        if self.buffer.len() < padded {
            return Ok(None);
        }
        self.done = padded;
        Ok(self.buffer.get(..whole))
    }

    fn discard(&mut self) {
        self.buffer.advance(std::mem::take(&mut self.done));
    }
}

/// Puts a message into a stream.
pub(super) fn append(stream: &mut BytesMut, message: &[u8]) {
    stream.extend_from_slice(message);
    let padding = message.len().next_multiple_of(4) - message.len();
    stream.extend_from_slice(&[0; 3][..padding]);
}

/// Room for one read.
const READ: usize = 1 << 14;
const STUN_HEADER: usize = 20;
const CHANNEL_HEADER: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn channel_data(data: &[u8]) -> Vec<u8> {
        let mut message = vec![0x40, 0x01, 0, u8::try_from(data.len()).unwrap()];
        message.extend_from_slice(data);
        message
    }

    fn stun() -> Vec<u8> {
        let mut message = vec![0; 28];
        message[3] = 8;
        message
    }

    #[test]
    fn messages_come_out_as_they_went_in_however_the_stream_is_cut() {
        let messages = [channel_data(b"abcde"), stun(), channel_data(b""), channel_data(b"four")];
        let mut stream = BytesMut::new();
        messages.iter().for_each(|message| append(&mut stream, message));
        assert!(stream.len().is_multiple_of(4));
        for piece in 1..stream.len() {
            let (mut frames, mut out) = (Frames::default(), Vec::new());
            for bytes in stream.chunks(piece) {
                frames.buffer().extend_from_slice(bytes);
                while let Some(message) = frames.next().unwrap() {
                    out.push(message.to_vec());
                }
            }
            assert_eq!(out, messages, "cut into pieces of {piece}");
        }
    }

    #[test]
    fn what_is_neither_stun_nor_channel_data_ends_the_stream() {
        for wrong in [&b"SSH-2.0-server"[..], &[0x80, 0, 0, 0], &[0, 1, 0, 3]] {
            let mut frames = Frames::default();
            frames.buffer().extend_from_slice(wrong);
            assert_eq!(frames.next(), Err(NoFrame), "{wrong:?}");
        }
    }
}
