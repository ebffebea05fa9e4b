//! Fragments of messages: User Data and Next User Data (RFC 7016 §2.3.11, §2.3.12).

use super::error::ChunkError;
use super::option_list;
use super::reader::Reader;
use super::vlu;
use super::writer::{CHUNK_HEADER, Writer};

const OPTIONS: u8 = 0x80;
const FRAGMENT: u8 = 0x30;
const ABANDONED: u8 = 0x02;
const FINISHED: u8 = 0x01;

const METADATA: u64 = 0x00;
const RETURN_ASSOCIATION: u64 = 0x0a;
/// Options from here on may be passed over when unknown (§2.3.11.1).
const FIRST_OPTIONAL: u64 = 0x2000;

/// Where in its message a fragment belongs. The numbers are those of the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FragmentPlace {
    /// It is the message.
    Whole = 0,
    /// The beginning.
    First = 1,
    /// The end.
    Last = 2,
    /// In between.
    Middle = 3,
}

/// What a flow says about itself until it is acknowledged (§2.3.11.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct FlowMetadata<'a> {
    /// What the flow is for.
    pub(crate) metadata: &'a [u8],
    /// The receiver's flow that this one answers.
    pub(crate) answers: Option<u64>,
    /// Why the receiver must reject the flow. Never written.
    pub(crate) defect: Option<FlowDefect>,
}

/// Why a flow must be rejected for its options.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FlowDefect {
    /// An option below 0x2000 that we do not understand (§2.3.11.1).
    UnknownOption(u64),
    /// No metadata, which every new flow must have (§2.3.11.1.1). No defect of a flow that is known already.
    NoMetadata,
    /// More than one return association (§2.3.11.1.2).
    TwoAssociations,
}

impl<'a> FlowMetadata<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, ChunkError> {
        let mut metadata = None;
        let mut answers = None;
        let mut defect = None;
        option_list::read_list(reader, |kind, value| {
            match kind {
                METADATA => metadata = metadata.or(Some(value)),
                RETURN_ASSOCIATION => {
                    let flow = Reader::new(value).vlu()?;
                    if answers.is_some_and(|known| known != flow) {
                        defect = defect.or(Some(FlowDefect::TwoAssociations));
                    }
                    answers = Some(flow);
                }
                FIRST_OPTIONAL.. => {}
                unknown => defect = defect.or(Some(FlowDefect::UnknownOption(unknown))),
            }
            Ok(())
        })?;
        let missing = metadata.is_none().then_some(FlowDefect::NoMetadata);
        Ok(Self { metadata: metadata.unwrap_or_default(), answers, defect: defect.or(missing) })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.option(METADATA, self.metadata);
        if let Some(flow) = self.answers {
            writer.number_option(RETURN_ASSOCIATION, flow, &[]);
        }
        writer.marker();
    }

    /// How many bytes the option list takes, Marker included.
    pub(crate) fn encoded_length(&self) -> usize {
        let option = |value: usize| vlu::encoded_length(1 + value as u64) + 1 + value;
        let association = self.answers.map_or(0, |flow| option(vlu::encoded_length(flow)));
        option(self.metadata.len()) + association + 1
    }
}

/// A fragment with all that names it (§2.3.11).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct UserData<'a> {
    /// The flow.
    pub(crate) flow_id: u64,
    /// The fragment's sequence number.
    pub(crate) sequence: u64,
    /// The sequence number less the forward sequence number (fsnOffset); never more than the sequence number.
    pub(crate) forward_offset: u64,
    /// Where in its message it belongs.
    pub(crate) fragment: FragmentPlace,
    /// The sender has given it up, and its data says nothing (ABN).
    pub(crate) abandoned: bool,
    /// It is the flow's last sequence number (FIN).
    pub(crate) finished: bool,
    /// What the flow says about itself.
    pub(crate) options: Option<FlowMetadata<'a>>,
    /// The fragment's bytes.
    pub(crate) data: &'a [u8],
}

/// A fragment of the same flow and forward sequence number as the chunk before it in the packet, with the next sequence
/// number (§2.3.12).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct NextUserData<'a> {
    /// Where in its message it belongs.
    pub(crate) fragment: FragmentPlace,
    /// The sender has given it up, and its data says nothing (ABN).
    pub(crate) abandoned: bool,
    /// It is the flow's last sequence number (FIN).
    pub(crate) finished: bool,
    /// An option that obliges its receiver to reject the flow (§2.3.11.1). Never written: what there is to say about a
    /// flow, the chunk before this one has said.
    pub(crate) unknown_option: Option<u64>,
    /// The fragment's bytes.
    pub(crate) data: &'a [u8],
}

impl<'a> UserData<'a> {
    /// Bytes of a chunk before its data, type and length included: what a packer must have room for.
    pub(crate) fn header_length(
        flow_id: u64,
        sequence: u64,
        forward_offset: u64,
        options: Option<&FlowMetadata<'_>>,
    ) -> usize {
        CHUNK_HEADER
            + 1
            + vlu::encoded_length(flow_id)
            + vlu::encoded_length(sequence)
            + vlu::encoded_length(forward_offset)
            + options.map_or(0, FlowMetadata::encoded_length)
    }

    /// How many bytes the whole chunk takes.
    pub(crate) fn encoded_length(&self) -> usize {
        Self::header_length(self.flow_id, self.sequence, self.forward_offset, self.options.as_ref())
            + self.data.len()
    }

