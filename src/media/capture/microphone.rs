//! The system's microphone.
//!
//! The stream lives in a thread of its own that may hang in the driver without harm. Its callback does nothing but mix
//! down and write into a ring: no lock, no allocation, no log.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait as _, StreamTrait as _};
use cpal::{Device, FromSample, SizedSample, Stream, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};

use super::SoundSource;
use crate::media::device_error::{DeviceError, DeviceKind, Problem};
use crate::media::hardware::device_thread::{DeviceThread, Opened};
use crate::media::hardware::{Hardware, InputEnds, InputTold, OpenInput, Patience};
use crate::media::shaping::resample::Resample;
use crate::media::sound_host::{self, StreamEnd, find, for_sample_type, format, problem};
use crate::media::worker::{Stop, Worker};

const KIND: DeviceKind = DeviceKind::Microphone;
/// How long the system may take to build a stream.
const BUILDING: Duration = Duration::from_secs(5);

/// A microphone, opening or open.
pub(crate) struct Microphone {
    /// Holds the stream.
    device: DeviceThread<Input>,
    open: Option<Listening>,
    told: Arc<InputTold>,
    patience: Patience,
}

type Input = (Consumer<f32>, u32);

struct Listening {
    name: String,
    ring: Consumer<f32>,
    rate: u32,
    resample: Resample,
    last_heard: Instant,
    raw: Vec<f32>,
}

impl Microphone {
    /// Begins to open the microphone of this name, or the default one. Must be called from the thread that will read it.
    pub(crate) fn open(hardware: &Arc<dyn Hardware>, name: Option<&str>) -> Result<Self, DeviceError> {
        let told = Arc::new(InputTold::default());
        let ends = InputEnds { reader: thread::current(), told: Arc::clone(&told) };
        let (name, opener) = (name.map(str::to_owned), Arc::clone(hardware));
        let device = DeviceThread::open("microphone device", move || {
            let OpenInput { name, hold, ring, rate } = opener.open_microphone(name.as_deref(), ends)?;
            Ok(Opened { name, hold, sound: (ring, rate) })
        })
        .ok_or_else(|| DeviceError::new(KIND, Problem::NoAnswer))?;
        Ok(Self { device, open: None, told, patience: hardware.patience() })
    }

    /// Its name, once it is open.
    pub(crate) fn name(&self) -> Option<&str> {
        self.open.as_ref().map(|open| open.name.as_str())
    }

    /// Whether the system wants it opened anew; true once.
    pub(crate) fn take_moved(&self) -> bool {
        self.told.moved.swap(false, Ordering::AcqRel)
    }

    /// What was heard last, as the device gave it, and its samples a second.
    pub(crate) fn raw(&self) -> (&[f32], u32) {
        self.open.as_ref().map_or((&[], 48_000), |open| (&open.raw, open.rate))
    }

    /// The thread that holds it.
    pub(crate) fn close(self) -> Worker {
        self.device.close()
    }

    fn look_whether_open(&mut self, now: Instant) -> Result<(), DeviceError> {
        let answer = self.device.answer(now, self.patience.opening);
        let Some((name, (ring, rate))) = answer.map_err(|problem| problem.of(KIND))? else { return Ok(()) };
        let resample =
            Resample::new(rate, 48_000).map_err(|_| DeviceError::new(KIND, Problem::Unsupported))?;
        self.open = Some(Listening { name, ring, rate, resample, last_heard: now, raw: Vec::new() });
        Ok(())
    }
}

impl SoundSource for Microphone {
    fn read(&mut self, stop: &Stop, out: &mut Vec<f32>) -> Result<Option<Instant>, DeviceError> {
        // Opening and callback wake this thread; the time-out is for a microphone that went quiet.
        if self.open.as_ref().is_none_or(|open| open.ring.is_empty()) && !stop.is_set() {
            thread::park_timeout(Duration::from_millis(20));
        }
        let now = Instant::now();
        if self.open.is_none() {
            self.look_whether_open(now)?;
        }
        let Some(open) = &mut self.open else { return Ok(None) };
        let quiet = now.duration_since(open.last_heard) > self.patience.quiet;
        if self.told.failed.load(Ordering::Acquire) || quiet {
            return Err(DeviceError::new(KIND, Problem::Stopped));
        }
        open.raw.clear();
        let waiting = open.ring.slots();
        let Ok(chunk) = open.ring.read_chunk(waiting) else { return Ok(None) };
        open.raw.extend(chunk);
        if open.raw.is_empty() {
            return Ok(None);
        }
        open.last_heard = now;
        let length = Duration::from_micros(open.raw.len() as u64 * 1_000_000 / u64::from(open.rate));
        let age = Duration::from_micros(self.told.age_micros.load(Ordering::Relaxed)).max(length);
        open.resample.push(&open.raw, out);
        Ok(Some(now.checked_sub(age).unwrap_or(now)))
    }
}

