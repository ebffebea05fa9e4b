//! Real loopback UDP through the driver, with a machine small enough to see through.
#![cfg(feature = "net")]

mod examples;
mod paths;
#[cfg(feature = "updates")]
mod release_feed;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "turn")]
mod turn;

use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tincan::driver::{self, Driver, DriverConfig, DriverError};
use tincan::rtmfp::machine::{Ecn, Input, Job, JobId, Machine, Output, PathId, Route, Transmit, Urgency};

/// Sends back what comes, one datagram after the other in one batch; computes, waits and tells on command.
#[derive(Default)]
struct Echo {
    answers: bool,
    to_do: Vec<Output<Told>>,
    packets: Vec<u8>,
    alarm: Option<Instant>,
}

#[derive(Debug, PartialEq)]
enum Told {
    Opened(SocketAddr),
    Closed(PathId),
    Came { bytes: Vec<u8>, segments: usize, ecn: Option<Ecn> },
    Computed(u64),
    Alarm,
}

enum Ask {
    Send { to: SocketAddr, packets: Vec<u8>, segment_size: usize },
    SendOver { route: Route, packets: Vec<u8>, segment_size: usize },
    SendSound { to: SocketAddr, packets: Vec<u8>, segment_size: usize },
    Compute,
    WakeIn(Duration),
}

impl Echo {
    fn send(&mut self, route: Route, segment_size: usize, packets: &[u8]) {
        self.packets = packets.to_vec();
        self.to_do.push(Output::Transmit(Transmit::ordinary(route, segment_size)));
    }
}

impl Machine for Echo {
    type Command = Ask;
    type Event = Told;

    fn handle_input(&mut self, now: Instant, input: Input<'_, Ask>) {
        match input {
            Input::Received(received) => {
                if self.answers {
                    self.send(received.route, received.segment_size, received.bytes);
                }
                let segments = received.bytes.len().div_ceil(received.segment_size);
                let (bytes, ecn) = (received.bytes.to_vec(), received.ecn);
                self.to_do.push(Output::Event(Told::Came { bytes, segments, ecn }));
            }
            Input::PathOpened { local, .. } => self.to_do.push(Output::Event(Told::Opened(local))),
            Input::Computed(computed) => {
                let result = computed.result.downcast::<u64>().expect("what our job returns");
                self.to_do.push(Output::Event(Told::Computed(*result)));
            }
            Input::Command(Ask::Send { to, packets, segment_size }) => {
                self.send(Route { via: PathId(0), address: to }, segment_size, &packets);
            }
            Input::Command(Ask::SendOver { route, packets, segment_size }) => {
                self.send(route, segment_size, &packets);
            }
            Input::Command(Ask::SendSound { to, packets, segment_size }) => {
                let route = Route { via: PathId(0), address: to };
                self.packets = packets;
                self.to_do.push(Output::Transmit(Transmit {
                    urgency: Urgency::Sound,
                    ecn: Some(Ecn::Capable0),
                    ..Transmit::ordinary(route, segment_size)
                }));
            }
            Input::Command(Ask::Compute) => {
                self.to_do.push(Output::Compute(Job { id: JobId(1), work: Box::new(|| Box::new(42_u64)) }));
            }
            Input::Command(Ask::WakeIn(wait)) => self.alarm = Some(now + wait),
            Input::Time => {
                if self.alarm.take_if(|alarm| *alarm <= now).is_some() {
                    self.to_do.push(Output::Event(Told::Alarm));
                }
            }
            Input::PathClosed { path } => self.to_do.push(Output::Event(Told::Closed(path))),
        }
    }

    fn poll_output(&mut self, _now: Instant, packets: &mut Vec<u8>) -> Output<Told> {
        packets.clear();
        match self.to_do.pop() {
            Some(transmit @ Output::Transmit(_)) => {
                packets.append(&mut self.packets);
                transmit
            }
            Some(other) => other,
            None => Output::Sleep(self.alarm),
        }
    }
}

fn start(answers: bool) -> (Driver<Ask>, mpsc::Receiver<Told>) {
    let (tell, told) = mpsc::channel();
    let machine = Echo { answers, ..Echo::default() };
    let config = DriverConfig::new(vec!["127.0.0.1:0".parse().unwrap()]);
    let driver = driver::spawn(machine, config, move |event| drop(tell.send(event))).unwrap();
    (driver, told)
}

