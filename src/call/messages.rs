//! The one table of messages on streams: what is sent with `NetStream.send` on a private line, and how it reads back.
//!
//! `username` and `message` are what every client of this kind knows, and never gain arguments. Everything else is ours,
//! goes by the one handler name [`OURS`] and carries one object, whose `type` says which message it is.

use std::net::SocketAddr;

use bytes::Bytes;

use super::additions::Additions;
use super::delay_report::DelayReport;
use super::random_id::RandomId;
use super::verification::VerifyStep;
use super::ways::{MOST_PLACES, Place};
use crate::amf::Value;
use crate::netconnection::is_invisible;
use crate::rtmfp::PeerId;

/// The handler name of all messages that are ours.
pub(crate) const OURS: &str = "tincan";

/// The version that our capabilities announce.
pub(crate) const VERSION: f64 = 1.0;

/// The longest chat line taken or sent, in bytes of UTF-8.
pub(crate) const LONGEST_TEXT: usize = 16 * 1024;

/// The most bytes of a file taken in one message.
pub(crate) const LARGEST_PIECE: usize = 64 * 1024;

/// The longest file name taken from a far end, in bytes of UTF-8; it is made safe before it is shown or used.
const LONGEST_FILE_NAME: usize = 1024;

/// The longest name taken from a far end, in characters; what is longer is cut.
const LONGEST_NAME: usize = 64;

/// What somebody dials for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Intent {
    /// To talk: the far end rings.
    Call,
    /// To write: nothing rings.
    Chat,
}

/// What one end says of itself, once, before `username`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Capabilities {
    /// What the line is for. The called end repeats the caller's.
    pub(crate) intent: Intent,
    /// The call, drawn by the caller. The called end repeats it.
    pub(crate) call: RandomId,
    /// Whether the caller means to show its picture.
    pub(crate) video: bool,
    /// Who this end is by its lasting identity, said only where it shows the weak one.
    pub(crate) lasting: Option<PeerId>,
    /// What this end understands beyond the first version.
    pub(crate) additions: Additions,
}

/// Why a call is said goodbye to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Goodbye {
    /// It was up, and the person ended it.
    HangUp,
    /// The caller gave up before there was an answer.
    Cancel,
    /// It rang for the whole time.
    NoAnswer,
}

/// Why a file does not go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FileStop {
    /// It is not wanted.
    Declined,
    /// The person there stopped it.
    Cancelled,
    /// It could not be read or written there, or what came was not what was sent.
    Failed,
}

