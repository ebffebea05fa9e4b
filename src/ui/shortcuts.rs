//! Every action that has a key, its usual key, and the key the person chose instead.
//!
//! This is the only table: tooltips, the list in the settings and the screens all ask here. A chosen key stands in
//! `settings.shortcuts` under the action's [`word`](ShortcutAction::word), written as [`format()`] writes it.
//! Esc is no entry: it always closes what is on top.

use egui::{Event, Key, KeyboardShortcut, Modifiers, Ui};

use super::words::word;
use crate::settings::Settings;

/// Something that can be done with a key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ShortcutAction {
    /// Mutes the microphone, or no longer.
    Mute,
    /// Turns the camera on or off.
    Camera,
    /// Talks while it is held down, although muted.
    Talk,
    /// Shows a screen or a window to the far end, or no longer.
    Share,
    /// Opens or closes the chat beside a call.
    Chat,
    /// Opens or closes the quality card.
    Quality,
    /// Full screen, or no longer.
    FullScreen,
    /// Lets the call wait, or goes on with it.
    Hold,
    /// Records the call, or no longer.
    Record,
    /// Exchanges the far picture and our own.
    SwapPictures,
    /// Hides our own picture, or shows it again.
    HideSelf,
    /// Keeps the far picture as a file.
    Snapshot,
    /// Leaves the call's screen for the list, the call going on in a tile, and comes back.
    Minimise,
    /// Accepts the call that rings, with picture.
    Accept,
    /// Accepts it with sound only.
    AcceptAudio,
    /// Declines the call that rings, or ends the one that is up.
    HangUp,
    /// Calls who is shown, with sound only.
    CallAudio,
    /// Calls who is shown, with picture.
    CallVideo,
    /// Puts the cursor where one finds and calls somebody.
    Dial,
    /// The conversation before.
    PreviousConversation,
    /// The conversation after.
    NextConversation,
    /// Opens the settings.
    Settings,
    /// Nothing rings any more, or it does again.
    DoNotDisturb,
    /// Back to the list.
    Back,
    /// Ends the program.
    Quit,
}

/// Where a key works. Two actions may share one unless they can be meant at the same time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Where {
    /// Always.
    Everywhere,
    /// While a call is on the screen.
    Call,
    /// While somebody calls.
    Ringing,
    /// In the list and the conversations.
    Home,
}

impl ShortcutAction {
    /// Every action, as a list shows them.
    pub const ALL: [Self; 25] = [
        Self::Mute,
        Self::Camera,
        Self::Talk,
        Self::Share,
        Self::Chat,
        Self::Quality,
        Self::FullScreen,
        Self::Hold,
        Self::Record,
        Self::SwapPictures,
        Self::HideSelf,
        Self::Snapshot,
        Self::Minimise,
        Self::Accept,
        Self::AcceptAudio,
        Self::HangUp,
        Self::CallAudio,
        Self::CallVideo,
        Self::Dial,
        Self::PreviousConversation,
        Self::NextConversation,
        Self::Settings,
        Self::DoNotDisturb,
        Self::Back,
        Self::Quit,
    ];

