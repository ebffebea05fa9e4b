//! The cursor over a message's AMF bytes, and the limits every value counts against.
//!
//! References are kept as places in the message and read again where they are used, so a table costs no copies, and a
//! small message that refers to itself over and over runs into the same limits as a large one.

/// Objects in objects go no deeper than this.
pub const MOST_DEPTH: usize = 16;

/// Values in one message, references counted as often as they are used.
pub const MOST_ELEMENTS: usize = 65_536;

/// Bytes of one message, and also of all the text read from it, references counted as often as they are used.
pub const MOST_BYTES: usize = 4 << 20;

/// Why bytes are refused as AMF.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotAmf {
    /// They end inside a value.
    #[error("the values are cut short")]
    Truncated,
    /// A marker that is reserved, unknown, or not readable without its class.
    #[error("a value of an unknown kind")]
    UnknownMarker,
    /// More depth, values or text than a message may have.
    #[error("more than a message may hold")]
    TooMuch,
}

/// Where one reads, what may be referred to, and how much may still come.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    elements_left: usize,
    text_left: usize,
    /// Where the composite values start that are being read right now, outermost first.
    open: Vec<usize>,
    /// Whether a referred value is read again: it is in the tables already.
    pub(super) again: bool,
    /// Where AMF0 objects and arrays start, in order of appearance.
    pub(super) amf0_objects: Vec<usize>,
    /// Where AMF3 objects' contents start (their marker's place), in order of appearance.
    pub(super) amf3_objects: Vec<usize>,
    /// AMF3 strings in order of appearance: place and length.
    pub(super) amf3_strings: Vec<(usize, usize)>,
    /// AMF3 class descriptions in order of appearance.
    pub(super) amf3_traits: Vec<super::amf3::Traits>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, NotAmf> {
        if bytes.len() > MOST_BYTES {
            return Err(NotAmf::TooMuch);
        }
        Ok(Self {
            bytes,
            at: 0,
            elements_left: MOST_ELEMENTS,
            text_left: MOST_BYTES,
            open: Vec::new(),
            again: false,
            amf0_objects: Vec::new(),
            amf3_objects: Vec::new(),
            amf3_strings: Vec::new(),
            amf3_traits: Vec::new(),
        })
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(super) fn place(&self) -> usize {
        self.at
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], NotAmf> {
        let end = self.at.checked_add(count).ok_or(NotAmf::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(NotAmf::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], NotAmf> {
        self.take(N)?.try_into().map_err(|_| NotAmf::Truncated)
    }

    pub(super) fn u8(&mut self) -> Result<u8, NotAmf> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, NotAmf> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, NotAmf> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(super) fn f64(&mut self) -> Result<f64, NotAmf> {
        Ok(f64::from_be_bytes(self.array()?))
    }

    /// That many bytes as text, counted against the limit.
    pub(super) fn text(&mut self, count: usize) -> Result<String, NotAmf> {
        let raw = self.raw(count)?;
        Ok(String::from_utf8_lossy(raw).into_owned())
    }

    /// That many bytes that will be copied, counted against the limit.
    pub(super) fn raw(&mut self, count: usize) -> Result<&'a [u8], NotAmf> {
        self.text_left = self.text_left.checked_sub(count).ok_or(NotAmf::TooMuch)?;
        self.take(count)
    }

    /// The bytes at a place that was read before, counted against the limit.
    pub(super) fn text_at(&mut self, (place, count): (usize, usize)) -> Result<String, NotAmf> {
        self.text_left = self.text_left.checked_sub(count).ok_or(NotAmf::TooMuch)?;
        let end = place.checked_add(count).ok_or(NotAmf::Truncated)?;
        let raw = self.bytes.get(place..end).ok_or(NotAmf::Truncated)?;
        Ok(String::from_utf8_lossy(raw).into_owned())
    }

    /// Counts one value against the limit.
    pub(super) fn count_element(&mut self) -> Result<(), NotAmf> {
        self.elements_left = self.elements_left.checked_sub(1).ok_or(NotAmf::TooMuch)?;
        Ok(())
    }

    /// Whether a list of `count` values, each at least one byte, can still follow. Nothing is allocated by a count alone.
    pub(super) fn count_fits(&self, count: usize, bytes_each: usize) -> Result<(), NotAmf> {
        let needed = count.checked_mul(bytes_each).ok_or(NotAmf::TooMuch)?;
        if needed > self.bytes.len() - self.at {
            return Err(NotAmf::Truncated);
        }
        if count > self.elements_left {
            return Err(NotAmf::TooMuch);
        }
        Ok(())
    }

    /// Reads a composite value that starts at `place`, one level deeper.
    pub(super) fn deeper<T>(
        &mut self,
        place: usize,
        read: impl FnOnce(&mut Self) -> Result<T, NotAmf>,
    ) -> Result<T, NotAmf> {
        if self.open.len() >= MOST_DEPTH {
            return Err(NotAmf::TooMuch);
        }
        self.open.push(place);
        let result = read(self);
        self.open.pop();
        result
    }

    /// Reads the composite value at `place` once more; `None` when we are inside it.
    pub(super) fn once_more<T>(
        &mut self,
        place: usize,
        read: impl FnOnce(&mut Self) -> Result<T, NotAmf>,
    ) -> Result<Option<T>, NotAmf> {
        if self.open.contains(&place) {
            return Ok(None);
        }
        let (back, again) = (self.at, self.again);
        self.at = place;
        self.again = true;
        let result = read(self);
        self.at = back;
        self.again = again;
        result.map(Some)
    }
}
