//! What two whole clients open, show and send while it rings, and once it was answered.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tincan::call::client::{ClientOptions, RunningClient, start};
use tincan::call::handle::Client as _;
use tincan::call::{Command, Event};
use tincan::media::choice::{CameraSource, MicrophoneSource, PictureSink, SpeakerSink};
use tincan::media::studio::StudioSettings;
use tincan::settings::Settings;

use crate::programs::{Program, Scratch, serve};

/// Pictures of the camera that are enough to say it is on.
const ENOUGH: usize = 5;

struct Ringing {
    caller: RunningClient,
    called: RunningClient,
    _server: Program,
    _scratch: Scratch,
}

/// Two clients with cameras, one of which calls the other; it rings.
fn ringing() -> Ringing {
    ringing_with(true)
}

fn ringing_with(video: bool) -> Ringing {
    let scratch = Scratch::new();
    let (server, url) = serve();
    let mut called = client(&scratch.path("called"), "Ada", &url);
    let mut caller = client(&scratch.path("caller"), "Bob", &url);
    for client in [&mut called, &mut caller] {
        await_event(client, |event| *event == Event::Connected);
    }
    assert!(caller.try_command(Command::Call { whom: called.peer_id().to_string(), with_video: video }));
    await_event(&mut called, |event| matches!(event, Event::Ringing { .. }));
    Ringing { caller, called, _server: server, _scratch: scratch }
}

fn client(data_dir: &Path, name: &str, server: &str) -> RunningClient {
    std::fs::create_dir_all(data_dir).expect("a directory for the client");
    let settings = Settings { name: name.into(), server: Some(server.into()), ..Settings::default() };
    let studio = StudioSettings {
        camera: CameraSource::Test,
        microphone: MicrophoneSource::Tone,
        speaker: SpeakerSink::None,
        picture: PictureSink::None,
    };
    let options = ClientOptions {
        data_dir: data_dir.to_owned(),
        kept: settings.clone(),
        settings,
        turn_password: None,
        studio,
        history: None,
        window: false,
        waker: Arc::new(|| ()),
    };
    start(options).expect("the client starts")
}

fn await_event(client: &mut RunningClient, wanted: impl Fn(&Event) -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        if client.wait_event(STEP).is_some_and(|event| wanted(&event)) {
            return;
        }
    }
    panic!("it never happened: {:?}", client.view().call);
}

/// How many own pictures a client makes within `time`, `most` at most.
fn own_pictures(client: &mut RunningClient, most: usize, time: Duration) -> usize {
    let until = Instant::now() + time;
    let mut seen = 0;
    while seen < most && Instant::now() < until {
        client.wait_event(STEP);
        seen += usize::from(client.own_picture().take().is_some());
    }
    seen
}

#[test]
fn who_calls_sees_themself_while_it_rings_and_nothing_of_it_leaves() {
    let mut both = ringing();
    assert_eq!(own_pictures(&mut both.caller, ENOUGH, LONG), ENOUGH);
    assert!(both.called.far_picture().take().is_none(), "no picture came before anybody accepted");
    assert_eq!(both.called.call_figures().media.sound_played_ms, 0);
    assert!(both.called.try_command(Command::Accept { with_video: true }));
    await_event(&mut both.caller, |event| matches!(event, Event::Up { .. }));
    assert_eq!(own_pictures(&mut both.caller, ENOUGH, LONG), ENOUGH, "the camera stays on in the call");
}

#[test]
fn the_camera_of_who_is_called_comes_on_when_they_accept_and_not_before() {
    let mut both = ringing();
    assert_eq!(own_pictures(&mut both.called, 1, Duration::from_millis(500)), 0);
    assert_eq!(both.called.view().microphone_level, 0.0);
    assert!(both.called.try_command(Command::Accept { with_video: true }));
    assert_eq!(own_pictures(&mut both.called, ENOUGH, LONG), ENOUGH);
}

#[test]
fn who_calls_without_picture_opens_no_camera_until_they_want_one() {
    let mut both = ringing_with(false);
    assert_eq!(own_pictures(&mut both.caller, 1, Duration::from_millis(500)), 0);
    assert!(both.caller.try_command(Command::SetCameraOn(true)));
    assert_eq!(own_pictures(&mut both.caller, ENOUGH, LONG), ENOUGH);
}

#[test]
fn the_camera_goes_off_when_the_caller_gives_up() {
    let mut both = ringing();
    assert_eq!(own_pictures(&mut both.caller, ENOUGH, LONG), ENOUGH);
    assert!(both.caller.try_command(Command::Cancel));
    await_event(&mut both.caller, |event| matches!(event, Event::Ended { .. }));
    // What was captured before the camera heard of it may still lie there.
    let until = Instant::now() + LONG;
    while own_pictures(&mut both.caller, 1, Duration::from_millis(300)) > 0 {
        assert!(Instant::now() < until, "the camera stays on");
    }
}

const STEP: Duration = Duration::from_millis(10);
const LONG: Duration = Duration::from_secs(20);
