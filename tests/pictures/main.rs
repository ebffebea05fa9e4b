//! The main screens as pictures, compared with those that are kept: dark and light, English and Chinese.
//!
//! They are drawn with the processor alone and with the fonts of this repository only, so they are the same on a machine
//! without graphics and without fonts: a Chinese sign shows as the box that stands for a missing one, in its place.
//! `TINCAN_NEW_PICTURES=1 cargo test --features screen-tests --test pictures` keeps the pictures as they are now. A picture
//! differs when the mean of all differences is over 1.5 % or more than 1 % of the pixels differ visibly.

mod raster;
#[path = "../screens/shown.rs"]
#[allow(dead_code, reason = "other screens are shown elsewhere")]
mod shown;

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::PathBuf;

use egui::{Context, RawInput, Rect, Ui, vec2};
use raster::{Canvas, Textures};
use tincan::call::ClientView;
use tincan::settings::{Accent, Language};
use tincan::ui::screens::settings::{Section, SettingsInputs, SettingsShown, settings_ui};
use tincan::ui::screens::welcome::{WelcomeInputs, welcome_ui};
use tincan::ui::words::speak;
use tincan::ui::{ThemeChoice, theme};

/// What is centred knows its size only after a frame or two.
const LAST_FRAME: u8 = 3;
const WIDTH: usize = 900;
const HEIGHT: usize = 620;
/// The most that all pixels may differ on average, of the whole range of a colour.
const MEAN: f64 = 0.015;
/// The largest share of pixels that may differ visibly.
const SHARE: f64 = 0.01;
/// From this on a difference is seen, of 255.
const VISIBLE: u8 = 24;

/// One test, since all of them speak the one language of the program.
#[test]
fn the_main_screens_look_as_they_did() {
    let mut wrong = Vec::new();
    for (name, language, look, accent) in [
        ("en_dark", Language::English, ThemeChoice::Dark, Accent::Copper),
        ("en_light", Language::English, ThemeChoice::Light, Accent::Copper),
        ("zh_dark", Language::SimplifiedChinese, ThemeChoice::Dark, Accent::Sea),
        ("zh_light", Language::TraditionalChinese, ThemeChoice::Light, Accent::Moss),
    ] {
        speak(language);
        let view = ClientView::default();
        let mut first = WelcomeInputs::default();
        let drawn = draw(look, accent, |ui| {
            welcome_ui(ui, &view, None, &mut first);
        });
        wrong.extend(compare(&format!("first_{name}"), &drawn));
        let view = shown::home(std::time::SystemTime::UNIX_EPOCH);
        for (section, file) in [(Section::Video, "video"), (Section::Privacy, "privacy")] {
            let mut inputs = SettingsInputs::new(&view).open_at(section);
            let drawn = draw(look, accent, |ui| {
                let shown = SettingsShown { own_picture: None, theme: look, narrow: false, copied: false };
                settings_ui(ui, &view, shown, &mut inputs);
            });
            wrong.extend(compare(&format!("settings_{file}_{name}"), &drawn));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn draw(look: ThemeChoice, accent: Accent, mut screen: impl FnMut(&mut Ui)) -> Canvas {
    let ctx = Context::default();
    theme::install(&ctx, look);
    theme::follow(&ctx, look, accent, 1.0);
    let mut textures = Textures::default();
    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    for frame in 0..=LAST_FRAME {
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(egui::Pos2::ZERO, vec2(WIDTH as f32, HEIGHT as f32))),
            time: Some(f64::from(frame)),
            ..RawInput::default()
        };
        let output = ctx.run_ui(input, &mut screen);
        textures.take(output.textures_delta);
        if frame == LAST_FRAME {
            canvas.draw(&ctx.tessellate(output.shapes, 1.0), &textures);
        }
    }
    canvas
}

fn compare(name: &str, drawn: &Canvas) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/pictures/{name}.png"));
    let now = drawn.bytes();
    if std::env::var_os("TINCAN_NEW_PICTURES").is_some() {
        keep(&path, drawn, &now);
        return None;
    }
    let Some(kept) = read(&path) else { return Some(format!("{name}: there is no such picture")) };
    if kept.len() != now.len() {
        return Some(format!("{name}: another size"));
    }
    let differences: Vec<u8> = kept.iter().zip(&now).map(|(one, other)| one.abs_diff(*other)).collect();
    let mean =
        differences.iter().map(|part| f64::from(*part)).sum::<f64>() / differences.len() as f64 / 255.0;
    let seen = differences.chunks(3).filter(|pixel| pixel.iter().any(|part| *part > VISIBLE)).count();
    let share = seen as f64 / (WIDTH * HEIGHT) as f64;
    (mean > MEAN || share > SHARE).then(|| {
        let beside = std::env::temp_dir().join(format!("{name}.png"));
        keep(&beside, drawn, &now);
        format!("{name}: mean {mean:.4}, {:.2} % of the pixels; now: {}", share * 100.0, beside.display())
    })
}

fn keep(path: &PathBuf, drawn: &Canvas, bytes: &[u8]) {
    let file = BufWriter::new(File::create(path).expect("a place for the picture"));
    let mut encoder = png::Encoder::new(file, drawn.width as u32, drawn.height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(bytes).expect("a picture");
}

fn read(path: &PathBuf) -> Option<Vec<u8>> {
    let mut reader = png::Decoder::new(BufReader::new(File::open(path).ok()?)).read_info().ok()?;
    let mut bytes = vec![0; reader.output_buffer_size()?];
    reader.next_frame(&mut bytes).ok()?;
    Some(bytes)
}
