//! Two open sessions over a link that loses, closes and moves; and single ones whose far end is the test.

mod acknowledging;
mod delivery;
mod extremes;
mod figures;
mod flow_control;
mod flow_end;
mod flow_start;
mod lone;
mod one_packet;
mod losing;
mod messages;
mod pair;
mod sending;
mod whole_session;
