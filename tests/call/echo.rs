//! The echo test of a whole client, in real time: devices, codecs and playing, without a network.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use tincan::call::client::{ClientOptions, RunningClient, start};
use tincan::call::handle::Client;
use tincan::call::{ClientView, Command};
use tincan::media::choice::{CameraSource, MicrophoneSource, PictureSink, SpeakerSink};
use tincan::media::studio::StudioSettings;
use tincan::settings::Settings;

/// Waits until a client shows something, looking whenever it wakes; for fifteen seconds at most.
fn until(client: &RunningClient, woken: &Receiver<()>, so: impl Fn(&ClientView) -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(15);
    while Instant::now() < end {
        if so(&client.view()) {
            return true;
        }
        let _ = woken.recv_timeout(Duration::from_millis(100));
    }
    false
}

#[test]
fn one_hears_and_sees_oneself_and_it_ends_when_one_says_so() {
    let data_dir = std::env::temp_dir().join(format!("tincan-echo-{}", std::process::id()));
    std::fs::create_dir_all(&data_dir).expect("a directory");
    let (wake, woken) = sync_channel(1);
    let studio = StudioSettings {
        camera: CameraSource::Test,
        microphone: MicrophoneSource::Tone,
        speaker: SpeakerSink::None,
        picture: PictureSink::None,
    };
    let client = start(ClientOptions {
        data_dir: data_dir.clone(),
        settings: Settings { server: Some("rtmfp://127.0.0.1:9".into()), ..Settings::default() },
        kept: Settings::default(),
        turn_password: None,
        studio,
        history: None,
        window: false,
        waker: Arc::new(move || {
            // One waiting wake-up is as good as many.
            let _ = wake.try_send(());
        }),
    })
    .expect("a client");
    assert!(client.try_command(Command::EchoTest(true)));
    assert!(until(&client, &woken, |view| view.echo_test));
    assert!(until(&client, &woken, |view| view.far_level > 0.3), "one's own voice is heard");
    assert!(until(&client, &woken, |_| client.far_picture().take().is_some()), "one's own picture is seen");
    assert!(client.try_command(Command::EchoTest(false)));
    assert!(until(&client, &woken, |view| !view.echo_test && view.microphone_level == 0.0));
    client.stop();
    let _ = std::fs::remove_dir_all(data_dir);
}
