//! The competitor: an endless TCP transfer, as far as its congestion control goes.
//!
//! Slow start from ten segments, selective acknowledgements every second segment or after 40 ms, fast retransmit and
//! recovery by what is in the pipe (RFC 6675), retransmission timeouts (RFC 6298), and either the window of NewReno
//! (RFC 5681) or that of CUBIC with its Reno-friendly region (RFC 9438). It numbers segments rather than bytes.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use tincan::rtmfp::machine::{Input, Output, Route, Transmit, Urgency};

/// Bytes of a segment on the wire.
const SEGMENT: usize = 1_240;
/// Bytes it brings.
pub(crate) const PAYLOAD: usize = 1_200;

/// How the window grows and is cut.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Algorithm {
    NewReno,
    Cubic,
}

/// One end of a connection that needs no opening: its sender and its receiver.
pub(crate) struct Tcp {
    sender: Option<Sender>,
    receiver: Receiver,
    out: VecDeque<(Route, Vec<u8>)>,
}

struct Sender {
    algorithm: Algorithm,
    to: Route,
    first: u64,
    /// From `first` on.
    segments: VecDeque<Segment>,
    window: f64,
    slow_start_below: f64,
    /// No further cut until this number is acknowledged.
    recover: u64,
    timeout_at: Option<Instant>,
    timeout: Duration,
    smoothed: Option<(Duration, Duration)>,
    /// CUBIC: the window before the last cut; when this epoch began, how long the way back to the top is, and the top; and
    /// what Reno would have by now.
    before_cut: f64,
    epoch: Option<(Instant, f64, f64)>,
    reno: f64,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    sent: Instant,
    again: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Flying,
    Came,
    Lost,
}

#[derive(Default)]
struct Receiver {
    next: u64,
    beyond: BTreeSet<u64>,
    unacknowledged: u32,
    acknowledge_at: Option<Instant>,
    from: Option<Route>,
}

impl Tcp {
    /// An end that only receives, until [`Self::start`].
    pub(crate) fn new() -> Self {
        Self { sender: None, receiver: Receiver::default(), out: VecDeque::new() }
    }

    /// Begins to send for ever.
    pub(crate) fn start(&mut self, now: Instant, to: Route, algorithm: Algorithm) {
        let sender = Sender {
            algorithm,
            to,
            first: 0,
            segments: VecDeque::new(),
            window: 10.0,
            slow_start_below: f64::INFINITY,
            recover: 0,
            timeout_at: None,
            timeout: Duration::from_secs(1),
            smoothed: None,
            before_cut: 0.0,
            epoch: None,
            reno: 0.0,
        };
        self.sender.insert(sender).send(now, &mut self.out);
    }

    /// Segments received in order.
    pub(crate) fn received(&self) -> u64 {
        self.receiver.next
    }

    /// As a machine is told.
    pub(crate) fn handle_input<C>(&mut self, now: Instant, input: Input<'_, C>) {
        if let Input::Received(received) = input {
            let number = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().expect("eight bytes"));
            let numbers: Vec<u64> = received.bytes[1..].chunks_exact(8).map(number).collect();
            match (received.bytes[0], &mut self.sender) {
                (DATA, _) => self.receiver.on_segment(now, received.route, numbers[0], &mut self.out),
                (_, Some(sender)) => sender.on_acknowledgement(now, &numbers, &mut self.out),
                _ => {}
            }
        }
        self.receiver.on_time(now, &mut self.out);
        if let Some(sender) = &mut self.sender {
            sender.on_time(now, &mut self.out);
        }
    }

    /// As a machine answers.
    pub(crate) fn poll_output<E>(&mut self, packets: &mut Vec<u8>) -> Output<E> {
        packets.clear();
        match self.out.pop_front() {
            Some((route, bytes)) => {
                packets.extend_from_slice(&bytes);
                Output::Transmit(Transmit {
                    route,
                    ecn: None,
                    urgency: Urgency::default(),
                    segment_size: bytes.len(),
                })
            }
            None => {
                let timeout = self.sender.as_ref().and_then(|sender| sender.timeout_at);
                Output::Sleep(timeout.into_iter().chain(self.receiver.acknowledge_at).min())
            }
        }
    }
}

