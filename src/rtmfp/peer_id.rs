//! Who somebody is: the fingerprint of a certificate (RFC 7425 §4.3.2).

use std::fmt;
use std::str::FromStr;

/// A peer ID: the SHA-256 fingerprint of a certificate. Written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PeerId(pub [u8; 32]);

/// The text is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a peer ID is 64 hexadecimal digits")]
pub struct NotAPeerId;

impl PeerId {
    /// The first and last digits, enough for a person to tell two apart in a list: "7f3a 91c2 … b8e1".
    pub fn short(&self) -> String {
        let text = self.to_string();
        format!("{} {} … {}", &text[..4], &text[4..8], &text[60..])
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Peer IDs reach logs only shortened.
impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

impl FromStr for PeerId {
    type Err = NotAPeerId;

    /// Reads 64 hexadecimal digits in either case; white space between them is passed over, as it comes with copying.
    fn from_str(text: &str) -> Result<Self, NotAPeerId> {
        let mut digits = text.chars().filter(|c| !c.is_whitespace());
        let mut id = [0; 32];
        for byte in &mut id {
            let mut digit = || digits.next().and_then(|c| c.to_digit(16)).ok_or(NotAPeerId);
            *byte = u8::try_from(digit()? * 16 + digit()?).map_err(|_| NotAPeerId)?;
        }
        match digits.next() {
            None => Ok(Self(id)),
            Some(_) => Err(NotAPeerId),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_id_reads_back_as_it_was_written() {
        let id = PeerId([0xa5; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
    }

    #[test]
    fn sixty_three_and_sixty_five_digits_are_no_peer_id() {
        let text = PeerId([1; 32]).to_string();
        assert_eq!(text[..63].parse::<PeerId>(), Err(NotAPeerId));
        assert_eq!(format!("{text}0").parse::<PeerId>(), Err(NotAPeerId));
    }
}
