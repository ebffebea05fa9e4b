//! What happens to a call when the network between its ends changes: a router that forgets, another kind of router.

use std::time::Duration;

use bytes::Bytes;
use tincan::call::client_machine::{ClientCommand, ClientEvent};
use tincan::media::encoded::EncodedFrame;

use super::{accept_at_once, world};
use crate::support::virtual_network::{Families, Host};
use crate::support::virtual_router::RouterKind;
use crate::world::{Asked, Told, World};

/// Both speak for so long, a packet each 20 ms.
fn speak(world: &mut World, hosts: [Host; 2], span: Duration) {
    let until = world.net.elapsed() + span;
    while world.net.elapsed() < until {
        let timestamp = u32::try_from(world.net.elapsed().as_millis()).expect("some seconds");
        for host in hosts {
            let sound = EncodedFrame::Audio { timestamp, packet: Bytes::from(vec![7; 80]) };
            world.net.command(host, Asked::Client(ClientCommand::Frame(sound)));
        }
        world.net.run_for(Duration::from_millis(20));
    }
}

/// The longest time without sound from the other end, from `since` on.
fn longest_silence(world: &World, host: Host, since: Duration) -> Duration {
    let is_sound = |told: &Told| matches!(told, Told::Client(ClientEvent::Frame(EncodedFrame::Audio { .. })));
    let heard = world.net.events(host).iter().filter(|(at, told)| *at >= since && is_sound(told));
    let mut last = since;
    let mut longest = Duration::ZERO;
    for at in heard.map(|(at, _)| *at).chain([world.net.elapsed()]) {
        longest = longest.max(at - last);
        last = at;
    }
    longest
}

/// The router before Bob forgets him in the middle of a call with Ada; how long neither hears the other at most.
fn silence_when_a_router_forgets(bobs: RouterKind, adas: RouterKind) -> Duration {
    let mut world = world();
    let (at_bobs, at_adas) = (world.net.add_router(bobs), world.net.add_router(adas));
    let (bob, _) = world.client_at("Bob", Some(at_bobs), Families::V4);
    let (ada, ada_id) = world.client_at("Ada", Some(at_adas), Families::V4);
    accept_at_once(&mut world, ada);
    world.call(bob, ada_id);
    assert!(world.until(10, |world| world.is_up(bob) && world.is_up(ada)), "{bobs:?} and {adas:?}");
    speak(&mut world, [bob, ada], Duration::from_secs(3));
    let forgotten = world.net.elapsed();
    world.net.router(at_bobs).forget();
    speak(&mut world, [bob, ada], Duration::from_secs(15));
    longest_silence(&world, bob, forgotten).max(longest_silence(&world, ada, forgotten))
}

/// Every pair of kinds, the one that forgets first, and how long there was silence.
fn silences() -> Vec<(RouterKind, RouterKind, Duration)> {
    let pairs = RouterKind::ALL.into_iter().flat_map(|bobs| RouterKind::ALL.map(|adas| (bobs, adas)));
    pairs.map(|(bobs, adas)| (bobs, adas, silence_when_a_router_forgets(bobs, adas))).collect()
}

#[test]
fn a_call_goes_on_within_three_seconds_after_a_router_forgot_it() {
    let too_long = silences().into_iter().filter(|(.., silence)| *silence > Duration::from_secs(3));
    let wrong: Vec<_> = too_long.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Prints the documentation's table of the longest silences in milliseconds.
#[test]
#[ignore = "prints a table for the documentation; tests above assert the same calls"]
fn table() {
    for line in silences().chunks(RouterKind::ALL.len()) {
        let cells: Vec<_> = line.iter().map(|(.., silence)| silence.as_millis().to_string()).collect();
        println!("| {} |", cells.join(" | "));
    }
}
