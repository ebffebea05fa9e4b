//! Calls between whole clients, without windows: in virtual time over a network in memory, and as programs over loopback.
#![cfg(all(feature = "media", feature = "server", feature = "cli"))]

mod before_acceptance;
mod borrowed;
mod calls;
mod changes;
mod chat;
mod contacts;
mod echo;
mod files;
mod keeper;
mod lies;
mod line;
mod lying_server;
mod media_chain;
mod nearby;
mod network_check;
mod no_answer;
mod old_server;
mod picture_call;
mod plain_client;
mod plain_clients;
mod presence;
mod privacy;
mod programs;
mod quality;
mod rate;
mod reaching;
mod real_files;
mod real_time;
mod recording;
mod relayed;
mod repair;
mod screens;
mod second_call;
mod servers;
mod verification;
mod ways;
mod weak_identities;
mod world;

/// Whole calls with their media, in virtual time.
#[allow(dead_code, reason = "the bench that shares these files needs other parts of them")]
#[path = "../bench/calls/mod.rs"]
mod stepped_call;

/// The bench of the protocol's own tests.
#[allow(dead_code, reason = "calls need only a part of it")]
#[path = "../protocol/support/mod.rs"]
mod support;
