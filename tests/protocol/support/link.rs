//! What the way out of a host does to datagrams.

use std::time::{Duration, Instant};

use tincan::rtmfp::chance::Chance;
use tincan::rtmfp::machine::Ecn;

/// How the way out of a host behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// How long a datagram takes.
    pub(crate) latency: Duration,
    /// Up to so much longer, at random.
    pub(crate) jitter: Duration,
    /// Whether datagrams stay in order for all their jitter, as in a queue; else they overtake each other.
    pub(crate) keeps_order: bool,
    /// The share of datagrams lost, 0 to 1.
    pub(crate) loss: f64,
    /// Times in which nearly everything is lost.
    pub(crate) bursts: Option<Bursts>,
    /// The share of datagrams that come twice, 0 to 1.
    pub(crate) duplication: f64,
    /// The share of datagrams that go another way, 0 to 1, and how much longer that is.
    pub(crate) detours: Option<(f64, Duration)>,
    /// Bytes a second, when limited.
    pub(crate) bytes_per_second: Option<u64>,
    /// How long a datagram may wait for its turn at a limited rate; what would wait longer is lost.
    pub(crate) longest_queue: Duration,
    /// Datagrams that wait longer are marked as congested, if they allow it.
    pub(crate) marks_beyond: Option<Duration>,
    /// Whether marks are cleared on the way.
    pub(crate) clears_marks: bool,
    /// Larger datagrams vanish.
    pub(crate) largest_datagram: usize,
    /// Whether nothing at all gets through this way.
    pub(crate) dark: bool,
}

/// Loss that comes in bursts: two states of a line, after Gilbert and Elliott. The bad one ends by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bursts {
    /// The chance that one begins with a datagram.
    pub(crate) begin: f64,
    /// How long it lasts at the most.
    pub(crate) longest: Duration,
    /// The share lost in it.
    pub(crate) loss: f64,
}

impl Link {
    /// A perfect link but for the time it takes.
    pub(crate) fn with_latency(latency: Duration) -> Self {
        Self {
            latency,
            jitter: Duration::ZERO,
            keeps_order: false,
            loss: 0.0,
            bursts: None,
            duplication: 0.0,
            detours: None,
            bytes_per_second: None,
            longest_queue: Duration::from_millis(200),
            marks_beyond: None,
            clears_marks: false,
            largest_datagram: 1472,
            dark: false,
        }
    }
}

/// The state of a link: its queue, and whether it is in a burst of losses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    free_at: Instant,
    /// When the last datagram arrives.
    last_arrival: Instant,
    /// When the present or last burst of losses ends.
    burst_until: Instant,
}

impl Line {
    /// A line that is free.
    pub(crate) fn new(now: Instant) -> Self {
        Self { free_at: now, last_arrival: now, burst_until: now }
    }

    /// How long a datagram would wait now for its turn.
    pub(crate) fn waiting(&self, now: Instant) -> Duration {
        self.free_at.saturating_duration_since(now)
    }

    /// When the copies of a datagram arrive, and how they are marked by then. `lost` loses it whatever the luck.
    pub(crate) fn carry(
        &mut self,
        link: &Link,
        now: Instant,
        length: usize,
        mark: Option<Ecn>,
        lost: bool,
        chance: &mut Chance,
    ) -> (Vec<Instant>, Option<Ecn>) {
        let mut mark = mark.filter(|_| !link.clears_marks);
        if link.dark || length > link.largest_datagram {
            return (Vec::new(), mark);
        }
        let mut leaves = now;
        if let Some(rate) = link.bytes_per_second {
            let turn = self.free_at.max(now);
            if turn - now > link.longest_queue {
                return (Vec::new(), mark);
            }
            if mark.is_some() && link.marks_beyond.is_some_and(|wait| turn - now > wait) {
                mark = Some(Ecn::CongestionExperienced);
            }
            leaves = turn + Duration::from_secs_f64(length as f64 / rate as f64);
            self.free_at = leaves;
        }
        if lost || self.is_unlucky(link, now, chance) {
            return (Vec::new(), mark);
        }
        let copies = if luck(chance) < link.duplication { 2 } else { 1 };
        let arrivals = (0..copies).map(|_| {
            let detour = link
                .detours
                .filter(|(share, _)| luck(chance) < *share)
                .map_or(Duration::ZERO, |(_, more)| more);
            leaves + link.latency + link.jitter.mul_f64(luck(chance)) + detour
        });
        let mut arrivals: Vec<Instant> = arrivals.collect();
        if link.keeps_order {
            arrivals.iter_mut().for_each(|at| *at = (*at).max(self.last_arrival));
        }
        self.last_arrival = arrivals.iter().copied().fold(self.last_arrival, Instant::max);
        (arrivals, mark)
    }

    fn is_unlucky(&mut self, link: &Link, now: Instant, chance: &mut Chance) -> bool {
        if let Some(bursts) = link.bursts {
            if self.burst_until <= now && luck(chance) < bursts.begin {
                self.burst_until = now + bursts.longest.mul_f64(luck(chance));
            }
            if self.burst_until > now && luck(chance) < bursts.loss {
                return true;
            }
        }
        luck(chance) < link.loss
    }
}

/// A number from 0 up to, and without, 1.
pub(crate) fn luck(chance: &mut Chance) -> f64 {
    f64::from(chance.u32()) / (f64::from(u32::MAX) + 1.0)
}
