//! The whole window on a client that only pretends: what stays, what is left, and that stillness costs nothing.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use egui::{Key, Modifiers, Role};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use jiff::tz::TimeZone;
use tincan::call::handle::Client;
use tincan::call::random_id::RandomId;
use tincan::call::view::{CallState, LineKind, UpCall};
use tincan::call::{ClientView, Command, EndReason, Event, Latest, Picture};
use tincan::ui::app::App;
use tincan::ui::{Attention, ThemeChoice, theme};

use crate::{pressed, shown};

/// What the window asked for, and what it is shown.
#[derive(Clone, Default)]
pub(crate) struct Wires {
    pub(crate) view: Rc<RefCell<Arc<ClientView>>>,
    pub(crate) asked: Rc<RefCell<Vec<Command>>>,
    far: Latest<Picture>,
    own: Latest<Picture>,
    screen: Latest<Picture>,
    /// The window closes for good.
    closing: Rc<Cell<bool>>,
}

impl Client for Wires {
    fn try_command(&self, command: Command) -> bool {
        self.asked.borrow_mut().push(command);
        true
    }

    fn view(&self) -> Arc<ClientView> {
        Arc::clone(&self.view.borrow())
    }

    fn poll_event(&mut self) -> Option<Event> {
        None
    }

    fn far_picture(&self) -> &Latest<Picture> {
        &self.far
    }

    fn own_picture(&self) -> &Latest<Picture> {
        &self.own
    }

    fn far_screen(&self) -> &Latest<Picture> {
        &self.screen
    }

    fn own_screen(&self) -> &Latest<Picture> {
        &self.screen
    }
}

pub(crate) fn window<'a>(call: CallState) -> (Harness<'a, ()>, Wires) {
    window_heeding(call, Attention::default())
}

/// A window that others can hand links to.
fn window_heeding<'a>(call: CallState, attention: Attention) -> (Harness<'a, ()>, Wires) {
    let wires = Wires::default();
    *wires.view.borrow_mut() = Arc::new(ClientView { call, ..shown::home(pressed::now()) });
    let client = wires.clone();
    let closing = Rc::clone(&wires.closing);
    let mut app = App::new(Box::new(client), ThemeChoice::Dark, TimeZone::UTC, None);
    app = app.heeding(attention);
    let mut harness = Harness::builder()
        .with_size([1280.0, 800.0])
        .with_context_setup(|ctx| theme::install(ctx, ThemeChoice::Dark))
        .allow_missing_glyphs()
        .build_ui_state(
            move |ui: &mut egui::Ui, _: &mut ()| {
                app.take_news(ui.ctx());
                app.show(ui);
                if closing.take() {
                    app.finish();
                }
            },
            (),
        );
    harness.run_steps(6);
    (harness, wires)
}

fn press(harness: &mut Harness<'_, ()>, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(4);
}

#[test]
fn a_call_goes_on_in_a_tile_while_the_list_is_looked_at() {
    let (mut harness, wires) = window(CallState::Up(shown::up()));
    press(&mut harness, "Keep the call in a small tile");
    harness.get_by_label("Return to the call with 林小雨");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::PageDown);
    harness.run_steps(4);
    harness.get_by_label("Message 林小雨");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::B);
    harness.run_steps(4);
    assert!(harness.query_by_label("Return to the call with 林小雨").is_none());
    harness.get_by_label("More");
    assert!(!wires.asked.borrow().contains(&Command::HangUp));
}

#[test]
fn nobody_is_shown_under_the_name_of_another_call() {
    let (mut harness, wires) = window(CallState::Up(shown::up()));
    wires.far.put(Picture::new(64, 36, vec![128; 64 * 36 * 3 / 2]).expect("a picture of its size"));
    harness.run_steps(4);
    assert!(harness.query_by_label("林小雨 sends no picture").is_none());
    let other = UpCall { far: shown::far(), ..shown::up() };
    *wires.view.borrow_mut() =
        Arc::new(ClientView { call: CallState::Up(other), ..shown::home(pressed::now()) });
    harness.run_steps(4);
    harness.get_by_label("Jonas sends no picture");
}

