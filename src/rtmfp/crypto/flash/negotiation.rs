//! Whether packets carry an HMAC and a session sequence number, agreed on for each direction (RFC 7425 §4.6.4, §4.6.6).
//!
//! Each end says of both things whether it will send them always, on request, or not at all, and whether it wants them
//! from the far end. So one direction may have an HMAC and the other a checksum, and tags may differ in length.

use crate::rtmfp::crypto::CryptoError;
use crate::rtmfp::wire::reader::Reader;
use crate::rtmfp::wire::writer::Writer;

/// HMAC Negotiation (§4.5.2.4).
pub(super) const HMAC_NEGOTIATION: u64 = 0x1a;
/// Session Sequence Number Negotiation (§4.5.2.5).
pub(super) const SEQUENCE_NEGOTIATION: u64 = 0x1e;

/// What an end asks of those it opens sessions with, or that open sessions to it (RFC 7425 §4.7.3).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Verification {
    /// HMACs of at least 16 bytes and session sequence numbers, both ways; whoever has less gets no session.
    #[default]
    Required,
    /// As Flash-era programs do: a checksum of 16 bits and no sequence numbers, unless the far end asks for more.
    ///
    /// It is a way down for those who know nothing better. A far end with a static key in group 14 or a stronger one does,
    /// so from it everything is required all the same.
    OnRequest,
}

/// What an end says of one of the two.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Flags(u8);

impl Flags {
    const SEND_ALWAYS: u8 = 0x04;
    const SEND_ON_REQUEST: u8 = 0x02;
    const REQUEST: u8 = 0x01;

    /// Sent in any case, and wanted.
    const ALL: Self = Self(Self::SEND_ALWAYS | Self::SEND_ON_REQUEST | Self::REQUEST);
    /// Sent if wanted.
    const WILLING: Self = Self(Self::SEND_ON_REQUEST);
    /// Neither sent nor wanted.
    const NONE: Self = Self(0);

    fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// Whether an end that says this will send it to one that says `far`.
    fn sends_to(self, far: Self) -> bool {
        self.has(Self::SEND_ALWAYS) || (self.has(Self::SEND_ON_REQUEST) && far.has(Self::REQUEST))
    }

    fn can_send(self) -> bool {
        self.has(Self::SEND_ALWAYS | Self::SEND_ON_REQUEST)
    }
}

/// What an end says of both. One that says nothing offers nothing and wants nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Terms {
    hmac: Flags,
    /// Bytes of the tags this end would send.
    hmac_length: u64,
    sequence: Flags,
}

impl Terms {
    /// What an initiator says.
    pub(super) fn of_initiator(verification: Verification) -> Self {
        match verification {
            Verification::Required => Self::ALL,
            Verification::OnRequest => {
                Self { hmac: Flags::WILLING, hmac_length: FLASH_TAG_LENGTH, sequence: Flags::WILLING }
            }
        }
    }

    /// What a responder says, who has heard the initiator.
    pub(super) fn of_responder(verification: Verification, initiator: &Self) -> Self {
        let if_wanted = |far: Flags| if far.has(Flags::REQUEST) { Flags::WILLING } else { Flags::NONE };
        match verification {
            Verification::Required => Self::ALL,
            Verification::OnRequest => {
                let hmac = if_wanted(initiator.hmac);
                let hmac_length = if hmac.can_send() { TAG_LENGTH } else { 0 };
                Self { hmac, hmac_length, sequence: if_wanted(initiator.sequence) }
            }
        }
    }

    const ALL: Self = Self { hmac: Flags::ALL, hmac_length: TAG_LENGTH, sequence: Flags::ALL };

    /// Takes note of an option's value, if it is one of the two. Reserved flags are left alone (§3).
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the value is cut short.
    pub(super) fn read(&mut self, kind: u64, value: &mut Reader<'_>) -> Result<(), CryptoError> {
        let mut flags = || value.u8().map(Flags).map_err(|_| CryptoError::Malformed);
        match kind {
            HMAC_NEGOTIATION => {
                self.hmac = flags()?;
                self.hmac_length = value.vlu().map_err(|_| CryptoError::Malformed)?;
            }
            SEQUENCE_NEGOTIATION => self.sequence = flags()?,
            _ => {}
        }
        Ok(())
    }

    /// Writes both options, in the order that Flash-era programs expect.
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        let length = u8::try_from(self.hmac_length).expect("our own tags have at most 32 bytes");
        writer.option(HMAC_NEGOTIATION, &[self.hmac.0, length]);
        writer.option(SEQUENCE_NEGOTIATION, &[self.sequence.0]);
    }
}

