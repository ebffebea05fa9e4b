//! A file between two whole clients over loopback, from disk to disk.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tincan::call::client::{ClientOptions, RunningClient, start};
use tincan::call::handle::Client as _;
use tincan::call::random_id::RandomId;
use tincan::call::view::{FileState, LineKind};
use tincan::call::{Command, Event, PeerId};
use tincan::media::choice::{CameraSource, MicrophoneSource, PictureSink, SpeakerSink};
use tincan::media::studio::StudioSettings;
use tincan::settings::Settings;

use crate::programs::{Scratch, serve};

const SIZE: usize = 8 << 20;
const STEP: Duration = Duration::from_millis(5);

fn client(data_dir: &Path, name: &str, server: &str) -> RunningClient {
    std::fs::create_dir_all(data_dir).expect("a directory for the client");
    let settings = Settings { name: name.into(), server: Some(server.into()), ..Settings::default() };
    let studio = StudioSettings {
        camera: CameraSource::None,
        microphone: MicrophoneSource::None,
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
    let mut client = start(options).expect("the client starts");
    until(&mut client, |_, event| event == Some(&Event::Connected));
    client
}

fn until(client: &mut RunningClient, done: impl Fn(&RunningClient, Option<&Event>) -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        let event = client.wait_event(STEP);
        if done(client, event.as_ref()) {
            return;
        }
    }
    panic!("it never happened: {:?}", client.view().conversations);
}

fn file(client: &RunningClient, with: PeerId) -> Option<(RandomId, FileState)> {
    let view = client.view();
    let conversation = view.conversations.iter().find(|conversation| conversation.peer_id == with)?;
    conversation.lines.iter().rev().find_map(|line| match &line.what {
        LineKind::File(file) => Some((line.id, file.state.clone())),
        _ => None,
    })
}

#[test]
fn a_file_goes_from_disk_to_disk_beside_one_of_the_same_name() {
    let scratch = Scratch::new();
    let (_server, url) = serve();
    let mut ada = client(&scratch.path("ada"), "Ada", &url);
    let mut bob = client(&scratch.path("bob"), "Bob", &url);
    let (ada_id, bob_id) = (ada.peer_id(), bob.peer_id());
    let bytes: Vec<u8> = (0..SIZE).map(|n| (n * n / 7 + n) as u8).collect();
    let original = scratch.path("cat.png");
    std::fs::write(&original, &bytes).expect("room for the original");
    let downloads = scratch.path("ada").join("downloads");
    std::fs::create_dir_all(&downloads).expect("a folder");
    std::fs::write(downloads.join("cat.png"), "mine").expect("a file");

    assert!(ada.try_command(Command::SendText { to: bob_id, text: "send me the cat".into() }));
    until(&mut bob, |_, event| matches!(event, Some(Event::TextReceived { .. })));
    assert!(bob.try_command(Command::OfferFile { to: ada_id, path: original }));
    until(&mut ada, |_, event| matches!(event, Some(Event::FileOffered { .. })));
    until(&mut ada, |ada, _| file(ada, bob_id).is_some());
    let line = file(&ada, bob_id).expect("checked above").0;
    let began = Instant::now();
    assert!(ada.try_command(Command::AcceptFile { peer: bob_id, line }));
    until(&mut ada, |ada, _| matches!(file(ada, bob_id), Some((_, FileState::Done(_)))));
    let took = began.elapsed();
    until(&mut bob, |bob, _| matches!(file(bob, ada_id), Some((_, FileState::Done(_)))));

    let there = downloads.join("cat (2).png");
    assert_eq!(file(&ada, bob_id).map(|(_, state)| state), Some(FileState::Done(there.clone())));
    assert!(std::fs::read(&there).expect("it is there") == bytes, "it is not what was sent");
    assert_eq!(std::fs::read(downloads.join("cat.png")).expect("it is there"), b"mine");
    assert_eq!(std::fs::read_dir(&downloads).expect("the folder").count(), 2, "no part is left");
    println!("{:.1} MB/s", SIZE as f64 / 1e6 / took.as_secs_f64());
}
