//! Where pictures and sound come from and go to: the words of the command line and of the settings.
//!
//! Each choice reads from and prints as one word: `default`, `none`, a measurable test source, `file:PATH`; anything
//! else is the name of a device. Opening what was chosen is the business of [`super::studio`].

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where the pictures come from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum CameraSource {
    /// The system's first camera.
    #[default]
    Default,
    /// The camera of this name.
    Named(String),
    /// The measurable test picture.
    Test,
    /// The screen.
    Screen,
    /// A `.y4m` or `.h264` file, looped.
    File(PathBuf),
    /// No pictures.
    None,
}

/// Where the sound comes from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum MicrophoneSource {
    /// The system's default microphone.
    #[default]
    Default,
    /// The microphone of this name.
    Named(String),
    /// The measurable test tone.
    Tone,
    /// A `.wav` file, looped.
    File(PathBuf),
    /// No sound.
    None,
}

/// Where the sound goes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum SpeakerSink {
    /// The system's default loudspeaker.
    #[default]
    Default,
    /// The loudspeaker of this name.
    Named(String),
    /// A `.wav` file: what would have been heard, in real time.
    File(PathBuf),
    /// Nowhere, though at the same pace.
    None,
}

/// Where shown pictures go besides the window.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum PictureSink {
    /// Nowhere else.
    #[default]
    None,
    /// A `.y4m` file: one frame for each picture shown.
    File(PathBuf),
}

/// What of the screen is shown to the far end.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ScreenSource {
    /// Everything, on all screens together.
    #[default]
    Everything,
    /// One of several screens, by the system's number for it.
    Screen(u32),
    /// One window, by the system's number for it.
    Window(u32),
    /// What the person chooses in the system's own dialog, where the system lets nobody else offer a choice (Wayland).
    Asked,
}

/// A word with a fixed meaning, or the path behind `file:`; `None` for a name.
enum Word<'a> {
    Default,
    None,
    File(PathBuf),
    Other(&'a str),
}

fn word(text: &str) -> Word<'_> {
    match (text, text.strip_prefix("file:")) {
        ("default" | "", _) => Word::Default,
        ("none", _) => Word::None,
        (_, Some(path)) => Word::File(PathBuf::from(path)),
        (other, _) => Word::Other(other),
    }
}

/// Reading and printing of a choice among devices: the words all have in common, and those of its own.
macro_rules! reads_and_prints {
    ($choice:ident $(, $word:literal is $own:ident)*) => {
        impl FromStr for $choice {
            type Err = Infallible;

            fn from_str(text: &str) -> Result<Self, Infallible> {
                Ok(match word(text) {
                    Word::Default => Self::Default,
                    Word::None => Self::None,
                    Word::File(path) => Self::File(path),
                    $(Word::Other($word) => Self::$own,)*
                    Word::Other(name) => Self::Named(name.to_owned()),
                })
            }
        }

        impl fmt::Display for $choice {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Default => out.write_str("default"),
                    Self::None => out.write_str("none"),
                    Self::File(path) => write!(out, "file:{}", path.display()),
                    $(Self::$own => out.write_str($word),)*
                    Self::Named(name) => out.write_str(name),
                }
            }
        }
    };
}

reads_and_prints!(CameraSource, "test" is Test, "screen" is Screen);
reads_and_prints!(MicrophoneSource, "tone" is Tone);
reads_and_prints!(SpeakerSink);

/// A picture sink has no device names, so a word that is neither `none` nor `file:PATH` is a mistake.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("“{0}” is no place for pictures: write none, or file: and a path")]
pub struct UnknownPictureSink(String);

impl FromStr for PictureSink {
    type Err = UnknownPictureSink;

    fn from_str(text: &str) -> Result<Self, UnknownPictureSink> {
        match word(text) {
            Word::None => Ok(Self::None),
            Word::File(path) => Ok(Self::File(path)),
            Word::Default | Word::Other(_) => Err(UnknownPictureSink(text.to_owned())),
        }
    }
}

impl fmt::Display for PictureSink {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => out.write_str("none"),
            Self::File(path) => write!(out, "file:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_it_prints() {
        for text in ["default", "none", "test", "screen", "file:/tmp/a b.y4m", "HD Webcam C270"] {
            let source: CameraSource = text.parse().unwrap();
            assert_eq!(source.to_string(), text);
        }
        for text in ["default", "none", "tone", "file:x.wav", "Headset"] {
            assert_eq!(text.parse::<MicrophoneSource>().unwrap().to_string(), text);
        }
        for text in ["default", "none", "file:x.wav", "Speakers"] {
            assert_eq!(text.parse::<SpeakerSink>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_test_words_are_not_taken_for_names() {
        assert_eq!("test".parse(), Ok(CameraSource::Test));
        assert_eq!("tone".parse(), Ok(MicrophoneSource::Tone));
        assert_eq!("test".parse(), Ok(MicrophoneSource::Named("test".into())));
    }

    #[test]
    fn a_picture_sink_has_no_device_names() {
        assert!("window".parse::<PictureSink>().is_err());
        assert_eq!("file:a.y4m".parse(), Ok(PictureSink::File("a.y4m".into())));
    }
}
