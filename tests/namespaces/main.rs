//! Whole programs on networks of every kind, made of Linux network namespaces and nftables: the same pairs that
//! `tests/call/reaching` tries in memory, with real routers and real sockets.
//!
//! Nothing runs where namespaces may not be made; that is said. The whole table takes some minutes:
//!
//! ```text
//! cargo test --test namespaces -- --ignored --nocapture
//! ```
#![cfg(all(target_os = "linux", feature = "media", feature = "server", feature = "cli"))]

mod changes;
mod lab;
mod nearby;
mod port_mapping;
mod programs;
mod real_router;

#[path = "../call/reaching/places.rs"]
mod places;

/// The kinds of routers, described as for the network in memory.
#[path = "../protocol/support"]
mod support {
    #[allow(dead_code, reason = "the routers here are the system's")]
    pub(crate) mod virtual_router;
}

use std::cell::RefCell;

use self::lab::{INTERNET, Lab, Network, SERVER, inside};
use self::places::{Place, Together, Way, theory};
use self::programs::{Program, Scratch, client_flags, summary};
use self::support::virtual_router::RouterKind;

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    /// It was up so many milliseconds after it was dialled.
    Up(Way, f64),
    /// The caller ended with this.
    Never(String),
}

impl Outcome {
    fn way(&self) -> Option<Way> {
        match self {
            Self::Up(way, _) => Some(*way),
            Self::Never(_) => None,
        }
    }
}

/// Builds a place; the network that a host there is in.
fn build(lab: &mut Lab, name: &str, place: Place) -> Network {
    let mut innermost = INTERNET;
    for (depth, kind) in place.routers().into_iter().enumerate() {
        innermost = lab.router(&format!("{name}-router{depth}"), innermost, kind);
    }
    if place == Place::ServerOnly {
        lab.udp_to_server_only(innermost);
    }
    innermost
}

fn apart(caller: Place, called: Place) -> Outcome {
    let mut lab = Lab::new();
    for (name, place) in [("bob", caller), ("ada", called)] {
        let network = build(&mut lab, name, place);
        lab.host(name, network, place.has_v4(), place.has_v6());
    }
    call()
}

fn together(both: Together) -> Outcome {
    let mut lab = Lab::new();
    let shared = lab.router("shared", INTERNET, both.shared());
    for name in ["bob", "ada"] {
        let home = RouterKind::PORT_RESTRICTED;
        let own = both.has_homes().then(|| lab.router(&format!("{name}-router"), shared, home));
        lab.host(name, own.unwrap_or(shared), true, false);
    }
    call()
}

/// A second of a tone is fifty packets.
const PACKETS_OF_A_CALL: u64 = 25;

/// `bob` calls `ada` for a second.
fn call() -> Outcome {
    let scratch = Scratch::new();
    let server = format!("rtmfp://{SERVER}");
    let _serving = Program::serve();
    let (ada_dir, bob_dir, stats) = (scratch.path("ada"), scratch.path("bob"), scratch.path("stats"));

    let mut flags = vec!["answer", "--once"];
    flags.extend(client_flags(&server, "Ada", &ada_dir));
    let answering = Program::start("ada", &flags);
    let id = answering.line().expect("the one who is called is connected");
    let mut flags = vec!["call", &id, "--for", "1", "--stats", stats.to_str().expect("a plain path")];
    flags.extend(client_flags(&server, "Bob", &bob_dir));
    let status = Program::start("bob", &flags).finish();

    let Some(summary) = summary(&stats) else { return Outcome::Never(format!("status {status:?}")) };
    // More than the few packets that are tried over every way.
    let way = if Lab::sent_to_relay("bob") > PACKETS_OF_A_CALL { Way::Relayed } else { Way::Direct };
    match summary["setup_ms"].as_f64() {
        Some(setup) => Outcome::Up(way, setup),
        None => Outcome::Never(summary["end_reason"].to_string()),
    }
}

#[test]
fn two_behind_ordinary_routers_in_namespaces_call_each_other_directly() {
    if inside("two_behind_ordinary_routers_in_namespaces_call_each_other_directly") {
        let outcome = apart(Place::PortRestricted, Place::PortRestricted);
        assert_eq!(outcome.way(), Some(Way::Direct), "{outcome:?}");
    }
}

/// Prints the documentation's table, and compares it with theory.
#[test]
#[ignore = "takes minutes of real time; tests/call asserts the same pairs in virtual time"]
fn every_pair_of_networks_in_namespaces() {
    if !inside("every_pair_of_networks_in_namespaces") {
        return;
    }
    let wrong = RefCell::new(Vec::new());
    let cell = |name: String, theory: Way, outcome: Outcome| {
        let text = match &outcome {
            Outcome::Up(way, setup) => format!("{} {setup:.0}", way.name()),
            Outcome::Never(why) => format!("none: {why}"),
        };
        eprintln!("{name}: {text}");
        if outcome.way() != Some(theory) {
            wrong.borrow_mut().push((name, theory, outcome));
        }
        text
    };
    let both_apart = |caller: Place, called: Place| {
        let name = format!("{} calls {}", caller.name(), called.name());
        cell(name, theory(caller, called), apart(caller, called))
    };
    let both_together = |both: Together| cell(both.name().to_owned(), both.theory(), together(both));
    println!("{}", places::table(both_apart, both_together));
    let wrong = wrong.into_inner();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
