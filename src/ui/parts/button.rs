//! Buttons: with words, with an icon alone, and the round ones on a picture.

use egui::{
    Align2, Color32, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, vec2,
};

use super::icon::{Icon, paint_icon};
use crate::ui::theme::{self, Palette, palette};

/// What a button means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// One among others.
    Plain,
    /// The one most people want.
    Primary,
    /// Accepts.
    Accept,
    /// Ends or declines.
    End,
}

impl Kind {
    fn colours(self, palette: &Palette) -> (Color32, Color32, Color32) {
        match self {
            Self::Plain => (palette.raised, palette.text, palette.line),
            Self::Primary => (palette.accent, palette.accent_ink, palette.accent),
            Self::Accept => (theme::OK, theme::OK_INK, theme::OK),
            Self::End => (theme::BAD, theme::WHITE, theme::BAD),
        }
    }
}

/// A button with words, and an icon before them if there is one.
pub fn button(ui: &mut Ui, kind: Kind, icon: Option<Icon>, label: &str) -> Response {
    button_sized(ui, kind, icon, label, theme::BUTTON_HEIGHT, 14.0)
}

/// The same, with a height and the space left and right of its content, in points.
pub fn button_sized(
    ui: &mut Ui,
    kind: Kind,
    icon: Option<Icon>,
    label: &str,
    height: f32,
    padding: f32,
) -> Response {
    let palette = palette(ui);
    let (mut fill, ink, mut line) = kind.colours(&palette);
    let galley = ui.painter().layout_no_wrap(label.to_owned(), theme::strong(LABEL), ink);
    let icon_width = if icon.is_some() { 18.0 + 8.0 } else { 0.0 };
    let width = galley.size().x + icon_width + 2.0 * padding;
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::click());
    name(&response, ui.is_enabled(), label);
    fill = lively(fill, &response, palette.text);
    if !ui.is_enabled() {
        (fill, line) = (fill.gamma_multiply(0.5), line.gamma_multiply(0.5));
    }
    ui.painter().rect(rect, theme::RADIUS, fill, Stroke::new(1.0, line), StrokeKind::Inside);
    let mut x = rect.left() + padding;
    if let Some(icon) = icon {
        let square = Rect::from_center_size(Pos2::new(x + 9.0, rect.center().y), Vec2::splat(18.0));
        paint_icon(ui.painter(), icon, square, ink);
        x += icon_width;
    }
    ui.painter().galley(Pos2::new(x, rect.center().y - galley.size().y / 2.0), galley, ink);
    focus_ring(ui, &response, rect, f32::from(theme::RADIUS));
    response
}

/// A button whose words alone would not say what it does: `spoken` is what a screen reader calls it.
pub fn button_called(ui: &mut Ui, kind: Kind, label: &str, spoken: &str) -> Response {
    let response = button(ui, kind, None, label);
    name(&response, ui.is_enabled(), spoken);
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(spoken));
    response
}

/// How wide a button without an icon will be, in points: for what stands before it and takes the rest.
pub fn button_width(ui: &Ui, label: &str, padding: f32) -> f32 {
    let ink = palette(ui).text;
    ui.painter().layout_no_wrap(label.to_owned(), theme::strong(LABEL), ink).size().x + 2.0 * padding
}

/// An icon that can be pressed; its words are for screen readers and for the pointer that rests on it.
pub fn icon_button(ui: &mut Ui, icon: Icon, label: &str) -> Response {
    let palette = palette(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(28.0), Sense::click());
    name(&response, ui.is_enabled(), label);
    if response.hovered() {
        ui.painter().rect_filled(rect, theme::RADIUS, palette.raised);
    }
    let ink = if response.hovered() { palette.text } else { palette.dim };
    paint_icon(ui.painter(), icon, Rect::from_center_size(rect.center(), Vec2::splat(18.0)), ink);
    focus_ring(ui, &response, rect, f32::from(theme::RADIUS));
    response.on_hover_text(label)
}

/// How a round button looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Round {
    /// Its device is on, or there is nothing to say.
    Normal,
    /// Its device is off.
    Off,
    /// Its panel is open.
    Open,
    /// It ends the call.
    End,
}

/// A round button on a picture. `hint` is shown to the pointer that rests on it: the label and its key.
pub fn round_button(ui: &mut Ui, look: Round, icon: Icon, label: &str, hint: &str) -> Response {
    let palette = palette(ui);
    let (fill, ink, width, radius) = match look {
        Round::Normal => (theme::ROUND, theme::ROUND_INK, 48.0, 24.0),
        Round::Off => (theme::ROUND_OFF, theme::ROUND_OFF_INK, 48.0, 24.0),
        Round::Open => (palette.accent, palette.accent_ink, 48.0, 24.0),
        Round::End => (theme::BAD, theme::WHITE, 64.0, 24.0),
    };
    let (rect, response) = ui.allocate_exact_size(vec2(width, 48.0), Sense::click());
    name(&response, ui.is_enabled(), label);
    let (mut fill, mut ink) = (lively(fill, &response, theme::ROUND_INK), ink);
    if !ui.is_enabled() {
        (fill, ink) = (fill.gamma_multiply(0.6), ink.gamma_multiply(0.5));
    }
    ui.painter().rect_filled(rect, radius, fill);
    paint_icon(ui.painter(), icon, Rect::from_center_size(rect.center(), Vec2::splat(22.0)), ink);
    focus_ring(ui, &response, rect, radius);
    response.on_hover_text(hint)
}

