//! Options and lists of them (RFC 7016 §2.1.3, §2.1.4).
//!
//! A list inside a chunk ends with a Marker. Certificates, keying components and endpoint discriminators are options to
//! the end instead, and may have Markers between them (RFC 7425 §4.3.1).

use super::error::ChunkError;
use super::reader::Reader;

/// An option, or a Marker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Item<'a> {
    /// Length 0: no type, no value.
    Marker,
    /// Anything else.
    Option {
        /// What it says.
        kind: u64,
        /// How much of it.
        value: &'a [u8],
    },
}

/// Reads one option or Marker.
pub(crate) fn read_item<'a>(reader: &mut Reader<'a>) -> Result<Item<'a>, ChunkError> {
    let payload = reader.counted()?;
    if payload.is_empty() {
        return Ok(Item::Marker);
    }
    let mut inside = Reader::new(payload);
    let kind = inside.vlu()?;
    Ok(Item::Option { kind, value: inside.rest() })
}

/// Reads a list up to and with its Marker, and shows each option to `each`. Nothing is kept, so its length is no cost.
///
/// # Errors
/// [`ChunkError::Truncated`] when the end comes before a Marker (§2.1.4); whatever `each` answers.
pub(crate) fn read_list<'a>(
    reader: &mut Reader<'a>,
    mut each: impl FnMut(u64, &'a [u8]) -> Result<(), ChunkError>,
) -> Result<(), ChunkError> {
    while let Item::Option { kind, value } = read_item(reader)? {
        each(kind, value)?;
    }
    Ok(())
}

/// The options and Markers of `bytes`, to its end. Stops after an error.
pub(crate) fn items(bytes: &[u8]) -> impl Iterator<Item = Result<Item<'_>, ChunkError>> {
    let mut reader = Reader::new(bytes);
    std::iter::from_fn(move || {
        if reader.is_empty() {
            return None;
        }
        let item = read_item(&mut reader);
        if item.is_err() {
            reader.rest();
        }
        Some(item)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Conforms: 7016-2.1.3-a, 7016-2.1.3-b, 7016-2.1.4-a
    #[test]
    fn a_list_ends_at_its_marker_and_leaves_the_rest() {
        let mut reader = Reader::new(&[3, 0x0e, 1, 2, 1, 0x0a, 0, 9]);
        let mut seen = Vec::new();
        let end = read_list(&mut reader, |kind, value| {
            seen.push((kind, value));
            Ok(())
        });
        assert_eq!(end, Ok(()));
        assert_eq!(seen, [(0x0e, &[1, 2][..]), (0x0a, &[][..])]);
        assert_eq!(reader.rest(), [9]);
    }

    /// Conforms: 7016-2.1.4-b
    #[test]
    fn a_list_without_a_marker_is_cut_short() {
        let mut reader = Reader::new(&[1, 0x0a]);
        assert_eq!(read_list(&mut reader, |_, _| Ok(())), Err(ChunkError::Truncated));
    }

    /// Conforms: 7016-2.1.3-c
    #[test]
    fn a_type_that_does_not_end_within_the_option_is_an_error() {
        let mut all = items(&[1, 0x8a, 1, 0x0a]);
        assert_eq!(all.next(), Some(Err(ChunkError::Truncated)));
        assert_eq!(all.next(), None);
    }

    #[test]
    fn options_and_markers_may_alternate_to_the_end() {
        let all: Result<Vec<_>, _> = items(&[1, 0x0a, 0, 2, 0x15, 14]).collect();
        let expected = [
            Item::Option { kind: 0x0a, value: &[] },
            Item::Marker,
            Item::Option { kind: 0x15, value: &[14] },
        ];
        assert_eq!(all.as_deref(), Ok(&expected[..]));
    }
}
