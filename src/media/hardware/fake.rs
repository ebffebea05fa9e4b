//! Devices that do what a test tells them: they are unplugged, busy, silent, or hang in their driver.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use super::{
    CameraDevice, Hardware, InputEnds, OpenInput, OpenOutput, OutputEnds, Patience, Seen, SeenDevice,
    SeenKind,
};
use crate::media::capture::CameraLines;
use crate::media::device_error::{DeviceError, DeviceKind, Problem};
use crate::media::picture::Picture;

/// A computer of devices. The first of a kind that is plugged in is the default.
#[derive(Default)]
pub(crate) struct FakeHardware {
    devices: Mutex<Vec<FakeDevice>>,
    defaults: Mutex<BTreeMap<DeviceKind, String>>,
    /// Told of every opening.
    opened: Mutex<Option<Sender<String>>>,
}

struct FakeDevice {
    kind: DeviceKind,
    name: String,
    rate: u32,
    manner: Manner,
    /// What is open of it.
    open: Vec<Line>,
}

/// How a device behaves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Manner {
    /// As it should. Cameras give a picture of this many pixels each way every few milliseconds.
    Works(u32),
    /// Opening gives this.
    Refuses(Problem),
    /// Opening never returns.
    HangsInOpening,
    /// It opens, and the driver never gives a frame.
    HangsInFrame,
    /// It opens, and all frames are torn.
    Garbage,
    /// Every second frame is torn.
    HalfGarbage,
    /// From its tenth frame on, the frames have twice the size.
    Grows,
}

enum Line {
    Input(InputEnds, Producer<f32>),
    Output(OutputEnds, Consumer<f32>),
}

/// Never waited for in vain: the other end is kept by whoever must hang.
static NEVER: Mutex<Vec<Sender<()>>> = Mutex::new(Vec::new());

fn hang() -> ! {
    let (sender, never) = mpsc::channel::<()>();
    NEVER.lock().unwrap().push(sender);
    loop {
        let _ = never.recv();
    }
}

impl FakeHardware {
    /// A computer with these devices, all working, and what is opened on it.
    pub(crate) fn with(devices: &[(DeviceKind, &str)]) -> (Arc<Self>, Receiver<String>) {
        let (sender, opened) = mpsc::channel();
        let fake = Self { opened: Mutex::new(Some(sender)), ..Self::default() };
        devices.iter().for_each(|(kind, name)| fake.plug_in(*kind, name));
        (Arc::new(fake), opened)
    }

    pub(crate) fn plug_in(&self, kind: DeviceKind, name: &str) {
        let (manner, name) = (Manner::Works(64), name.to_owned());
        self.defaults.lock().unwrap().entry(kind).or_insert_with(|| name.clone());
        self.devices().push(FakeDevice { kind, name, rate: 48_000, manner, open: Vec::new() });
    }

    pub(crate) fn unplug(&self, kind: DeviceKind, name: &str) {
        let gone = self.take_out(kind, name);
        for line in gone.into_iter().flat_map(|device| device.open) {
            match line {
                Line::Input(ends, _) => {
                    ends.told.failed.store(true, Ordering::Release);
                    ends.reader.unpark();
                }
                Line::Output(ends, _) => {
                    ends.told.failed.store(true, Ordering::Release);
                    ends.feeder.unpark();
                }
            }
        }
    }

    /// Unplugs a device whose streams the sound service moves to another one without a word.
    pub(crate) fn unplug_and_move(&self, kind: DeviceKind, name: &str, to: &str) {
        let gone = self.take_out(kind, name);
        self.change(kind, to, |device| device.open.extend(gone.into_iter().flat_map(|device| device.open)));
    }

    fn take_out(&self, kind: DeviceKind, name: &str) -> Vec<FakeDevice> {
        let mut devices = self.devices();
        let (gone, left) = std::mem::take(&mut *devices)
            .into_iter()
            .partition(|device| device.kind == kind && device.name == name);
        *devices = left;
        let next = devices.iter().find(|device| device.kind == kind).map(|device| device.name.clone());
        drop(devices);
        let mut defaults = self.defaults.lock().unwrap();
        if defaults.get(&kind).is_some_and(|default| default == name) {
            defaults.remove(&kind);
            defaults.extend(next.map(|next| (kind, next)));
        }
        gone
    }

    pub(crate) fn set_default(&self, kind: DeviceKind, name: &str) {
        self.defaults.lock().unwrap().insert(kind, name.to_owned());
    }

    pub(crate) fn set_manner(&self, kind: DeviceKind, name: &str, manner: Manner) {
        self.change(kind, name, |device| device.manner = manner);
    }

    pub(crate) fn set_rate(&self, kind: DeviceKind, name: &str, rate: u32) {
        self.change(kind, name, |device| device.rate = rate);
    }

    /// Speaks into a microphone; nobody who has not opened it hears that.
    pub(crate) fn speak(&self, name: &str, samples: &[f32]) {
        self.change(DeviceKind::Microphone, name, |device| {
            device.open.retain_mut(|line| {
                let Line::Input(ends, ring) = line else { return true };
                samples.iter().for_each(|sample| {
                    let _ = ring.push(*sample);
                });
                ends.reader.unpark();
                !ring.is_abandoned()
            });
        });
    }

    /// Lets a loudspeaker play 10 ms, as its callback would; how many samples of it were sound.
    pub(crate) fn play(&self, name: &str) -> usize {
        let mut sounding = 0;
        self.change(DeviceKind::Speaker, name, |device| {
            device.open.retain_mut(|line| {
                let Line::Output(ends, ring) = line else { return true };
                for _ in 0..480 {
                    sounding += usize::from(ring.pop().is_ok_and(|sample| sample != 0.0));
                }
                ends.told.piece.store(480, Ordering::Relaxed);
                ends.told.taken.fetch_add(480, Ordering::Relaxed);
                ends.feeder.unpark();
                !ring.is_abandoned()
            });
        });
        sounding
    }