/// One message on a private line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message {
    /// `username(name)`: the line is up.
    Username(String),
    /// `message(name, text)`: a chat line as any client writes it.
    Chat {
        /// Who wrote it, by their own words.
        name: String,
        /// What.
        text: String,
    },
    /// `capabilities`: this end is a Tincan.
    Capabilities(Capabilities),
    /// `call`: a call over lines that are up already.
    Call {
        /// The new call.
        call: RandomId,
        /// Whether the caller means to show its picture.
        video: bool,
    },
    /// `ringing`: the person there is being asked.
    Ringing(RandomId),
    /// `accepted`: the person there took the call.
    Accepted(RandomId),
    /// `declined`: the person there does not want to.
    Declined(RandomId),
    /// `busy`: the person there is in another call.
    Busy(RandomId),
    /// `bye`: the call is over.
    Bye {
        /// Which.
        call: RandomId,
        /// Why.
        why: Goodbye,
    },
    /// `ended`: the answer to `bye`, so that who says it may leave.
    Ended(RandomId),
    /// `hold`: the call waits, or goes on.
    Hold {
        /// Which.
        call: RandomId,
        /// Whether it waits.
        on: bool,
    },
    /// `verify…`: a step of comparing codes.
    Verify(VerifyStep),
    /// `text`: a chat line with a name of its own, to be acknowledged.
    Text {
        /// Its name.
        id: RandomId,
        /// What.
        text: String,
    },
    /// `textAck`: a chat line, or a file's offer, was kept.
    TextAck(RandomId),
    /// `read`: everything up to this chat line was on screen.
    Read(RandomId),
    /// `typing`: the person there writes.
    Typing,
    /// `fileOffer`: a file; said again on each new line until its story is over.
    FileOffer {
        /// Its name among chat lines.
        id: RandomId,
        /// Its name among files, as the far end wrote it.
        name: String,
        /// Bytes.
        size: u64,
    },
    /// `fileWant`: the file is taken, or goes on on new lines.
    FileWant {
        /// Which.
        id: RandomId,
        /// From this byte.
        offset: u64,
        /// Up to this byte for now.
        up_to: u64,
    },
    /// `fileGoOn`: there is room for more of it.
    FileGoOn {
        /// Which.
        id: RandomId,
        /// So many bytes are safe there.
        done: u64,
        /// Up to this byte for now.
        up_to: u64,
    },
    /// `fileBytes`: a piece.
    FileBytes {
        /// Of which.
        id: RandomId,
        /// Where it begins.
        offset: u64,
        /// The piece.
        bytes: Bytes,
    },
    /// `fileEnd`: that was all.
    FileEnd {
        /// Of which.
        id: RandomId,
        /// The SHA-256 of the whole file.
        digest: [u8; 32],
    },
    /// `fileDone`: all of it is there, and it is what was sent.
    FileDone(RandomId),
    /// `fileStop`: it does not go on.
    FileStop {
        /// Which.
        id: RandomId,
        /// Why.
        why: FileStop,
    },
    /// `media`: what one sends from now on.
    Media {
        /// There is sound at all.
        audio: bool,
        /// There are pictures.
        video: bool,
        /// The microphone is muted.
        muted: bool,
    },
    /// `recording`: this end records the call, or no longer. Said before the first of it is recorded.
    Recording(bool),
    /// `keyFrameWanted`: the decoder lost its footing.
    KeyFrameWanted,
    /// `screen`: a screen or a window is shown from now on, on a stream of its own, or no longer.
    Screen {
        /// Whether it is.
        on: bool,
    },
    /// `screenKeyFrameWanted`: the decoder of the screen lost its footing.
    ScreenKeyFrameWanted,
    /// `ways`: where this end can be reached besides.
    Ways(Vec<Place>),
    /// `delays`: several times a second, how media arrive. Only the newest counts.
    Delays(DelayReport),
    /// `report`: once a second during a call: a sign of life, and how the far end's packets fare.
    Report {
        /// Percent of our sound that the far end had to conceal.
        concealed_percent: f64,
        /// Kilobits a second that arrive there.
        receive_kbps: f64,
        /// Percent of our packets of sound that were lost on the way there, whatever mended them. Said by those who take
        /// sound again.
        sound_lost_percent: Option<f64>,
    },
}

