//! The screens of calls: what they show, what their controls and keys ask for, and when they leave.

use std::sync::Arc;
use std::time::Duration;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use tincan::call::view::{FarEnd, Known, PastSecond, Progress, SecondCall, UpCall, Verifying};
use tincan::call::{ClientView, Command, EndReason};
use tincan::media::device_error::{DeviceError, DeviceKind, Problem};
use tincan::settings::{Setting, Settings};
use tincan::ui::action::Action;
use tincan::ui::parts::banner::Banner;
use tincan::ui::parts::call_tile::{TilePlace, call_tile_ui};
use tincan::ui::screens::crash_report::{CrashChoice, crash_report_ui};
use tincan::ui::screens::dialling::{Dialling, dialling_ui};
use tincan::ui::screens::ended::{Ended, ended_ui};
use tincan::ui::screens::in_call::{InCall, InCallState, in_call_ui};
use tincan::ui::screens::incoming::{AnswerState, Incoming, incoming_ui};
use tincan::ui::screens::second_call::second_call_ui;
use tincan::ui::screens::verify::verify_ui;

use crate::pressed::{Asked, clock, harness, press};
use crate::shown;

fn in_call<'a>(call: UpCall) -> Harness<'a, Asked> {
    in_call_with(call, |_| {})
}

/// A call among whatever else the view holds.
fn in_call_with<'a>(call: UpCall, change: impl FnOnce(&mut ClientView)) -> Harness<'a, Asked> {
    let mut view = ClientView { devices: Arc::new(shown::devices()), ..ClientView::default() };
    change(&mut view);
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
        in_call_ui(ui, &shown, &mut state, &clock())
    })
}

fn ringing<'a>(far: FarEnd) -> Harness<'a, Asked> {
    let settings = Settings::default();
    let mut state = AnswerState::default();
    harness(move |ui| {
        let ring = Incoming { far: &far, with_video: true, settings: &settings };
        incoming_ui(ui, &ring, &mut state)
    })
}

fn second<'a>(hold: bool) -> Harness<'a, Asked> {
    let mut state = AnswerState::default();
    let second = SecondCall { far: shown::far(), with_video: true };
    harness(move |ui| second_call_ui(ui, &second, hold, &mut state))
}

fn verifying<'a>(verifying: Verifying) -> Harness<'a, Asked> {
    harness(move |ui| verify_ui(ui, &shown::far(), &verifying).command.map(Action::Ask))
}

#[test]
fn dialling_says_how_far_it_got_and_only_cancel_stops_it() {
    let far = shown::far();
    let mut harness = harness(move |ui| {
        let since = Duration::from_secs(7);
        let dialling = Dialling { far: &far, progress: Progress::Ringing, since, own_picture: None };
        dialling_ui(ui, &dialling)
    });
    harness.run_steps(4);
    harness.get_by_label("Ringing…");
    harness.key_press(Key::Escape);
    harness.key_press(Key::Space);
    harness.run_steps(4);
    assert_eq!(harness.state(), &[]);
    press(&mut harness, "Cancel");
    assert_eq!(harness.state(), &[Action::Ask(Command::Cancel)]);
}

#[test]
fn a_call_that_rings_is_answered_three_ways_and_never_by_escape() {
    let mut harness = ringing(shown::far());
    harness.run_steps(6);
    harness.key_press(Key::Escape);
    harness.run_steps(2);
    assert_eq!(harness.state(), &[]);
    for label in ["Accept", "Audio only", "Decline"] {
        press(&mut harness, label);
    }
    assert_eq!(
        harness.state(),
        &[
            Action::Ask(Command::Accept { with_video: true }),
            Action::Ask(Command::Accept { with_video: false }),
            Action::Ask(Command::Decline)
        ]
    );
}

#[test]
fn a_muted_call_offers_to_unmute_and_the_keys_do_what_the_buttons_do() {
    let mut harness = in_call(UpCall { muted: true, ..shown::up() });
    harness.run_steps(2);
    press(&mut harness, "Unmute");
    harness.key_press(Key::V);
    harness.run_steps(2);
    press(&mut harness, "Hang up");
    assert_eq!(
        harness.state(),
        &[
            Action::Ask(Command::SetMuted(false)),
            Action::Ask(Command::SetCameraOn(false)),
            Action::Ask(Command::HangUp)
        ]
    );
}

