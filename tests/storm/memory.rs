//! What a session may hold, in every weather.

use std::time::Duration;

use tincan::rtmfp::endpoint::EndpointConfig;

use super::dice::{Dice, for_seeds};
use super::scene::Scene;
use super::{oracle, traffic, weather};

const RECEIVE_WINDOW: usize = 12_000;
const SEND_BUFFER: usize = 9_000;
const LARGEST_MESSAGE: usize = 6_000;
/// What a far end may send before it hears of the window (RFC 7016 §3.6.2).
const BEFORE_THE_FIRST_ANSWER: usize = 65_536;
/// A full datagram.
const PACKET: usize = 1_200;
/// No scene has more flows.
const FLOWS: usize = 4;

#[test]
fn queues_buffers_and_what_is_in_flight_stay_within_their_limits() {
    for_seeds(250, |seed| {
        let dice = &mut Dice::new(seed, b'w');
        let links = [weather::link(dice), weather::link(dice)];
        let changes = weather::changes(dice, Duration::from_secs(1));
        let flows = traffic::flows(&mut Dice::new(seed, b'm'), Duration::from_secs(1));
        let mut scene = Scene::new(seed, links, |config| EndpointConfig {
            receive_window: RECEIVE_WINDOW,
            send_buffer: SEND_BUFFER,
            largest_message: LARGEST_MESSAGE,
            ..config
        });
        let (mut widest, mut broken) = ([0; 2], None);
        let mut look = |scene: &Scene| {
            for (host, widest) in widest.iter_mut().enumerate() {
                let machine = scene.net.machine(scene.hosts[host]);
                let Some(figures) = machine.figures(scene.now(), scene.sessions[host]) else {
                    continue;
                };
                *widest = (*widest).max(figures.congestion_window);
                let limits = [
                    ("in flight", figures.in_flight, *widest + PACKET),
                    ("queued", figures.queued, FLOWS * (SEND_BUFFER + LARGEST_MESSAGE)),
                    (
                        "held",
                        figures.held,
                        FLOWS * (RECEIVE_WINDOW + LARGEST_MESSAGE + BEFORE_THE_FIRST_ANSWER),
                    ),
                ];
                for (what, is, most) in limits {
                    if is > most {
                        broken.get_or_insert(format!("{is} bytes {what} at {host}, more than {most}"));
                    }
                }
            }
        };
        scene.play(&flows, &changes, &mut look);
        scene.settle(Duration::from_secs(240), &mut look);
        match broken {
            Some(broken) => Err(broken),
            None => oracle::check(&scene, &flows, true),
        }
    });
}
