//! What becomes of one device of a kind: which to open now, what when it fails, what when another appears. Told the time.
//!
//! "System default" and "this device" are different choices. A chosen sound device that is gone has the default one stand
//! in for it, and is taken again when it reappears; a default that the system changes is followed. A chosen camera has no
//! stand-in: another one would show what nobody chose to show. Every attempt that fails is repeated, quietly.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::media::device_error::{DeviceError, DeviceKind, Problem};
use crate::media::device_news::DeviceNews;
use crate::media::hardware::SeenKind;

/// A device that failed may come back: it is tried again this often.
const RETRY: Duration = Duration::from_secs(3);
/// Systems announce one change in several steps: what is seen must stay so for this long.
const SETTLE: Duration = Duration::from_millis(300);
/// What ends sooner than this after opening is not opened at once again, and not often.
const SHORT_LIFE: Duration = Duration::from_secs(1);
const MOST_SHORT_LIVES: u32 = 2;
/// A chosen device that is there and would not open is tried again this often while another stands in: each try may cost
/// a gap in the sound.
const RETRY_BESIDE_STAND_IN: Duration = Duration::from_secs(10);
/// So many threads may hang in one kind of device. More would only add to the harm.
const MOST_HANGING: usize = 3;

/// What the thread of a device has to do now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Order {
    /// Open the device of this name, or the system's default.
    Open(Option<String>),
    /// Go on with what is open or opening.
    Stay,
    /// Close what is open, and ask again.
    Close,
    /// Nothing is open; ask again by then.
    Wait(Instant),
}

/// The care for the one device of a kind.
#[derive(Debug)]
pub(super) struct DeviceCare {
    kind: DeviceKind,
    /// The name the person chose; the system's default without.
    chosen: Option<String>,
    state: State,
    seen: SeenKind,
    /// Problems that were told and are not over.
    told: Vec<Problem>,
    /// Why the chosen device is not used.
    missed: Option<Problem>,
    /// Not before this is the chosen device tried again while another stands in.
    try_chosen_at: Option<Instant>,
    /// The stand-in the person knows of.
    stand_in: Option<String>,
    /// What worked last, and whether it stopped by itself.
    previous: Option<String>,
    stopped: bool,
    /// Another is used since this one stopped: the next look shows whether it is gone.
    gone: Option<(String, bool)>,
    /// The system's default that was followed last.
    followed: Option<String>,
    /// What worked last gave nothing but silence.
    was_silent: bool,
    /// One that may hear took its place, and nobody has asked yet.
    must_mute: bool,
    /// How often in a row it worked, and not for long.
    short_lives: u32,
    hanging: usize,
    news: VecDeque<DeviceNews>,
}

#[derive(Debug)]
enum State {
    /// Nothing is open until then.
    Waiting { at: Instant, target: Target },
    /// It was asked for and has not answered.
    Opening { target: Target },
    /// It is open.
    Open(OpenDevice),
    /// Too many threads hang in the driver; only a change outside helps.
    GivenUp,
}

#[derive(Debug)]
struct OpenDevice {
    target: Target,
    name: String,
    since: Instant,
    /// It was seen among those plugged in since it is open.
    listed: bool,
    works: bool,
    /// It is closed then, and the other opened.
    leave: Option<Leave>,
}

