//! The least that packets like ours can cost: sealed, sent, received and opened in one bare loop, with segmentation and
//! receive offload, eight packets' cipher chains side by side, and no protocol at all.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};

use aes::cipher::{BlockCipherEncrypt, BlockModeDecrypt, InnerIvInit, KeyInit};
use aes::{Aes128Dec, Aes128Enc, Block};
use hmac::{Hmac, Mac};
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use sha2::Sha256;

use super::super::crypto::DATAGRAM;
use super::Took;

/// Session ID, cipher blocks, tag: the packet that a session of ours sends.
const ID: usize = 4;
const TAG: usize = 16;
const BLOCKS: usize = (DATAGRAM - ID - TAG) / 16;
const PACKET: usize = ID + BLOCKS * 16 + TAG;
/// Bytes of messages in it, sequence numbers and headers left out.
const CARRIED: usize = BLOCKS * 16 - 16;
/// Packets in a batch: as many whole groups of eight as the system takes at once.
const BATCH: usize = 48;
const SIDE_BY_SIDE: usize = 8;

pub(super) struct Socket {
    socket: UdpSocket,
    state: UdpSocketState,
}

impl Socket {
    pub(super) fn bind() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let state = UdpSocketState::new(UdpSockRef::from(&socket)).expect("a UDP socket");
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&socket), 1 << 20);
        Self { socket, state }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("a bound socket")
    }

    pub(super) fn send(&self, destination: SocketAddr, contents: &[u8], segment_size: usize) {
        let transmit =
            Transmit { destination, ecn: None, contents, segment_size: Some(segment_size), src_ip: None };
        self.state.try_send(UdpSockRef::from(&self.socket), &transmit).expect("room in an empty buffer");
    }

    /// What is there, handed over datagram by datagram; how many there were.
    pub(super) fn receive(&self, buffers: &mut [Vec<u8>; 4], mut each: impl FnMut(&mut [u8])) -> usize {
        let mut meta = [RecvMeta::default(); 4];
        let mut slices = buffers.each_mut().map(|buffer| IoSliceMut::new(buffer));
        let count = match self.state.recv(UdpSockRef::from(&self.socket), &mut slices, &mut meta) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => panic!("{error}"),
        };
        let mut datagrams = 0;
        for (meta, buffer) in meta[..count].iter().zip(buffers) {
            for datagram in buffer[..meta.len].chunks_mut(meta.stride) {
                each(datagram);
                datagrams += 1;
            }
        }
        datagrams
    }
}

pub(super) fn buffers() -> [Vec<u8>; 4] {
    std::array::from_fn(|_| vec![0; 1 << 16])
}

pub(super) fn carry(bytes: usize) -> Took {
    let (near, far) = (Socket::bind(), Socket::bind());
    let to = far.address();
    let (encrypt, decrypt) = (Aes128Enc::new(&[9; 16].into()), Aes128Dec::new(&[9; 16].into()));
    let keyed = <Hmac<Sha256> as KeyInit>::new_from_slice(&[7; 32]).expect("HMAC takes keys of any length");
    let message = vec![0x5a; CARRIED];
    let mut packets = vec![0; BATCH * PACKET];
    let mut buffers = buffers();
    let mut taken = vec![0; CARRIED];
    Took::measure(bytes, || {
        let mut came = 0;
        while came < bytes {
            for group in packets.chunks_mut(SIDE_BY_SIDE * PACKET) {
                for packet in group.chunks_mut(PACKET) {
                    packet[ID..][..CARRIED].copy_from_slice(&message);
                }
                encrypt_side_by_side(&encrypt, group);
                for packet in group.chunks_mut(PACKET) {
                    let (encrypted, tag) = packet[ID..].split_at_mut(BLOCKS * 16);
                    let mut mac = keyed.clone();
                    mac.update(encrypted);
                    tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG]);
                }
            }
            near.send(to, &packets, PACKET);
            let mut left = BATCH;
            while left > 0 {
                left -= far.receive(&mut buffers, |datagram| {
                    let (encrypted, tag) = datagram[ID..].split_at_mut(BLOCKS * 16);
                    let mut mac = keyed.clone();
                    mac.update(encrypted);
                    mac.verify_truncated_left(tag).expect("a packet of ours");
                    let (blocks, _) = Block::slice_as_chunks_mut(encrypted);
                    cbc::Decryptor::inner_iv_init(&decrypt, &Block::default()).decrypt_blocks(blocks);
                    taken.copy_from_slice(&encrypted[..CARRIED]);
                    came += CARRIED;
                });
            }
        }
    })
}

fn encrypt_side_by_side(cipher: &Aes128Enc, packets: &mut [u8]) {
    let mut states = [Block::default(); SIDE_BY_SIDE];
    for block in 0..BLOCKS {
        let at = ID + block * 16;
        for (state, packet) in states.iter_mut().zip(packets.chunks(PACKET)) {
            state.iter_mut().zip(&packet[at..at + 16]).for_each(|(state, byte)| *state ^= byte);
        }
        cipher.encrypt_blocks(&mut states);
        for (state, packet) in states.iter().zip(packets.chunks_mut(PACKET)) {
            packet[at..at + 16].copy_from_slice(state);
        }
    }
}
