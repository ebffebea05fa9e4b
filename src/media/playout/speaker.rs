//! The system's loudspeaker.
//!
//! Built like the microphone: the stream in a thread of its own, a ring between, a callback without lock, allocation or
//! log. The callback wakes the player; the player keeps just enough in the ring.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait as _, StreamTrait as _};
use cpal::{Device, FromSample, SizedSample, Stream, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::media::device_error::{DeviceError, DeviceKind, Problem};
use crate::media::shaping::resample::Resample;
use crate::media::sound_host::{ends_the_stream, find, for_sample_type, format, problem};
use crate::media::worker::Worker;

const KIND: DeviceKind = DeviceKind::Speaker;
const OPENING: Duration = Duration::from_secs(5);
/// A running loudspeaker that takes nothing for so long has stopped.
const QUIET: Duration = Duration::from_secs(3);

/// An open loudspeaker.
pub(crate) struct Speaker {
    ring: Producer<f32>,
    resample: Resample,
    rate: u32,
    told: Arc<Told>,
    taken_before: usize,
    last_taken: Instant,
    scratch: Vec<f32>,
    _device: Worker,
}

/// What the callbacks tell.
#[derive(Debug, Default)]
struct Told {
    failed: AtomicBool,
    /// Samples one callback takes.
    piece: AtomicUsize,
    /// Samples taken in all, silence included.
    taken: AtomicUsize,
    /// From callback to ear, in microseconds.
    latency_micros: AtomicU64,
}

impl Speaker {
    /// Opens the loudspeaker of this name, or the default one. Must be called from the thread that will feed it.
    pub(crate) fn open(name: Option<&str>) -> Result<Self, DeviceError> {
        let (answer, opened) = mpsc::sync_channel(1);
        let (name, feeder) = (name.map(str::to_owned), thread::current());
        let told = Arc::new(Told::default());
        let tell = Arc::clone(&told);
        let device = Worker::spawn("speaker device", move |stop| {
            let (held, result) = match start(name.as_deref(), feeder, tell) {
                Ok((stream, ring, rate)) => (Some(stream), Ok((ring, rate))),
                Err(error) => (None, Err(error)),
            };
            if answer.send(result).is_ok() && held.is_some() {
                while stop.sleep_until(Instant::now() + Duration::from_secs(3600)) {}
            }
        });
        let no_answer = || DeviceError::new(KIND, Problem::NoAnswer);
        let device = device.ok_or_else(no_answer)?;
        let (ring, rate) = opened.recv_timeout(OPENING).map_err(|_| no_answer())??;
        let resample =
            Resample::new(48_000, rate).map_err(|_| DeviceError::new(KIND, Problem::Unsupported))?;
        Ok(Self {
            ring,
            resample,
            rate,
            told,
            taken_before: 0,
            last_taken: Instant::now(),
            scratch: Vec::new(),
            _device: device,
        })
    }

    /// Whether it still works.
    pub(crate) fn check(&mut self, now: Instant) -> Result<(), DeviceError> {
        let taken = self.told.taken.load(Ordering::Relaxed);
        if taken != self.taken_before {
            (self.taken_before, self.last_taken) = (taken, now);
        }
        let quiet = now.saturating_duration_since(self.last_taken) > QUIET;
        if self.told.failed.load(Ordering::Acquire) || quiet {
            return Err(DeviceError::new(KIND, Problem::Stopped));
        }
        Ok(())
    }

    /// Whether another 10 ms should be written now: one callback's piece and 10 ms lie ready at most.
    pub(crate) fn has_room(&self) -> bool {
        let block = (self.rate / 100) as usize;
        let piece = self.told.piece.load(Ordering::Relaxed).clamp(block, block * 10);
        self.waiting() < piece + block
    }

    /// Writes a block at 48 kHz.
    pub(crate) fn write(&mut self, block: &[f32]) {
        self.scratch.clear();
        self.resample.push(block, &mut self.scratch);
        for sample in &self.scratch {
            if self.ring.push(*sample).is_err() {
                break;
            }
        }
    }

    /// How long a sample written now takes to the ear.
    pub(crate) fn delay(&self) -> Duration {
        let waiting = self.waiting() as u64 * 1_000_000 / u64::from(self.rate);
        Duration::from_micros(waiting + self.told.latency_micros.load(Ordering::Relaxed))
    }

    fn waiting(&self) -> usize {
        self.ring.buffer().capacity() - self.ring.slots()
    }
}

type Started = (Stream, Producer<f32>, u32);

fn start(name: Option<&str>, feeder: Thread, told: Arc<Told>) -> Result<Started, DeviceError> {
    let device = find(KIND, name)?;
    let (sample_format, config) = format(&device, KIND)?;
    let (producer, consumer) = RingBuffer::new((config.sample_rate / 5) as usize);
    let stream = for_sample_type!(sample_format, KIND, build(&device, config, consumer, feeder, told))?;
    stream.play().map_err(|error| DeviceError::new(KIND, problem(&error)))?;
    Ok((stream, producer, config.sample_rate))
}

fn build<T>(
    device: &Device,
    config: StreamConfig,
    mut ring: Consumer<f32>,
    feeder: Thread,
    told: Arc<Told>,
) -> Result<Stream, DeviceError>
where
    T: SizedSample + FromSample<f32>,
{
    let channels = usize::from(config.channels);
    let (on_error, waker) = (Arc::clone(&told), feeder.clone());
    let played = move |data: &mut [T], info: &cpal::OutputCallbackInfo| {
        let stamp = info.timestamp();
        let latency = stamp.playback.saturating_duration_since(stamp.callback).min(LONGEST_LATENCY);
        told.latency_micros.store(latency.as_micros() as u64, Ordering::Relaxed);
        told.piece.store(data.len() / channels, Ordering::Relaxed);
        told.taken.fetch_add(data.len(), Ordering::Relaxed);
        for frame in data.chunks_mut(channels) {
            frame.fill(T::from_sample_(ring.pop().unwrap_or(0.0)));
        }
        feeder.unpark();
    };
    let failed = move |error: cpal::Error| {
        if ends_the_stream(&error) {
            on_error.failed.store(true, Ordering::Release);
            waker.unpark();
        }
    };
    device
        .build_output_stream(config, played, failed, Some(OPENING))
        .map_err(|error| DeviceError::new(KIND, problem(&error)))
}

/// Drivers are known to name absurd moments.
const LONGEST_LATENCY: Duration = Duration::from_millis(500);
