//! The system's microphone.
//!
//! The stream lives in a thread of its own that may hang in the driver without harm. Its callback does nothing but mix
//! down and write into a ring: no lock, no allocation, no log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait as _, StreamTrait as _};
use cpal::{Device, FromSample, SizedSample, Stream, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};

use super::SoundSource;
use crate::media::device_error::{DeviceError, DeviceKind, Problem};
use crate::media::shaping::resample::Resample;
use crate::media::sound_host::{ends_the_stream, find, for_sample_type, format, problem};
use crate::media::worker::{Stop, Worker};

const KIND: DeviceKind = DeviceKind::Microphone;
/// How long a device may take to open.
const OPENING: Duration = Duration::from_secs(5);
/// A running microphone that gives nothing for so long has stopped.
const QUIET: Duration = Duration::from_secs(3);

/// An open microphone.
pub(crate) struct Microphone {
    ring: Consumer<f32>,
    resample: Resample,
    rate: u32,
    told: Arc<Told>,
    last_heard: Instant,
    raw: Vec<f32>,
    /// Holds the stream.
    _device: Worker,
}

/// What the callbacks tell.
#[derive(Debug, Default)]
struct Told {
    failed: AtomicBool,
    /// How old the first sample of a callback was, in microseconds.
    age_micros: AtomicU64,
}

impl Microphone {
    /// Opens the microphone of this name, or the default one. Must be called from the thread that will read it.
    pub(crate) fn open(name: Option<&str>) -> Result<Self, DeviceError> {
        let (answer, opened) = mpsc::sync_channel(1);
        let (name, reader) = (name.map(str::to_owned), thread::current());
        let told = Arc::new(Told::default());
        let tell = Arc::clone(&told);
        let device = Worker::spawn("microphone device", move |stop| {
            let stream = start(name.as_deref(), reader, tell);
            let (held, result) = match stream {
                Ok((stream, ring, rate)) => (Some(stream), Ok((ring, rate))),
                Err(error) => (None, Err(error)),
            };
            if answer.send(result).is_ok() && held.is_some() {
                while stop.sleep_until(Instant::now() + Duration::from_secs(3600)) {}
            }
        });
        let device = device.ok_or_else(|| DeviceError::new(KIND, Problem::NoAnswer))?;
        let (ring, rate) = match opened.recv_timeout(OPENING) {
            Ok(result) => result?,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return Err(DeviceError::new(KIND, Problem::NoAnswer));
            }
        };
        let resample =
            Resample::new(rate, 48_000).map_err(|_| DeviceError::new(KIND, Problem::Unsupported))?;
        let last_heard = Instant::now();
        Ok(Self { ring, resample, rate, told, last_heard, raw: Vec::new(), _device: device })
    }
}

impl SoundSource for Microphone {
    fn read(&mut self, stop: &Stop, out: &mut Vec<f32>) -> Result<Option<Instant>, DeviceError> {
        // The callback wakes this thread; the time-out is for a microphone that went quiet.
        if self.ring.is_empty() && !stop.is_set() {
            thread::park_timeout(Duration::from_millis(20));
        }
        let now = Instant::now();
        if self.told.failed.load(Ordering::Acquire) || now.duration_since(self.last_heard) > QUIET {
            return Err(DeviceError::new(KIND, Problem::Stopped));
        }
        self.raw.clear();
        let waiting = self.ring.slots();
        let Ok(chunk) = self.ring.read_chunk(waiting) else { return Ok(None) };
        self.raw.extend(chunk);
        if self.raw.is_empty() {
            return Ok(None);
        }
        self.last_heard = now;
        let length = Duration::from_micros(self.raw.len() as u64 * 1_000_000 / u64::from(self.rate));
        let age = Duration::from_micros(self.told.age_micros.load(Ordering::Relaxed)).max(length);
        self.resample.push(&self.raw, out);
        Ok(Some(now.checked_sub(age).unwrap_or(now)))
    }
}

type Started = (Stream, Consumer<f32>, u32);

fn start(name: Option<&str>, reader: Thread, told: Arc<Told>) -> Result<Started, DeviceError> {
    let device = find(KIND, name)?;
    let (sample_format, config) = format(&device, KIND)?;
    // A fifth of a second: who does not read for longer loses the newest, and the device is never held up.
    let (producer, consumer) = RingBuffer::new((config.sample_rate / 5) as usize);
    let stream = for_sample_type!(sample_format, KIND, build(&device, config, producer, reader, told))?;
    stream.play().map_err(|error| DeviceError::new(KIND, problem(&error)))?;
    Ok((stream, consumer, config.sample_rate))
}

fn build<T>(
    device: &Device,
    config: StreamConfig,
    mut ring: Producer<f32>,
    reader: Thread,
    told: Arc<Told>,
) -> Result<Stream, DeviceError>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels);
    let share = 1.0 / channels as f32;
    let (on_error, waker) = (Arc::clone(&told), reader.clone());
    let heard = move |data: &[T], info: &cpal::InputCallbackInfo| {
        let stamp = info.timestamp();
        let age = stamp.callback.saturating_duration_since(stamp.capture).min(LONGEST_AGE);
        told.age_micros.store(age.as_micros() as u64, Ordering::Relaxed);
        for frame in data.chunks_exact(channels) {
            let sum: f32 = frame.iter().map(|sample| f32::from_sample_(*sample)).sum();
            if ring.push(sum * share).is_err() {
                break;
            }
        }
        reader.unpark();
    };
    let failed = move |error: cpal::Error| {
        if ends_the_stream(&error) {
            on_error.failed.store(true, Ordering::Release);
            waker.unpark();
        }
    };
    device
        .build_input_stream(config, heard, failed, Some(OPENING))
        .map_err(|error| DeviceError::new(KIND, problem(&error)))
}

/// Drivers are known to name absurd moments.
const LONGEST_AGE: Duration = Duration::from_millis(300);
