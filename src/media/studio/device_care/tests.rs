use super::*;

/// A computer whose devices do what they are told, in virtual time, with a care for one of them.
struct Scene {
    care: DeviceCare,
    start: Instant,
    now: Instant,
    there: SeenKind,
    /// What opening gives instead of the device, by name.
    refuses: Vec<(&'static str, Problem)>,
    /// Cameras that open and give nothing.
    mute: Vec<&'static str>,
    /// No answer takes the patience of whoever asks.
    answer_at: Option<(Instant, Problem)>,
    hanging: usize,
    open: Option<String>,
    since: Instant,
    /// What was opened, and after how many milliseconds.
    opened: Vec<(u64, String)>,
    news: Vec<DeviceNews>,
}

impl Scene {
    fn new(kind: DeviceKind, chosen: Option<&str>, there: &[&str]) -> Self {
        let start = Instant::now();
        let mut scene = Self {
            care: DeviceCare::new(kind, chosen.map(str::to_owned), start),
            start,
            now: start,
            there: SeenKind::default(),
            refuses: Vec::new(),
            mute: Vec::new(),
            answer_at: None,
            hanging: 0,
            open: None,
            since: start,
            opened: Vec::new(),
            news: Vec::new(),
        };
        there.iter().for_each(|name| scene.plug_in(name));
        scene.there.default = there.first().map(|name| (*name).to_owned());
        scene
    }

    fn speaker(chosen: Option<&str>, there: &[&str]) -> Self {
        Self::new(DeviceKind::Speaker, chosen, there)
    }

    fn camera(chosen: Option<&str>, there: &[&str]) -> Self {
        Self::new(DeviceKind::Camera, chosen, there)
    }

    fn plug_in(&mut self, name: &str) {
        let device = crate::media::hardware::SeenDevice { name: name.to_owned(), ..Default::default() };
        self.there.devices.push(device);
    }

    /// It goes, and what it carried fails.
    fn unplug(&mut self, name: &str) {
        self.take_away(name);
        if self.open.as_deref() == Some(name) {
            self.fail(Problem::Stopped);
        }
    }

    /// It goes, and the system moves what it carried without a word.
    fn take_away(&mut self, name: &str) {
        self.there.devices.retain(|device| device.name != name);
        if self.there.default.as_deref() == Some(name) {
            self.there.default = self.there.devices.first().map(|device| device.name.clone());
        }
    }

    fn set_default(&mut self, name: &str) {
        self.there.default = Some(name.to_owned());
    }

    fn fail(&mut self, problem: Problem) {
        self.open = None;
        self.care.failed(self.now, DeviceError::new(self.care.kind, problem));
    }

    /// Lets time pass, in steps of 10 ms, with a look each second.
    fn run(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds / 10 {
            self.step();
            self.now += Duration::from_millis(10);
        }
    }

    fn step(&mut self) {
        let passed = self.milliseconds();
        if passed.is_multiple_of(1000) {
            self.care.see(self.now, &self.there);
        }
        self.care.note_hanging(self.now, self.hanging);
        match self.care.order(self.now) {
            Order::Open(name) => self.try_to_open(name),
            Order::Close => self.open = None,
            Order::Stay => self.go_on(),
            Order::Wait(until) => assert!(until > self.now, "waiting for the past"),
        }
        while let Some(news) = self.care.poll_news() {
            self.news.push(news);
        }
    }

    fn try_to_open(&mut self, name: Option<String>) {
        assert!(self.open.is_none(), "opened beside another");
        let first = || self.there.devices.first().map(|device| device.name.clone());
        let name = name.or(self.there.default.clone()).or_else(first);
        let there = name.filter(|name| self.there.has(name));
        let refusal = self.refuses.iter().find(|(refusing, _)| there.as_deref() == Some(*refusing));
        match (there, refusal) {
            (None, _) => self.fail(Problem::NotFound),
            (Some(_), Some((_, Problem::NoAnswer))) => {
                self.answer_at = Some((self.now + Duration::from_secs(5), Problem::NoAnswer));
            }
            (Some(_), Some((_, problem))) => self.fail(problem.clone()),
            (Some(name), None) => {
                self.opened.push((self.milliseconds(), name.clone()));
                self.care.opened(self.now, name.clone());
                (self.open, self.since) = (Some(name), self.now);
            }
        }
    }

