//! Comparing codes between whole clients, in virtual time.

use tincan::call::Command;
use tincan::call::view::{CallState, Known, Verifying};

use crate::plain_client::PlainCommand;
use crate::support::virtual_network::Host;
use crate::world::World;

fn code(world: &World, host: Host) -> Option<(Vec<String>, Vec<u16>)> {
    match world.view(host).verifying {
        Verifying::Compare { digits, words } => Some((digits, words)),
        _ => None,
    }
}

fn known(world: &World, host: Host) -> Option<Known> {
    match world.view(host).call {
        CallState::Up(call) => Some(call.far.known),
        _ => None,
    }
}

fn in_a_call() -> (World, Host, Host) {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, _) = world.client("Bob");
    world.connect(bob, ada, ada_id);
    (world, bob, ada)
}

#[test]
fn both_ends_show_the_same_code_whoever_begins() {
    for by_caller in [true, false] {
        let (mut world, caller, called) = in_a_call();
        world.lose(0.05);
        let begins = if by_caller { caller } else { called };
        world.person(begins, Command::StartVerifying);
        assert!(world.until(5, |world| code(world, caller).is_some() && code(world, called).is_some()));
        assert_eq!(code(&world, caller), code(&world, called));
    }
}

#[test]
fn both_may_begin_at_once() {
    let (mut world, caller, called) = in_a_call();
    world.person(caller, Command::StartVerifying);
    world.person(called, Command::StartVerifying);
    assert!(world.until(5, |world| code(world, caller).is_some() && code(world, called).is_some()));
    assert_eq!(code(&world, caller), code(&world, called));
}

#[test]
fn two_who_dialled_each_other_agree_on_a_code_too() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, bob_id) = world.client("Bob");
    world.call(ada, bob_id);
    world.call(bob, ada_id);
    assert!(world.until(10, |world| world.is_up(ada) && world.is_up(bob)));
    world.person(ada, Command::StartVerifying);
    world.person(bob, Command::StartVerifying);
    assert!(
        world.until(5, |world| code(world, ada).is_some() && code(world, bob).is_some()),
        "{:?} and {:?}",
        world.view(ada).verifying,
        world.view(bob).verifying
    );
    assert_eq!(code(&world, ada), code(&world, bob));
}

#[test]
fn who_is_found_right_is_verified_here_and_later() {
    let (mut world, caller, called) = in_a_call();
    world.person(caller, Command::StartVerifying);
    assert!(world.until(5, |world| code(world, caller).is_some()));
    assert_eq!(known(&world, caller), Some(Known::Stranger));
    world.person(caller, Command::Verified { same: true });
    assert!(world.until(5, |world| world.view(caller).verifying == Verifying::Done));
    assert_eq!(known(&world, caller), Some(Known::Verified));
    assert_eq!(known(&world, called), Some(Known::Stranger), "each person says so for themselves");
}

#[test]
fn codes_that_differ_are_final_for_the_session() {
    let (mut world, caller, called) = in_a_call();
    world.person(caller, Command::StartVerifying);
    assert!(world.until(5, |world| code(world, called).is_some()));
    world.person(called, Command::Verified { same: false });
    assert!(world.until(5, |world| world.view(called).verifying == Verifying::Failed));
    world.person(called, Command::StartVerifying);
    world.run(5);
    assert_eq!(world.view(called).verifying, Verifying::Failed);
    assert_eq!(known(&world, called), Some(Known::Stranger));
}

#[test]
fn asking_again_in_the_same_session_shows_the_same_code() {
    let (mut world, caller, called) = in_a_call();
    world.person(caller, Command::StartVerifying);
    assert!(world.until(5, |world| code(world, caller).is_some() && code(world, called).is_some()));
    let before = code(&world, caller);
    for host in [caller, called] {
        world.person(host, Command::StartVerifying);
    }
    world.run(3);
    assert_eq!(code(&world, caller), before);
    assert_eq!(code(&world, called), before);
}

#[test]
fn another_session_has_another_code() {
    let (mut world, caller, called) = in_a_call();
    world.person(caller, Command::StartVerifying);
    assert!(world.until(5, |world| code(world, called).is_some()));
    let first = code(&world, called);
    // Long enough for the session to be given up at both ends, and for the call to be dialled anew.
    world.net.cut(caller, true);
    world.run(22);
    world.net.cut(caller, false);
    assert!(world.until(15, |world| {
        [caller, called]
            .iter()
            .all(|host| matches!(&world.view(*host).call, CallState::Up(call) if call.silent_for.is_none()))
    }));
    world.person(caller, Command::StartVerifying);
    assert!(world.until(5, |world| code(world, called).is_some_and(|code| Some(code) != first)));
    assert!(world.until(5, |world| code(world, caller) == code(world, called)));
}

#[test]
fn nothing_of_it_is_left_when_the_call_is_over() {
    let (mut world, caller, called) = in_a_call();
    world.person(caller, Command::StartVerifying);
    assert!(world.until(5, |world| code(world, called).is_some()));
    world.person(called, Command::HangUp);
    assert!(world.until(5, |world| world.view(caller).verifying == Verifying::Not));
    assert_eq!(world.view(called).verifying, Verifying::Not);
}

#[test]
fn a_plain_client_cannot() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (pat, _) = world.plain("Pat");
    world.plainly(pat, PlainCommand::Call(ada_id));
    assert!(world.until(10, |world| world.rings(ada)));
    world.person(ada, Command::Accept { with_video: true });
    assert!(world.until(5, |world| world.is_up(ada)));
    world.person(ada, Command::StartVerifying);
    assert!(world.until(2, |world| world.view(ada).verifying == Verifying::NotThere));
}
