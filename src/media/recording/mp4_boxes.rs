//! The boxes of a recording (ISO 14496-12): what stands at its begin, in each fragment, and at its end.
//!
//! H.264 as in ISO 14496-15, Opus as in its encapsulation in ISO BMFF. Boxes are made with `mp4-atom`.

use mp4_atom::{
    Audio, Avc1, Avcc, Co64, Codec, Dinf, Dops, Dref, DrefEntry, Edts, Elst, ElstEntry, Encode as _, FourCC,
    Ftyp, Hdlr, Mdhd, Mdia, Mfhd, Minf, Moof, Moov, Mvex, Mvhd, Opus, Smhd, Stbl, Stsc, StscEntry, Stsd,
    Stss, Stsz, StszSamples, Stts, SttsEntry, Tfdt, Tfhd, Tkhd, Traf, Trak, Trex, Trun, TrunEntry, Url,
    Visual, Vmhd,
};

use super::composer::{HEIGHT, WIDTH};
use crate::media::codec::avc_format::parameter_sets;

/// Ticks a second of the picture track.
pub(crate) const PICTURE_SCALE: u32 = 90_000;
/// Ticks a second of the sound track.
pub(crate) const SOUND_SCALE: u32 = 48_000;
/// Ticks a second of the whole.
const MOVIE_SCALE: u32 = 1_000;
/// Number of the picture track.
pub(crate) const PICTURES: u32 = 1;
/// Number of the sound track.
pub(crate) const SOUND: u32 = 2;

/// Flags of a sample that stands alone, and of one that needs others (ISO 14496-12 §8.8.3.1).
const STANDS_ALONE: u32 = 0x0200_0000;
const NEEDS_OTHERS: u32 = 0x0101_0000;

/// A box that cannot be made: a record without parameter sets, a table beyond what fits.
#[derive(Debug, thiserror::Error)]
#[error("the recording's boxes cannot be written: {0}")]
pub(crate) struct BoxError(String);

impl From<mp4_atom::Error> for BoxError {
    fn from(error: mp4_atom::Error) -> Self {
        Self(error.to_string())
    }
}

/// How the two tracks are coded.
#[derive(Clone, Debug)]
pub(crate) struct Coding {
    /// AVCDecoderConfigurationRecord.
    pub(crate) pictures: Vec<u8>,
    /// Samples to throw away at the begin of the sound.
    pub(crate) pre_skip: u16,
}

/// One coded picture or packet, as tables know it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Sample {
    pub(crate) bytes: u32,
    /// In ticks of its track.
    pub(crate) duration: u32,
    /// It stands alone; all sound does.
    pub(crate) key: bool,
}

/// The samples of one track that lie together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// In ticks of the track, when the first begins.
    pub(crate) begins: u64,
    pub(crate) samples: Vec<Sample>,
}

impl Run {
    pub(crate) fn bytes(&self) -> u64 {
        self.samples.iter().map(|sample| u64::from(sample.bytes)).sum()
    }

    fn ticks(&self) -> u64 {
        self.samples.iter().map(|sample| u64::from(sample.duration)).sum()
    }
}

/// One track's tables over the whole file, as they grow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    sizes: Vec<u32>,
    times: Vec<SttsEntry>,
    keys: Vec<u32>,
    chunks: Vec<u64>,
    per_chunk: Vec<StscEntry>,
    ticks: u64,
}

impl Table {
    /// Notes a run that lies at this place of the file.
    pub(crate) fn add(&mut self, run: &Run, at: u64) {
        let Ok(count) = u32::try_from(run.samples.len()) else { return };
        if count == 0 {
            return;
        }
        self.chunks.push(at);
        if self.per_chunk.last().is_none_or(|last| last.samples_per_chunk != count) {
            let first_chunk = u32::try_from(self.chunks.len()).unwrap_or(u32::MAX);
            self.per_chunk.push(StscEntry {
                first_chunk,
                samples_per_chunk: count,
                sample_description_index: 1,
            });
        }
        for sample in &run.samples {
            self.sizes.push(sample.bytes);
            if sample.key {
                self.keys.push(u32::try_from(self.sizes.len()).unwrap_or(u32::MAX));
            }
            match self.times.last_mut() {
                Some(last) if last.sample_delta == sample.duration => last.sample_count += 1,
                _ => self.times.push(SttsEntry { sample_count: 1, sample_delta: sample.duration }),
            }
        }
        self.ticks += run.ticks();
    }
}

/// What a file begins with.
pub(crate) fn file_type(out: &mut Vec<u8>) -> Result<(), BoxError> {
    let brands = [b"isom", b"iso6", b"avc1", b"mp41"];
    Ftyp {
        major_brand: FourCC::new(b"isom"),
        minor_version: 512,
        compatible_brands: brands.into_iter().map(FourCC::new).collect(),
    }
    .encode(out)?;
    Ok(())
}

/// The description of both tracks, for fragments that follow.
pub(crate) fn movie_in_fragments(coding: &Coding, out: &mut Vec<u8>) -> Result<(), BoxError> {
    let trex = |track_id| Trex { track_id, default_sample_description_index: 1, ..Trex::default() };
    let mut movie = movie(coding, &Table::default(), &Table::default())?;
    movie.mvex = Some(Mvex { mehd: None, trex: vec![trex(PICTURES), trex(SOUND)] });
    movie.encode(out)?;
    Ok(())
}

/// The description of both tracks with all their samples.
pub(crate) fn whole_movie(
    coding: &Coding,
    pictures: &Table,
    sound: &Table,
    out: &mut Vec<u8>,
) -> Result<(), BoxError> {
    movie(coding, pictures, sound)?.encode(out)?;
    Ok(())
}

