//! The snapshot a window draws: plain data, cheap to clone, no handles.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use std::path::PathBuf;

use super::end_reason::EndReason;
use super::network_check::NetworkCheck;
use super::random_id::RandomId;
use super::updates::NewerVersion;
pub use crate::history::record::Delivery;
use crate::media::device_error::DeviceError;
use crate::media::figures::Stages;
use crate::media::screens::{ScreenChoice, ScreenSource};
use crate::rtmfp::PeerId;
use crate::settings::Settings;

/// A moment by this computer's clock, as data: whoever makes one is told the time.
pub type Moment = SystemTime;

/// Everything a window shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientView {
    /// Ourselves.
    pub own: OwnCard,
    /// Who is on this server and wants to be listed, in the order of their names; never ourselves.
    pub people: Arc<Vec<Person>>,
    /// Who is on the local network, in the order of their names; never ourselves.
    pub nearby: Arc<Vec<NearbyPerson>>,
    /// Servers that windows on the local network bring.
    pub servers_nearby: Arc<Vec<ServerNearby>>,
    /// Whom the person keeps, in the order of their names.
    pub contacts: Arc<Vec<Contact>>,
    /// The conversations, the latest first.
    pub conversations: Arc<Vec<Conversation>>,
    /// The call, or the absence of one.
    pub call: CallState,
    /// Somebody calls while a call is up.
    pub second: Option<SecondCall>,
    /// A call that waits because we let it: beside the one in `call`, or that one itself.
    pub on_hold: Option<FarEnd>,
    /// The screens and windows that could be shown; `None` until they were asked for and found.
    pub screens: Option<Arc<Vec<ScreenChoice>>>,
    /// What came of a check of the network, if there was one.
    pub network_check: NetworkCheck,
    /// How it stands with comparing codes in the call that is up.
    pub verifying: Verifying,
    /// One hears one's own microphone, a second later.
    pub echo_test: bool,
    /// What the person chose.
    pub settings: Arc<Settings>,
    /// Cameras, microphones and loudspeakers.
    pub devices: Arc<Devices>,
    /// A version that is newer than this program, once one was found.
    pub newer: Option<NewerVersion>,
    /// How loud our microphone is, 0 to 1; moves while it is open, also while muted.
    pub microphone_level: f32,
    /// How loud the far end is, 0 to 1.
    pub far_level: f32,
}

impl ClientView {
    /// Whether the call that is up waits because we let it.
    pub fn call_waits(&self) -> bool {
        match (&self.call, &self.on_hold) {
            (CallState::Up(call), Some(far)) => call.far.peer_id == far.peer_id,
            _ => false,
        }
    }
}

/// Ourselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnCard {
    /// Our name; empty before the first run is done.
    pub name: String,
    /// Our peer ID, from the first start on.
    pub peer_id: Option<PeerId>,
    /// The server as people name it: host and port; empty for the built-in one.
    pub server: String,
    /// The server's address as it is written, `rtmfp://…`; `None` is the built-in one.
    pub server_url: Option<String>,
    /// Under which weak peer ID the server knows us, if it is one of the Flash years.
    pub weak_peer_id: Option<PeerId>,
    /// The link that leads to us, once there is a peer ID.
    pub link: String,
    /// Whether we are connected to it.
    pub server_state: ServerState,
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
    /// It answers, and knows no keys as strong as ours; tried again after so long.
    OtherKeys {
        /// Until the next try.
        retry_in: Duration,
    },
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
    /// What they are doing.
    pub presence: Presence,
}

/// Somebody on the local network.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NearbyPerson {
    /// The name they go by: only their word.
    pub name: String,
    /// Their peer ID.
    pub peer_id: PeerId,
}

/// A server on the local network.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerNearby {
    /// Who brings it, by their own word.
    pub name: String,
    /// `rtmfp://…`.
    pub url: String,
}

/// Whether somebody can be reached.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Presence {
    /// Not connected to a server of ours, or hidden.
    #[default]
    Offline,
    /// There.
    Online,
    /// There, in a call.
    InCall,
    /// There, and does not want to be disturbed.
    DoNotDisturb,
}

/// Somebody the person keeps.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Contact {
    /// Whom.
    pub peer_id: PeerId,
    /// What they are called here.
    pub name: String,
    /// What they call themselves, when it differs.
    pub told_name: Option<String>,
    /// Their server, `rtmfp://…`; `None` is whichever we use.
    pub server: Option<String>,
    /// Their code was compared and found right.
    pub verified: bool,
    /// They are refused.
    pub blocked: bool,
    /// Whether they can be reached.
    pub presence: Presence,
}

/// What was written and called with one peer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Conversation {
    /// With whom.
    pub peer_id: PeerId,
    /// The contact's name, or the one they gave.
    pub name: String,
    /// The lines that are loaded, oldest first.
    pub lines: Arc<Vec<Line>>,
    /// There are earlier ones to load.
    pub more: bool,
    /// Lines that came and were not on screen yet.
    pub unread: usize,
    /// They are writing right now.
    pub typing: bool,
}

/// One line of a conversation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// Its name.
    pub id: RandomId,
    /// When, by this computer's clock.
    pub at: Moment,
    /// What.
    pub what: LineKind,
}

/// What a line is.
#[derive(Clone, Debug, Eq, PartialEq)]
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
    /// A file.
    File(FileLine),
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

/// A file that was offered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileLine {
    /// Whether they offered it to us.
    pub incoming: bool,
    /// Its name, safe to show and to write.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// How far it got.
    pub state: FileState,
}