impl Message {
    /// The handler's name and its arguments.
    pub(crate) fn to_data(&self) -> (&'static str, Vec<Value>) {
        match self {
            Self::Username(name) => ("username", vec![Value::from(name.as_str())]),
            Self::Chat { name, text } => {
                ("message", vec![Value::from(name.as_str()), Value::from(text.as_str())])
            }
            Self::Capabilities(own) => {
                let mut properties = vec![
                    ("version", Value::Number(VERSION)),
                    ("intent", Value::from(own.intent.as_str())),
                    ("call", id_value(own.call)),
                    ("video", Value::Boolean(own.video)),
                ];
                properties.extend(own.lasting.map(|peer| ("lasting", Value::String(peer.to_string()))));
                properties.extend(own.additions.to_value().map(|names| ("additions", names)));
                ours("capabilities", properties)
            }
            Self::Call { call, video } => {
                ours("call", vec![("call", id_value(*call)), ("video", Value::Boolean(*video))])
            }
            Self::Ringing(call) => ours("ringing", vec![("call", id_value(*call))]),
            Self::Accepted(call) => ours("accepted", vec![("call", id_value(*call))]),
            Self::Declined(call) => ours("declined", vec![("call", id_value(*call))]),
            Self::Busy(call) => ours("busy", vec![("call", id_value(*call))]),
            Self::Bye { call, why } => {
                ours("bye", vec![("call", id_value(*call)), ("reason", Value::from(why.as_str()))])
            }
            Self::Ended(call) => ours("ended", vec![("call", id_value(*call))]),
            Self::Hold { call, on } => {
                ours("hold", vec![("call", id_value(*call)), ("on", Value::Boolean(*on))])
            }
            Self::Verify(step) => step.to_data(),
            Self::Text { id, text } => {
                ours("text", vec![("id", id_value(*id)), ("text", Value::from(text.as_str()))])
            }
            Self::TextAck(id) => ours("textAck", vec![("id", id_value(*id))]),
            Self::Read(id) => ours("read", vec![("id", id_value(*id))]),
            Self::Typing => ours("typing", vec![]),
            Self::FileOffer { id, name, size } => ours(
                "fileOffer",
                vec![
                    ("id", id_value(*id)),
                    ("name", Value::from(name.as_str())),
                    ("size", count_value(*size)),
                ],
            ),
            Self::FileWant { id, offset, up_to } => ours(
                "fileWant",
                vec![("id", id_value(*id)), ("offset", count_value(*offset)), ("upTo", count_value(*up_to))],
            ),
            Self::FileGoOn { id, done, up_to } => ours(
                "fileGoOn",
                vec![("id", id_value(*id)), ("done", count_value(*done)), ("upTo", count_value(*up_to))],
            ),
            Self::FileBytes { id, offset, bytes } => ours(
                "fileBytes",
                vec![
                    ("id", id_value(*id)),
                    ("offset", count_value(*offset)),
                    ("bytes", Value::Bytes(bytes.to_vec())),
                ],
            ),
            Self::FileEnd { id, digest } => {
                ours("fileEnd", vec![("id", id_value(*id)), ("sha256", Value::Bytes(digest.to_vec()))])
            }
            Self::FileDone(id) => ours("fileDone", vec![("id", id_value(*id))]),
            Self::FileStop { id, why } => {
                ours("fileStop", vec![("id", id_value(*id)), ("reason", Value::from(why.as_str()))])
            }
            Self::Media { audio, video, muted } => ours(
                "media",
                vec![
                    ("audio", Value::Boolean(*audio)),
                    ("video", Value::Boolean(*video)),
                    ("muted", Value::Boolean(*muted)),
                ],
            ),
            Self::Recording(on) => ours("recording", vec![("on", Value::Boolean(*on))]),
            Self::KeyFrameWanted => ours("keyFrameWanted", vec![]),
            Self::Screen { on } => ours("screen", vec![("on", Value::Boolean(*on))]),
            Self::ScreenKeyFrameWanted => ours("screenKeyFrameWanted", vec![]),
            Self::Ways(places) => {
                let of = |relayed| {
                    let places = places.iter().filter(|place| place.relayed == relayed);
                    Value::Array(places.map(|place| Value::String(place.address.to_string())).collect())
                };
                ours("ways", vec![("at", of(false)), ("relays", of(true))])
            }
            Self::Delays(report) => ours("delays", vec![("at", Value::Bytes(report.encode()))]),
            Self::Report { concealed_percent, receive_kbps, sound_lost_percent } => {
                let mut properties = vec![
                    ("concealed", Value::Number(*concealed_percent)),
                    ("receiveKbps", Value::Number(*receive_kbps)),
                ];
                properties.extend(sound_lost_percent.map(|lost| ("soundLost", Value::Number(lost))));
                ours("report", properties)
            }
        }
    }

    /// Reads what a far end sent. `None` is what we do not know, or cannot use: it is passed over.
    pub(crate) fn from_data(handler: &str, arguments: &[Value]) -> Option<Self> {
        match handler {
            "username" => Some(Self::Username(clean_name(arguments.first()?.as_str()?))),
            "message" => Some(Self::Chat {
                name: clean_name(arguments.first()?.as_str()?),
                text: usable_text(arguments.get(1)?)?,
            }),
            OURS => Self::from_object(arguments.first()?),
            _ => None,
        }
    }

