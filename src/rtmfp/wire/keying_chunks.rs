//! The chunks that agree on keys: IIKeying and RIKeying (RFC 7016 §2.3.7, §2.3.8).

use super::error::ChunkError;
use super::reader::Reader;
use super::writer::Writer;

/// Initiator Initial Keying (§2.3.7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct InitiatorKeying<'a> {
    /// The session ID by which the initiator wants to be reached.
    pub(crate) session_id: u32,
    /// The responder's cookie, unchanged.
    pub(crate) cookie_echo: &'a [u8],
    /// The initiator's certificate.
    pub(crate) certificate: &'a [u8],
    /// Session Key Initiator Component.
    pub(crate) component: &'a [u8],
    /// The parameters the signature covers, as they were on the wire. Not looked at when writing.
    pub(crate) signed: &'a [u8],
    /// The signature.
    pub(crate) signature: &'a [u8],
}

/// Responder Initial Keying (§2.3.8).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ResponderKeying<'a> {
    /// The session ID by which the responder wants to be reached.
    pub(crate) session_id: u32,
    /// Session Key Responder Component.
    pub(crate) component: &'a [u8],
    /// The parameters in this chunk that the signature covers, as they were on the wire; the signature covers the
    /// initiator's component too, behind these. Not looked at when writing.
    pub(crate) signed: &'a [u8],
    /// The signature.
    pub(crate) signature: &'a [u8],
}

impl<'a> InitiatorKeying<'a> {
    pub(super) fn read(payload: &'a [u8]) -> Result<Self, ChunkError> {
        let mut reader = Reader::new(payload);
        let session_id = reader.u32()?;
        let cookie_echo = reader.counted()?;
        let certificate = reader.counted()?;
        let component = reader.counted()?;
        let signed = &payload[..payload.len() - reader.remaining()];
        Ok(Self { session_id, cookie_echo, certificate, component, signed, signature: reader.rest() })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.u32(self.session_id);
        writer.counted(self.cookie_echo);
        writer.counted(self.certificate);
        writer.counted(self.component);
        writer.bytes(self.signature);
    }
}

impl<'a> ResponderKeying<'a> {
    pub(super) fn read(payload: &'a [u8]) -> Result<Self, ChunkError> {
        let mut reader = Reader::new(payload);
        let session_id = reader.u32()?;
        let component = reader.counted()?;
        let signed = &payload[..payload.len() - reader.remaining()];
        Ok(Self { session_id, component, signed, signature: reader.rest() })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.u32(self.session_id);
        writer.counted(self.component);
        writer.bytes(self.signature);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_initiators_signature_covers_everything_before_it() {
        let payload = [0, 0, 0, 5, 2, 1, 1, 1, 2, 3, 3, 3, 3, b'X'];
        let keying = InitiatorKeying::read(&payload).expect("a keying chunk");
        assert_eq!(keying.session_id, 5);
        assert_eq!(keying.cookie_echo, [1, 1]);
        assert_eq!(keying.certificate, [2]);
        assert_eq!(keying.component, [3, 3, 3]);
        assert_eq!(keying.signed, &payload[..13]);
        assert_eq!(keying.signature, b"X");
    }

    #[test]
    fn the_responders_signature_may_be_empty() {
        let payload = [0, 0, 0, 6, 2, 1, 1];
        let keying = ResponderKeying::read(&payload).expect("a keying chunk");
        assert_eq!((keying.session_id, keying.component), (6, &[1, 1][..]));
        assert_eq!((keying.signed, keying.signature), (&payload[..], &[][..]));
    }

    #[test]
    fn a_keying_chunk_cut_inside_its_component_is_refused() {
        assert_eq!(ResponderKeying::read(&[0, 0, 0, 6, 3, 1, 1]), Err(ChunkError::Truncated));
    }
}