/// How far a file got.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileState {
    /// Offered; the one who is offered it decides.
    Offered,
    /// Under way.
    Moving {
        /// Bytes that are there.
        done: u64,
        /// Bytes a second, lately.
        rate: u64,
    },
    /// The way is gone; it goes on when there is one again.
    Waiting {
        /// Bytes that are there.
        done: u64,
    },
    /// All of it is there; the path on this computer.
    Done(PathBuf),
    /// Not wanted.
    Declined,
    /// Stopped by one of the two.
    Cancelled,
    /// It could not be read or written here, or there.
    Failed,
}

/// Who is at the other end of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct FarEnd {
    /// Their name; the text dialled, until they told it.
    pub name: String,
    /// Their peer ID, once known.
    pub peer_id: Option<PeerId>,
    /// What we know of them.
    pub known: Known,
}

/// What we know of somebody.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Known {
    /// Nothing: they are no contact.
    #[default]
    Stranger,
    /// A contact whose code was never compared.
    Contact,
    /// A contact whose code was compared and found right.
    Verified,
    /// They go by the name of a contact and have another key.
    KeyChanged,
    /// They are reached by a weak key: theirs is a program of the Flash years.
    Weak,
}

/// Somebody who calls while a call is up.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondCall {
    /// Who.
    pub far: FarEnd,
    /// Whether with picture.
    pub with_video: bool,
}

/// How it stands with comparing codes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Verifying {
    /// Nobody asked.
    #[default]
    Not,
    /// The far end's program cannot do it.
    NotThere,
    /// The two programs are agreeing.
    Asking,
    /// To be compared aloud.
    Compare {
        /// As digits, in groups.
        digits: Vec<String>,
        /// As numbers of words in a list of 2048, for languages that have one.
        words: Vec<u16>,
    },
    /// The other program did not keep to the rules, or the codes differ: somebody may be in between.
    Failed,
    /// Found right.
    Done,
}

/// The call, from the window's side.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one of these at a time, and it is large while a call is up"
)]
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
    /// We show a screen or a window.
    pub sharing: Option<Sharing>,
    /// The far end shows a screen or a window beside its camera.
    pub far_shares: bool,
    /// Nothing came from the far end for so long: reconnecting.
    pub silent_for: Option<Duration>,
    /// The far end lets us wait.
    pub far_holds: bool,
    /// We record the call; so much of it. Stands still while the call waits.
    pub recording: Option<Duration>,
    /// The far end records the call.
    pub far_records: bool,
    /// We speak, and the microphone is muted.
    pub speaking_muted: bool,
    /// The connection is too weak for what we send.
    pub weak: bool,
    /// It is too weak for pictures of any size: ours pause, and the sound goes on.
    pub picture_paused: bool,
    /// How good it is.
    pub quality: Quality,
    /// The last thirty seconds of it, one a second, the latest last.
    pub past: Arc<Vec<PastSecond>>,
}

/// What we show of our screen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sharing {
    /// Which screen or window.
    pub source: ScreenSource,
    /// The far end's program knows no screens: it sees this in our camera's place.
    pub in_cameras_place: bool,
}

/// One second of a call's past.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PastSecond {
    /// Milliseconds there and back.
    pub round_trip_ms: f32,
    /// Percent of packets lost.
    pub loss_percent: f32,
    /// Kilobits a second out.
    pub send_kbps: f32,
    /// Kilobits a second in.
    pub receive_kbps: f32,
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
    /// Percent of what we sent that was lost, over the last five seconds: as the far end counts it, where it reports that.
    pub loss_percent: f64,
    /// The same over the whole call.
    pub call_loss_percent: f64,
    /// Percent of what the far end sent us that was lost, over the last five seconds, where it reports what it sent.
    pub receive_loss_percent: Option<f64>,
    /// Kilobits a second that the way to the far end is found to carry, where it reports how packets arrive.
    pub available_kbps: Option<f64>,
    /// Kilobits of picture a second that the encoder is asked for; none while pictures pause.
    pub target_kbps: Option<f64>,
    /// Milliseconds that packets wait in queues on the way to the far end, where it reports how they arrive.
    pub queue_ms: Option<f64>,
    /// Kilobits a second out.
    pub send_kbps: f64,
    /// Kilobits a second in.
    pub receive_kbps: f64,
    /// What we send: width, height, pictures a second.
    pub send_picture: Option<(u32, u32, f32)>,
    /// What we receive.
    pub receive_picture: Option<(u32, u32, f32)>,
    /// What we send of our screen.
    pub send_screen: Option<(u32, u32, f32)>,
    /// What we receive of the far end's screen.
    pub receive_screen: Option<(u32, u32, f32)>,
    /// Milliseconds of sound kept against unsteady arrival.
    pub buffer_ms: f64,
    /// How long pictures take at each stage in this program.
    pub stages: Stages,
    /// Milliseconds from the far camera to this window, where that can be measured, and what 95 of 100 stay under.
    pub glass_to_glass_ms: Option<(f64, f64)>,
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
    /// What is wrong with the camera, if something is.
    pub camera_problem: Option<DeviceError>,
    /// What is wrong with the microphone.
    pub microphone_problem: Option<DeviceError>,
    /// What is wrong with the loudspeaker.
    pub speaker_problem: Option<DeviceError>,
    /// The microphone that is used in place of the chosen one, which is missing.
    pub microphone_stand_in: Option<String>,
    /// The loudspeaker that is used in place of the chosen one, which is missing.
    pub speaker_stand_in: Option<String>,
}
