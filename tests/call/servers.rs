//! Several servers at once: people who are found on another one than ours.

use tincan::call::client_machine::{ClientCommand, ClientEvent};
use tincan::call::link::Link;
use tincan::call::view::{CallState, Presence, Progress, ServerState};
use tincan::call::{Command, EndReason, Event, PeerId};
use tincan::rendezvous::service::ServiceEvent;
use tincan::settings::Setting;

use crate::support::virtual_network::Host;
use crate::world::{Told, World};

/// Two servers: Ada is at the first, Bob at the second.
struct Two {
    world: World,
    second: Host,
    ada: (Host, PeerId),
    bob: (Host, PeerId),
}

fn two() -> Two {
    let mut world = World::new();
    let second = world.add_server();
    let ada = world.client("Ada");
    let mut setup = world.setup();
    setup.server = second;
    let bob = world.client_with("Bob", setup);
    Two { world, second, ada, bob }
}

impl Two {
    fn link_to_bob(&self) -> String {
        let server = Some(self.world.url_of(self.second));
        Link { peer: self.bob.1, server, weak: None, name: Some("Bob".into()), addresses: vec![] }.to_text()
    }

    fn keep_bob(&mut self) {
        let server = Some(self.world.url_of(self.second));
        self.world.person(self.ada.0, Command::AddContact { peer: self.bob.1, name: "Bob".into(), server });
    }

    fn presence_of_bob(&self) -> Presence {
        self.world.view(self.ada.0).contacts[0].presence
    }

    /// How many are on the second server, by its own count.
    fn at_the_second(&self) -> usize {
        here(&self.world, self.second)
    }
}

fn here(world: &World, server: Host) -> usize {
    let counts = world.net.events(server).iter().filter_map(|(_, told)| match told {
        Told::Server(ServiceEvent::Joined { here, .. } | ServiceEvent::Left { here, .. }) => Some(*here),
        _ => None,
    });
    counts.last().unwrap_or_default()
}

fn joins(world: &World, server: Host) -> usize {
    let told = world.net.events(server).iter();
    told.filter(|(_, told)| matches!(told, Told::Server(ServiceEvent::Joined { .. }))).count()
}

#[test]
fn a_link_to_somebody_on_another_server_is_called_there() {
    let two = two();
    let link = two.link_to_bob();
    let Two { mut world, ada, bob, .. } = two;
    world.call(ada.0, link);
    world.net.run_for(std::time::Duration::from_millis(20));
    assert!(
        matches!(
            world.view(ada.0).call,
            CallState::Outgoing { ref far, progress: Progress::Looking, .. } if far.name == "Bob"
        ),
        "it is being looked for"
    );
    assert!(world.until(10, |world| world.rings(bob.0)), "{:?}", world.view(ada.0).call);
    world.person(bob.0, Command::Accept { with_video: true });
    assert!(world.until(5, |world| world.is_up(ada.0) && world.is_up(bob.0)));
}

#[test]
fn a_server_that_nobody_is_needed_on_any_more_is_left() {
    let mut two = two();
    let link = two.link_to_bob();
    two.world.call(two.ada.0, link);
    let bob = two.bob.0;
    assert!(two.world.until(10, |world| world.rings(bob)));
    assert_eq!(two.at_the_second(), 2);
    two.world.person(two.ada.0, Command::Cancel);
    two.world.run(10);
    assert_eq!(two.at_the_second(), 1);
    assert_eq!(two.world.view(two.ada.0).own.server_state, ServerState::Connected, "home stays");
}

#[test]
fn a_contact_on_another_server_is_seen_written_to_and_called_there() {
    let mut two = two();
    two.keep_bob();
    assert!(
        {
            let ada = two.ada.0;
            two.world.until(15, |world| world.view(ada).contacts[0].presence == Presence::Online)
        },
        "{:?}",
        two.presence_of_bob()
    );
    two.world.person(two.ada.0, Command::SendText { to: two.bob.1, text: "hello".into() });
    let (ada, bob) = (two.ada, two.bob);
    let came = |event: &Event| matches!(event, Event::TextReceived { text, .. } if text == "hello");
    assert!(two.world.until(10, |world| world.events(bob.0).iter().any(came)));
    two.world.connect(ada.0, bob.0, bob.1);
}

#[test]
fn who_is_kept_during_a_call_by_link_is_found_on_that_server_from_then_on() {
    let mut two = two();
    let link = two.link_to_bob();
    let (ada, bob) = (two.ada, two.bob);
    two.world.call(ada.0, link);
    assert!(two.world.until(10, |world| world.rings(bob.0)));
    two.world.person(ada.0, Command::AddContact { peer: bob.1, name: "Bob".into(), server: None });
    two.world.person(ada.0, Command::Cancel);
    two.world.run(60);
    assert_eq!(two.presence_of_bob(), Presence::Online);
    assert_eq!(two.at_the_second(), 2);
}

#[test]
fn on_another_server_one_is_a_visitor_and_not_in_its_list() {
    let mut two = two();
    two.keep_bob();
    two.world.run(5);
    assert_eq!(two.at_the_second(), 2);
    assert!(two.world.view(two.bob.0).people.is_empty());
    assert!(two.world.view(two.ada.0).people.is_empty(), "nor is its list shown here");
}

