//! A session on which nothing goes on.

use super::lone::{Lone, ack, data_in, first_data};
use crate::rtmfp::limits;

#[test]
fn a_quiet_session_gives_back_the_memory_that_its_traffic_needed() {
    let mut ada = Lone::new();
    let flow = ada.open_flow();
    ada.writes(flow, &[1; 100]);
    ada.hears(&[ack(flow, 1, &[]), first_data(7, 1, 0)]);
    let held = |ada: &Lone| (ada.session.given.capacity(), ada.session.changed_flows.capacity());
    assert!(held(&ada).0 > 0 && held(&ada).1 > 0);
    assert!(ada.session.deadline().is_some_and(|at| at <= ada.now + limits::SPARE_AFTER), "it wakes for it");
    ada.wait(limits::SPARE_AFTER);
    assert_eq!(held(&ada), (0, 0));
    // What is under way keeps it, and so does a session that has nothing to do with this.
    ada.writes(flow, &[1; 100]);
    assert_eq!(data_in(&ada.hears(&[first_data(8, 1, 0)])).len(), 0);
    assert!(held(&ada).0 > 0);
    ada.wait(limits::SPARE_AFTER);
    assert!(held(&ada).0 > 0, "a message is not acknowledged yet");
}