#[test]
fn a_tile_goes_with_its_call() {
    let (mut harness, wires) = window(CallState::Up(shown::up()));
    press(&mut harness, "Keep the call in a small tile");
    press(&mut harness, "Hang up");
    assert_eq!(wires.asked.borrow().last(), Some(&Command::HangUp));
    *wires.view.borrow_mut() = Arc::new(shown::home(pressed::now()));
    harness.run_steps(4);
    *wires.view.borrow_mut() =
        Arc::new(ClientView { call: CallState::Up(shown::up()), ..shown::home(pressed::now()) });
    harness.run_steps(4);
    harness.get_by_label("More");
}

#[test]
fn a_window_in_which_nothing_happens_is_not_painted_again() {
    for call in [CallState::None, CallState::Up(shown::up())] {
        let (mut harness, _wires) = window(call);
        // Time for the controls of a call to fade.
        harness.run_steps(300);
        for viewport in harness.output().viewport_output.values() {
            assert!(viewport.repaint_delay > Duration::from_secs(1000), "{:?}", viewport.repaint_delay);
        }
    }
}

#[test]
fn a_window_in_the_background_is_taken_back_once_and_a_call_is_shown() {
    let hidden = |call: CallState| {
        let wires = Wires::default();
        *wires.view.borrow_mut() = Arc::new(ClientView { call, ..shown::home(pressed::now()) });
        let mut app = App::new(Box::new(wires), ThemeChoice::Dark, TimeZone::UTC, None).in_background();
        let mut pictures = Harness::builder()
            .with_context_setup(|ctx| theme::install(ctx, ThemeChoice::Dark))
            .allow_missing_glyphs()
            .build_ui_state(move |ui: &mut egui::Ui, _: &mut ()| app.show(ui), ());
        let hides = |pictures: &Harness<'_, ()>| {
            let asked = pictures.output().viewport_output.values().flat_map(|output| &output.commands);
            asked.filter(|command| **command == egui::ViewportCommand::Visible(false)).count()
        };
        let first = hides(&pictures);
        pictures.step();
        (first, hides(&pictures))
    };
    assert_eq!(hidden(CallState::None).1, 0, "whoever brings it forward sees it");
    assert_eq!(hidden(CallState::Up(shown::up())), (0, 0));
}

#[test]
fn escape_closes_the_card_and_not_what_lies_under_it() {
    let (mut harness, wires) = window(CallState::None);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    harness.run_steps(4);
    harness.get_by_label("Appearance");
    let (far, reason) = (shown::up().far, EndReason::EndedThere);
    let call = CallState::Ended { far, reason, lasted: None, incoming: false };
    *wires.view.borrow_mut() = Arc::new(ClientView { call, ..shown::home(pressed::now()) });
    harness.run_steps(4);
    harness.key_press(Key::Escape);
    harness.run_steps(4);
    assert_eq!(wires.asked.borrow().last(), Some(&Command::Dismiss));
    *wires.view.borrow_mut() = Arc::new(shown::home(pressed::now()));
    harness.run_steps(4);
    harness.get_by_label("Appearance");
}

#[test]
fn keys_go_through_the_conversations_and_back_to_the_list() {
    let (mut harness, _wires) = window(CallState::None);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::PageDown);
    harness.run_steps(4);
    harness.get_by_label("Message 林小雨");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::PageDown);
    harness.run_steps(4);
    harness.get_by_label("Message Jonas");
    harness.key_press_modifiers(Modifiers::ALT, Key::ArrowLeft);
    harness.run_steps(4);
    assert!(harness.query_by_label("Message Jonas").is_none());
}

#[test]
fn quitting_in_a_call_is_asked_about() {
    let (mut harness, wires) = window(CallState::Up(shown::up()));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Q);
    harness.run_steps(6);
    press(&mut harness, "Stay");
    assert!(harness.query_by_label("Stay").is_none());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Q);
    harness.run_steps(6);
    press(&mut harness, "End the call and close");
    assert_eq!(wires.asked.borrow().last(), Some(&Command::HangUp));
}

/// A window in which somebody is a contact and wrote a link to somebody else.
fn with_jonas<'a>() -> (Harness<'a, ()>, Wires) {
    let (mut harness, wires) = window(CallState::None);
    let mut view = shown::home(pressed::now());
    view.contacts = Arc::new(vec![shown::contact(shown::peer(2), "Jonas")]);
    let conversations = Arc::make_mut(&mut view.conversations);
    let line = &mut Arc::make_mut(&mut conversations[1].lines)[0];
    line.what = LineKind::Received(shown::link(8, "Noor").to_text());
    *wires.view.borrow_mut() = Arc::new(view);
    harness.run_steps(4);
    harness.get_by_label_contains("Conversation with Jonas").click();
    harness.run_steps(4);
    (harness, wires)
}

