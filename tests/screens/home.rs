//! The list: who is in it, how one finds somebody, and what is asked for.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tincan::call::view::{Contact, Person, Presence};
use tincan::call::{ClientView, Command, PeerId};
use tincan::settings::{Setting, Settings, Visibility};
use tincan::ui::action::Action;
use tincan::ui::parts::toast::Toasts;
use tincan::ui::screens::home::{HomeInputs, list_ui};
use tincan::ui::{ThemeChoice, theme};

use crate::pressed::{Asked, clock, harness, now, press};
use crate::shown;

fn list<'a>(view: ClientView) -> Harness<'a, Asked> {
    let mut inputs = HomeInputs::default();
    harness(move |ui| list_ui(ui, &view, None, &mut inputs, &clock()))
}

fn field_says(harness: &mut Harness<'_, Asked>, text: &str) {
    let field = "Name, peer ID or link";
    harness.get_by_label(field).click();
    harness.run_steps(2);
    harness.get_by_label(field).type_text(text);
    harness.run_steps(4);
}

fn video_call(whom: String) -> Action {
    Action::Ask(Command::Call { whom, with_video: true })
}

#[test]
fn a_peer_id_one_digit_short_is_said_at_once_and_not_called() {
    let mut harness = list(shown::home(now()));
    field_says(&mut harness, &"a".repeat(63));
    harness.get_by_label("A peer ID has 64 digits; this one has 63. Copy it again, whole.");
    press(&mut harness, "Call");
    assert_eq!(harness.state(), &[]);
}

#[test]
fn enter_in_the_field_calls_a_name() {
    let mut harness = list(shown::home(now()));
    field_says(&mut harness, "Priya");
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    assert_eq!(harness.state(), &[video_call("Priya".into())]);
}

#[test]
fn a_contacts_name_calls_the_contact_and_not_who_goes_by_the_name() {
    let mut harness = list(shown::rich(now()));
    field_says(&mut harness, "zoë");
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    assert_eq!(harness.state(), &[video_call(shown::peer(6).to_string())]);
}

#[test]
fn a_link_shows_who_and_where_and_calls_nobody_by_itself() {
    let mut harness = list(shown::home(now()));
    let link = shown::link(8, "Bo").to_text();
    field_says(&mut harness, &link);
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    assert_eq!(harness.state(), &[]);
    harness.get_by_label("On rtmfp://rendezvous.example.net");
    harness.get_by_label(&format!("Peer ID {}", shown::peer(8).short()));
    press(&mut harness, "Audio call");
    assert_eq!(harness.state(), &[Action::Ask(Command::Call { whom: link, with_video: false })]);
}

#[test]
fn who_a_link_leads_to_is_kept_under_the_name_in_it() {
    let mut harness = list(shown::home(now()));
    field_says(&mut harness, &shown::link(8, "Bo").to_text());
    press(&mut harness, "Add to contacts");
    let server = Some("rtmfp://rendezvous.example.net".into());
    let wanted = Command::AddContact { peer: shown::peer(8), name: "Bo".into(), server };
    assert_eq!(harness.state(), &[Action::Ask(wanted)]);
}

#[test]
fn somebody_on_the_server_can_be_called_or_written_to() {
    let mut harness = list(shown::home(now()));
    press(&mut harness, "Call Priya");
    press(&mut harness, "Conversation with Priya, Online");
    press(&mut harness, "Copy my peer ID");
    assert_eq!(
        harness.state(),
        &[
            video_call(shown::peer(4).to_string()),
            Action::OpenConversation(shown::peer(4)),
            Action::CopyPeerId
        ]
    );
}

#[test]
fn nobody_is_listed_twice() {
    let mut harness = list(shown::rich(now()));
    harness.run_steps(2);
    for name in ["林小雨", "Jonas", "Amara", "Zoë", "Priya", "Tomás", "Bot 3000"] {
        let start = format!("Conversation with {name}");
        let rows = harness.query_all_by_role(Role::Button);
        let count =
            rows.filter(|row| row.accesskit_node().label().is_some_and(|label| label.starts_with(&start)));
        assert_eq!(count.count(), 1, "{name}");
    }
}

#[test]
fn what_is_drawn_is_also_said() {
    let mut harness = list(shown::rich(now()));
    harness.run_steps(2);
    harness.get_by_label("Conversation with 林小雨, Online, Verified, 1 unread, writing…");
    harness.get_by_label("Conversation with Zoë, Do not disturb");
    harness.get_by_label("Conversation with Bot 3000, Blocked");
    harness.get_by_label("Conversation with Jonas, In a call, In a call · The train is late again");
}

#[test]
fn typing_filters_by_name_and_by_what_was_written() {
    let mut harness = list(shown::rich(now()));
    field_says(&mut harness, "platform");
    assert!(harness.query_by_label_contains("Conversation with 林小雨").is_some());
    assert!(harness.query_by_label_contains("Conversation with Jonas").is_none());
    assert!(harness.query_by_label_contains("Conversation with Priya").is_none());
    field_says(&mut harness, "xyz");
    harness.get_by_label("Nobody and nothing written fits. Press Call to try this name on the server.");
}

#[test]
fn a_contact_is_renamed_in_place() {
    let mut harness = list(shown::rich(now()));
    harness.get_by_label("Conversation with Zoë, Do not disturb").focus();
    harness.run_steps(2);
    harness.key_press(Key::F2);
    harness.run_steps(4);
    harness.get_by_label("New name").type_text("!");
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    let name = "Zoë!".to_owned();
    assert_eq!(harness.state(), &[Action::Ask(Command::RenameContact { peer: shown::peer(6), name })]);
}

