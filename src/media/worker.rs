//! Threads with names that stop when told, and that nobody waits for longer than is decent.
//!
//! Drivers hang: a camera may never return from opening. So a thread that touches a device gets two seconds to stop, is
//! then left behind, and counted. Whoever opens the same device next waits for its predecessor first.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a stopping thread is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

static LEFT_BEHIND: AtomicUsize = AtomicUsize::new(0);

/// How many threads of this process were left behind because a driver did not return.
pub(crate) fn left_behind() -> usize {
    LEFT_BEHIND.load(Ordering::Relaxed)
}

/// Told to a thread: whether it should end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Sleeps until then, or until told to stop. Whether to go on.
    pub(crate) fn sleep_until(&self, until: Instant) -> bool {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if self.is_set() {
                return false;
            }
            if left.is_zero() {
                return true;
            }
            thread::park_timeout(left);
        }
    }
}

/// A named thread that is told to stop when this is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread. `None` when the system has no thread left, which is logged.
    pub(crate) fn spawn(name: &str, work: impl FnOnce(&Stop) + Send + 'static) -> Option<Self> {
        let stop = Stop::default();
        let told = stop.clone();
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || work(&told));
        match spawned {
            Ok(thread) => Some(Self { stop, thread: Some(thread) }),
            Err(error) => {
                tracing::error!(name, %error, "no thread could be started");
                None
            }
        }
    }

    /// Whether the thread has ended by itself.
    pub(crate) fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Tells the thread to stop without waiting for it.
    pub(crate) fn retire(mut self) -> Retired {
        self.tell();
        Retired { thread: self.thread.take() }
    }

    /// Lets the thread run to its end without ever waiting for it.
    pub(crate) fn leave(mut self) {
        self.thread = None;
    }

    fn tell(&self) {
        self.stop.set();
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.tell();
        drop(Retired { thread: self.thread.take() });
    }
}

/// A thread that was told to stop. Dropping it waits up to [`PATIENCE`].
#[derive(Debug)]
pub(crate) struct Retired {
    thread: Option<JoinHandle<()>>,
}

impl Retired {
    /// Whether the thread has ended, so that dropping this waits for nothing.
    pub(crate) fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Retired {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        let until = Instant::now() + PATIENCE;
        while !thread.is_finished() {
            if Instant::now() >= until {
                leave_behind(&thread);
                return;
            }
            thread.thread().unpark();
            thread::sleep(Duration::from_millis(2));
        }
        let name = thread.thread().name().unwrap_or_default().to_owned();
        if thread.join().is_err() {
            tracing::error!(name, "a thread panicked");
        }
    }
}

fn leave_behind(thread: &JoinHandle<()>) {
    LEFT_BEHIND.fetch_add(1, Ordering::Relaxed);
    tracing::warn!(name = thread.thread().name(), "a thread did not stop and was left behind");
}

/// Threads of one kind of device that were told to stop: those that do not are left behind, counted, and never waited for.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    stopping: Vec<(Retired, Instant)>,
    hanging: Vec<JoinHandle<()>>,
}

impl Closing {
    /// Tells a thread to stop. If it has not done so by then, it counts as hanging.
    pub(crate) fn add(&mut self, worker: Worker, by: Instant) {
        self.stopping.push((worker.retire(), by));
    }

    /// How many threads may still hold a device, and how many of them hang.
    pub(crate) fn count(&mut self, now: Instant) -> (usize, usize) {
        self.stopping.retain_mut(|(retired, by)| {
            if retired.is_finished() {
                return false;
            }
            if *by <= now
                && let Some(thread) = retired.thread.take()
            {
                leave_behind(&thread);
                self.hanging.push(thread);
                return false;
            }
            true
        });
        self.hanging.retain(|thread| !thread.is_finished());
        (self.stopping.len() + self.hanging.len(), self.hanging.len())
    }

    /// Whether a thread was told to stop and still has its time to do so.
    pub(crate) fn is_waiting(&mut self, now: Instant) -> bool {
        let (all, hanging) = self.count(now);
        all > hanging
    }
}

/// "There is something new": many notices before the next wait count as one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signal(Arc<(Mutex<bool>, Condvar)>);

impl Signal {
    pub(crate) fn notify(&self) {
        let (raised, changed) = &*self.0;
        *raised.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_one();
    }

    /// Waits for a notice, at most so long.
    pub(crate) fn wait(&self, at_most: Duration) {
        let (raised, changed) = &*self.0;
        let guard = raised.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut guard, _) = changed
            .wait_timeout_while(guard, at_most, |raised| !*raised)
            .unwrap_or_else(PoisonError::into_inner);
        *guard = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeping_thread_stops_at_once_when_its_worker_is_dropped() {
        let started = Instant::now();
        let worker = Worker::spawn("sleeper", |stop| {
            stop.sleep_until(Instant::now() + Duration::from_secs(60));
        });
        drop(worker);
        assert!(started.elapsed() < PATIENCE);
    }

    #[test]
    fn a_panic_stays_in_its_thread() {
        let started = Instant::now();
        let worker = Worker::spawn("unlucky", |_| panic!("on purpose")).unwrap();
        drop(worker.retire());
        assert!(started.elapsed() < PATIENCE);
    }

    #[test]
    fn a_driver_that_never_returns_is_left_behind_and_counted() {
        let before = left_behind();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let worker = Worker::spawn("stuck", move |_| {
            let _ = held.recv();
        });
        drop(worker);
        assert!(left_behind() > before);
        drop(release);
    }

    #[test]
    fn a_notice_before_the_wait_is_not_lost() {
        let signal = Signal::default();
        signal.notify();
        let started = Instant::now();
        signal.wait(Duration::from_secs(30));
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}
