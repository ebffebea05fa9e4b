//! What somebody who has nothing to do with a call is sent because of it.

use std::net::SocketAddr;

use tincan::call::client_machine::ClientCommand;

use super::{accept_at_once, world};
use crate::support::virtual_network::Families;
use crate::support::virtual_router::RouterKind;

/// Ada says that she is at a bystander's address too, and is called and talked to for two minutes.
#[test]
fn whoever_lies_about_their_addresses_has_a_bystander_sent_next_to_nothing() {
    for kind in [RouterKind::PORT_RESTRICTED, RouterKind::SYMMETRIC] {
        let mut world = world();
        let bystander = SocketAddr::from(([192, 0, 2, 66], 4000));
        let routers = [(); 2].map(|()| world.net.add_router(kind));
        let (bob, _) = world.client_at("Bob", Some(routers[0]), Families::V4);
        let (ada, ada_id) = world.client_at("Ada", Some(routers[1]), Families::V4);
        world.ask(ada, ClientCommand::LocalAddresses(vec![bystander]));
        world.run(1);
        accept_at_once(&mut world, ada);
        world.net.clear_log();
        world.call(bob, ada_id);
        assert!(world.until(10, |world| world.is_up(bob) && world.is_up(ada)), "{kind:?}");
        world.run(120);
        let sent: Vec<_> = world.net.sent().iter().filter(|sent| sent.to.ip() == bystander.ip()).collect();
        let bytes: usize = sent.iter().map(|sent| sent.bytes.len()).sum();
        assert!(bytes <= 4000, "{} packets, {bytes} bytes with {kind:?}", sent.len());
        assert!(sent.iter().all(|sent| sent.from != world.server), "the server wrote to a bystander");
    }
}

/// In a call with Bob, Eve says every second that she is somewhere else: at sixteen of some bystanders' ports each time.
#[test]
fn whoever_names_other_places_again_and_again_has_bystanders_sent_a_little() {
    let mut world = world();
    let victims: Vec<SocketAddr> = (0..64).map(|n| SocketAddr::from(([192, 0, 2, 66], 4000 + n))).collect();
    let (bob, _) = world.client_at("Bob", None, Families::V4);
    let (eve, eves_id) = world.client_at("Eve", None, Families::V4);
    accept_at_once(&mut world, eve);
    world.call(bob, eves_id);
    assert!(world.until(10, |world| world.is_up(bob) && world.is_up(eve)));
    world.net.clear_log();
    for n in 0..120 {
        let named = victims.iter().cycle().skip(n * 16).take(16).copied().collect();
        world.ask(eve, ClientCommand::LocalAddresses(named));
        world.run(1);
    }
    let sent: Vec<_> =
        world.net.sent().iter().filter(|sent| sent.from != eve && victims.contains(&sent.to)).collect();
    let bytes: usize = sent.iter().map(|sent| sent.bytes.len()).sum();
    assert!(!sent.is_empty(), "what she names is tried");
    assert!(sent.len() <= 500 && bytes <= 40_000, "{} packets, {bytes} bytes", sent.len());
    assert!(world.is_up(bob));
}
