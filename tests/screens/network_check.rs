//! The check of the network in the settings.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use tincan::call::Command;
use tincan::call::network_check::{Findings, NetworkCheck, Progress, Reach};
use tincan::ui::action::Action;
use tincan::ui::screens::settings::{Section, SettingsInputs, SettingsShown, settings_ui};
use tincan::ui::{ThemeChoice, theme};

use crate::shown;

/// The network settings with such a check, and what is asked for there.
fn network<'a>(check: NetworkCheck) -> Harness<'a, Vec<Action>> {
    let mut view = shown::home(SystemTime::UNIX_EPOCH);
    view.network_check = check;
    let mut inputs = SettingsInputs::new(&view).open_at(Section::Network);
    let mut harness = Harness::builder()
        .with_size([1280.0, 2400.0])
        .with_context_setup(|ctx| theme::install(ctx, ThemeChoice::Dark))
        .allow_missing_glyphs()
        .build_ui_state(
            move |ui: &mut egui::Ui, asked: &mut Vec<Action>| {
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
    harness.run_steps(2);
    harness
}

fn found() -> NetworkCheck {
    let seen: SocketAddr = "203.0.113.7:40000".parse().expect("an address");
    let step = Some(Duration::from_millis(80));
    let reach = Reach {
        hello: step,
        keys: step,
        connected: step,
        seen_at: Some(seen),
        seen_at_second: Some(seen),
        second_port: Some(1936),
        is_tincan: true,
        relays: true,
        ..Reach::default()
    };
    NetworkCheck::Done(Arc::new(Findings {
        host: "calls.example".into(),
        addresses: vec!["192.0.2.1".parse().expect("an address")],
        own: vec!["192.168.1.7".parse().expect("an address")],
        ipv4: Some(reach),
        ..Findings::default()
    }))
}

#[test]
fn the_network_is_checked_and_the_check_is_stopped_by_a_button() {
    let mut harness = network(NetworkCheck::NotAsked);
    harness.get_by_role_and_label(Role::Button, "Check the network").click();
    harness.run_steps(2);
    assert_eq!(harness.state(), &[Action::Ask(Command::CheckNetwork(true))]);

    let mut harness = network(NetworkCheck::Running(Progress::Silence));
    harness.get_by_label("No answer yet; this network may not let UDP through.");
    harness.get_by_role_and_label(Role::Button, "Stop").click();
    harness.run_steps(2);
    assert_eq!(harness.state(), &[Action::Ask(Command::CheckNetwork(false))]);
}

#[test]
fn what_was_found_is_copied_with_addresses_or_without() {
    let mut harness = network(found());
    harness.get_by_label_contains("Calls will work: straight");
    harness.get_by_role_and_label(Role::Button, "Copy").click();
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::CheckBox, "Leave out addresses").click();
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Button, "Copy").click();
    harness.run_steps(2);
    let [Action::CopyText(whole), Action::CopyText(blanked)] = &harness.state()[..] else {
        panic!("{:?}", harness.state())
    };
    assert!(whole.contains("203.0.113.7:40000"), "{whole}");
    assert!(!blanked.contains("203.0.113"), "{blanked}");
}
