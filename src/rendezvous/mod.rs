//! Finding and introducing: the rendezvous server. It tells people who is here and where, and carries nothing of theirs.
//!
//! The deciders take values and time and touch no socket: [`directory`] (who is here), [`introduction`] (what a caller is
//! told), [`admission`] (how much one address may ask). [`service`] joins them as a machine over a
//! [`Node`](crate::netconnection::Node). `server`, with the feature `server`, is that machine on real sockets, and `config`
//! the file that sets it up.
//!
//! # What a client may call
//!
//! | call | answer |
//! |---|---|
//! | `connect(url, name)` | `NetConnection.Connect.Success` with `tincan` = 1, or `…Rejected` with a sentence |
//! | `lookup(name or peer ID)` | `{id, name}`, or an error with the code `Tincan.NotFound` |
//! | `people()` | an array of `{id, name}`, sorted: those who are listed; from then on `peopleChanged()` is told, at most once a second |
//! | `setVisibility("everyone" or "known" or "nobody")` | true |
//!
//! A server that does not list, or does not look up, answers `Tincan.NotOffered`.

#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod admission;
pub mod directory;
pub mod introduction;
pub mod service;

#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod server;