/// Opens the system's microphone of this name, or its default one.
pub(crate) fn open_system(name: Option<&str>, ends: InputEnds) -> Result<OpenInput, DeviceError> {
    let device = find(KIND, name)?;
    let (sample_format, config) = format(&device, KIND)?;
    // A fifth of a second: who does not read for longer loses the newest, and the device is never held up.
    let (producer, ring) = RingBuffer::new((config.sample_rate / 5) as usize);
    let stream = for_sample_type!(sample_format, KIND, build(&device, config, producer, ends))?;
    stream.play().map_err(|error| DeviceError::new(KIND, problem(&error)))?;
    let name = sound_host::name(&device).or(name.map(str::to_owned)).unwrap_or_default();
    Ok(OpenInput { name, hold: Box::new(stream), ring, rate: config.sample_rate })
}

fn build<T>(
    device: &Device,
    config: StreamConfig,
    mut ring: Producer<f32>,
    ends: InputEnds,
) -> Result<Stream, DeviceError>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels);
    let on_error = ends.clone();
    let heard = move |data: &[T], info: &cpal::InputCallbackInfo| {
        let stamp = info.timestamp();
        let age = stamp.callback.saturating_duration_since(stamp.capture).min(LONGEST_AGE);
        ends.told.age_micros.store(age.as_micros() as u64, Ordering::Relaxed);
        mix_down(data, channels, &mut ring);
        ends.reader.unpark();
    };
    let failed = move |error: cpal::Error| {
        match sound_host::stream_end(&error) {
            StreamEnd::GoesOn => return,
            StreamEnd::Moved => on_error.told.moved.store(true, Ordering::Release),
            StreamEnd::Over => on_error.told.failed.store(true, Ordering::Release),
        }
        on_error.reader.unpark();
    };
    device
        .build_input_stream(config, heard, failed, Some(BUILDING))
        .map_err(|error| DeviceError::new(KIND, problem(&error)))
}

/// Writes the mean of all channels into the ring. What finds no room is lost.
fn mix_down<T>(data: &[T], channels: usize, ring: &mut Producer<f32>)
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let share = 1.0 / channels as f32;
    for frame in data.chunks_exact(channels) {
        let sum: f32 = frame.iter().map(|sample| f32::from_sample_(*sample)).sum();
        if ring.push(sum * share).is_err() {
            break;
        }
    }
}

/// Drivers are known to name absurd moments.
const LONGEST_AGE: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    /// Half of full scale on the left, nothing on the right.
    fn heard<T>(half: T, nothing: T) -> Vec<f32>
    where
        T: SizedSample,
        f32: FromSample<T>,
    {
        let (mut producer, mut ring) = RingBuffer::new(8);
        mix_down(&[half, nothing, half, nothing], 2, &mut producer);
        std::iter::from_fn(|| ring.pop().ok()).collect()
    }

    #[test]
    fn every_kind_of_sample_is_heard_at_the_same_loudness() {
        let all = [
            heard(64_i8, 0),
            heard(16_384_i16, 0),
            heard(cpal::I24::new(1 << 22).unwrap(), cpal::I24::new(0).unwrap()),
            heard(1_i32 << 30, 0),
            heard(192_u8, 128),
            heard(49_152_u16, 32_768),
            heard(3_u32 << 30, 1 << 31),
            heard(0.5_f32, 0.0),
            heard(0.5_f64, 0.0),
        ];
        for (kind, samples) in all.iter().enumerate() {
            assert_eq!(samples.len(), 2, "kind {kind}");
            assert!(samples.iter().all(|sample| (sample - 0.25).abs() < 0.001), "kind {kind}: {samples:?}");
        }
    }

    #[test]
    fn a_reader_that_is_late_loses_the_newest_and_holds_up_nobody() {
        let (mut producer, mut ring) = RingBuffer::new(2);
        mix_down(&[0.1_f32, 0.2, 0.3], 1, &mut producer);
        let kept: Vec<f32> = std::iter::from_fn(|| ring.pop().ok()).collect();
        assert_eq!(kept, [0.1, 0.2]);
    }
}
