//! Reading AMF0.
//!
//! ```text
//! value = marker u8 | body        string = length u16 | bytes        property = string (no marker) | value
//! ```

use super::Value;
use super::reader::{NotAmf, Reader};

impl Reader<'_> {
    /// The value that starts here.
    pub(super) fn amf0_value(&mut self) -> Result<Value, NotAmf> {
        self.count_element()?;
        let place = self.place();
        match self.u8()? {
            0x00 => Ok(Value::Number(self.f64()?)),
            0x01 => Ok(Value::Boolean(self.u8()? != 0)),
            0x02 => Ok(Value::String(self.amf0_short_text()?)),
            0x05 => Ok(Value::Null),
            // Unsupported (0D) is what a writer says who could not write the value.
            0x06 | 0x0d => Ok(Value::Undefined),
            0x07 => self.amf0_reference(),
            0x0b => {
                let milliseconds = self.f64()?;
                // The time zone is reserved and not to be used.
                self.u16()?;
                Ok(Value::Date(milliseconds))
            }
            0x0c | 0x0f => {
                let length = self.u32()?;
                Ok(Value::String(self.text(usize::try_from(length).map_err(|_| NotAmf::TooMuch)?)?))
            }
            marker @ (0x03 | 0x08 | 0x0a | 0x10) => {
                if !self.again {
                    self.amf0_objects.push(place);
                }
                self.deeper(place, |reader| reader.amf0_composite(marker))
            }
            0x11 => self.amf3_value(),
            _ => Err(NotAmf::UnknownMarker),
        }
    }

    fn amf0_composite(&mut self, marker: u8) -> Result<Value, NotAmf> {
        match marker {
            // The count of an ECMA array is only a guess of its writer's; its end mark holds.
            0x08 => {
                self.u32()?;
                Ok(Value::EcmaArray(self.amf0_properties()?))
            }
            0x0a => {
                let count = usize::try_from(self.u32()?).map_err(|_| NotAmf::TooMuch)?;
                self.count_fits(count, 1)?;
                (0..count).map(|_| self.amf0_value()).collect::<Result<_, _>>().map(Value::Array)
            }
            0x10 => {
                self.amf0_short_text()?;
                Ok(Value::Object(self.amf0_properties()?))
            }
            _ => Ok(Value::Object(self.amf0_properties()?)),
        }
    }

    /// Properties up to and including the end mark: an empty name, then 09.
    fn amf0_properties(&mut self) -> Result<Vec<(String, Value)>, NotAmf> {
        let mut properties = Vec::new();
        loop {
            let name = self.amf0_short_text()?;
            if name.is_empty() && self.next_is(0x09) {
                self.u8()?;
                return Ok(properties);
            }
            properties.push((name, self.amf0_value()?));
        }
    }

    fn amf0_reference(&mut self) -> Result<Value, NotAmf> {
        let index = usize::from(self.u16()?);
        let Some(&place) = self.amf0_objects.get(index) else {
            return Ok(Value::Undefined);
        };
        Ok(self.once_more(place, Self::amf0_value)?.unwrap_or(Value::Undefined))
    }

    fn amf0_short_text(&mut self) -> Result<String, NotAmf> {
        let length = usize::from(self.u16()?);
        self.text(length)
    }

    fn next_is(&mut self, byte: u8) -> bool {
        self.once_more(self.place(), Self::u8) == Ok(Some(byte))
    }
}
