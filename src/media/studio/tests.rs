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