fn next(told: &mpsc::Receiver<Told>) -> Told {
    told.recv_timeout(Duration::from_secs(10)).expect("told within ten seconds")
}

fn everything(told: &mpsc::Receiver<Told>, length: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < length {
        if let Told::Came { bytes, .. } = next(told) {
            all.extend(bytes);
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_datagram_goes_there_and_back() {
    let (near, told) = start(false);
    let (far, _far_told) = start(true);
    assert_eq!(next(&told), Told::Opened(near.local_addresses()[0]));
    let to = far.local_addresses()[0];
    near.command(Ask::Send { to, packets: b"hello".to_vec(), segment_size: 5 }).await.unwrap();
    assert_eq!(next(&told), Told::Came { bytes: b"hello".to_vec(), segments: 1, ecn: None });
    assert_eq!(near.counters().bytes_received, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_larger_than_the_system_takes_at_once_arrives_whole() {
    let (near, told) = start(false);
    let (far, _far_told) = start(true);
    let packets: Vec<u8> = (0..150_u8).flat_map(|n| vec![n; 1000]).chain([7; 10]).collect();
    let length = packets.len();
    let to = far.local_addresses()[0];
    near.command(Ask::Send { to, packets: packets.clone(), segment_size: 1000 }).await.unwrap();
    assert!(everything(&told, length) == packets, "all 151 packets, in order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_arrives_whole_with_its_congestion_mark() {
    let (near, _told) = start(false);
    let (far, told) = start(false);
    next(&told);
    let packets: Vec<u8> = (0..3_u8).flat_map(|n| vec![n; 100]).chain([7; 10]).collect();
    let to = far.local_addresses()[0];
    near.command(Ask::SendSound { to, packets: packets.clone(), segment_size: 100 }).await.unwrap();
    let mut came = Vec::new();
    while came.len() < packets.len() {
        let Told::Came { bytes, ecn, .. } = next(&told) else { continue };
        assert_eq!(ecn, Some(Ecn::Capable0));
        came.extend(bytes);
    }
    assert_eq!(came, packets);
    assert_eq!(near.counters().batches_sent, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_far_port_stops_nothing() {
    let (near, told) = start(false);
    let (far, _far_told) = start(true);
    let gone = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for to in [gone, gone, far.local_addresses()[0]] {
        near.command(Ask::Send { to, packets: b"still here".to_vec(), segment_size: 10 }).await.unwrap();
    }
    assert_eq!(everything(&told, 10), b"still here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_come_back_and_deadlines_are_kept() {
    let (near, told) = start(false);
    next(&told);
    near.command(Ask::Compute).await.unwrap();
    assert_eq!(next(&told), Told::Computed(42));
    near.command(Ask::WakeIn(Duration::from_millis(20))).await.unwrap();
    assert_eq!(next(&told), Told::Alarm);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_carries_out_what_is_queued_and_frees_the_port() {
    let (near, _told) = start(false);
    let (far, far_told) = start(false);
    next(&far_told);
    let to = far.local_addresses()[0];
    let port = near.local_addresses()[0];
    near.try_command(Ask::Send { to, packets: b"goodbye".to_vec(), segment_size: 7 }).unwrap();
    near.stop().await;
    assert_eq!(everything(&far_told, 7), b"goodbye");
    assert!(std::net::UdpSocket::bind(port).is_ok());
}

#[tokio::test]
async fn an_address_in_use_is_refused_with_a_sentence() {
    let (near, _told) = start(false);
    let taken = near.local_addresses()[0];
    let again = driver::spawn(Echo::default(), DriverConfig::new(vec![taken]), drop);
    let Err(error @ DriverError::AddressInUse { .. }) = again else { panic!("bound twice") };
    assert_eq!(error.to_string(), format!("UDP address {taken} is already in use by another program."));
}

#[tokio::test]
async fn a_wished_port_that_is_taken_is_no_reason_not_to_start() {
    let taken = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let near = driver::spawn(Echo::default(), DriverConfig::preferred_port(port), drop).unwrap();
    assert!(near.local_addresses().iter().any(|local| local.is_ipv4() && local.port() != port));
    near.stop().await;
    drop(taken);
    let near = driver::spawn(Echo::default(), DriverConfig::preferred_port(port), drop).unwrap();
    assert!(near.local_addresses().iter().all(|local| local.port() == port));
}
