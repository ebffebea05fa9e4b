//! What the camera sees and the microphone hears: files, or stand-ins that need none.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tincan::media::picture::Picture;
use tincan::media::stepped::{BLOCK, read_pictures, read_sound, scaled};

/// Pictures and sound for a call, played again and again.
#[derive(Clone)]
pub(crate) struct Media {
    /// Shown forth and back, so that nothing jumps.
    pictures: Arc<[Picture]>,
    /// Between two pictures.
    pub(crate) step: Duration,
    /// 48 kHz.
    sound: Arc<[f32]>,
}

/// A file of pictures is read up to here: 150 pictures of 720 lines are 200 MB.
const MOST_PICTURES: usize = 150;
/// Pictures of the stand-in.
const MADE_PICTURES: u32 = 90;

impl Media {
    /// Pictures that move like an outdoor scene, and synthesised speech.
    pub(crate) fn made(width: u32, height: u32) -> Self {
        let pictures = (0..MADE_PICTURES).map(|number| draw(width, height, number)).collect();
        let speech = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media/speech.wav");
        let sound = read_sound(&speech).expect("the speech that lies beside the tests");
        Self { pictures, step: Duration::from_nanos(33_333_333), sound: sound.into() }
    }

    /// The pictures of a Y4M file instead, in this size.
    pub(crate) fn with_pictures(self, file: &Path, (width, height): (u32, u32)) -> std::io::Result<Self> {
        let (pictures, step) = read_pictures(file, MOST_PICTURES)?;
        let pictures = pictures.iter().map(|picture| scaled(picture, width, height)).collect();
        Ok(Self { pictures, step, ..self })
    }

    /// The sound of a WAV file instead.
    pub(crate) fn with_sound(self, file: &Path) -> std::io::Result<Self> {
        Ok(Self { sound: read_sound(file)?.into(), ..self })
    }

    /// The picture of that number.
    pub(crate) fn picture(&self, number: usize) -> &Picture {
        let last = self.pictures.len() - 1;
        let at = if last == 0 { 0 } else { number % (2 * last) };
        &self.pictures[if at > last { 2 * last - at } else { at }]
    }

    /// Samples after which the sound begins anew.
    pub(crate) fn sound_length(&self) -> usize {
        self.sound.len()
    }

    /// The ten milliseconds of sound of that number.
    pub(crate) fn block(&self, number: usize) -> [f32; BLOCK] {
        let length = self.sound.len().max(1);
        std::array::from_fn(|n| self.sound.get((number * BLOCK + n) % length).copied().unwrap_or(0.0))
    }
}

/// A textured ground that pans, and a patch of other texture that moves before it: as hard for a codec as trees from a
/// car, without a file.
fn draw(width: u32, height: u32, number: u32) -> Picture {
    let (w, h) = (width as usize, height as usize);
    let time = f64::from(number) / 30.0;
    // Distances are in heights, so that every size shows the same.
    let scale = 360.0 / f64::from(height);
    let pan = (time * 70.0, (time * 1.3).sin() * 25.0);
    let head = (320.0 + (time * 1.1).sin() * 120.0, 190.0 + (time * 1.7).cos() * 50.0);
    let mut i420 = vec![128_u8; Picture::bytes(width, height)];
    let (luma, chroma) = i420.split_at_mut(w * h);
    let (us, vs) = chroma.split_at_mut(w * h / 4);
    for y in 0..h {
        for x in 0..w {
            let (px, py) = (x as f64 * scale, y as f64 * scale);
            let (dx, dy) = ((px - head.0) / 70.0, (py - head.1) / 95.0);
            let inside = dx * dx + dy * dy < 1.0;
            let (bx, by) = if inside { (px - head.0, py - head.1) } else { (px + pan.0, py + pan.1) };
            let ground = if inside { 150.0 - dx * 40.0 } else { 110.0 + (py / 6.0) };
            let shade = ground
                + 50.0 * noise(bx / 48.0, by / 48.0)
                + 30.0 * noise(bx / 13.0, by / 13.0)
                + 24.0 * noise(bx / 3.0, by / 3.0);
            luma[y * w + x] = shade.clamp(16.0, 235.0) as u8;
            if x % 2 == 0 && y % 2 == 0 {
                let at = (y / 2) * (w / 2) + x / 2;
                let tint = 20.0 * noise(bx / 60.0, by / 60.0);
                us[at] = (if inside { 115.0 } else { 130.0 } + tint) as u8;
                vs[at] = (if inside { 150.0 } else { 122.0 } - tint) as u8;
            }
        }
    }
    Picture::new(width, height, i420).expect("an even size")
}

/// Smooth noise between -1 and 1, with features as large as 1.
fn noise(x: f64, y: f64) -> f64 {
    let (left, top) = (x.floor(), y.floor());
    let ease = |t: f64| t * t * (3.0 - 2.0 * t);
    let (right, down) = (ease(x - left), ease(y - top));
    let corner = |dx: f64, dy: f64| lattice((left + dx) as i64, (top + dy) as i64);
    let upper = corner(0.0, 0.0) * (1.0 - right) + corner(1.0, 0.0) * right;
    let lower = corner(0.0, 1.0) * (1.0 - right) + corner(1.0, 1.0) * right;
    upper * (1.0 - down) + lower * down
}

fn lattice(x: i64, y: i64) -> f64 {
    let mut bits =
        (x.cast_unsigned() ^ y.cast_unsigned().rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    f64::from((bits >> 40) as u32) / f64::from(1 << 23) - 1.0
}
