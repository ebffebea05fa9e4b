//! One change of the settings at a time, so that whoever asks for it need not hold the rest.

use super::{Accent, Language, Settings, Theme, VideoChoice, Visibility, VoiceChoice, WhoMayCall};

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
    /// What is done to our voice.
    Voice(VoiceChoice),
    /// A new peer ID with every start. Takes effect with the next one.
    FreshIdentity(bool),
    /// The UDP port of our own socket; 0 is any. Takes effect with the next start.
    Port(u16),
    /// Seconds between two signs of life to the server.
    Keepalive(u16),
    /// Whether others on the local network find us there, and we find them.
    LocalNetwork(bool),
    /// The router is asked for a port that leads here.
    PortMapping(bool),
    /// Others learn of us over relays only, and never where we are.
    HideAddress(bool),
    /// Closing the window leaves the program reachable.
    StayWhenClosed(bool),
    /// The program starts with the session, without a window.
    StartAtLogin(bool),
    /// Whether a newer version is looked for, once a day.
    LookForUpdates(bool),
    /// How loud the far end is played, 0 to 2, 1 being as it comes.
    FarVolume(f32),
    /// The far picture fills its place, its edges cut; otherwise it is seen whole.
    FillPicture(bool),
    /// In a recording the far picture is large, with our own small in a corner; otherwise they lie side by side.
    RecordingFarLarge(bool),
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
            Self::Voice(voice) => settings.voice = voice,
            Self::FreshIdentity(on) => settings.fresh_identity = on,
            Self::Port(port) => settings.port = port,
            Self::Keepalive(seconds) => settings.keepalive = seconds.clamp(5, 300),
            Self::LocalNetwork(on) => settings.local_network = Some(on),
            Self::PortMapping(on) => settings.port_mapping = on,
            Self::HideAddress(on) => settings.hide_address = on,
            Self::StayWhenClosed(on) => settings.stay_when_closed = on,
            Self::StartAtLogin(on) => settings.start_at_login = on,
            Self::LookForUpdates(on) => settings.look_for_updates = on,
            Self::FarVolume(volume) => settings.far_volume = volume.clamp(0.0, 2.0),
            Self::FillPicture(fill) => settings.fill_picture = fill,
            Self::RecordingFarLarge(large) => settings.recording_far_large = large,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(changes: Vec<Setting>) -> Settings {
        let mut settings = Settings::default();
        changes.into_iter().for_each(|change| change.put_into(&mut settings));
        settings
    }

    #[test]
    fn every_setting_changes_its_own_place() {
        let video = VideoChoice { most_lines: 360, mirror: false, ..VideoChoice::default() };
        let voice = VoiceChoice { noise_suppression: false, music_mode: true, ..VoiceChoice::default() };
        let settings = after(vec![
            Setting::Theme(Theme::Light),
            Setting::Accent(Accent::Plum),
            Setting::TextScale(1.5),
            Setting::Language(Some(Language::TraditionalChinese)),
            Setting::MutedRing(true),
            Setting::Visibility(Visibility::Nobody),
            Setting::WhoMayCall(WhoMayCall::Contacts),
            Setting::DoNotDisturb(true),
            Setting::ReadReceipts(false),
            Setting::Typing(false),
            Setting::KeepHistory(false),
            Setting::Video(video),
            Setting::Voice(voice),
            Setting::FreshIdentity(true),
            Setting::Port(1_935),
            Setting::Keepalive(30),
            Setting::LocalNetwork(true),
            Setting::PortMapping(false),
            Setting::HideAddress(true),
            Setting::StayWhenClosed(true),
            Setting::StartAtLogin(true),
            Setting::LookForUpdates(true),
            Setting::FarVolume(0.5),
            Setting::FillPicture(true),
            Setting::RecordingFarLarge(true),
        ]);
        let expected = Settings {
            theme: Theme::Light,
            accent: Accent::Plum,
            text_scale: 1.5,
            language: Some(Language::TraditionalChinese),
            muted_ring: true,
            visibility: Visibility::Nobody,
            who_may_call: WhoMayCall::Contacts,
            do_not_disturb: true,
            read_receipts: false,
            typing: false,
            keep_history: false,
            video,
            voice,
            fresh_identity: true,
            port: 1_935,
            keepalive: 30,
            local_network: Some(true),
            port_mapping: false,
            hide_address: true,
            stay_when_closed: true,
            start_at_login: true,
            look_for_updates: true,
            far_volume: 0.5,
            fill_picture: true,
            recording_far_large: true,
            ..Settings::default()
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn numbers_out_of_bounds_are_brought_within() {
        let settings = after(vec![Setting::TextScale(9.0), Setting::Keepalive(0), Setting::FarVolume(-1.0)]);
        assert_eq!((settings.text_scale, settings.keepalive, settings.far_volume), (2.0, 5, 0.0));
    }

    #[test]
    fn a_shortcut_is_taken_and_given_back() {
        let taken = Setting::Shortcut("mute".to_owned(), Some("Ctrl+K".to_owned()));
        assert_eq!(after(vec![taken.clone()]).shortcuts.get("mute").map(String::as_str), Some("Ctrl+K"));
        assert_eq!(after(vec![taken, Setting::Shortcut("mute".to_owned(), None)]), Settings::default());
    }
}
