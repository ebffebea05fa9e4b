//! Two open sessions over a link that loses, closes and moves.

mod delivery;
mod pair;
mod whole_session;
