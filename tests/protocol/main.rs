//! The protocol as stories: endpoints in memory, virtual time, networks that misbehave.

mod closing;
mod connections;
mod delivery;
mod garbage;
mod identity;
mod introduction;
mod loss;
mod opening;
mod streams;
mod support;
mod two_identities;
