//! Two open sessions over a link that loses, closes and moves; and single ones whose far end is the test.

mod acknowledging;
mod delivery;
mod extremes;
mod figures;
mod flash_era;
mod flow_control;
mod flow_end;
mod flow_start;
mod lone;
mod losing;
mod messages;
mod one_packet;
mod pair;
mod quiet;
mod sending;
mod whole_session;
