//! What happens to real networks during a call, in virtual time: new addresses, restarted routers, outages, sleep, and
//! servers that go away. Both ends talk all the while; what counts is how long each hears nothing.

use std::time::Duration;

use bytes::Bytes;
use tincan::call::client_machine::{ClientCommand, ClientEvent, ClientMachine};
use tincan::call::view::{CallState, ServerState};
use tincan::call::{Command, Event, PeerId};
use tincan::media::encoded::EncodedFrame;

use crate::support::virtual_network::{Host, Router};
use crate::support::virtual_router::RouterKind;
use crate::world::{Anyone, Told, World};

/// Ada and Bob in a call.
struct Call {
    world: World,
    ada: (Host, PeerId),
    bob: (Host, PeerId),
    timestamp: u32,
}

impl Call {
    /// Both with public addresses.
    fn new() -> Self {
        Self::between(None, None)
    }

    /// Each behind a router of that kind, or none. Two who are let in only where they wrote first.
    fn between(ada: Option<RouterKind>, bob: Option<RouterKind>) -> Self {
        let mut world = World::new();
        let [ada, bob] = [("Ada", ada), ("Bob", bob)].map(|(name, kind)| match kind {
            Some(kind) => {
                let router = world.net.add_router(kind);
                client_behind(&mut world, name, router)
            }
            None => world.client(name),
        });
        world.connect(bob.0, ada.0, ada.1);
        let mut call = Self { world, ada, bob, timestamp: 0 };
        call.talk(3_000);
        call
    }

    /// Both talk for so many milliseconds.
    fn talk(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds / 20 {
            for (host, _) in [self.ada, self.bob] {
                let packet = Bytes::from_static(&[7; 80]);
                let frame = EncodedFrame::Audio { timestamp: self.timestamp, packet };
                self.world.ask(host, ClientCommand::Frame(frame));
            }
            self.timestamp += 20;
            self.world.net.run_for(Duration::from_millis(20));
        }
    }

    /// The longest time from `since` until now in which a host heard nothing.
    fn gap(&self, host: Host, since: Duration) -> Duration {
        let is_sound =
            |told: &Told| matches!(told, Told::Client(ClientEvent::Frame(EncodedFrame::Audio { .. })));
        let heard = self.world.net.events(host).iter().filter(|(at, told)| *at > since && is_sound(told));
        let mut last = since;
        let mut longest = Duration::ZERO;
        for at in heard.map(|(at, _)| *at).chain([self.world.net.elapsed()]) {
            longest = longest.max(at - last);
            last = at;
        }
        longest
    }

    /// Both talk for ten seconds more; the longest gaps at Ada and at Bob until then are at most that long.
    fn resumes_within(&mut self, milliseconds: u64, since: Duration) {
        self.talk(10_000);
        let gaps = [self.ada, self.bob].map(|(host, _)| self.gap(host, since));
        println!("gaps: {gaps:?}");
        assert!(gaps.iter().all(|gap| *gap <= Duration::from_millis(milliseconds)), "{gaps:?}");
        for (host, _) in [self.ada, self.bob] {
            assert!(self.world.is_up(host), "{:?}", self.world.view(host).call);
        }
        self.nobody_rang_again();
    }

    fn nobody_rang_again(&self) {
        for (host, _) in [self.ada, self.bob] {
            let rang = self.world.events(host).iter().filter(|e| matches!(e, Event::Ringing { .. })).count();
            assert!(rang <= 1, "a call that resumes does not ring");
        }
    }

    fn now(&self) -> Duration {
        self.world.net.elapsed()
    }

    /// A host gets another address, and its doer notices half a second later.
    fn move_to_new_address(&mut self, hosts: &[Host]) {
        for host in hosts {
            self.world.net.change_address(*host);
        }
        self.talk(500);
        for host in hosts {
            let address = self.world.net.address(*host);
            self.world.ask(*host, ClientCommand::LocalAddresses(vec![address]));
        }
    }
}

/// An encoder that does what it is told.
#[derive(Default)]
struct Encoder {
    looked: usize,
    held: bool,
    key: bool,
}