/// What was agreed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Agreed {
    /// Each direction's own.
    pub(super) sent: Direction,
    pub(super) received: Direction,
}

/// How packets of one direction are verified.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Direction {
    /// Bytes of the tag; none where there is a checksum instead.
    pub(super) tag_length: Option<usize>,
    /// Whether there are sequence numbers.
    pub(super) sequence: bool,
}

/// What follows from what both ends say.
///
/// # Errors
/// [`CryptoError::NoCommonGround`] when the far end will not send what is required; [`CryptoError::Malformed`] for a tag
/// length that cannot be.
pub(super) fn agree(near: &Terms, far: &Terms, verification: Verification) -> Result<Agreed, CryptoError> {
    let received = direction(far, near)?;
    let enough = received.sequence && received.tag_length.is_some_and(|length| length >= LEAST_REQUIRED_TAG);
    if verification == Verification::Required && !enough {
        return Err(CryptoError::NoCommonGround);
    }
    Ok(Agreed { sent: direction(near, far)?, received })
}

fn direction(sender: &Terms, receiver: &Terms) -> Result<Direction, CryptoError> {
    let tag_length = match sender.hmac.sends_to(receiver.hmac) {
        true => Some(tag_length(sender.hmac_length)?),
        false => None,
    };
    Ok(Direction { tag_length, sequence: sender.sequence.sends_to(receiver.sequence) })
}

fn tag_length(bytes: u64) -> Result<usize, CryptoError> {
    usize::try_from(bytes).ok().filter(|length| (4..=32).contains(length)).ok_or(CryptoError::Malformed)
}