    fn from_object(object: &Value) -> Option<Self> {
        let id = |name: &str| object.property(name)?.as_str()?.parse::<RandomId>().ok();
        let number = |name: &str| object.property(name)?.as_number().filter(|n| n.is_finite());
        let flag = |name: &str| matches!(object.property(name), Some(Value::Boolean(true)));
        let count = |name: &str| count_of(object.property(name)?);
        let bytes = |name: &str| match object.property(name)? {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        };
        Some(match object.property("type")?.as_str()? {
            "capabilities" => Self::Capabilities(Capabilities {
                intent: Intent::parse(object.property("intent")?.as_str()?)?,
                call: id("call")?,
                video: flag("video"),
                lasting: object.property("lasting").and_then(|peer| peer.as_str()?.parse().ok()),
                additions: Additions::from_value(object.property("additions")),
            }),
            "call" => Self::Call { call: id("call")?, video: flag("video") },
            "ringing" => Self::Ringing(id("call")?),
            "accepted" => Self::Accepted(id("call")?),
            "declined" => Self::Declined(id("call")?),
            "busy" => Self::Busy(id("call")?),
            "bye" => Self::Bye {
                call: id("call")?,
                why: Goodbye::parse(object.property("reason").and_then(Value::as_str).unwrap_or_default()),
            },
            "ended" => Self::Ended(id("call")?),
            "hold" => Self::Hold { call: id("call")?, on: flag("on") },
            kind if kind.starts_with("verify") => Self::Verify(VerifyStep::from_object(kind, object)?),
            "text" => Self::Text { id: id("id")?, text: usable_text(object.property("text")?)? },
            "textAck" => Self::TextAck(id("id")?),
            "read" => Self::Read(id("id")?),
            "typing" => Self::Typing,
            "fileOffer" => {
                let name =
                    object.property("name")?.as_str().filter(|name| name.len() <= LONGEST_FILE_NAME)?;
                Self::FileOffer { id: id("id")?, name: name.to_owned(), size: count("size")? }
            }
            "fileWant" => Self::FileWant { id: id("id")?, offset: count("offset")?, up_to: count("upTo")? },
            "fileGoOn" => Self::FileGoOn { id: id("id")?, done: count("done")?, up_to: count("upTo")? },
            "fileBytes" => {
                let piece = bytes("bytes").filter(|piece| piece.len() <= LARGEST_PIECE)?;
                Self::FileBytes {
                    id: id("id")?,
                    offset: count("offset")?,
                    bytes: Bytes::copy_from_slice(piece),
                }
            }
            "fileEnd" => {
                Self::FileEnd { id: id("id")?, digest: bytes("sha256")?.as_slice().try_into().ok()? }
            }
            "fileDone" => Self::FileDone(id("id")?),
            "fileStop" => {
                let word = object.property("reason").and_then(Value::as_str).unwrap_or_default();
                Self::FileStop { id: id("id")?, why: FileStop::parse(word) }
            }
            "media" => Self::Media { audio: flag("audio"), video: flag("video"), muted: flag("muted") },
            "recording" => Self::Recording(flag("on")),
            "keyFrameWanted" => Self::KeyFrameWanted,
            "screen" => Self::Screen { on: flag("on") },
            "screenKeyFrameWanted" => Self::ScreenKeyFrameWanted,
            "ways" => {
                let of = |name, relayed| places_of(object.property(name), relayed);
                Self::Ways(of("relays", true).chain(of("at", false)).take(MOST_PLACES).collect())
            }
            "delays" => Self::Delays(DelayReport::decode(bytes("at")?)?),
            "report" => Self::Report {
                concealed_percent: number("concealed")?.clamp(0.0, 100.0),
                receive_kbps: number("receiveKbps")?.max(0.0),
                sound_lost_percent: number("soundLost").map(|lost| lost.clamp(0.0, 100.0)),
            },
            _ => return None,
        })
    }

    /// Whether only a far end that announced capabilities may be sent this.
    pub(crate) fn is_addition(&self) -> bool {
        !matches!(self, Self::Username(_) | Self::Chat { .. } | Self::Capabilities(_))
    }
}