#[test]
fn holding_space_talks_while_muted_and_letting_go_mutes_again() {
    let mut harness = in_call(UpCall { muted: true, ..shown::up() });
    harness.key_down(Key::Space);
    harness.run_steps(3);
    harness.key_up(Key::Space);
    harness.run_steps(3);
    assert_eq!(
        harness.state(),
        &[Action::Ask(Command::SetMuted(false)), Action::Ask(Command::SetMuted(true))]
    );
}

#[test]
fn escape_in_a_call_closes_the_chat_and_never_the_call() {
    let mut harness = in_call(shown::up());
    harness.key_press(Key::C);
    harness.run_steps(4);
    harness.get_by_label("Message 林小雨");
    harness.key_press(Key::Escape);
    harness.run_steps(4);
    assert!(harness.query_by_label("Message 林小雨").is_none());
    harness.key_press(Key::Escape);
    harness.run_steps(4);
    assert_eq!(harness.state(), &[]);
}

#[test]
fn a_silent_line_says_that_it_reconnects() {
    let mut harness = in_call(UpCall { silent_for: Some(Duration::from_secs(4)), ..shown::up() });
    harness.run_steps(2);
    harness.get_by_label("Reconnecting… nothing has come for 4 s. The call goes on when it does.");
}

#[test]
fn an_ended_call_can_be_called_again_written_to_or_closed() {
    let far = shown::far();
    let mut harness = harness(move |ui| {
        let ended = Ended {
            far: &far,
            reason: EndReason::NoAnswer,
            lasted: None,
            incoming: false,
            hides_address: false,
        };
        ended_ui(ui, &ended)
    });
    harness.run_steps(6);
    harness.get_by_label("Jonas did not answer");
    for label in ["Call again", "Write", "Close"] {
        press(&mut harness, label);
    }
    let whom = shown::peer(2).to_string();
    assert_eq!(
        harness.state(),
        &[
            Action::Ask(Command::Call { whom, with_video: true }),
            Action::WriteAfterCall(shown::peer(2)),
            Action::Ask(Command::Dismiss)
        ]
    );
}

#[test]
fn declining_with_a_message_offers_three_sentences_and_takes_ones_own() {
    let mut harness = ringing(shown::far());
    harness.run_steps(6);
    press(&mut harness, "Decline with a message");
    press(&mut harness, "I'm in a meeting. Can I call you later?");
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "Your own message").click();
    harness.run_steps(2);
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "Your own message").type_text("At ten");
    harness.run_steps(2);
    press(&mut harness, "Decline and send");
    assert_eq!(
        harness.state(),
        &[
            Action::Ask(Command::DeclineWith("I'm in a meeting. Can I call you later?".into())),
            Action::Ask(Command::DeclineWith("At ten".into()))
        ]
    );
}

#[test]
fn blocking_a_caller_is_asked_once_more_and_escape_goes_back() {
    let mut harness = ringing(shown::far());
    harness.run_steps(6);
    press(&mut harness, "Block");
    harness.key_press(Key::Escape);
    harness.run_steps(4);
    assert_eq!(harness.state(), &[]);
    press(&mut harness, "Block");
    press(&mut harness, "Block");
    assert_eq!(harness.state(), &[Action::BlockCaller(shown::peer(2))]);
}

#[test]
fn a_changed_key_is_said_loudly_before_one_answers() {
    let mut harness = ringing(FarEnd { known: Known::KeyChanged, ..shown::far() });
    harness.run_steps(6);
    harness.get_by_label("This is not the key you know");
    let mut harness = ringing(FarEnd { known: Known::Stranger, ..shown::far() });
    harness.run_steps(6);
    harness.get_by_label("Not among your contacts");
}

#[test]
fn a_second_call_is_declined_taken_instead_or_taken_while_the_first_waits() {
    let mut harness = second(true);
    harness.run_steps(6);
    for label in ["Decline", "End and answer", "Hold and answer"] {
        press(&mut harness, label);
    }
    press(&mut harness, "Decline with a message");
    press(&mut harness, "I can't talk right now. I'll call you back.");
    let text = "I can't talk right now. I'll call you back.".to_owned();
    assert_eq!(
        harness.state(),
        &[
            Action::Ask(Command::DeclineSecond(None)),
            Action::Ask(Command::AcceptSecond { with_video: true, hold: false }),
            Action::Ask(Command::AcceptSecond { with_video: true, hold: true }),
            Action::Ask(Command::DeclineSecond(Some(text)))
        ]
    );
}

