//! What a conversation is in few words, and the head of a chat beside a call.

use std::time::Duration;

use egui::{Align, Layout, RichText, Ui};

use super::button::icon_button;
use super::icon::Icon;
use crate::call::EndReason;
use crate::call::view::{Line, LineKind};
use crate::ui::clock::length;
use crate::ui::theme;
use crate::ui::words::{word, word_with};

/// Characters of a message in a list.
const MOST_SIGNS: usize = 80;

/// The last line in few words, for a list.
pub fn summary(line: &Line) -> String {
    match &line.what {
        LineKind::Received(text) => first_line(text),
        LineKind::Sent { text, .. } => word_with("home.you", &[("text", &first_line(text))]),
        LineKind::File(file) => file.name.clone(),
        LineKind::Call { incoming, lasted, reason } => call_words(*incoming, *lasted, *reason),
    }
}

/// Whether a line is a call that nobody took here.
pub fn is_missed(line: &Line) -> bool {
    matches!(
        line.what,
        LineKind::Call { incoming: true, lasted: None, reason } if reason != EndReason::Declined
    )
}

/// Whether a line came from the other end.
pub fn is_incoming(line: &Line) -> bool {
    match &line.what {
        LineKind::Received(_) => true,
        LineKind::Sent { .. } => false,
        LineKind::File(file) => file.incoming,
        LineKind::Call { .. } => is_missed(line),
    }
}

/// What became of a call.
pub fn call_words(incoming: bool, lasted: Option<Duration>, reason: EndReason) -> String {
    match (lasted, incoming, reason) {
        (Some(lasted), ..) => word_with("chat.call_lasted", &[("time", &length(lasted))]),
        (None, true, EndReason::Declined) => word("chat.call_declined").to_owned(),
        (None, true, _) => word("chat.call_missed").to_owned(),
        (None, false, EndReason::NoAnswer) => word("chat.call_no_answer").to_owned(),
        (None, false, EndReason::Declined) => word("chat.call_refused").to_owned(),
        (None, false, EndReason::Busy) => word("chat.call_busy").to_owned(),
        (None, false, EndReason::Cancelled) => word("chat.call_stopped").to_owned(),
        (None, false, _) => word("chat.call_failed").to_owned(),
    }
}

/// The head of a chat beside a call. True when it is to be closed.
pub fn chat_head_ui(ui: &mut Ui) -> bool {
    ui.horizontal(|ui| {
        ui.set_height(theme::HEAD_HEIGHT);
        ui.label(RichText::new(word("chat.title")).font(theme::strong(theme::BODY)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            icon_button(ui, Icon::Close, word("chat.close")).clicked()
        })
        .inner
    })
    .inner
}

fn first_line(text: &str) -> String {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().chars().take(MOST_SIGNS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_we_made_says_what_became_of_it() {
        let words = |reason| call_words(false, None, reason);
        assert_eq!(words(EndReason::NoAnswer), "Called, no answer");
        assert_eq!(words(EndReason::Declined), "Called, declined");
        assert_eq!(words(EndReason::Busy), "Called, busy");
    }
}
