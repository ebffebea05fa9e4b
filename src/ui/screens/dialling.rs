//! We call: who, how far it got, for how long, and the way out.

use std::time::Duration;

use egui::{Align, CentralPanel, Frame, Layout, Rect, RichText, Ui, vec2};

use super::welcome::own_preview;
use crate::call::Command;
use crate::call::view::{FarEnd, Progress};
use crate::ui::action::Action;
use crate::ui::clock::length;
use crate::ui::parts::avatar::{Dot, avatar_ui};
use crate::ui::parts::button::{Kind, button_sized};
use crate::ui::parts::card::centred_row;
use crate::ui::parts::icon::Icon;
use crate::ui::textures::Shown;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// Longer than any way takes that leads through.
const HINT_AFTER: Duration = Duration::from_secs(3);

/// What the screen shows.
#[derive(Clone, Debug)]
pub struct Dialling<'a> {
    /// Whom we call.
    pub far: &'a FarEnd,
    /// How far it got.
    pub progress: Progress,
    /// For how long.
    pub since: Duration,
    /// Our own picture.
    pub own_picture: Option<Shown>,
}

/// The words for how far it got.
pub fn progress_words(progress: Progress, name: &str) -> String {
    match progress {
        Progress::Looking => word_with("dial.looking", &[("name", name)]),
        Progress::Connecting => word("dial.connecting").to_owned(),
        Progress::Ringing => word("dial.ringing").to_owned(),
        Progress::Waiting => word("dial.waiting").to_owned(),
    }
}

/// Draws it. No key ends it: Space and Esc are pressed by accident.
pub fn dialling_ui(ui: &mut Ui, dialling: &Dialling<'_>) -> Option<Action> {
    let palette = palette(ui);
    let mut action = None;
    let name = shown_name(&dialling.far.name);
    CentralPanel::no_frame().frame(Frame::new().fill(palette.bg)).show(ui, |ui| {
        let area = ui.max_rect();
        ui.with_layout(Layout::top_down(Align::Center), |ui| {
            ui.add_space((area.height() * 0.5 - 190.0).max(24.0));
            avatar_ui(ui, &name, 112.0, Dot::None);
            ui.add_space(14.0);
            ui.add(egui::Label::new(RichText::new(&name).font(theme::strong(22.0))).truncate());
            ui.add_space(2.0);
            // Where nothing answers, it is said long before it is given up.
            let slow = dialling.progress == Progress::Connecting && dialling.since >= HINT_AFTER;
            let words = if slow {
                word("dial.no_answer_yet").to_owned()
            } else {
                progress_words(dialling.progress, &name)
            };
            ui.add(egui::Label::new(RichText::new(words).color(palette.dim)).truncate());
            ui.label(
                RichText::new(length(dialling.since)).font(theme::mono(theme::SMALL)).color(palette.faint),
            );
            ui.add_space(22.0);
            centred_row(ui, "dial buttons", 14.0, |ui| {
                if button_sized(ui, Kind::End, Some(Icon::HangUp), word("dial.cancel"), 44.0, 18.0).clicked()
                {
                    action = Some(Action::Ask(Command::Cancel));
                }
            });
        });
        if dialling.own_picture.is_some() {
            let size = if area.width() < theme::NARROW { vec2(128.0, 80.0) } else { vec2(240.0, 150.0) };
            let corner = area.right_bottom() - vec2(20.0, 20.0);
            own_preview(
                ui,
                Rect::from_min_max(corner - size, corner),
                dialling.own_picture,
                theme::PICTURE_RADIUS,
            );
        }
    });
    action
}

/// A peer ID dialled without a name is too long to read: its beginning will do.
fn shown_name(name: &str) -> String {
    match name.parse::<crate::call::PeerId>() {
        Ok(id) => id.short(),
        Err(_) => name.to_owned(),
    }
}
