//! The last run ended badly: a report lies here, and the person decides what becomes of it.

use egui::{Align, Frame, Key, Label, Layout, Margin, Modifiers, RichText, ScrollArea, Ui, vec2};

use crate::ui::parts::button::{Kind, button_sized};
use crate::ui::parts::card::{card_ui, centred_row};
use crate::ui::parts::icon::Icon;
use crate::ui::theme::{self, palette};
use crate::ui::words::word;

/// What is to become of the report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CrashChoice {
    /// It is shown here.
    Read,
    /// It goes to the clipboard, to be sent to who can mend it.
    Copy,
    /// The file goes.
    Delete,
    /// The card goes, the file stays.
    Close,
}

/// Draws the card; `text` is the report once it is to be read.
pub fn crash_report_ui(ui: &mut Ui, text: Option<&str>) -> Option<CrashChoice> {
    let mut choice = None;
    let palette = palette(ui);
    let width = if text.is_some() { 720.0 } else { 460.0 };
    let height = ui.ctx().content_rect().height();
    card_ui(ui, "crash_report", width, |ui| {
        let centred = |text: RichText| Label::new(text).wrap().halign(Align::Center);
        ui.add(centred(RichText::new(word("crash.title")).font(theme::strong(20.0))));
        ui.add(centred(RichText::new(word("crash.what")).color(palette.dim)));
        ui.add_space(10.0);
        if let Some(text) = text {
            let frame =
                Frame::new().fill(palette.bg).corner_radius(theme::RADIUS).inner_margin(Margin::same(12));
            frame.show(ui, |ui| {
                // As high as it becomes from the first picture on: buttons do not move away under the pointer.
                let size = vec2(ui.available_width(), (height - 340.0).max(120.0));
                ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
                    ScrollArea::both().auto_shrink(false).show(ui, |ui| {
                        let text = RichText::new(text).font(theme::mono(theme::SMALL));
                        ui.add(Label::new(text).extend().selectable(true));
                    });
                });
            });
            ui.add_space(6.0);
        }
        centred_row(ui, "crash_buttons", 10.0, |ui| {
            let mut offer = |ui: &mut Ui, kind, icon, label, does| {
                if button_sized(ui, kind, icon, label, 40.0, 14.0).clicked() {
                    choice = Some(does);
                }
            };
            offer(ui, Kind::Plain, None, word("crash.delete"), CrashChoice::Delete);
            if text.is_some() {
                offer(ui, Kind::Plain, Some(Icon::Copy), word("crash.copy"), CrashChoice::Copy);
            } else {
                offer(ui, Kind::Plain, None, word("crash.read"), CrashChoice::Read);
            }
            offer(ui, Kind::Primary, None, word("crash.close"), CrashChoice::Close);
        });
    });
    if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        choice = Some(CrashChoice::Close);
    }
    choice
}
