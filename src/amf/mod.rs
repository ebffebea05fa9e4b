//! AMF0 and AMF3, the value format of commands and data messages (RFC 7425 §5.3.3).
//!
//! [`read_sequence`] takes the values of a whole message; [`write_sequence`] always writes AMF0. The format is read and
//! written by the flash-lso library, which trusts its input in three ways: it recurses as deep as the bytes say, bounds no
//! sums, and leaves references standing. So the bytes are looked over before it sees them, and references are followed
//! within the same limits afterwards.
//!
//! ```text
//! bytes -> scan (limits) -> flash-lso -> decode (references) -> Value        Value -> encode -> flash-lso -> bytes
//! ```

#![warn(rustdoc::private_intra_doc_links)]

mod decode;
mod encode;
mod limits;
mod scan;
#[cfg(test)]
mod tests;

pub use limits::{MOST_BYTES, MOST_DEPTH, MOST_ELEMENTS, NotAmf};

/// A value as commands carry it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// Text.
    String(String),
    /// Named values, in order.
    Object(Vec<(String, Value)>),
    /// Named values, written as an ECMA array.
    EcmaArray(Vec<(String, Value)>),
    /// Values in a row.
    Array(Vec<Value>),
    /// Milliseconds since 1970, UTC.
    Date(f64),
    /// Bytes (AMF3 only).
    Bytes(Vec<u8>),
    /// Nothing.
    Null,
    /// Not even nothing.
    Undefined,
}

impl Value {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A property of an object.
    pub fn property(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Object(properties) | Self::EcmaArray(properties) => {
                properties.iter().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// An object of these properties, in this order.
    pub fn object<const N: usize>(properties: [(&str, Value); N]) -> Self {
        Self::Object(properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

/// Reads AMF0 values back to back until the end, each of which may be switched to AMF3 by the marker 11.
///
/// A reference becomes a copy of what it refers to; one that points nowhere, or at a value it is part of, becomes
/// [`Value::Undefined`]. Class names are dropped. XML becomes text. Bytes that are no UTF-8 become question marks.
///
/// # Errors
/// [`NotAmf`] when the bytes are cut short, use a reserved marker, name an AMF3 text or class by a reference to nothing, or
/// go beyond [`MOST_DEPTH`], [`MOST_ELEMENTS`] or [`MOST_BYTES`].
pub fn read_sequence(bytes: &[u8]) -> Result<Vec<Value>, NotAmf> {
    decode::read(bytes)
}

/// Appends values to `out` as AMF0, back to back. Byte arrays, which AMF0 lacks, are switched to AMF3.
///
/// Property names beyond 65,535 bytes do not fit the format and are cut.
pub fn write_sequence(values: &[Value], out: &mut Vec<u8>) {
    encode::write(values, out);
}
