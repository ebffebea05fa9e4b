//! Notices that come, stay a while, and go. One may hold a button that takes back what it tells of.

use std::collections::VecDeque;

use egui::{Align, Align2, Area, Context, Frame, Id, Label, Layout, Margin, Order, RichText, Stroke, vec2};

use super::button::{icon_button, link};
use super::icon::Icon;
use crate::ui::action::Action;
use crate::ui::theme::{self, palette_in};
use crate::ui::words::word;

/// How long a notice stays, in seconds.
const STAYS: f64 = 8.0;
/// Where they begin at least: below what every screen has at its top.
const TOP: f32 = 76.0;
/// More than this many at once push out the oldest.
const MOST: usize = 3;

/// The notices on screen. Times are seconds of the window's own clock.
#[derive(Clone, Debug, Default)]
pub struct Toasts {
    shown: VecDeque<Toast>,
    due: Vec<Action>,
}

#[derive(Clone, Debug)]
struct Toast {
    text: String,
    until: f64,
    offer: Option<Offer>,
}

/// What a notice's button does, or keeps from being done.
#[derive(Clone, Debug)]
enum Offer {
    /// The button asks for this.
    Do(&'static str, Action),
    /// This is done once the notice is gone, unless the button was pressed.
    KeepFrom(&'static str, Action),
}

impl Offer {
    fn label(&self) -> &'static str {
        match self {
            Self::Do(label, _) | Self::KeepFrom(label, _) => label,
        }
    }
}

impl Toasts {
    /// Shows a notice. The same words again only stay longer.
    pub fn add(&mut self, text: String, now: f64) {
        self.shown.retain(|toast| toast.text != text || toast.offer.is_some());
        self.push(Toast { text, until: now + STAYS, offer: None });
    }

    /// Shows a notice with a button that asks for something.
    pub fn add_with(&mut self, text: String, label: &'static str, action: Action, now: f64) {
        self.push(Toast { text, until: now + STAYS, offer: Some(Offer::Do(label, action)) });
    }

    /// Shows a notice of what is done once the notice is gone; its button keeps it from being done.
    pub fn add_before(&mut self, text: String, label: &'static str, action: Action, now: f64) {
        self.push(Toast { text, until: now + STAYS, offer: Some(Offer::KeepFrom(label, action)) });
    }

    /// The notices, oldest first.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.shown.iter().map(|toast| toast.text.as_str())
    }

    /// What will be done unless it is taken back.
    pub fn waiting(&self) -> impl Iterator<Item = &Action> {
        let shown = self.shown.iter().filter_map(|toast| match &toast.offer {
            Some(Offer::KeepFrom(_, action)) => Some(action),
            _ => None,
        });
        shown.chain(&self.due)
    }

    /// Draws them over everything, at the top but not above `below`, and forgets those whose time is over. What is to be
    /// done now.
    pub fn show(&mut self, ctx: &Context, below: f32) -> Vec<Action> {
        let now = ctx.input(|input| input.time);
        while let Some(at) = self.shown.iter().position(|toast| toast.until <= now) {
            self.end(at);
        }
        if let Some(next) = self.shown.iter().map(|toast| toast.until).reduce(f64::min) {
            ctx.request_repaint_after_secs((next - now) as f32);
            self.draw(ctx, below.max(TOP));
        }
        std::mem::take(&mut self.due)
    }

    /// Forgets every notice. What was to be done once it was gone.
    pub fn end_all(&mut self) -> Vec<Action> {
        while !self.shown.is_empty() {
            self.end(0);
        }
        std::mem::take(&mut self.due)
    }

    fn draw(&mut self, ctx: &Context, top: f32) {
        let palette = palette_in(&ctx.global_style().visuals);
        let (mut closed, mut taken) = (None, None);
        let width = (ctx.content_rect().width() - 32.0).min(460.0);
        Area::new(Id::unique("toasts"))
            .order(Order::Foreground)
            .anchor(Align2::CENTER_TOP, vec2(0.0, top))
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
                                if let Some(offer) = &toast.offer
                                    && link(ui, offer.label()).clicked()
                                {
                                    taken = Some(at);
                                }
                                let text = RichText::new(&toast.text).font(theme::font(13.0));
                                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                                    let said = ui.add(Label::new(text).wrap());
                                    let polite = egui::accesskit::Live::Polite;
                                    ctx.accesskit_node_builder(said.id, |node| node.set_live(polite));
                                });
                            });
                        });
                }
            });
        if let Some(at) = taken {
            if let Some(Toast { offer: Some(Offer::Do(_, action)), .. }) = self.shown.remove(at) {
                self.due.push(action);
            }
            ctx.request_repaint();
        } else if let Some(at) = closed {
            self.end(at);
        }
    }

    fn push(&mut self, toast: Toast) {
        self.shown.push_back(toast);
        if self.shown.len() > MOST {
            self.end(0);
        }
    }

    fn end(&mut self, at: usize) {
        if let Some(Toast { offer: Some(Offer::KeepFrom(_, action)), .. }) = self.shown.remove(at) {
            self.due.push(action);
        }
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

    #[test]
    fn what_waits_for_its_notice_is_done_when_others_push_it_out() {
        let mut toasts = Toasts::default();
        toasts.add_before("deleted".into(), "Undo", Action::Back, 0.0);
        for text in ["a", "b"] {
            toasts.add(text.to_owned(), 0.0);
        }
        assert_eq!(toasts.due, []);
        toasts.add("c".into(), 0.0);
        assert_eq!(toasts.due, [Action::Back]);
        assert_eq!(toasts.waiting().count(), 1);
    }
}