/// The head of one fragment; the samples follow it in an `mdat`, the pictures first.
pub(crate) fn fragment(number: u32, pictures: &Run, sound: &Run, out: &mut Vec<u8>) -> Result<(), BoxError> {
    let make = |head: u64| {
        let first = head + MDAT_HEAD;
        let runs = [(PICTURES, pictures, first), (SOUND, sound, first + pictures.bytes())];
        let traf = runs.into_iter().filter(|(_, run, _)| !run.samples.is_empty());
        Moof {
            mfhd: Mfhd { sequence_number: number },
            traf: traf.map(|(track, run, at)| track_fragment(track, run, at)).collect(),
        }
    };
    // Its length does not depend on what stands in it: so it is made once to be measured, and once to be written.
    let mut measured = Vec::new();
    make(0).encode(&mut measured)?;
    make(measured.len() as u64).encode(out)?;
    Ok(())
}

/// Bytes before the samples in an `mdat`.
pub(crate) const MDAT_HEAD: u64 = 8;

fn track_fragment(track_id: u32, run: &Run, at: u64) -> Traf {
    let entries: Vec<TrunEntry> = run
        .samples
        .iter()
        .map(|sample| TrunEntry {
            duration: Some(sample.duration),
            size: Some(sample.bytes),
            flags: Some(if sample.key { STANDS_ALONE } else { NEEDS_OTHERS }),
            cts: None,
        })
        .collect();
    Traf {
        tfhd: Tfhd { track_id, default_base_is_moof: true, ..Tfhd::default() },
        tfdt: Some(Tfdt { base_media_decode_time: run.begins }),
        trun: vec![Trun { data_offset: i32::try_from(at).ok(), samples: entries.into() }],
        ..Traf::default()
    }
}

fn movie(coding: &Coding, pictures: &Table, sound: &Table) -> Result<Moov, BoxError> {
    let skipped = sound.ticks.saturating_sub(u64::from(coding.pre_skip));
    let picture_length = scaled(pictures.ticks, PICTURE_SCALE);
    let sound_length = scaled(skipped, SOUND_SCALE);
    let picture_track = Trak {
        tkhd: Tkhd {
            track_id: PICTURES,
            duration: picture_length,
            enabled: true,
            in_movie: true,
            width: (WIDTH as u16).into(),
            height: (HEIGHT as u16).into(),
            ..Tkhd::default()
        },
        mdia: media(PICTURE_SCALE, b"vide", "Pictures", pictures, picture_entry(coding)?),
        ..Trak::default()
    };
    let skip = ElstEntry {
        segment_duration: sound_length,
        media_time: Some(u64::from(coding.pre_skip)),
        media_rate: 1.into(),
    };
    let sound_track = Trak {
        tkhd: Tkhd {
            track_id: SOUND,
            duration: sound_length,
            alternate_group: 1,
            enabled: true,
            in_movie: true,
            volume: 1.into(),
            ..Tkhd::default()
        },
        edts: Some(Edts { elst: Some(Elst { entries: vec![skip] }) }),
        mdia: media(SOUND_SCALE, b"soun", "Sound", sound, sound_entry(coding)),
        ..Trak::default()
    };
    Ok(Moov {
        mvhd: Mvhd {
            timescale: MOVIE_SCALE,
            duration: picture_length.max(sound_length),
            rate: 1.into(),
            volume: 1.into(),
            next_track_id: SOUND + 1,
            ..Mvhd::default()
        },
        trak: vec![picture_track, sound_track],
        ..Moov::default()
    })
}

fn scaled(ticks: u64, scale: u32) -> u64 {
    ticks * u64::from(MOVIE_SCALE) / u64::from(scale)
}

fn media(timescale: u32, handler: &[u8; 4], name: &str, table: &Table, entry: Codec) -> Mdia {
    let is_sound = handler == b"soun";
    Mdia {
        mdhd: Mdhd { timescale, duration: table.ticks, language: "und".to_owned(), ..Mdhd::default() },
        hdlr: Hdlr { handler: FourCC::new(handler), name: name.to_owned() },
        minf: Minf {
            vmhd: (!is_sound).then(Vmhd::default),
            smhd: is_sound.then(Smhd::default),
            dinf: Dinf { dref: Dref { entries: vec![DrefEntry::Url(Url::default())] } },
            stbl: Stbl {
                stsd: Stsd { codecs: vec![entry] },
                stts: Stts { entries: table.times.clone() },
                // Without this table every sample stands alone.
                stss: (!is_sound).then(|| Stss { entries: table.keys.clone() }),
                stsc: Stsc { entries: table.per_chunk.clone() },
                stsz: Stsz { samples: StszSamples::Different { sizes: table.sizes.clone() } },
                co64: Some(Co64 { entries: table.chunks.clone() }),
                ..Stbl::default()
            },
            ..Minf::default()
        },
    }
}

fn picture_entry(coding: &Coding) -> Result<Codec, BoxError> {
    let sets = parameter_sets(&coding.pictures).unwrap_or_default();
    let [sps, pps] = sets[..] else { return Err(BoxError("no parameter sets".to_owned())) };
    let visual =
        Visual { data_reference_index: 1, width: WIDTH as u16, height: HEIGHT as u16, ..Visual::default() };
    Ok(Codec::Avc1(Avc1 { visual, avcc: Avcc::new(sps, pps)?, ..Avc1::default() }))
}

fn sound_entry(coding: &Coding) -> Codec {
    let audio =
        Audio { data_reference_index: 1, channel_count: 2, sample_size: 16, sample_rate: 48_000.into() };
    let dops = Dops {
        output_channel_count: 2,
        pre_skip: coding.pre_skip,
        input_sample_rate: SOUND_SCALE,
        output_gain: 0,
        channel_mapping: None,
    };
    Codec::Opus(Opus { audio, dops, btrt: None })
}
