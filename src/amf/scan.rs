//! Looking bytes over before the library reads them, without building anything.
//!
//! The library recurses as deep as the bytes say, copies a class with every object of it, and takes a property name before
//! the mark 09 for the end of an object. Here markers and lengths are walked once, and only what is whole, bounded and
//! unambiguous goes on.
//!
//! ```text
//! AMF0   value = marker u8 | body     string = length u16 | bytes     property = string (no marker) | value
//! AMF3   value = marker u8 | body     U29: 1 to 4 bytes, the fourth with 8 bits     text = U29 (length*2+1 | index*2) | bytes
//! ```

use std::ops::Range;

use super::limits::{Allowance, MOST_BYTES, MOST_DEPTH, NotAmf};

/// Walks the values of a whole message. Returns where texts stand that are no UTF-8.
pub(super) fn scan(bytes: &[u8]) -> Result<Vec<Range<usize>>, NotAmf> {
    if bytes.len() > MOST_BYTES {
        return Err(NotAmf::TooMuch);
    }
    let mut scan = Scan {
        bytes,
        at: 0,
        depth: 0,
        allowed: Allowance::whole(),
        strings: Vec::new(),
        classes: Vec::new(),
        not_utf8: Vec::new(),
    };
    while scan.at < bytes.len() {
        scan.amf0_value()?;
    }
    Ok(scan.not_utf8)
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Composite values around this place.
    depth: usize,
    allowed: Allowance,
    /// Lengths of the AMF3 texts that may be referred to. This table and the next go on through the whole message.
    strings: Vec<usize>,
    /// The AMF3 classes that may be referred to.
    classes: Vec<Class>,
    not_utf8: Vec<Range<usize>>,
}

/// What has to be known of an AMF3 class to pass over an object of it.
#[derive(Clone, Copy)]
struct Class {
    /// Members that come without their names.
    sealed: usize,
    dynamic: bool,
    /// Bytes of its name and of its members' names, which the library copies for every object.
    text: usize,
}

/// AMF0.
impl Scan<'_> {
    fn amf0_value(&mut self) -> Result<(), NotAmf> {
        self.allowed.element()?;
        match self.u8()? {
            0x00 => self.skip(8),
            0x01 => self.skip(1),
            0x02 => self.amf0_short_text().map(drop),
            0x03 => self.deeper(Self::amf0_properties),
            0x05 | 0x06 | 0x0d => Ok(()),
            0x07 => self.skip(2),
            // The count of an ECMA array is only a guess of its writer's; its end mark holds.
            0x08 => {
                self.skip(4)?;
                self.deeper(Self::amf0_properties)
            }
            0x0a => {
                let count = self.u32()?;
                self.fits(count, 1)?;
                self.deeper(|scan| scan.times(count, Self::amf0_value))
            }
            0x0b => self.skip(10),
            0x0c | 0x0f => {
                let length = self.u32()?;
                self.text(length)
            }
            0x10 => {
                self.amf0_short_text()?;
                self.deeper(Self::amf0_properties)
            }
            0x11 => self.amf3_value(),
            _ => Err(NotAmf::UnknownMarker),
        }
    }

    /// Properties up to and including the end mark: an empty name, then 09.
    fn amf0_properties(&mut self) -> Result<(), NotAmf> {
        loop {
            let length = self.amf0_short_text()?;
            if length == 0 && self.bytes.get(self.at) == Some(&0x09) {
                return self.skip(1);
            }
            self.amf0_value()?;
        }
    }

    /// Passes over a text and returns its length.
    fn amf0_short_text(&mut self) -> Result<usize, NotAmf> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        self.text(length)?;
        Ok(length)
    }
}

