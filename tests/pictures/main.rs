//! The main screens as pictures, compared with those that are kept: dark and light, English and Chinese.
//!
//! They are drawn with the processor alone, with the fonts of the program and one for Chinese that is only for these
//! pictures, so they are the same on a machine without graphics and without fonts. `fonts/` holds the signs that the words
//! of the program had when it was made; a sign that came later shows as the box of a missing one, in its place.
//!
//! A picture differs when the mean of all differences is over 1.5 % of the range of a colour, or when more than 1 % of the
//! pixels differ by more than 24 of 255. It then lies beside the others in the system's folder for what is temporary.
//! `TINCAN_NEW_PICTURES=1 cargo test --features screen-tests --test pictures` keeps the pictures as they are now.

mod focus;
mod raster;
mod scenes;
#[path = "../screens/shown.rs"]
#[allow(dead_code, reason = "other screens are shown elsewhere")]
mod shown;

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::PathBuf;
use std::sync::Arc;

use egui::{Context, Event, FontData, RawInput, Rect, Ui, vec2};
use raster::{Canvas, Textures};
use tincan::settings::{Accent, Language};
use tincan::ui::words::speak;
use tincan::ui::{ThemeChoice, theme};

/// What is centred knows its size only after a frame or two, and cards take a moment to come.
const LAST_FRAME: u8 = 7;
/// Seconds from frame to frame: the controls of a call are not gone yet in the last.
const FRAME: f64 = 0.25;
const WIDTH: usize = 1000;
const HEIGHT: usize = 640;
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
        ("zh_dark", Language::TraditionalChinese, ThemeChoice::Dark, Accent::Sea),
        ("zh_light", Language::SimplifiedChinese, ThemeChoice::Light, Accent::Copper),
    ] {
        speak(language);
        for scene in scenes::ALL.into_iter().filter(|scene| scene.looks().contains(&name)) {
            let mut shown = scenes::Shown::of(scene, look);
            let drawn = draw(look, accent, scene.keys(), |ui| shown.ui(ui));
            wrong.extend(compare(&format!("{}_{name}", scene.file()), &drawn));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Draws a screen after these events, all in its second frame.
fn draw(look: ThemeChoice, accent: Accent, events: Vec<Event>, mut screen: impl FnMut(&mut Ui)) -> Canvas {
    let ctx = Context::default();
    theme::install(&ctx, look);
    theme::follow(&ctx, look, accent, 1.0);
    let mut textures = Textures::default();
    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    for frame in 0..=LAST_FRAME {
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(egui::Pos2::ZERO, vec2(WIDTH as f32, HEIGHT as f32))),
            time: Some(f64::from(frame) * FRAME),
            events: if frame == 1 { events.clone() } else { Vec::new() },
            ..RawInput::default()
        };
        let output = ctx.run_ui(input, |ui| screen(ui));
        textures.take(output.textures_delta);
        if frame == 0 {
            with_our_fonts_only(&ctx);
        }
        if frame == LAST_FRAME {
            canvas.draw(&ctx.tessellate(output.shapes, 1.0), &textures);
        }
    }
    canvas
}

/// Without what the system has for emoji, and with Chinese.
fn with_our_fonts_only(ctx: &Context) {
    let mut fonts = ctx.fonts(|fonts| fonts.definitions().clone());
    fonts.font_data.remove("coloured emoji");
    let chinese = include_bytes!("fonts/NotoSansCJKsc-words.otf").as_slice();
    fonts.font_data.insert("chinese".to_owned(), Arc::new(FontData::from_static(chinese)));
    for family in fonts.families.values_mut() {
        family.retain(|name| name != "coloured emoji");
        family.push("chinese".to_owned());
    }
    ctx.set_fonts(fonts);
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
