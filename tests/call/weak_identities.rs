//! Servers of the Flash years: plain clients are called there by weak identities, and two Tincans only meet by them.

use std::time::Duration;

use tincan::call::client_machine::ClientEvent;
use tincan::call::link::Link;
use tincan::call::server_address::with_mark;
use tincan::call::view::{CallState, Known, ServerState};
use tincan::call::{Command, EndReason, Event, PeerId};

use crate::plain_client::{PlainCommand, PlainEvent};
use crate::support::virtual_network::Host;
use crate::world::{Anyone, World};

/// Ada and Bob, whose home server is an old one.
struct Met {
    world: World,
    old: Host,
    ada: Person,
    bob: Person,
}

/// Somebody, by both identities.
#[derive(Clone, Copy)]
struct Person {
    host: Host,
    lasting: PeerId,
    weak: PeerId,
}

fn met() -> Met {
    let mut world = World::new();
    let old = world.add_old_server();
    let ada = at_old_server(&mut world, old, "Ada");
    let bob = at_old_server(&mut world, old, "Bob");
    Met { world, old, ada, bob }
}

fn at_old_server(world: &mut World, old: Host, name: &str) -> Person {
    let setup = world.setup_at_old(old);
    let (host, lasting) = world.client_with(name, setup);
    let weak = world.view(host).own.weak_peer_id.expect("a weak peer ID for this server");
    Person { host, lasting, weak }
}

fn far_id(world: &World, host: Host) -> Option<PeerId> {
    match world.view(host).call {
        CallState::Outgoing { far, .. } | CallState::Incoming { far, .. } | CallState::Ended { far, .. } => {
            far.peer_id
        }
        CallState::Up(call) => call.far.peer_id,
        CallState::None => None,
    }
}

/// Whether any direct session with this peer carried a stream to or from us.
fn bytes_with(world: &mut World, host: Host, peer: PeerId) -> Vec<(u64, String)> {
    world.net.with(host, |anyone, now| match anyone {
        Anyone::Client(client) => {
            let sessions = client.direct_figures(now, peer);
            sessions.into_iter().map(|figures| (figures.bytes_sent, figures.cipher)).collect()
        }
        _ => vec![],
    })
}

#[test]
fn an_old_server_sees_a_weak_peer_id_and_nothing_that_only_ours_know() {
    let Met { mut world, old, ada, bob } = met();
    let came = world.net.with(old, |anyone, _| match anyone {
        Anyone::Old(server) => server.came().to_vec(),
        _ => vec![],
    });
    assert_eq!(came, [(ada.weak, vec![]), (bob.weak, vec![])]);
    assert!(ada.weak != ada.lasting && bob.weak != bob.lasting);
}

#[test]
fn two_who_meet_by_weak_identities_talk_by_their_lasting_ones() {
    let Met { mut world, ada, bob, .. } = met();
    world.connect(ada.host, bob.host, bob.weak);
    assert_eq!(far_id(&world, ada.host), Some(bob.lasting));
    assert_eq!(far_id(&world, bob.host), Some(ada.lasting));
    for host in [ada.host, bob.host] {
        assert!(matches!(world.view(host).call, CallState::Up(call) if call.far.known != Known::Weak));
    }
    world.person(ada.host, Command::SendText { to: bob.lasting, text: "here we are".into() });
    world.run(8);
    let line = Event::TextReceived { peer: ada.lasting, name: "Ada".into(), text: "here we are".into() };
    assert!(world.events(bob.host).contains(&line));
    assert_eq!(bytes_with(&mut world, ada.host, bob.weak), [], "nothing is left of the weak session");
    let strong = bytes_with(&mut world, ada.host, bob.lasting);
    assert!(!strong.is_empty() && strong.iter().all(|(_, cipher)| cipher.contains("HMAC-128")), "{strong:?}");
    world.person(bob.host, Command::HangUp);
    assert!(world.until(5, |world| world.end(ada.host) == Some(EndReason::EndedThere)));
}

#[test]
fn a_weak_session_between_two_of_ours_carries_no_name_no_chat_and_no_media() {
    let Met { mut world, ada, bob, .. } = met();
    world.call(ada.host, bob.weak);
    assert!(world.until(10, |world| world.rings(bob.host)));
    // It rings by the lasting identity alone: on the weak lines nobody told a name that was heeded.
    assert_eq!(far_id(&world, bob.host), Some(ada.lasting));
    let told = world.events(bob.host);
    let rung: Vec<&Event> = told.iter().filter(|event| matches!(event, Event::Ringing { .. })).collect();
    assert!(matches!(rung[..], [Event::Ringing { peer, .. }] if *peer == ada.lasting), "{rung:?}");
    world.person(bob.host, Command::Decline);
    assert!(world.until(5, |world| world.end(ada.host) == Some(EndReason::Declined)));
}

#[test]
fn both_dial_each_other_by_weak_identities_and_are_connected_once() {
    let Met { mut world, ada, bob, .. } = met();
    world.call(ada.host, bob.weak);
    world.call(bob.host, ada.weak);
    assert!(
        world.until(15, |world| world.is_up(ada.host) && world.is_up(bob.host)),
        "{:?} and {:?}",
        world.view(ada.host).call,
        world.view(bob.host).call
    );
    assert_eq!(far_id(&world, ada.host), Some(bob.lasting));
    assert_eq!(far_id(&world, bob.host), Some(ada.lasting));
}

