//! Every chunk of RFC 7016 §2.3, from a type and a payload to its meaning and back.

use super::acknowledgement::Ack;
use super::error::ChunkError;
use super::hello_chunks as hello;
pub(crate) use super::keying_chunks::{InitiatorKeying, ResponderKeying};
use super::packet_fragment::PacketFragment;
use super::reader::Reader;
use super::socket_address;
use super::user_data::{NextUserData, UserData};
use super::vlu;
use super::writer::{CHUNK_HEADER, Writer, counted_length};
use crate::rtmfp::endpoint::KnownAddress;

pub(crate) const PADDING: u8 = 0xff;
pub(crate) const OTHER_PADDING: u8 = 0x00;
pub(crate) const PACKET_FRAGMENT: u8 = 0x7f;
pub(crate) const INITIATOR_HELLO: u8 = 0x30;
pub(crate) const FORWARDED_HELLO: u8 = 0x0f;
pub(crate) const RESPONDER_HELLO: u8 = 0x70;
pub(crate) const REDIRECT: u8 = 0x71;
pub(crate) const COOKIE_CHANGE: u8 = 0x79;
pub(crate) const INITIATOR_KEYING: u8 = 0x38;
pub(crate) const RESPONDER_KEYING: u8 = 0x78;
pub(crate) const PING: u8 = 0x01;
pub(crate) const PING_REPLY: u8 = 0x41;
pub(crate) const USER_DATA: u8 = 0x10;
pub(crate) const NEXT_USER_DATA: u8 = 0x11;
pub(crate) const BITMAP_ACK: u8 = 0x50;
pub(crate) const RANGE_ACK: u8 = 0x51;
pub(crate) const BUFFER_PROBE: u8 = 0x18;
pub(crate) const FLOW_EXCEPTION: u8 = 0x5e;
pub(crate) const ECN_REPORT: u8 = 0xec;
pub(crate) const CLOSE_REQUEST: u8 = 0x0c;
pub(crate) const CLOSE_ACK: u8 = 0x4c;

