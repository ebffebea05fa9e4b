//! Plain UDP: the same bytes without a cipher, and the delay of a datagram through the same kind of loop as a driver's.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;

use super::super::crypto::DATAGRAM;
use super::floor::{Socket, buffers};
use super::{BETWEEN, Took};

const BATCH: usize = 48;

/// Sends and receives, and copies the bytes in and out.
pub(super) fn carry(bytes: usize) -> Took {
    let (near, far) = (Socket::bind(), Socket::bind());
    let to = far.address();
    let message = vec![0x5a; DATAGRAM];
    let (mut packets, mut taken) = (vec![0; BATCH * DATAGRAM], vec![0; DATAGRAM]);
    let mut buffers = buffers();
    Took::measure(bytes, || {
        let mut came = 0;
        while came < bytes {
            packets.chunks_mut(DATAGRAM).for_each(|packet| packet.copy_from_slice(&message));
            near.send(to, &packets, DATAGRAM);
            let mut left = BATCH;
            while left > 0 {
                left -= far.receive(&mut buffers, |datagram| {
                    taken.copy_from_slice(datagram);
                    came += datagram.len();
                });
            }
        }
    })
}

/// Two sockets, each with a task on a thread of its own; one takes commands, the other calls back.
pub(super) struct Pair {
    send: tokio::sync::mpsc::Sender<Instant>,
    came: mpsc::Receiver<Duration>,
}

impl Pair {
    pub(super) fn open() -> Self {
        let (tell, told) = mpsc::channel();
        let (came, arrivals) = mpsc::channel();
        let (send, mut asked) = tokio::sync::mpsc::channel::<Instant>(16);
        let (ask_sent, sent_at) = mpsc::channel::<Instant>();
        on_a_thread(async move {
            let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
            tell.send(socket.local_addr().expect("a bound socket")).expect("somebody waits");
            let mut buffer = [0; 2048];
            while socket.recv_from(&mut buffer).await.is_ok() {
                let now = Instant::now();
                let Ok(sent) = sent_at.recv() else { return };
                if came.send(now - sent).is_err() {
                    return;
                }
            }
        });
        let to: SocketAddr = told.recv().expect("the other thread starts");
        on_a_thread(async move {
            let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
            while let Some(at) = asked.recv().await {
                ask_sent.send(at).expect("the other thread runs");
                socket.send_to(&[0x5a; 100], to).await.expect("room in an empty buffer");
            }
        });
        Self { send, came: arrivals }
    }

    pub(super) fn delays(self, count: usize) -> Vec<Duration> {
        (0..count)
            .map(|_| {
                thread::sleep(BETWEEN);
                self.send.try_send(Instant::now()).expect("an idle task");
                self.came.recv().expect("loopback loses nothing")
            })
            .collect()
    }
}

/// Runs a task on a runtime and thread of its own, until it ends.
pub(super) fn on_a_thread(task: impl Future<Output = ()> + Send + 'static) {
    thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(task);
    });
}
