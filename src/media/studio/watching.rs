//! Watching what is plugged in, on a thread of its own: one look each second while somebody wants to know, none otherwise.
//! Threads of devices that were closed are seen off here too.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::device_care::{DeviceCare, Order};
use super::shared::{Shared, lock};
use crate::media::device_error::{DeviceError, DeviceKind, Problem};
use crate::media::hardware::Seen;
use crate::media::worker::{Closing, Signal, Stop, Worker};

/// What all threads know of devices.
#[derive(Debug, Default)]
pub(super) struct Watch {
    watchers: AtomicUsize,
    look_now: Signal,
    /// How many looks there were, and what the last one saw.
    seen: Mutex<(u64, Arc<Seen>)>,
    cameras: Mutex<Closing>,
    microphones: Mutex<Closing>,
    speakers: Mutex<Closing>,
    /// The name of the microphone in use.
    microphone: Mutex<Option<String>>,
}

/// Looks as long as anybody watches.
pub(super) fn run_watch(shared: &Arc<Shared>, stop: &Stop) {
    let every = shared.hardware.patience().look;
    while !stop.is_set() {
        if shared.watch.watchers.load(Ordering::Acquire) == 0 {
            shared.watch.look_now.wait(UNWATCHED);
            continue;
        }
        let seen = shared.hardware.look();
        let changed = {
            let mut last = lock(&shared.watch.seen);
            last.0 += 1;
            let changed = *last.1 != seen;
            if changed {
                last.1 = Arc::new(seen);
            }
            changed
        };
        if changed {
            shared.wake();
        }
        shared.watch.look_now.wait(every);
    }
}

/// How long to sleep while nobody watches; who begins to watch ends it.
const UNWATCHED: Duration = Duration::from_secs(3600);

impl Watch {
    /// Looks at once, if anybody watches; also ends the wait of a watch that is told to stop.
    pub(super) fn look_now(&self) {
        self.look_now.notify();
    }

    /// What the last look saw, and how many there were.
    pub(super) fn last(&self) -> (u64, Arc<Seen>) {
        let last = lock(&self.seen);
        (last.0, Arc::clone(&last.1))
    }

    pub(super) fn set_microphone(&self, name: Option<&str>) {
        *lock(&self.microphone) = name.map(str::to_owned);
    }

    pub(super) fn microphone(&self) -> Option<String> {
        lock(&self.microphone).clone()
    }

    fn closing(&self, kind: DeviceKind) -> &Mutex<Closing> {
        match kind {
            DeviceKind::Camera | DeviceKind::Picture | DeviceKind::Screen => &self.cameras,
            DeviceKind::Microphone => &self.microphones,
            DeviceKind::Speaker => &self.speakers,
        }
    }
}

/// Somebody watches as long as this lives.
pub(super) struct Watching(Arc<Shared>);

impl Watching {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        shared.watch.watchers.fetch_add(1, Ordering::AcqRel);
        shared.watch.look_now();
        Self(Arc::clone(shared))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.watch.watchers.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The care for a device together with what it must be told of the world.
pub(super) struct Attendant {
    kind: DeviceKind,
    pub(super) care: DeviceCare,
    shared: Arc<Shared>,
    looks: u64,
    is_open: bool,
    _watching: Watching,
}

impl Attendant {
    pub(super) fn new(shared: &Arc<Shared>, kind: DeviceKind, chosen: Option<String>) -> Self {
        let care = DeviceCare::new(kind, chosen, Instant::now());
        // What was seen before anybody watched may be old.
        let looks = shared.watch.last().0;
        let (shared, _watching) = (Arc::clone(shared), Watching::new(shared));
        Self { kind, care, shared, looks, is_open: false, _watching }
    }

    /// What to do now, after a look at the world.
    pub(super) fn order(&mut self, now: Instant) -> Order {
        let (looks, seen) = self.shared.watch.last();
        if looks != self.looks {
            self.looks = looks;
            self.care.see(now, seen.of(self.kind));
        }
        let mut closing = lock(self.shared.watch.closing(self.kind));
        self.care.note_hanging(now, closing.count(now).1);
        // A sound service plays two streams at once; of all else the predecessor must have let go first.
        if !self.is_open && self.kind != DeviceKind::Speaker && closing.is_waiting(now) {
            return Order::Wait(now + Duration::from_millis(5));
        }
        drop(closing);
        let order = self.care.order(now);
        self.tell();
        if let Order::Open(_) = order {
            self.is_open = true;
        }
        order
    }

    /// How many looks the care has seen.
    pub(super) fn looks(&self) -> u64 {
        self.looks
    }

    /// Asks for a look now, not in a second.
    pub(super) fn look_now(&self) {
        self.shared.watch.look_now();
    }

    /// The device is, or could not be, closed; its thread is seen off.
    pub(super) fn close(&mut self, worker: Option<Worker>) {
        self.see_off(worker, self.shared.hardware.patience().closing);
    }

    fn see_off(&mut self, worker: Option<Worker>, patience: Duration) {
        self.is_open = false;
        if let Some(worker) = worker {
            lock(self.shared.watch.closing(self.kind)).add(worker, Instant::now() + patience);
        }
    }

    /// The device failed; its thread is seen off.
    pub(super) fn failed(&mut self, error: DeviceError, worker: Option<Worker>) {
        tracing::debug!(%error, "a device failed");
        let has_hung = error.problem == Problem::NoAnswer;
        let patience = self.shared.hardware.patience().closing;
        self.see_off(worker, if has_hung { Duration::ZERO } else { patience });
        let now = Instant::now();
        let hanging = lock(self.shared.watch.closing(self.kind)).count(now).1;
        self.care.note_hanging(now, hanging);
        self.care.failed(now, error);
        self.shared.watch.look_now();
        self.tell();
    }

    /// It opened under this name.
    pub(super) fn opened(&mut self, name: &str) {
        if self.care.in_use() != Some(name) {
            tracing::info!(name, kind = %self.kind, "a device is in use");
            self.care.opened(Instant::now(), name.to_owned());
            if self.kind == DeviceKind::Microphone {
                self.shared.watch.set_microphone(Some(name));
            }
        }
    }

    /// It gave or took something.
    pub(super) fn works(&mut self) {
        self.care.works();
        if self.care.take_must_mute() {
            let mut sending = lock(&self.shared.sending);
            sending.muted |= sending.sink.is_some();
        }
        self.tell();
    }

    /// Passes on what the person should know.
    fn tell(&mut self) {
        while let Some(news) = self.care.poll_news() {
            self.shared.notice(news);
        }
    }
}
