//! Notices that come, stay a while, and go.

use std::collections::VecDeque;

use egui::{Align, Align2, Area, Context, Frame, Id, Label, Layout, Margin, Order, RichText, Stroke, vec2};

use super::button::{Kind, button, icon_button};
use super::icon::Icon;
use crate::ui::action::Action;
use crate::ui::theme::{self, palette_in};
use crate::ui::words::word;

/// How long a notice stays, in seconds.
const STAYS: f64 = 7.0;
/// More than this many at once push out the oldest.
const MOST: usize = 3;

/// The notices on screen. Times are seconds of the window's own clock.
#[derive(Clone, Debug, Default)]
pub struct Toasts {
    shown: VecDeque<Toast>,
}

#[derive(Clone, Debug)]
struct Toast {
    text: String,
    until: f64,
    /// What can be done about it, and its words.
    offer: Option<(&'static str, Action)>,
}

impl Toasts {
    /// Shows a notice. The same words again only stay longer.
    pub fn add(&mut self, text: String, now: f64) {
        self.put(text, None, now);
    }

    /// The same with a button.
    pub fn add_with(&mut self, text: String, label: &'static str, action: Action, now: f64) {
        self.put(text, Some((label, action)), now);
    }

    fn put(&mut self, text: String, offer: Option<(&'static str, Action)>, now: f64) {
        self.shown.retain(|toast| toast.text != text);
        self.shown.push_back(Toast { text, until: now + STAYS, offer });
        if self.shown.len() > MOST {
            self.shown.pop_front();
        }
    }

    /// The notices, oldest first.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.shown.iter().map(|toast| toast.text.as_str())
    }

    /// Draws them over everything, at the top, and forgets those whose time is over. What a button asks for, if one was
    /// pressed.
    pub fn show(&mut self, ctx: &Context) -> Option<Action> {
        let now = ctx.input(|input| input.time);
        self.shown.retain(|toast| toast.until > now);
        let next = self.shown.iter().map(|toast| toast.until).reduce(f64::min)?;
        ctx.request_repaint_after_secs((next - now) as f32);

        let palette = palette_in(&ctx.global_style().visuals);
        let mut closed = None;
        let mut asked = None;
        let width = (ctx.content_rect().width() - 32.0).min(460.0);
        Area::new(Id::unique("toasts"))
            .order(Order::Foreground)
            .anchor(Align2::CENTER_TOP, vec2(0.0, 76.0))
            .show(ctx, |ui| {
                for (at, toast) in self.shown.iter().enumerate() {
                    Frame::new()
                        .fill(palette.panel)
                        .stroke(Stroke::new(1.0, palette.line))
                        .corner_radius(theme::PICTURE_RADIUS)
                        .inner_margin(Margin::symmetric(14, 8))
                        .shadow(egui::Shadow {
                            offset: [0, 6],
                            blur: 20,
                            spread: 0,
                            color: egui::Color32::from_black_alpha(70),
                        })
                        .show(ui, |ui| {
                            ui.set_width(width - 28.0);
                            let row = vec2(width - 28.0, 24.0);
                            ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
                                if icon_button(ui, Icon::Close, word("notice.close")).clicked() {
                                    closed = Some(at);
                                }
                                if let Some((label, action)) = &toast.offer
                                    && button(ui, Kind::Plain, None, label).clicked()
                                {
                                    asked = Some(action.clone());
                                    closed = Some(at);
                                }
                                let text = RichText::new(&toast.text).font(theme::font(13.0));
                                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                                    ui.add(Label::new(text).wrap());
                                });
                            });
                        });
                }
            });
        if let Some(at) = closed {
            self.shown.remove(at);
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_notice_twice_is_shown_once_and_only_three_at_a_time() {
        let mut toasts = Toasts::default();
        for text in ["a", "b", "a", "c", "d"] {
            toasts.add(text.to_owned(), 0.0);
        }
        assert_eq!(toasts.texts().collect::<Vec<_>>(), ["a", "c", "d"]);
    }
}
