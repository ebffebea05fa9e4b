//! One change of the settings at a time, so that whoever asks for it need not hold the rest.

use super::{Accent, Language, Settings, Theme, VideoChoice, Visibility, WhoMayCall};

/// A change that applies at once and is kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// How the window looks.
    Theme(Theme),
    /// The colour of what is chosen and pressed.
    Accent(Accent),
    /// The size of text, 1.0 being usual.
    TextScale(f32),
    /// The window's language; `None` follows the system.
    Language(Option<Language>),
    /// Another key for an action: the action's word, and the key as it is written; `None` takes the usual one.
    Shortcut(String, Option<String>),
    /// Calls ring without sound.
    MutedRing(bool),
    /// Who sees that one is here.
    Visibility(Visibility),
    /// Who may call.
    WhoMayCall(WhoMayCall),
    /// Nothing rings, and others see it.
    DoNotDisturb(bool),
    /// Whether others are told when their messages were on screen.
    ReadReceipts(bool),
    /// Whether others are told while one writes.
    Typing(bool),
    /// Whether messages and calls are kept between two starts.
    KeepHistory(bool),
    /// Size, rate and mirror of our picture.
    Video(VideoChoice),
    /// The UDP port of our own socket; 0 is any. Takes effect with the next start.
    Port(u16),
    /// Seconds between two signs of life to the server.
    Keepalive(u16),
    /// Closing the window leaves the program reachable.
    StayWhenClosed(bool),
    /// The program starts with the session, without a window.
    StartAtLogin(bool),
    /// How loud the far end is played, 0 to 2, 1 being as it comes.
    FarVolume(f32),
    /// The far picture fills its place, its edges cut; otherwise it is seen whole.
    FillPicture(bool),
}

impl Setting {
    /// Puts it in its place.
    pub fn put_into(self, settings: &mut Settings) {
        match self {
            Self::Theme(theme) => settings.theme = theme,
            Self::Accent(accent) => settings.accent = accent,
            Self::TextScale(scale) => settings.text_scale = scale.clamp(0.75, 2.0),
            Self::Language(language) => settings.language = language,
            Self::Shortcut(action, Some(key)) => {
                settings.shortcuts.insert(action, key);
            }
            Self::Shortcut(action, None) => {
                settings.shortcuts.remove(&action);
            }
            Self::MutedRing(muted) => settings.muted_ring = muted,
            Self::Visibility(visibility) => settings.visibility = visibility,
            Self::WhoMayCall(who) => settings.who_may_call = who,
            Self::DoNotDisturb(on) => settings.do_not_disturb = on,
            Self::ReadReceipts(on) => settings.read_receipts = on,
            Self::Typing(on) => settings.typing = on,
            Self::KeepHistory(on) => settings.keep_history = on,
            Self::Video(video) => settings.video = video,
            Self::Port(port) => settings.port = port,
            Self::Keepalive(seconds) => settings.keepalive = seconds.clamp(5, 300),
            Self::StayWhenClosed(on) => settings.stay_when_closed = on,
            Self::StartAtLogin(on) => settings.start_at_login = on,
            Self::FarVolume(volume) => settings.far_volume = volume.clamp(0.0, 2.0),
            Self::FillPicture(fill) => settings.fill_picture = fill,
        }
    }
}
