//! What happens to real networks during a call: addresses and links are really changed, routers and servers really go away.
//! Both ends send a tone and pictures, and count what comes: what matters are the longest pauses, and how soon after the
//! network's return both are there again. Nobody does anything about it.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::{INTERNET, Lab, Network, SERVER, SERVER_HOST, inside, script_in};
use crate::programs::{Program, Scratch, client_flags, film, flags_with_camera, summary};
use crate::support::virtual_router::RouterKind;

/// Bob and Ada, each behind a router of the usual kind, with a server they both know.
struct World {
    lab: Lab,
    homes: [Network; 2],
    server: Option<Program>,
    /// Bob's program, and Ada's.
    programs: Option<[Program; 2]>,
    adas_id: String,
}

/// How long nothing came from the other: at Bob's, who is changed, and at Ada's.
struct Gaps {
    /// For how long there was no network.
    away: Duration,
    sound: [f64; 2],
    pictures: [f64; 2],
    ended: String,
}

impl Gaps {
    /// From the network's return until all was there again.
    fn after_return(&self) -> f64 {
        let longest = self.sound.iter().chain(&self.pictures).fold(0.0_f64, |a, b| a.max(*b));
        (longest - self.away.as_secs_f64()).max(0.0)
    }
}

impl World {
    /// Both behind routers of that kind.
    fn new(kind: RouterKind) -> Self {
        let mut lab = Lab::new();
        let homes = ["bob", "ada"].map(|name| {
            let home = lab.router(&router(name), INTERNET, kind);
            lab.host(name, home, true, false);
            home
        });
        lab.host("eve", INTERNET, true, false);
        let mut world = Self { lab, homes, server: None, programs: None, adas_id: String::new() };
        world.serve();
        world
    }

    fn serve(&mut self) {
        self.server = Some(Program::serve());
    }

    fn number(&self, name: &str) -> usize {
        self.homes[usize::from(name == "ada")].0
    }

    /// Another address in the same network, as from a router that gives them out anew.
    fn new_address(&self, name: &str) {
        let number = self.number(name);
        let (old, new) = (format!("192.168.{number}.1/24"), format!("192.168.{number}.77/24"));
        let route = format!("ip route add default via 192.168.{number}.254");
        script_in(name, &format!("ip addr del {old} dev eth0\nip addr add {new} dev eth0\n{route}\n"));
    }

    fn set_link(&self, name: &str, up: bool) {
        let number = self.number(name);
        script_in(
            name,
            &if up {
                format!("ip link set eth0 up\nip route add default via 192.168.{number}.254\n")
            } else {
                "ip link set eth0 down\n".to_owned()
            },
        );
    }

    /// For so long nobody gets through to the outside; what the router knew is forgotten, as the system does when a link
    /// of translated addresses goes down.
    fn restart_routers(names: &[&str], away: Duration) {
        for name in names {
            script_in(&router(name), "ip link set out down\n");
        }
        sleep(away);
        for name in names {
            script_in(&router(name), "ip link set out up\nip route add default via 203.0.113.254\n");
        }
    }

    /// The router forgets, and has another port for the host from now on.
    fn rebind(name: &str) {
        let rules = "nft flush chain ip router outward\n\
                     nft add rule ip router outward oifname out meta l4proto udp masquerade to :7777\n";
        script_in(&router(name), rules);
        Self::restart_routers(&[name], Duration::ZERO);
    }

    /// The router has another address outside.
    fn new_outside_address(name: &str) {
        let script = "old=$(ip -4 -o addr show dev out | awk '{ print $4 }')\n\
                      ip addr del $old dev out\nip addr add 203.0.113.99/24 dev out\n\
                      ip route add default via 203.0.113.254\n";
        script_in(&router(name), script);
    }

    fn signal_bob(&self, name: &str) {
        self.programs.as_ref().expect("a call").first().expect("Bob's").signal(name);
    }

    /// How a further call to Ada ends, who takes Bob's only: declined, when she is found by her peer ID.
    fn status_of_another_call(&self, scratch: &Scratch) -> Option<i32> {
        let (server, dir) = (format!("rtmfp://{SERVER}"), scratch.path("eve"));
        let mut flags = vec!["call", &self.adas_id, "--for", "1"];
        flags.extend(client_flags(&server, "Eve", &dir));
        Program::start("eve", &flags).finish()
    }

    /// Ada connects again by herself, as who she was.
    fn wait_for_ada(&self, scratch: &Scratch) {
        let begun = Instant::now();
        while self.status_of_another_call(scratch) != Some(DECLINED) {
            assert!(begun.elapsed() < ON_THE_SERVER_WITHIN, "Ada is not found on the server");
            sleep(Duration::from_millis(500));
        }
        eprintln!("found on the server again after {:.1} s", begun.elapsed().as_secs_f64());
    }
}

