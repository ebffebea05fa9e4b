//! The protocol as stories: endpoints in memory, virtual time, networks that misbehave.

mod allocations;
mod any_calls;
mod attack;
mod closing;
mod connections;
mod delivery;
mod garbage;
mod hostile;
mod identity;
mod introduction;
mod loss;
mod mobility;
mod multiplex;
mod net_connection;
mod net_stream;
mod opening;
mod packet_fragments;
mod peer_to_peer;
mod relays_last;
mod rtmp_messages;
mod startup_initiator;
mod startup_responder;
mod streams;
mod support;
mod two_identities;
mod ways;