#[derive(Debug)]
struct Leave {
    at: Instant,
    why: Why,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Why {
    /// The chosen device is there again.
    Back,
    /// The system's default is another.
    Follow(String),
    /// What is open is no longer there.
    Vanished,
    /// The system asked for it.
    Moved,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Target {
    Chosen,
    /// The system's default, in place of the chosen device.
    StandIn,
}

impl DeviceCare {
    /// Care for the device of this name, or for the system's default.
    pub(super) fn new(kind: DeviceKind, chosen: Option<String>, now: Instant) -> Self {
        Self {
            kind,
            chosen,
            state: State::Waiting { at: now, target: Target::Chosen },
            seen: SeenKind::default(),
            told: Vec::new(),
            missed: None,
            try_chosen_at: None,
            stand_in: None,
            previous: None,
            stopped: false,
            gone: None,
            followed: None,
            was_silent: false,
            must_mute: false,
            short_lives: 0,
            hanging: 0,
            news: VecDeque::new(),
        }
    }

    /// What to do now. `Open` and `Close` are said once.
    pub(super) fn order(&mut self, now: Instant) -> Order {
        match &self.state {
            State::Waiting { at, .. } if now < *at => Order::Wait(*at),
            State::Waiting { target, .. } => {
                let target = *target;
                self.state = State::Opening { target };
                Order::Open(self.chosen.clone().filter(|_| target == Target::Chosen))
            }
            State::Opening { .. } => Order::Stay,
            State::Open(open) => match &open.leave {
                Some(leave) if leave.at <= now => {
                    let target = match &leave.why {
                        Why::Back => Target::Chosen,
                        Why::Vanished if self.chosen.is_some() => Target::StandIn,
                        Why::Vanished | Why::Follow(_) | Why::Moved => open.target,
                    };
                    if let Why::Follow(default) = &leave.why {
                        self.followed = Some(default.clone());
                    }
                    self.state = State::Waiting { at: now, target };
                    Order::Close
                }
                _ => Order::Stay,
            },
            State::GivenUp => Order::Wait(now + RETRY),
        }
    }

    /// It opened, and this is its name.
    pub(super) fn opened(&mut self, now: Instant, name: String) {
        let State::Opening { target } = self.state else { return };
        // The system's default may turn out to be the very device that was chosen.
        let target = if self.chosen.as_ref() == Some(&name) { Target::Chosen } else { target };
        let listed = self.seen.has(&name);
        let open = OpenDevice { target, name, since: now, listed, works: false, leave: None };
        self.state = State::Open(open);
    }

    /// It gave or took something.
    pub(super) fn works(&mut self) {
        let State::Open(open) = &mut self.state else { return };
        if std::mem::replace(&mut open.works, true) {
            return;
        }
        let (name, target) = (open.name.clone(), open.target);
        let previous = self.previous.replace(name.clone()).filter(|before| *before != name);
        let stopped = std::mem::take(&mut self.stopped);
        let silenced = std::mem::take(&mut self.was_silent) && previous.is_some();
        self.must_mute |= silenced;
        let was_told = !std::mem::take(&mut self.told).is_empty();
        if was_told {
            self.news.push_back(DeviceNews::Mended(self.kind));
        }
        if let (Target::StandIn, Some(chosen)) = (target, &self.chosen) {
            if self.stand_in.as_ref() != Some(&name) {
                let (lost, why) = (chosen.clone(), self.missed.clone().unwrap_or(Problem::NotFound));
                self.stand_in = Some(name.clone());
                self.news.push_back(self.replaced(lost, why, name, silenced));
            }
            return;
        }
        (self.missed, self.try_chosen_at) = (None, None);
        let stood_in = self.stand_in.take().is_some();
        match previous {
            Some(lost) if stopped && !stood_in => self.gone = Some((lost, silenced)),
            _ if stood_in || was_told => {
                self.news.push_back(DeviceNews::Back { device: self.kind, name });
            }
            Some(_) => self.follows(name, silenced),
            None => {}
        }
    }

    fn replaced(&self, lost: String, why: Problem, by: String, silenced: bool) -> DeviceNews {
        DeviceNews::Replaced { device: self.kind, lost, why, by, silenced }
    }

    /// Another device is used because the system says so. A loudspeaker is heard; which microphone listens must be said.
    fn follows(&mut self, name: String, silenced: bool) {
        if self.kind == DeviceKind::Microphone {
            self.news.push_back(DeviceNews::Follows { device: self.kind, name, silenced });
        }
    }

    /// It could not be opened, or stopped. What was open is closed.
    pub(super) fn failed(&mut self, now: Instant, error: DeviceError) {
        let (target, lived) = match &self.state {
            State::Open(open) if open.works => (open.target, now.saturating_duration_since(open.since)),
            State::Open(OpenDevice { target, .. })
            | State::Opening { target }
            | State::Waiting { target, .. } => (*target, Duration::ZERO),
            State::GivenUp => return,
        };
        let worked = matches!(&self.state, State::Open(open) if open.works);
        self.stopped |= worked;
        self.short_lives = if worked && lived < SHORT_LIFE { self.short_lives + 1 } else { 0 };
        let has_stand_in = self.chosen.is_some() && self.kind != DeviceKind::Camera;
        let restless = (1..=MOST_SHORT_LIVES).contains(&self.short_lives);
        if restless && self.kind != DeviceKind::Camera {
            // A headset that changes to call mode ends what was just begun.
            self.state = State::Waiting { at: now + SETTLE, target };
        } else if lived >= SHORT_LIFE {
            // Often it is there and only wants to be opened anew: a changed rate, a sound server that started again.
            if self.kind == DeviceKind::Camera {
                self.tell(error.problem);
            }
            self.state = State::Waiting { at: now, target };
        } else if target == Target::Chosen && has_stand_in {
            self.missed = Some(error.problem);
            self.try_chosen_at = Some(now + RETRY_BESIDE_STAND_IN);
            self.state = State::Waiting { at: now, target: Target::StandIn };
        } else if self.hanging >= MOST_HANGING {
            self.tell(Problem::Hung);
            self.state = State::GivenUp;
        } else {
            self.tell(error.problem);
            self.state = State::Waiting { at: now + RETRY, target: Target::Chosen };
        }
    }

    /// So many threads hang in drivers of this kind.
    pub(super) fn note_hanging(&mut self, now: Instant, hanging: usize) {
        let fewer = hanging < self.hanging;
        self.hanging = hanging;
        if fewer && matches!(self.state, State::GivenUp) {
            self.state = State::Waiting { at: now, target: Target::Chosen };
        }
    }

    /// Whether the microphone in use gives nothing but silence.
    pub(super) fn note_silent(&mut self, silent: bool) {
        self.was_silent = silent;
    }

    /// Whether what is heard must not be sent until the person says so; true once. Said with the first sound of the new
    /// microphone: the news of it may have to wait for the next look.
    pub(super) fn take_must_mute(&mut self) -> bool {
        std::mem::take(&mut self.must_mute)
    }

    /// Whether what is open is to stay open, as far as is known.
    pub(super) fn stays(&self) -> bool {
        matches!(&self.state, State::Open(open) if open.leave.is_none())
    }

    /// The system moved the stream, or wants it built anew.
    pub(super) fn moved(&mut self, now: Instant) {
        if let State::Open(open) = &mut self.state {
            open.leave = Some(Leave { at: now + SETTLE, why: Why::Moved });
        }
    }

    /// This is plugged in now.
    pub(super) fn see(&mut self, now: Instant, seen: &SeenKind) {
        let before = std::mem::replace(&mut self.seen, seen.clone());
        let changed = before.devices != seen.devices;
        let chosen = self.chosen.as_deref();
        let chosen_is_there = chosen.is_some_and(|chosen| seen.has(chosen));
        let chosen_came = chosen_is_there && !chosen.is_some_and(|chosen| before.has(chosen));
        if chosen.is_some() && !chosen_is_there {
            // Next time it is plugged in, it gets another chance.
            self.try_chosen_at = None;
        }
        let soon = now + SETTLE;
        match &mut self.state {
            State::Waiting { at, target } if *at > soon && changed => {
                if chosen_came || self.chosen.is_none() {
                    (*at, *target) = (soon, Target::Chosen);
                }
            }
            State::GivenUp if changed => {
                self.hanging = 0;
                self.state = State::Waiting { at: soon, target: Target::Chosen };
            }
            State::Waiting { .. } | State::Opening { .. } | State::GivenUp => {}
            State::Open(open) => {
                let may_go_back = chosen_is_there
                    && open.target == Target::StandIn
                    && self.hanging < MOST_HANGING
                    && self.try_chosen_at.is_none_or(|at| at <= now);
                let follows = open.target == Target::StandIn || self.chosen.is_none();
                let other_default = seen
                    .default
                    .as_ref()
                    .filter(|name| follows && **name != open.name && self.followed.as_ref() != Some(*name));
                let vanished = open.listed && !seen.has(&open.name) && self.kind != DeviceKind::Camera;
                open.listed |= seen.has(&open.name);
                if vanished {
                    // The sound server may have moved the stream already: nothing failed, yet another device is in use.
                    self.stopped = true;
                    self.missed = Some(Problem::NotFound);
                    open.leave_by(now, Why::Vanished);
                } else if may_go_back {
                    open.leave_by(soon, Why::Back);
                } else if let Some(name) = other_default {
                    open.leave_by(soon, Why::Follow(name.clone()));
                } else if open.leave.as_ref().is_some_and(|leave| leave.why != Why::Moved) {
                    open.leave = None;
                }
            }
        }
        self.look_for_the_gone();
    }

    /// Another is used since one stopped: is that one gone, or did the system only choose another?
    fn look_for_the_gone(&mut self) {
        if let State::Open(open) = &self.state
            && let Some((lost, silenced)) = self.gone.take()
        {
            let by = open.name.clone();
            if self.seen.has(&lost) {
                self.follows(by, silenced);
            } else {
                self.news.push_back(self.replaced(lost, Problem::NotFound, by, silenced));
            }
        }
    }

    /// What the person should know, oldest first.
    pub(super) fn poll_news(&mut self) -> Option<DeviceNews> {
        self.news.pop_front()
    }

    /// The name of what is open.
    pub(super) fn in_use(&self) -> Option<&str> {
        match &self.state {
            State::Open(open) => Some(&open.name),
            _ => None,
        }
    }

    /// Each problem is told once, until the device has worked.
    fn tell(&mut self, problem: Problem) {
        // That a device which stopped is not found either is no news.
        let known = problem == Problem::NotFound && self.told.contains(&Problem::Stopped);
        if !known && !self.told.contains(&problem) {
            self.news.push_back(DeviceNews::Problem(DeviceError::new(self.kind, problem.clone())));
            self.told.push(problem);
        }
    }
}

impl OpenDevice {
    /// It is left then, unless it is about to be left for the same reason.
    fn leave_by(&mut self, at: Instant, why: Why) {
        if self.leave.as_ref().is_none_or(|leave| leave.why != why) {
            self.leave = Some(Leave { at, why });
        }
    }
}

#[cfg(test)]
mod tests;
