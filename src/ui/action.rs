//! What a screen asks for. The window carries it out; no screen does anything itself.

use super::theme::ThemeChoice;
use crate::call::{Command, PeerId};

/// One thing the person asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Something the client does.
    Ask(Command),
    /// Several things the client does, in this order.
    AskAll(Vec<Command>),
    /// First run is done.
    FinishWelcome {
        /// The name others see.
        name: String,
        /// A server's address; `None` is the built-in one.
        server: Option<String>,
    },
    /// Shows the conversation with somebody.
    OpenConversation(PeerId),
    /// Shows the settings.
    OpenSettings,
    /// Back to the list.
    Back,
    /// Puts our peer ID on the clipboard.
    CopyPeerId,
    /// Another theme.
    SetTheme(ThemeChoice),
    /// Full screen, or no longer.
    ToggleFullScreen,
    /// Puts a text on the clipboard.
    CopyText(String),
    /// Shows the first run's card again, to try camera, microphone and loudspeaker.
    CheckDevices,
    /// Puts an ended call away and writes to who was at its other end.
    WriteAfterCall(PeerId),
}
