//! Introductions: both ends of a call learn of each other, and of the ports of a relay (RFC 7016 §3.5.1.4 to §3.5.1.6).
//!
//! Programs that try relays last by themselves are told of one at once; all others try whatever they are told of at once
//! and take who answers first, so they are told later, when the direct way has had its chance.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Service, ServiceEvent};
use crate::rendezvous::admission::Ask;
use crate::rendezvous::directory::Person;
use crate::rendezvous::introduction::{addresses_for, addresses_of, room_for};
use crate::rendezvous::relay::{NotRelayed, Party};
use crate::rtmfp::PeerId;
use crate::rtmfp::machine::Route;

/// A hello for somebody who is here.
#[derive(Clone, Debug)]
pub(super) struct Hello {
    caller: Route,
    whom: PeerId,
    endpoint_discriminator: Bytes,
    tag: Bytes,
}

/// Relays to be told of when a direct way has had its chance; in the order of time.
#[derive(Debug, Default)]
pub(super) struct LaterOffers(VecDeque<(Instant, Hello)>);

impl LaterOffers {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.front().map(|(at, _)| *at)
    }

    /// Each hello once; what is above [`MOST_LATER`] finds its way when it is repeated.
    fn add(&mut self, now: Instant, hello: Hello) {
        let waits = |(_, other): &(Instant, Hello)| other.tag == hello.tag && other.caller == hello.caller;
        if self.0.len() < MOST_LATER && !self.0.iter().any(waits) {
            self.0.push_back((now + DIRECT_FIRST, hello));
        }
    }

    fn take_due(&mut self, now: Instant) -> Option<Hello> {
        self.0.pop_front_if(|(at, _)| *at <= now).map(|(_, hello)| hello)
    }
}

/// Which ways two people are told of.
#[derive(Clone, Copy)]
struct Ways {
    direct: bool,
    relay: bool,
}

impl Service {
    /// Tells both ends of each other; false when the hello deserves no answer. Silence does not tell a stranger whether
    /// somebody is here, and gives a forger nothing to multiply.
    pub(super) fn introduce(
        &mut self,
        now: Instant,
        caller: Route,
        whom: PeerId,
        endpoint_discriminator: Bytes,
        tag: Bytes,
    ) -> bool {
        if !self.admission.admit(now, caller.address.ip(), Ask::Hello) {
            return false;
        }
        let Some((_, called)) = self.directory.introducible(whom) else { return false };
        let known = self.directory.at(caller);
        let direct = !called.relay_only && !known.is_some_and(|known| known.relay_only);
        let at_once = known.is_some_and(|known| {
            !direct || known.tries_relays_last || self.relay.has(known.peer, called.peer)
        });
        let later = known.is_some() && !at_once && self.relay.is_offered();
        let hello = Hello { caller, whom, endpoint_discriminator, tag };
        if later {
            self.later.add(now, hello.clone());
        }
        self.tell_both(now, &hello, Ways { direct, relay: at_once })
    }

    /// Tells of relays whose time has come; whether there were any.
    pub(super) fn make_later_offers(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(hello) = self.later.take_due(now) {
            any |= self.tell_both(now, &hello, Ways { direct: false, relay: true });
        }
        any
    }

    fn tell_both(&mut self, now: Instant, hello: &Hello, ways: Ways) -> bool {
        let Hello { caller, whom, endpoint_discriminator, tag } = hello;
        self.directory.forget_old_proofs(now, *whom);
        if let Some(known) = self.directory.at(*caller).map(|known| known.peer) {
            self.directory.forget_old_proofs(now, known);
        }
        let Some((connection, called)) = self.directory.introducible(*whom) else { return false };
        let known = self.directory.at(*caller);
        let lent = match known.filter(|_| ways.relay) {
            Some(known) => match self.relay.lend(now, &party(known), &party(called)) {
                Ok(lent) => Some(lent),
                Err(why) => {
                    if why != NotRelayed::NotOffered {
                        self.events.push_back(ServiceEvent::NotRelayed(why));
                    }
                    None
                }
            },
            None => None,
        };
        let room = room_for(endpoint_discriminator.len(), known.is_some());
        let for_caller = addresses_for(*caller, room, called, ways.direct, lent.map(|lent| lent.to_first));
        let for_called = addresses_of(*caller, known, ways.direct, lent.map(|lent| lent.to_second));
        if for_caller.is_empty() {
            return false;
        }
        // The answer goes first, so that the caller's first packets open its router for those of the called end.
        self.node.redirect(*caller, tag, &for_caller);
        for initiator in for_called {
            self.node.forward_hello(now, connection, endpoint_discriminator, initiator, tag);
        }
        true
    }
}

fn party(person: &Person) -> Party {
    let proven = person.proven.iter().map(|(address, _)| address.ip()).collect();
    Party { peer: person.peer, route: person.route, proven }
}

/// How long a direct way has to itself: a round trip between most places on earth, and less than people notice.
const DIRECT_FIRST: Duration = Duration::from_millis(300);
const MOST_LATER: usize = 256;
