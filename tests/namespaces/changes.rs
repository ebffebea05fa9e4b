//! What happens to real networks during a call: addresses and links are really changed, routers and servers really go away.
//! Both ends play a tone and write down what they hear; what counts is the longest silence in it.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::lab::{INTERNET, Lab, Network, SERVER, SERVER_HOST, inside, script_in};
use crate::programs::{Program, Scratch, client_flags, summary};
use crate::support::virtual_router::RouterKind;

/// Bob and Ada, each behind a router of the usual kind, with a server they both know.
struct World {
    lab: Lab,
    homes: [Network; 2],
    server: Option<Program>,
}

impl World {
    fn new() -> Self {
        let mut lab = Lab::new();
        let homes = ["bob", "ada"].map(|name| {
            let home = lab.router(&format!("{name}-router"), INTERNET, RouterKind::PORT_RESTRICTED);
            lab.host(name, home, true, false);
            home
        });
        let mut world = Self { lab, homes, server: None };
        world.serve();
        world
    }

    fn serve(&mut self) {
        let serving = Program::start(SERVER_HOST, &["serve", "--log", "warn"]);
        assert!(serving.line().is_some_and(|line| line.starts_with("listening on")));
        self.server = Some(serving);
    }

    /// Another address in the same network, as from a router that gives them out anew.
    fn new_address(&self, name: &str) {
        let Network(number) = self.homes[usize::from(name == "ada")];
        let (old, new) = (format!("192.168.{number}.1/24"), format!("192.168.{number}.77/24"));
        let route = format!("ip route add default via 192.168.{number}.254");
        script_in(name, &format!("ip addr del {old} dev eth0\nip addr add {new} dev eth0\n{route}\n"));
    }
}

/// Calls, changes something five seconds later, and lets both talk on for some seconds. The longest silences, at Bob and at
/// Ada, and how the call ended.
fn silences(mut world: World, seconds: u64, change: impl FnOnce(&mut World, &Program)) -> ([f64; 2], String) {
    let scratch = Scratch::new();
    let server = format!("rtmfp://{SERVER}");
    let (ada_dir, bob_dir) = (scratch.path("ada"), scratch.path("bob"));
    let (ada_wav, bob_wav, stats) = (scratch.path("ada.wav"), scratch.path("bob.wav"), scratch.path("stats"));
    let into = |path: &Path| format!("file:{}", path.display());
    let (ada_speaker, bob_speaker) = (into(&ada_wav), into(&bob_wav));

    let mut flags = vec!["answer", "--once"];
    flags.extend(client_flags(&server, "Ada", &ada_dir));
    *flags.last_mut().expect("the speaker comes last") = &ada_speaker;
    let answering = Program::start("ada", &flags);
    let id = answering.line().expect("the one who is called is connected");
    let time = seconds.to_string();
    let mut flags = vec!["call", &id, "--for", &time, "--stats", stats.to_str().expect("a plain path")];
    flags.extend(client_flags(&server, "Bob", &bob_dir));
    *flags.last_mut().expect("the speaker comes last") = &bob_speaker;
    let calling = Program::start("bob", &flags);
    let begun = Instant::now();
    while std::fs::read_to_string(&stats).unwrap_or_default().lines().count() < 5 {
        assert!(begun.elapsed() < Duration::from_secs(30), "the call is not up");
        sleep(Duration::from_millis(50));
    }
    change(&mut world, &calling);
    calling.finish();
    answering.finish();
    let reason = summary(&stats).map_or_else(String::new, |summary| summary["end_reason"].to_string());
    ([longest_silence(&bob_wav), longest_silence(&ada_wav)], reason)
}

/// The longest silence in seconds after the first sound. The last second belongs to the goodbyes.
fn longest_silence(path: &Path) -> f64 {
    let mut reader = hound::WavReader::open(path).expect("a recording");
    let spec = reader.spec();
    let loud: Vec<bool> = match spec.sample_format {
        hound::SampleFormat::Float => {
            reader.samples::<f32>().map_while(Result::ok).map(|sample| sample.abs() > 0.01).collect()
        }
        hound::SampleFormat::Int => {
            let limit = (1_i32 << (spec.bits_per_sample - 1)) / 100;
            reader.samples::<i32>().map_while(Result::ok).map(|sample| sample.abs() > limit).collect()
        }
    };
    let a_second = spec.sample_rate as usize * usize::from(spec.channels);
    let first = loud.iter().position(|loud| *loud).unwrap_or(0);
    let last = loud.len().saturating_sub(a_second).max(first);
    let silences = loud[first..last].split(|loud| *loud).map(<[bool]>::len);
    silences.max().unwrap_or_default() as f64 / a_second as f64
}

/// Prints the documentation's table, a line for each change.
#[test]
#[ignore = "takes minutes of real time; tests/call asserts the same changes in virtual time"]
fn every_change_of_a_network_in_namespaces() {
    if !inside("changes::every_change_of_a_network_in_namespaces") {
        return;
    }
    println!("| change | silence at who changes | at the other | ended |");
    let mut wrong = Vec::new();
    let mut check = |name: &str, most: f64, (silences, reason): ([f64; 2], String)| {
        println!("| {name} | {:.2} s | {:.2} s | {reason} |", silences[0], silences[1]);
        if silences.iter().any(|silence| *silence > most) || reason != "\"ended\"" {
            wrong.push(name.to_owned());
        }
    };
    check("nothing", 0.2, silences(World::new(), 10, |_, _| {}));
    check("new address", 1.5, silences(World::new(), 15, |world, _| world.new_address("bob")));
    check("both get a new address at once", 3.0, {
        silences(World::new(), 18, |world, _| {
            world.new_address("bob");
            world.new_address("ada");
        })
    });
    check("Wi-Fi to cable", 3.0, {
        silences(World::new(), 15, |world, _| {
            let other = world.lab.router("cable", INTERNET, RouterKind::PORT_RESTRICTED);
            script_in("bob", "ip route del default\n");
            world.lab.plug("bob", "eth1", other);
            sleep(Duration::from_millis(1_500));
            script_in("bob", "ip link set eth0 down\n");
        })
    });
    let outage = 8.0;
    check("link down for 8 s", outage + 3.0, {
        silences(World::new(), 25, |world, _| {
            let Network(home) = world.homes[0];
            script_in("bob", "ip link set eth0 down\n");
            sleep(Duration::from_secs_f64(outage));
            script_in("bob", &format!("ip link set eth0 up\nip route add default via 192.168.{home}.254\n"));
        })
    });
    check("router restarts, away for 2 s", 5.0, {
        silences(World::new(), 18, |_, _| {
            script_in("bob-router", "ip link set out down\n");
            sleep(Duration::from_secs(2));
            script_in("bob-router", "ip link set out up\nip route add default via 203.0.113.254\n");
        })
    });
    check("program stopped for 6 s, as by sleep", 6.0 + 3.0, {
        silences(World::new(), 22, |_, calling| {
            calling.signal("STOP");
            sleep(Duration::from_secs(6));
            calling.signal("CONT");
        })
    });
    check("server started anew", 0.2, {
        silences(World::new(), 15, |world, _| {
            world.server = None;
            sleep(Duration::from_secs(1));
            world.serve();
        })
    });
    check("no server any more, then a new address", 3.0, {
        silences(World::new(), 25, |world, _| {
            world.server = None;
            sleep(Duration::from_secs(8));
            world.new_address("bob");
        })
    });
    assert!(wrong.is_empty(), "not as it should be: {wrong:?}");
}