impl Encoder {
    /// The picture of this moment.
    fn picture(&mut self, told: &[&ClientEvent], timestamp: u32) -> Option<EncodedFrame> {
        for event in told.get(self.looked..).unwrap_or_default() {
            match event {
                ClientEvent::PicturesHeld(held) => self.held = *held,
                ClientEvent::KeyFrameWanted => self.key = true,
                _ => {}
            }
        }
        self.looked = told.len();
        if self.held {
            return None;
        }
        let key = std::mem::take(&mut self.key);
        let nal_units = Bytes::from(vec![7; if key { 9_000 } else { 3_000 }]);
        Some(EncodedFrame::Video { timestamp, key, refresh: key, config: None, nal_units })
    }
}

/// Both talk and show pictures for so many milliseconds.
fn talk_and_show(call: &mut Call, encoders: &mut [Encoder; 2], milliseconds: u64) {
    for _ in 0..milliseconds / 60 {
        for ((host, _), encoder) in [call.ada, call.bob].into_iter().zip(encoders.iter_mut()) {
            let picture = encoder.picture(&call.world.told(host), call.timestamp);
            if let Some(picture) = picture {
                call.world.ask(host, ClientCommand::Frame(picture));
            }
        }
        call.talk(60);
    }
}

fn client_behind(world: &mut World, name: &str, router: Router) -> (Host, PeerId) {
    world.seed += 1;
    let setup = world.setup();
    let (config, peer) = world.config(world.seed, name, setup);
    let machine = ClientMachine::new(config.clocks.0, config);
    let host = world.net.add_behind(router, Anyone::Client(Box::new(machine)));
    let server = world.server;
    world.equip(host, server);
    world.is_connected(host, name);
    (host, peer)
}

#[test]
fn a_new_address_interrupts_the_call_until_it_is_noticed_and_no_longer() {
    let mut call = Call::new();
    let since = call.now();
    call.move_to_new_address(&[call.bob.0]);
    call.resumes_within(900, since);
}

#[test]
fn at_a_new_address_the_picture_is_back_as_soon_as_the_sound() {
    let kind = Some(RouterKind::PORT_RESTRICTED);
    let mut call = Call::between(kind, kind);
    let mut encoders = Default::default();
    talk_and_show(&mut call, &mut encoders, 3_000);
    let since = call.now();
    call.world.net.change_address(call.bob.0);
    talk_and_show(&mut call, &mut encoders, 480);
    let address = call.world.net.address(call.bob.0);
    call.world.ask(call.bob.0, ClientCommand::LocalAddresses(vec![address]));
    talk_and_show(&mut call, &mut encoders, 10_000);
    let is_picture =
        |told: &Told| matches!(told, Told::Client(ClientEvent::Frame(EncodedFrame::Video { .. })));
    for (host, _) in [call.ada, call.bob] {
        let lately = since - Duration::from_millis(500);
        let seen = call.world.net.events(host).iter().filter(|(at, told)| *at > lately && is_picture(told));
        let times: Vec<Duration> = seen.map(|(at, _)| *at).collect();
        assert!(times[0] < since, "pictures came until then");
        let pause = times.windows(2).map(|two| two[1] - two[0]).max().expect("pictures come");
        let silence = call.gap(host, since);
        assert!(
            pause <= silence + Duration::from_millis(500),
            "{pause:?} without picture, {silence:?} without sound"
        );
    }
}

#[test]
fn two_whose_addresses_change_at_once_find_each_other_through_the_server() {
    for kind in [None, Some(RouterKind::ENDPOINT_INDEPENDENT), Some(RouterKind::ADDRESS_RESTRICTED)] {
        let mut call = Call::between(kind, kind);
        let since = call.now();
        call.move_to_new_address(&[call.ada.0, call.bob.0]);
        call.resumes_within(3_000, since);
    }
}

#[test]
fn a_router_that_forgets_its_ports_interrupts_the_call_for_a_moment() {
    for kind in RouterKind::ALL {
        let mut call = Call::between(Some(kind), None);
        let since = call.now();
        call.world.net.restart_router(Router(0), false);
        call.resumes_within(1_000, since);
    }
}

