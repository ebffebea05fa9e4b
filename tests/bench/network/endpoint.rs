//! Two endpoints of ours, each with a driver on a thread of its own.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tincan::driver::{self, Driver, DriverConfig};
use tincan::rtmfp::Event;
use tincan::rtmfp::crypto::Profile;
use tincan::rtmfp::crypto::flash::{Flash, Identity, discriminator_for_url};
use tincan::rtmfp::endpoint::{
    Delivery, Endpoint, EndpointConfig, FlowOptions, Priority, SendFlowId, SessionKey, WriteOptions,
};
use tincan::rtmfp::machine::{Input, Machine, Output, PathId, Route};

use super::raw::on_a_thread;
use super::{BETWEEN, Took, thread_time};

/// Who opens a session to whom.
#[derive(Clone, Copy)]
pub(super) enum Ends {
    /// Both have lasting keys.
    Peers,
    /// The one that answers makes keys for each session.
    ClientAndServer,
}

/// A session between two drivers.
pub(super) struct Ours {
    near: Handle,
    near_told: mpsc::Receiver<Told>,
    far: Handle,
    far_told: mpsc::Receiver<Told>,
    took_to_open: Duration,
}

/// A driver at work, and what keeps its thread alive.
struct Handle {
    driver: Driver<Ask>,
    _alive: tokio::sync::mpsc::Sender<()>,
}

impl Handle {
    fn ask(&self, ask: Ask) {
        self.driver.try_command(ask).expect("an idle driver");
    }
}

/// What a transfer took, at either end and for both.
pub(super) struct Carried {
    pub(super) both: Took,
    pub(super) sender: Duration,
    pub(super) receiver: Duration,
    /// Bytes that a call of the system took from the sender, on average.
    pub(super) bytes_a_call: f64,
}

enum Ask {
    Open {
        to: SocketAddr,
        discriminator: Bytes,
    },
    /// Keeps the queue full until so many messages were written.
    Write {
        message: Bytes,
        count: usize,
    },
    /// Tells when so many bytes came.
    Expect {
        bytes: usize,
    },
}

enum Told {
    Opened(Instant),
    /// A message, when fewer bytes are expected than it has.
    Came(Instant),
    /// Everything written was acknowledged, or everything expected came; the processor time of the thread for it.
    Done(Duration),
}

/// An endpoint that writes by itself whenever there is room.
struct Writer {
    endpoint: Endpoint,
    flow: Option<(SessionKey, SendFlowId)>,
    message: Bytes,
    to_write: usize,
    began: Duration,
    expected: usize,
    told: mpsc::Sender<Told>,
}

impl Ours {
    pub(super) fn open(ends: Ends) -> Self {
        let identity = Identity::generate([2; 32]);
        let (answers, discriminator): (Arc<dyn Profile>, _) = match ends {
            Ends::Peers => {
                let peer = identity.peer_id();
                let profile = Flash::peer(identity);
                let discriminator = profile.discriminator_of(peer);
                (Arc::new(profile), discriminator)
            }
            Ends::ClientAndServer => {
                (Arc::new(Flash::server([2; 32])), discriminator_for_url("rtmfp://127.0.0.1/bench"))
            }
        };
        let (far, far_told) = start(answers, 2);
        let (near, near_told) = start(Arc::new(Flash::peer(Identity::generate([1; 32]))), 1);
        let to = far.driver.local_addresses()[0];
        let asked = Instant::now();
        near.ask(Ask::Open { to, discriminator: discriminator.into() });
        let Ok(Told::Opened(at)) = near_told.recv() else { panic!("the session opens") };
        Self { near, near_told, far, far_told, took_to_open: at - asked }
    }

    pub(super) fn took_to_open(self) -> Duration {
        self.took_to_open
    }

    /// Carries so many bytes in messages of that length, and waits until both ends know.
    pub(super) fn carry(self, bytes: usize, length: usize) -> Carried {
        let (message, count) = (Bytes::from(vec![0x5a; length]), bytes / length);
        let mut ends = [Duration::ZERO; 2];
        let both = Took::measure(bytes, || {
            self.far.ask(Ask::Expect { bytes });
            self.near.ask(Ask::Write { message, count });
            for (told, time) in [&self.near_told, &self.far_told].into_iter().zip(&mut ends) {
                *time = done(told);
            }
        });
        let sent = self.near.driver.counters();
        let bytes_a_call = sent.bytes_sent as f64 / sent.batches_sent as f64;
        Carried { both, sender: ends[0], receiver: ends[1], bytes_a_call }
    }