#[test]
fn with_one_call_waiting_already_no_other_can_be_made_to_wait() {
    let mut harness = second(false);
    harness.run_steps(6);
    assert!(harness.query_by_label("Hold and answer").is_none());
}

#[test]
fn who_waits_is_shown_and_a_press_swaps_the_calls() {
    let mut harness = in_call_with(shown::up(), |view| view.on_hold = Some(shown::far()));
    harness.run_steps(2);
    press(&mut harness, "Jonas is on hold · Swap");
    assert_eq!(harness.state(), &[Action::Ask(Command::Hold(true))]);
}

#[test]
fn a_call_that_waits_says_so_and_goes_on_with_a_key() {
    let call = shown::up();
    let far = call.far.clone();
    let mut harness = in_call_with(call, |view| view.on_hold = Some(far));
    harness.run_steps(2);
    harness.get_by_label("The call is on hold: 林小雨 neither hears nor sees you.");
    harness.key_press(Key::H);
    harness.run_steps(2);
    assert_eq!(harness.state(), &[Action::Ask(Command::Hold(false))]);
}

#[test]
fn codes_are_shown_as_words_and_digits_and_the_person_decides() {
    let digits = vec!["1234".to_owned(), "5678".to_owned(), "9012".to_owned()];
    let mut harness = verifying(Verifying::Compare { digits, words: vec![0, 1, 2, 2047] });
    harness.run_steps(6);
    harness.get_by_label("1234  5678  9012");
    harness.get_by_label("abandon  ·  ability  ·  able  ·  zoo");
    press(&mut harness, "They are the same");
    press(&mut harness, "They differ");
    assert_eq!(
        harness.state(),
        &[Action::Ask(Command::Verified { same: true }), Action::Ask(Command::Verified { same: false })]
    );
}

#[test]
fn comparing_codes_is_explained_before_it_begins_and_its_failure_is_loud() {
    let mut harness = verifying(Verifying::Not);
    harness.run_steps(6);
    press(&mut harness, "Show the code");
    assert_eq!(harness.state(), &[Action::Ask(Command::StartVerifying)]);
    let mut harness = verifying(Verifying::Failed);
    harness.run_steps(6);
    harness.get_by_label("The codes do not match");
    press(&mut harness, "Hang up");
    assert_eq!(harness.state(), &[Action::Ask(Command::HangUp)]);
}

#[test]
fn a_comparison_that_the_far_end_began_opens_by_itself_and_escape_decides_nothing() {
    let mut harness = in_call_with(shown::up(), |view| {
        view.verifying = Verifying::Compare { digits: vec!["0001".into()], words: vec![] };
    });
    harness.run_steps(6);
    harness.get_by_label("0001");
    harness.key_press(Key::Escape);
    harness.run_steps(4);
    assert!(harness.query_by_label("0001").is_none());
    assert_eq!(harness.state(), &[]);
}

#[test]
fn of_several_troubles_the_most_important_is_said_and_no_other() {
    let mut devices = shown::devices();
    let mut call = UpCall {
        silent_for: Some(Duration::from_secs(4)),
        far_holds: true,
        weak: true,
        muted: true,
        speaking_muted: true,
        ..shown::up()
    };
    devices.microphone_problem =
        Some(DeviceError { device: DeviceKind::Microphone, problem: Problem::Stopped });
    let mut order = Vec::new();
    order.extend(Banner::of(&call, &devices, false));
    devices.microphone_problem = None;
    order.extend(Banner::of(&call, &devices, false));
    call.silent_for = None;
    order.extend(Banner::of(&call, &devices, false));
    call.far_holds = false;
    order.extend(Banner::of(&call, &devices, false));
    call.weak = false;
    order.extend(Banner::of(&call, &devices, false));
    call.muted = false;
    assert_eq!(Banner::of(&call, &devices, false), None);
    let microphone = tincan::ui::parts::device_picker::Which::Microphone;
    assert_eq!(
        order,
        [
            Banner::DeviceLost(microphone),
            Banner::Reconnecting(4),
            Banner::FarHolds,
            Banner::Weak,
            Banner::SpeakingMuted
        ]
    );
}

