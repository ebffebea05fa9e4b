//! What a window, or a program without one, may ask of the client.

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::random_id::RandomId;
use crate::media::screens::ScreenSource;
use crate::rtmfp::PeerId;
use crate::settings::Setting;

/// A passphrase on its way: wiped when dropped, never shown.
#[derive(Clone, Eq, PartialEq)]
pub struct Passphrase(pub Zeroizing<String>);

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// One thing asked for. None of them waits; what comes of it shows in the view and the events.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Takes a name and connects to the server with it (first run, or a change).
    SetName(String),
    /// Uses another server: `rtmfp://host[:port][/app]`. `None` is the built-in one.
    SetServer(Option<String>),
    /// Connects again at once, instead of at the next try.
    Reconnect,
    /// Dials a name on the server, a peer ID or a link.
    Call {
        /// As the person wrote it.
        whom: String,
        /// With the camera on from the start.
        with_video: bool,
    },
    /// Stops dialling.
    Cancel,
    /// Takes the call that rings.
    Accept {
        /// With our picture.
        with_video: bool,
    },
    /// Declines the call that rings.
    Decline,
    /// Ends the call.
    HangUp,
    /// Puts away what an ended call left on the screen.
    Dismiss,
    /// Mutes or unmutes the microphone.
    SetMuted(bool),
    /// Turns the camera on or off, for this call.
    SetCameraOn(bool),
    /// Checks the network between this computer and the server in use, or stops doing so.
    CheckNetwork(bool),
    /// Looks which screens and windows could be shown; they come with the view.
    ListScreens,
    /// Shows a screen or a window to the far end of the call, or another one than until now.
    ShareScreen {
        /// Which.
        source: ScreenSource,
        /// Our camera's picture goes on beside it.
        with_camera: bool,
    },
    /// Shows no screen any more.
    StopSharing,
    /// Writes to a peer, in a call or outside one.
    SendText {
        /// To whom.
        to: PeerId,
        /// What.
        text: String,
    },
    /// The conversation with this peer is on screen; what is in it is read.
    MarkRead(PeerId),
    /// Uses another camera; the names are those of the view, or a `SOURCE` of the flags.
    ChooseCamera(String),
    /// Uses another microphone.
    ChooseMicrophone(String),
    /// Uses another loudspeaker.
    ChooseSpeaker(String),
    /// Looks again which devices there are.
    RefreshDevices,
    /// Opens camera and microphone to try them (first run, settings), or closes them again.
    Preview(bool),
    /// Plays a short test sound.
    TestSpeaker,
    /// From now on refuses a peer before it can ring or write, or lets it in again.
    SetBlocked {
        /// Whom.
        peer: PeerId,
        /// Refuse, or let in.
        blocked: bool,
    },
    /// Changes one setting, at once and for good.
    Set(Setting),
    /// Keeps somebody, or changes the server on which they are found.
    AddContact {
        /// Whom.
        peer: PeerId,
        /// What they are called here.
        name: String,
        /// Their server, `rtmfp://…`; `None` is whichever we use.
        server: Option<String>,
    },
    /// Calls a contact otherwise, here only.
    RenameContact {
        /// Whom.
        peer: PeerId,
        /// How.
        name: String,
    },
    /// Keeps somebody no longer.
    RemoveContact(PeerId),
    /// Takes back the removal: with name, server and what was verified.
    RestoreContact(PeerId),
    /// The person writes to this peer right now; said as often as keys are pressed.
    Typing(PeerId),
    /// Loads earlier lines of a conversation.
    LoadEarlier(PeerId),
    /// Deletes a line here.
    DeleteLine {
        /// In the conversation with whom.
        peer: PeerId,
        /// Which.
        line: RandomId,
    },
    /// Erases all lines with a peer, or with everybody.
    EraseHistory(Option<PeerId>),
    /// Writes all conversations into a file that other programs can read (JSON).
    ExportHistory(PathBuf),
    /// Offers a file.
    OfferFile {
        /// To whom.
        to: PeerId,
        /// Which.
        path: PathBuf,
    },
    /// Takes an offered file into the folder for downloads.
    AcceptFile {
        /// From whom.
        peer: PeerId,
        /// Which line it is.
        line: RandomId,
    },
    /// Declines an offered file, or stops one that is on its way, either way.
    StopFile {
        /// With whom.
        peer: PeerId,
        /// Which line it is.
        line: RandomId,
    },
    /// Declines the call that rings and writes why.
    DeclineWith(String),
    /// Takes the second call, which rings during the first.
    AcceptSecond {
        /// With our picture.
        with_video: bool,
        /// The first call waits; otherwise it ends.
        hold: bool,
    },
    /// Declines the second call, with a message or without.
    DeclineSecond(Option<String>),
    /// Lets the call wait, or goes on with it. With a call on hold beside it, the two change places.
    Hold(bool),
    /// Records the call that is up, once the far end was told.
    StartRecording {
        /// The file; `None` is one named after them and the time, in the folder for videos. What is there is never written over.
        to: Option<PathBuf>,
        /// The chat line by which a program is told that knows no recordings; what it cannot be told is not recorded.
        notice: String,
    },
    /// Records no longer.
    StopRecording,
    /// Begins to compare codes with the far end of the call.
    StartVerifying,
    /// The codes were compared aloud.
    Verified {
        /// Whether they were the same.
        same: bool,
    },
    /// Calls oneself, to hear one's own microphone a second later; or stops it.
    EchoTest(bool),
    /// Writes identity and contacts into a file, sealed with a passphrase.
    BackUp {
        /// Where to.
        to: PathBuf,
        /// What seals it.
        passphrase: Passphrase,
    },
    /// Becomes who is in a backup, with the next start.
    RestoreBackUp {
        /// Where from.
        from: PathBuf,
        /// What opens it.
        passphrase: Passphrase,
    },
    /// Throws the key away and becomes somebody else, with the next start.
    NewIdentity,
}
