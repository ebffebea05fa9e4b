//! A thread that opens a sound device and holds it open: opening may hang, and nobody else may hang with it.

use std::any::Any;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use crate::media::device_error::{DeviceError, DeviceKind, Problem};
use crate::media::worker::Worker;

/// What opening gave: the device itself, which stays in its thread, and the end of the sound that leaves it.
pub(crate) struct Opened<T> {
    pub(crate) name: String,
    pub(crate) hold: Box<dyn Any>,
    pub(crate) sound: T,
}

/// The thread of one device, from the first attempt to its closing.
pub(crate) struct DeviceThread<T> {
    answer: Receiver<Result<(String, T), DeviceError>>,
    began: Instant,
    worker: Worker,
}

/// Why there is no device.
pub(crate) enum NotOpened {
    Failed(DeviceError),
    /// Nothing was said in time.
    NoAnswer,
}

impl NotOpened {
    pub(crate) fn of(self, kind: DeviceKind) -> DeviceError {
        match self {
            Self::Failed(error) => error,
            Self::NoAnswer => DeviceError::new(kind, Problem::NoAnswer),
        }
    }
}

impl<T: Send + 'static> DeviceThread<T> {
    /// Begins to open; the calling thread is woken by the answer. `None` without a thread to spare.
    pub(crate) fn open(
        name: &str,
        open: impl FnOnce() -> Result<Opened<T>, DeviceError> + Send + 'static,
    ) -> Option<Self> {
        let (sender, answer) = mpsc::sync_channel(1);
        let asker = thread::current();
        let worker = Worker::spawn(name, move |stop| {
            let (hold, result) = match open() {
                Ok(Opened { name, hold, sound }) => (Some(hold), Ok((name, sound))),
                Err(error) => (None, Err(error)),
            };
            let heard = sender.send(result).is_ok();
            asker.unpark();
            if heard && hold.is_some() {
                while stop.sleep_until(Instant::now() + Duration::from_secs(3600)) {}
            }
        })?;
        Some(Self { answer, began: Instant::now(), worker })
    }

    /// The device's name and its sound, once it is open; given once.
    pub(crate) fn answer(
        &mut self,
        now: Instant,
        patience: Duration,
    ) -> Result<Option<(String, T)>, NotOpened> {
        match self.answer.try_recv() {
            Ok(result) => result.map(Some).map_err(NotOpened::Failed),
            Err(TryRecvError::Empty) if now.saturating_duration_since(self.began) < patience => Ok(None),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => Err(NotOpened::NoAnswer),
        }
    }

    /// The thread, to be told to stop.
    pub(crate) fn close(self) -> Worker {
        self.worker
    }
}
