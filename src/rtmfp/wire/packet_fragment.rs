//! Packets too long for the path, cut to pieces and put together again (RFC 7016 §2.3.1, §3.4).
//!
//! What is cut is the plain packet, its flag byte included. Memory is bounded: so many packets at once, so many of them
//! from one source, so many bytes and pieces each, and none for longer than a minute.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::error::ChunkError;
use super::packet::{Mode, PacketHeader};
use super::reader::Reader;
use super::vlu;
use super::writer::{CHUNK_HEADER, Writer};

const MORE: u8 = 0x80;

/// The longest packet that is put together, in bytes (§3.4).
pub(crate) const LONGEST_PACKET: usize = 65536;
/// How long a packet may take from its first piece to its last (§3.4).
pub(crate) const COMPLETE_WITHIN: Duration = Duration::from_secs(60);
/// How long it may go without a new piece (§3.4).
pub(crate) const PROGRESS_WITHIN: Duration = Duration::from_secs(1);
/// Pieces a packet may have; a packet of ours has at most a dozen.
const MOST_PIECES: u64 = 128;
/// Packets under way at once, and of these from one source.
const MOST_PACKETS: usize = 256;
const MOST_PACKETS_OF_A_SOURCE: usize = 4;

/// A piece of a packet (§2.3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct PacketFragment<'a> {
    /// Others follow.
    pub(crate) more: bool,
    /// The packet it is a piece of.
    pub(crate) packet_id: u64,
    /// Its place, from 0.
    pub(crate) number: u64,
    /// Its bytes; never empty.
    pub(crate) data: &'a [u8],
}

impl<'a> PacketFragment<'a> {
    pub(super) fn read(mut reader: Reader<'a>) -> Result<Self, ChunkError> {
        let more = reader.u8()? & MORE != 0;
        let packet_id = reader.vlu()?;
        let number = reader.vlu()?;
        if reader.is_empty() {
            return Err(ChunkError::Malformed);
        }
        Ok(Self { more, packet_id, number, data: reader.rest() })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(if self.more { MORE } else { 0 });
        writer.vlu(self.packet_id);
        writer.vlu(self.number);
        writer.bytes(self.data);
    }

    /// How many bytes the whole chunk takes.
    pub(crate) fn encoded_length(&self) -> usize {
        header_length(self.packet_id, self.number) + self.data.len()
    }
}

fn header_length(packet_id: u64, number: u64) -> usize {
    CHUNK_HEADER + 1 + vlu::encoded_length(packet_id) + vlu::encoded_length(number)
}

/// Cuts a plain packet into pieces whose chunks take at most `limit` bytes each, or one byte of data where that is less
/// than a chunk needs.
pub(crate) fn split(packet: &[u8], packet_id: u64, limit: usize) -> impl Iterator<Item = PacketFragment<'_>> {
    let mut left = packet;
    (0_u64..).map_while(move |number| {
        let room = limit.saturating_sub(header_length(packet_id, number)).max(1);
        let (data, after) = left.split_at(room.min(left.len()));
        left = after;
        (!data.is_empty()).then_some(PacketFragment { more: !after.is_empty(), packet_id, number, data })
    })
}

/// Packets being put together, by where their pieces come from and by packet ID.
///
/// `Source` is what tells far ends apart: for session ID 0 the route a piece came by (§3.4).
pub(crate) struct Reassembly<Source> {
    packets: BTreeMap<(Source, u64), Pieces>,
}

struct Pieces {
    mode: Mode,
    began: Instant,
    progressed: Instant,
    last: Option<u64>,
    bytes: usize,
    pieces: BTreeMap<u64, Box<[u8]>>,
}

impl<Source> Default for Reassembly<Source> {
    fn default() -> Self {
        Self { packets: BTreeMap::new() }
    }
}

impl<Source: Copy + Ord> Reassembly<Source> {
    /// Takes a piece that came in a packet of `mode`. Answers the whole plain packet when it was the last one missing.
    pub(crate) fn take(
        &mut self,
        now: Instant,
        source: Source,
        mode: Mode,
        fragment: &PacketFragment<'_>,
    ) -> Option<Vec<u8>> {
        self.expire(now);
        let key = (source, fragment.packet_id);
        if !self.packets.contains_key(&key) {
            self.make_room(source);
        }
        let pieces = self.packets.entry(key).or_insert_with(|| Pieces::new(now, mode));
        match pieces.add(now, mode, fragment) {
            Progress::Waiting => None,
            Progress::Hopeless => {
                self.packets.remove(&key);
                None
            }
            Progress::Whole => {
                let packet = self.packets.remove(&key)?.concatenated();
                // A packet that claims another mode than its pieces had is a way around the rules for modes.
                let (header, _) = PacketHeader::parse(&packet).ok()?;
                (header.mode == mode).then_some(packet)
            }
        }
    }

    /// Bytes of all pieces kept.
    pub(crate) fn held_bytes(&self) -> usize {
        self.packets.values().map(|pieces| size_of::<Pieces>() + pieces.bytes).sum()
    }

    /// Forgets packets that took too long.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.packets.retain(|_, pieces| now < pieces.deadline());
    }

    /// When [`Self::expire`] has something to forget.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.packets.values().map(Pieces::deadline).min()
    }

    /// Gives up the packet that went longest without a new piece, of this source if it has its share.
    fn make_room(&mut self, source: Source) {
        let of_source = (source, 0)..=(source, u64::MAX);
        let stalest = if self.packets.range(of_source.clone()).count() >= MOST_PACKETS_OF_A_SOURCE {
            self.packets.range(of_source).min_by_key(|(_, pieces)| pieces.progressed)
        } else if self.packets.len() >= MOST_PACKETS {
            self.packets.iter().min_by_key(|(_, pieces)| pieces.progressed)
        } else {
            None
        };
        if let Some(key) = stalest.map(|(key, _)| *key) {
            self.packets.remove(&key);
        }
    }
}

enum Progress {
    Waiting,
    Whole,
    /// Too long, or without an end that fits.
    Hopeless,
}

impl Pieces {
    fn new(now: Instant, mode: Mode) -> Self {
        Self { mode, began: now, progressed: now, last: None, bytes: 0, pieces: BTreeMap::new() }
    }

    fn deadline(&self) -> Instant {
        (self.began + COMPLETE_WITHIN).min(self.progressed + PROGRESS_WITHIN)
    }

    fn add(&mut self, now: Instant, mode: Mode, fragment: &PacketFragment<'_>) -> Progress {
        if mode != self.mode || self.pieces.contains_key(&fragment.number) {
            return Progress::Waiting;
        }
        let highest = self.pieces.last_key_value().map_or(0, |(number, _)| *number);
        let ends_twice = !fragment.more && self.last.is_some();
        let past_the_end = self.last.is_some_and(|last| fragment.number > last);
        let too_early_an_end = !fragment.more && fragment.number < highest;
        if ends_twice || past_the_end || too_early_an_end {
            return Progress::Waiting;
        }
        self.bytes = self.bytes.saturating_add(fragment.data.len());
        if self.bytes > LONGEST_PACKET || fragment.number >= MOST_PIECES {
            return Progress::Hopeless;
        }
        if !fragment.more {
            self.last = Some(fragment.number);
        }
        self.progressed = now;
        self.pieces.insert(fragment.number, fragment.data.into());
        match self.last {
            Some(last) if self.pieces.len() as u64 == last + 1 => Progress::Whole,
            _ => Progress::Waiting,
        }
    }

    fn concatenated(self) -> Vec<u8> {
        self.pieces.into_values().collect::<Vec<_>>().concat()
    }
}
