//! Contacts between whole clients: what they are called, what is kept, and who only goes by their name.

use tincan::call::client_machine::ClientEvent;
use tincan::call::event::{Notice, Refusal};
use tincan::call::view::{CallState, FarEnd, Known};
use tincan::call::{Command, Event, PeerId};
use tincan::history::record::{Keep, Remembered, StoredContact};

use crate::support::virtual_network::Host;
use crate::world::World;

fn add(world: &mut World, host: Host, peer: PeerId, name: &str) {
    world.person(host, Command::AddContact { peer, name: name.into(), server: None });
    world.run(1);
}

fn kept(world: &World, host: Host) -> Vec<Keep> {
    let told = world.told(host).into_iter().filter_map(|event| match event {
        ClientEvent::Keep { what, .. } => Some(what.clone()),
        _ => None,
    });
    told.collect()
}

fn caller(world: &World, host: Host) -> FarEnd {
    match world.view(host).call {
        CallState::Incoming { far, .. } => far,
        other => panic!("nobody calls: {other:?}"),
    }
}

#[test]
fn a_contact_bears_the_name_it_has_here_wherever_it_is_seen() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let (bob, bob_id) = world.client("Bob");
    add(&mut world, ada, bob_id, "Robert");
    world.call(bob, ada_id);
    assert!(world.until(10, |world| world.rings(ada)));
    let far = caller(&world, ada);
    assert_eq!((far.name.as_str(), far.known), ("Robert", Known::Contact));
    assert!(
        world
            .events(ada)
            .iter()
            .any(|event| matches!(event, Event::Ringing { name, .. } if name == "Robert"))
    );
    world.person(ada, Command::Accept { with_video: true });
    assert!(world.until(5, |world| world.is_up(bob)));
    world.person(bob, Command::SendText { to: ada_id, text: "hello".into() });
    assert!(world.until(5, |world| !world.view(ada).conversations.is_empty()));
    let view = world.view(ada);
    assert_eq!(view.conversations[0].name, "Robert");
    assert_eq!(view.contacts[0].told_name.as_deref(), Some("Bob"));
}

#[test]
fn what_changes_is_given_to_be_kept() {
    let mut world = World::new();
    let (ada, _) = world.client("Ada");
    let (_, bob_id) = world.client("Bob");
    add(&mut world, ada, bob_id, "Bob");
    world.person(ada, Command::RenameContact { peer: bob_id, name: "Robert".into() });
    world.person(ada, Command::RemoveContact(bob_id));
    world.person(ada, Command::RestoreContact(bob_id));
    world.run(1);
    let names: Vec<String> = kept(&world, ada)
        .into_iter()
        .map(|keep| match keep {
            Keep::Contact(contact) => contact.name,
            Keep::ContactGone(_) => "gone".into(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["Bob", "Robert", "gone", "Robert"]);
    assert_eq!(world.view(ada).contacts[0].name, "Robert");
}

#[test]
fn contacts_of_earlier_starts_are_there_and_verified_ones_are_known_as_such() {
    let mut world = World::new();
    let (bob, bob_id) = world.client("Bob");
    let mut setup = world.setup();
    setup.remembered = Remembered {
        contacts: vec![StoredContact {
            peer: bob_id,
            name: "Robert".into(),
            told_name: "Bob".into(),
            server: None,
            verified_at: Some(std::time::SystemTime::UNIX_EPOCH),
            added_at: std::time::SystemTime::UNIX_EPOCH,
        }],
        ..Remembered::default()
    };
    let (ada, ada_id) = world.client_with("Ada", setup);
    assert!(world.view(ada).contacts[0].verified);
    world.call(bob, ada_id);
    assert!(world.until(10, |world| world.rings(ada)));
    assert_eq!(caller(&world, ada).known, Known::Verified);
}

#[test]
fn who_calls_by_the_name_of_a_contact_with_another_key_is_pointed_out_loudly() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    let bob_id = PeerId([7; 32]);
    add(&mut world, ada, bob_id, "Bob");
    let (impostor, impostor_id) = world.client("BOB");
    world.call(impostor, ada_id);
    assert!(world.until(10, |world| world.rings(ada)));
    assert_eq!(caller(&world, ada).known, Known::KeyChanged);
    let notice = Notice::KeyChanged { name: "BOB".into(), contact: bob_id, now: impostor_id };
    assert!(world.events(ada).contains(&Event::Notice(notice)));
    assert_eq!(world.view(ada).contacts[0].name, "Bob", "the contact is as it was");
}

#[test]
fn who_is_dialled_by_a_name_that_a_contact_bears_is_that_contact() {
    let mut world = World::new();
    let (ada, _) = world.client("Ada");
    let (bob, bob_id) = world.client("Bob");
    world.client("Robert");
    add(&mut world, ada, bob_id, "Robert");
    world.call(ada, "robert");
    assert!(world.until(10, |world| world.rings(bob)));
}

#[test]
fn a_stranger_found_by_the_name_that_a_contact_gave_itself_is_pointed_out_to_who_dials() {
    let mut world = World::new();
    let (ada, _) = world.client("Ada");
    let (bob, bob_id) = world.client("Bob");
    world.call(ada, bob_id);
    assert!(world.until(10, |world| world.rings(bob)));
    world.person(bob, Command::Accept { with_video: true });
    assert!(world.until(5, |world| world.is_up(ada)));
    add(&mut world, ada, bob_id, "Robert");
    world.person(ada, Command::HangUp);
    world.person(bob, Command::SetName("Other".into()));
    world.run(3);
    let (_, impostor_id) = world.client("Bob");
    world.call(ada, "Bob");
    let warned = |event: &Event| {
        matches!(event, Event::Notice(Notice::KeyChanged { contact, now, .. })
            if *contact == bob_id && *now == impostor_id)
    };
    assert!(world.until(5, |world| world.events(ada).iter().any(warned)), "{:?}", world.events(ada));
}

#[test]
fn one_cannot_keep_oneself_nor_somebody_without_a_name() {
    let mut world = World::new();
    let (ada, ada_id) = world.client("Ada");
    add(&mut world, ada, ada_id, "Me");
    add(&mut world, ada, PeerId([7; 32]), "  ");
    let refused: Vec<_> = world
        .events(ada)
        .into_iter()
        .filter(|event| {
            matches!(event, Event::Notice(Notice::Refused(Refusal::ThatIsYou | Refusal::Name(_))))
        })
        .collect();
    assert_eq!(refused.len(), 2);
    assert!(world.view(ada).contacts.is_empty());
}