    /// Sends one message after the other, each when all is quiet.
    pub(super) fn delays(self, count: usize) -> Vec<Duration> {
        (0..count)
            .map(|_| {
                thread::sleep(BETWEEN);
                let message = Bytes::from_static(&[0x5a; 100]);
                let sent = Instant::now();
                self.near.ask(Ask::Write { message, count: 1 });
                loop {
                    if let Ok(Told::Came(at)) = self.far_told.recv() {
                        return at - sent;
                    }
                }
            })
            .collect()
    }
}

fn done(told: &mpsc::Receiver<Told>) -> Duration {
    loop {
        match told.recv().expect("a running driver") {
            Told::Done(time) => return time,
            Told::Opened(_) | Told::Came(_) => {}
        }
    }
}

/// An endpoint and its driver, on a thread that ends with the handle.
fn start(profile: Arc<dyn Profile>, seed: u8) -> (Handle, mpsc::Receiver<Told>) {
    let (told, events) = mpsc::channel();
    let (tell_driver, drivers) = mpsc::channel();
    let (alive, mut ended) = tokio::sync::mpsc::channel::<()>(1);
    on_a_thread(async move {
        let writer = Writer {
            endpoint: Endpoint::new(EndpointConfig::new(profile, [seed; 32])),
            flow: None,
            message: Bytes::new(),
            to_write: 0,
            began: Duration::ZERO,
            expected: 0,
            told,
        };
        let config = DriverConfig::new(vec![SocketAddr::from(([127, 0, 0, 1], 0))]);
        let driver = driver::spawn(writer, config, |()| {}).expect("a free port");
        tell_driver.send(driver).expect("somebody waits");
        ended.recv().await;
    });
    let driver = drivers.recv().expect("the driver starts");
    (Handle { driver, _alive: alive }, events)
}

impl Machine for Writer {
    type Command = Ask;
    type Event = ();

    fn handle_input(&mut self, now: Instant, input: Input<'_, Ask>) {
        match input.without_command() {
            Ok(input) => self.endpoint.handle_input(now, input),
            Err(Ask::Open { to, discriminator }) => {
                self.endpoint.open_session(now, discriminator, &[Route { via: PathId(0), address: to }]);
            }
            Err(Ask::Write { message, count }) => {
                (self.message, self.to_write, self.began) = (message, count, thread_time());
                self.write(now);
            }
            Err(Ask::Expect { bytes }) => (self.expected, self.began) = (bytes, thread_time()),
        }
    }

    fn poll_output(&mut self, now: Instant, packets: &mut Vec<u8>) -> Output<()> {
        loop {
            return match self.endpoint.poll_output(now, packets) {
                Output::Event(event) => {
                    self.on_event(now, event);
                    continue;
                }
                Output::Transmit(transmit) => Output::Transmit(transmit),
                Output::Compute(job) => Output::Compute(job),
                Output::Sleep(until) => Output::Sleep(until),
            };
        }
    }
}

impl Writer {
    fn on_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::SessionOpened { session, initiator: true, .. } => {
                let options = FlowOptions {
                    metadata: Bytes::from_static(b"bench"),
                    priority: Priority::Routine,
                    time_critical: false,
                    answers: None,
                };
                let flow = self.endpoint.open_flow(session, options).expect("an open session");
                self.flow = Some((session, flow));
                self.tell(Told::Opened(Instant::now()));
            }
            Event::FlowOpened { session, flow, .. } => {
                self.endpoint.accept_flow(session, flow, Delivery::Ordered);
            }
            Event::FlowWritable { .. } => self.write(now),
            Event::MessageDone { .. } => self.tell(Told::Done(thread_time() - self.began)),
            Event::Message { bytes, .. } => match self.expected.checked_sub(bytes.len()) {
                None => self.tell(Told::Came(Instant::now())),
                Some(0) => {
                    self.expected = 0;
                    self.tell(Told::Done(thread_time() - self.began));
                }
                Some(left) => self.expected = left,
            },
            _ => {}
        }
    }

    /// Writes until the queue is full; of the last message it wants to know when it was acknowledged.
    fn write(&mut self, now: Instant) {
        let Some((session, flow)) = self.flow else { return };
        while self.to_write > 0 {
            let options = WriteOptions { report: self.to_write == 1, ..WriteOptions::default() };
            if self.endpoint.write(now, session, flow, self.message.clone(), options).is_err() {
                return;
            }
            self.to_write -= 1;
        }
    }

    fn tell(&self, what: Told) {
        // Nobody listens any more once a round is over.
        let _ = self.told.send(what);
    }
}
