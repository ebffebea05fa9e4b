//! Two drivers and the loopback interface, next to what the system, the ciphers and QUIC take for the same bytes.
//!
//! Processor time is of all threads of both ends. Everything is measured in the same run, so that the ratios hold.

mod endpoint;
mod floor;
#[cfg(feature = "compare")]
mod quic;
mod raw;

use std::cell::Cell;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use self::endpoint::{Ends, Ours};
use super::Bench;

/// What goes through in a round of long messages.
const BYTES: usize = 512 << 20;
const LONG: usize = 16 << 10;
/// What goes through in a round of short messages.
const SHORT_MESSAGES: usize = 1_000_000;
const SHORT: usize = 160;
/// Messages sent one by one, and how long nothing is sent between two.
const LONE_MESSAGES: usize = 100;
const BETWEEN: Duration = Duration::from_millis(2);
/// Sessions opened one by one.
const OPENINGS: usize = 100;
const ROUNDS: usize = 3;

pub(crate) fn run(bench: &Bench) {
    if bench.wants("network_bulk") {
        bulk(bench);
    }
    if bench.wants("network_short") {
        short(bench);
    }
    if bench.wants("network_lone") {
        lone(bench);
    }
    if bench.wants("network_open") {
        open(bench);
    }
}

/// What a transfer took.
#[derive(Clone, Copy)]
struct Took {
    bytes: usize,
    wall: Duration,
    cpu: Duration,
}

impl Took {
    fn measure(bytes: usize, work: impl FnOnce()) -> Self {
        let (start, cpu) = (Instant::now(), process_time());
        work();
        Self { bytes, wall: start.elapsed(), cpu: process_time() - cpu }
    }

    fn seconds_per_gigabyte(&self) -> f64 {
        self.cpu.as_secs_f64() / (self.bytes as f64 / 1e9)
    }

    fn megabytes_per_second(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.wall.as_secs_f64()
    }

    /// Of several rounds the cheapest: what other programs do can only make one dearer.
    fn best(round: impl Fn() -> Self) -> Self {
        let rounds: Vec<Self> = (0..ROUNDS).map(|_| round()).collect();
        let wall = rounds.iter().map(|took| took.wall).min().expect("some rounds");
        let cheapest = rounds.into_iter().min_by_key(|took| took.cpu).expect("some rounds");
        Self { wall, ..cheapest }
    }
}

/// Long messages on one reliable flow.
fn bulk(bench: &Bench) {
    let floor = Took::best(|| floor::carry(BYTES));
    let calls = Cell::new(0.0);
    let ours = Took::best(|| {
        let carried = Ours::open(Ends::Peers).carry(BYTES, LONG);
        calls.set(carried.bytes_a_call);
        carried.both
    });
    bench.tell("network_bulk_floor_cpu", floor.seconds_per_gigabyte(), "s/GB");
    bench.tell("network_bulk_floor_throughput", floor.megabytes_per_second(), "MB/s");
    let least = floor.seconds_per_gigabyte();
    bench.tell_with_limit("network_bulk_cpu", ours.seconds_per_gigabyte(), "s/GB", least);
    let most = floor.megabytes_per_second();
    bench.tell_with_limit("network_bulk_throughput", ours.megabytes_per_second(), "MB/s", most);
    bench.tell("network_bulk_call", calls.get(), "bytes");
    let raw = Took::best(|| raw::carry(BYTES));
    bench.tell_with_limit("network_bulk_udp_cpu", raw.seconds_per_gigabyte(), "s/GB", least);
    #[cfg(feature = "compare")]
    {
        let quic = Took::best(|| quic::Pair::open().carry(BYTES, LONG));
        bench.tell_with_limit("network_bulk_quinn_cpu", quic.seconds_per_gigabyte(), "s/GB", least);
        bench.tell_with_limit("network_bulk_quinn_throughput", quic.megabytes_per_second(), "MB/s", most);
    }
}

/// Short messages, as many as fit the queue at any time.
fn short(bench: &Bench) {
    let rounds: Vec<_> =
        (0..ROUNDS).map(|_| Ours::open(Ends::Peers).carry(SHORT_MESSAGES * SHORT, SHORT)).collect();
    let each = |time: Duration| time.as_secs_f64() * 1e6 / SHORT_MESSAGES as f64;
    let least = |time: fn(&endpoint::Carried) -> Duration| rounds.iter().map(time).min().unwrap_or_default();
    bench.tell("network_short_send", each(least(|carried| carried.sender)), "us");
    bench.tell("network_short_receive", each(least(|carried| carried.receiver)), "us");
}

/// A message when nothing else goes on: from the thread that asks for it to the far end's callback. Both take turns, so that
/// what else the computer does slows them alike.
fn lone(bench: &Bench) {
    let (mut raw, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        raw.push(median(raw::Pair::open().delays(LONE_MESSAGES)));
        ours.push(median(Ours::open(Ends::Peers).delays(LONE_MESSAGES)));
    }
    let best = |rounds: Vec<f64>| rounds.into_iter().fold(f64::INFINITY, f64::min);
    let raw = best(raw);
    bench.tell("network_lone_udp", raw, "us");
    bench.tell_with_limit("network_lone_delay", best(ours), "us", raw);
}

/// A session, from the command until it is told to be open.
fn open(bench: &Bench) {
    let peers = median((0..OPENINGS).map(|_| Ours::open(Ends::Peers).took_to_open()).collect());
    let server = median((0..OPENINGS).map(|_| Ours::open(Ends::ClientAndServer).took_to_open()).collect());
    bench.tell("network_open_peer", peers / 1e3, "ms");
    bench.tell("network_open_server", server / 1e3, "ms");
    #[cfg(feature = "compare")]
    {
        let quic = median((0..OPENINGS).map(|_| quic::Pair::open().took_to_open()).collect());
        bench.tell("network_open_quinn", quic / 1e3, "ms");
    }
}

/// In microseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

/// Processor time of the whole program so far.
fn process_time() -> Duration {
    clock(ClockId::ProcessCPUTime)
}

/// Processor time of the calling thread so far.
fn thread_time() -> Duration {
    clock(ClockId::ThreadCPUTime)
}

fn clock(id: ClockId) -> Duration {
    Duration::try_from(clock_gettime(id)).expect("processor time is never negative")
}
