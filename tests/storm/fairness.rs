//! Shares of one bottleneck: of two sessions, and of a session and TCP.

use std::cell::Cell;
use std::convert::Infallible;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tincan::rtmfp::Event;
use tincan::rtmfp::chance::Chance;
use tincan::rtmfp::endpoint::{
    Delivery, Endpoint, EndpointConfig, FlowOptions, Priority, SendFlowId, SessionKey, WriteOptions,
};
use tincan::rtmfp::machine::{Input, Machine, Output};

use super::dice::{Dice, for_seeds};
use super::support::link::Link;
use super::support::scenario::config;
use super::support::virtual_network::{Host, SharedLine, VirtualNetwork};
use super::tcp::{Algorithm, PAYLOAD, Tcp};

const BYTES_PER_SECOND: u64 = 500_000;
const TRIP: Duration = Duration::from_millis(20);
const MESSAGE: usize = 8_000;

/// Somebody who sends through the bottleneck, or receives.
enum Contender {
    Rtmfp(Box<Endpoint>),
    Tcp(Box<Tcp>),
}

impl Machine for Contender {
    type Command = Infallible;
    type Event = Event;

    fn handle_input(&mut self, now: Instant, input: Input<'_, Infallible>) {
        match self {
            Self::Rtmfp(endpoint) => endpoint.handle_input(now, input),
            Self::Tcp(tcp) => tcp.handle_input(now, input),
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<Event> {
        match self {
            Self::Rtmfp(endpoint) => endpoint.poll_output(now, packets),
            Self::Tcp(tcp) => tcp.poll_output(packets),
        }
    }
}

impl Contender {
    fn endpoint(&mut self) -> &mut Endpoint {
        match self {
            Self::Rtmfp(endpoint) => endpoint,
            Self::Tcp(_) => unreachable!("only sessions are asked"),
        }
    }
}

/// Who contends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// An endless file over a session.
    Bulk,
    /// The same in a flow that is marked as time critical.
    TimeCritical,
    /// An endless file, and fifty time critical messages a second beside it.
    BulkBesideVoice,
    Tcp(Algorithm),
}

const RENO: Kind = Kind::Tcp(Algorithm::NewReno);
const CUBIC: Kind = Kind::Tcp(Algorithm::Cubic);

/// The bytes that each of `kinds` brought in a minute after the last had begun, when they begin in that order, three seconds
/// apart, at a bottleneck whose queue takes so many of its bandwidth-delay products.
fn minute(seed: u64, kinds: [Kind; 2], queue: u32) -> [u64; 2] {
    let dice = &mut Dice::new(seed, b'f');
    let mut net = VirtualNetwork::with_chance(TRIP, Chance::new(Dice::bytes(seed, b'f')));
    net.keep_no_log();
    let mut link = Link::with_latency(TRIP);
    link.bytes_per_second = Some(BYTES_PER_SECOND);
    link.longest_queue = TRIP * 2 * queue;
    let line = net.add_shared_line(link);
    let mut pairs = Vec::new();
    for (number, kind) in kinds.into_iter().enumerate() {
        pairs.push(Pair::begin(&mut net, line, kind, number));
        run(&mut net, &pairs, Duration::from_secs(3) + dice.ms(0, 500));
    }
    let before: Vec<u64> = pairs.iter().map(|pair| pair.brought(&mut net)).collect();
    run(&mut net, &pairs, Duration::from_secs(60));
    [0, 1].map(|n: usize| pairs[n].brought(&mut net) - before[n])
}

/// Runs on, and lets those speak who do.
fn run(net: &mut Net, pairs: &[Pair], span: Duration) {
    let end = net.elapsed() + span;
    while net.elapsed() < end && pairs.iter().any(|pair| pair.kind == Kind::BulkBesideVoice) {
        for pair in pairs {
            let Some((session, flow)) = pair.voice.get() else { continue };
            net.with(pair.sender, |contender, now| {
                let word = Bytes::from_static(&[1; 160]);
                contender.endpoint().write(now, session, flow, word, WriteOptions::default()).expect("room");
            });
        }
        net.run_for(Duration::from_millis(20));
    }
    net.run_until(end);
}

type Net = VirtualNetwork<Contender>;
/// A number or a name that a reaction leaves for whoever made it.
type Left<T> = Rc<Cell<T>>;

struct Pair {
    kind: Kind,
    sender: Host,
    receiver: Host,
    counted: Left<u64>,
    voice: Left<Option<(SessionKey, SendFlowId)>>,
}

impl Pair {
    fn begin(net: &mut Net, line: SharedLine, kind: Kind, number: usize) -> Self {
        let (counted, voice) = (Left::default(), Left::default());
        let machine = |name: &str| match kind {
            Kind::Tcp(_) => Contender::Tcp(Box::new(Tcp::new())),
            Kind::Bulk | Kind::TimeCritical | Kind::BulkBesideVoice => {
                let config = EndpointConfig { send_buffer: 4 << 20, ..config(&format!("{name}{number}")) };
                Contender::Rtmfp(Box::new(Endpoint::new(config)))
            }
        };
        let (sender, receiver) = (net.add(machine("from")), net.add(machine("to")));
        net.share(sender, line);
        let to = net.route_to(receiver);
        if let Kind::Tcp(algorithm) = kind {
            net.with(sender, |contender, now| match contender {
                Contender::Tcp(tcp) => tcp.start(now, to, algorithm),
                Contender::Rtmfp(_) => unreachable!("it is TCP"),
            });
        } else {
            let count = counted.clone();
            net.react(receiver, move |contender, _, event| match event {
                Event::FlowOpened { session, flow, .. } => {
                    contender.endpoint().accept_flow(*session, *flow, Delivery::Ordered);
                }
                Event::Message { bytes, .. } => count.set(count.get() + bytes.len() as u64),
                _ => {}
            });
            let left = voice.clone();
            net.react(sender, move |contender, now, event| {
                send_for_ever(contender.endpoint(), now, event, kind);
                if let (Event::SessionOpened { session, .. }, Kind::BulkBesideVoice) = (event, kind) {
                    let flow = contender.endpoint().open_flow(*session, options(Priority::Audio, true));
                    left.set(Some((*session, flow.expect("an open session"))));
                }
            });
            let wanted = Bytes::from(format!("to{number}"));
            net.with(sender, |contender, now| contender.endpoint().open_session(now, wanted, &[to]));
        }
        Self { kind, sender, receiver, counted, voice }
    }