fn router(of: &str) -> String {
    format!("{of}-router")
}

/// How long something took.
fn timed(act: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    act();
    begun.elapsed()
}

/// Calls, changes something five seconds later, and lets both talk on for some seconds. The change says for how long it took
/// the network away.
fn gaps(seconds: u64, change: impl FnOnce(&mut World, &Scratch) -> Duration) -> Gaps {
    gaps_behind(RouterKind::PORT_RESTRICTED, seconds, change)
}

/// The same behind routers of another kind.
fn gaps_behind(
    kind: RouterKind,
    seconds: u64,
    change: impl FnOnce(&mut World, &Scratch) -> Duration,
) -> Gaps {
    let mut world = World::new(kind);
    let scratch = Scratch::new();
    let server = format!("rtmfp://{SERVER}");
    let camera = format!("file:{}", film(&scratch).display());
    let paths = ["bob", "ada"].map(|name| (scratch.path(name), scratch.path(&format!("{name}.stats"))));
    let [(bob_dir, bob_stats), (ada_dir, ada_stats)] = &paths;
    let id = Program::start("bob", &["id", "--data-dir", text(bob_dir)]).line().expect("a peer ID");

    let mut flags = vec!["answer", "--once", "--only", &id, "--stats", text(ada_stats)];
    flags.extend(flags_with_camera(&server, "Ada", ada_dir, &camera));
    let answering = Program::start("ada", &flags);
    let adas_id = answering.line().expect("the one who is called is connected");
    let time = seconds.to_string();
    let mut flags = vec!["call", &adas_id, "--for", &time, "--stats", text(bob_stats)];
    flags.extend(flags_with_camera(&server, "Bob", bob_dir, &camera));
    let calling = Program::start("bob", &flags);
    world.adas_id.clone_from(&adas_id);
    let begun = Instant::now();
    while std::fs::read_to_string(bob_stats).unwrap_or_default().lines().count() < 5 {
        assert!(begun.elapsed() < Duration::from_secs(30), "the call is not up");
        sleep(Duration::from_millis(50));
    }
    world.programs = Some([calling, answering]);
    let away = change(&mut world, &scratch);
    for program in world.programs.take().expect("both run") {
        program.finish();
    }
    let ends = [bob_stats, ada_stats].map(|stats| summary(stats).unwrap_or_default());
    let longest = |field: &str| {
        // Without any picture there is no pause between pictures.
        let measured = |end: &Value| end["pictures_shown"].as_u64() > Some(0);
        ends.each_ref().map(|end| end[field].as_f64().filter(|_| measured(end)).unwrap_or(f64::NAN) / 1000.0)
    };
    Gaps {
        away,
        sound: longest("sound_pause_ms"),
        pictures: longest("pictures_pause_ms"),
        ended: ends[0]["end_reason"].as_str().unwrap_or("without a word").to_owned(),
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// Prints the documentation's table, a line for each change.
#[test]
#[ignore = "takes minutes of real time; tests/call asserts the same changes in virtual time"]
fn every_change_of_a_network_in_namespaces() {
    if !inside("changes::every_change_of_a_network_in_namespaces") {
        return;
    }
    let mut wrong = Vec::new();
    println!(
        "| change | no network | no sound at Bob's | at Ada's | no picture at Bob's | at Ada's | all back after |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let mut check = |name: &str, most: f64, gaps: Gaps| {
        let Gaps { away, sound: [sound, far_sound], pictures: [picture, far_picture], ended } = &gaps;
        let (away, after) = (away.as_secs_f64(), gaps.after_return());
        println!(
            "| {name} | {away:.2} | {sound:.2} | {far_sound:.2} | {picture:.2} | {far_picture:.2} | {after:.2} |"
        );
        // What was not measured is wrong too.
        if !(sound + far_sound + picture + far_picture).is_finite() || after > most || ended != "ended" {
            wrong.push(format!("{name}: {after:.2} s, {ended}"));
        }
    };
    let nothing = Duration::ZERO;
    check("nothing", UNNOTICED, gaps(10, |_, _| nothing));
    check("new address", BACK_WITHIN, gaps(15, |world, _| timed(|| world.new_address("bob"))));
    check("new address for both at once", BACK_WITHIN, {
        gaps(18, |world, _| {
            timed(|| {
                world.new_address("bob");
                world.new_address("ada");
            })
        })
    });
    check("Wi-Fi to cable", BACK_WITHIN, {
        gaps(15, |world, _| {
            let other = world.lab.router("cable", INTERNET, RouterKind::PORT_RESTRICTED);
            script_in("bob", "ip route del default\n");
            world.lab.plug("bob", "eth1", other);
            sleep(Duration::from_millis(1_500));
            script_in("bob", "ip link set eth0 down\n");
            nothing
        })
    });
    check("Wi-Fi lost, cable plugged in 4 s later", BACK_WITHIN, {
        gaps(20, |world, _| {
            let other = world.lab.router("cable", INTERNET, RouterKind::PORT_RESTRICTED);
            timed(|| {
                world.set_link("bob", false);
                sleep(Duration::from_secs(4));
                world.lab.plug("bob", "eth1", other);
            })
        })
    });
    check("link down for 8 s", BACK_WITHIN, {
        gaps(25, |world, _| {
            timed(|| {
                world.set_link("bob", false);
                sleep(Duration::from_secs(8));
                world.set_link("bob", true);
            })
        })
    });
    check(
        "router forgets, and has another port",
        BACK_WITHIN,
        gaps(18, |_, _| timed(|| World::rebind("bob"))),
    );
    check("router has another address outside", BACK_WITHIN, {
        gaps(18, |_, _| timed(|| World::new_outside_address("bob")))
    });
    let two = Duration::from_secs(2);
    check("router restarts", BACK_WITHIN, {
        gaps(18, |_, _| timed(|| World::restart_routers(&["bob"], two)))
    });
    check("both routers restart at once", BACK_WITHIN, {
        gaps(20, |_, _| timed(|| World::restart_routers(&["bob", "ada"], two)))
    });
    check("program stopped for 6 s, as by sleep", BACK_WITHIN, {
        gaps(22, |world, _| {
            timed(|| {
                world.signal_bob("STOP");
                sleep(Duration::from_secs(6));
                world.signal_bob("CONT");
            })
        })
    });
    check("server started anew", UNNOTICED, {
        gaps(45, |world, scratch| {
            world.server = None;
            sleep(Duration::from_secs(1));
            world.serve();
            world.wait_for_ada(scratch);
            nothing
        })
    });
    check("server unreachable", UNNOTICED, {
        gaps(60, |world, scratch| {
            script_in(SERVER_HOST, "ip link set eth0 down\n");
            sleep(Duration::from_secs(15));
            script_in(SERVER_HOST, "ip link set eth0 up\nip route add default via 203.0.113.254\n");
            world.wait_for_ada(scratch);
            nothing
        })
    });
    // Where routers let in by port, nobody could tell one end of the other's new one.
    check("no server any more, then a new address", BACK_WITHIN, {
        gaps_behind(RouterKind::ADDRESS_RESTRICTED, 25, |world, _| {
            world.server = None;
            sleep(Duration::from_secs(8));
            timed(|| world.new_address("bob"))
        })
    });
    check("server started anew, and a new address", BACK_WITHIN, {
        gaps(18, |world, _| {
            world.server = None;
            let away = timed(|| world.new_address("bob"));
            world.serve();
            away
        })
    });
    assert!(wrong.is_empty(), "not as it should be: {wrong:#?}");
}

/// Seconds from the network's return until sound and picture are there.
const BACK_WITHIN: f64 = 3.0;
/// Seconds that a busy computer may keep a picture back.
const UNNOTICED: f64 = 0.5;
/// Until somebody is back on a server that can be reached again: as long as it takes to be sure that the old one is gone.
const ON_THE_SERVER_WITHIN: Duration = Duration::from_secs(30);
/// The exit status of a call that is declined.
const DECLINED: i32 = 11;
/// That of a call to somebody who is not there.
const NOT_FOUND: i32 = 10;

#[test]
#[ignore = "takes half a minute of real time; the tests of rendezvous::service assert the same in virtual time"]
fn whoever_vanished_is_gone_from_the_server_within_half_a_minute() {
    if !inside("changes::whoever_vanished_is_gone_from_the_server_within_half_a_minute") {
        return;
    }
    let mut world = World::new(RouterKind::PORT_RESTRICTED);
    let scratch = Scratch::new();
    let (server, ada_dir) = (format!("rtmfp://{SERVER}"), scratch.path("ada"));
    let mut flags = vec!["answer"];
    flags.extend(client_flags(&server, "Ada", &ada_dir));
    let answering = Program::start("ada", &flags);
    world.adas_id = answering.line().expect("the one who is called is connected");
    answering.signal("KILL");
    sleep(Duration::from_secs(30));
    "Ada".clone_into(&mut world.adas_id);
    assert_eq!(world.status_of_another_call(&scratch), Some(NOT_FOUND));
}
