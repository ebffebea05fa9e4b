//! H.264 to pictures. After a loss the library errs until the next key picture: so nothing is fed to it before that.

use openh264::decoder::Decoder;
use openh264::formats::YUVSource as _;

use super::avc_format::{append_annex_b, parameter_sets, prefixed_units};
use crate::media::picture::Picture;

/// What came of a coded picture.
#[derive(Debug)]
pub(crate) enum Decoded {
    /// A picture to show.
    Picture(Picture),
    /// None yet; nothing is wrong.
    Nothing,
    /// The reference is lost: only a key picture helps.
    NeedsKey,
}

/// An H.264 decoder that survives whatever the network does.
pub(crate) struct VideoDecoder {
    decoder: Option<Decoder>,
    /// Parameter sets in Annex B form, from the newest configuration.
    parameter_sets: Vec<u8>,
    synchronised: bool,
    scratch: Vec<u8>,
}

impl VideoDecoder {
    pub(crate) fn new() -> Self {
        Self { decoder: None, parameter_sets: Vec::new(), synchronised: false, scratch: Vec::new() }
    }

    /// Takes a configuration record; a broken one is ignored.
    pub(crate) fn configure(&mut self, record: &[u8]) {
        let Some(sets) = parameter_sets(record) else { return };
        let mut joined = Vec::new();
        for set in sets {
            append_annex_b(&mut joined, set);
        }
        if joined != self.parameter_sets {
            self.parameter_sets = joined;
            self.synchronised = false;
        }
    }

    /// Says that a frame before the next one is known to be missing.
    pub(crate) fn on_gap(&mut self) {
        self.synchronised = false;
    }

    /// Decodes one access unit.
    pub(crate) fn decode(&mut self, key: bool, nal_units: &[u8]) -> Decoded {
        if !key && !self.synchronised {
            return Decoded::NeedsKey;
        }
        self.scratch.clear();
        if key {
            self.scratch.extend_from_slice(&self.parameter_sets);
        }
        for unit in prefixed_units(nal_units) {
            append_annex_b(&mut self.scratch, unit);
        }
        if self.scratch.is_empty() {
            return Decoded::Nothing;
        }
        if self.decoder.is_none() {
            self.decoder =
                Decoder::new().inspect_err(|error| tracing::error!(%error, "no H.264 decoder")).ok();
        }
        let Some(decoder) = &mut self.decoder else { return Decoded::NeedsKey };
        match decoder.decode(&self.scratch) {
            Ok(Some(frame)) => {
                self.synchronised = true;
                let (width, height) = frame.dimensions();
                let planes = (frame.y(), frame.u(), frame.v());
                packed(width, height, planes, frame.strides()).map_or(Decoded::Nothing, Decoded::Picture)
            }
            Ok(None) => {
                self.synchronised |= key;
                Decoded::Nothing
            }
            Err(error) => {
                tracing::debug!(%error, "the picture's reference is lost");
                self.synchronised = false;
                // A decoder that choked on a key picture is not trusted with the next one.
                if key {
                    self.decoder = None;
                }
                Decoded::NeedsKey
            }
        }
    }
}

/// Copies planes with padded rows into a picture. `None` for sizes no picture has.
pub(crate) fn packed(
    width: usize,
    height: usize,
    planes: (&[u8], &[u8], &[u8]),
    strides: (usize, usize, usize),
) -> Option<Picture> {
    let (width, height) = (width & !1, height & !1);
    let (w, h) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    Picture::filled(w, h, |out| {
        let parts = [
            (out.y, planes.0, strides.0, width),
            (out.u, planes.1, strides.1, width / 2),
            (out.v, planes.2, strides.2, width / 2),
        ];
        for (out, plane, stride, width) in parts {
            for (row, out) in out.chunks_exact_mut(width).enumerate() {
                let start = row.checked_mul(stride)?;
                out.copy_from_slice(plane.get(start..start.checked_add(width)?)?);
            }
        }
        Some(())
    })
}
