//! What a person sees of the local network: who is there, the question whether they may know, and servers on it.

use std::sync::Arc;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use tincan::call::view::{NearbyPerson, ServerNearby};
use tincan::call::{ClientView, Command};
use tincan::settings::{Setting, Settings};
use tincan::ui::action::Action;
use tincan::ui::screens::home::{HomeInputs, list_ui, local_network_strip_ui, start_ui};
use tincan::ui::screens::settings::{Section, SettingsInputs, SettingsShown, settings_ui};
use tincan::ui::screens::welcome::{WelcomeInputs, welcome_ui};
use tincan::ui::{ThemeChoice, theme};

use crate::pressed::{Asked, clock, harness, now, press};
use crate::shown;

fn with(local_network: Option<bool>) -> ClientView {
    let settings = Settings { local_network, ..Settings::default() };
    let server = ServerNearby { name: "Noor".into(), url: "rtmfp://192.0.2.7:1935".into() };
    ClientView {
        nearby: Arc::new(vec![NearbyPerson { name: "Noor".into(), peer_id: shown::peer(77) }]),
        servers_nearby: Arc::new(vec![server]),
        settings: Arc::new(settings),
        ..shown::home(now())
    }
}

fn set(allowed: bool) -> Action {
    Action::Ask(Command::Set(Setting::LocalNetwork(allowed)))
}

#[test]
fn somebody_on_the_local_network_is_listed_and_called_with_one_click() {
    let view = with(Some(true));
    let mut inputs = HomeInputs::default();
    let mut harness = harness(move |ui| list_ui(ui, &view, None, &mut inputs, &clock()));
    harness.run_steps(2);
    harness.get_by_label("On this network");
    press(&mut harness, "Call Noor");
    let whom = shown::peer(77).to_string();
    assert_eq!(harness.state(), &[Action::Ask(Command::Call { whom, with_video: true })]);
}

#[test]
fn whether_the_local_network_may_know_is_asked_until_there_is_an_answer() {
    let view = with(None);
    let mut asked = harness(move |ui| start_ui(ui, &view, false));
    press(&mut asked, "Allow");
    press(&mut asked, "No");
    assert_eq!(asked.state(), &[set(true), set(false)]);
    for answer in [true, false] {
        let view = with(Some(answer));
        let answered = harness(move |ui| start_ui(ui, &view, false));
        assert!(answered.query_by_label("Allow").is_none());
    }
}

#[test]
fn a_narrow_window_asks_it_below_the_list() {
    let view = with(None);
    let mut asked = harness(move |ui| local_network_strip_ui(ui, &view));
    press(&mut asked, "Allow");
    press(&mut asked, "No");
    assert_eq!(asked.state(), &[set(true), set(false)]);
    let view = with(Some(false));
    let answered = harness(move |ui| local_network_strip_ui(ui, &view));
    assert!(answered.query_by_label("Allow").is_none());
}

#[test]
fn the_settings_turn_the_local_network_on_and_take_a_server_from_it() {
    let view = with(Some(false));
    let mut inputs = SettingsInputs::new(&view).open_at(Section::Network);
    let mut harness = Harness::builder()
        .with_size([1280.0, 1400.0])
        .with_context_setup(|ctx| theme::install(ctx, ThemeChoice::Dark))
        .allow_missing_glyphs()
        .build_ui_state(
            move |ui: &mut egui::Ui, asked: &mut Asked| {
                let shown = SettingsShown {
                    own_picture: None,
                    theme: ThemeChoice::Dark,
                    narrow: false,
                    copied: false,
                };
                asked.extend(settings_ui(ui, &view, shown, &mut inputs));
            },
            Vec::new(),
        );
    harness.run_steps(4);
    harness.get_by_label("Server on this network: Noor");
    press(&mut harness, "Use the server of Noor");
    for switch in ["Find people here", "Ask the router for a port"] {
        harness.get_by_role_and_label(egui::accesskit::Role::CheckBox, switch).click();
        harness.run_steps(4);
    }
    let server = Some("rtmfp://192.0.2.7:1935".to_owned());
    assert_eq!(
        harness.state(),
        &[
            Action::Ask(Command::SetServer(server)),
            set(true),
            Action::Ask(Command::Set(Setting::PortMapping(false)))
        ]
    );
}

#[test]
fn at_the_first_start_nobody_has_to_type_the_address_of_a_server_here() {
    let view = with(Some(true));
    let mut inputs = WelcomeInputs::default();
    let mut harness = harness(move |ui| welcome_ui(ui, &view, None, &mut inputs));
    harness.run_steps(4);
    press(&mut harness, "Change");
    press(&mut harness, "Server on this network: Noor");
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "Your name").click();
    harness.run_steps(2);
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "Your name").type_text("Mei");
    harness.run_steps(4);
    press(&mut harness, "Continue");
    let server = Some("rtmfp://192.0.2.7:1935".to_owned());
    assert_eq!(harness.state(), &[Action::FinishWelcome { name: "Mei".into(), server }]);
}
