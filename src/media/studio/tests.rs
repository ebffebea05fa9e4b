use super::*;

#[test]
fn a_studio_without_devices_takes_and_gives_nothing_and_ends_at_once() {
    let settings = StudioSettings {
        camera: CameraSource::None,
        microphone: MicrophoneSource::None,
        speaker: SpeakerSink::None,
        picture: PictureSink::None,
    };
    let mut studio = Studio::new(settings, Arc::new(|| ()));
    studio.start_sending(Arc::new(|_| panic!("nothing to send")));
    studio.start_receiving();
    studio.stop_receiving();
    studio.stop_sending();
    assert!(!studio.has_camera() && !studio.has_microphone());
    assert_eq!(studio.poll_notice(), None);
}

/// A studio with sources that can be measured, and what wakes its owner.
fn measured() -> (Studio, std::sync::mpsc::Receiver<()>) {
    let (wake, woken) = std::sync::mpsc::sync_channel(1);
    let settings = StudioSettings {
        camera: CameraSource::Test,
        microphone: MicrophoneSource::Tone,
        speaker: SpeakerSink::None,
        picture: PictureSink::None,
    };
    let waker = move || {
        // One waiting wake-up is as good as many.
        let _ = wake.try_send(());
    };
    (Studio::new(settings, Arc::new(waker)), woken)
}

/// Waits until something is so, looking whenever the studio wakes; for ten seconds at most.
fn becomes(studio: &Studio, woken: &std::sync::mpsc::Receiver<()>, so: impl Fn(&Studio) -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        if so(studio) {
            return true;
        }
        let _ = woken.recv_timeout(Duration::from_millis(50));
    }
    so(studio)
}

#[test]
fn a_camera_that_is_switched_off_in_a_call_is_closed_and_opens_again_when_switched_on() {
    let (mut studio, woken) = measured();
    studio.start_sending(Arc::new(|_| ()));
    assert!(becomes(&studio, &woken, Studio::has_camera));
    studio.set_camera_on(false);
    assert!(becomes(&studio, &woken, |studio| !studio.has_camera()), "the device is let go");
    studio.set_camera_on(true);
    assert!(becomes(&studio, &woken, Studio::has_camera));
}

#[test]
fn a_call_that_waits_closes_camera_and_microphone() {
    let (mut studio, woken) = measured();
    studio.start_sending(Arc::new(|_| ()));
    assert!(becomes(&studio, &woken, |studio| studio.has_camera() && studio.has_microphone()));
    studio.stop_sending();
    assert!(becomes(&studio, &woken, |studio| !studio.has_camera() && !studio.has_microphone()));
}

#[test]
fn a_preview_beside_a_call_without_picture_is_for_the_person_alone() {
    let (mut studio, woken) = measured();
    let (sent, frames) = std::sync::mpsc::channel();
    studio.set_camera_on(false);
    studio.open_camera();
    studio.start_sending(Arc::new(move |frame| {
        let _ = sent.send(frame);
    }));
    assert!(becomes(&studio, &woken, |studio| studio.has_camera() && studio.own_picture().take().is_some()));
    // A second of sound passes, and no picture with it.
    for _ in 0..50 {
        let frame = frames.recv_timeout(Duration::from_secs(10)).expect("sound goes on");
        assert!(matches!(frame, EncodedFrame::Audio { .. }), "a picture was sent");
    }
}

#[test]
fn a_muted_microphone_still_shows_its_level() {
    let (mut studio, woken) = measured();
    studio.set_muted(true);
    studio.start_sending(Arc::new(|_| ()));
    assert!(becomes(&studio, &woken, |studio| studio.microphone_level() > 0.3));
}

#[test]
fn only_a_picture_of_more_than_720_lines_asks_the_camera_for_another() {
    let (mut studio, woken) = measured();
    studio.open_camera();
    assert!(becomes(&studio, &woken, Studio::has_camera));
    studio.set_camera_lines(360);
    studio.set_camera_lines(720);
    assert!(studio.has_camera() && studio.camera.predecessors.is_empty());
}

#[test]
fn a_talker_is_noticed_while_muted_and_a_tone_is_not() {
    let path = std::env::temp_dir().join(format!("tincan-talker-{}.wav", std::process::id()));
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut file = hound::WavWriter::create(&path, spec).unwrap();
    for sample in crate::media::voice::synthetic::speech(4.0, 7, 110.0, -20.0) {
        file.write_sample(sample).unwrap();
    }
    file.finalize().unwrap();
    let (mut studio, woken) = measured();
    studio.set_muted(true);
    studio.start_sending(Arc::new(|_| ()));
    assert!(becomes(&studio, &woken, |studio| studio.microphone_level() > 0.3));
    assert!(!studio.is_speaking());
    studio.set_microphone(MicrophoneSource::File(path.clone()));
    let noticed = becomes(&studio, &woken, Studio::is_speaking);
    std::fs::remove_file(&path).unwrap();
    assert!(noticed);
}