    /// The name under which a chosen key is kept.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mute => "mute",
            Self::Camera => "camera",
            Self::Talk => "talk",
            Self::Share => "share",
            Self::Chat => "chat",
            Self::Quality => "quality",
            Self::FullScreen => "full_screen",
            Self::Hold => "hold",
            Self::Record => "record",
            Self::SwapPictures => "swap_pictures",
            Self::HideSelf => "hide_self",
            Self::Snapshot => "snapshot",
            Self::Minimise => "minimise",
            Self::Accept => "accept",
            Self::AcceptAudio => "accept_audio",
            Self::HangUp => "hang_up",
            Self::CallAudio => "call_audio",
            Self::CallVideo => "call_video",
            Self::Dial => "dial",
            Self::PreviousConversation => "previous",
            Self::NextConversation => "next",
            Self::Settings => "settings",
            Self::DoNotDisturb => "do_not_disturb",
            Self::Back => "back",
            Self::Quit => "quit",
        }
    }

    /// What the action is called on screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Mute => word("shortcut.mute"),
            Self::Camera => word("shortcut.camera"),
            Self::Talk => word("shortcut.talk"),
            Self::Share => word("shortcut.share"),
            Self::Chat => word("shortcut.chat"),
            Self::Quality => word("shortcut.quality"),
            Self::FullScreen => word("shortcut.full_screen"),
            Self::Hold => word("shortcut.hold"),
            Self::Record => word("shortcut.record"),
            Self::SwapPictures => word("shortcut.swap_pictures"),
            Self::HideSelf => word("shortcut.hide_self"),
            Self::Snapshot => word("shortcut.snapshot"),
            Self::Minimise => word("shortcut.minimise"),
            Self::Accept => word("shortcut.accept"),
            Self::AcceptAudio => word("shortcut.accept_audio"),
            Self::HangUp => word("shortcut.hang_up"),
            Self::CallAudio => word("shortcut.call_audio"),
            Self::CallVideo => word("shortcut.call_video"),
            Self::Dial => word("shortcut.dial"),
            Self::PreviousConversation => word("shortcut.previous"),
            Self::NextConversation => word("shortcut.next"),
            Self::Settings => word("shortcut.settings"),
            Self::DoNotDisturb => word("shortcut.do_not_disturb"),
            Self::Back => word("shortcut.back"),
            Self::Quit => word("shortcut.quit"),
        }
    }

    /// Where its key works.
    pub fn place(self) -> Where {
        match self {
            Self::Mute
            | Self::Camera
            | Self::Talk
            | Self::Share
            | Self::Chat
            | Self::Quality
            | Self::FullScreen
            | Self::Hold
            | Self::Record
            | Self::SwapPictures
            | Self::HideSelf
            | Self::Snapshot => Where::Call,
            Self::Accept | Self::AcceptAudio => Where::Ringing,
            Self::CallAudio
            | Self::CallVideo
            | Self::Dial
            | Self::PreviousConversation
            | Self::NextConversation
            | Self::Back => Where::Home,
            // Hanging up works in the call, in its tile over the list, and on the card of a call that rings.
            Self::Minimise | Self::HangUp | Self::Settings | Self::DoNotDisturb | Self::Quit => {
                Where::Everywhere
            }
        }
    }

    /// Its usual key.
    pub fn default_key(self) -> KeyboardShortcut {
        let plain = |key| KeyboardShortcut::new(Modifiers::NONE, key);
        let command = |key| KeyboardShortcut::new(Modifiers::COMMAND, key);
        let both = |key| KeyboardShortcut::new(Modifiers::COMMAND | Modifiers::SHIFT, key);
        match self {
            Self::Mute => plain(Key::M),
            Self::Camera => plain(Key::V),
            Self::Talk => plain(Key::Space),
            Self::Share => plain(Key::D),
            Self::Chat => plain(Key::C),
            Self::Quality => plain(Key::T),
            Self::FullScreen => plain(Key::F),
            Self::Hold => plain(Key::H),
            Self::Record => plain(Key::R),
            Self::SwapPictures => plain(Key::S),
            Self::HideSelf => plain(Key::G),
            Self::Snapshot => plain(Key::P),
            Self::Minimise => command(Key::B),
            Self::Accept => command(Key::Y),
            Self::AcceptAudio => both(Key::Y),
            // Nobody types it by accident, and a slip of the hand never ends a call.
            Self::HangUp => both(Key::D),
            Self::CallAudio => both(Key::C),
            Self::CallVideo => both(Key::X),
            Self::Dial => command(Key::L),
            Self::PreviousConversation => command(Key::PageUp),
            Self::NextConversation => command(Key::PageDown),
            Self::Settings => command(Key::Comma),
            Self::DoNotDisturb => both(Key::N),
            Self::Back => KeyboardShortcut::new(Modifiers::ALT, Key::ArrowLeft),
            Self::Quit => command(Key::Q),
        }
    }

    /// The action kept under a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.word() == word)
    }
}

/// The key of an action: the chosen one, or the usual one when none was chosen or it cannot be read.
pub fn key_of(settings: &Settings, action: ShortcutAction) -> KeyboardShortcut {
    settings.shortcuts.get(action.word()).and_then(|text| parse(text)).unwrap_or_else(|| action.default_key())
}

/// Whether the action's key went down in this frame; it is taken out of the frame's events.
///
/// Holding it does not repeat the action. A key that also types does nothing while something is typed.
pub fn pressed(ui: &Ui, settings: &Settings, action: ShortcutAction) -> bool {
    let chord = key_of(settings, action);
    if types(chord) && ui.ctx().text_edit_focused() {
        return false;
    }
    ui.input_mut(|input| {
        let mut down = false;
        input.events.retain(|event| {
            let Event::Key { key, pressed: true, repeat, modifiers, .. } = event else { return true };
            let meant = *key == chord.logical_key && same(*modifiers, chord.modifiers);
            down |= meant && !repeat;
            !meant
        });
        down
    })
}

/// Whether the action's key is held down, alone; for talking while it is.
pub fn held(ui: &Ui, settings: &Settings, action: ShortcutAction) -> bool {
    let chord = key_of(settings, action);
    if types(chord) && ui.ctx().text_edit_focused() {
        return false;
    }
    ui.input(|input| input.key_down(chord.logical_key) && same(input.modifiers, chord.modifiers))
}