#[test]
fn two_who_keep_each_other_across_servers_see_each_other() {
    let mut two = two();
    two.keep_bob();
    let server = Some(two.world.url_of(two.world.server));
    let (ada, bob) = (two.ada, two.bob);
    two.world.person(bob.0, Command::AddContact { peer: ada.1, name: "Ada".into(), server });
    let online = |world: &World, host: Host| world.view(host).contacts[0].presence == Presence::Online;
    assert!(two.world.until(15, |world| online(world, ada.0) && online(world, bob.0)));
}

#[test]
fn a_contact_whose_server_is_ours_under_another_name_needs_no_second_connection() {
    let mut world = World::new();
    let (ada, _) = world.client("Ada");
    let (_, bob_id) = world.client("Bob");
    world.name_server("rtmfp://alias.example", world.server);
    let server = Some("rtmfp://Alias.example:1935/".to_owned());
    world.person(ada, Command::AddContact { peer: bob_id, name: "Bob".into(), server });
    assert!(world.until(10, |world| world.view(ada).contacts[0].presence == Presence::Online));
    world.run(30);
    assert_eq!(joins(&world, world.server), 2, "each came once");
}

#[test]
fn a_name_that_is_taken_on_the_other_server_is_made_longer() {
    let mut two = two();
    let mut setup = two.world.setup();
    setup.server = two.second;
    two.world.client_with("ada", setup);
    two.keep_bob();
    let ada = two.ada.0;
    assert!(two.world.until(15, |world| world.view(ada).contacts[0].presence == Presence::Online));
    assert_eq!(two.at_the_second(), 3);
}

#[test]
fn a_server_whose_name_leads_nowhere_is_tried_ever_more_rarely_and_said_when_dialling() {
    let mut world = World::new();
    let (ada, _) = world.client("Ada");
    let peer = PeerId([9; 32]);
    let server = Some("rtmfp://nowhere.example".to_owned());
    world.person(ada, Command::AddContact { peer, name: "Nobody".into(), server: server.clone() });
    world.run(60);
    let wanted = ClientEvent::ServerWanted { url: server };
    let times = world.told(ada).into_iter().filter(|told| **told == wanted).count();
    assert!((3..=9).contains(&times), "{times}");
    world.call(ada, peer);
    assert!(
        world.until(20, |world| world.end(ada) == Some(EndReason::ServerUnreachable)),
        "{:?}",
        world.view(ada).call
    );
}

#[test]
fn a_text_waits_for_the_server_of_its_receiver() {
    let mut two = two();
    two.keep_bob();
    two.world.run(5);
    let (ada, bob, second) = (two.ada, two.bob, two.second);
    two.world.net.cut(second, true);
    two.world.run(40);
    two.world.person(ada.0, Command::SendText { to: bob.1, text: "later".into() });
    two.world.run(5);
    two.world.net.cut(second, false);
    let came = |event: &Event| matches!(event, Event::TextReceived { text, .. } if text == "later");
    assert!(two.world.until(60, |world| world.events(bob.0).iter().any(came)));
}

#[test]
fn a_home_server_that_becomes_another_one_leaves_no_connection_behind() {
    let mut two = two();
    two.keep_bob();
    two.world.run(5);
    let url = two.world.url_of(two.second);
    let addresses = vec![two.world.net.address(two.second)];
    two.world.ask(two.ada.0, ClientCommand::UseServer { url, shown: "second".into(), addresses });
    let ada = two.ada.0;
    two.world.run(20);
    assert_eq!(two.world.view(ada).own.server_state, ServerState::Connected);
    assert_eq!(two.presence_of_bob(), Presence::Online);
    assert_eq!((here(&two.world, two.world.server), two.at_the_second()), (0, 2));
}

#[test]
fn our_link_names_our_server_unless_it_is_the_one_on_this_computer() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let link = |world: &World| Link::parse(&world.view(ada).own.link).expect("a link");
    world.run(1);
    assert_eq!((link(&world).peer, link(&world).server), (ada_id, None));
    world.person(ada, Command::SetServer(Some("rtmfp://Example.org:1935".into())));
    world.run(1);
    assert_eq!(link(&world).server.as_deref(), Some("rtmfp://example.org"));
    assert_eq!(world.view(ada).own.server_url.as_deref(), Some("rtmfp://Example.org:1935"));
    world.person(ada, Command::SetServer(Some("rtmfp://127.0.0.1".into())));
    world.run(1);
    assert_eq!(link(&world).server, None);
}

#[test]
fn a_server_hears_of_us_as_often_as_the_person_chose() {
    let mut world = World::new();
    let mut setup = world.setup();
    setup.server = world.add_server();
    let (ada, _) = world.client_with("Ada", setup);
    let mut sent_in_a_minute = |seconds| {
        world.person(ada, Command::Set(Setting::Keepalive(seconds)));
        world.run(20);
        let before = world.net.sent().iter().filter(|sent| sent.from == ada).count();
        world.run(60);
        world.net.sent().iter().filter(|sent| sent.from == ada).count() - before
    };
    let (often, rarely) = (sent_in_a_minute(5), sent_in_a_minute(60));
    assert!(often >= 10, "{often}");
    assert!(rarely <= 4, "{rarely}");
}
