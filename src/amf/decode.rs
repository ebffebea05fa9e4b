//! Reading a message through the library, and following its references.
//!
//! The library leaves references standing in its values; their numbers count composite values in order of appearance, AMF0
//! and AMF3 each for themselves, through the whole message. The values are walked in that same order, so the tables fill as
//! the writer's did, and what is referred to is walked once more where it is used.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use flash_lso::amf0::read::AMF0Decoder;
use flash_lso::amf0::writer::{Amf0Writer, ObjWriter};
use flash_lso::types::{DictionaryEntry, ECMAArrayObjectValue, Element, Reference, Value as Found};

use super::Value;
use super::limits::{Allowance, MOST_DEPTH, NotAmf};
use super::scan::scan;

/// Reads AMF0 values back to back until the end.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Value>, NotAmf> {
    let not_utf8 = scan(bytes)?;
    let bytes = readable(bytes, &not_utf8);
    // One decoder for all: AMF3 tables go on through the whole message.
    let mut decoder = AMF0Decoder::default();
    let mut found = Vec::new();
    let mut rest = &*bytes;
    while !rest.is_empty() {
        // After the scan this cannot fail; were it to, the message would be refused like any other.
        let (after, value) = decoder.parse_single_element(rest).map_err(|_| NotAmf::UnknownMarker)?;
        found.push(value);
        rest = after;
    }
    let mut tables = Tables {
        allowed: Allowance::whole(),
        numbers: Amf0Writer::default(),
        amf0: BTreeMap::new(),
        amf3: Vec::new(),
        open: Vec::new(),
        inside_amf3: false,
        again: false,
    };
    found.iter().map(|value| tables.value(value)).collect()
}

/// The message with a question mark for each byte that is no UTF-8, since the library refuses text that is none.
fn readable<'a>(bytes: &'a [u8], not_utf8: &[Range<usize>]) -> Cow<'a, [u8]> {
    if not_utf8.is_empty() {
        return Cow::Borrowed(bytes);
    }
    let mut mended = bytes.to_vec();
    for range in not_utf8 {
        let mut at = range.start;
        for chunk in bytes[range.clone()].utf8_chunks() {
            at += chunk.valid().len();
            let end = at + chunk.invalid().len();
            mended[at..end].fill(b'?');
            at = end;
        }
    }
    Cow::Owned(mended)
}

/// What references may point at, and how much may still come of following them.
struct Tables<'a> {
    allowed: Allowance,
    /// The library keeps the number inside a reference to itself, but counts them out for a writer.
    numbers: Amf0Writer,
    amf0: BTreeMap<Reference, &'a Found>,
    amf3: Vec<&'a Found>,
    /// The composite values whose members are being walked right now, outermost first.
    open: Vec<&'a Found>,
    inside_amf3: bool,
    /// Whether a referred value is walked once more: what is in it is in the tables already.
    again: bool,
}

impl<'a> Tables<'a> {
    fn value(&mut self, found: &'a Found) -> Result<Value, NotAmf> {
        self.allowed.element()?;
        self.enter(found);
        match found {
            Found::Number(number) => Ok(Value::Number(*number)),
            Found::Integer(number) => Ok(Value::Number(f64::from(*number))),
            Found::Bool(truth) => Ok(Value::Boolean(*truth)),
            Found::String(text) | Found::XML { value: text, .. } => self.text(text).map(Value::String),
            Found::Date { time, .. } => Ok(Value::Date(*time)),
            Found::Null => Ok(Value::Null),
            // Unsupported is what a writer says who could not write the value; no class reads itself here.
            Found::Undefined | Found::Unsupported | Found::Custom(_) => Ok(Value::Undefined),
            Found::ByteArray(bytes) => {
                self.allowed.text(bytes.len())?;
                Ok(Value::Bytes(bytes.clone()))
            }
            Found::VectorInt(vector) => self.numbers(vector.values.iter().copied().map(f64::from)),
            Found::VectorUInt(vector) => self.numbers(vector.values.iter().copied().map(f64::from)),
            Found::VectorDouble(vector) => self.numbers(vector.values.iter().copied()),
            Found::AMF3(inner) => {
                self.inside_amf3 = true;
                let value = self.value(inner);
                self.inside_amf3 = false;
                value
            }
            Found::Reference(number) => self.once_more(self.amf0.get(number).copied()),
            Found::Amf3ObjectReference(id) => {
                let place = usize::try_from(id.0).ok();
                self.once_more(place.and_then(|place| self.amf3.get(place)).copied())
            }
            Found::Object { data, .. } => {
                self.deeper(found, |tables| tables.properties(&data.elements).map(Value::Object))
            }
            Found::ECMAArray { data, .. } => self.deeper(found, |tables| tables.array(data)),
            Found::StrictArray { values, .. } => self.deeper(found, |tables| tables.values(values)),
            Found::VectorObject { data, .. } => self.deeper(found, |tables| tables.values(&data.values)),
            Found::Dictionary { data, .. } => self.deeper(found, |tables| tables.entries(&data.elements)),
        }
    }

