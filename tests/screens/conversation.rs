//! A conversation: what stands in it, what is written, and what is asked for.

use std::sync::Arc;
use std::time::Duration;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use tincan::call::random_id::RandomId;
use tincan::call::view::{Conversation, Line, LineKind, Presence};
use tincan::call::{ClientView, Command};
use tincan::settings::Setting;
use tincan::ui::action::Action;
use tincan::ui::screens::conversation::{PathFor, Shown, Talk, Writing, conversation_ui, field_of};

use crate::pressed::{Asked, clock, harness, now, press};
use crate::shown;

fn of<'a>(view: ClientView, at: usize, narrow: bool, mut writing: Writing) -> Harness<'a, Asked> {
    harness(move |ui| {
        let conversation = &view.conversations[at];
        let peer_id = conversation.peer_id;
        let talk = Talk {
            peer_id,
            name: &conversation.name,
            conversation: Some(conversation),
            going: &[],
            empty: "Nothing yet",
            field: field_of(peer_id),
        };
        let contact = view.contacts.iter().find(|contact| contact.peer_id == peer_id);
        let shown = Shown {
            talk,
            contact,
            presence: Presence::Online,
            blocked: false,
            settings: &view.settings,
            narrow,
        };
        conversation_ui(ui, &shown, &mut writing, &clock())
    })
}

/// With Jonas, who wrote once.
fn jonas<'a>() -> Harness<'a, Asked> {
    of(shown::home(now()), 1, false, Writing::default())
}

fn without_typing(asked: &[Action]) -> Vec<Action> {
    let typing = |action: &&Action| !matches!(action, Action::Ask(Command::Typing(_)));
    asked.iter().filter(typing).cloned().collect()
}

fn sent(text: &str) -> Action {
    Action::Ask(Command::SendText { to: shown::peer(2), text: text.to_owned() })
}

#[test]
fn enter_sends_and_shift_enter_does_not() {
    let mut harness = jonas();
    harness.get_by_label("Message Jonas").click();
    harness.run_steps(2);
    harness.get_by_label("Message Jonas").type_text("one");
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::SHIFT, Key::Enter);
    harness.run_steps(4);
    assert_eq!(without_typing(harness.state()), []);
    harness.get_by_label("Message Jonas").type_text("two");
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    assert_eq!(without_typing(harness.state()), [sent("one\ntwo")]);
}

#[test]
fn writing_is_told_and_looking_is_not() {
    let mut harness = jonas();
    harness.get_by_label("Message Jonas").click();
    harness.run_steps(4);
    assert_eq!(harness.state(), &[]);
    harness.get_by_label("Message Jonas").type_text("o");
    harness.run_steps(4);
    assert_eq!(harness.state(), &[Action::Ask(Command::Typing(shown::peer(2)))]);
}

#[test]
fn enter_while_an_input_method_composes_does_not_send() {
    let mut harness = jonas();
    harness.get_by_label("Message Jonas").click();
    harness.run_steps(2);
    let text = "ni hao".to_owned();
    harness.event(egui::Event::Ime(egui::ImeEvent::Preedit { text, active_range_chars: None }));
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    assert_eq!(without_typing(harness.state()), []);
}

