//! Commands: calls, their answers, and the named ones of NetConnection and NetStream (RFC 7425 §5.3; RTMP 1.0 §7.2).
//!
//! ```text
//! name string | transaction number, 0 when no answer is wanted | command object or null | arguments
//! ```

use super::status::StatusCode;
use crate::amf::{self, Value};

/// The longest command, handler or stream name, in bytes.
pub(super) const LONGEST_NAME: usize = 512;

/// Arguments beyond this many are not looked at.
pub(super) const MOST_ARGUMENTS: usize = 64;

/// One command.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Command {
    pub(super) name: String,
    pub(super) transaction: f64,
    /// The command object, which most commands leave null.
    pub(super) object: Value,
    pub(super) arguments: Vec<Value>,
}

/// The payload is no command within the limits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NotACommand;

impl Command {
    pub(super) fn new(name: &str, transaction: f64, object: Value, arguments: Vec<Value>) -> Self {
        Self { name: name.to_owned(), transaction, object, arguments }
    }

    /// A command that wants no answer.
    pub(super) fn notification(name: &str, arguments: Vec<Value>) -> Self {
        Self::new(name, 0.0, Value::Null, arguments)
    }

    /// The good answer to a transaction.
    pub(super) fn result(transaction: f64, values: Vec<Value>) -> Self {
        Self::new(RESULT, transaction, Value::Null, values)
    }

    /// The bad answer to a transaction.
    pub(super) fn error(transaction: f64, info: Value) -> Self {
        Self::new(ERROR, transaction, Value::Null, vec![info])
    }

    /// `onStatus` with a code.
    pub(super) fn status(code: &StatusCode, description: &str) -> Self {
        Self::notification(ON_STATUS, vec![code.info(description)])
    }

    /// The answer to a command nobody knows: to its transaction, or as a status when there is none.
    pub(super) fn call_failed(transaction: f64, name: &str) -> Self {
        let mut info = StatusCode::CallFailed.info("Method not found");
        if let Value::Object(properties) = &mut info {
            properties.push(("detail".to_owned(), name.into()));
        }
        if transaction == 0.0 {
            Self::notification(ON_STATUS, vec![info])
        } else {
            Self::error(transaction, info)
        }
    }

    /// Reads the payload of a command message.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, NotACommand> {
        let mut values = amf::read_sequence(payload).map_err(|_| NotACommand)?.into_iter();
        let Some(Value::String(name)) = values.next() else { return Err(NotACommand) };
        if name.is_empty() || name.len() > LONGEST_NAME {
            return Err(NotACommand);
        }
        // Some writers leave a trailing transaction and object away.
        let transaction = match values.next() {
            Some(Value::Number(number)) if number.is_finite() => number,
            None => 0.0,
            Some(_) => return Err(NotACommand),
        };
        let object = values.next().unwrap_or(Value::Null);
        Ok(Self { name, transaction, object, arguments: values.take(MOST_ARGUMENTS).collect() })
    }

    /// The payload of a command message.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::new();
        let cut = self.name.floor_char_boundary(LONGEST_NAME);
        amf::write_sequence(&[self.name[..cut].into(), self.transaction.into()], &mut payload);
        amf::write_sequence(std::slice::from_ref(&self.object), &mut payload);
        amf::write_sequence(&self.arguments, &mut payload);
        payload
    }

    /// An argument that is a text within the limit on names.
    pub(super) fn text(&self, index: usize) -> Option<&str> {
        self.arguments.get(index).and_then(Value::as_str).filter(|text| text.len() <= LONGEST_NAME)
    }

    /// An argument that is a stream ID.
    pub(super) fn stream_id(&self, index: usize) -> Option<u32> {
        let number = self.arguments.get(index).and_then(Value::as_number)?;
        let whole = (0.0..=f64::from(u32::MAX)).contains(&number) && number.fract() == 0.0;
        whole.then_some(number as u32)
    }

    /// The information object of an `onStatus` or an answer.
    pub(super) fn info(&self) -> &Value {
        self.arguments.first().unwrap_or(&self.object)
    }
}

pub(super) const RESULT: &str = "_result";
pub(super) const ERROR: &str = "_error";
pub(super) const ON_STATUS: &str = "onStatus";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_play_command_is_written_as_peers_expect_it() {
        let play = Command::notification("play", vec!["cam".into()]);
        let bytes = [
            &[0x02, 0x00, 0x04][..],
            b"play",
            &[0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0x05, 0x02, 0x00, 0x03],
            b"cam",
        ]
        .concat();
        assert_eq!(play.encode(), bytes);
        assert_eq!(Command::parse(&bytes), Ok(play));
    }

    #[test]
    fn a_command_needs_a_name_and_a_number() {
        for values in [vec![], vec![Value::Null], vec!["".into()], vec!["x".into(), "y".into()]] {
            let mut payload = Vec::new();
            amf::write_sequence(&values, &mut payload);
            assert_eq!(Command::parse(&payload), Err(NotACommand), "{values:?}");
        }
    }

    #[test]
    fn a_name_beyond_the_limit_is_no_command() {
        let mut payload = Vec::new();
        amf::write_sequence(&["x".repeat(LONGEST_NAME + 1).as_str().into(), 0.0.into()], &mut payload);
        assert_eq!(Command::parse(&payload), Err(NotACommand));
    }

    #[test]
    fn arguments_beyond_the_limit_are_not_looked_at() {
        let many = Command::notification("x", vec![Value::Null; MOST_ARGUMENTS + 1]);
        assert_eq!(Command::parse(&many.encode()).map(|c| c.arguments.len()), Ok(MOST_ARGUMENTS));
    }

    #[test]
    fn an_unknown_command_fails_by_transaction_or_by_status() {
        assert_eq!(Command::call_failed(7.0, "dance").name, ERROR);
        let status = Command::call_failed(0.0, "dance");
        assert_eq!(status.name, ON_STATUS);
        assert_eq!(StatusCode::of(status.info()), Some(StatusCode::CallFailed));
    }

    #[test]
    fn only_whole_numbers_are_stream_ids() {
        let command = Command::notification("x", vec![5.0.into(), 5.5.into(), (-1.0).into(), Value::Null]);
        let ids: Vec<_> = (0..4).map(|index| command.stream_id(index)).collect();
        assert_eq!(ids, [Some(5), None, None, None]);
    }
}
