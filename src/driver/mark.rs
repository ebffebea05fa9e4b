//! Marks for routers (DSCP, RFC 2474): sound before pictures before everything else, as RFC 8837 §5 has it for calls.
//!
//! A mark is an option of the socket, and costs a system call to change; packets that follow one another are mostly of one
//! kind. Systems that do not let one set it, as Windows without a policy, send everything unmarked.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, Ordering};

use socket2::SockRef;

use crate::rtmfp::machine::{Ecn, Transmit, Urgency};

/// The traffic class that a socket's packets carry at the moment, unless they bring their own.
#[derive(Debug, Default)]
pub(super) struct Mark(AtomicU8);

/// Whether the socket itself marks what is sent now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Marked {
    Yes,
    No,
}

impl Marked {
    pub(super) fn is_marked(self) -> bool {
        self == Self::Yes
    }
}

impl Mark {
    /// Sets the socket's mark for `transmit`. Without one that can be set, nothing is changed.
    pub(super) fn set(&self, socket: SockRef<'_>, local: SocketAddr, transmit: &Transmit) -> Marked {
        let wanted = traffic_class(transmit.urgency, transmit.ecn);
        let is_ordinary = transmit.urgency == Urgency::Ordinary;
        // What brings its own traffic class must not find another one here, in case the system ignores its own.
        let wanted = if is_ordinary { 0 } else { wanted };
        if self.0.load(Ordering::Relaxed) != wanted {
            if apply(&socket, local, wanted).is_err() {
                return Marked::No;
            }
            self.0.store(wanted, Ordering::Relaxed);
        }
        if is_ordinary { Marked::No } else { Marked::Yes }
    }
}

/// The whole octet: six bits of mark, two of congestion notification.
fn traffic_class(urgency: Urgency, ecn: Option<Ecn>) -> u8 {
    let mark = match urgency {
        Urgency::Ordinary => 0,
        Urgency::Pictures => ASSURED_FORWARDING_41,
        Urgency::Sound => EXPEDITED_FORWARDING,
    };
    let ecn = match ecn {
        None => 0,
        Some(Ecn::Capable1) => 1,
        Some(Ecn::Capable0) => 2,
        Some(Ecn::CongestionExperienced) => 3,
    };
    mark << 2 | ecn
}

#[cfg(not(any(target_os = "fuchsia", target_os = "redox", target_os = "solaris", target_os = "haiku")))]
fn apply(socket: &SockRef<'_>, local: SocketAddr, traffic_class: u8) -> std::io::Result<()> {
    if local.is_ipv4() {
        return socket.set_tos_v4(traffic_class.into());
    }
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "macos", target_os = "freebsd"))]
    return socket.set_tclass_v6(traffic_class.into());
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "macos", target_os = "freebsd")))]
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(any(target_os = "fuchsia", target_os = "redox", target_os = "solaris", target_os = "haiku"))]
fn apply(_socket: &SockRef<'_>, _local: SocketAddr, _traffic_class: u8) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// AF41: interactive pictures (RFC 8837 §5).
const ASSURED_FORWARDING_41: u8 = 34;
/// EF: sound (RFC 8837 §5).
const EXPEDITED_FORWARDING: u8 = 46;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::rtmfp::machine::{PathId, Route};
    use std::net::UdpSocket;

    fn transmit(urgency: Urgency, ecn: Option<Ecn>) -> Transmit {
        let route = Route { via: PathId(0), address: ([192, 0, 2, 1], 9).into() };
        Transmit { urgency, ecn, ..Transmit::ordinary(route, 1) }
    }

    #[test]
    fn sound_and_pictures_are_marked_and_what_follows_them_is_not() {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let local = socket.local_addr().expect("a bound socket");
        let mark = Mark::default();
        let set = |urgency, ecn| {
            let marked = mark.set(SockRef::from(&socket), local, &transmit(urgency, ecn));
            (marked, SockRef::from(&socket).tos_v4().expect("an option of every socket"))
        };
        assert_eq!(set(Urgency::Sound, None), (Marked::Yes, 0xb8));
        assert_eq!(set(Urgency::Pictures, Some(Ecn::Capable0)), (Marked::Yes, 0x8a));
        assert_eq!(set(Urgency::Ordinary, Some(Ecn::Capable0)), (Marked::No, 0));
    }
}