    /// Puts a value in the table of those that may be referred to, before its members.
    fn enter(&mut self, found: &'a Found) {
        if self.again {
            return;
        }
        let composite =
            matches!(found, Found::Object { .. } | Found::ECMAArray { .. } | Found::StrictArray { .. });
        if self.inside_amf3 {
            let with_number = matches!(
                found,
                Found::XML { .. }
                    | Found::Date { .. }
                    | Found::ByteArray(_)
                    | Found::VectorInt(_)
                    | Found::VectorUInt(_)
                    | Found::VectorDouble(_)
                    | Found::VectorObject { .. }
                    | Found::Dictionary { .. }
            );
            if composite || with_number {
                self.amf3.push(found);
            }
        } else if composite && self.amf0.len() < usize::from(u16::MAX) {
            self.amf0.insert(self.numbers.make_reference(), found);
        }
    }

    /// Walks the members of a composite value, one level deeper.
    fn deeper(
        &mut self,
        found: &'a Found,
        walk: impl FnOnce(&mut Self) -> Result<Value, NotAmf>,
    ) -> Result<Value, NotAmf> {
        if self.open.len() >= MOST_DEPTH {
            return Err(NotAmf::TooMuch);
        }
        self.open.push(found);
        let value = walk(self);
        self.open.pop();
        value
    }

    fn array(&mut self, array: &'a ECMAArrayObjectValue) -> Result<Value, NotAmf> {
        let mut named = self.properties(&array.elements)?;
        // AMF0 numbers the members of such an array by their decimal names.
        for (number, value) in array.dense.iter().enumerate() {
            named.push((number.to_string(), self.value(value)?));
        }
        Ok(Value::EcmaArray(named))
    }

    fn entries(&mut self, entries: &'a [DictionaryEntry]) -> Result<Value, NotAmf> {
        let mut named = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = match self.value(&entry.key)? {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Boolean(truth) => truth.to_string(),
                _ => String::new(),
            };
            named.push((key, self.value(&entry.value)?));
        }
        Ok(Value::Object(named))
    }

    fn properties(&mut self, elements: &'a [Element]) -> Result<Vec<(String, Value)>, NotAmf> {
        let mut properties = Vec::with_capacity(elements.len());
        for element in elements {
            properties.push((self.text(&element.name)?, self.value(&element.value)?));
        }
        Ok(properties)
    }

    fn values(&mut self, values: &'a [Found]) -> Result<Value, NotAmf> {
        let mut read = Vec::with_capacity(values.len());
        for value in values {
            read.push(self.value(value)?);
        }
        Ok(Value::Array(read))
    }

    fn numbers(&mut self, numbers: impl Iterator<Item = f64>) -> Result<Value, NotAmf> {
        let mut values = Vec::new();
        for number in numbers {
            self.allowed.element()?;
            values.push(Value::Number(number));
        }
        Ok(Value::Array(values))
    }

    fn text(&mut self, text: &str) -> Result<String, NotAmf> {
        self.allowed.text(text.len())?;
        Ok(text.to_owned())
    }

    /// Walks what is referred to; undefined when there is nothing there, or we are inside it.
    fn once_more(&mut self, found: Option<&'a Found>) -> Result<Value, NotAmf> {
        let Some(found) = found.filter(|found| !self.open.iter().any(|open| std::ptr::eq(*open, *found)))
        else {
            return Ok(Value::Undefined);
        };
        let before = std::mem::replace(&mut self.again, true);
        let value = self.value(found);
        self.again = before;
        value
    }
}
