//! A small grid of emoji, those used lately first. Arrows move in it, Enter takes one, Esc closes it.

use egui::{Button, Popup, PopupCloseBehavior, Response, RichText, ScrollArea, Ui, vec2};

use crate::ui::theme::{self, palette};
use crate::ui::words::word;

/// Emoji in a row.
const IN_A_ROW: usize = 8;
/// Side of one, in points.
const SIDE: f32 = 34.0;
/// Emoji that were used lately.
const MOST_RECENT: usize = 16;

const FACES: &str = "😀 😃 😄 😁 😅 😂 🤣 😊 🙂 😉 😍 🥰 😘 😋 😜 🤪 🤔 🤗 🤭 🤫 😐 😑 🙄 😏 😴 😷 🤒 🤧 🥳 😎 🤓 😕 😟 😮 😳 🥺 😢 😭 😤 😡 🤯 😱 😇 🤝";
const HANDS: &str = "👍 👎 👌 ✌️ 🤞 🤘 👋 🙌 👏 🙏 💪 🫶 👀 👉 👈 ☝️";
const HEARTS: &str = "❤️ 🧡 💛 💚 💙 💜 🖤 🤍 💔 💯 💢 💤 ✨ 🔥 🎉 🎂";
const THINGS: &str = "☕ 🍵 🍺 🍷 🍕 🍜 🍰 🍎 🌹 🌻 🌈 ☀️ 🌧️ ❄️ ⭐ 🌙 🐶 🐱 🐼 🦊 🚗 🚲 ✈️ 🚆 🏠 🏢 💻 📱 📷 🎥 🎧 🎵 📎 📅 ⏰ 💡 🔒 🔑 ✅ ❌ ❓ ❗ ⚠️ 🚀";

/// The emoji that were used lately, the last one first.
#[derive(Clone, Debug, Default)]
pub struct Recent(Vec<&'static str>);

impl Recent {
    /// Puts one in front.
    pub fn used(&mut self, emoji: &'static str) {
        self.0.retain(|known| *known != emoji);
        self.0.insert(0, emoji);
        self.0.truncate(MOST_RECENT);
    }
}

/// Opens on a click on `button`. The emoji that was taken; it stays open for more.
pub fn emoji_picker(button: &Response, recent: &mut Recent) -> Option<&'static str> {
    let taken = Popup::menu(button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            ScrollArea::vertical()
                .max_height(280.0)
                .show(ui, |ui| {
                    ui.set_width(SIDE * IN_A_ROW as f32);
                    ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
                    let mut taken = None;
                    if !recent.0.is_empty() {
                        taken = group_ui(ui, word("emoji.recent"), recent.0.iter().copied());
                    }
                    for (title, group) in [
                        (word("emoji.faces"), FACES),
                        (word("emoji.hands"), HANDS),
                        (word("emoji.hearts"), HEARTS),
                        (word("emoji.things"), THINGS),
                    ] {
                        taken = group_ui(ui, title, group.split(' ')).or(taken);
                    }
                    taken
                })
                .inner
        })
        .and_then(|shown| shown.inner);
    if let Some(emoji) = taken {
        recent.used(emoji);
    }
    taken
}

fn group_ui(ui: &mut Ui, title: &str, emoji: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let ink = palette(ui).faint;
    ui.add_space(6.0);
    ui.label(RichText::new(title).font(theme::strong(theme::TINY)).color(ink));
    let mut taken = None;
    let emoji: Vec<&'static str> = emoji.collect();
    for row in emoji.chunks(IN_A_ROW) {
        ui.horizontal(|ui| {
            for one in row {
                let text = RichText::new(*one).font(theme::font(20.0));
                let cell = Button::new(text).frame_when_inactive(false).min_size(vec2(SIDE, SIDE));
                if ui.add_sized(vec2(SIDE, SIDE), cell).clicked() {
                    taken = Some(*one);
                }
            }
        });
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_used_last_comes_first_and_once() {
        let mut recent = Recent::default();
        for emoji in ["👍", "❤️", "👍"] {
            recent.used(emoji);
        }
        assert_eq!(recent.0, ["👍", "❤️"]);
    }
}
