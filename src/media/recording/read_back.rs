//! Reads a recording back, for tests: without the library that wrote it.

/// A box, read without the library that wrote it: its kind, where its body lies, and the body.
pub(crate) struct Found<'a> {
    pub(crate) kind: [u8; 4],
    pub(crate) at: usize,
    pub(crate) body: &'a [u8],
}

/// The boxes that lie next to each other. Panics when they do not fill the bytes exactly.
pub(crate) fn boxes(bytes: &[u8], base: usize) -> Vec<Found<'_>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let short = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let kind = bytes[at + 4..at + 8].try_into().unwrap();
        let (head, size) = if short == 1 {
            (16, u64::from_be_bytes(bytes[at + 8..at + 16].try_into().unwrap()) as usize)
        } else {
            (8, short)
        };
        assert!(size >= head && at + size <= bytes.len(), "{kind:?} is cut short");
        found.push(Found { kind, at: base + at + head, body: &bytes[at + head..at + size] });
        at += size;
    }
    found
}

pub(crate) fn inside<'a>(parents: &[Found<'a>], path: &[&[u8; 4]]) -> Vec<Found<'a>> {
    let (first, rest) = path.split_first().unwrap();
    let here = parents.iter().filter(|one| one.kind == **first);
    if rest.is_empty() {
        return here.map(|one| Found { kind: one.kind, at: one.at, body: one.body }).collect();
    }
    here.flat_map(|one| inside(&boxes(one.body, one.at), rest)).collect()
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// All samples of a finished file's track as its tables tell, with the moments at which they begin.
pub(crate) fn samples_by_tables(file: &[u8], track: usize) -> Vec<(u64, Vec<u8>)> {
    let top = boxes(file, 0);
    let path: [&[u8; 4]; 5] = [b"moov", b"trak", b"mdia", b"minf", b"stbl"];
    let tables = inside(&top, &path);
    let table = |kind: &[u8; 4]| {
        boxes(tables[track].body, 0).into_iter().find(|one| one.kind == *kind).expect("a table").body.to_vec()
    };
    let (stts, stsc, stsz, co64) = (table(b"stts"), table(b"stsc"), table(b"stsz"), table(b"co64"));
    let mut moments = Vec::new();
    let mut moment = 0;
    for entry in 0..u32_at(&stts, 4) as usize {
        for _ in 0..u32_at(&stts, 8 + entry * 8) {
            moments.push(moment);
            moment += u64::from(u32_at(&stts, 12 + entry * 8));
        }
    }
    let runs: Vec<(u32, u32)> = (0..u32_at(&stsc, 4) as usize)
        .map(|entry| (u32_at(&stsc, 8 + entry * 12), u32_at(&stsc, 12 + entry * 12)))
        .collect();
    let mut samples = Vec::new();
    for chunk in 0..u32_at(&co64, 4) {
        let mut at = u64_at(&co64, 8 + chunk as usize * 8) as usize;
        let count = runs.iter().rev().find(|(first, _)| *first <= chunk + 1).unwrap().1;
        for _ in 0..count {
            let size = u32_at(&stsz, 12 + samples.len() * 4) as usize;
            samples.push((moments[samples.len()], file[at..at + size].to_vec()));
            at += size;
        }
    }
    assert_eq!(samples.len(), u32_at(&stsz, 8) as usize);
    samples
}

/// The same from the fragments, for a file that was never finished.
pub(crate) fn samples_by_fragments(file: &[u8], track: u32) -> Vec<(u64, Vec<u8>)> {
    let mut samples = Vec::new();
    let path: [&[u8; 4]; 1] = [b"moof"];
    for moof in inside(&boxes(file, 0), &path) {
        for traf in boxes(moof.body, moof.at).iter().filter(|one| one.kind == *b"traf") {
            let parts = boxes(traf.body, traf.at);
            let part = |kind: &[u8; 4]| parts.iter().find(|one| one.kind == *kind).expect("a part").body;
            if u32_at(part(b"tfhd"), 4) != track {
                continue;
            }
            let mut moment = u64_at(part(b"tfdt"), 4);
            let trun = part(b"trun");
            assert_eq!(u32_at(trun, 0) & 0xFF_FFFF, 0x701, "offset, duration, size and flags are told");
            let mut at = moof.at - 8 + u32_at(trun, 8) as usize;
            for n in 0..u32_at(trun, 4) as usize {
                let (duration, size) = (u32_at(trun, 12 + n * 12), u32_at(trun, 16 + n * 12) as usize);
                samples.push((moment, file[at..at + size].to_vec()));
                moment += u64::from(duration);
                at += size;
            }
        }
    }
    samples
}
