//! The scrambled session ID at the front of a datagram (RFC 7016 §2.2.2).

/// Bytes of it.
pub(crate) const LENGTH: usize = 4;

/// Scrambles a session ID with the encrypted packet that follows it; scrambling again gives the session ID back.
///
/// A packet of fewer than 8 bytes counts as if zeros followed.
pub(crate) fn scramble(session_id: u32, encrypted_packet: &[u8]) -> u32 {
    encrypted_packet
        .iter()
        .take(8)
        .zip([24, 16, 8, 0].into_iter().cycle())
        .fold(session_id, |mixed, (byte, shift)| mixed ^ u32::from(*byte) << shift)
}

/// The session ID of a datagram; `None` when it is too short to have one.
pub(crate) fn peek(datagram: &[u8]) -> Option<u32> {
    let (scrambled, encrypted_packet) = datagram.split_first_chunk::<LENGTH>()?;
    Some(scramble(u32::from_be_bytes(*scrambled), encrypted_packet))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Conforms: 7016-2.2.2-b
    #[test]
    fn what_was_scrambled_is_found_again() {
        for packet in [&b"sixteen bytes..."[..], b"12345678", b"1234567", b"", b"x"] {
            let mut datagram = scramble(0xdead_beef, packet).to_be_bytes().to_vec();
            datagram.extend_from_slice(packet);
            assert_eq!(peek(&datagram), Some(0xdead_beef));
        }
    }

    /// Conforms: 7016-2.2.2-b, 7016-2.2.2-c
    #[test]
    fn the_first_two_words_are_mixed_in_and_nothing_else() {
        let packet = [1, 0, 0, 0, 0, 0, 0, 2, 0xff, 0xff];
        assert_eq!(scramble(0, &packet), 0x0100_0002);
        assert_eq!(scramble(0, &packet[..5]), 0x0100_0000);
        assert_eq!(scramble(0x0a0b_0c0d, &[1, 2, 3, 4, 0x50, 0x60, 0x70]), 0x5b69_7f09);
        assert_eq!(scramble(0x0a0b_0c0d, &[]), 0x0a0b_0c0d);
    }

    /// Conforms: 7016-2.2.2-a
    #[test]
    fn the_scrambled_session_id_is_the_first_four_bytes_of_a_datagram() {
        assert_eq!(peek(&[0, 0, 0, 5]), Some(5));
        assert_eq!(peek(&[0x10, 0x20, 0x30, 0x45, 0x10, 0x20, 0x30, 0x40, 0, 0, 0, 0, 9, 9]), Some(5));
    }

    #[test]
    fn three_bytes_have_no_session_id() {
        assert_eq!(peek(&[1, 2, 3]), None);
    }
}
