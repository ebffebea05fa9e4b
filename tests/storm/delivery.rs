//! What sessions promise about messages, in every weather.

use std::time::Duration;

use tincan::rtmfp::endpoint::EndpointConfig;

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
    for_seeds(1_500, |seed| {
        let (scene, flows) = storm(seed, |config| config);
        if let Some(end) = scene.ended(0).or(scene.ended(1)) {
            return Err(format!("the session ended: {end:?}"));
        }
        oracle::check(&scene, &flows, true)
    });
}

#[test]
fn a_seed_makes_one_run_and_no_other() {
    for_seeds(150, |seed| {
        let runs = [storm(seed, |config| config).0.net.trace(), storm(seed, |config| config).0.net.trace()];
        if runs[0] == runs[1] { Ok(()) } else { Err("two runs of a seed differ".into()) }
    });
}
