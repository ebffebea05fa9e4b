//! AMF0 and AMF3, the value format of commands (RFC 7425 §5): a thin face over a library, with limits in front.

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
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}
