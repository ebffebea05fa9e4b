//! Ports asked of a real router's program, miniupnpd, by each of its three protocols: what is held, who calls in over it, and
//! what is given back. Where miniupnpd is not installed, that is said, and the tests pass.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::lab::{INTERNET, Lab, Network, SERVER, command_in, inside, script_in};
use crate::programs::{Program, Scratch, client_flags, summary};
use crate::support::virtual_router::RouterKind;

/// How a router is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Protocol {
    Pcp,
    NatPmp,
    Upnp,
}

/// A router's miniupnpd, ended with its test.
struct Daemon(Child);

impl Daemon {
    /// Starts it on a router; `None`, with a line, where it is not installed.
    fn start(router: &str, Network(network): Network, protocol: Protocol, scratch: &Scratch) -> Option<Self> {
        let mut there = command_in(router, "miniupnpd --version");
        there.stdout(Stdio::null()).stderr(Stdio::null());
        if !there.status().is_ok_and(|status| status.success()) {
            eprintln!("skipped: miniupnpd is not installed");
            return None;
        }
        // Of PCP and NAT-PMP, which share a port, it cannot be told to leave out one: their versions are told apart here.
        let deaf = match protocol {
            Protocol::Pcp => "@th,64,8 0",
            Protocol::NatPmp => "@th,64,8 2",
            Protocol::Upnp => "ip version 4",
        };
        script_in(
            router,
            &format!(
                "nft -f - <<'END'\ntable inet filter {{\n\
                 chain forward {{ type filter hook forward priority 0;\njump miniupnpd\n}}\n\
                 chain before {{ type nat hook prerouting priority -110;\njump prerouting_miniupnpd\n}}\n\
                 chain after {{ type nat hook postrouting priority 90;\njump postrouting_miniupnpd\n}}\n\
                 chain deaf {{ type filter hook input priority 1;\nudp dport 5351 {deaf} drop\n}}\n\
                 chain miniupnpd {{ }}\nchain prerouting_miniupnpd {{ }}\nchain postrouting_miniupnpd {{ }}\n\
                 }}\nEND\n"
            ),
        );
        let (upnp, others) = if protocol == Protocol::Upnp { ("yes", "no") } else { ("no", "yes") };
        let config = format!(
            "ext_ifname=out\nlistening_ip=in\nhttp_port=5000\nenable_upnp={upnp}\nenable_natpmp={others}\n\
             min_lifetime=4\nmax_lifetime={LENT_FOR}\nsecure_mode=yes\n\
             uuid=5ca1ab1e-0000-0000-0000-000000000000\nallow 1024-65535 192.168.{network}.0/24 1024-65535\n"
        );
        let (file, pid) = (scratch.path("miniupnpd.conf"), scratch.path("miniupnpd.pid"));
        std::fs::write(&file, config).expect("the configuration is written");
        let child = command_in(router, &format!("miniupnpd -d -f {} -P {}", file.display(), pid.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("miniupnpd starts");
        Some(Self(child))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Seconds that a port is lent for at once, as far as the protocol tells.
const LENT_FOR: u64 = 6;

/// Gives a router an outside address that miniupnpd takes for a public one. Those that are set aside for documentation, as
/// all others here, it takes for private ones, and lends no port of theirs.
fn make_public(router: &str) {
    script_in("internet", "ip addr add 20.0.0.254/24 dev in\n");
    script_in(router, "ip -4 addr flush dev out\nip addr add 20.0.0.1/24 dev out\n");
    script_in(router, "ip route add default via 20.0.0.254\n");
}

fn is_lent(router: &str) -> bool {
    let list = command_in(router, "nft list chain inet filter prerouting_miniupnpd").output();
    String::from_utf8_lossy(&list.expect("nft runs").stdout).contains("dnat")
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "{what} within twenty seconds");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Two behind symmetric routers, of which `lender` is that of one of them and lends ports.
fn two_symmetric(lender: &str, protocol: Protocol, scratch: &Scratch) -> Option<(Lab, Daemon)> {
    let mut lab = Lab::new();
    let mut lends = None;
    for name in ["ada", "bob"] {
        let router = format!("{name}-router");
        let home = lab.router(&router, INTERNET, RouterKind::SYMMETRIC);
        lab.host(name, home, true, false);
        if router == lender {
            make_public(lender);
            lends = Some(Daemon::start(lender, home, protocol, scratch)?);
        }
    }
    Some((lab, lends.expect("one of the two lends")))
}

/// A port is held for longer than it is lent for at once, a call comes in over it, and it is free afterwards.
fn called_over_a_lent_port(protocol: Protocol) {
    let scratch = Scratch::new();
    let Some(_lab) = two_symmetric("ada-router", protocol, &scratch) else { return };
    let server = format!("rtmfp://{SERVER}");
    let _serving = Program::serve();
    let (ada_dir, bob_dir, stats) = (scratch.path("ada"), scratch.path("bob"), scratch.path("stats"));
    let mut flags = vec!["answer", "--once"];
    flags.extend(client_flags(&server, "Ada", &ada_dir));
    let answering = Program::start("ada", &flags);
    let id = answering.line().expect("the one who is called is connected");
    wait_until("a port is lent", || is_lent("ada-router"));
    let lent = Instant::now();
    while lent.elapsed() < Duration::from_secs(2 * LENT_FOR) {
        assert!(is_lent("ada-router"), "held");
        std::thread::sleep(Duration::from_millis(200));
    }
    let mut flags = vec!["call", &id, "--for", "1", "--stats", stats.to_str().expect("a plain path")];
    flags.extend(client_flags(&server, "Bob", &bob_dir));
    let status = Program::start("bob", &flags).finish();
    let summary = summary(&stats).unwrap_or_default();
    assert_eq!((status, summary["route"].as_str()), (Some(0), Some("direct")), "{summary}");
    println!("{protocol:?}: up after {} ms", summary["setup_ms"]);
    assert_eq!(Lab::sent_to_relay("bob"), 0, "from the first packet");
    answering.finish();
    assert!(!is_lent("ada-router"), "given back");
}

#[test]
fn a_port_that_a_router_lends_by_pcp_lets_a_call_in() {
    if inside("real_router::a_port_that_a_router_lends_by_pcp_lets_a_call_in") {
        called_over_a_lent_port(Protocol::Pcp);
    }
}

#[test]
fn a_port_that_a_router_lends_by_nat_pmp_lets_a_call_in() {
    if inside("real_router::a_port_that_a_router_lends_by_nat_pmp_lets_a_call_in") {
        called_over_a_lent_port(Protocol::NatPmp);
    }
}

#[test]
fn a_port_that_a_router_lends_by_upnp_lets_a_call_in() {
    if inside("real_router::a_port_that_a_router_lends_by_upnp_lets_a_call_in") {
        called_over_a_lent_port(Protocol::Upnp);
    }
}

#[test]
fn a_router_behind_another_lends_nothing_and_the_probe_says_so() {
    if !inside("real_router::a_router_behind_another_lends_nothing_and_the_probe_says_so") {
        return;
    }
    let scratch = Scratch::new();
    let mut lab = Lab::new();
    let carrier = lab.router("carrier", INTERNET, RouterKind::SYMMETRIC);
    let home = lab.router("ada-router", carrier, RouterKind::PORT_RESTRICTED);
    lab.host("ada", home, true, false);
    let Some(_daemon) = Daemon::start("ada-router", home, Protocol::Pcp, &scratch) else { return };
    let _serving = Program::serve();
    let dir = scratch.path("none");
    let probe = Program::start(
        "ada",
        &["probe", &format!("rtmfp://{SERVER}"), "--data-dir", dir.to_str().expect("a plain path")],
    );
    let said: Vec<String> = std::iter::from_fn(|| probe.line()).collect();
    assert!(said.iter().any(|line| line.contains("PCP, but opens no port when asked")), "{said:#?}");
    assert!(said.iter().any(|line| line.contains("no other router stands before it")), "{said:#?}");
    assert_eq!(probe.finish(), Some(0), "calls are relayed");
}