impl Intent {
    fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Chat => "chat",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "call" => Some(Self::Call),
            "chat" => Some(Self::Chat),
            _ => None,
        }
    }
}

impl Goodbye {
    fn as_str(self) -> &'static str {
        match self {
            Self::HangUp => "hang_up",
            Self::Cancel => "cancel",
            Self::NoAnswer => "no_answer",
        }
    }

    /// A reason we do not know is a hang-up: the call is over all the same.
    fn parse(text: &str) -> Self {
        match text {
            "cancel" => Self::Cancel,
            "no_answer" => Self::NoAnswer,
            _ => Self::HangUp,
        }
    }
}

impl FileStop {
    fn as_str(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// A reason we do not know: it does not go on all the same.
    fn parse(text: &str) -> Self {
        match text {
            "declined" => Self::Declined,
            "failed" => Self::Failed,
            _ => Self::Cancelled,
        }
    }
}

pub(crate) fn ours(kind: &'static str, properties: Vec<(&str, Value)>) -> (&'static str, Vec<Value>) {
    let properties = properties.into_iter().map(|(name, value)| (name.to_owned(), value));
    let object = std::iter::once(("type".to_owned(), Value::from(kind))).chain(properties).collect();
    (OURS, vec![Value::Object(object)])
}

fn id_value(id: RandomId) -> Value {
    Value::String(id.to_string())
}

/// The largest whole number that a number of AMF holds exactly.
const MOST_COUNT: f64 = 9_007_199_254_740_992.0;

fn count_value(count: u64) -> Value {
    Value::Number(count as f64)
}

/// A whole number of bytes.
fn count_of(value: &Value) -> Option<u64> {
    let number = value.as_number().filter(|number| (0.0..=MOST_COUNT).contains(number))?;
    (number.fract() == 0.0).then_some(number as u64)
}

/// The addresses of a list; what is none is passed over.
fn places_of(list: Option<&Value>, relayed: bool) -> impl Iterator<Item = Place> {
    let texts = match list {
        Some(Value::Array(texts)) => texts.as_slice(),
        _ => &[],
    };
    let addresses =
        texts.iter().take(MOST_PLACES).filter_map(|text| text.as_str()?.parse::<SocketAddr>().ok());
    addresses.map(move |address| Place {
        address: SocketAddr::new(address.ip().to_canonical(), address.port()),
        relayed,
    })
}

/// A name as it may be shown: no invisible or direction-changing characters, not endless, never empty.
pub(crate) fn clean_name(name: &str) -> String {
    let name: String = name.chars().filter(|c| !is_invisible(*c)).take(LONGEST_NAME).collect();
    let name = name.trim();
    if name.is_empty() { "?".to_owned() } else { name.to_owned() }
}

fn usable_text(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    (text.len() <= LONGEST_TEXT).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: RandomId = RandomId([7; 16]);

    fn every_message() -> Vec<Message> {
        vec![
            Message::Username("Ada".into()),
            Message::Chat { name: "Ada".into(), text: "hello".into() },
            Message::Capabilities(Capabilities {
                intent: Intent::Chat,
                call: ID,
                video: true,
                lasting: None,
                additions: Additions::NONE,
            }),
            Message::Capabilities(Capabilities {
                intent: Intent::Call,
                call: ID,
                video: false,
                lasting: Some(PeerId([5; 32])),
                additions: Additions::OURS,
            }),
            Message::Call { call: ID, video: false },
            Message::Ringing(ID),
            Message::Accepted(ID),
            Message::Declined(ID),
            Message::Busy(ID),
            Message::Bye { call: ID, why: Goodbye::Cancel },
            Message::Ended(ID),
            Message::Hold { call: ID, on: true },
            Message::Verify(VerifyStep::Ask),
            Message::Verify(VerifyStep::Commit { session: [9; 16], commit: [1; 32] }),
            Message::Verify(VerifyStep::Value([2; 32])),
            Message::Verify(VerifyStep::Reveal([3; 32])),
            Message::Text { id: ID, text: "你好".into() },
            Message::TextAck(ID),
            Message::Read(ID),
            Message::Typing,
            Message::FileOffer { id: ID, name: "猫.png".into(), size: 5_000_000_000 },
            Message::FileWant { id: ID, offset: 7, up_to: 4_294_967_297 },
            Message::FileGoOn { id: ID, done: 7, up_to: 4_294_967_297 },
            Message::FileBytes { id: ID, offset: 65_536, bytes: Bytes::from_static(&[0, 0xff, 9]) },
            Message::FileEnd { id: ID, digest: [3; 32] },
            Message::FileDone(ID),
            Message::FileStop { id: ID, why: FileStop::Failed },
            Message::Media { audio: true, video: false, muted: true },
            Message::KeyFrameWanted,
            Message::Screen { on: true },
            Message::ScreenKeyFrameWanted,
            Message::Ways(vec![
                Place { address: ([192, 0, 2, 1], 1935).into(), relayed: true },
                Place { address: "[2001:db8::1]:7".parse().expect("an address"), relayed: false },
            ]),
            Message::Delays(DelayReport { clock: 7, received: 6, sent: 5, bytes: 4, arrivals: vec![] }),
            Message::Report { concealed_percent: 1.5, receive_kbps: 900.0, sound_lost_percent: None },
            Message::Report { concealed_percent: 1.5, receive_kbps: 900.0, sound_lost_percent: Some(2.5) },
        ]
    }

    #[test]
    fn every_message_reads_back_as_it_was_sent() {
        for message in every_message() {
            let (handler, arguments) = message.to_data();
            assert_eq!(Message::from_data(handler, &arguments), Some(message));
        }
    }

    #[test]
    fn the_two_messages_that_every_client_knows_have_exactly_their_arguments() {
        assert_eq!(Message::Username("Ada".into()).to_data(), ("username", vec!["Ada".into()]));
        let chat = Message::Chat { name: "Ada".into(), text: "hello".into() };
        assert_eq!(chat.to_data(), ("message", vec!["Ada".into(), "hello".into()]));
    }

    #[test]
    fn an_unknown_message_is_passed_over() {
        assert_eq!(Message::from_data("onMetaData", &[Value::Null]), None);
        assert_eq!(Message::from_data(OURS, &[Value::from("text")]), None);
        let later = Value::Object(vec![("type".into(), "hologram".into())]);
        assert_eq!(Message::from_data(OURS, &[later]), None);
    }

    #[test]
    fn of_a_list_of_places_only_addresses_are_taken_and_not_more_than_a_few() {
        let mut texts = vec![Value::Null, "nonsense".into(), "[::ffff:192.0.2.7]:9".into()];
        texts.extend((1..100).map(|n| Value::String(format!("192.0.2.{n}:1"))));
        let object = Value::Object(vec![("type".into(), "ways".into()), ("at".into(), Value::Array(texts))]);
        let Some(Message::Ways(places)) = Message::from_data(OURS, &[object]) else { panic!("ways") };
        assert_eq!(places[0], Place { address: ([192, 0, 2, 7], 9).into(), relayed: false });
        assert!(places.len() <= MOST_PLACES);
    }

    #[test]
    fn a_place_in_a_file_is_a_whole_number_that_is_exact() {
        assert_eq!(count_of(&Value::Number(12.0)), Some(12));
        for number in [-1.0, 0.5, f64::NAN, f64::INFINITY, 1e17] {
            assert_eq!(count_of(&Value::Number(number)), None, "{number}");
        }
    }

    #[test]
    fn a_name_cannot_turn_the_text_around_it() {
        let name = Message::from_data("username", &[Value::from("\u{202e}E\u{ad}v\u{3164}e\u{7}\n")]);
        assert_eq!(name, Some(Message::Username("Eve".into())));
    }

    #[test]
    fn a_text_beyond_the_limit_is_passed_over() {
        let text = "x".repeat(LONGEST_TEXT + 1);
        assert_eq!(Message::from_data("message", &["Eve".into(), Value::String(text)]), None);
    }
}
