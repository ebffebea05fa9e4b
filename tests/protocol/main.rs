//! The protocol as stories: endpoints in memory, virtual time, networks that misbehave.

mod closing;
mod connections;
mod delivery;
mod garbage;
mod identity;
mod introduction;
mod loss;
mod multiplex;
mod opening;
mod startup_initiator;
mod startup_responder;
mod streams;
mod support;
