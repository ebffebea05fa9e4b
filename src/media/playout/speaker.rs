//! The system's loudspeaker.
//!
//! Built like the microphone: the stream in a thread of its own, a ring between, a callback without lock, allocation or
//! log. The callback wakes the player; the player keeps just enough in the ring.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait as _, StreamTrait as _};
use cpal::{Device, FromSample, SizedSample, Stream, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::media::device_error::{DeviceError, DeviceKind, Problem};
use crate::media::hardware::device_thread::{DeviceThread, Opened};
use crate::media::hardware::{Hardware, OpenOutput, OutputEnds, OutputTold, Patience};
use crate::media::shaping::resample::Resample;
use crate::media::sound_host::{self, StreamEnd, find, for_sample_type, format, problem};
use crate::media::worker::Worker;

const KIND: DeviceKind = DeviceKind::Speaker;
/// How long the system may take to build a stream.
const BUILDING: Duration = Duration::from_secs(5);

/// A loudspeaker that is opening; the one who waits goes on with other things meanwhile.
pub(crate) struct OpeningSpeaker {
    device: DeviceThread<Output>,
    told: Arc<OutputTold>,
    patience: Patience,
}

type Output = (Producer<f32>, u32);

/// An open loudspeaker.
pub(crate) struct Speaker {
    name: String,
    ring: Producer<f32>,
    resample: Resample,
    rate: u32,
    told: Arc<OutputTold>,
    patience: Patience,
    taken_before: usize,
    last_taken: Instant,
    scratch: Vec<f32>,
    device: DeviceThread<Output>,
}

impl OpeningSpeaker {
    /// Begins to open the loudspeaker of this name, or the default one. Must be called from the thread that will feed it.
    pub(crate) fn open(hardware: &Arc<dyn Hardware>, name: Option<&str>) -> Result<Self, DeviceError> {
        let told = Arc::new(OutputTold::default());
        let ends = OutputEnds { feeder: thread::current(), told: Arc::clone(&told) };
        let (name, opener) = (name.map(str::to_owned), Arc::clone(hardware));
        let device = DeviceThread::open("speaker device", move || {
            let OpenOutput { name, hold, ring, rate } = opener.open_speaker(name.as_deref(), ends)?;
            Ok(Opened { name, hold, sound: (ring, rate) })
        })
        .ok_or_else(|| DeviceError::new(KIND, Problem::NoAnswer))?;
        Ok(Self { device, told, patience: hardware.patience() })
    }

    /// The loudspeaker once it is open; itself while it is not.
    pub(crate) fn poll(mut self, now: Instant) -> Opening {
        let (name, (ring, rate)) = match self.device.answer(now, self.patience.opening) {
            Ok(None) => return Opening::Pending(self),
            Ok(Some(open)) => open,
            Err(problem) => return Opening::Failed(problem.of(KIND), self.device.close()),
        };
        let Ok(resample) = Resample::new(48_000, rate) else {
            return Opening::Failed(DeviceError::new(KIND, Problem::Unsupported), self.device.close());
        };
        Opening::Open(Box::new(Speaker {
            name,
            ring,
            resample,
            rate,
            told: self.told,
            patience: self.patience,
            taken_before: 0,
            last_taken: now,
            scratch: Vec::new(),
            device: self.device,
        }))
    }

    /// The thread that opens it.
    pub(crate) fn close(self) -> Worker {
        self.device.close()
    }
}

/// How far the opening is. A failure leaves the thread to be seen off.
pub(crate) enum Opening {
    Pending(OpeningSpeaker),
    Open(Box<Speaker>),
    Failed(DeviceError, Worker),
}

impl Speaker {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has taken any sound.
    pub(crate) fn has_taken(&self) -> bool {
        self.told.taken.load(Ordering::Relaxed) > 0
    }

    /// Whether the system wants it opened anew; true once.
    pub(crate) fn take_moved(&self) -> bool {
        self.told.moved.swap(false, Ordering::AcqRel)
    }

    /// The thread that holds it.
    pub(crate) fn close(self) -> Worker {
        self.device.close()
    }

    /// Whether it still works.
    pub(crate) fn check(&mut self, now: Instant) -> Result<(), DeviceError> {
        let taken = self.told.taken.load(Ordering::Relaxed);
        if taken != self.taken_before {
            (self.taken_before, self.last_taken) = (taken, now);
        }
        let quiet = now.saturating_duration_since(self.last_taken) > self.patience.quiet;
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

    /// How long a sample written now takes to the ear, right after a callback, which is when the player writes.
    pub(crate) fn delay(&self) -> Duration {
        to_ear(&self.told, self.waiting(), self.rate)
    }

    fn waiting(&self) -> usize {
        self.ring.buffer().capacity() - self.ring.slots()
    }
}

/// From the ring to the ear behind so many samples that wait. What the last callback took is played before them: the
/// latency is that of its first sample.
fn to_ear(told: &OutputTold, waiting: usize, rate: u32) -> Duration {
    let before = (waiting + told.piece.load(Ordering::Relaxed)) as u64;
    let latency = told.latency_micros.load(Ordering::Relaxed);
    Duration::from_micros(before * 1_000_000 / u64::from(rate) + latency)
}

/// Opens the system's loudspeaker of this name, or its default one.
pub(crate) fn open_system(name: Option<&str>, ends: OutputEnds) -> Result<OpenOutput, DeviceError> {
    let device = find(KIND, name)?;
    let (sample_format, config) = format(&device, KIND)?;
    let (ring, consumer) = RingBuffer::new((config.sample_rate / 5) as usize);
    let stream = for_sample_type!(sample_format, KIND, build(&device, config, consumer, ends))?;
    stream.play().map_err(|error| DeviceError::new(KIND, problem(&error)))?;
    let name = sound_host::name(&device).or(name.map(str::to_owned)).unwrap_or_default();
    Ok(OpenOutput { name, hold: Box::new(stream), ring, rate: config.sample_rate })
}

fn build<T>(
    device: &Device,
    config: StreamConfig,
    mut ring: Consumer<f32>,
    ends: OutputEnds,
) -> Result<Stream, DeviceError>
where
    T: SizedSample + FromSample<f32>,
{
    let channels = usize::from(config.channels);
    let on_error = ends.clone();
    let played = move |data: &mut [T], info: &cpal::OutputCallbackInfo| {
        let (stamp, told) = (info.timestamp(), &ends.told);
        let latency = stamp.playback.saturating_duration_since(stamp.callback).min(LONGEST_LATENCY);
        told.latency_micros.store(latency.as_micros() as u64, Ordering::Relaxed);
        told.piece.store(data.len() / channels, Ordering::Relaxed);
        told.taken.fetch_add(data.len(), Ordering::Relaxed);
        spread(&mut ring, channels, data);
        ends.feeder.unpark();
    };
    let failed = move |error: cpal::Error| {
        match sound_host::stream_end(&error) {
            StreamEnd::GoesOn => return,
            StreamEnd::Moved => on_error.told.moved.store(true, Ordering::Release),
            StreamEnd::Over => on_error.told.failed.store(true, Ordering::Release),
        }
        on_error.feeder.unpark();
    };
    device
        .build_output_stream(config, played, failed, Some(BUILDING))
        .map_err(|error| DeviceError::new(KIND, problem(&error)))
}

/// The same from the ring on every channel, and silence where the ring has nothing.
fn spread<T: SizedSample + FromSample<f32>>(ring: &mut Consumer<f32>, channels: usize, data: &mut [T]) {
    for frame in data.chunks_mut(channels) {
        frame.fill(T::from_sample_(ring.pop().unwrap_or(0.0)));
    }
}

/// Drivers are known to name absurd moments.
const LONGEST_LATENCY: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    fn played<T: SizedSample + FromSample<f32> + Copy + std::fmt::Debug>(blank: T) -> Vec<T> {
        let (mut ring, mut consumer) = RingBuffer::new(4);
        ring.push(0.5).unwrap();
        let mut data = [blank; 4];
        spread(&mut consumer, 2, &mut data);
        data.to_vec()
    }

    #[test]
    fn what_the_device_has_just_taken_is_heard_before_what_is_written_now() {
        let told = OutputTold::default();
        told.piece.store(480, Ordering::Relaxed);
        told.latency_micros.store(7_000, Ordering::Relaxed);
        assert_eq!(to_ear(&told, 240, 48_000), Duration::from_millis(7 + 10 + 5));
    }

    #[test]
    fn every_kind_of_sample_gets_the_sound_on_all_channels_and_then_its_own_silence() {
        assert_eq!(played(1_i8), [64, 64, 0, 0]);
        assert_eq!(played(1_i16), [16_384, 16_384, 0, 0]);
        assert_eq!(played(1_i32), [1 << 30, 1 << 30, 0, 0]);
        assert_eq!(played(1_u8), [192, 192, 128, 128]);
        assert_eq!(played(1_u16), [49_152, 49_152, 32_768, 32_768]);
        assert_eq!(played(1_f32), [0.5, 0.5, 0.0, 0.0]);
        assert_eq!(played(1_f64), [0.5, 0.5, 0.0, 0.0]);
    }
}
