//! What people write, laid out: links underlined and clickable, a lone emoji large, all of it selectable.
//!
//! Right-to-left words are shaped, joined and read as they should be, each by itself. egui does not order the words of
//! such a sentence from right to left, nor begin it at the right: the words stand in the order in which they were typed.

use std::ops::Range;
use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat};
use egui::text_selection::LabelSelectionState;
use egui::{Color32, CursorIcon, Galley, Rect, Response, Sense, Stroke, Ui, WidgetInfo, vec2};

use super::text_links::{Target, links_in};
use crate::ui::action::Action;
use crate::ui::emoji_font::only_emoji;
use crate::ui::theme::{self, palette};

/// Height of a line of text, in points.
const LINE: f32 = 20.0;
/// Size of a lone emoji, in points.
const LARGE: f32 = 34.0;

/// A text that was laid out for a width.
pub struct RichText {
    /// The lines.
    pub galley: Arc<Galley>,
    /// Where in it the links are, in characters.
    links: Vec<(Range<usize>, Target)>,
}

/// Lays a text out. Laying out the same one again costs next to nothing while it stays on the screen.
pub fn rich_text(ui: &Ui, text: &str, width: f32) -> RichText {
    let palette = palette(ui);
    if only_emoji(text) {
        let job = LayoutJob::simple(text.to_owned(), theme::font(LARGE), palette.text, width);
        return RichText { galley: ui.painter().layout_job(job), links: Vec::new() };
    }
    let plain = format(palette.text);
    let linked = TextFormat { underline: Stroke::new(1.0, palette.accent), ..format(palette.accent) };
    let mut job = LayoutJob { wrap: egui::text::TextWrapping::wrap_at_width(width), ..LayoutJob::default() };
    let mut links = Vec::new();
    let (mut from, mut signs) = (0, 0);
    for link in links_in(text) {
        let before = &text[from..link.range.start];
        job.append(before, 0.0, plain.clone());
        signs += before.chars().count();
        let written = &text[link.range.clone()];
        job.append(written, 0.0, linked.clone());
        let length = written.chars().count();
        links.push((signs..signs + length, link.target));
        signs += length;
        from = link.range.end;
    }
    job.append(&text[from..], 0.0, plain);
    RichText { galley: ui.painter().layout_job(job), links }
}

fn format(ink: Color32) -> TextFormat {
    TextFormat { line_height: Some(LINE), ..TextFormat::simple(theme::font(theme::BODY), ink) }
}

impl RichText {
    /// Draws it at a place. What a click on a link asks for, and the text's own response, for a menu.
    pub fn show(self, ui: &mut Ui, rect: Rect, label: &str) -> (Option<Action>, Response) {
        // Chosen with the pointer; the Tab key goes from bubble to bubble.
        let response = ui.allocate_rect(rect, Sense::CLICK | Sense::DRAG);
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, label));
        let pointed = ui.input(|input| input.pointer.hover_pos()).filter(|_| response.hovered());
        let link = pointed.and_then(|at| self.link_at(at - rect.min));
        if link.is_some() {
            ui.set_cursor_icon(CursorIcon::PointingHand);
        }
        let action = link.filter(|_| response.clicked()).map(Target::action);
        let ink = palette(ui).text;
        LabelSelectionState::label_text_selection(
            ui,
            &response,
            rect.min,
            Arc::clone(&self.galley),
            ink,
            Stroke::NONE,
        );
        (action, response)
    }

    /// The links, for a menu.
    pub fn targets(&self) -> Vec<Target> {
        self.links.iter().map(|(_, target)| target.clone()).collect()
    }

    fn link_at(&self, at: egui::Vec2) -> Option<&Target> {
        let inside = Rect::from_min_size(egui::Pos2::ZERO, self.galley.size() + vec2(1.0, 0.0));
        if !inside.contains(at.to_pos2()) {
            return None;
        }
        let sign = self.galley.cursor_from_pos(at).index.0;
        self.links.iter().find(|(range, _)| range.contains(&sign)).map(|(_, target)| target)
    }
}
