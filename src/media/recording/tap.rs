//! Where the studio's threads leave what a recording is made of.
//!
//! Empty while nothing is recorded. Pictures overwrite each other: a slow recorder misses some. Sound waits in a queue;
//! beyond its bound the oldest goes, and becomes silence in the file. Nobody ever waits here for the recorder, and no
//! callback of a device comes here.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use crate::media::picture::Picture;

/// Whose sound or picture.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    Own,
    Far,
}

/// Something the recorder takes in the order in which it happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Happened {
    /// From now on things are recorded.
    WentOn(Instant),
    /// Until now things were recorded.
    StoodStill(Instant),
    /// 48 kHz, mono; its first sample was, or will be, heard then.
    Sound { side: Side, at: Instant, samples: Vec<f32> },
}

/// A picture, and when it was taken, or the sound that belongs to it is heard.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) picture: Picture,
    pub(crate) at: Instant,
}

/// What there is since the last look.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) happened: VecDeque<Happened>,
    pub(crate) own: Option<Seen>,
    pub(crate) far: Option<Seen>,
}

/// Where it lies until the recorder takes it: one for each recording, so that one that ends and one that begins do not meet.
#[derive(Debug, Default)]
pub(crate) struct Basin(Mutex<Taken>);

/// The place itself. What comes while nobody records is gone.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    is_on: AtomicBool,
    basin: Mutex<Weak<Basin>>,
}

/// Half a minute of sound from both sides: a disk may hold the recorder up for so long.
const MOST_WAITING: usize = 6_000;

impl Basin {
    /// Everything since the last look.
    pub(crate) fn take(&self) -> Taken {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tap {
    /// What comes goes there from now on, once it is switched on.
    pub(crate) fn lead_to(&self, basin: &Arc<Basin>) {
        self.is_on.store(false, Ordering::Release);
        *self.basin() = Arc::downgrade(basin);
    }

    /// Lets things through, or no longer.
    pub(crate) fn set_on(&self, on: bool, now: Instant) {
        let basin = self.basin();
        if self.is_on.swap(on, Ordering::AcqRel) == on {
            return;
        }
        if let Some(basin) = basin.upgrade() {
            let mut taken = basin.lock();
            taken.happened.push_back(if on { Happened::WentOn(now) } else { Happened::StoodStill(now) });
            // Pictures of before are not those of now.
            (taken.own, taken.far) = (None, None);
        }
    }

    pub(crate) fn sound(&self, side: Side, samples: &[f32], at: Instant) {
        self.put(|taken| {
            taken.happened.push_back(Happened::Sound { side, at, samples: samples.to_vec() });
            if taken.happened.len() > MOST_WAITING
                && let Some(oldest) =
                    taken.happened.iter().position(|one| matches!(one, Happened::Sound { .. }))
            {
                taken.happened.remove(oldest);
            }
        });
    }

    pub(crate) fn picture(&self, side: Side, picture: &Picture, at: Instant) {
        self.put(|taken| {
            let seen = Some(Seen { picture: picture.clone(), at });
            match side {
                Side::Own => taken.own = seen,
                Side::Far => taken.far = seen,
            }
        });
    }

    fn put(&self, what: impl FnOnce(&mut Taken)) {
        if !self.is_on.load(Ordering::Acquire) {
            return;
        }
        let basin = self.basin();
        // Asked again under the lock: nothing may come in after it was switched off.
        if self.is_on.load(Ordering::Acquire)
            && let Some(basin) = basin.upgrade()
        {
            what(&mut basin.lock());
        }
    }

    fn basin(&self) -> MutexGuard<'_, Weak<Basin>> {
        self.basin.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Picture {
        Picture::new(16, 16, vec![0; 384]).unwrap()
    }

    #[test]
    fn nothing_is_taken_before_a_recording_begins_or_while_it_stands_still() {
        let (tap, basin, now) = (Tap::default(), Arc::default(), Instant::now());
        tap.lead_to(&basin);
        tap.sound(Side::Own, &[0.5], now);
        tap.picture(Side::Far, &picture(), now);
        assert!(basin.take().happened.is_empty());
        tap.set_on(true, now);
        tap.sound(Side::Far, &[0.5], now);
        tap.picture(Side::Own, &picture(), now);
        tap.set_on(false, now);
        tap.sound(Side::Own, &[0.5], now);
        tap.picture(Side::Far, &picture(), now);
        let taken = basin.take();
        assert_eq!(
            taken.happened,
            [
                Happened::WentOn(now),
                Happened::Sound { side: Side::Far, at: now, samples: vec![0.5] },
                Happened::StoodStill(now)
            ]
        );
        assert!(taken.own.is_none() && taken.far.is_none());
    }

    #[test]
    fn a_recorder_that_stands_still_costs_bounded_memory_and_never_its_turns() {
        let (tap, basin, now) = (Tap::default(), Arc::default(), Instant::now());
        tap.lead_to(&basin);
        tap.set_on(true, now);
        for _ in 0..MOST_WAITING * 2 {
            tap.sound(Side::Own, &[0.0], now);
        }
        let taken = basin.take();
        assert!(taken.happened.len() <= MOST_WAITING);
        assert_eq!(taken.happened.front(), Some(&Happened::WentOn(now)));
    }
}
