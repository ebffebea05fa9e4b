//! Choosing what of one's screen the far end sees: screens and windows, by name and look.

use std::sync::Arc;

use egui::{
    Align, Context, Id, Key, Label, Layout, Modifiers, Pos2, Rect, RichText, Role, ScrollArea, Sense,
    StrokeKind, TextureHandle, TextureOptions, Ui, Vec2, WidgetInfo, vec2,
};

use crate::call::view::UpCall;
use crate::call::{Command, ScreenChoice, ScreenSource};
use crate::ui::parts::button::{Kind, button, focus_ring};
use crate::ui::parts::card::{card_ui, centred_row};
use crate::ui::parts::icon::{Icon, paint_icon};
use crate::ui::parts::picture_tile::whole;
use crate::ui::textures::to_rgba;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// What the dialog asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// Something for the client.
    pub command: Option<Command>,
    /// It is to be closed.
    pub close: bool,
}

/// A choice on the card, with its name below it.
const TILE: Vec2 = vec2(200.0, 158.0);
/// Its picture.
const LOOK: Vec2 = vec2(200.0, 125.0);

/// Draws the dialog. `choices`: `None` while they are looked for. `with_camera` is the person's choice. Esc closes it.
pub fn share_ui(
    ui: &mut Ui,
    call: &UpCall,
    choices: Option<&Arc<Vec<ScreenChoice>>>,
    with_camera: &mut bool,
) -> Asked {
    let mut asked = Asked::default();
    let room = ui.ctx().content_rect().height();
    card_ui(ui, "share", 740.0, |ui| {
        ui.spacing_mut().item_spacing.y = 8.0;
        let centred = |text: RichText| Label::new(text).wrap().halign(Align::Center);
        ui.add(centred(RichText::new(word("share.title")).font(theme::strong(20.0))));
        let text = word_with("share.text", &[("name", &call.far.name)]);
        ui.add(centred(RichText::new(text).color(palette(ui).dim)));
        ui.add_space(8.0);
        match choices {
            None => {
                ui.add(centred(RichText::new(word("share.looking")).color(palette(ui).dim)));
            }
            Some(choices) if choices.is_empty() => {
                ui.add(centred(RichText::new(word("share.none")).color(palette(ui).dim)));
            }
            Some(choices) => {
                let looks = looks(ui.ctx(), choices);
                let most = (room - 330.0).clamp(160.0, 520.0);
                let chosen = ScrollArea::vertical().max_height(most).show(ui, |ui| {
                    ui.with_layout(Layout::left_to_right(Align::Min).with_main_wrap(true), |ui| {
                        ui.spacing_mut().item_spacing = vec2(14.0, 14.0);
                        tiles_ui(ui, choices, &looks)
                    })
                    .inner
                });
                if let Some(source) = chosen.inner {
                    let with_camera = *with_camera && call.camera_on;
                    asked.command = Some(Command::ShareScreen { source, with_camera });
                    asked.close = true;
                }
            }
        }
        ui.add_space(4.0);
        if call.has_camera && call.camera_on {
            ui.checkbox(with_camera, word("share.camera"));
        }
        centred_row(ui, "share buttons", 12.0, |ui| {
            asked.close |= button(ui, Kind::Plain, None, word("share.cancel")).clicked();
        });
    });
    asked.close |= ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    if asked.close {
        ui.data_mut(|data| data.remove::<Looks>(looks_id()));
    }
    asked
}

fn tiles_ui(ui: &mut Ui, choices: &[ScreenChoice], looks: &Looks) -> Option<ScreenSource> {
    let mut chosen = None;
    for (choice, look) in choices.iter().zip(looks.textures.iter()) {
        let name = name_of(choice);
        let (rect, response) = ui.allocate_exact_size(TILE, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), &name));
        tile_ui(ui, rect, choice, look.as_ref(), &name, response.hovered());
        focus_ring(ui, &response, rect, f32::from(theme::RADIUS));
        if response.on_hover_text(&name).clicked() {
            chosen = Some(choice.source);
        }
    }
    chosen
}

fn tile_ui(
    ui: &Ui,
    rect: Rect,
    choice: &ScreenChoice,
    look: Option<&TextureHandle>,
    name: &str,
    lively: bool,
) {
    let palette = palette(ui);
    let picture = Rect::from_min_size(rect.min, LOOK);
    let line = if lively { palette.accent } else { palette.line };
    ui.painter().rect_filled(picture, theme::RADIUS, theme::BEHIND_PICTURE);
    match look {
        Some(texture) => {
            let place = whole(texture.size_vec2(), picture.shrink(2.0));
            let all = Rect::from_min_max(Pos2::ZERO, Pos2::new(1.0, 1.0));
            ui.painter().image(texture.id(), place, all, egui::Color32::WHITE);
        }
        None => {
            let square = Rect::from_center_size(picture.center(), Vec2::splat(40.0));
            let icon =
                if matches!(choice.source, ScreenSource::Window(_)) { Icon::Tile } else { Icon::Screen };
            paint_icon(ui.painter(), icon, square, theme::GLASS_DIM);
        }
    }
    ui.painter().rect_stroke(picture, theme::RADIUS, egui::Stroke::new(1.5, line), StrokeKind::Inside);
    let mut job = egui::text::LayoutJob::simple_singleline(name.to_owned(), theme::font(13.0), palette.text);
    job.wrap = egui::text::TextWrapping::truncate_at_width(LOOK.x);
    let galley = ui.painter().layout_job(job);
    let at = Pos2::new(picture.center().x - galley.size().x / 2.0, picture.bottom() + 8.0);
    ui.painter().galley(at, galley, palette.text);
}

/// What a choice is called on screen.
fn name_of(choice: &ScreenChoice) -> String {
    match choice.source {
        ScreenSource::Everything => word("share.everything").to_owned(),
        ScreenSource::Screen(_) => word_with("share.screen", &[("name", &choice.name)]),
        ScreenSource::Window(_) => choice.name.clone(),
        ScreenSource::Asked => word("share.asked").to_owned(),
    }
}

/// The previews as textures, made once for each list.
#[derive(Clone)]
struct Looks {
    of: Arc<Vec<ScreenChoice>>,
    textures: Arc<Vec<Option<TextureHandle>>>,
}

fn looks_id() -> Id {
    Id::unique("share looks")
}

fn looks(ctx: &Context, choices: &Arc<Vec<ScreenChoice>>) -> Looks {
    let known = ctx.data(|data| data.get_temp::<Looks>(looks_id()));
    if let Some(known) = known.filter(|known| Arc::ptr_eq(&known.of, choices)) {
        return known;
    }
    let texture = |choice: &ScreenChoice| {
        let image = to_rgba(choice.preview.as_ref()?, &mut Vec::new())?;
        Some(ctx.load_texture("share look", image, TextureOptions::LINEAR))
    };
    let textures = Arc::new(choices.iter().map(texture).collect());
    let looks = Looks { of: Arc::clone(choices), textures };
    ctx.data_mut(|data| data.insert_temp(looks_id(), looks.clone()));
    looks
}
