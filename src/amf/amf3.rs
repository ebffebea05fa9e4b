//! Reading AMF3, which Flash programs of object encoding 3 switch to inside AMF0.
//!
//! ```text
//! value = marker u8 | body      U29: 1 to 4 bytes, the fourth with 8 bits     text = U29 (length*2+1 | index*2) | bytes
//! ```
//!
//! The tables of strings, objects and classes go on through the whole message.

use super::Value;
use super::reader::{NotAmf, Reader};

/// What an object's members are called.
#[derive(Clone)]
pub(super) struct Traits {
    names: Vec<(usize, usize)>,
    dynamic: bool,
}

/// Names of sealed members in one class, and of all classes of a message together.
const MOST_SEALED: usize = 1024;

/// Classes in one message.
const MOST_TRAITS: usize = 256;

/// The length or count that follows a marker, or where to find the value instead.
enum Inline {
    Here(usize),
    At(Option<usize>),
}

impl Reader<'_> {
    /// The value that starts here.
    pub(super) fn amf3_value(&mut self) -> Result<Value, NotAmf> {
        self.count_element()?;
        let place = self.place();
        match self.u8()? {
            0x00 => Ok(Value::Undefined),
            0x01 => Ok(Value::Null),
            0x02 => Ok(Value::Boolean(false)),
            0x03 => Ok(Value::Boolean(true)),
            0x04 => Ok(Value::Number(f64::from(sign_extended(self.u29()?)))),
            0x05 => Ok(Value::Number(self.f64()?)),
            0x06 => Ok(Value::String(self.amf3_text()?)),
            marker @ 0x07..=0x11 => self.amf3_composite(place, marker),
            _ => Err(NotAmf::UnknownMarker),
        }
    }

    fn amf3_composite(&mut self, place: usize, marker: u8) -> Result<Value, NotAmf> {
        let count = match self.amf3_inline(place)? {
            Inline::Here(count) => count,
            Inline::At(None) => return Ok(Value::Undefined),
            Inline::At(Some(place)) => {
                return Ok(self.once_more(place, Self::amf3_value)?.unwrap_or(Value::Undefined));
            }
        };
        self.deeper(place, |reader| match marker {
            0x07 | 0x0b => Ok(Value::String(reader.text(count)?)),
            0x08 => Ok(Value::Date(reader.f64()?)),
            0x09 => reader.amf3_array(count),
            0x0a => reader.amf3_object(count),
            0x0c => Ok(Value::Bytes(reader.raw(count)?.to_vec())),
            0x0d => reader.amf3_numbers(count, 4, |r| Ok(f64::from(i32::from_be_bytes(r.array()?)))),
            0x0e => reader.amf3_numbers(count, 4, |r| Ok(f64::from(r.u32()?))),
            0x0f => reader.amf3_numbers(count, 8, Self::f64),
            0x10 => {
                reader.u8()?;
                reader.amf3_text()?;
                reader.amf3_values(count).map(Value::Array)
            }
            _ => reader.amf3_dictionary(count),
        })
    }

    /// Reads the number after a composite's marker and enters the value into the table, before its members.
    fn amf3_inline(&mut self, place: usize) -> Result<Inline, NotAmf> {
        let number = self.u29()?;
        if number & 1 == 0 {
            return Ok(Inline::At(self.amf3_objects.get(index(number >> 1)).copied()));
        }
        if !self.again {
            self.amf3_objects.push(place);
        }
        Ok(Inline::Here(index(number >> 1)))
    }

    fn amf3_array(&mut self, dense: usize) -> Result<Value, NotAmf> {
        let mut named = self.amf3_dynamic()?;
        let values = self.amf3_values(dense)?;
        if named.is_empty() {
            return Ok(Value::Array(values));
        }
        // AMF0 numbers the members of such an array by their decimal names.
        named.extend(values.into_iter().enumerate().map(|(number, value)| (number.to_string(), value)));
        Ok(Value::EcmaArray(named))
    }

    fn amf3_object(&mut self, flags: usize) -> Result<Value, NotAmf> {
        let traits = if flags & 1 == 0 {
            self.amf3_traits.get(flags >> 1).cloned().ok_or(NotAmf::UnknownMarker)?
        } else if flags & 2 != 0 {
            // Only its class knows how long an externalizable object is.
            return Err(NotAmf::UnknownMarker);
        } else {
            self.amf3_new_traits(flags)?
        };
        let mut properties = Vec::new();
        for name in &traits.names {
            let name = self.text_at(*name)?;
            properties.push((name, self.amf3_value()?));
        }
        if traits.dynamic {
            properties.extend(self.amf3_dynamic()?);
        }
        Ok(Value::Object(properties))
    }

    fn amf3_new_traits(&mut self, flags: usize) -> Result<Traits, NotAmf> {
        let count = flags >> 3;
        if count > MOST_SEALED {
            return Err(NotAmf::TooMuch);
        }
        self.count_fits(count, 1)?;
        self.amf3_text()?;
        let names = (0..count).map(|_| self.amf3_text_place()).collect::<Result<Vec<_>, _>>()?;
        let traits = Traits { names, dynamic: flags & 4 != 0 };
        if !self.again {
            if self.amf3_traits.len() >= MOST_TRAITS {
                return Err(NotAmf::TooMuch);
            }
            self.amf3_traits.push(traits.clone());
        }
        Ok(traits)
    }

    /// Names and values up to and including the empty name.
    fn amf3_dynamic(&mut self) -> Result<Vec<(String, Value)>, NotAmf> {
        let mut properties = Vec::new();
        loop {
            let name = self.amf3_text()?;
            if name.is_empty() {
                return Ok(properties);
            }
            properties.push((name, self.amf3_value()?));
        }
    }

    fn amf3_values(&mut self, count: usize) -> Result<Vec<Value>, NotAmf> {
        self.count_fits(count, 1)?;
        (0..count).map(|_| self.amf3_value()).collect()
    }

    fn amf3_numbers(
        &mut self,
        count: usize,
        bytes_each: usize,
        read: impl Fn(&mut Self) -> Result<f64, NotAmf>,
    ) -> Result<Value, NotAmf> {
        // Whether the vector has a fixed length does not matter to us.
        self.u8()?;
        self.count_fits(count, bytes_each)?;
        let mut numbers = Vec::new();
        for _ in 0..count {
            self.count_element()?;
            numbers.push(Value::Number(read(self)?));
        }
        Ok(Value::Array(numbers))
    }

    fn amf3_dictionary(&mut self, count: usize) -> Result<Value, NotAmf> {
        self.u8()?;
        self.count_fits(count, 2)?;
        let mut entries = Vec::new();
        for _ in 0..count {
            let key = match self.amf3_value()? {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Boolean(truth) => truth.to_string(),
                _ => String::new(),
            };
            entries.push((key, self.amf3_value()?));
        }
        Ok(Value::Object(entries))
    }

    fn amf3_text(&mut self) -> Result<String, NotAmf> {
        let place = self.amf3_text_place()?;
        self.text_at(place)
    }

    /// Where a text stands: here, or where it stood the first time. A reference to none is the empty text.
    fn amf3_text_place(&mut self) -> Result<(usize, usize), NotAmf> {
        let number = self.u29()?;
        if number & 1 == 0 {
            return Ok(self.amf3_strings.get(index(number >> 1)).copied().unwrap_or_default());
        }
        let found = (self.place(), index(number >> 1));
        self.take(found.1)?;
        if found.1 > 0 && !self.again {
            self.amf3_strings.push(found);
        }
        Ok(found)
    }

    /// Seven bits each of up to three bytes, then eight of a fourth.
    fn u29(&mut self) -> Result<u32, NotAmf> {
        let mut number = 0;
        for _ in 0..3 {
            let byte = self.u8()?;
            number = number << 7 | u32::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Ok(number << 8 | u32::from(self.u8()?))
    }
}

/// Bit 28 is the sign of an integer, and only of an integer.
fn sign_extended(number: u32) -> i32 {
    (number << 3).cast_signed() >> 3
}

fn index(number: u32) -> usize {
    usize::try_from(number).expect("29 bits fit")
}
