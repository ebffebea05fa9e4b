//! What a window, or a program without one, may ask of the client.

use crate::rtmfp::PeerId;
use crate::settings::Theme;

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
    /// Lets people find us in the server's list, or not.
    SetListed(bool),
    /// From now on refuses a peer before it can ring or write, or lets it in again.
    SetBlocked {
        /// Whom.
        peer: PeerId,
        /// Refuse, or let in.
        blocked: bool,
    },
    /// Keeps how the window looks.
    SetTheme(Theme),
}
