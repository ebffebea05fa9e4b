//! Finding and introducing: the rendezvous server. It tells people who is here and where, and carries nothing of theirs but
//! sealed packets, for those who cannot reach each other.
//!
//! The deciders take values and time and touch no socket: [`directory`] (who is here), [`presence`] (what they are doing),
//! [`introduction`] (what a caller is told), [`admission`] (how much one address may ask), [`relay`] (ports lent to two who are
//! introduced). [`service`] joins them as a machine over a [`Node`](crate::netconnection::Node). `server`, with the feature `server`, is
//! that machine on real sockets, and `config` the file that sets it up.
//!
//! # What a client may call
//!
//! | call | answer |
//! |---|---|
//! | `connect(url, name)` | `NetConnection.Connect.Success` with the properties below, or `…Rejected` with a sentence |
//! | `lookup(name or peer ID)` | `{id, name}`, or an error with the code `Tincan.NotFound` |
//! | `people()` | an array of `{id, name, state}`, sorted: those who are listed; from then on `peopleChanged()` is told, at most once a second |
//! | `setVisibility("everyone" or "known" or "nobody")` | true |
//! | `setState("online" or "in_call" or "busy")` | true; `busy` is "do not disturb" |
//! | `setRelayOnly(true or false)` | true; from then on nobody is told where this person is (below) |
//! | `watch([peer IDs])` | true; from then on `presence(id, state)` is told: at once of those who are here, and at each change. At most 512 IDs; the next `watch` takes its place |
//!
//! The answer to `connect` says `tincan` (1), `address` (where the client is seen), `ports` (at which the same server answers
//! too: who is seen with another address there is behind a router that gives each destination another port), `probes` (true:
//! it answers probes over other ways, and asks back) and `relays` (whether it relays). A client that says `relayOnly` in the command object of `connect` starts as after
//! `setRelayOnly(true)`.
//!
//! # Who learns what
//!
//! A server that does not list, or does not look up, answers `Tincan.NotOffered`; one that does neither tells no states.
//! `people` goes to everybody, and says `online` of somebody who is in a call: that is told only to those who have the peer
//! ID, by `presence`, whose states are those of `setState` and `offline`. Of somebody who chose `nobody` all of these say
//! that they are not here; a caller who has the peer ID is introduced all the same, and that person's program decides.
//!
//! # Relaying
//!
//! Two people who are both connected are told of each other's addresses, and each of a port that is lent to them, marked as
//! a relay (RFC 7016 §2.1.5): the caller in a Redirect, the called end as the address of a forwarded hello. Any RTMFP program
//! can use them. Programs that try relays last by themselves, which is all that say `Tincan` in `flashVer`, are told at once;
//! others 300 ms later, when the direct way has had its chance. Of somebody who wants to be met at relays only, and to
//! somebody who does, nothing but relays is told; without one, the hello stays without an answer.
//!
//! A client with a relay of its own (a TURN server's port) probes this server over it, and is probed back. For 50 seconds
//! after it answered, others are told of that address too, as of a relay.

#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod admission;
pub mod directory;
pub mod fuzzing;
pub mod introduction;
pub mod presence;
pub mod relay;
pub mod service;

#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod server;