/// AMF3.
impl Scan<'_> {
    fn amf3_value(&mut self) -> Result<(), NotAmf> {
        self.allowed.element()?;
        match self.u8()? {
            0x00..=0x03 => Ok(()),
            0x04 => self.u29().map(drop),
            0x05 => self.skip(8),
            0x06 => self.amf3_text().map(drop),
            marker @ 0x07..=0x11 => match self.amf3_inline()? {
                Inline::Here(count) => self.amf3_composite(marker, count),
                // Where it points is seen when it is followed.
                Inline::At(_) => Ok(()),
            },
            _ => Err(NotAmf::UnknownMarker),
        }
    }

    fn amf3_composite(&mut self, marker: u8, count: usize) -> Result<(), NotAmf> {
        match marker {
            0x07 | 0x0b => self.text(count),
            0x08 => self.skip(8),
            0x09 => {
                self.fits(count, 1)?;
                self.deeper(|scan| {
                    scan.amf3_named_values()?;
                    scan.times(count, Self::amf3_value)
                })
            }
            0x0a => self.deeper(|scan| scan.amf3_object(count)),
            0x0c => {
                self.allowed.text(count)?;
                self.skip(count)
            }
            0x0d | 0x0e => self.amf3_numbers(count, 4),
            0x0f => self.amf3_numbers(count, 8),
            0x10 => {
                self.skip(1)?;
                self.amf3_text()?;
                self.fits(count, 1)?;
                self.deeper(|scan| scan.times(count, Self::amf3_value))
            }
            _ => {
                self.skip(1)?;
                self.fits(count, 2)?;
                self.deeper(|scan| scan.times(count * 2, Self::amf3_value))
            }
        }
    }

    fn amf3_object(&mut self, flags: usize) -> Result<(), NotAmf> {
        let class = if flags & 1 == 0 {
            let class = *self.classes.get(flags >> 1).ok_or(NotAmf::Dangling)?;
            self.allowed.text(class.text)?;
            class
        } else if flags & 2 != 0 {
            // Only its class knows how long an externalizable object is.
            return Err(NotAmf::UnknownMarker);
        } else {
            let sealed = flags >> 3;
            // A name and later a value each.
            self.fits(sealed, 2)?;
            let mut text = self.amf3_text()?;
            for _ in 0..sealed {
                text += self.amf3_text()?;
            }
            let class = Class { sealed, dynamic: flags & 4 != 0, text };
            self.classes.push(class);
            class
        };
        self.fits(class.sealed, 1)?;
        self.times(class.sealed, Self::amf3_value)?;
        if class.dynamic { self.amf3_named_values() } else { Ok(()) }
    }

    /// Names and values up to and including the empty name.
    fn amf3_named_values(&mut self) -> Result<(), NotAmf> {
        while self.amf3_text()? > 0 {
            self.amf3_value()?;
        }
        Ok(())
    }

    fn amf3_numbers(&mut self, count: usize, bytes_each: usize) -> Result<(), NotAmf> {
        // Whether the vector has a fixed length does not matter to us.
        self.skip(1)?;
        self.fits(count, bytes_each)?;
        self.times(count, |scan| {
            scan.allowed.element()?;
            scan.skip(bytes_each)
        })
    }

    /// Passes over a text and returns its length.
    fn amf3_text(&mut self) -> Result<usize, NotAmf> {
        match self.amf3_inline()? {
            Inline::At(index) => {
                let length = *self.strings.get(index).ok_or(NotAmf::Dangling)?;
                self.allowed.text(length)?;
                Ok(length)
            }
            Inline::Here(length) => {
                self.text(length)?;
                if length > 0 {
                    self.strings.push(length);
                }
                Ok(length)
            }
        }
    }

    fn amf3_inline(&mut self) -> Result<Inline, NotAmf> {
        let number = self.u29()?;
        let value = usize::try_from(number >> 1).expect("28 bits fit");
        // The library misreads a 29th bit that is set. No message is long enough to need it.
        match (number & 1 == 0, number >> 28 == 0) {
            (true, true) => Ok(Inline::At(value)),
            (true, false) => Err(NotAmf::Dangling),
            (false, true) => Ok(Inline::Here(value)),
            (false, false) => Err(NotAmf::TooMuch),
        }
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

/// The length or count that follows a marker, or where in its table the value stands instead.
enum Inline {
    Here(usize),
    At(usize),
}

/// The cursor.
impl Scan<'_> {
    fn skip(&mut self, count: usize) -> Result<(), NotAmf> {
        if count > self.bytes.len() - self.at {
            return Err(NotAmf::Truncated);
        }
        self.at += count;
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotAmf> {
        let found = *self.bytes[self.at..].first_chunk().ok_or(NotAmf::Truncated)?;
        self.at += N;
        Ok(found)
    }

    fn u8(&mut self) -> Result<u8, NotAmf> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<usize, NotAmf> {
        usize::try_from(u32::from_be_bytes(self.array()?)).map_err(|_| NotAmf::TooMuch)
    }

    /// Passes over that many bytes of text, counted against the limit.
    fn text(&mut self, count: usize) -> Result<(), NotAmf> {
        self.allowed.text(count)?;
        let start = self.at;
        self.skip(count)?;
        if std::str::from_utf8(&self.bytes[start..self.at]).is_err() {
            self.not_utf8.push(start..self.at);
        }
        Ok(())
    }

    /// Whether a list of `count` values can still follow. Nothing is allocated by a count alone.
    fn fits(&self, count: usize, bytes_each: usize) -> Result<(), NotAmf> {
        let needed = count.checked_mul(bytes_each).ok_or(NotAmf::TooMuch)?;
        if needed > self.bytes.len() - self.at {
            return Err(NotAmf::Truncated);
        }
        if count > self.allowed.elements_left() {
            return Err(NotAmf::TooMuch);
        }
        Ok(())
    }

    fn times(&mut self, count: usize, pass: impl Fn(&mut Self) -> Result<(), NotAmf>) -> Result<(), NotAmf> {
        (0..count).try_for_each(|_| pass(self))
    }

    /// Passes over the members of a composite value, one level deeper.
    fn deeper(&mut self, pass: impl FnOnce(&mut Self) -> Result<(), NotAmf>) -> Result<(), NotAmf> {
        if self.depth >= MOST_DEPTH {
            return Err(NotAmf::TooMuch);
        }
        self.depth += 1;
        let result = pass(self);
        self.depth -= 1;
        result
    }
}
