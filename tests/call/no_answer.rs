//! A server that does not answer: what a person is told, and when ports of a TURN server are asked for.

use std::time::Duration;

use tincan::call::Command;
use tincan::call::client_machine::{ClientCommand, ClientEvent, ReachFound};
use tincan::call::view::{Reach, ServerState};
use tincan::rtmfp::machine::PathId;
use tincan::settings::TurnChoice;

use crate::support::topology::{Families, Router};
use crate::support::virtual_network::Host;
use crate::support::virtual_router::RouterKind;
use crate::world::World;

const TCP_ONLY: ReachFound = ReachFound { nobody_listens: false, answers_tcp: true };

fn set_turn(world: &mut World, host: Host) {
    let turn = TurnChoice { servers: "turns:turn.example.org:443".to_owned(), user: "ada".to_owned() };
    world.person(host, Command::SetTurn { turn, password: None });
}

/// What was said of ports so far.
fn wanted(world: &World, host: Host) -> Vec<bool> {
    let told = world.told(host).into_iter();
    told.filter_map(|event| match event {
        ClientEvent::PortWanted(wanted) => Some(*wanted),
        _ => None,
    })
    .collect()
}

fn run_millis(world: &mut World, millis: u64) {
    world.net.run_for(Duration::from_millis(millis));
}

#[test]
fn a_network_without_udp_is_hinted_at_after_three_seconds_and_named_after_ten() {
    let mut world = World::new();
    world.lose(1.0);
    let ada = world.client_of("Ada", world.server);
    world.run(2);
    assert_eq!(world.view(ada).own.reach, Reach::Fine);
    let checks = |world: &World| {
        world.told(ada).iter().filter(|event| matches!(event, ClientEvent::CheckReach(_))).count()
    };
    assert_eq!(checks(&world), 1, "what can be found out is asked for in time");
    world.ask(ada, ClientCommand::ReachFound(TCP_ONLY));
    world.run(2);
    assert_eq!(world.view(ada).own.reach, Reach::NoAnswerYet);
    world.run(7);
    assert_eq!(world.view(ada).own.reach, Reach::UdpBlocked);
    world.lose(0.0);
    world.is_connected(ada, "Ada");
    world.run(1);
    assert_eq!(world.view(ada).own.reach, Reach::Fine);
}

#[test]
fn ports_are_asked_for_when_a_server_does_not_answer_directly_and_given_back_later() {
    let mut world = World::new();
    world.lose(1.0);
    let ada = world.client_of("Ada", world.server);
    set_turn(&mut world, ada);
    run_millis(&mut world, 400);
    assert_eq!(wanted(&world, ada), [] as [bool; 0], "the direct way comes first");
    run_millis(&mut world, 400);
    assert_eq!(wanted(&world, ada), [true]);
    world.lose(0.0);
    world.is_connected(ada, "Ada");
    world.run(60);
    assert_eq!(wanted(&world, ada), [true, false]);
}

#[test]
fn an_idle_person_borrows_nothing_and_one_who_dials_does() {
    let mut world = World::new();
    let (ada, _) = world.client("Ada");
    let (_, bob) = world.client("Bob");
    set_turn(&mut world, ada);
    world.run(120);
    assert_eq!(wanted(&world, ada), [] as [bool; 0]);
    world.call(ada, bob);
    run_millis(&mut world, 50);
    assert_eq!(wanted(&world, ada), [true]);
}

#[test]
fn without_a_turn_server_nothing_is_asked_for() {
    let mut world = World::new();
    world.lose(1.0);
    let ada = world.client_of("Ada", world.server);
    world.run(30);
    assert_eq!(wanted(&world, ada), [] as [bool; 0]);
}

/// Somebody whose router lets no UDP out, with a port that a TURN server lends.
fn behind_a_wall(world: &mut World, name: &str) -> (Host, Router, PathId) {
    let router = world.net.add_router(RouterKind::PORT_RESTRICTED);
    world.net.router(router).let_out(Box::new(|_| false));
    let (host, _) = world.unconnected_at(name, Some(router), Families::V4);
    set_turn(world, host);
    run_millis(world, 800);
    assert_eq!(wanted(world, host), [true]);
    let lent = world.net.borrow_port(host);
    world.is_connected(host, name);
    (host, router, lent)
}

#[test]
fn who_is_reached_over_a_lent_port_only_keeps_it_while_idle_and_is_called_there() {
    let mut world = World::new();
    let (ada, ..) = behind_a_wall(&mut world, "Ada");
    let (bob, _) = world.client("Bob");
    world.run(300);
    assert_eq!(wanted(&world, ada), [true]);
    world.call(bob, "Ada");
    assert!(world.until(10, |world| world.rings(ada)), "{:?}", world.view(bob).call);
}

#[test]
fn a_server_that_is_reached_over_a_lent_port_is_tried_directly_every_minute() {
    let mut world = World::new();
    let (ada, router, lent) = behind_a_wall(&mut world, "Ada");
    world.run(180);
    world.net.router(router).let_out(Box::new(|_| true));
    world.run(60 + 31);
    assert_eq!(wanted(&world, ada), [true, false], "nothing goes over the lent port any more");
    world.net.close_path(ada, lent);
    world.run(30);
    assert_eq!(world.view(ada).own.server_state, ServerState::Connected);
}
