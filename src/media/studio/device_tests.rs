//! The studio over devices that fail in every way known. Nothing here waits for the clock but where a test must see a
//! patience run out, and that is a short one.

use std::sync::mpsc::Receiver;

use super::*;
use crate::media::device_error::{DeviceError, DeviceKind, Problem};
use crate::media::hardware::fake::{FakeHardware, Manner};

const CAMERA: DeviceKind = DeviceKind::Camera;
const MICROPHONE: DeviceKind = DeviceKind::Microphone;
const SPEAKER: DeviceKind = DeviceKind::Speaker;

/// A studio in a call, the computer it runs on, and what was seen of both.
struct Stage {
    studio: Studio,
    fake: Arc<FakeHardware>,
    opened: Receiver<String>,
    woken: Receiver<()>,
    frames: Receiver<EncodedFrame>,
    sound_frames: usize,
    key_pictures: usize,
    own_widths: Vec<u32>,
    /// Samples each of these loudspeakers sounded.
    sounded: Vec<(&'static str, usize)>,
    /// What everybody at a microphone says, over and over.
    speech: Vec<f32>,
    news: Vec<DeviceNews>,
    all_opened: Vec<String>,
}

impl Stage {
    /// A call with the devices of these choices, on a computer that has these.
    fn call(choices: [&str; 3], devices: &[(DeviceKind, &str)], prepare: impl FnOnce(&FakeHardware)) -> Self {
        let (fake, opened) = FakeHardware::with(devices);
        prepare(&fake);
        let choose = |choice: &str| choice.parse::<CameraSource>().expect("every word is a choice");
        let settings = StudioSettings {
            camera: choose(choices[0]),
            microphone: choices[1].parse().expect("every word is a choice"),
            speaker: choices[2].parse().expect("every word is a choice"),
            picture: PictureSink::None,
        };
        let (wake, woken) = std::sync::mpsc::sync_channel(1);
        let waker = Arc::new(move || {
            // One waiting wake-up is as good as many.
            let _ = wake.try_send(());
        });
        let mut studio = Studio::with(Arc::clone(&fake) as Arc<dyn Hardware>, settings, waker);
        let (sent, frames) = std::sync::mpsc::channel();
        studio.start_sending(Arc::new(move |frame| {
            let _ = sent.send(frame);
        }));
        studio.start_receiving();
        studio.play_sound(Sound::Ring);
        let (speech, sounded) = ([0.5, -0.5].repeat(240), vec![("Built-in", 0), ("Headset", 0)]);
        Self {
            studio,
            fake,
            opened,
            woken,
            frames,
            sound_frames: 0,
            key_pictures: 0,
            own_widths: Vec::new(),
            sounded,
            speech,
            news: Vec::new(),
            all_opened: Vec::new(),
        }
    }

    /// Lets the devices work until something is so; fails after half a minute.
    #[track_caller]
    fn until(&mut self, what: &str, mut so: impl FnMut(&Self) -> bool) {
        let give_up = Instant::now() + Duration::from_secs(30);
        loop {
            for name in ["Built-in", "Headset"] {
                self.fake.speak(name, &self.speech);
            }
            for (name, sounded) in &mut self.sounded {
                *sounded += self.fake.play(name);
            }
            for frame in self.frames.try_iter() {
                match frame {
                    EncodedFrame::Audio { .. } => self.sound_frames += 1,
                    EncodedFrame::Video { key, .. } => self.key_pictures += usize::from(key),
                }
            }
            self.own_widths.extend(self.studio.own_picture().take().map(|picture| picture.width));
            self.news.extend(std::iter::from_fn(|| self.studio.poll_notice()));
            self.all_opened.extend(self.opened.try_iter());
            if so(self) {
                return;
            }
            assert!(Instant::now() < give_up, "{what}: {:?}, {:?}", self.news, self.all_opened);
            let _ = self.woken.recv_timeout(Duration::from_millis(5));
        }
    }

    fn sounded(&self, name: &str) -> usize {
        self.sounded.iter().find(|(known, _)| *known == name).map_or(0, |(_, sounded)| *sounded)
    }