/// A key as it is kept: `Ctrl+Shift+D`. `Ctrl` stands for the Command key of a Mac too.
pub fn format(chord: KeyboardShortcut) -> String {
    let mut text = String::new();
    for (held, name) in [
        (chord.modifiers.command || chord.modifiers.ctrl, "Ctrl+"),
        (chord.modifiers.alt, "Alt+"),
        (chord.modifiers.shift, "Shift+"),
    ] {
        if held {
            text.push_str(name);
        }
    }
    text.push_str(chord.logical_key.name());
    text
}

/// Reads what [`format()`] writes, in any case. `None` if it is no key.
pub fn parse(text: &str) -> Option<KeyboardShortcut> {
    let mut modifiers = Modifiers::NONE;
    let mut rest = text.trim();
    // A plus in the middle separates; one at the end is the key itself.
    while let Some((name, after)) =
        rest.split_once('+').filter(|(name, after)| !name.is_empty() && !after.is_empty())
    {
        modifiers |= match name.trim().to_ascii_lowercase().as_str() {
            "ctrl" | "cmd" | "command" => Modifiers::COMMAND,
            "alt" | "option" => Modifiers::ALT,
            "shift" => Modifiers::SHIFT,
            _ => return None,
        };
        rest = after.trim();
    }
    let key = Key::from_name(rest)
        .or_else(|| Key::ALL.iter().copied().find(|key| key.name().eq_ignore_ascii_case(rest)))?;
    Some(KeyboardShortcut::new(modifiers, key))
}

/// The key that goes down in this frame, for choosing one; `None` until then. Esc is none, nor is a modifier alone.
pub fn chosen(ui: &Ui) -> Option<KeyboardShortcut> {
    ui.input_mut(|input| {
        let at = input.events.iter().position(|event| {
            matches!(event, Event::Key { key, pressed: true, repeat: false, .. } if *key != Key::Escape)
        })?;
        let Event::Key { key, modifiers, .. } = input.events.remove(at) else { return None };
        let mut wanted = Modifiers::NONE;
        for (held, modifier) in [
            (modifiers.command || modifiers.ctrl, Modifiers::COMMAND),
            (modifiers.alt, Modifiers::ALT),
            (modifiers.shift, Modifiers::SHIFT),
        ] {
            if held {
                wanted |= modifier;
            }
        }
        Some(KeyboardShortcut::new(wanted, key))
    })
}

/// Which other action already has this key where `action` works.
pub fn clash(settings: &Settings, action: ShortcutAction, chord: KeyboardShortcut) -> Option<ShortcutAction> {
    let meets = |other: Where| {
        let own = action.place();
        own == other || own == Where::Everywhere || other == Where::Everywhere
    };
    ShortcutAction::ALL
        .into_iter()
        .filter(|other| *other != action && meets(other.place()))
        .find(|other| format(key_of(settings, *other)) == format(chord))
}

/// Words with the action's key after them, for the pointer that rests on a button.
pub fn with_key(settings: &Settings, label: &str, action: ShortcutAction) -> String {
    super::words::word_with("call.key", &[("label", label), ("key", &format(key_of(settings, action)))])
}

/// Whether a key would also write something into a field.
fn types(chord: KeyboardShortcut) -> bool {
    let function = chord.logical_key.name().starts_with('F') && chord.logical_key.name().len() > 1;
    !chord.modifiers.command && !chord.modifiers.ctrl && !chord.modifiers.alt && !function
}

/// The same modifiers, Command and Ctrl being one.
fn same(one: Modifiers, other: Modifiers) -> bool {
    let parts = |m: Modifiers| (m.command || m.ctrl, m.alt, m.shift);
    parts(one) == parts(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_key_is_read_as_it_is_written() {
        for action in ShortcutAction::ALL {
            let chord = action.default_key();
            assert_eq!(parse(&format(chord)), Some(chord), "{action:?}");
            assert_eq!(ShortcutAction::from_word(action.word()), Some(action));
        }
    }

    #[test]
    fn no_two_usual_keys_meet() {
        let settings = Settings::default();
        for action in ShortcutAction::ALL {
            assert_eq!(clash(&settings, action, action.default_key()), None, "{action:?}");
        }
    }

    #[test]
    fn a_chosen_key_takes_the_place_of_the_usual_one_and_a_wrong_one_does_not() {
        let mut settings = Settings::default();
        settings.shortcuts.insert("mute".into(), "ctrl+shift+m".into());
        settings.shortcuts.insert("camera".into(), "nonsense".into());
        assert_eq!(format(key_of(&settings, ShortcutAction::Mute)), "Ctrl+Shift+M");
        assert_eq!(key_of(&settings, ShortcutAction::Camera), ShortcutAction::Camera.default_key());
    }

    #[test]
    fn a_key_taken_by_another_action_is_named() {
        let settings = Settings::default();
        let taken = ShortcutAction::Camera.default_key();
        assert_eq!(clash(&settings, ShortcutAction::Mute, taken), Some(ShortcutAction::Camera));
    }
}