/// Words that can be pressed.
pub fn link(ui: &mut Ui, label: &str) -> Response {
    let palette = palette(ui);
    let galley = ui.painter().layout_no_wrap(label.to_owned(), theme::font(theme::SMALL), palette.dim);
    let (rect, response) = ui.allocate_exact_size(galley.size(), Sense::click());
    name(&response, ui.is_enabled(), label);
    let ink = if response.hovered() { palette.text } else { palette.dim };
    ui.painter().galley_with_override_text_color(rect.min, galley, ink);
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, ink));
    focus_ring(ui, &response, rect.expand(3.0), 4.0);
    response
}

/// A switch, on or off, named by `label` for screen readers.
pub fn switch(ui: &mut Ui, on: bool, label: &str) -> Response {
    let palette = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(40.0, 22.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, ui.is_enabled(), on, label));
    let (fill, knob) = if on { (palette.accent, theme::WHITE) } else { (palette.line, palette.dim) };
    ui.painter().rect_filled(rect, 11.0, fill);
    let x = if on { rect.right() - 11.0 } else { rect.left() + 11.0 };
    ui.painter().circle_filled(Pos2::new(x, rect.center().y), 8.0, knob);
    focus_ring(ui, &response, rect, 11.0);
    response
}

/// One of a few choices side by side.
pub fn choice(ui: &mut Ui, chosen: bool, label: &str) -> Response {
    let palette = palette(ui);
    let font = if chosen { theme::strong(13.5) } else { theme::font(13.5) };
    let ink = if chosen { palette.text } else { palette.dim };
    let galley = ui.painter().layout_no_wrap(label.to_owned(), font, ink);
    let (rect, response) =
        ui.allocate_exact_size(vec2(galley.size().x + 28.0, theme::BUTTON_HEIGHT), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), chosen, label));
    let line = if chosen { Stroke::new(1.5, palette.accent) } else { Stroke::new(1.0, palette.line) };
    let fill = if chosen || response.hovered() { palette.raised } else { palette.bg };
    ui.painter().rect(rect, theme::RADIUS, fill, line, StrokeKind::Inside);
    ui.painter().galley(Align2::CENTER_CENTER.anchor_size(rect.center(), galley.size()).min, galley, ink);
    focus_ring(ui, &response, rect, f32::from(theme::RADIUS));
    response
}

/// One of a few colours, by its name; the one in use has a line around it and bold words.
pub fn swatch(ui: &mut Ui, chosen: bool, colour: Color32, label: &str) -> Response {
    let palette = palette(ui);
    let font = if chosen { theme::strong(LABEL) } else { theme::font(LABEL) };
    let ink = if chosen { palette.text } else { palette.dim };
    let galley = ui.painter().layout_no_wrap(label.to_owned(), font, ink);
    let (rect, response) =
        ui.allocate_exact_size(vec2(galley.size().x + 50.0, theme::BUTTON_HEIGHT), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), chosen, label));
    let line = if chosen { Stroke::new(1.5, colour) } else { Stroke::new(1.0, palette.line) };
    let fill = if chosen || response.hovered() { palette.raised } else { palette.bg };
    ui.painter().rect(rect, theme::RADIUS, fill, line, StrokeKind::Inside);
    ui.painter().circle_filled(Pos2::new(rect.left() + 20.0, rect.center().y), 7.0, colour);
    ui.painter().galley(Pos2::new(rect.left() + 36.0, rect.center().y - galley.size().y / 2.0), galley, ink);
    focus_ring(ui, &response, rect, f32::from(theme::RADIUS));
    response
}

/// Shows where the keyboard is; what was scrolled out of sight comes into it.
pub fn focus_ring(ui: &Ui, response: &Response, rect: Rect, radius: f32) {
    if response.gained_focus() {
        ui.scroll_to_rect(rect.expand(4.0), None);
    }
    if response.has_focus() {
        let ring = Stroke::new(2.0, palette(ui).accent);
        ui.painter().rect_stroke(rect.expand(2.0), radius + 2.0, ring, StrokeKind::Outside);
    }
}

/// Size of the words on a button, in points.
const LABEL: f32 = 13.5;

fn name(response: &Response, enabled: bool, label: &str) {
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, label));
}

fn lively(fill: Color32, response: &Response, towards: Color32) -> Color32 {
    if response.is_pointer_button_down_on() {
        fill.lerp_to_gamma(towards, 0.16)
    } else if response.hovered() {
        fill.lerp_to_gamma(towards, 0.08)
    } else {
        fill
    }
}
