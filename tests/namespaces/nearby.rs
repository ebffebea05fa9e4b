//! Two on one network and no server anywhere: found by multicast DNS, or called by a link that says where they are.

use std::path::Path;
use std::time::Duration;

use crate::lab::{INTERNET, Lab, inside, script_in};
use crate::programs::{Program, Scratch, client_flags, summary};
use crate::support::virtual_router::RouterKind;

/// A server that is not there.
const NOWHERE: &str = "rtmfp://192.0.2.1";

/// Two at one router, with these families of addresses.
fn at_home(v4: bool, v6: bool) -> Lab {
    let mut lab = Lab::new();
    let home = lab.router("home", INTERNET, RouterKind::PORT_RESTRICTED);
    lab.host("bob", home, v4, v6);
    lab.host("ada", home, v4, v6);
    lab
}

/// Bob calls for two seconds; milliseconds until the call was up.
fn call(whom: &str, dir: &Path, more: &[&str]) -> f64 {
    let stats = dir.with_extension("stats");
    let mut flags = vec!["call", whom, "--for", "2", "--stats", stats.to_str().expect("a plain path")];
    flags.extend(client_flags(NOWHERE, "Bob", dir));
    flags.extend(more);
    let status = Program::start("bob", &flags).finish();
    let summary = summary(&stats).unwrap_or_default();
    assert_eq!(status, Some(0), "{summary}");
    assert_eq!(summary["route"].as_str(), Some("direct"));
    summary["setup_ms"].as_f64().expect("it was up")
}

fn answer(dir: &Path) -> (Program, String) {
    let mut flags = vec!["answer", "--once", "--nearby"];
    flags.extend(client_flags(NOWHERE, "Ada", dir));
    let answering = Program::start("ada", &flags);
    let id = answering.line().expect("who is found on the local network needs no server");
    (answering, id)
}

#[test]
fn two_on_one_network_find_each_other_and_call_without_a_server() {
    if !inside("nearby::two_on_one_network_find_each_other_and_call_without_a_server") {
        return;
    }
    for (v4, v6, families) in [(true, false, "IPv4"), (false, true, "IPv6"), (true, true, "both")] {
        let _lab = at_home(v4, v6);
        let scratch = Scratch::new();
        let (ada_dir, bob_dir) = (scratch.path("ada"), scratch.path("bob"));
        let (answering, id) = answer(&ada_dir);
        let setup = call(&id, &bob_dir, &["--nearby"]);
        println!("nearby, {families}: up after {setup:.0} ms");
        answering.finish();
    }
}

#[test]
fn a_link_with_an_address_calls_without_a_server() {
    if !inside("nearby::a_link_with_an_address_calls_without_a_server") {
        return;
    }
    let _lab = at_home(true, false);
    let scratch = Scratch::new();
    let (ada_dir, bob_dir) = (scratch.path("ada"), scratch.path("bob"));
    std::fs::create_dir_all(&ada_dir).expect("a directory");
    std::fs::write(ada_dir.join("settings.toml"), "port = 40000\n").expect("settings");
    let (answering, id) = answer(&ada_dir);
    let setup = call(&format!("tincan:{id}?v=1&a=192.168.1.2:40000"), &bob_dir, &[]);
    println!("by a link: up after {setup:.0} ms");
    answering.finish();
}

#[test]
fn who_plugs_in_later_is_found_too() {
    if !inside("nearby::who_plugs_in_later_is_found_too") {
        return;
    }
    let _lab = at_home(true, false);
    script_in("bob", "ip link set eth0 down\n");
    let scratch = Scratch::new();
    let (ada_dir, bob_dir) = (scratch.path("ada"), scratch.path("bob"));
    let (answering, id) = answer(&ada_dir);
    let plugging = std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(2));
        script_in("bob", "ip link set eth0 up\nip route add default via 192.168.1.254\n");
    });
    call(&id, &bob_dir, &["--nearby"]);
    plugging.join().expect("it is plugged in");
    answering.finish();
}
