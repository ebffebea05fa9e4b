//! The codes of `onStatus`, `_result` and `_error` (RFC 7425 §5.3, §5.4).

/// A status code. The text on the wire is [`StatusCode::as_str`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StatusCode {
    /// `NetConnection.Connect.Success`
    ConnectSuccess,
    /// `NetConnection.Connect.Rejected`
    ConnectRejected,
    /// `NetConnection.Connect.Failed`
    ConnectFailed,
    /// `NetConnection.Connect.Closed`
    ConnectClosed,
    /// Any other.
    Other(String),
}