    fn change(&self, kind: DeviceKind, name: &str, change: impl FnOnce(&mut FakeDevice)) {
        let mut devices = self.devices();
        if let Some(device) = devices.iter_mut().find(|device| device.kind == kind && device.name == name) {
            change(device);
        }
    }

    fn devices(&self) -> MutexGuard<'_, Vec<FakeDevice>> {
        self.devices.lock().unwrap()
    }

    fn kind(&self, kind: DeviceKind) -> SeenKind {
        let devices = self.devices();
        let of_kind = devices.iter().filter(|device| device.kind == kind);
        let seen = |device: &FakeDevice| SeenDevice {
            name: device.name.clone(),
            rate: (kind != DeviceKind::Camera).then_some(device.rate),
            hidden: false,
        };
        let default = self.defaults.lock().unwrap().get(&kind).cloned();
        SeenKind {
            devices: of_kind.map(seen).collect(),
            default: default.filter(|_| kind != DeviceKind::Camera),
        }
    }

    /// The device that is meant, if it lets itself be opened: its name, rate and manner.
    fn begin(&self, kind: DeviceKind, name: Option<&str>) -> Result<(String, u32, Manner), DeviceError> {
        let default = self.defaults.lock().unwrap().get(&kind).cloned();
        let wanted = name.map(str::to_owned).or(default);
        let (name, rate, manner) = {
            let devices = self.devices();
            let found = devices
                .iter()
                .find(|device| device.kind == kind && wanted.as_ref() == Some(&device.name))
                .ok_or_else(|| DeviceError::new(kind, Problem::NotFound))?;
            (found.name.clone(), found.rate, found.manner.clone())
        };
        match &manner {
            Manner::HangsInOpening => hang(),
            Manner::Refuses(problem) => return Err(DeviceError::new(kind, problem.clone())),
            _ => {}
        }
        if let Some(opened) = &*self.opened.lock().unwrap() {
            // A test that does not count openings has let go of the other end.
            let _ = opened.send(name.clone());
        }
        Ok((name, rate, manner))
    }
}

impl Hardware for FakeHardware {
    fn look(&self) -> Seen {
        Seen {
            cameras: self.kind(DeviceKind::Camera),
            microphones: self.kind(DeviceKind::Microphone),
            speakers: self.kind(DeviceKind::Speaker),
        }
    }

    fn open_camera(&self, name: Option<&str>, _: CameraLines) -> Result<Box<dyn CameraDevice>, DeviceError> {
        let (name, _, manner) = self.begin(DeviceKind::Camera, name)?;
        let (_frames, pace) = mpsc::channel();
        Ok(Box::new(FakeCamera { name, manner, taken: 0, _frames, pace }))
    }

    fn open_microphone(&self, name: Option<&str>, ends: InputEnds) -> Result<OpenInput, DeviceError> {
        let (name, rate, _) = self.begin(DeviceKind::Microphone, name)?;
        let (producer, ring) = RingBuffer::new(48_000);
        self.change(DeviceKind::Microphone, &name, |device| device.open.push(Line::Input(ends, producer)));
        Ok(OpenInput { name, hold: Box::new(()), ring, rate })
    }

    fn open_speaker(&self, name: Option<&str>, ends: OutputEnds) -> Result<OpenOutput, DeviceError> {
        let (name, rate, _) = self.begin(DeviceKind::Speaker, name)?;
        let (ring, consumer) = RingBuffer::new(48_000);
        self.change(DeviceKind::Speaker, &name, |device| device.open.push(Line::Output(ends, consumer)));
        Ok(OpenOutput { name, hold: Box::new(()), ring, rate })
    }

    /// Short, where a test must wait for it to run out; long, where a slow computer must not make it run out.
    fn patience(&self) -> Patience {
        let hangs =
            |device: &FakeDevice| matches!(device.manner, Manner::HangsInOpening | Manner::HangsInFrame);
        let waits = if self.devices().iter().any(hangs) { 100 } else { 60_000 };
        Patience {
            opening: Duration::from_millis(waits),
            quiet: Duration::from_millis(waits),
            closing: Duration::from_millis(100),
            look: Duration::from_millis(20),
        }
    }
}

fn grey(size: u32) -> Picture {
    Picture::new(size, size, vec![128; Picture::bytes(size, size)]).expect("an even size")
}

struct FakeCamera {
    name: String,
    manner: Manner,
    taken: u32,
    _frames: Sender<()>,
    /// Nothing comes of it; waiting for it takes time.
    pace: Receiver<()>,
}

impl CameraDevice for FakeCamera {
    fn name(&self) -> &str {
        &self.name
    }

    fn frame(&mut self) -> Result<Option<Picture>, DeviceError> {
        self.taken += 1;
        let paced = self.pace.recv_timeout(Duration::from_millis(5));
        assert_eq!(paced, Err(RecvTimeoutError::Timeout));
        match self.manner {
            Manner::Works(size) => Ok(Some(grey(size))),
            Manner::HalfGarbage if self.taken.is_multiple_of(2) => Ok(Some(grey(64))),
            Manner::HalfGarbage | Manner::Garbage => Ok(None),
            Manner::Grows => Ok(Some(grey(if self.taken < 10 { 64 } else { 128 }))),
            Manner::HangsInOpening | Manner::HangsInFrame => hang(),
            Manner::Refuses(_) => unreachable!("it did not open"),
        }
    }
}
