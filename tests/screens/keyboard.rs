//! A whole call without a pointer, and what a screen reader is told on the way.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Event, Key};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tincan::call::view::{CallState, Known, Verifying};
use tincan::call::{ClientView, Command};

use crate::app::{Wires, window};
use crate::shown;

/// Goes on with the Tab key until something of this name has the focus.
fn go_to(harness: &mut Harness<'_, ()>, label: &str) {
    let mut passed = Vec::new();
    for _ in 0..60 {
        harness.key_press(Key::Tab);
        harness.run_steps(3);
        let mut nodes = vec![harness.root()];
        while let Some(node) = nodes.pop() {
            let inner = node.accesskit_node();
            if inner.is_focused() && inner.role() != Role::Window {
                let name = inner.label().unwrap_or_default();
                if name == label {
                    return;
                }
                passed.push(name);
            }
            nodes.extend(node.children());
        }
    }
    panic!("{label} is not among {passed:?}");
}

fn enter(harness: &mut Harness<'_, ()>, label: &str) {
    go_to(harness, label);
    harness.key_press(Key::Enter);
    harness.run_steps(4);
}

fn change(harness: &mut Harness<'_, ()>, wires: &Wires, change: impl FnOnce(&mut ClientView)) {
    change(Arc::make_mut(&mut wires.view.borrow_mut()));
    harness.run_steps(6);
}

fn was_asked(wires: &Wires, command: &Command) {
    let asked = wires.asked.borrow();
    assert!(asked.contains(command), "{command:?} is not among {asked:?}");
}

#[test]
fn a_whole_call_goes_by_keyboard_alone() {
    let (mut harness, wires) = window(CallState::None);
    let link = shown::link(8, "Bo").to_text();
    go_to(&mut harness, "Name, peer ID or link");
    harness.event(Event::Text(link.clone()));
    harness.run_steps(4);
    enter(&mut harness, "Add to contacts");
    let server = shown::link(8, "Bo").server;
    was_asked(&wires, &Command::AddContact { peer: shown::peer(8), name: "Bo".into(), server });

    enter(&mut harness, "Call Priya");
    assert!(wires.asked.borrow().iter().any(|asked| matches!(asked, Command::Call { .. })));
    change(&mut harness, &wires, |view| {
        view.call = CallState::Incoming { far: shown::far(), with_video: true };
    });
    enter(&mut harness, "Accept");
    was_asked(&wires, &Command::Accept { with_video: true });

    change(&mut harness, &wires, |view| view.call = CallState::Up(shown::up()));
    enter(&mut harness, "Chat");
    harness.event(Event::Text("hello".into()));
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(4);
    was_asked(&wires, &Command::SendText { to: shown::peer(1), text: "hello".into() });
    harness.key_press(Key::Escape);
    harness.run_steps(4);
    enter(&mut harness, "Mute");
    was_asked(&wires, &Command::SetMuted(true));
    enter(&mut harness, "Connection: 4 of 4");
    harness.get_by_label("Call quality");
    enter(&mut harness, "End-to-end encrypted");
    enter(&mut harness, "Show the code");
    was_asked(&wires, &Command::StartVerifying);
    let digits = ["4831", "0972", "6650"].map(str::to_owned).to_vec();
    change(&mut harness, &wires, |view| {
        view.verifying = Verifying::Compare { digits, words: vec![101, 733, 1420, 1999] };
    });
    enter(&mut harness, "They are the same");
    was_asked(&wires, &Command::Verified { same: true });
    change(&mut harness, &wires, |view| {
        let mut call = shown::up();
        call.far.known = Known::Verified;
        (view.call, view.verifying) = (CallState::Up(call), Verifying::Done);
    });
    harness.key_press(Key::Escape);
    harness.run_steps(4);
    enter(&mut harness, "Hang up");
    was_asked(&wires, &Command::HangUp);
}

#[test]
fn what_is_open_and_what_asks_is_told() {
    let (mut harness, wires) = window(CallState::Up(shown::up()));
    assert_eq!(harness.root().accesskit_node().label().as_deref(), Some("Tincan"));
    for label in ["Chat", "More", "Choose camera"] {
        let node = harness.get_by_role_and_label(Role::Button, label);
        assert_eq!(node.accesskit_node().data().is_expanded(), Some(false), "{label}");
    }
    harness.key_press(Key::C);
    harness.run_steps(4);
    let chat = harness.get_by_role_and_label(Role::Button, "Chat");
    assert_eq!(chat.accesskit_node().data().is_expanded(), Some(true));
    change(&mut harness, &wires, |view| {
        view.call = CallState::Incoming { far: shown::far(), with_video: true };
    });
    let card = harness.get_by_role(Role::Dialog);
    assert!(card.accesskit_node().data().is_modal());
}