    pub(super) fn read(mut reader: Reader<'a>) -> Result<Self, ChunkError> {
        let flags = reader.u8()?;
        let flow_id = reader.vlu()?;
        let sequence = reader.vlu()?;
        let forward_offset = reader.vlu()?;
        if forward_offset > sequence {
            return Err(ChunkError::Malformed);
        }
        let options = match flags & OPTIONS {
            0 => None,
            _ => Some(FlowMetadata::read(&mut reader)?),
        };
        Ok(Self {
            flow_id,
            sequence,
            forward_offset,
            fragment: place(flags),
            abandoned: flags & ABANDONED != 0,
            finished: flags & FINISHED != 0,
            options,
            data: reader.rest(),
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        let options = if self.options.is_some() { OPTIONS } else { 0 };
        writer.u8(options | flags(self.fragment, self.abandoned, self.finished));
        writer.vlu(self.flow_id);
        writer.vlu(self.sequence);
        writer.vlu(self.forward_offset);
        if let Some(options) = &self.options {
            options.write(writer);
        }
        writer.bytes(self.data);
    }
}

impl<'a> NextUserData<'a> {
    /// Bytes of a chunk before its data, type and length included.
    pub(crate) const HEADER_LENGTH: usize = CHUNK_HEADER + 1;

    /// How many bytes the whole chunk takes.
    pub(crate) fn encoded_length(&self) -> usize {
        Self::HEADER_LENGTH + self.data.len()
    }

    pub(super) fn read(mut reader: Reader<'a>) -> Result<Self, ChunkError> {
        let flags = reader.u8()?;
        let defect = match flags & OPTIONS {
            0 => None,
            _ => FlowMetadata::read(&mut reader)?.defect,
        };
        Ok(Self {
            fragment: place(flags),
            abandoned: flags & ABANDONED != 0,
            finished: flags & FINISHED != 0,
            unknown_option: match defect {
                Some(FlowDefect::UnknownOption(kind)) => Some(kind),
                Some(FlowDefect::NoMetadata | FlowDefect::TwoAssociations) | None => None,
            },
            data: reader.rest(),
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(flags(self.fragment, self.abandoned, self.finished));
        writer.bytes(self.data);
    }
}

fn place(flags: u8) -> FragmentPlace {
    match (flags & FRAGMENT) >> 4 {
        0 => FragmentPlace::Whole,
        1 => FragmentPlace::First,
        2 => FragmentPlace::Last,
        _ => FragmentPlace::Middle,
    }
}

fn flags(fragment: FragmentPlace, abandoned: bool, finished: bool) -> u8 {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    (fragment as u8) << 4 | flag(abandoned, ABANDONED) | flag(finished, FINISHED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(payload: &[u8]) -> Result<UserData<'_>, ChunkError> {
        UserData::read(Reader::new(payload))
    }

    /// RFC 7016, figure 3, first chunk.
    #[test]
    fn the_rfcs_user_data_is_read() {
        let chunk = read(&[0x00, 2, 5, 3, 0, 1, 2]).expect("a user data chunk");
        assert_eq!((chunk.flow_id, chunk.sequence, chunk.forward_offset), (2, 5, 3));
        assert_eq!((chunk.fragment, chunk.abandoned, chunk.finished), (FragmentPlace::Whole, false, false));
        assert_eq!((chunk.options, chunk.data), (None, &[0, 1, 2][..]));
    }

    #[test]
    fn metadata_and_association_come_before_the_data() {
        let payload = [0x91, 3, 1, 1, 4, 0, b'T', b'C', 4, 2, 0x0a, 2, 0, 9, 9];
        let chunk = read(&payload).expect("a user data chunk");
        let options = FlowMetadata { metadata: &[b'T', b'C', 4], answers: Some(2), defect: None };
        assert_eq!((chunk.options, chunk.data), (Some(options), &[9, 9][..]));
        assert_eq!((chunk.fragment, chunk.finished), (FragmentPlace::First, true));
        assert_eq!(chunk.encoded_length(), CHUNK_HEADER + payload.len());
    }

    #[test]
    fn an_unknown_option_obliges_to_reject_unless_it_is_optional() {
        let defect = |payload| read(payload).expect("a user data chunk").options.expect("options").defect;
        assert_eq!(defect(&[0x80, 3, 1, 1, 1, 0, 1, 0x0b, 0]), Some(FlowDefect::UnknownOption(0x0b)));
        assert_eq!(defect(&[0x80, 3, 1, 1, 1, 0, 2, 0xc0, 0x00, 0]), None);
        assert_eq!(defect(&[0x80, 3, 1, 1, 0]), Some(FlowDefect::NoMetadata));
        let two = [0x80, 3, 1, 1, 1, 0, 2, 0x0a, 2, 2, 0x0a, 4, 0];
        assert_eq!(defect(&two), Some(FlowDefect::TwoAssociations));
    }

    /// Conforms: 7016-2.1.4-b
    #[test]
    fn a_list_that_never_ends_skips_the_chunk() {
        assert_eq!(read(&[0x80, 3, 1, 1, 1, 0]), Err(ChunkError::Truncated));
    }

    #[test]
    fn a_forward_offset_beyond_the_sequence_number_is_no_wrapped_number() {
        assert_eq!(read(&[0x02, 3, 1, 2]), Err(ChunkError::Malformed));
    }

    /// Conforms: 7016-2-c
    #[test]
    fn reserved_flags_are_passed_over() {
        assert_eq!(read(&[0x4c, 2, 5, 3, 0]), read(&[0x00, 2, 5, 3, 0]));
    }
}
