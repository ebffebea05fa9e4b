//! The protocol as stories: endpoints in memory, virtual time, networks that misbehave.

mod closing;
mod connections;
mod delivery;
mod garbage;
mod hostile;
mod identity;
mod introduction;
mod loss;
mod opening;
mod streams;
mod support;
