//! The protocol as stories: endpoints in memory, virtual time, networks that misbehave.

mod closing;
mod delivery;
mod identity;
mod introduction;
mod loss;
mod opening;
mod support;