#[test]
fn what_is_typed_after_enter_belongs_to_the_next_message() {
    let mut harness = jonas();
    harness.get_by_label("Message Jonas").focus();
    harness.run_steps(4);
    let key = |key, pressed| egui::Event::Key {
        key,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    let typed = [
        egui::Event::Text("one".into()),
        key(Key::Enter, true),
        key(Key::Enter, false),
        egui::Event::Text("two".into()),
        key(Key::Enter, true),
    ];
    harness.input_mut().events.extend(typed);
    harness.run_steps(4);
    assert_eq!(without_typing(harness.state()), [sent("one"), sent("two")]);
}

#[test]
fn an_emoji_is_put_where_the_cursor_is() {
    let mut harness = jonas();
    harness.get_by_label("Message Jonas").click();
    harness.run_steps(2);
    harness.get_by_label("Message Jonas").type_text("ab");
    harness.run_steps(2);
    harness.key_press(Key::ArrowLeft);
    harness.run_steps(2);
    press(&mut harness, "Emoji");
    press(&mut harness, "😀");
    press(&mut harness, "Send");
    assert_eq!(without_typing(harness.state()), [sent("a😀b")]);
}

#[test]
fn what_became_of_a_message_is_said_in_words() {
    let mut harness = of(shown::rich(now()), 0, false, Writing::default());
    harness.run_steps(4);
    harness.get_by_label_contains("waits until they are there");
    harness.get_by_label("林小雨 is writing…");
    harness.get_by_label("New");
}

#[test]
fn a_file_is_taken_or_declined_and_a_program_is_not_opened() {
    let mut harness = of(shown::rich(now()), 0, false, Writing::default());
    harness.run_steps(4);
    let asked = |harness: &Harness<'_, Asked>| without_typing(harness.state()).last().cloned();
    press(&mut harness, "Accept");
    let (peer, line) = (shown::peer(1), RandomId([106; 16]));
    assert_eq!(asked(&harness), Some(Action::Ask(Command::AcceptFile { peer, line })));
    press(&mut harness, "Decline");
    assert_eq!(asked(&harness), Some(Action::Ask(Command::StopFile { peer, line })));
    // Only the photograph has a button to open it; the program has a caution instead.
    press(&mut harness, "Open");
    assert_eq!(asked(&harness), Some(Action::OpenFile("/tmp/photo.jpg".into())));
    harness.get_by_label("A program: Tincan does not open it");
}

#[test]
fn earlier_lines_are_asked_for_once_near_the_top() {
    let mut view = shown::home(now());
    Arc::make_mut(&mut view.conversations)[1].more = true;
    let mut harness = of(view, 1, false, Writing::default());
    harness.run_steps(6);
    assert_eq!(harness.state(), &[Action::Ask(Command::LoadEarlier(shown::peer(2)))]);
}

#[test]
fn of_a_long_conversation_only_what_is_seen_is_drawn_and_the_end_comes_first() {
    let line = |number: u16| {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        let at = now() - Duration::from_secs(60 * u64::from(5000 - number));
        Line { id: RandomId(id), at, what: LineKind::Received(format!("line {number}")) }
    };
    let mut view = shown::home(now());
    let conversation =
        Conversation { lines: Arc::new((0..4000).map(line).collect()), ..view.conversations[1].clone() };
    view.conversations = Arc::new(vec![conversation]);
    let mut harness = of(view, 0, false, Writing::default());
    harness.run_steps(6);
    harness.get_by_label("line 3999");
    assert!(harness.query_all_by_label_contains("line ").count() < 60);
}

#[test]
fn an_empty_conversation_says_what_to_do() {
    let mut view = shown::home(now());
    let conversation = Conversation { lines: Arc::default(), ..view.conversations[1].clone() };
    view.conversations = Arc::new(vec![conversation]);
    let mut harness = of(view, 0, false, Writing::default());
    harness.run_steps(2);
    harness.get_by_label("Nothing yet");
}

#[test]
fn erasing_asks_first() {
    let mut harness = jonas();
    press(&mut harness, "More");
    press(&mut harness, "Erase conversation");
    harness.run_steps(4);
    assert_eq!(harness.state(), &[]);
    press(&mut harness, "Keep");
    press(&mut harness, "More");
    press(&mut harness, "Erase conversation");
    harness.run_steps(4);
    press(&mut harness, "Erase");
    assert_eq!(harness.state(), &[Action::Ask(Command::EraseHistory(Some(shown::peer(2))))]);
}

#[test]
fn a_path_is_typed_where_there_is_no_file_dialog() {
    let mut writing = Writing::default();
    writing.ask_for_path(PathFor::Sending, String::new());
    let mut harness = of(shown::home(now()), 1, false, writing);
    let label = "This system has no file dialog. Type the path of the file to send.";
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, label).focus();
    harness.run_steps(2);
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, label).type_text("/tmp/a.pdf");
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    let offer = Command::OfferFile { to: shown::peer(2), path: "/tmp/a.pdf".into() };
    assert_eq!(harness.state(), &[Action::Ask(offer)]);
}

#[test]
fn a_narrow_head_has_every_button() {
    let mut harness = of(shown::rich(now()), 0, true, Writing::default());
    harness.set_size(egui::vec2(360.0, 480.0));
    harness.run_steps(4);
    for label in ["Back", "Audio", "Video call", "More", "Send files", "Emoji", "Send"] {
        let rect = harness.get_by_label(label).rect();
        assert!(rect.left() >= 0.0 && rect.right() <= 360.0 && rect.bottom() <= 480.0, "{label}: {rect:?}");
    }
    press(&mut harness, "Back");
    assert_eq!(harness.state().last(), Some(&Action::Back));
}

#[test]
fn a_message_is_copied_and_deleted_by_its_menu() {
    let mut harness = jonas();
    harness.run_steps(2);
    harness.get_by_label("The train is late again").click_secondary();
    harness.run_steps(4);
    press(&mut harness, "Copy text");
    harness.get_by_label("The train is late again").click_secondary();
    harness.run_steps(4);
    press(&mut harness, "Delete here");
    let line = RandomId([90; 16]);
    let copied = Action::CopyText("The train is late again".into());
    assert_eq!(harness.state(), &[copied, Action::DeleteLine { peer: shown::peer(2), line }]);
}

#[test]
fn the_key_that_was_chosen_calls_who_is_shown() {
    let mut view = shown::home(now());
    let key = Setting::Shortcut("call_audio".into(), Some("Ctrl+J".into()));
    key.put_into(Arc::make_mut(&mut view.settings));
    let mut harness = of(view, 1, false, Writing::default());
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::J);
    harness.run_steps(2);
    let whom = shown::peer(2).to_string();
    assert_eq!(harness.state(), &[Action::Ask(Command::Call { whom, with_video: false })]);
}