    fn go_on(&mut self) {
        if let Some((at, problem)) = self.answer_at.clone() {
            if at <= self.now {
                self.answer_at = None;
                self.hanging += 1;
                self.care.note_hanging(self.now, self.hanging);
                self.fail(problem);
            }
            return;
        }
        let Some(name) = self.open.clone() else { panic!("stays with nothing") };
        if !self.mute.contains(&name.as_str()) {
            self.care.works();
        } else if self.now - self.since > Duration::from_secs(3) {
            self.fail(Problem::Stopped);
        }
    }

    fn milliseconds(&self) -> u64 {
        (self.now - self.start).as_millis() as u64
    }

    fn said(&mut self) -> Vec<DeviceNews> {
        std::mem::take(&mut self.news)
    }

    fn problem(&self, problem: Problem) -> DeviceNews {
        DeviceNews::Problem(DeviceError::new(self.care.kind, problem))
    }

    fn replaced(&self, lost: &str, by: &str) -> DeviceNews {
        let (lost, by) = (lost.to_owned(), by.to_owned());
        DeviceNews::Replaced { device: self.care.kind, lost, why: Problem::NotFound, by, silenced: false }
    }

    fn back(&self, name: &str) -> DeviceNews {
        DeviceNews::Back { device: self.care.kind, name: name.to_owned() }
    }