    /// Nothing that was counted so far counts.
    fn forget(&mut self) {
        self.sounded.iter_mut().for_each(|(_, sounded)| *sounded = 0);
        (self.sound_frames, self.key_pictures) = (0, 0);
        self.own_widths.clear();
        self.news.clear();
        self.all_opened.clear();
    }

    fn is_muted(&self) -> bool {
        shared::lock(&self.studio.shared.sending).muted
    }

    fn has_told(&self, kind: DeviceKind, problem: Problem) -> bool {
        self.news.contains(&DeviceNews::Problem(DeviceError::new(kind, problem)))
    }
}

/// Whether this alone is told. Why it was lost depends on what is noticed first, the end of its sound or that it is gone.
fn tells_replaced(news: &[DeviceNews], kind: DeviceKind, lost_name: &str, by_name: &str) -> bool {
    let [DeviceNews::Replaced { device, lost, why, by, silenced: false }] = news else { return false };
    let why_is_known = matches!(why, Problem::NotFound | Problem::Stopped);
    *device == kind && lost == lost_name && by == by_name && why_is_known
}

fn back(kind: DeviceKind, name: &str) -> DeviceNews {
    DeviceNews::Back { device: kind, name: name.to_owned() }
}

#[test]
fn sound_goes_on_at_another_loudspeaker_and_returns_with_the_chosen_one() {
    let devices = [(SPEAKER, "Built-in"), (SPEAKER, "Headset")];
    let mut stage = Stage::call(["none", "none", "Headset"], &devices, |_| ());
    stage.until("the headset sounds", |stage| stage.sounded("Headset") > 0);
    stage.fake.unplug(SPEAKER, "Headset");
    stage.forget();
    stage.until("the other sounds", |stage| stage.sounded("Built-in") > 0);
    stage.until("it is told", |stage| tells_replaced(&stage.news, SPEAKER, "Headset", "Built-in"));
    stage.fake.plug_in(SPEAKER, "Headset");
    stage.forget();
    stage.until("the headset sounds again", |stage| stage.sounded("Headset") > 0);
    stage.until("it is told", |stage| stage.news == [back(SPEAKER, "Headset")]);
}

#[test]
fn a_default_loudspeaker_that_the_system_changes_is_followed_during_a_call() {
    let devices = [(SPEAKER, "Built-in"), (SPEAKER, "Headset")];
    let mut stage = Stage::call(["none", "none", "default"], &devices, |_| ());
    stage.until("the first sounds", |stage| stage.sounded("Built-in") > 0);
    stage.fake.set_default(SPEAKER, "Headset");
    stage.until("the second sounds", |stage| stage.sounded("Headset") > 0);
}

#[test]
fn a_loudspeaker_that_hangs_while_it_opens_holds_up_neither_sound_nor_person() {
    let devices = [(SPEAKER, "Built-in"), (SPEAKER, "Headset")];
    let hangs = |fake: &FakeHardware| fake.set_manner(SPEAKER, "Headset", Manner::HangsInOpening);
    let mut stage = Stage::call(["none", "none", "Headset"], &devices, hangs);
    stage.until("the other sounds", |stage| stage.sounded("Built-in") > 0);
    let why = Problem::NoAnswer;
    let instead =
        |news: &DeviceNews| matches!(news, DeviceNews::Replaced { why: found, .. } if *found == why);
    stage.until("it is told", |stage| stage.news.iter().any(instead));
}

#[test]
fn what_is_said_goes_on_through_another_microphone() {
    let devices = [(MICROPHONE, "Built-in"), (MICROPHONE, "Headset")];
    let mut stage = Stage::call(["none", "Headset", "none"], &devices, |_| ());
    stage.until("the headset is heard", |stage| stage.sound_frames > 0);
    stage.fake.unplug(MICROPHONE, "Headset");
    stage.until("another is used", |stage| tells_replaced(&stage.news, MICROPHONE, "Headset", "Built-in"));
    stage.forget();
    stage.until("it is heard", |stage| stage.sound_frames > 10 && stage.studio.microphone_level() > 0.3);
    assert_eq!(stage.news, []);
    assert!(!stage.is_muted());
}

#[test]
fn a_microphone_of_any_rate_is_heard() {
    for rate in [8_000, 11_025, 16_000, 44_100, 96_000, 192_000] {
        let at_rate = |fake: &FakeHardware| fake.set_rate(MICROPHONE, "Built-in", rate);
        let devices = [(MICROPHONE, "Built-in")];
        let mut stage = Stage::call(["none", "default", "none"], &devices, at_rate);
        stage.speech = [[0.5; 40], [-0.5; 40]].concat();
        stage.until("it is heard", |stage| stage.sound_frames > 5 && stage.studio.microphone_level() > 0.2);
    }
}

#[test]
fn a_microphone_that_gives_exact_zeros_is_told_once_and_no_longer_once_it_sounds() {
    let mut stage = Stage::call(["none", "default", "none"], &[(MICROPHONE, "Built-in")], |_| ());
    stage.speech = vec![0.0; 4_800];
    stage.until("it is told", |stage| stage.has_told(MICROPHONE, Problem::Silent));
    assert!(stage.studio.has_microphone(), "it may be switched on at any moment");
    stage.forget();
    stage.until("time passes", |stage| stage.sound_frames > 200);
    assert_eq!(stage.news, [], "said once");
    stage.speech[7] = 0.1;
    stage.until("it is over", |stage| stage.news == [DeviceNews::Mended(MICROPHONE)]);
}

#[test]
fn a_microphone_switched_off_at_the_device_leaves_a_hint_to_stay_muted_when_it_is_unplugged() {
    let devices = [(MICROPHONE, "Headset"), (MICROPHONE, "Built-in")];
    let mut stage = Stage::call(["none", "default", "none"], &devices, |_| ());
    stage.speech = vec![0.0; 4_800];
    stage.until("it is silent", |stage| stage.has_told(MICROPHONE, Problem::Silent));
    stage.fake.unplug(MICROPHONE, "Headset");
    stage.until("another is used", |stage| stage.news.iter().any(DeviceNews::silenced));
    assert!(stage.is_muted(), "nothing is sent before the person wants it");
}

#[test]
fn a_silenced_microphone_whose_stream_the_system_moves_to_another_one_lets_nothing_be_heard() {
    let devices = [(MICROPHONE, "Headset"), (MICROPHONE, "Built-in")];
    let mut stage = Stage::call(["none", "default", "none"], &devices, |_| ());
    stage.speech = vec![0.0; 4_800];
    stage.until("it is silent", |stage| stage.has_told(MICROPHONE, Problem::Silent));
    stage.fake.unplug_and_move(MICROPHONE, "Headset", "Built-in");
    stage.speech = [0.5, -0.5].repeat(240);
    stage.until("another is used", |stage| {
        let level = stage.studio.microphone_level();
        assert!(stage.is_muted() || level == 0.0, "{level} is sent");
        stage.news.iter().any(DeviceNews::silenced)
    });
    assert!(stage.is_muted());
}

#[test]
fn a_headset_that_falls_to_call_mode_is_told() {
    let devices = [(MICROPHONE, "Headset"), (SPEAKER, "Headset")];
    let mut stage = Stage::call(["none", "default", "default"], &devices, |_| ());
    stage.until("both work", |stage| stage.sound_frames > 0 && stage.sounded("Headset") > 0);
    stage.fake.set_rate(SPEAKER, "Headset", 16_000);
    stage.until("it is told", |stage| stage.news == [DeviceNews::CallMode { name: "Headset".into() }]);
}

#[test]
fn a_camera_that_another_program_has_leaves_the_call_with_sound() {
    let busy = |fake: &FakeHardware| fake.set_manner(CAMERA, "Webcam", Manner::Refuses(Problem::Busy));
    let devices = [(CAMERA, "Webcam"), (MICROPHONE, "Built-in")];
    let mut stage = Stage::call(["Webcam", "default", "none"], &devices, busy);
    stage.until("it is told", |stage| stage.has_told(CAMERA, Problem::Busy));
    stage.until("sound goes on", |stage| stage.sound_frames > 10);
    assert!(!stage.studio.has_camera());
    stage.fake.set_manner(CAMERA, "Webcam", Manner::Works(64));
    stage.until("pictures come", |stage| stage.key_pictures > 0);
    stage.until("it is told", |stage| stage.news.contains(&back(CAMERA, "Webcam")));
}

#[test]
fn a_camera_that_is_unplugged_and_plugged_in_again_is_used_again() {
    let devices = [(CAMERA, "Webcam"), (CAMERA, "Built-in")];
    let mut stage = Stage::call(["Webcam", "none", "none"], &devices, |_| ());
    stage.until("pictures come", |stage| stage.key_pictures > 0);
    // The driver of an unplugged camera says nothing: only its frames no longer come.
    stage.studio.set_camera(CameraSource::Named("Gone".into()));
    stage.until("it is missed", |stage| stage.has_told(CAMERA, Problem::NotFound));
    assert_eq!(stage.all_opened, ["Webcam"], "no other stands in");
    stage.fake.plug_in(CAMERA, "Gone");
    stage.forget();
    stage.until("it is used", |stage| stage.all_opened == ["Gone"] && !stage.own_widths.is_empty());
}

#[test]
fn a_camera_that_hangs_in_its_driver_is_left_to_it_and_works_once_it_is_plugged_in_anew() {
    for manner in [Manner::HangsInOpening, Manner::HangsInFrame] {
        let devices = [(CAMERA, "Webcam"), (MICROPHONE, "Built-in")];
        let hangs = |fake: &FakeHardware| fake.set_manner(CAMERA, "Webcam", manner.clone());
        let mut stage = Stage::call(["default", "default", "none"], &devices, hangs);
        stage.until("it is told", |stage| stage.has_told(CAMERA, Problem::NoAnswer));
        stage.until("sound goes on", |stage| stage.sound_frames > 10);
        assert!(stage.studio.figures().threads_left_behind > 0);
        stage.fake.unplug(CAMERA, "Webcam");
        stage.fake.plug_in(CAMERA, "Webcam");
        stage.until("pictures come", |stage| stage.key_pictures > 0);
    }
}

#[test]
fn torn_pictures_of_a_camera_are_left_out_and_nothing_but_torn_ones_are_told() {
    let half = |fake: &FakeHardware| fake.set_manner(CAMERA, "Webcam", Manner::HalfGarbage);
    let mut stage = Stage::call(["default", "none", "none"], &[(CAMERA, "Webcam")], half);
    stage.until("pictures come", |stage| stage.own_widths.len() > 20);
    assert_eq!(stage.news, []);
    let torn = |fake: &FakeHardware| fake.set_manner(CAMERA, "Webcam", Manner::Garbage);
    let mut stage = Stage::call(["default", "none", "none"], &[(CAMERA, "Webcam")], torn);
    stage.until("it is told", |stage| stage.has_told(CAMERA, Problem::Unsupported));
}

#[test]
fn a_camera_whose_pictures_change_their_size_goes_on_with_a_key_picture() {
    let grows = |fake: &FakeHardware| fake.set_manner(CAMERA, "Webcam", Manner::Grows);
    let mut stage = Stage::call(["default", "none", "none"], &[(CAMERA, "Webcam")], grows);
    stage.until("the new size is seen", |stage| stage.own_widths.contains(&128));
    stage.until("it is sent", |stage| stage.key_pictures > 1);
    assert_eq!(stage.all_opened, ["Webcam"]);
}

#[test]
fn what_is_plugged_in_shows_by_itself_while_somebody_watches() {
    let mut stage = Stage::call(["none", "none", "none"], &[(CAMERA, "Webcam")], |_| ());
    assert_eq!(stage.studio.take_devices(), None, "nobody looks");
    stage.studio.set_watching(true);
    let mut seen = DeviceList::default();
    while seen.cameras != ["Webcam"] {
        let _ = stage.woken.recv_timeout(Duration::from_millis(5));
        seen = stage.studio.take_devices().unwrap_or(seen);
    }
    stage.fake.plug_in(SPEAKER, "Headset");
    while seen.speakers != ["Headset"] {
        let _ = stage.woken.recv_timeout(Duration::from_millis(5));
        seen = stage.studio.take_devices().unwrap_or(seen);
    }
    assert_eq!(stage.studio.take_devices(), None, "told once");
}
