//! Showing a screen: the button, the dialog, and what both ends see of it.

use std::sync::Arc;

use egui::Key;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use tincan::call::view::{Sharing, UpCall};
use tincan::call::{ClientView, Command, ScreenChoice, ScreenSource};
use tincan::ui::action::Action;
use tincan::ui::parts::toast::Toasts;
use tincan::ui::screens::in_call::{InCall, InCallState, in_call_ui};

use crate::pressed::{Asked, clock, harness, press};
use crate::shown;

fn in_call<'a>(call: UpCall, screens: Option<Vec<ScreenChoice>>) -> Harness<'a, Asked> {
    in_call_with(call, screens, Toasts::default())
}

/// A call with notices over it.
fn in_call_with<'a>(
    call: UpCall,
    screens: Option<Vec<ScreenChoice>>,
    mut notices: Toasts,
) -> Harness<'a, Asked> {
    let view = ClientView {
        devices: Arc::new(shown::devices()),
        screens: screens.map(Arc::new),
        ..ClientView::default()
    };
    let mut state = InCallState::default();
    harness(move |ui| {
        let shown = InCall {
            view: &view,
            call: &call,
            far_picture: None,
            own_picture: None,
            far_screen: None,
            own_screen: None,
            full_screen: false,
        };
        let action = in_call_ui(ui, &shown, &mut state, &clock());
        notices.show(ui.ctx(), state.below_strips);
        action
    })
}

fn choices() -> Vec<ScreenChoice> {
    let choice = |source, name: &str| ScreenChoice { source, name: name.into(), preview: None };
    vec![
        choice(ScreenSource::Everything, ""),
        choice(ScreenSource::Screen(7), "HDMI-1"),
        choice(ScreenSource::Window(12), "Slides.pdf"),
    ]
}

fn sharing(source: ScreenSource) -> UpCall {
    UpCall { sharing: Some(Sharing { source, in_cameras_place: false }), ..shown::up() }
}

#[test]
fn the_dialog_offers_screens_and_windows_by_name_and_one_press_shows_one() {
    let mut harness = in_call(shown::up(), Some(choices()));
    harness.run_steps(2);
    press(&mut harness, "Share your screen");
    harness.get_by_label("Everything on all screens");
    harness.get_by_label("Screen HDMI-1");
    press(&mut harness, "Slides.pdf");
    let wanted = Command::ShareScreen { source: ScreenSource::Window(12), with_camera: true };
    assert_eq!(harness.state(), &[Action::Ask(Command::ListScreens), Action::Ask(wanted)]);
    harness.run_steps(2);
    assert!(harness.query_by_label("Screen HDMI-1").is_none(), "the dialog is closed");
}

#[test]
fn the_camera_may_be_dropped_for_the_screen() {
    let mut harness = in_call(shown::up(), Some(choices()));
    harness.key_press(Key::D);
    harness.run_steps(3);
    press(&mut harness, "Keep my camera beside it");
    press(&mut harness, "Screen HDMI-1");
    let wanted = Command::ShareScreen { source: ScreenSource::Screen(7), with_camera: false };
    assert_eq!(harness.state(), &[Action::Ask(Command::ListScreens), Action::Ask(wanted)]);
}

#[test]
fn escape_closes_the_dialog_and_shows_nothing() {
    let mut harness = in_call(shown::up(), None);
    harness.key_press(Key::D);
    harness.run_steps(3);
    harness.get_by_label("Looking for screens and windows…");
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert!(harness.query_by_label("Looking for screens and windows…").is_none());
    assert_eq!(harness.state(), &[Action::Ask(Command::ListScreens)]);
}

#[test]
fn where_nothing_can_be_shown_the_dialog_says_what_to_do() {
    let mut harness = in_call(shown::up(), Some(vec![]));
    harness.key_press(Key::D);
    harness.run_steps(3);
    harness.get_by_label_contains("No screen or window can be shared here");
}

#[test]
fn who_shows_a_screen_reads_it_all_the_time_and_one_press_or_the_key_ends_it() {
    let mut harness = in_call(sharing(ScreenSource::Window(12)), None);
    harness.run_steps(3);
    harness.get_by_label("You are sharing a window");
    harness.key_press(Key::D);
    harness.run_steps(3);
    let stop = harness.get_all_by_label("Stop sharing").next().expect("the strip's button");
    stop.click();
    harness.run_steps(3);
    assert_eq!(harness.state(), &[Action::Ask(Command::StopSharing), Action::Ask(Command::StopSharing)]);
}

#[test]
fn a_notice_leaves_the_strips_button_free() {
    let mut notices = Toasts::default();
    notices.add("The camera stopped.".into(), 0.0);
    let mut harness = in_call_with(sharing(ScreenSource::Everything), None, notices);
    harness.run_steps(4);
    let stop = harness.get_all_by_label("Stop sharing").next().expect("the strip's button").rect();
    assert!(harness.get_by_label("The camera stopped.").rect().top() > stop.bottom());
}

#[test]
fn a_plain_far_end_is_said_to_see_the_screen_in_the_cameras_place() {
    let call = UpCall {
        sharing: Some(Sharing { source: ScreenSource::Everything, in_cameras_place: true }),
        ..shown::up()
    };
    let mut harness = in_call(call, None);
    harness.run_steps(3);
    harness.get_by_label("You are sharing your screen; 林小雨 sees it in your camera's place");
}

#[test]
fn who_is_shown_a_screen_reads_whose_it_is() {
    let mut harness = in_call(UpCall { far_shares: true, ..shown::up() }, None);
    harness.run_steps(3);
    harness.get_by_label("林小雨 shares the screen");
}