fn written() -> String {
    shown::link(8, "Noor").to_text()
}

fn delete(harness: &mut Harness<'_, ()>) {
    harness.get_by_role_and_label(Role::Label, &written()).click_secondary();
    harness.run_steps(4);
    press(harness, "Delete here");
}

#[test]
fn a_contact_who_was_removed_comes_back_when_it_is_undone() {
    let (mut harness, wires) = with_jonas();
    harness.get_by_label_contains("Conversation with Jonas").focus();
    harness.run_steps(2);
    harness.key_press(Key::Delete);
    harness.run_steps(4);
    harness.get_by_label("Jonas is no longer a contact.");
    assert_eq!(wires.asked.borrow().last(), Some(&Command::RemoveContact(shown::peer(2))));
    press(&mut harness, "Undo");
    assert_eq!(wires.asked.borrow().last(), Some(&Command::RestoreContact(shown::peer(2))));
    assert!(harness.query_by_label("Undo").is_none());
}

#[test]
fn a_message_is_deleted_once_nobody_can_undo_it() {
    let deletion = Command::DeleteLine { peer: shown::peer(2), line: RandomId([90; 16]) };
    let (mut harness, wires) = with_jonas();
    delete(&mut harness);
    assert!(harness.query_by_role_and_label(Role::Label, &written()).is_none());
    press(&mut harness, "Undo");
    harness.get_by_role_and_label(Role::Label, &written());
    harness.run_steps(60);
    assert!(!wires.asked.borrow().contains(&deletion));
    delete(&mut harness);
    assert!(!wires.asked.borrow().contains(&deletion));
    harness.run_steps(60);
    assert_eq!(wires.asked.borrow().last(), Some(&deletion));
}

#[test]
fn a_message_that_waits_to_be_deleted_goes_when_the_window_closes() {
    let (mut harness, wires) = with_jonas();
    delete(&mut harness);
    wires.closing.set(true);
    harness.run_steps(1);
    let deletion = Command::DeleteLine { peer: shown::peer(2), line: RandomId([90; 16]) };
    assert_eq!(wires.asked.borrow().last(), Some(&deletion));
}

#[test]
fn a_link_to_a_person_in_a_message_shows_who_it_is_and_calls_nobody() {
    let (mut harness, wires) = with_jonas();
    harness.get_by_role_and_label(Role::Label, &written()).click();
    harness.run_steps(4);
    harness.get_by_label_contains("On rtmfp://rendezvous.example.net");
    let calls = |command: &Command| matches!(command, Command::Call { .. });
    assert!(!wires.asked.borrow().iter().any(calls));
    press(&mut harness, "Audio call");
    assert!(wires.asked.borrow().iter().any(calls));
}

/// A link to a stranger.
fn link() -> String {
    shown::link(77, "Zo\u{eb}").to_text()
}

#[test]
fn a_link_that_is_opened_elsewhere_is_asked_about_and_calls_nobody() {
    let attention = Attention::default();
    let (mut harness, wires) = window_heeding(CallState::None, attention.clone());
    attention.come_forward(Some(link()));
    harness.run_steps(4);
    harness.get_by_label("Video call");
    let asked = wires.asked.borrow();
    assert!(!asked.iter().any(|command| matches!(command, Command::Call { .. })), "{asked:?}");
}

#[test]
fn a_link_that_is_opened_during_a_call_waits_for_its_end() {
    let attention = Attention::default();
    let (mut harness, wires) = window_heeding(CallState::Up(shown::up()), attention.clone());
    attention.come_forward(Some(link()));
    harness.run_steps(4);
    harness.get_by_label("A link was opened. It waits in your list, and calls nobody by itself.");
    assert!(harness.query_by_label("Video call").is_none());
    *wires.view.borrow_mut() = Arc::new(ClientView { call: CallState::None, ..shown::home(pressed::now()) });
    harness.run_steps(4);
    harness.get_by_label("Video call");
}
