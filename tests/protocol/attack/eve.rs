//! Somebody with a session of her own, who says in it what she likes.

use std::net::SocketAddr;

use tincan::rtmfp::crypto::PacketCipher;
use tincan::rtmfp::endpoint::SessionKey;

use crate::support::raw::{
    PING, RHELLO, RIKEYING, Seen, chunk, counted, ihello, iikeying, keys, parts_of_rhello, sealed, sent_by,
    split_counted, vlu,
};
use crate::support::scenario::{Net, all_opened};
use crate::support::virtual_network::Host;

pub(super) const USER_DATA: u8 = 0x10;
pub(super) const RANGE_ACK: u8 = 0x51;
pub(super) const FLOW_EXCEPTION: u8 = 0x5e;

/// The flags of User Data.
pub(super) const FIRST: u8 = 0x10;
pub(super) const MIDDLE: u8 = 0x30;

/// An address of hers, or of nobody's.
pub(super) fn place(number: u32) -> SocketAddr {
    let [_, a, b, c] = number.to_be_bytes();
    SocketAddr::from(([203, a, b, c], 4000))
}

/// Hands a datagram over, and answers what is sent at once.
pub(super) fn ask(net: &mut Net, to: Host, from: SocketAddr, datagram: &[u8]) -> Vec<Seen> {
    net.clear_log();
    net.inject(to, from, datagram);
    sent_by(net, to)
}

/// A cookie for whoever is at this address. The hello is as long as the answer, so that it is never too much.
pub(super) fn cookie_for(net: &mut Net, bob: Host, from: SocketAddr) -> Vec<u8> {
    let padded = [&ihello(b"bob", b"tag")[..], &[0xff; 200]].concat();
    let answers = ask(net, bob, from, &padded);
    parts_of_rhello(answers[0].payload(RHELLO).expect("an answer")).1.to_vec()
}

/// Eve's end of a session with Bob.
pub(super) struct Eve {
    pub(super) from: SocketAddr,
    /// The session ID at Bob's.
    pub(super) far_id: u32,
    pub(super) cipher: Box<dyn PacketCipher>,
}

impl Eve {
    /// A session that Bob has keys for, and no proof. `None` when he does not want it.
    pub(super) fn half_open(net: &mut Net, bob: Host, from: SocketAddr, near_id: u32) -> Option<Self> {
        let cookie = cookie_for(net, bob, from);
        let mut component = [7; 32];
        component[..4].copy_from_slice(&near_id.to_be_bytes());
        let answers = ask(net, bob, from, &iikeying(near_id, &cookie, "eve", &component));
        let keying = answers.iter().find_map(|seen| seen.payload(RIKEYING))?.to_vec();
        let (far_component, _) = split_counted(&keying[4..]);
        let far_id = u32::from_be_bytes(keying[..4].try_into().expect("four bytes"));
        Some(Self { from, far_id, cipher: keys(component, far_component).cipher })
    }

    /// A session that Bob knows of, and what he calls it.
    pub(super) fn open(net: &mut Net, bob: Host, from: SocketAddr) -> (Self, SessionKey) {
        let mut eve = Self::half_open(net, bob, from, 5).expect("a session");
        let known = all_opened(net, bob).len();
        eve.say(net, bob, &chunk(PING, b""));
        (eve, all_opened(net, bob)[known])
    }

    /// Says these chunks in one packet.
    pub(super) fn say(&mut self, net: &mut Net, bob: Host, chunks: &[u8]) {
        let datagram = sealed(&mut *self.cipher, self.far_id, &[&[0x01], chunks].concat());
        net.inject(bob, self.from, &datagram);
    }
}

/// A fragment with its flow's metadata, so that it can be the flow's first.
pub(super) fn user_data(
    flow: usize,
    sequence: usize,
    forward_offset: usize,
    flags: u8,
    data: &[u8],
) -> Vec<u8> {
    let mut payload = vec![0x80 | flags];
    for number in [flow, sequence, forward_offset] {
        payload.extend(vlu(number));
    }
    payload.extend(counted(&[0, b'm']));
    payload.push(0);
    payload.extend(data);
    chunk(USER_DATA, &payload)
}

/// A Range Ack: flow, blocks of window, cumulative number, pairs.
pub(super) fn range_ack(numbers: &[usize]) -> Vec<u8> {
    chunk(RANGE_ACK, &numbers.iter().flat_map(|number| vlu(*number)).collect::<Vec<_>>())
}
