//! Calls over ports that a TURN server lends, in virtual time: where nothing else leads through, and what both ends say of
//! it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tincan::call::client_machine::{ClientCommand, ClientEvent};
use tincan::call::view::CallState;
use tincan::call::{Command, PeerId};
use tincan::media::encoded::EncodedFrame;
use tincan::settings::TurnChoice;

use crate::support::topology::Families;
use crate::support::virtual_network::Host;
use crate::support::virtual_router::RouterKind;
use crate::world::{Told, World};

/// Behind a router that gives each destination another port.
fn behind_symmetric(world: &mut World, name: &str) -> (Host, PeerId) {
    let router = world.net.add_router(RouterKind::SYMMETRIC);
    world.client_at(name, Some(router), Families::V4)
}

/// Has a TURN server from now on.
fn set_turn(world: &mut World, host: Host) {
    let turn = TurnChoice { servers: "turn:turn.example.org".to_owned(), user: "ada".to_owned() };
    world.person(host, Command::SetTurn { turn, password: None });
}

/// Lends a port as soon as one is wanted.
fn lend_when_wanted(world: &mut World, host: Host) {
    let wanted = |world: &World| {
        let told = world.told(host).into_iter().rev();
        let mut wishes = told.filter_map(|event| match event {
            ClientEvent::PortWanted(wanted) => Some(*wanted),
            _ => None,
        });
        wishes.next() == Some(true)
    };
    assert!(world.until(5, wanted), "no port is wanted");
    world.net.borrow_port(host);
}

fn routes(world: &World, hosts: [Host; 2]) -> [String; 2] {
    hosts.map(|host| match world.view(host).call {
        CallState::Up(call) => call.quality.route,
        other => format!("no call, but {other:?}"),
    })
}

/// Both speak for so many seconds; how many pieces of sound came to each.
fn talk(world: &mut World, hosts: [Host; 2], seconds: u32) -> [usize; 2] {
    let since = world.net.elapsed();
    for _ in 0..seconds * 50 {
        let timestamp = u32::try_from(world.net.elapsed().as_millis()).expect("some seconds");
        for host in hosts {
            let packet = Bytes::from(vec![7; 100]);
            world.ask(host, ClientCommand::Frame(EncodedFrame::Audio { timestamp, packet }));
        }
        world.net.run_for(Duration::from_millis(20));
    }
    let is_sound = |told: &Told| matches!(told, Told::Client(ClientEvent::Frame(EncodedFrame::Audio { .. })));
    hosts
        .map(|host| world.net.events(host).iter().filter(|(at, told)| *at >= since && is_sound(told)).count())
}

#[test]
fn a_borrowed_port_carries_a_call_that_nothing_else_does_and_both_ends_say_so() {
    let mut world = World::new();
    let (ada, _) = behind_symmetric(&mut world, "Ada");
    let (bob, bob_id) = behind_symmetric(&mut world, "Bob");
    set_turn(&mut world, ada);
    world.call(ada, bob_id);
    lend_when_wanted(&mut world, ada);
    assert!(world.until(5, |world| world.rings(bob)), "it does not ring");
    world.person(bob, Command::Accept { with_video: false });
    assert!(world.until(5, |world| world.is_up(ada) && world.is_up(bob)));
    world.run(1);
    assert_eq!(routes(&world, [ada, bob]), ["relayed", "relayed"]);
    let heard = talk(&mut world, [ada, bob], 4);
    assert!(heard.iter().all(|heard| *heard >= 180), "{heard:?}");
    assert_eq!(routes(&world, [ada, bob]), ["relayed", "relayed"]);
}

#[test]
fn whoever_borrowed_a_port_is_called_there_once_the_server_knows_it() {
    let mut world = World::new();
    let (ada, ada_id) = behind_symmetric(&mut world, "Ada");
    let (bob, _) = behind_symmetric(&mut world, "Bob");
    set_turn(&mut world, ada);
    // It probes the server over the port, which proves the address.
    world.net.borrow_port(ada);
    world.run(2);
    world.connect(bob, ada, ada_id);
    let heard = talk(&mut world, [ada, bob], 4);
    assert!(heard.iter().all(|heard| *heard >= 180), "{heard:?}");
    assert_eq!(routes(&world, [ada, bob]), ["relayed", "relayed"]);
}

#[test]
fn a_call_over_a_port_that_is_taken_back_goes_on_over_the_next_one() {
    let mut world = World::new();
    let (ada, ada_id) = behind_symmetric(&mut world, "Ada");
    let (bob, _) = behind_symmetric(&mut world, "Bob");
    set_turn(&mut world, ada);
    let first = world.net.borrow_port(ada);
    world.run(2);
    world.connect(bob, ada, ada_id);
    talk(&mut world, [ada, bob], 2);
    world.net.close_path(ada, first);
    world.net.borrow_port(ada);
    talk(&mut world, [ada, bob], 6);
    let heard = talk(&mut world, [ada, bob], 2);
    assert!(heard.iter().all(|heard| *heard >= 90), "{heard:?}");
    assert!(world.is_up(ada) && world.is_up(bob));
}

#[test]
fn copies_of_a_probe_have_the_server_write_to_bystanders_less_than_came_and_move_nobody() {
    let mut world = World::new();
    let (ada, ada_id) = behind_symmetric(&mut world, "Ada");
    let (bob, _) = world.client_at("Bob", None, Families::V4);
    set_turn(&mut world, ada);
    world.net.clear_log();
    world.net.borrow_port(ada);
    world.run(1);
    let sent = world.net.sent().iter().filter(|sent| sent.from == ada);
    let copies: Vec<Vec<u8>> = sent.map(|sent| sent.bytes.clone()).collect();
    assert!(!copies.is_empty(), "the server is probed");
    world.net.clear_log();
    let victim = |n: usize| SocketAddr::from(([203, 0, 113, 66], 4000 + (n % 64) as u16));
    for n in 0..500 {
        world.net.inject(world.server, victim(n), &copies[n % copies.len()]);
        world.net.run_for(Duration::from_millis(10));
    }
    let sent = world.net.sent().iter().filter(|sent| sent.to.ip() == victim(0).ip());
    let (count, bytes) = sent.fold((0, 0), |(count, bytes), sent| (count + 1, bytes + sent.bytes.len()));
    let came: usize = (0..500).map(|n| copies[n % copies.len()].len()).sum();
    assert!(count <= 200 && bytes * 2 <= came, "{count} packets, {bytes} bytes for {came}");
    world.connect(bob, ada, ada_id);
}