#[test]
fn a_plain_client_of_an_old_server_is_called_and_shown_as_weak() {
    let Met { mut world, old, ada, .. } = met();
    let (flash, flash_id) = world.plain_at_old(old, "Flash");
    world.call(ada.host, flash_id);
    assert!(world.until(10, |world| world.is_up(ada.host)), "{:?}", world.view(ada.host).call);
    let heard = world.heard_plainly(flash);
    assert!(heard.contains(&PlainEvent::ConnectedWith("Ada".into())), "{heard:?}");
    assert!(matches!(world.view(ada.host).call, CallState::Up(call) if call.far.known == Known::Weak));
    world.person(ada.host, Command::HangUp);
    assert!(world.until(5, |world| world.heard_plainly(flash).contains(&PlainEvent::Over)));
}

#[test]
fn a_plain_client_of_an_old_server_calls() {
    let Met { mut world, old, ada, .. } = met();
    let (flash, flash_id) = world.plain_at_old(old, "Flash");
    world.plainly(flash, PlainCommand::Call(ada.weak));
    assert!(world.until(10, |world| world.rings(ada.host)));
    assert_eq!(far_id(&world, ada.host), Some(flash_id));
    world.person(ada.host, Command::Accept { with_video: false });
    assert!(world.until(5, |world| {
        world.is_up(ada.host) && world.heard_plainly(flash).contains(&PlainEvent::ConnectedWith("Ada".into()))
    }));
}

#[test]
fn a_link_that_names_both_reaches_only_who_proves_to_be_the_lasting_one() {
    let mut world = World::new();
    let old = world.add_old_server();
    let bob = at_old_server(&mut world, old, "Bob");
    let (ada, _) = world.client("Ada");
    let server = Some(with_mark(&world.url_of(old), true));
    let link =
        |peer| Link { peer, server: server.clone(), weak: Some(bob.weak), name: None, addresses: vec![] };
    let text = link(bob.lasting).to_text();
    assert_eq!(Link::parse(&world.view(bob.host).own.link).map(|own| own.weak), Ok(Some(bob.weak)));
    world.call(ada, text);
    assert!(world.until(15, |world| world.rings(bob.host)), "{:?}", world.view(ada).call);
    assert_eq!(far_id(&world, ada), Some(bob.lasting));
    world.person(ada, Command::Cancel);
    world.run(2);
    world.person(ada, Command::Dismiss);
    world.person(bob.host, Command::Dismiss);
    world.call(ada, link(PeerId([9; 32])).to_text());
    assert!(world.until(30, |world| world.end(ada).is_some()), "{:?}", world.view(ada).call);
    assert!(!world.rings(bob.host), "who was meant is somebody else");
}

#[test]
fn a_plain_client_does_not_stand_in_for_who_is_meant_by_the_lasting_identity() {
    let mut world = World::new();
    let old = world.add_old_server();
    let (_, flash) = world.plain_at_old(old, "Flash");
    let (ada, _) = world.client("Ada");
    let server = Some(with_mark(&world.url_of(old), true));
    let link = Link { peer: PeerId([9; 32]), server, weak: Some(flash), name: None, addresses: vec![] };
    world.call(ada, link.to_text());
    assert!(world.until(30, |world| world.end(ada).is_some() || world.is_up(ada)));
    assert_eq!(world.end(ada), Some(EndReason::Declined));
}

#[test]
fn what_is_written_to_a_weak_peer_id_arrives_by_the_lasting_one() {
    let Met { mut world, ada, bob, .. } = met();
    world.person(ada.host, Command::SendText { to: bob.weak, text: "are you there?".into() });
    let line = Event::TextReceived { peer: ada.lasting, name: "Ada".into(), text: "are you there?".into() };
    assert!(world.until(15, |world| world.events(bob.host).contains(&line)), "{:?}", world.events(bob.host));
    world.run(2);
    let conversations = world.view(ada.host).conversations;
    let with_text: Vec<PeerId> =
        conversations.iter().filter(|talk| !talk.lines.is_empty()).map(|talk| talk.peer_id).collect();
    assert_eq!(with_text, [bob.lasting], "it stands in one conversation, not in two");
}

#[test]
fn an_old_server_that_is_not_marked_is_not_reached_by_the_weak_identity() {
    let mut world = World::new();
    let old = world.add_old_server();
    let mut setup = world.setup();
    setup.server = old;
    let (ada, lasting) = world.client_with("Ada", setup);
    world.net.run_for(Duration::from_secs(1));
    assert_eq!(world.view(ada).own.weak_peer_id, None);
    let came = world.net.with(old, |anyone, _| match anyone {
        Anyone::Old(server) => server.came().iter().map(|(peer, _)| *peer).collect(),
        _ => vec![],
    });
    assert_eq!(came, [lasting]);
    assert!(!world.told(ada).iter().any(|told| matches!(told, ClientEvent::Left)));
}

#[test]
fn a_server_that_answers_and_agrees_on_no_keys_is_told_from_one_that_is_not_there() {
    let mut world = World::new();
    let [deaf, gone] = [world.add_deaf_server(), world.add_old_server()];
    world.net.cut(gone, true);
    let ada = world.client_of("Ada", deaf);
    let bob = world.client_of("Bob", gone);
    world.run(12);
    assert!(matches!(world.view(ada).own.server_state, ServerState::OtherKeys { .. }));
    assert!(matches!(world.view(bob).own.server_state, ServerState::Unreachable { .. }));
}
