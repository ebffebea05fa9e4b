//! What sessions promise about messages, in every weather.

use std::time::Duration;

use tincan::rtmfp::Event;
use tincan::rtmfp::endpoint::{Delivery, EndpointConfig, Priority};

use super::dice::{Dice, for_seeds};
use super::scene::Scene;
use super::{oracle, traffic, weather};

const SPAN: Duration = Duration::from_millis(1_500);
/// Long enough for anything that is not stuck: timeouts grow to ten seconds.
const PATIENCE: Duration = Duration::from_secs(240);

/// A whole run from a seed.
fn storm(seed: u64, config: impl Fn(EndpointConfig) -> EndpointConfig) -> (Scene, Vec<traffic::FlowPlan>) {
    let dice = &mut Dice::new(seed, b'w');
    let links = [weather::link(dice), weather::link(dice)];
    let changes = weather::changes(dice, SPAN);
    let flows = traffic::flows(&mut Dice::new(seed, b't'), SPAN);
    let mut scene = Scene::new(seed, links, config);
    scene.play(&flows, &changes, |_| ());
    scene.settle(PATIENCE, |_| ());
    (scene, flows)
}

#[test]
fn messages_come_once_and_whole_and_in_order_and_in_time_or_not_at_all() {
    for_seeds(1_000, |seed| {
        let (scene, flows) = storm(seed, |config| config);
        if let Some(end) = scene.ended(0).or(scene.ended(1)) {
            return Err(format!("the session ended: {end:?}"));
        }
        oracle::check(&scene, &flows, true)
    });
}

#[test]
fn a_seed_makes_one_run_and_no_other() {
    for_seeds(100, |seed| {
        let runs = [storm(seed, |config| config).0.net.trace(), storm(seed, |config| config).0.net.trace()];
        if runs[0] == runs[1] { Ok(()) } else { Err("two runs of a seed differ".into()) }
    });
}

#[test]
fn what_was_given_up_never_holds_up_what_stands_behind_it() {
    for_seeds(150, |seed| {
        let dice = &mut Dice::new(seed, b'a');
        let mut link = weather::link(dice);
        // The line is good but for a blackout, so that how long things take says something.
        (link.loss, link.bursts, link.detours, link.bytes_per_second) = (0.0, None, None, None);
        let mut scene = Scene::new(seed, [link, link], |config| config);
        let hurried = dice.between(1, 8) as usize;
        let message = |at, length, finish_within| traffic::MessagePlan {
            at: Duration::from_millis(at),
            length,
            start_within: None,
            finish_within,
            needs: None,
        };
        let mut messages: Vec<_> = (0..hurried)
            .map(|_| message(0, dice.between(8, 9_000) as usize, Some(dice.ms(1, 300))))
            .collect();
        messages.push(message(0, dice.between(8, 3_000) as usize, None));
        let flow = traffic::FlowPlan {
            number: 0,
            from: 0,
            delivery: Delivery::Ordered,
            priority: Priority::Routine,
            time_critical: false,
            messages,
        };
        scene.net.set_link(scene.hosts[0], |link| link.dark = true);
        scene.play(std::slice::from_ref(&flow), &[], |_| ());
        scene.net.run_for(Duration::from_millis(400));
        scene.net.set_link(scene.hosts[0], |link| link.dark = false);
        let light = scene.net.elapsed();
        scene.settle(PATIENCE, |_| ());
        let came = scene.net.events(scene.hosts[1]).iter().find_map(|(at, event)| match event {
            Event::Message { bytes, .. } if traffic::name(bytes) == Some((0, hurried)) => Some(*at),
            _ => None,
        });
        // A first timeout of three seconds, a longer one if the first was spent in the dark, and a few round trips.
        match came.map(|at| at - light) {
            Some(took) if took <= Duration::from_secs(6) => oracle::check(&scene, &[flow], true),
            other => Err(format!("it took {other:?}")),
        }
    });
}