#[test]
fn two_routers_that_forget_their_ports_at_once_cost_less_than_three_seconds() {
    for kind in [RouterKind::ENDPOINT_INDEPENDENT, RouterKind::ADDRESS_RESTRICTED] {
        let mut call = Call::between(Some(kind), Some(kind));
        let since = call.now();
        for router in [Router(0), Router(1)] {
            call.world.net.restart_router(router, false);
        }
        call.resumes_within(3_000, since);
    }
}

#[test]
fn a_router_with_a_new_address_that_the_other_router_lets_nothing_in_from_costs_less_than_three_seconds() {
    let kind = Some(RouterKind::ADDRESS_RESTRICTED);
    let mut call = Call::between(kind, kind);
    let since = call.now();
    call.world.net.restart_router(Router(0), true);
    call.resumes_within(3_500, since);
}

#[test]
fn after_an_outage_that_nobody_notices_here_the_call_resumes_within_three_seconds() {
    for seconds in [1, 4, 9, 15, 25] {
        let mut call = Call::new();
        call.world.net.cut(call.bob.0, true);
        call.talk(seconds * 1_000);
        call.world.net.cut(call.bob.0, false);
        let since = call.now();
        call.resumes_within(3_000, since);
    }
}

#[test]
fn who_wakes_up_is_back_in_the_call_and_on_the_server_at_once() {
    let mut call = Call::new();
    call.world.net.cut(call.bob.0, true);
    call.talk(20_000);
    call.world.net.cut(call.bob.0, false);
    let since = call.now();
    call.world.ask(call.bob.0, ClientCommand::NetworkChanged);
    call.resumes_within(2_000, since);
}

#[test]
fn a_network_that_comes_back_ends_the_long_waits_for_the_server() {
    let mut world = World::new();
    let (bob, _) = world.client("Bob");
    world.net.cut(bob, true);
    world.ask(bob, ClientCommand::LocalAddresses(vec![]));
    world.run(180);
    assert_ne!(world.view(bob).own.server_state, ServerState::Connected);
    world.net.cut(bob, false);
    let address = world.net.address(bob);
    world.ask(bob, ClientCommand::LocalAddresses(vec![address]));
    assert!(world.until(1, |world| world.view(bob).own.server_state == ServerState::Connected));
}

#[test]
fn a_server_that_is_started_anew_has_everybody_back_and_the_call_does_not_notice() {
    let mut call = Call::new();
    let since = call.now();
    call.world.restart_server();
    call.resumes_within(200, since);
    call.talk(20_000);
    for (host, _) in [call.ada, call.bob] {
        assert_eq!(call.world.view(host).own.server_state, ServerState::Connected);
    }
    let joined = call.world.net.events(call.world.server).iter().filter_map(|(_, told)| match told {
        Told::Server(tincan::rendezvous::service::ServiceEvent::Joined { peer, .. }) => Some(*peer),
        _ => None,
    });
    let joined: Vec<PeerId> = joined.collect();
    for (_, peer) in [call.ada, call.bob] {
        assert!(joined.iter().filter(|other| **other == peer).count() >= 2, "back with the same peer ID");
    }
}

#[test]
fn a_new_address_while_the_server_is_started_anew_costs_less_than_three_seconds() {
    let kind = Some(RouterKind::PORT_RESTRICTED);
    let mut call = Call::between(kind, kind);
    let since = call.now();
    call.world.restart_server();
    call.move_to_new_address(&[call.bob.0]);
    call.resumes_within(3_000, since);
}

#[test]
fn without_a_server_the_call_goes_on_also_at_a_new_address() {
    let mut call = Call::new();
    call.world.net.cut(call.world.server, true);
    let since = call.now();
    call.talk(40_000);
    call.move_to_new_address(&[call.bob.0]);
    call.resumes_within(900, since);
}

#[test]
fn a_call_that_nobody_came_back_to_is_over_after_half_a_minute() {
    let mut call = Call::new();
    call.world.net.cut(call.bob.0, true);
    call.talk(35_000);
    for (host, _) in [call.ada, call.bob] {
        assert!(matches!(call.world.view(host).call, CallState::Ended { .. }));
    }
    call.world.person(call.ada.0, Command::Dismiss);
}
