//! Every way a call ends. What a person reads of it is in `ui`'s words; what a script reads is here.

/// Why a call is over.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum EndReason {
    /// It was up, and was ended here.
    Ended,
    /// It was up, and was ended there.
    EndedThere,
    /// We stopped dialling before there was an answer, or the far end did while we rang.
    Cancelled,
    /// Nobody by that peer ID or name is connected.
    NotFound,
    /// The person there, or here, declined.
    Declined,
    /// The far end is in another call.
    Busy,
    /// It rang, and nobody answered.
    NoAnswer,
    /// The other end went silent for good.
    Vanished,
    /// No server could be reached.
    ServerUnreachable,
    /// The server refuses our name.
    NameRefused,
    /// Neither a direct way nor a relay worked.
    NoWayThrough,
}

impl EndReason {
    /// The word for scripts: `end_reason` in the statistics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::EndedThere => "ended_there",
            Self::Cancelled => "cancelled",
            Self::NotFound => "not_found",
            Self::Declined => "declined",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Vanished => "vanished",
            Self::ServerUnreachable => "server_unreachable",
            Self::NameRefused => "name_refused",
            Self::NoWayThrough => "no_way_through",
        }
    }

    /// Reads [`EndReason::as_str`] back; `None` is a word of another version.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    const ALL: [Self; 11] = [
        Self::Ended,
        Self::EndedThere,
        Self::Cancelled,
        Self::NotFound,
        Self::Declined,
        Self::Busy,
        Self::NoAnswer,
        Self::Vanished,
        Self::ServerUnreachable,
        Self::NameRefused,
        Self::NoWayThrough,
    ];

    /// The exit status of `tincan call` and `tincan answer`.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Ended | Self::EndedThere | Self::Cancelled => 0,
            Self::NotFound => 10,
            Self::Declined => 11,
            Self::Busy => 12,
            Self::NoAnswer => 13,
            Self::Vanished => 14,
            Self::ServerUnreachable => 15,
            Self::NameRefused => 16,
            Self::NoWayThrough => 17,
        }
    }
}
