//! The one table of messages on streams: what is sent with `NetStream.send` on a private line, and how it reads back.
//!
//! `username` and `message` are what every client of this kind knows, and never gain arguments. Everything else is ours,
//! goes by the one handler name [`OURS`] and carries one object, whose `type` says which message it is.

use super::random_id::RandomId;
use super::verification::VerifyStep;
use crate::amf::Value;

/// The handler name of all messages that are ours.
pub(crate) const OURS: &str = "tincan";

/// The version that our capabilities announce.
pub(crate) const VERSION: f64 = 1.0;

/// The longest chat line taken or sent, in bytes of UTF-8.
pub(crate) const LONGEST_TEXT: usize = 16 * 1024;

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
    /// `textAck`: a chat line was kept.
    TextAck(RandomId),
    /// `media`: what one sends from now on.
    Media {
        /// There is sound at all.
        audio: bool,
        /// There are pictures.
        video: bool,
        /// The microphone is muted.
        muted: bool,
    },
    /// `keyFrameWanted`: the decoder lost its footing.
    KeyFrameWanted,
    /// `report`: once a second during a call: a sign of life, and how the far end's packets fare.
    Report {
        /// Percent of our sound that the far end had to conceal.
        concealed_percent: f64,
        /// Kilobits a second that arrive there.
        receive_kbps: f64,
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
            Self::Capabilities(own) => ours(
                "capabilities",
                vec![
                    ("version", Value::Number(VERSION)),
                    ("intent", Value::from(own.intent.as_str())),
                    ("call", id_value(own.call)),
                    ("video", Value::Boolean(own.video)),
                ],
            ),
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
            Self::Media { audio, video, muted } => ours(
                "media",
                vec![
                    ("audio", Value::Boolean(*audio)),
                    ("video", Value::Boolean(*video)),
                    ("muted", Value::Boolean(*muted)),
                ],
            ),
            Self::KeyFrameWanted => ours("keyFrameWanted", vec![]),
            Self::Report { concealed_percent, receive_kbps } => ours(
                "report",
                vec![
                    ("concealed", Value::Number(*concealed_percent)),
                    ("receiveKbps", Value::Number(*receive_kbps)),
                ],
            ),
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
        Some(match object.property("type")?.as_str()? {
            "capabilities" => Self::Capabilities(Capabilities {
                intent: Intent::parse(object.property("intent")?.as_str()?)?,
                call: id("call")?,
                video: flag("video"),
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
            "media" => Self::Media { audio: flag("audio"), video: flag("video"), muted: flag("muted") },
            "keyFrameWanted" => Self::KeyFrameWanted,
            "report" => Self::Report {
                concealed_percent: number("concealed")?.clamp(0.0, 100.0),
                receive_kbps: number("receiveKbps")?.max(0.0),
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

pub(crate) fn ours(kind: &'static str, properties: Vec<(&str, Value)>) -> (&'static str, Vec<Value>) {
    let properties = properties.into_iter().map(|(name, value)| (name.to_owned(), value));
    let object = std::iter::once(("type".to_owned(), Value::from(kind))).chain(properties).collect();
    (OURS, vec![Value::Object(object)])
}

fn id_value(id: RandomId) -> Value {
    Value::String(id.to_string())
}

/// A name as it may be shown: no control or direction-changing characters, not endless, never empty.
fn clean_name(name: &str) -> String {
    let shown = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let name: String = name.chars().filter(shown).take(LONGEST_NAME).collect();
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
            Message::Capabilities(Capabilities { intent: Intent::Chat, call: ID, video: true }),
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
            Message::Media { audio: true, video: false, muted: true },
            Message::KeyFrameWanted,
            Message::Report { concealed_percent: 1.5, receive_kbps: 900.0 },
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
    fn a_name_cannot_turn_the_text_around_it() {
        let name = Message::from_data("username", &[Value::from("\u{202e}Eve\u{7}\n")]);
        assert_eq!(name, Some(Message::Username("Eve".into())));
    }

    #[test]
    fn a_text_beyond_the_limit_is_passed_over() {
        let text = "x".repeat(LONGEST_TEXT + 1);
        assert_eq!(Message::from_data("message", &["Eve".into(), Value::String(text)]), None);
    }
}
