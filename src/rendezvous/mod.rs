//! Finding and introducing: the rendezvous server. It tells people who is here and where, and carries nothing of theirs.
//!
//! The deciders take values and time and touch no socket: [`directory`] (who is here), [`presence`] (what they are doing),
//! [`introduction`] (what a caller is told), [`admission`] (how much one address may ask). [`service`] joins them as a machine over a
//! [`Node`](crate::netconnection::Node). `server`, with the feature `server`, is that machine on real sockets, and `config`
//! the file that sets it up.
//!
//! # What a client may call
//!
//! | call | answer |
//! |---|---|
//! | `connect(url, name)` | `NetConnection.Connect.Success` with `tincan` = 1, or `…Rejected` with a sentence |
//! | `lookup(name or peer ID)` | `{id, name}`, or an error with the code `Tincan.NotFound` |
//! | `people()` | an array of `{id, name, state}`, sorted: those who are listed; from then on `peopleChanged()` is told, at most once a second |
//! | `setVisibility("everyone" or "known" or "nobody")` | true |
//! | `setState("online" or "in_call" or "busy")` | true; `busy` is "do not disturb" |
//! | `watch([peer IDs])` | true; from then on `presence(id, state)` is told: at once of those who are here, and at each change. At most 512 IDs; the next `watch` takes its place |
//!
//! # Who learns what
//!
//! A server that does not list, or does not look up, answers `Tincan.NotOffered`; one that does neither tells no states.
//! `people` goes to everybody, and says `online` of somebody who is in a call: that is told only to those who have the peer
//! ID, by `presence`, whose states are those of `setState` and `offline`. Of somebody who chose `nobody` all of these say
//! that they are not here; a caller who has the peer ID is introduced all the same, and that person's program decides.

#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod admission;
pub mod directory;
pub mod fuzzing;
pub mod introduction;
pub mod presence;
pub mod service;

#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod server;
