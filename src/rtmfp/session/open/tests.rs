//! Two open sessions over a link that loses, closes and moves; and single ones whose far end is the test.

mod delivery;
mod extremes;
mod flow_control;
mod flow_start;
#[allow(dead_code)]
mod lone;
mod pair;
mod whole_session;
