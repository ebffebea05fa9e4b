//! Two whole clients and a server over loopback, in real time: what a window's person does, and what comes of it with
//! devices and codecs. Nothing sleeps: each step waits for the one before it to show.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use tincan::call::client::{ClientOptions, RunningClient, start};
use tincan::call::handle::Client;
use tincan::call::view::{CallState, ServerState, UpCall, Verifying};
use tincan::call::{ClientView, Command};
use tincan::media::choice::{CameraSource, MicrophoneSource, PictureSink, SpeakerSink};
use tincan::media::studio::StudioSettings;
use tincan::rendezvous::config::ServerConfig;
use tincan::rendezvous::server::Server;
use tincan::settings::{Setting, Settings};

struct Person {
    client: Option<RunningClient>,
    woken: Receiver<()>,
    data_dir: PathBuf,
}

impl Person {
    fn new(name: &str, server: &str) -> Self {
        let data_dir = std::env::temp_dir().join(format!("tincan-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&data_dir).expect("a directory");
        let (wake, woken) = sync_channel(1);
        let studio = StudioSettings {
            camera: CameraSource::Test,
            microphone: MicrophoneSource::Tone,
            speaker: SpeakerSink::None,
            picture: PictureSink::None,
        };
        let settings =
            Settings { name: name.to_owned(), server: Some(server.to_owned()), ..Settings::default() };
        let options = ClientOptions {
            data_dir: data_dir.clone(),
            kept: settings.clone(),
            settings,
            turn_password: None,
            studio,
            history: None,
            window: false,
            waker: Arc::new(move || {
                // One waiting wake-up is as good as many.
                let _ = wake.try_send(());
            }),
        };
        let client = Some(start(options).expect("a client"));
        let person = Self { client, woken, data_dir };
        assert!(person.sees(|view| view.own.server_state == ServerState::Connected), "{name} is connected");
        person
    }

    fn client(&self) -> &RunningClient {
        self.client.as_ref().expect("it runs until it is dropped")
    }

    fn asks(&self, command: Command) {
        assert!(self.client().try_command(command));
    }

    /// Waits until the window would show something, for twenty seconds at most.
    fn sees(&self, so: impl Fn(&ClientView) -> bool) -> bool {
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            if so(&self.client().view()) {
                return true;
            }
            let _ = self.woken.recv_timeout(Duration::from_millis(100));
        }
        false
    }

    fn is_up_and(&self, so: impl Fn(&UpCall) -> bool) -> bool {
        self.sees(|view| matches!(&view.call, CallState::Up(call) if so(call)))
    }

    fn hears(&self) -> bool {
        self.sees(|view| view.far_level > 0.3)
    }

    fn hears_nothing(&self) -> bool {
        self.sees(|view| view.far_level < 0.05)
    }

    fn sees_a_picture(&self) -> bool {
        self.client().far_picture().take();
        self.sees(|_| self.client().far_picture().take().is_some())
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        drop(self.client.take());
        let _ = std::fs::remove_dir_all(&self.data_dir);
    }
}

#[test]
fn muting_waiting_and_verifying_do_in_earnest_what_they_say() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let inside = runtime.enter();
    let config =
        ServerConfig { listen: vec!["127.0.0.1:0".parse().expect("an address")], ..ServerConfig::default() };
    let server = Server::start(config).expect("a server");
    drop(inside);
    let url = format!("rtmfp://{}", server.local_addresses()[0]);
    let (ada, bob) = (Person::new("Ada", &url), Person::new("Bob", &url));

    bob.asks(Command::Call { whom: "Ada".into(), with_video: true });
    assert!(ada.sees(|view| matches!(view.call, CallState::Incoming { .. })));
    // Without picture: the camera is never opened.
    ada.asks(Command::Accept { with_video: false });
    assert!(ada.is_up_and(|call| call.has_camera && !call.camera_on));
    assert!(ada.hears() && bob.hears() && ada.sees_a_picture());
    assert!(ada.client().own_picture().take().is_none(), "the camera stays closed");

    bob.asks(Command::SetMuted(true));
    assert!(ada.is_up_and(|call| call.far_muted) && ada.hears_nothing());
    assert!(bob.is_up_and(|call| !call.speaking_muted), "a tone is no speech");
    assert!(bob.sees(|view| view.microphone_level > 0.3), "the meter still moves");

    ada.asks(Command::Hold(true));
    assert!(ada.sees(ClientView::call_waits));
    assert!(bob.is_up_and(|call| call.far_holds));
    assert!(bob.sees(|view| view.microphone_level == 0.0), "whoever waits has closed devices");
    ada.asks(Command::Hold(false));
    assert!(bob.is_up_and(|call| !call.far_holds && call.muted) && bob.hears());
    assert!(ada.sees_a_picture() && ada.hears_nothing(), "still muted after waiting");

    bob.asks(Command::SetMuted(false));
    assert!(ada.hears());
    ada.asks(Command::Set(Setting::FarVolume(0.5)));
    assert!(ada.sees(|view| view.settings.far_volume == 0.5) && ada.hears());
    ada.asks(Command::SetCameraOn(true));
    assert!(bob.sees_a_picture());

    ada.asks(Command::StartVerifying);
    let compares = |view: &ClientView| matches!(view.verifying, Verifying::Compare { .. });
    assert!(ada.sees(compares) && bob.sees(compares));
    assert_eq!(ada.client().view().verifying, bob.client().view().verifying);

    bob.asks(Command::HangUp);
    assert!(ada.sees(|view| matches!(view.call, CallState::Ended { .. })));
    assert!(ada.sees(|view| view.microphone_level == 0.0 && view.far_level == 0.0));
    drop((ada, bob));
    runtime.block_on(server.stop());
}