#[test]
fn a_device_is_changed_in_a_call_beside_a_meter_and_the_card_stays_open() {
    let mut harness = in_call_with(UpCall { muted: true, ..shown::up() }, |view| view.microphone_level = 0.4);
    press(&mut harness, "Choose microphone and loudspeaker");
    harness.get_by_role_and_label(egui::accesskit::Role::ProgressIndicator, "Microphone level");
    press(&mut harness, "Built-in microphone");
    press(&mut harness, "Test sound");
    assert_eq!(
        harness.state().as_slice(),
        [
            Action::Ask(Command::ChooseMicrophone("Built-in microphone".into())),
            Action::Ask(Command::TestSpeaker)
        ]
    );
    harness.key_press(Key::Escape);
    harness.run_steps(4);
    assert!(harness.query_by_label("Test sound").is_none());
    press(&mut harness, "Choose camera");
    press(&mut harness, "None");
    assert_eq!(harness.state().last(), Some(&Action::Ask(Command::ChooseCamera("none".into()))));
}

#[test]
fn everything_else_of_a_call_is_one_press_away() {
    let mut harness = in_call(shown::up());
    let wanted = [
        ("Hold the call", Action::Ask(Command::Hold(true))),
        ("Fill the window with the picture", Action::Ask(Command::Set(Setting::FillPicture(true)))),
    ];
    for (label, _) in &wanted {
        press(&mut harness, "More");
        press(&mut harness, label);
        if harness.query_by_label(label).is_some() {
            press(&mut harness, "More");
        }
    }
    let asked: Vec<Action> = wanted.into_iter().map(|(_, action)| action).collect();
    assert_eq!(harness.state(), &asked);
    press(&mut harness, "More");
    press(&mut harness, "Compare codes…");
    harness.get_by_label("Show the code");
}

#[test]
fn a_call_is_left_for_the_list_without_ending_it() {
    let mut harness = in_call(shown::up());
    harness.run_steps(2);
    press(&mut harness, "Keep the call in a small tile");
    assert_eq!(harness.state(), &[Action::LeaveCallScreen]);
    let call = UpCall { muted: true, ..shown::up() };
    let mut place = TilePlace::default();
    let mut harness = self::harness(move |ui| call_tile_ui(ui, &call, None, &mut place));
    harness.run_steps(4);
    for label in ["Return to the call", "Unmute", "Hang up"] {
        press(&mut harness, label);
    }
    assert_eq!(
        harness.state(),
        &[Action::ReturnToCall, Action::Ask(Command::SetMuted(false)), Action::Ask(Command::HangUp)]
    );
}

#[test]
fn our_own_picture_is_hidden_and_brought_back() {
    let own = "My own picture. Drag it, or move it with the arrow keys; Enter swaps the two pictures.";
    let mut harness = in_call(shown::up());
    harness.run_steps(2);
    harness.get_by_label(own);
    harness.key_press(Key::G);
    harness.run_steps(4);
    assert!(harness.query_by_label(own).is_none());
    press(&mut harness, "Show my own picture");
    harness.get_by_label(own);
    assert_eq!(harness.state(), &[]);
}

#[test]
fn our_own_picture_is_dragged_into_another_corner() {
    let own = "My own picture. Drag it, or move it with the arrow keys; Enter swaps the two pictures.";
    let mut harness = in_call(shown::up());
    harness.run_steps(2);
    let start = harness.get_by_label(own).rect().center();
    harness.drag_at(start);
    harness.run_steps(2);
    harness.hover_at(egui::pos2(700.0, 400.0));
    harness.run_steps(2);
    harness.hover_at(egui::pos2(200.0, 200.0));
    // Held still before it is let go: it is put down, not thrown.
    harness.run_steps(30);
    harness.drop_at(egui::pos2(200.0, 200.0));
    harness.run_steps(30);
    let end = harness.get_by_label(own).rect();
    assert!(end.left() < 30.0 && end.top() < 75.0, "{end:?}");
}

#[test]
fn the_quality_card_is_said_drawn_and_copied() {
    let past = vec![PastSecond { round_trip_ms: 24.0, ..PastSecond::default() }; 30];
    let mut harness = in_call(UpCall { past: Arc::new(past), ..shown::up() });
    harness.key_press(Key::T);
    harness.run_steps(4);
    harness.get_by_label("round trip, last 30 seconds: 24 to 24 ms, now 24 ms");
    press(&mut harness, "Copy the figures");
    let [Action::CopyText(text)] = harness.state().as_slice() else { panic!("{:?}", harness.state()) };
    assert!(text.contains("cipher: AES-128"), "{text}");
}

