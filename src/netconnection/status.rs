//! The codes of `onStatus`, `_result` and `_error` (RFC 7425 §5.3, §5.4), as Flash programs know them.

use crate::amf::Value;

/// How bad a status is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// All is well.
    Status,
    /// Something was not done.
    Warning,
    /// Something failed.
    Error,
}

impl Level {
    /// The text on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Writes the enum and its two-way table from one list.
macro_rules! status_codes {
    ($($name:ident = $text:literal, $level:ident;)*) => {
        /// A status code. The text on the wire is [`StatusCode::as_str`].
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub enum StatusCode {
            $(#[doc = concat!("`", $text, "`")] $name,)*
            /// Any other.
            Other(String),
        }

        impl StatusCode {
            /// The text on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Other(text) => text,
                }
            }

            /// The code that is written so.
            pub fn parse(text: &str) -> Self {
                match text {
                    $($text => Self::$name,)*
                    other => Self::Other(other.to_owned()),
                }
            }

            /// The level it is sent with. What we do not know is no error.
            pub fn level(&self) -> Level {
                match self {
                    $(Self::$name => Level::$level,)*
                    Self::Other(_) => Level::Status,
                }
            }

            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

status_codes! {
    ConnectSuccess = "NetConnection.Connect.Success", Status;
    ConnectRejected = "NetConnection.Connect.Rejected", Error;
    ConnectFailed = "NetConnection.Connect.Failed", Error;
    ConnectClosed = "NetConnection.Connect.Closed", Status;
    ConnectInvalidApp = "NetConnection.Connect.InvalidApp", Error;
    ConnectAppShutdown = "NetConnection.Connect.AppShutdown", Error;
    ConnectIdleTimeout = "NetConnection.Connect.IdleTimeout", Status;
    ConnectNetworkChange = "NetConnection.Connect.NetworkChange", Status;
    ConnectReconnectRequest = "NetConnection.Connect.ReconnectRequest", Status;
    CallFailed = "NetConnection.Call.Failed", Error;
    CallBadVersion = "NetConnection.Call.BadVersion", Error;
    CallProhibited = "NetConnection.Call.Prohibited", Error;
    AddressChangeNotify = "NetConnection.AddressChange.Notify", Status;
    ShutdownNotify = "NetConnection.Shutdown.Notify", Status;
    ConnectivityCheckResults = "NetConnection.ConnectivityCheck.Results", Status;
    StreamConnectSuccess = "NetStream.Connect.Success", Status;
    StreamConnectFailed = "NetStream.Connect.Failed", Error;
    StreamConnectRejected = "NetStream.Connect.Rejected", Error;
    StreamConnectClosed = "NetStream.Connect.Closed", Status;
    StreamFailed = "NetStream.Failed", Error;
    PlayReset = "NetStream.Play.Reset", Status;
    PlayStart = "NetStream.Play.Start", Status;
    PlayStop = "NetStream.Play.Stop", Status;
    PlayComplete = "NetStream.Play.Complete", Status;
    PlayFailed = "NetStream.Play.Failed", Error;
    PlayStreamNotFound = "NetStream.Play.StreamNotFound", Error;
    PlayInsufficientBandwidth = "NetStream.Play.InsufficientBW", Warning;
    PlayPublishNotify = "NetStream.Play.PublishNotify", Status;
    PlayUnpublishNotify = "NetStream.Play.UnpublishNotify", Status;
    PublishStart = "NetStream.Publish.Start", Status;
    PublishBadName = "NetStream.Publish.BadName", Error;
    PublishIdle = "NetStream.Publish.Idle", Status;
    UnpublishSuccess = "NetStream.Unpublish.Success", Status;
    PauseNotify = "NetStream.Pause.Notify", Status;
    UnpauseNotify = "NetStream.Unpause.Notify", Status;
    SeekNotify = "NetStream.Seek.Notify", Status;
    SeekFailed = "NetStream.Seek.Failed", Error;
}

impl StatusCode {
    /// The information object of this code: level, code, description.
    pub fn info(&self, description: &str) -> Value {
        Value::object([
            ("level", self.level().as_str().into()),
            ("code", self.as_str().into()),
            ("description", description.into()),
        ])
    }

    /// The code in an information object, if there is one.
    pub fn of(info: &Value) -> Option<Self> {
        info.property("code").and_then(Value::as_str).map(Self::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_back_as_it_was_written() {
        for code in StatusCode::ALL {
            assert_eq!(StatusCode::parse(code.as_str()), *code);
        }
        assert_eq!(StatusCode::parse("My.Own.Code"), StatusCode::Other("My.Own.Code".to_owned()));
    }

    #[test]
    fn an_information_object_names_its_code_and_level() {
        let info = StatusCode::PublishBadName.info("taken");
        assert_eq!(StatusCode::of(&info), Some(StatusCode::PublishBadName));
        assert_eq!(info.property("level").and_then(Value::as_str), Some("error"));
        assert_eq!(StatusCode::of(&Value::Null), None);
    }
}
