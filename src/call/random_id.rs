//! Random 128-bit names of calls and messages, as they travel: 32 hexadecimal digits.

use std::fmt;
use std::str::FromStr;

/// Names a call or a message; drawn at random by the end that begins it.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RandomId(pub [u8; 16]);

/// The text is not 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not 32 hexadecimal digits")]
pub struct NotARandomId;

impl fmt::Display for RandomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RandomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RandomId({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

impl FromStr for RandomId {
    type Err = NotARandomId;

    fn from_str(text: &str) -> Result<Self, NotARandomId> {
        let digits = text.as_bytes();
        if digits.len() != 32 {
            return Err(NotARandomId);
        }
        let mut id = [0; 16];
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16).ok_or(NotARandomId);
            *byte = u8::try_from(digit(0)? * 16 + digit(1)?).map_err(|_| NotARandomId)?;
        }
        Ok(Self(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_was_written_and_nothing_else_reads() {
        let id = RandomId([0xc4; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("c4".parse::<RandomId>(), Err(NotARandomId));
        assert_eq!("zz".repeat(16).parse::<RandomId>(), Err(NotARandomId));
        assert_eq!("é".repeat(16).parse::<RandomId>(), Err(NotARandomId));
    }
}