#[test]
fn a_chosen_key_does_it_and_the_usual_one_no_longer() {
    let mut harness = in_call_with(shown::up(), |view| {
        let settings = Arc::make_mut(&mut view.settings);
        settings.shortcuts.insert("mute".into(), "Ctrl+J".into());
    });
    harness.run_steps(2);
    harness.key_press(Key::M);
    harness.run_steps(2);
    assert_eq!(harness.state(), &[]);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::J);
    harness.run_steps(2);
    assert_eq!(harness.state(), &[Action::Ask(Command::SetMuted(true))]);
}

#[test]
fn a_report_of_a_bad_end_is_read_copied_or_deleted() {
    let mut harness = harness(move |ui| crash_report_ui(ui, None).map(Action::Crash));
    harness.run_steps(6);
    for label in ["Read it", "Delete it", "Close"] {
        press(&mut harness, label);
    }
    let choices = [CrashChoice::Read, CrashChoice::Delete, CrashChoice::Close];
    assert_eq!(harness.state(), &choices.map(Action::Crash));
    let mut harness =
        self::harness(move |ui| crash_report_ui(ui, Some("thread panicked")).map(Action::Crash));
    harness.run_steps(6);
    harness.get_by_label("thread panicked");
    press(&mut harness, "Copy");
    assert_eq!(harness.state(), &[Action::Crash(CrashChoice::Copy)]);
}

#[test]
fn controls_fade_after_three_still_seconds_and_then_nothing_is_painted_any_more() {
    let mut harness = in_call(shown::up());
    harness.run_steps(2);
    let mut painted = 0;
    // Every frame that is asked for is painted; the frames of a test are a 60th of a second.
    for _ in 0..600 {
        harness.step();
        painted += usize::from(wants_another(&harness));
    }
    assert!(painted > 0 && painted < 60, "{painted}");
    assert!(!wants_another(&harness));
}

/// Whether the last frame asked for another one at once.
fn wants_another(harness: &Harness<'_, Asked>) -> bool {
    let viewports = &harness.output().viewport_output;
    viewports.values().any(|viewport| viewport.repaint_delay == Duration::ZERO)
}

#[test]
fn a_list_and_a_call_in_which_nothing_happens_ask_for_no_picture() {
    let call = shown::up();
    let mut place = TilePlace::default();
    let mut harness = harness(move |ui| call_tile_ui(ui, &call, None, &mut place));
    harness.run_steps(60);
    for viewport in harness.output().viewport_output.values() {
        assert!(viewport.repaint_delay > Duration::from_secs(1000), "{:?}", viewport.repaint_delay);
    }
}

#[test]
fn a_missed_call_says_so_and_offers_to_call_back() {
    let far = shown::far();
    let mut harness = harness(move |ui| {
        ended_ui(
            ui,
            &Ended {
                far: &far,
                reason: EndReason::NoAnswer,
                lasted: None,
                incoming: true,
                hides_address: false,
            },
        )
    });
    harness.run_steps(6);
    harness.get_by_label("You missed a call from Jonas");
    harness.get_by_label("Call back");
}

#[test]
fn a_recorded_call_says_so_at_both_ends_also_when_the_controls_are_gone() {
    let recording = Some(Duration::from_secs(65));
    let mut harness = in_call(UpCall { recording, far_records: true, ..shown::up() });
    harness.run_steps(2);
    harness.get_by_label("Recording 1:05");
    harness.get_by_label("林小雨 is recording");
    let mut harness = in_call(shown::up());
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("ecording").is_none());
}

#[test]
fn a_call_is_recorded_and_no_longer_by_key_and_in_the_menu() {
    let begins = |asked: &[Action]| matches!(asked, [Action::Ask(Command::StartRecording { to: None, notice })] if !notice.is_empty());
    let mut harness = in_call(shown::up());
    harness.run_steps(2);
    harness.key_press(Key::R);
    harness.run_steps(2);
    assert!(begins(harness.state()), "{:?}", harness.state());
    let mut harness = in_call(shown::up());
    press(&mut harness, "More");
    press(&mut harness, "Record the call");
    assert!(begins(harness.state()), "{:?}", harness.state());
    let mut harness = in_call(UpCall { recording: Some(Duration::ZERO), ..shown::up() });
    press(&mut harness, "More");
    press(&mut harness, "Stop recording");
    assert_eq!(harness.state(), &[Action::Ask(Command::StopRecording)]);
}
