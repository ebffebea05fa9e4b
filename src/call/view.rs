//! The snapshot a window draws: plain data, cheap to clone, no handles.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::end_reason::EndReason;
use crate::rtmfp::PeerId;

/// A moment by this computer's clock, as data: whoever makes one is told the time.
pub type Moment = SystemTime;

/// Everything a window shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientView {
    /// Ourselves.
    pub own: OwnCard,
    /// Who is on this server and wants to be listed, in the order of their names; never ourselves.
    pub people: Arc<Vec<Person>>,
    /// The conversations of this run, the latest first.
    pub conversations: Arc<Vec<Conversation>>,
    /// The call, or the absence of one.
    pub call: CallState,
    /// Cameras, microphones and loudspeakers.
    pub devices: Arc<Devices>,
    /// How loud our microphone is, 0 to 1; moves while it is open, also while muted.
    pub microphone_level: f32,
    /// How loud the far end is, 0 to 1.
    pub far_level: f32,
}

/// Ourselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnCard {
    /// Our name; empty before the first run is done.
    pub name: String,
    /// Our peer ID, from the first start on.
    pub peer_id: Option<PeerId>,
    /// The server as people name it: "built in", or host and port.
    pub server: String,
    /// Whether we are connected to it.
    pub server_state: ServerState,
    /// Whether we are in the server's list.
    pub listed: bool,
}

/// How it stands with the server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum ServerState {
    /// Not yet tried: no name.
    #[default]
    Off,
    /// On the way.
    Connecting,
    /// There.
    Connected,
    /// Refused our name: the server's sentence.
    NameRefused(String),
    /// Could not be reached; tried again after so long.
    Unreachable {
        /// Until the next try.
        retry_in: Duration,
    },
}

/// Somebody on the server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Person {
    /// Their name there.
    pub name: String,
    /// Their peer ID.
    pub peer_id: PeerId,
}

/// What was written and called with one peer.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversation {
    /// With whom.
    pub peer_id: PeerId,
    /// The name they gave.
    pub name: String,
    /// The lines, oldest first.
    pub lines: Vec<Line>,
    /// Lines that came and were not on screen yet.
    pub unread: usize,
}

/// One line of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// When, by this computer's clock.
    pub at: Moment,
    /// What.
    pub what: LineKind,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq)]
pub enum LineKind {
    /// They wrote.
    Received(String),
    /// We wrote.
    Sent {
        /// What.
        text: String,
        /// What became of it.
        state: Delivery,
    },
    /// A call.
    Call {
        /// Whether they called us.
        incoming: bool,
        /// How long it was up, if it was.
        lasted: Option<Duration>,
        /// How it ended.
        reason: EndReason,
    },
}

/// What became of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Delivery {
    /// On its way.
    Sending,
    /// Handed to a far end that does not acknowledge (a plain client).
    Sent,
    /// Kept by the far end.
    Delivered,
    /// Not sent: they cannot be reached.
    Failed,
}

/// Who is at the other end of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct FarEnd {
    /// Their name; the text dialled, until they told it.
    pub name: String,
    /// Their peer ID, once known.
    pub peer_id: Option<PeerId>,
}

/// The call, from the window's side.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum CallState {
    /// No call.
    #[default]
    None,
    /// We call.
    Outgoing {
        /// Whom.
        far: FarEnd,
        /// How far it got.
        progress: Progress,
        /// For how long.
        since: Duration,
    },
    /// Somebody calls us.
    Incoming {
        /// Who.
        far: FarEnd,
        /// Whether with picture.
        with_video: bool,
    },
    /// The call is up.
    Up(UpCall),
    /// It is over; shown until dismissed.
    Ended {
        /// With whom.
        far: FarEnd,
        /// Why.
        reason: EndReason,
        /// How long it was up, if it was.
        lasted: Option<Duration>,
        /// Whether they had called us.
        incoming: bool,
    },
}

/// How far dialling got.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Progress {
    /// Asking the server.
    #[default]
    Looking,
    /// Opening a way to them.
    Connecting,
    /// Their program rings.
    Ringing,
    /// A plain client that tells nothing: we wait.
    Waiting,
}

/// A call that is up.
#[derive(Clone, Debug, PartialEq)]
pub struct UpCall {
    /// With whom.
    pub far: FarEnd,
    /// For how long.
    pub lasted: Duration,
    /// Our microphone is muted.
    pub muted: bool,
    /// Our camera is on and sending.
    pub camera_on: bool,
    /// We have a camera at all.
    pub has_camera: bool,
    /// We have a microphone at all.
    pub has_microphone: bool,
    /// The far picture was seen and is still coming.
    pub far_video: bool,
    /// The far end said it is muted.
    pub far_muted: bool,
    /// Nothing came from the far end for so long: reconnecting.
    pub silent_for: Option<Duration>,
    /// How good it is.
    pub quality: Quality,
}

/// A call's figures, once a second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quality {
    /// 0 (bad) to 4 (excellent).
    pub bars: u8,
    /// "direct" or "relayed".
    pub route: String,
    /// Milliseconds there and back.
    pub round_trip_ms: Option<f64>,
    /// Percent of what we sent that was lost, over the last five seconds.
    pub loss_percent: f64,
    /// The same over the whole call.
    pub call_loss_percent: f64,
    /// Kilobits a second out.
    pub send_kbps: f64,
    /// Kilobits a second in.
    pub receive_kbps: f64,
    /// What we send: width, height, pictures a second.
    pub send_picture: Option<(u32, u32, f32)>,
    /// What we receive.
    pub receive_picture: Option<(u32, u32, f32)>,
    /// Milliseconds of sound kept against unsteady arrival.
    pub buffer_ms: f64,
    /// Milliseconds by which the picture leads the sound.
    pub lip_sync_ms: Option<f64>,
    /// What it is sealed with.
    pub cipher: String,
}

/// Devices and which of them are used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Devices {
    /// Cameras by name.
    pub cameras: Vec<String>,
    /// Microphones by name.
    pub microphones: Vec<String>,
    /// Loudspeakers by name.
    pub speakers: Vec<String>,
    /// The camera in use, or `default`.
    pub camera: String,
    /// The microphone in use, or `default`.
    pub microphone: String,
    /// The loudspeaker in use, or `default`.
    pub speaker: String,
    /// What is wrong with the camera, in one sentence.
    pub camera_problem: Option<String>,
    /// What is wrong with the microphone.
    pub microphone_problem: Option<String>,
    /// What is wrong with the loudspeaker.
    pub speaker_problem: Option<String>,
}
