//! Two open sessions over a link that loses, closes and moves.

mod delivery;
mod extremes;
mod pair;
mod whole_session;