#[test]
fn delete_removes_a_contact_and_nobody_else() {
    let mut harness = list(shown::rich(now()));
    harness.get_by_label("Conversation with Priya, Online").focus();
    harness.run_steps(2);
    harness.key_press(Key::Delete);
    harness.run_steps(2);
    assert_eq!(harness.state(), &[]);
    harness.get_by_label("Conversation with Zoë, Do not disturb").focus();
    harness.run_steps(2);
    harness.key_press(Key::Delete);
    harness.run_steps(2);
    let removed = Action::RemoveContact { peer: shown::peer(6), name: "Zoë".into() };
    assert_eq!(harness.state(), &[removed]);
}

#[test]
fn the_menu_opens_by_key_and_blocks() {
    let mut harness = list(shown::rich(now()));
    harness.get_by_label("Conversation with Priya, Online").focus();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::SHIFT, Key::F10);
    harness.run_steps(4);
    press(&mut harness, "Block");
    let wanted = Command::SetBlocked { peer: shown::peer(4), blocked: true };
    assert_eq!(harness.state(), &[Action::Ask(wanted)]);
}

#[test]
fn who_is_blocked_can_be_let_in_again() {
    let blocked = vec![PeerId([3; 32]).to_string()];
    let settings = Arc::new(Settings { blocked, ..Settings::default() });
    let mut harness = list(ClientView { settings, ..shown::home(now()) });
    harness.run_steps(2);
    let row = format!("Conversation with {}, Blocked", PeerId([3; 32]).short());
    harness.get_by_label(&row).click_secondary();
    harness.run_steps(4);
    press(&mut harness, "Unblock");
    let wanted = Command::SetBlocked { peer: PeerId([3; 32]), blocked: false };
    assert_eq!(harness.state(), &[Action::Ask(wanted)]);
}

#[test]
fn the_own_state_is_changed_where_the_own_name_stands() {
    let mut harness = list(shown::home(now()));
    press(&mut harness, "Mei, Online · rendezvous.example.net");
    press(&mut harness, "Do not disturb");
    assert_eq!(harness.state(), &[Action::AskAll(vec![Command::Set(Setting::DoNotDisturb(true))])]);
    press(&mut harness, "Mei, Online · rendezvous.example.net");
    press(&mut harness, "Hidden");
    let hidden = Action::AskAll(vec![Command::Set(Setting::Visibility(Visibility::Nobody))]);
    assert_eq!(harness.state().last(), Some(&hidden));
}

#[test]
fn the_own_link_is_shown_as_a_code_and_copied() {
    let mut harness = list(shown::home(now()));
    press(&mut harness, "My link and its QR code");
    harness.get_by_label("QR code of my link");
    press(&mut harness, "Copy my link");
    assert_eq!(harness.state(), &[Action::CopyText(shown::link(9, "Mei").to_text())]);
}

#[test]
fn a_narrow_and_low_window_has_everything() {
    let view = shown::rich(now());
    let mut inputs = HomeInputs::default();
    let mut harness = Harness::builder()
        .with_size([360.0, 480.0])
        .with_context_setup(|ctx| theme::install(ctx, ThemeChoice::Dark))
        .allow_missing_glyphs()
        .build_ui_state(
            move |ui: &mut egui::Ui, asked: &mut Asked| {
                asked.extend(list_ui(ui, &view, None, &mut inputs, &clock()))
            },
            Vec::new(),
        );
    harness.run_steps(4);
    for label in ["Settings", "Copy my peer ID", "My link and its QR code", "Call", "Add contact"] {
        let rect = harness.get_by_label(label).rect();
        assert!(rect.left() >= 0.0 && rect.right() <= 360.0 && rect.bottom() <= 480.0, "{label}: {rect:?}");
    }
    harness.get_by_label_contains("Conversation with 林小雨");
}

#[test]
fn of_thousands_of_people_a_screenful_is_drawn() {
    let person = |number: u16| {
        let mut id = [0; 32];
        id[..2].copy_from_slice(&number.to_be_bytes());
        Person { name: format!("P{number:04}"), peer_id: PeerId(id), presence: Presence::Online }
    };
    let view = ClientView { people: Arc::new((0..3000).map(person).collect()), ..shown::home(now()) };
    let mut harness = list(view);
    harness.run_steps(2);
    assert!(harness.query_all_by_label_contains("Conversation with P").count() < 30);
}

#[test]
fn contacts_without_a_word_stand_by_name() {
    let named = |number, name| Contact { ..shown::contact(shown::peer(number), name) };
    let contacts = Arc::new(vec![named(31, "bo"), named(32, "Ada")]);
    let mut harness = list(ClientView { contacts, ..shown::home(now()) });
    harness.run_steps(2);
    let top = |label: &str| harness.get_by_label(label).rect().top();
    assert!(top("Conversation with Ada, Online") < top("Conversation with bo, Online"));
}

#[test]
fn a_removal_is_taken_back_by_the_notices_button() {
    let mut toasts = Toasts::default();
    let restored = Action::Ask(Command::RestoreContact(shown::peer(6)));
    toasts.add_with("Zoë is no longer a contact.".into(), "Undo", restored.clone(), 0.0);
    let mut harness = Harness::builder().build_ui_state(
        move |ui: &mut egui::Ui, asked: &mut Asked| asked.extend(toasts.show(ui.ctx(), 0.0)),
        Vec::new(),
    );
    harness.run_steps(4);
    press(&mut harness, "Undo");
    assert_eq!(harness.state(), &[restored]);
    assert!(harness.query_by_label("Undo").is_none());
}
