//! Whoever goes by keyboard sees where they are: what has the focus looks different from what has not.

use egui::{ClippedPrimitive, Context, Event, Key, Modifiers, RawInput, Rect, vec2};
use tincan::settings::Accent;
use tincan::ui::{ThemeChoice, theme};

use crate::raster::{Canvas, Textures};
use crate::scenes::{Scene, Shown};
use crate::{HEIGHT, WIDTH};

/// More stops than any screen has.
const MOST: usize = 120;
/// Pixels that must differ, of a control and what is around it.
const SEEN: usize = 12;

/// A screen that goes on frame by frame.
struct Walk {
    ctx: Context,
    textures: Textures,
    shown: Shown,
    frame: u32,
}

impl Walk {
    fn through(scene: Scene, look: ThemeChoice) -> Self {
        let ctx = Context::default();
        theme::install(&ctx, look);
        theme::follow(&ctx, look, Accent::Copper, 1.0);
        let mut walk = Self { ctx, textures: Textures::default(), shown: Shown::of(scene, look), frame: 0 };
        walk.frame(scene.keys());
        for _ in 0..4 {
            walk.frame(Vec::new());
        }
        walk
    }

    fn frame(&mut self, events: Vec<Event>) -> Vec<ClippedPrimitive> {
        self.frame += 1;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(egui::Pos2::ZERO, vec2(WIDTH as f32, HEIGHT as f32))),
            time: Some(f64::from(self.frame) * 0.25),
            events,
            ..RawInput::default()
        };
        let output = self.ctx.run_ui(input, |ui| self.shown.ui(ui));
        self.textures.take(output.textures_delta);
        self.ctx.tessellate(output.shapes, 1.0)
    }

    fn pixels(&self, mut primitives: Vec<ClippedPrimitive>, of: Rect) -> Vec<u8> {
        for primitive in &mut primitives {
            primitive.clip_rect = primitive.clip_rect.intersect(of);
        }
        let mut canvas = Canvas::new(WIDTH, HEIGHT);
        canvas.draw(&primitives, &self.textures);
        canvas.bytes()
    }

    /// Goes to the next stop. What it is, and how many pixels tell that one is there.
    fn step(&mut self) -> Option<(egui::Id, Rect, usize)> {
        let tab = Event::Key {
            key: Key::Tab,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::NONE,
        };
        self.frame(vec![tab]);
        for _ in 0..4 {
            self.frame(Vec::new());
        }
        let with = self.frame(Vec::new());
        let id = self.ctx.memory(egui::Memory::focused)?;
        let place = self.ctx.read_response(id)?.rect.expand(5.0);
        self.ctx.memory_mut(|memory| memory.surrender_focus(id));
        self.frame(Vec::new());
        let without = self.frame(Vec::new());
        self.ctx.memory_mut(|memory| memory.request_focus(id));
        self.frame(Vec::new());
        let (with, without) = (self.pixels(with, place), self.pixels(without, place));
        let differ = with.chunks(3).zip(without.chunks(3)).filter(|(one, other)| {
            one.iter().zip(*other).any(|(one, other)| one.abs_diff(*other) > crate::VISIBLE)
        });
        Some((id, place, differ.count()))
    }
}

#[test]
fn what_has_the_focus_looks_like_it() {
    let mut unseen = Vec::new();
    for (scene, look) in [
        (Scene::Home, ThemeChoice::Dark),
        (Scene::Conversation, ThemeChoice::Light),
        (Scene::Incoming, ThemeChoice::Dark),
        (Scene::CallWithChat, ThemeChoice::Light),
        (Scene::Settings, ThemeChoice::Dark),
        (Scene::First, ThemeChoice::Light),
    ] {
        let mut walk = Walk::through(scene, look);
        let mut visited = Vec::new();
        for _ in 0..MOST {
            let Some((id, place, differ)) = walk.step() else { continue };
            if visited.contains(&id) {
                break;
            }
            visited.push(id);
            if differ < SEEN {
                unseen.push(format!("{scene:?}: stop {} at {place:?}: {differ} pixels", visited.len()));
            }
        }
        assert!(visited.len() > 3, "{scene:?}: {} stops", visited.len());
    }
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
}