    fn brought(&self, net: &mut Net) -> u64 {
        net.take_events(self.receiver);
        match (self.kind, net.machine(self.receiver)) {
            (Kind::Tcp(_), Contender::Tcp(tcp)) => tcp.received() * PAYLOAD as u64,
            _ => self.counted.get(),
        }
    }
}

/// Keeps more queued than a window holds.
fn send_for_ever(endpoint: &mut Endpoint, now: Instant, event: &Event, kind: Kind) {
    let write = |endpoint: &mut Endpoint, session: SessionKey, flow: SendFlowId| {
        let options = WriteOptions { report: true, ..WriteOptions::default() };
        endpoint.write(now, session, flow, Bytes::from_static(&[7; MESSAGE]), options).expect("room");
    };
    match event {
        Event::SessionOpened { session, .. } => {
            let options = options(Priority::Routine, kind == Kind::TimeCritical);
            let flow = endpoint.open_flow(*session, options).expect("an open session");
            (0..30).for_each(|_| write(endpoint, *session, flow));
        }
        Event::MessageDone { session, flow, .. } => write(endpoint, *session, *flow),
        _ => {}
    }
}

fn options(priority: Priority, time_critical: bool) -> FlowOptions {
    FlowOptions { metadata: Bytes::from_static(b"flow"), priority, time_critical, answers: None }
}

/// Checks the share of the first; for an even one both have at least half of it, so neither has twice.
fn check_share(kinds: [Kind; 2], queue: u32, wanted: RangeInclusive<f64>) {
    for_seeds(1, |seed| {
        let brought = minute(seed, kinds, queue);
        let all: u64 = brought.iter().sum();
        let share = brought[0] as f64 / (all as f64 / 2.0);
        println!(
            "{kinds:?}, queue of {queue}, seed {seed}: {share:.2}, {:.0} % used",
            all as f64 / 600.0 / BYTES_PER_SECOND as f64 * 1000.0
        );
        if wanted.contains(&share) { Ok(()) } else { Err(format!("{kinds:?}, queue of {queue}: {share:.2}")) }
    });
}

#[test]
fn a_file_beside_a_voice_yields_to_new_reno_and_is_not_starved_by_it() {
    for queue in [1, 4] {
        check_share([Kind::BulkBesideVoice, RENO], queue, 0.15..=1.25);
        check_share([RENO, Kind::BulkBesideVoice], queue, 0.75..=1.85);
    }
}

macro_rules! fairness {
    ($($name:ident: $first:expr, $second:expr;)*) => {
        $(#[test]
        fn $name() {
            for queue in [1, 4] {
                check_share([$first, $second], queue, 0.5..=1.5);
            }
        })*
    };
}

fairness! {
    two_sessions_share_evenly: Kind::Bulk, Kind::Bulk;
    a_session_that_comes_to_new_reno_gets_its_share_and_leaves_it_its_own: RENO, Kind::Bulk;
    new_reno_that_comes_to_a_session_gets_its_share_and_leaves_it_its_own: Kind::Bulk, RENO;
    a_session_that_comes_to_cubic_gets_its_share_and_leaves_it_its_own: CUBIC, Kind::Bulk;
    cubic_that_comes_to_a_session_gets_its_share_and_leaves_it_its_own: Kind::Bulk, CUBIC;
    two_time_critical_sessions_share_evenly: Kind::TimeCritical, Kind::TimeCritical;
    time_critical_data_that_comes_to_new_reno_gets_its_share_and_leaves_it_its_own: RENO, Kind::TimeCritical;
    new_reno_that_comes_to_time_critical_data_gets_its_share_and_leaves_it_its_own: Kind::TimeCritical, RENO;
    two_tcp_share_evenly: RENO, RENO;
}