/// Bytes of the tags we send.
const TAG_LENGTH: u64 = 16;
/// The fewest we take where any are required.
const LEAST_REQUIRED_TAG: usize = 16;
/// What Flash-era initiators name.
const FLASH_TAG_LENGTH: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    const ALWAYS: u8 = Flags::SEND_ALWAYS;
    const ON_REQUEST: u8 = Flags::SEND_ON_REQUEST;
    const REQUEST: u8 = Flags::REQUEST;

    fn terms(hmac: u8, hmac_length: u64, sequence: u8) -> Terms {
        Terms { hmac: Flags(hmac), hmac_length, sequence: Flags(sequence) }
    }

    fn sent_and_received(near: Terms, far: Terms) -> [(Option<usize>, bool); 2] {
        let agreed = agree(&near, &far, Verification::OnRequest).expect("nothing is required");
        [agreed.sent, agreed.received].map(|direction| (direction.tag_length, direction.sequence))
    }

    /// Conforms: 7425-4.6.4-b, 7425-4.6.4-c, 7425-4.6.4-f
    #[test]
    fn an_hmac_is_sent_always_or_on_request_as_each_end_says_for_itself() {
        for (near, far, sent) in [
            (ALWAYS, 0, true),
            (ALWAYS | ON_REQUEST, 0, true),
            (ON_REQUEST, 0, false),
            (ON_REQUEST, REQUEST, true),
            (ON_REQUEST, ALWAYS | ON_REQUEST, false),
            (REQUEST, REQUEST, false),
            (0, REQUEST, false),
        ] {
            let [(tag, sequence), _] = sent_and_received(terms(near, 16, 0), terms(far, 20, 0));
            assert_eq!(tag, sent.then_some(16), "{near} to {far}");
            assert!(!sequence, "sequence numbers are another matter");
            let [_, (tag, _)] = sent_and_received(terms(far, 20, 0), terms(near, 16, 0));
            assert_eq!(tag, sent.then_some(16), "{near} from {far}");
        }
        let [sent, received] = sent_and_received(terms(ALWAYS, 8, 0), terms(0, 0, ALWAYS));
        assert_eq!(
            (sent, received),
            ((Some(8), false), (None, true)),
            "an HMAC one way, a checksum the other"
        );
    }

    /// Conforms: 7425-4.6.6-d, 7425-4.6.6-e
    #[test]
    fn sequence_numbers_are_sent_always_or_on_request_whatever_is_said_of_the_hmac() {
        for (near, far, sent) in [
            (ALWAYS, 0, true),
            (ON_REQUEST, 0, false),
            (ON_REQUEST, REQUEST, true),
            (REQUEST, REQUEST, false),
        ] {
            let [(tag, sequence), _] = sent_and_received(terms(0, 0, near), terms(ALWAYS, 32, far));
            assert_eq!((tag, sequence), (None, sent), "{near} to {far}");
        }
    }

    /// Conforms: 7425-4.6.4-d, 7425-4.6.6-f
    #[test]
    fn an_end_that_requires_both_refuses_one_that_cannot_send_them() {
        let required = |far| agree(&Terms::ALL, &far, Verification::Required);
        assert!(required(terms(ON_REQUEST, 16, ON_REQUEST)).is_ok());
        assert!(required(terms(ALWAYS, 32, ALWAYS)).is_ok());
        for far in [
            Terms::default(),
            terms(REQUEST, 0, ALWAYS),
            terms(ALWAYS, 16, REQUEST),
            terms(ALWAYS, 15, ALWAYS),
        ] {
            assert_eq!(required(far), Err(CryptoError::NoCommonGround), "{far:?}");
        }
    }

    /// Conforms: 7425-4.6.4-e
    #[test]
    fn a_tag_that_is_sent_has_4_to_32_bytes() {
        let length = |bytes| {
            let agreed = agree(&Terms::default(), &terms(ALWAYS, bytes, 0), Verification::OnRequest);
            agreed.map(|agreed| agreed.received.tag_length)
        };
        assert_eq!((length(4), length(32)), (Ok(Some(4)), Ok(Some(32))));
        for bytes in [0, 3, 33, 1 << 32, u64::MAX] {
            assert_eq!(length(bytes), Err(CryptoError::Malformed), "{bytes} bytes");
        }
        let unused = agree(&Terms::default(), &terms(ON_REQUEST, 99, 0), Verification::OnRequest);
        assert!(unused.is_ok(), "the length of what is not sent is of no interest");
    }

    /// Conforms: 7425-4.5.2.4-b
    #[test]
    fn the_tag_length_we_name_is_zero_exactly_when_we_offer_none() {
        for flags in 0..8 {
            for verification in [Verification::Required, Verification::OnRequest] {
                let initiator = terms(flags, 16, flags);
                for ours in [Terms::of_initiator(verification), Terms::of_responder(verification, &initiator)]
                {
                    let named = ours.hmac_length;
                    assert!(if ours.hmac.can_send() { (4..=32).contains(&named) } else { named == 0 });
                }
            }
        }
    }

    /// Conforms: 7425-4.5.2.4-a, 7425-4.5.2.5-a, 7425-3-d, 7425-3-c
    #[test]
    fn both_options_are_flags_and_a_length_and_reserved_flags_mean_nothing() {
        let mut read = Terms::default();
        read.read(HMAC_NEGOTIATION, &mut Reader::new(&[0xf8 | ALWAYS, 0x81, 0x01])).expect("well formed");
        read.read(SEQUENCE_NEGOTIATION, &mut Reader::new(&[0xf8 | ON_REQUEST])).expect("well formed");
        assert_eq!(read.hmac_length, 129, "the length is a variable length number");
        let agreed = direction(&Terms { hmac_length: 9, ..read }, &Terms::default());
        assert_eq!(agreed, Ok(Direction { tag_length: Some(9), sequence: false }));
        let mut bytes = Vec::new();
        Terms::ALL.write(&mut Writer::new(&mut bytes));
        assert_eq!(bytes, [3, 0x1a, 0x07, 16, 2, 0x1e, 0x07]);
        assert!(Terms::default().read(HMAC_NEGOTIATION, &mut Reader::new(&[4])).is_err());
        assert!(Terms::default().read(SEQUENCE_NEGOTIATION, &mut Reader::new(&[])).is_err());
    }

    #[test]
    fn a_flash_era_end_offers_on_request_and_answers_what_was_asked_for() {
        let said = |terms: Terms| {
            let mut bytes = Vec::new();
            terms.write(&mut Writer::new(&mut bytes));
            bytes
        };
        let initiator = Terms::of_initiator(Verification::OnRequest);
        assert_eq!(said(initiator), [3, 0x1a, 2, 10, 2, 0x1e, 2]);
        assert_eq!(
            said(Terms::of_responder(Verification::OnRequest, &initiator)),
            [3, 0x1a, 0, 0, 2, 0x1e, 0]
        );
        let asks = terms(REQUEST, 0, REQUEST);
        assert_eq!(said(Terms::of_responder(Verification::OnRequest, &asks)), [3, 0x1a, 2, 16, 2, 0x1e, 2]);
    }
}