    fn mended(&self) -> DeviceNews {
        DeviceNews::Mended(self.care.kind)
    }
}

#[test]
fn a_chosen_loudspeaker_that_is_unplugged_has_the_default_one_in_its_place_at_once() {
    let mut scene = Scene::speaker(Some("Headset"), &["Built-in", "Headset"]);
    scene.run(5_000);
    assert_eq!(scene.opened, [(0, "Headset".to_owned())]);
    scene.unplug("Headset");
    scene.run(100);
    assert_eq!(scene.open.as_deref(), Some("Built-in"));
    let replaced = scene.replaced("Headset", "Built-in");
    assert_eq!(scene.said(), [replaced]);
    scene.run(60_000);
    assert_eq!(scene.said(), [], "said once");
}

#[test]
fn a_chosen_loudspeaker_is_used_again_when_it_reappears() {
    let mut scene = Scene::speaker(Some("Headset"), &["Built-in", "Headset"]);
    scene.run(5_000);
    scene.unplug("Headset");
    scene.run(10_000);
    scene.said();
    scene.plug_in("Headset");
    scene.run(1_500);
    assert_eq!(scene.open.as_deref(), Some("Headset"));
    let back = scene.back("Headset");
    assert_eq!(scene.said(), [back]);
}

#[test]
fn a_chosen_microphone_that_is_absent_from_the_beginning_is_waited_for() {
    let mut scene = Scene::new(DeviceKind::Microphone, Some("Headset"), &["Built-in"]);
    scene.run(2_000);
    let replaced = scene.replaced("Headset", "Built-in");
    assert_eq!(scene.said(), [replaced]);
    scene.plug_in("Headset");
    scene.run(2_000);
    let back = scene.back("Headset");
    assert_eq!((scene.open.as_deref(), scene.news.as_slice()), (Some("Headset"), &[back][..]));
}

#[test]
fn a_stream_that_the_system_moved_without_a_word_is_noticed_by_looking() {
    let mut scene = Scene::speaker(Some("Headset"), &["Built-in", "Headset"]);
    scene.run(5_000);
    scene.take_away("Headset");
    scene.run(1_100);
    let replaced = scene.replaced("Headset", "Built-in");
    assert_eq!((scene.open.as_deref(), scene.news.as_slice()), (Some("Built-in"), &[replaced][..]));
}

#[test]
fn a_stream_that_ends_on_a_device_that_is_still_there_is_built_anew_without_a_word() {
    let mut scene = Scene::speaker(Some("Headset"), &["Built-in", "Headset"]);
    scene.run(5_000);
    scene.fail(Problem::Stopped);
    scene.run(10_000);
    assert_eq!(scene.opened, [(0, "Headset".to_owned()), (5_000, "Headset".to_owned())]);
    assert_eq!(scene.said(), []);
}

#[test]
fn a_stream_that_ends_as_often_as_it_is_built_is_not_built_without_end() {
    let mut scene = Scene::speaker(None, &["Built-in"]);
    for _ in 0..600 {
        scene.run(100);
        if scene.open.is_some() {
            scene.fail(Problem::Stopped);
        }
    }
    assert!(scene.opened.len() <= 23, "{} times in a minute", scene.opened.len());
    let stopped = scene.problem(Problem::Stopped);
    assert_eq!(scene.news.first(), Some(&stopped));
}

#[test]
fn a_stream_that_ends_just_after_it_began_gets_another_chance_before_anything_stands_in() {
    let mut scene = Scene::speaker(Some("Headset"), &["Built-in", "Headset"]);
    scene.run(200);
    scene.fail(Problem::Stopped);
    scene.run(5_000);
    assert_eq!(scene.opened.len(), 2);
    assert_eq!((scene.open.as_deref(), scene.news.len()), (Some("Headset"), 0));
}

#[test]
fn a_default_that_the_system_changes_is_followed_once_it_has_settled() {
    let mut scene = Scene::speaker(None, &["Built-in", "Headset", "Screen"]);
    scene.run(5_000);
    scene.set_default("Screen");
    scene.run(100);
    assert_eq!(scene.open.as_deref(), Some("Built-in"), "it may change again");
    scene.run(400);
    assert_eq!(scene.open.as_deref(), Some("Screen"));
    assert_eq!(scene.said(), [], "whoever changed it knows");
}

#[test]
fn a_default_that_only_flickers_is_not_followed() {
    let mut scene = Scene::speaker(None, &["Built-in", "Headset"]);
    scene.run(5_000);
    scene.set_default("Headset");
    scene.care.see(scene.now, &scene.there.clone());
    scene.run(200);
    scene.set_default("Built-in");
    scene.care.see(scene.now, &scene.there.clone());
    scene.run(5_000);
    assert_eq!(scene.opened.len(), 1);
}

#[test]
fn a_default_that_opens_as_another_than_it_is_called_is_not_followed_for_ever() {
    let mut scene = Scene::speaker(None, &["Built-in", "Headset"]);
    scene.run(2_000);
    // The list names a default that opening never gives.
    scene.care.see(scene.now, &SeenKind { default: Some("Odd".into()), ..scene.there.clone() });
    for _ in 0..20 {
        scene.run(990);
        scene.care.see(scene.now, &SeenKind { default: Some("Odd".into()), ..scene.there.clone() });
        scene.now += Duration::from_millis(10);
    }
    assert!(scene.opened.len() <= 2, "{:?}", scene.opened);
}

#[test]
fn a_default_that_is_unplugged_is_told_with_the_name_of_the_next() {
    let mut scene = Scene::speaker(None, &["Headset", "Built-in"]);
    scene.run(5_000);
    scene.unplug("Headset");
    scene.run(100);
    assert_eq!(scene.open.as_deref(), Some("Built-in"), "sound first");
    scene.run(1_000);
    let replaced = scene.replaced("Headset", "Built-in");
    assert_eq!(scene.said(), [replaced]);
}

#[test]
fn a_stand_in_follows_the_default_too() {
    let mut scene = Scene::speaker(Some("Headset"), &["Built-in", "Screen"]);
    scene.run(5_000);
    scene.said();
    scene.set_default("Screen");
    scene.run(1_500);
    let replaced = scene.replaced("Headset", "Screen");
    assert_eq!((scene.open.as_deref(), scene.news.as_slice()), (Some("Screen"), &[replaced][..]));
}

#[test]
fn a_chosen_device_that_is_also_the_default_is_no_stand_in_for_itself() {
    let mut scene = Scene::speaker(Some("Built-in"), &["Built-in"]);
    scene.refuses.push(("Built-in", Problem::Busy));
    scene.run(1_000);
    scene.refuses.clear();
    scene.run(5_000);
    assert_eq!(scene.open.as_deref(), Some("Built-in"));
    let [busy, mended, back] = [scene.problem(Problem::Busy), scene.mended(), scene.back("Built-in")];
    assert_eq!(scene.said(), [busy, mended, back]);
}

#[test]
fn which_microphone_listens_is_said_when_the_default_changes() {
    let mut scene = Scene::new(DeviceKind::Microphone, None, &["Built-in", "Desk"]);
    scene.run(5_000);
    scene.set_default("Desk");
    scene.run(1_500);
    let device = DeviceKind::Microphone;
    assert_eq!(scene.said(), [DeviceNews::Follows { device, name: "Desk".into(), silenced: false }]);
}

#[test]
fn a_microphone_that_was_silent_at_the_device_hands_its_silence_on() {
    let mut scene = Scene::new(DeviceKind::Microphone, Some("Headset"), &["Built-in", "Headset"]);
    scene.run(5_000);
    scene.care.note_silent(true);
    scene.unplug("Headset");
    scene.run(100);
    assert!(scene.said().iter().any(DeviceNews::silenced));
    scene.plug_in("Headset");
    scene.run(3_000);
    assert!(!scene.said().iter().any(DeviceNews::silenced), "it was heard meanwhile");
}

#[test]
fn a_silence_that_is_handed_on_holds_from_the_first_sound_before_it_can_be_told() {
    let mut scene = Scene::new(DeviceKind::Microphone, None, &["Headset", "Built-in"]);
    scene.run(5_000);
    scene.care.note_silent(true);
    scene.unplug("Headset");
    scene.run(100);
    assert_eq!((scene.open.as_deref(), scene.news.len()), (Some("Built-in"), 0));
    assert!(scene.care.take_must_mute());
    scene.run(2_000);
    assert!(scene.said().iter().any(DeviceNews::silenced));
    assert!(!scene.care.take_must_mute(), "once: the person may have unmuted");
}

#[test]
fn a_busy_chosen_loudspeaker_is_replaced_and_tried_again_now_and_then() {
    let mut scene = Scene::speaker(Some("Headset"), &["Built-in", "Headset"]);
    scene.refuses.push(("Headset", Problem::Busy));
    scene.run(60_000);
    let news = scene.said();
    assert!(matches!(&news[..], [DeviceNews::Replaced { why: Problem::Busy, .. }]), "{news:?}");
    assert!(scene.opened.len() <= 7, "each try costs a gap: {:?}", scene.opened);
    scene.refuses.clear();
    scene.run(12_000);
    assert_eq!(scene.open.as_deref(), Some("Headset"));
}

#[test]
fn no_loudspeaker_at_all_is_said_once_and_one_that_is_plugged_in_is_used() {
    let mut scene = Scene::speaker(None, &[]);
    scene.run(30_000);
    let missing = scene.problem(Problem::NotFound);
    assert_eq!(scene.said(), [missing]);
    scene.plug_in("Headset");
    scene.run(1_500);
    let (mended, back) = (scene.mended(), scene.back("Headset"));
    assert_eq!((scene.open.as_deref(), scene.news.as_slice()), (Some("Headset"), &[mended, back][..]));
}

#[test]
fn a_busy_camera_is_tried_quietly_every_three_seconds_and_gives_pictures_once_it_is_free() {
    let mut scene = Scene::camera(Some("Webcam"), &["Webcam"]);
    scene.refuses.push(("Webcam", Problem::Busy));
    scene.run(20_000);
    let busy = scene.problem(Problem::Busy);
    assert_eq!(scene.said(), [busy]);
    scene.refuses.clear();
    scene.run(3_010);
    let (mended, back) = (scene.mended(), scene.back("Webcam"));
    assert_eq!(scene.said(), [mended, back]);
}

#[test]
fn no_other_camera_stands_in_for_the_chosen_one() {
    let mut scene = Scene::camera(Some("Webcam"), &["Built-in", "Webcam"]);
    scene.run(5_000);
    scene.unplug("Webcam");
    scene.run(30_000);
    assert_eq!(scene.open, None);
    let stopped = scene.problem(Problem::Stopped);
    assert_eq!(scene.said(), [stopped], "said once, though it is looked for again and again");
    scene.plug_in("Webcam");
    scene.run(1_500);
    assert_eq!(scene.open.as_deref(), Some("Webcam"));
}

#[test]
fn the_first_camera_that_works_is_as_good_as_any_for_who_chose_none() {
    let mut scene = Scene::camera(None, &["Webcam", "Built-in"]);
    scene.there.default = None;
    scene.run(5_000);
    scene.unplug("Webcam");
    scene.run(2_000);
    assert_eq!(scene.open.as_deref(), Some("Built-in"));
    let all = [scene.problem(Problem::Stopped), scene.mended(), scene.replaced("Webcam", "Built-in")];
    assert!(scene.news.starts_with(&all[..2]), "{:?}", scene.news);
}

#[test]
fn a_camera_that_stops_delivering_is_opened_anew() {
    let mut scene = Scene::camera(None, &["Webcam"]);
    scene.run(5_000);
    scene.fail(Problem::Stopped);
    scene.run(100);
    assert_eq!(scene.opened.len(), 2);
    let all = [scene.problem(Problem::Stopped), scene.mended(), scene.back("Webcam")];
    assert_eq!(scene.said(), all);
}

#[test]
fn a_camera_that_opens_and_never_delivers_is_told_once() {
    let mut scene = Scene::camera(None, &["Webcam"]);
    scene.mute.push("Webcam");
    scene.run(60_000);
    let stopped = scene.problem(Problem::Stopped);
    assert_eq!(scene.said(), [stopped]);
    assert!((8..=11).contains(&scene.opened.len()), "{:?}", scene.opened);
}

#[test]
fn a_camera_that_hangs_again_and_again_is_left_alone_until_it_is_plugged_in_anew() {
    let mut scene = Scene::camera(None, &["Webcam"]);
    scene.refuses.push(("Webcam", Problem::NoAnswer));
    scene.run(120_000);
    assert_eq!(scene.hanging, MOST_HANGING, "no thread more is lost");
    let all = [scene.problem(Problem::NoAnswer), scene.problem(Problem::Hung)];
    assert_eq!(scene.said(), all);
    scene.unplug("Webcam");
    scene.run(2_000);
    scene.refuses.clear();
    scene.plug_in("Webcam");
    scene.run(4_000);
    assert_eq!(scene.open.as_deref(), Some("Webcam"));
}

#[test]
fn a_driver_that_comes_back_to_its_senses_is_used_again() {
    let mut scene = Scene::camera(None, &["Webcam"]);
    scene.refuses.push(("Webcam", Problem::NoAnswer));
    scene.run(60_000);
    scene.refuses.clear();
    scene.hanging = 0;
    scene.run(1_000);
    assert_eq!(scene.open.as_deref(), Some("Webcam"));
}

#[test]
fn a_loudspeaker_that_hangs_while_opening_has_another_in_its_place_and_loses_few_threads() {
    let mut scene = Scene::speaker(Some("Headset"), &["Built-in", "Headset"]);
    scene.refuses.push(("Headset", Problem::NoAnswer));
    scene.run(120_000);
    assert_eq!(scene.open.as_deref(), Some("Built-in"));
    assert_eq!(scene.hanging, MOST_HANGING);
}

#[test]
fn what_the_system_wants_built_anew_is_built_once_it_has_settled() {
    let mut scene = Scene::speaker(Some("Headset"), &["Headset"]);
    scene.run(5_000);
    scene.care.moved(scene.now);
    scene.run(200);
    scene.care.moved(scene.now);
    scene.run(290);
    assert_eq!(scene.opened.len(), 1);
    scene.run(100);
    assert_eq!(scene.opened.len(), 2);
    assert_eq!(scene.said(), []);
}
