//! Two open sessions over a link that loses, closes and moves.

mod delivery;
mod extremes;
mod one_packet;
mod pair;
mod whole_session;