impl Sender {
    fn pipe(&self) -> usize {
        self.segments.iter().filter(|segment| segment.state == State::Flying).count()
    }

    fn send(&mut self, now: Instant, out: &mut VecDeque<(Route, Vec<u8>)>) {
        let mut pipe = self.pipe();
        while pipe < self.window as usize {
            let lost = self.segments.iter().position(|segment| segment.state == State::Lost);
            let again = lost.is_some();
            let index = lost.unwrap_or_else(|| {
                self.segments.push_back(Segment { sent: now, again, state: State::Flying });
                self.segments.len() - 1
            });
            self.segments[index] = Segment { sent: now, again, state: State::Flying };
            let mut bytes = vec![DATA];
            bytes.extend((self.first + index as u64).to_be_bytes());
            bytes.resize(SEGMENT, 0);
            out.push_back((self.to, bytes));
            self.timeout_at.get_or_insert(now + self.timeout);
            pipe += 1;
        }
    }

    fn on_acknowledgement(&mut self, now: Instant, numbers: &[u64], out: &mut VecDeque<(Route, Vec<u8>)>) {
        let (cumulative, ranges) = numbers.split_first().expect("a cumulative acknowledgement");
        let mut newly = 0.0;
        let mut sample = None;
        for (number, segment) in (self.first..).zip(&mut self.segments) {
            let mut ranges = ranges.chunks_exact(2);
            let here = number < *cumulative || ranges.any(|range| (range[0]..=range[1]).contains(&number));
            if here && segment.state != State::Came {
                newly += 1.0;
                if !segment.again {
                    sample = Some(now - segment.sent);
                }
                segment.state = State::Came;
            }
        }
        if let Some(sample) = sample {
            self.measure(sample);
        }
        // Lost is what three behind it have passed, or one that was sent well after it (RFC 8985).
        let latest = self
            .segments
            .iter()
            .filter(|segment| segment.state == State::Came)
            .map(|segment| segment.sent)
            .max();
        let slack = self.smoothed.map_or(Duration::ZERO, |(smoothed, _)| smoothed / 4);
        let mut passed = 0;
        let mut loss = None;
        for (index, segment) in self.segments.iter_mut().enumerate().rev() {
            let overtaken = latest.is_some_and(|latest| segment.sent + slack < latest);
            match segment.state {
                State::Came => passed += 1,
                State::Flying if overtaken || (passed >= 3 && !segment.again) => {
                    segment.state = State::Lost;
                    loss = Some(loss.unwrap_or(self.first + index as u64));
                }
                State::Flying | State::Lost => {}
            }
        }
        if loss.is_some_and(|number| number >= self.recover) {
            self.recover = self.first + self.segments.len() as u64;
            self.cut();
        } else if self.first >= self.recover {
            self.grow(now, newly);
        }
        let before = self.first;
        while self.segments.front().is_some_and(|segment| segment.state == State::Came) {
            self.segments.pop_front();
            self.first += 1;
        }
        if self.first > before {
            self.timeout_at = Some(now + self.timeout);
        }
        self.send(now, out);
    }

    fn on_time(&mut self, now: Instant, out: &mut VecDeque<(Route, Vec<u8>)>) {
        if self.timeout_at.is_none_or(|at| at > now) {
            return;
        }
        self.slow_start_below = (self.pipe() as f64 / 2.0).max(2.0);
        self.window = 1.0;
        self.epoch = None;
        self.recover = self.first + self.segments.len() as u64;
        self.segments.iter_mut().filter(|segment| segment.state == State::Flying).for_each(|segment| {
            segment.state = State::Lost;
        });
        self.timeout = (self.timeout * 2).min(Duration::from_secs(60));
        self.timeout_at = Some(now + self.timeout);
        self.send(now, out);
    }

