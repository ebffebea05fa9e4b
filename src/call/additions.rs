//! What an end understands beyond the first version of our messages. Each end names its own with its capabilities; what
//! the other did not name is never sent to it.

use crate::amf::Value;

/// One thing that a far end may or may not understand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(dead_code, reason = "named before the first of them is sent")]
pub(crate) enum Addition {
    /// Reports of how arriving packets are delayed, several times a second.
    Delays,
    /// Decoding goes on after a gap, with a picture that needs long-term references alone.
    Pictures,
    /// Sound sent a second time, in case the first was lost.
    SoundAgain,
    /// A screen beside the camera's picture.
    Screen,
    /// Being told that a call is recorded.
    Recording,
    /// Being told where the far end can be reached besides, and being probed there.
    Ways,
}

impl Addition {
    const ALL: [Self; 6] =
        [Self::Delays, Self::Pictures, Self::SoundAgain, Self::Screen, Self::Recording, Self::Ways];

    fn as_str(self) -> &'static str {
        match self {
            Self::Delays => "delays",
            Self::Pictures => "pictures",
            Self::SoundAgain => "soundAgain",
            Self::Screen => "screen",
            Self::Recording => "recording",
            Self::Ways => "ways",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The additions that one end understands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Additions(u8);

impl Additions {
    /// What the first version understands.
    #[cfg(test)]
    pub(crate) const NONE: Self = Self(0);
    /// What this program understands.
    pub(crate) const OURS: Self = Self(
        Addition::Delays.bit()
            | Addition::Pictures.bit()
            | Addition::SoundAgain.bit()
            | Addition::Screen.bit()
            | Addition::Recording.bit()
            | Addition::Ways.bit(),
    );

    /// Whether this is among them.
    pub(crate) fn has(self, addition: Addition) -> bool {
        self.0 & addition.bit() != 0
    }

    /// Their names, as `capabilities` carries them; `None` when there is none to name.
    pub(crate) fn to_value(self) -> Option<Value> {
        let names: Vec<&str> =
            Addition::ALL.into_iter().filter(|one| self.has(*one)).map(Addition::as_str).collect();
        (!names.is_empty()).then(|| Value::String(names.join(" ")))
    }

    /// Reads them back. A name we do not know is passed over.
    pub(crate) fn from_value(value: Option<&Value>) -> Self {
        let names = value.and_then(Value::as_str).unwrap_or_default();
        let known = |name: &str| Addition::ALL.into_iter().find(|one| one.as_str() == name);
        Self(names.split(' ').filter_map(known).fold(0, |bits, one| bits | one.bit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn additions_read_back_as_named_and_unknown_names_are_passed_over() {
        let both = Additions(Addition::Delays.bit() | Addition::Screen.bit());
        assert_eq!(both.to_value(), Some(Value::from("delays screen")));
        assert_eq!(Additions::from_value(Some(&Value::from("hologram screen delays"))), both);
    }

    #[test]
    fn who_names_none_understands_none() {
        assert_eq!(Additions::from_value(None), Additions::NONE);
        assert_eq!(Additions::NONE.to_value(), None);
    }
}
