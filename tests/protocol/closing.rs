//! How sessions end (RFC 7016 §3.5.5).

use std::time::Duration;

use tincan::rtmfp::SessionEnd;
use tincan::rtmfp::endpoint::CloseManner;

use crate::support::scenario::{TRIP, ended, session_between_ada_and_bob};

#[test]
fn an_orderly_close_is_told_at_once_here_and_one_trip_later_there() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    let now = net.elapsed();
    net.with(ada, |endpoint, now| endpoint.close_session(now, near, CloseManner::Orderly));
    net.run_for(Duration::from_secs(1));
    assert_eq!(ended(&net, ada, near), Some((now, SessionEnd::ClosedHere)));
    assert_eq!(ended(&net, bob, far), Some((now + TRIP, SessionEnd::ClosedThere)));
    assert_eq!(net.machine(ada).sessions(), 0);
}

#[test]
fn a_closed_session_is_forgotten_at_both_ends_after_its_linger() {
    let (mut net, ada, bob, near, _) = session_between_ada_and_bob();
    net.with(ada, |endpoint, now| endpoint.close_session(now, near, CloseManner::Orderly));
    net.run_for(Duration::from_secs(100));
    assert_eq!((net.machine(ada).sessions(), net.machine(bob).sessions()), (0, 0));
}

#[test]
fn an_orderly_close_survives_the_loss_of_its_request() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    let now = net.elapsed();
    net.lose(net.sent().len());
    net.with(ada, |endpoint, now| endpoint.close_session(now, near, CloseManner::Orderly));
    net.run_for(Duration::from_secs(30));
    let repeated = Duration::from_secs(5);
    assert_eq!(ended(&net, bob, far), Some((now + repeated + TRIP, SessionEnd::ClosedThere)));
}

#[test]
fn an_abrupt_close_leaves_nothing_here_and_is_told_there() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    let now = net.elapsed();
    net.with(ada, |endpoint, now| endpoint.close_session(now, near, CloseManner::Abrupt));
    assert_eq!(net.machine(ada).sessions(), 0);
    net.run_for(Duration::from_secs(1));
    assert_eq!(ended(&net, ada, near), Some((now, SessionEnd::ClosedHere)));
    assert_eq!(ended(&net, bob, far), Some((now + TRIP, SessionEnd::ClosedThere)));
    assert_eq!(net.machine(bob).sessions(), 0);
}

#[test]
fn somebody_who_vanishes_is_noticed_without_a_word_being_said() {
    let (mut net, ada, bob, near, _) = session_between_ada_and_bob();
    let now = net.elapsed();
    net.cut(bob, true);
    net.run_for(Duration::from_secs(60));
    let (when, end) = ended(&net, ada, near).expect("an end");
    assert!(matches!(end, SessionEnd::WentQuiet { .. }), "{end:?}");
    // Ten seconds of idling, then twenty of waiting for a sign of life.
    assert!((25..=35).contains(&(when - now).as_secs()), "{when:?}");
    assert_eq!(net.machine(ada).sessions(), 0);
}

#[test]
fn an_idle_session_stays_open_for_hours_and_costs_little() {
    let (mut net, ada, bob, near, far) = session_between_ada_and_bob();
    let before = net.bytes_sent(ada);
    net.run_for(Duration::from_secs(3 * 3600));
    assert_eq!((ended(&net, ada, near), ended(&net, bob, far)), (None, None));
    let bytes_per_minute = (net.bytes_sent(ada) - before) / (3 * 60);
    assert!(bytes_per_minute < 1_000, "{bytes_per_minute} bytes a minute");
}