/// A chunk, borrowing from its packet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Chunk<'a> {
    /// Who is there? (§2.3.2)
    IHello {
        /// Whom the initiator looks for.
        endpoint_discriminator: &'a [u8],
        /// What the answer will repeat.
        tag: &'a [u8],
    },
    /// Somebody looks for you (§2.3.3).
    ForwardedHello {
        /// Whom the initiator looks for.
        endpoint_discriminator: &'a [u8],
        /// Where the initiator is.
        reply: KnownAddress,
        /// What the answer will repeat.
        tag: &'a [u8],
    },
    /// I am (§2.3.4).
    ResponderHello {
        /// The tag of the hello.
        tag_echo: &'a [u8],
        /// What IIKeying must repeat.
        cookie: &'a [u8],
        /// Who answers.
        certificate: &'a [u8],
    },
    /// Try there (§2.3.5).
    Redirect {
        /// The tag of the hello.
        tag_echo: &'a [u8],
        /// Where; empty means where this packet came from.
        destinations: Vec<KnownAddress>,
    },
    /// Your cookie is stale, take this one (§2.3.6).
    CookieChange {
        /// The cookie of the IIKeying.
        old_cookie: &'a [u8],
        /// The one to use.
        new_cookie: &'a [u8],
    },
    /// The initiator's keys (§2.3.7).
    InitiatorKeying(InitiatorKeying<'a>),
    /// The responder's keys (§2.3.8).
    ResponderKeying(ResponderKeying<'a>),
    /// Are you there? (§2.3.9)
    Ping {
        /// What the answer will repeat.
        message: &'a [u8],
    },
    /// Yes (§2.3.10).
    PingReply {
        /// The message of the ping.
        echo: &'a [u8],
    },
    /// A fragment (§2.3.11).
    UserData(UserData<'a>),
    /// The fragment after it (§2.3.12).
    NextUserData(NextUserData<'a>),
    /// What a flow's receiver has, in either form (§2.3.13, §2.3.14).
    Ack(Ack),
    /// Is there room again? (§2.3.15)
    BufferProbe {
        /// The flow.
        flow_id: u64,
    },
    /// The receiver does not want the flow (§2.3.16).
    FlowException {
        /// The flow.
        flow_id: u64,
        /// Why, in the application's terms; 0 is the implementation's own reason.
        code: u64,
    },
    /// How many packets came marked as congested; not in the RFC (see [`crate::rtmfp::session::congestion_marks`]).
    EcnReport {
        /// Modulo 256.
        count: u8,
    },
    /// Let us close the session (§2.3.17).
    CloseRequest,
    /// It is closed (§2.3.18).
    CloseAck,
    /// A piece of a packet that did not fit the path (§2.3.1).
    PacketFragment(PacketFragment<'a>),
}

impl<'a> Chunk<'a> {
    /// Reads the payload of a chunk of type `kind`.
    ///
    /// # Errors
    /// Any; the chunk is then treated as absent, and the next one is read (§2.3). Padding chunks (0x00, 0xff) are
    /// [`ChunkError::UnknownType`] too: both are skipped.
    pub(crate) fn parse(kind: u8, payload: &'a [u8]) -> Result<Self, ChunkError> {
        let mut reader = Reader::new(payload);
        match kind {
            INITIATOR_HELLO => hello::read_initiator_hello(reader),
            FORWARDED_HELLO => hello::read_forwarded_hello(reader),
            RESPONDER_HELLO => hello::read_responder_hello(reader),
            REDIRECT => hello::read_redirect(reader),
            COOKIE_CHANGE => hello::read_cookie_change(reader),
            INITIATOR_KEYING => InitiatorKeying::read(payload).map(Self::InitiatorKeying),
            RESPONDER_KEYING => ResponderKeying::read(payload).map(Self::ResponderKeying),
            PING => Ok(Self::Ping { message: payload }),
            PING_REPLY => Ok(Self::PingReply { echo: payload }),
            USER_DATA => UserData::read(reader).map(Self::UserData),
            NEXT_USER_DATA => NextUserData::read(reader).map(Self::NextUserData),
            BITMAP_ACK => Ack::read_bitmap(reader).map(Self::Ack),
            RANGE_ACK => Ack::read_range(reader).map(Self::Ack),
            BUFFER_PROBE => Ok(Self::BufferProbe { flow_id: reader.vlu()? }),
            FLOW_EXCEPTION => Ok(Self::FlowException { flow_id: reader.vlu()?, code: reader.vlu()? }),
            ECN_REPORT => Ok(Self::EcnReport { count: reader.u8()? }),
            CLOSE_REQUEST => Ok(Self::CloseRequest),
            CLOSE_ACK => Ok(Self::CloseAck),
            PACKET_FRAGMENT => PacketFragment::read(reader).map(Self::PacketFragment),
            unknown => Err(ChunkError::UnknownType(unknown)),
        }
    }

    /// Appends the chunk: type, length and payload. A chunk too long for its length field is not written at all.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        Writer::new(out).chunk(self.kind(), |writer| match self {
            Self::IHello { endpoint_discriminator, tag } => {
                hello::write_initiator_hello(writer, endpoint_discriminator, tag);
            }
            Self::ForwardedHello { endpoint_discriminator, reply, tag } => {
                hello::write_forwarded_hello(writer, endpoint_discriminator, reply, tag);
            }
            Self::ResponderHello { tag_echo, cookie, certificate } => {
                hello::write_responder_hello(writer, tag_echo, cookie, certificate);
            }
            Self::Redirect { tag_echo, destinations } => {
                hello::write_redirect(writer, tag_echo, destinations)
            }
            Self::CookieChange { old_cookie, new_cookie } => {
                hello::write_cookie_change(writer, old_cookie, new_cookie);
            }
            Self::InitiatorKeying(keying) => keying.write(writer),
            Self::ResponderKeying(keying) => keying.write(writer),
            Self::Ping { message } => writer.bytes(message),
            Self::PingReply { echo } => writer.bytes(echo),
            Self::UserData(data) => data.write(writer),
            Self::NextUserData(data) => data.write(writer),
            Self::Ack(ack) => ack.write(writer),
            Self::BufferProbe { flow_id } => writer.vlu(*flow_id),
            Self::FlowException { flow_id, code } => {
                writer.vlu(*flow_id);
                writer.vlu(*code);
            }
            Self::EcnReport { count } => writer.u8(*count),
            Self::CloseRequest | Self::CloseAck => {}
            Self::PacketFragment(fragment) => fragment.write(writer),
        });
    }

    /// How many bytes [`Self::write`] takes, type and length included.
    pub(crate) fn encoded_length(&self) -> usize {
        let payload = match self {
            Self::IHello { endpoint_discriminator, tag } => {
                counted_length(endpoint_discriminator) + tag.len()
            }
            Self::ForwardedHello { endpoint_discriminator, reply, tag } => {
                counted_length(endpoint_discriminator) + socket_address::encoded_length(reply) + tag.len()
            }
            Self::ResponderHello { tag_echo, cookie, certificate } => {
                counted_length(tag_echo) + counted_length(cookie) + certificate.len()
            }
            Self::Redirect { tag_echo, destinations } => {
                counted_length(tag_echo)
                    + destinations.iter().map(socket_address::encoded_length).sum::<usize>()
            }
            Self::CookieChange { old_cookie, new_cookie } => counted_length(old_cookie) + new_cookie.len(),
            Self::InitiatorKeying(keying) => {
                let counted = [keying.cookie_echo, keying.certificate, keying.component];
                4 + counted.into_iter().map(counted_length).sum::<usize>() + keying.signature.len()
            }
            Self::ResponderKeying(keying) => 4 + counted_length(keying.component) + keying.signature.len(),
            Self::Ping { message: bytes } | Self::PingReply { echo: bytes } => bytes.len(),
            Self::UserData(data) => return data.encoded_length(),
            Self::NextUserData(data) => return data.encoded_length(),
            Self::Ack(ack) => return ack.encoded_length(),
            Self::BufferProbe { flow_id } => vlu::encoded_length(*flow_id),
            Self::FlowException { flow_id, code } => {
                vlu::encoded_length(*flow_id) + vlu::encoded_length(*code)
            }
            Self::EcnReport { .. } => 1,
            Self::CloseRequest | Self::CloseAck => 0,
            Self::PacketFragment(fragment) => return fragment.encoded_length(),
        };
        CHUNK_HEADER + payload
    }

    fn kind(&self) -> u8 {
        match self {
            Self::IHello { .. } => INITIATOR_HELLO,
            Self::ForwardedHello { .. } => FORWARDED_HELLO,
            Self::ResponderHello { .. } => RESPONDER_HELLO,
            Self::Redirect { .. } => REDIRECT,
            Self::CookieChange { .. } => COOKIE_CHANGE,
            Self::InitiatorKeying(_) => INITIATOR_KEYING,
            Self::ResponderKeying(_) => RESPONDER_KEYING,
            Self::Ping { .. } => PING,
            Self::PingReply { .. } => PING_REPLY,
            Self::UserData(_) => USER_DATA,
            Self::NextUserData(_) => NEXT_USER_DATA,
            Self::Ack(ack) => ack.kind(),
            Self::BufferProbe { .. } => BUFFER_PROBE,
            Self::FlowException { .. } => FLOW_EXCEPTION,
            Self::EcnReport { .. } => ECN_REPORT,
            Self::CloseRequest => CLOSE_REQUEST,
            Self::CloseAck => CLOSE_ACK,
            Self::PacketFragment(_) => PACKET_FRAGMENT,
        }
    }
}