    fn cut(&mut self) {
        let kept = match self.algorithm {
            Algorithm::NewReno => 0.5,
            Algorithm::Cubic => 0.7,
        };
        // Fast convergence: whoever is on the way down leaves more to others.
        self.before_cut = if self.window < self.before_cut { self.window * 0.85 } else { self.window };
        self.window = (self.window * kept).max(2.0);
        self.slow_start_below = self.window;
        self.epoch = None;
    }

    fn grow(&mut self, now: Instant, newly: f64) {
        if self.window < self.slow_start_below {
            self.window += newly.min(2.0);
            return;
        }
        match self.algorithm {
            Algorithm::NewReno => self.window += newly / self.window,
            Algorithm::Cubic => {
                let (begin, distance, top) = *self.epoch.get_or_insert_with(|| {
                    self.reno = self.window;
                    let top = self.before_cut.max(self.window);
                    (now, ((top - self.window) / 0.4).cbrt(), top)
                });
                let trip = self.smoothed.map_or(0.0, |(smoothed, _)| smoothed.as_secs_f64());
                let after = (now - begin).as_secs_f64() + trip;
                let target = (0.4 * (after - distance).powi(3) + top).clamp(self.window, self.window * 1.5);
                self.reno += 0.529 * newly / self.window;
                self.window += (target - self.window) / self.window * newly;
                self.window = self.window.max(self.reno);
            }
        }
    }

    fn measure(&mut self, sample: Duration) {
        let (smoothed, variation) = match self.smoothed {
            None => (sample, sample / 2),
            Some((smoothed, variation)) => {
                ((smoothed * 7 + sample) / 8, (variation * 3 + smoothed.abs_diff(sample)) / 4)
            }
        };
        self.smoothed = Some((smoothed, variation));
        self.timeout = (smoothed + variation * 4).max(Duration::from_millis(200));
    }
}

impl Receiver {
    fn on_segment(&mut self, now: Instant, from: Route, number: u64, out: &mut VecDeque<(Route, Vec<u8>)>) {
        self.from = Some(from);
        let in_order = number == self.next && self.beyond.is_empty();
        if number >= self.next {
            self.beyond.insert(number);
        }
        while self.beyond.remove(&self.next) {
            self.next += 1;
        }
        self.unacknowledged += 1;
        if !in_order || self.unacknowledged >= 2 {
            self.acknowledge(out);
        } else {
            self.acknowledge_at.get_or_insert(now + Duration::from_millis(40));
        }
    }

    fn on_time(&mut self, now: Instant, out: &mut VecDeque<(Route, Vec<u8>)>) {
        if self.acknowledge_at.is_some_and(|at| at <= now) {
            self.acknowledge(out);
        }
    }

    fn acknowledge(&mut self, out: &mut VecDeque<(Route, Vec<u8>)>) {
        self.unacknowledged = 0;
        self.acknowledge_at = None;
        let mut ranges: Vec<[u64; 2]> = Vec::new();
        for number in &self.beyond {
            match ranges.last_mut() {
                Some([_, last]) if *last + 1 == *number => *last = *number,
                _ => ranges.push([*number; 2]),
            }
        }
        let numbers = [self.next].into_iter().chain(ranges.into_iter().take(MOST_RANGES).flatten());
        let mut bytes = vec![ACKNOWLEDGEMENT];
        numbers.for_each(|number| bytes.extend(number.to_be_bytes()));
        out.extend(self.from.map(|to| (to, bytes)));
    }
}

const DATA: u8 = 1;
const ACKNOWLEDGEMENT: u8 = 2;
/// Ranges in an acknowledgement.
const MOST_RANGES: usize = 64;
