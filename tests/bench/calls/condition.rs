//! How the way between two clients is, and how it changes.

use std::time::Duration;

use crate::support::link::{Bursts, Link};

/// One direction of the way from client to client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    /// Milliseconds that every datagram takes.
    pub(crate) delay_ms: u64,
    /// Up to so many milliseconds more, at random.
    pub(crate) jitter_ms: u64,
    /// Datagrams overtake each other.
    pub(crate) reorders: bool,
    /// The share that is lost, 0 to 1.
    pub(crate) loss: f64,
    /// Times of heavy loss.
    pub(crate) bursts: Option<Bursts>,
    /// Kilobits a second, when limited.
    pub(crate) kbps: Option<u64>,
    /// Milliseconds that a datagram may wait for its turn; what would wait longer is lost.
    pub(crate) queue_ms: u64,
    /// Nothing gets through.
    pub(crate) dark: bool,
}

/// A line at home: 25 ms one way, 5 ms of jitter.
pub(crate) const HOME: Way = Way {
    delay_ms: 25,
    jitter_ms: 5,
    reorders: false,
    loss: 0.0,
    bursts: None,
    kbps: None,
    queue_ms: 1_000,
    dark: false,
};

impl Way {
    /// With so many kilobits a second.
    pub(crate) const fn of_kbps(kbps: u64) -> Self {
        Self { kbps: Some(kbps), ..HOME }
    }

    /// With this share lost.
    pub(crate) const fn losing(loss: f64) -> Self {
        Self { loss, ..HOME }
    }

    /// Makes a link like this.
    pub(crate) fn shape(&self, link: &mut Link) {
        link.latency = Duration::from_millis(self.delay_ms);
        link.jitter = Duration::from_millis(self.jitter_ms);
        link.keeps_order = !self.reorders;
        link.loss = self.loss;
        link.bursts = self.bursts;
        link.bytes_per_second = self.kbps.map(|kbps| kbps * 125);
        link.longest_queue = Duration::from_millis(self.queue_ms);
        link.dark = self.dark;
    }
}

/// What a call has to get along with.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) name: &'static str,
    /// How long it is watched, in seconds.
    pub(crate) seconds: u32,
    /// Calls that share the way, each between two clients of its own.
    pub(crate) calls: usize,
    /// How both directions are, from which millisecond on; begins at 0.
    pub(crate) plan: Vec<(u64, Way)>,
}

impl Condition {
    /// The same way all the time.
    pub(crate) fn steady(name: &'static str, way: Way) -> Self {
        Self { name, seconds: 20, calls: 1, plan: vec![(0, way)] }
    }

    /// A way that changes.
    pub(crate) fn changing(name: &'static str, seconds: u32, plan: Vec<(u64, Way)>) -> Self {
        Self { name, seconds, calls: 1, plan }
    }

    /// How the way is at a millisecond of the call.
    pub(crate) fn at(&self, millisecond: u64) -> &Way {
        let begun = self.plan.iter().rev().find(|(from, _)| *from <= millisecond);
        &begun.unwrap_or(&self.plan[0]).1
    }
}

/// The table's conditions, in its order.
pub(crate) fn all() -> Vec<Condition> {
    let steady = Condition::steady;
    let bursts = Bursts { begin: 0.004, longest: Duration::from_millis(200), loss: 0.8 };
    let dark = Way { dark: true, ..HOME };
    let (wide, narrow) = (Way::of_kbps(3_000), Way::of_kbps(300));
    let two = Condition { calls: 2, seconds: 40, ..steady("two-calls-2M", Way::of_kbps(2_000)) };
    vec![
        steady("clean", HOME),
        steady("loss-2", Way::losing(0.02)),
        steady("loss-5", Way::losing(0.05)),
        steady("loss-10", Way::losing(0.1)),
        steady("loss-10-jitter-30", Way { jitter_ms: 30, ..Way::losing(0.1) }),
        steady("loss-20", Way::losing(0.2)),
        steady("loss-30", Way::losing(0.3)),
        steady("bursts", Way { bursts: Some(bursts), ..HOME }),
        steady("delay-0", Way { delay_ms: 0, ..HOME }),
        steady("delay-50", Way { delay_ms: 50, ..HOME }),
        steady("delay-150", Way { delay_ms: 150, ..HOME }),
        steady("jitter-10", Way { jitter_ms: 10, ..HOME }),
        steady("jitter-50", Way { jitter_ms: 50, ..HOME }),
        steady("jitter-50-reordered", Way { jitter_ms: 50, reorders: true, ..HOME }),
        steady("rate-300k", narrow),
        steady("rate-600k", Way::of_kbps(600)),
        steady("rate-1M", Way::of_kbps(1_000)),
        steady("rate-3M", wide),
        steady("rate-10M", Way::of_kbps(10_000)),
        Condition::changing("step-3M-300k-3M", 45, vec![(0, wide), (10_000, narrow), (25_000, wide)]),
        Condition::changing("blackout-1s", 20, vec![(0, HOME), (10_000, dark), (11_000, HOME)]),
        Condition::changing("blackout-10s", 32, vec![(0, HOME), (10_000, dark), (20_000, HOME)]),
        two,
    ]
}
