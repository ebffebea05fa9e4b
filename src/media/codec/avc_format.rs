//! How H.264 lies in bytes: start codes, length prefixes, and the AVCDecoderConfigurationRecord (ISO 14496-15 §5.3.3.1).
//!
//! Everything here reads bytes from outside; nothing here trusts a length.

use bytes::Bytes;

pub(crate) const NAL_SLICE: u8 = 1;
pub(crate) const NAL_IDR: u8 = 5;
pub(crate) const NAL_SPS: u8 = 7;
pub(crate) const NAL_PPS: u8 = 8;
pub(crate) const NAL_DELIMITER: u8 = 9;

/// The type of a NAL unit; 0 for an empty one.
pub(crate) fn nal_type(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |byte| byte & 0x1F)
}

/// The NAL units between the start codes of an Annex B stream.
pub(crate) fn annex_b_units(stream: &[u8]) -> Vec<&[u8]> {
    let mut units = Vec::new();
    let mut start = None;
    let mut at = 0;
    while at + 3 <= stream.len() {
        if stream[at..at + 3] != [0, 0, 1] {
            at += 1;
            continue;
        }
        push_unit(&mut units, stream, start, at);
        at += 3;
        start = Some(at);
    }
    push_unit(&mut units, stream, start, stream.len());
    units
}

fn push_unit<'a>(units: &mut Vec<&'a [u8]>, stream: &'a [u8], start: Option<usize>, end: usize) {
    let Some(start) = start else { return };
    let mut unit = &stream[start..end];
    // Zeros before the next start code belong to it, or are padding.
    while let [rest @ .., 0] = unit {
        unit = rest;
    }
    if !unit.is_empty() {
        units.push(unit);
    }
}

/// The NAL units of an access unit in which each stands after its length in four bytes. A length beyond the end ends it.
pub(crate) fn prefixed_units(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut units = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let Some((unit, rest)) = rest.split_at_checked(u32::from_be_bytes(*length) as usize) else { break };
        if !unit.is_empty() {
            units.push(unit);
        }
        bytes = rest;
    }
    units
}

/// Appends a unit after its length.
pub(crate) fn append_prefixed(out: &mut Vec<u8>, unit: &[u8]) {
    let length = u32::try_from(unit.len()).expect("a coded picture is far below 4 GB");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(unit);
}

/// Appends a unit after a start code.
pub(crate) fn append_annex_b(out: &mut Vec<u8>, unit: &[u8]) {
    out.extend_from_slice(&[0, 0, 0, 1]);
    out.extend_from_slice(unit);
}

/// The configuration record of one SPS and one PPS. `None` when the SPS is too short to hold a profile.
pub(crate) fn configuration_record(sps: &[u8], pps: &[u8]) -> Option<Bytes> {
    let [_, profile, constraints, level, ..] = *sps else { return None };
    let mut out = vec![1, profile, constraints, level, 0xFF, 0xE1];
    out.extend_from_slice(&u16::try_from(sps.len()).ok()?.to_be_bytes());
    out.extend_from_slice(sps);
    out.push(1);
    out.extend_from_slice(&u16::try_from(pps.len()).ok()?.to_be_bytes());
    out.extend_from_slice(pps);
    Some(out.into())
}

/// The parameter sets of a configuration record, in order. `None` for a record that is cut short.
pub(crate) fn parameter_sets(record: &[u8]) -> Option<Vec<&[u8]>> {
    let (head, mut rest) = record.split_at_checked(5)?;
    if head.first() != Some(&1) {
        return None;
    }
    let mut sets = Vec::new();
    for mask in [0x1F, 0xFF] {
        let (count, after) = rest.split_first()?;
        rest = after;
        for _ in 0..count & mask {
            let (length, after) = rest.split_first_chunk::<2>()?;
            let (set, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            sets.push(set);
            rest = after;
        }
    }
    Some(sets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_survive_both_byte_forms() {
        let units: [&[u8]; 3] = [&[0x67, 1, 2], &[0x68, 3], &[0x65, 0, 0, 3, 4]];
        let (mut annex_b, mut prefixed) = (Vec::new(), Vec::new());
        for unit in units {
            append_annex_b(&mut annex_b, unit);
            append_prefixed(&mut prefixed, unit);
        }
        assert_eq!(annex_b_units(&annex_b), units);
        assert_eq!(prefixed_units(&prefixed), units);
    }

    #[test]
    fn a_length_beyond_the_end_ends_the_reading_and_harms_nothing() {
        assert_eq!(prefixed_units(&[0, 0, 0, 1, 9, 255, 255, 255, 255, 1]), [&[9_u8][..]]);
        assert!(prefixed_units(&[0, 0, 0]).is_empty());
    }

    #[test]
    fn a_configuration_record_gives_back_its_parameter_sets_and_no_part_of_it_does() {
        let (sps, pps) = ([0x67, 0x42, 0xC0, 0x1F, 7], [0x68, 9]);
        let record = configuration_record(&sps, &pps).unwrap();
        assert_eq!(parameter_sets(&record), Some(vec![&sps[..], &pps[..]]));
        for cut in 0..record.len() {
            assert_eq!(parameter_sets(&record[..cut]), None);
        }
    }
}
