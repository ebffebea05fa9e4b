//! What a screen asks for. The window carries it out; no screen does anything itself.

use std::path::PathBuf;

use super::screens::crash_report::CrashChoice;
use super::theme::ThemeChoice;
use crate::call::random_id::RandomId;
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
    /// The list, with the call going on in a tile.
    LeaveCallScreen,
    /// Back to the call's screen.
    ReturnToCall,
    /// Keeps the far picture as a file.
    Snapshot,
    /// Declines who calls, and refuses them from now on.
    BlockCaller(PeerId),
    /// Something about the report of the last run.
    Crash(CrashChoice),
    /// Puts a text on the clipboard.
    CopyText(String),
    /// Shows the first run's card again, to try camera, microphone and loudspeaker.
    CheckDevices,
    /// Puts an ended call away and writes to who was at its other end.
    WriteAfterCall(PeerId),
    /// Opens a web page or writes a mail, in the program that the system has for it.
    OpenUrl(String),
    /// Shows who a link leads to, and asks before anybody is called.
    AskAbout(String),
    /// Lets the person choose files to offer to somebody.
    ChooseFiles(PeerId),
    /// Lets the person choose where the conversations are written to, beside the conversation with somebody.
    ChooseExport(PeerId),
    /// Keeps somebody no longer; for a moment it can be taken back.
    RemoveContact {
        /// Whom.
        peer: PeerId,
        /// What they are called.
        name: String,
    },
    /// Deletes a line here; for a moment it can be taken back.
    DeleteLine {
        /// In the conversation with whom.
        peer: PeerId,
        /// Which.
        line: RandomId,
    },
    /// Opens a received file in the program that the system has for it.
    OpenFile(PathBuf),
    /// Shows a file where it lies.
    ShowInFolder(PathBuf),
}
