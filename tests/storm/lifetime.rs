//! When sessions end, and when they do not.

use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::SessionEnd;
use tincan::rtmfp::endpoint::{EndpointConfig, WriteOptions};

use super::dice::{Dice, for_seeds};
use super::scene::Scene;
use super::support::link::Link;
use super::support::scenario::flow_options;
use super::weather;

const PATIENCE: Duration = Duration::from_secs(8);

fn impatient(config: EndpointConfig) -> EndpointConfig {
    EndpointConfig { keepalive: Duration::from_secs(3), vanish_after: PATIENCE, ..config }
}

/// A session in some weather in which both ends say a little now and then.
fn chatting(seed: u64, dice: &mut Dice) -> Scene {
    let mut scene = Scene::new(seed, [weather::link(dice), weather::link(dice)], impatient);
    for host in 0..2 {
        if dice.one_in(3) {
            continue;
        }
        let session = scene.sessions[host];
        scene.net.with(scene.hosts[host], |endpoint, now| {
            let flow = endpoint.open_flow(session, flow_options(&[0, 0])).expect("an open session");
            let message = Bytes::from(vec![7; 4_000]);
            endpoint.write(now, session, flow, message, WriteOptions::default()).expect("room");
        });
    }
    scene.net.run_for(dice.ms(0, 3_000));
    scene
}

fn set_dark(scene: &mut Scene, hosts: &[usize], dark: bool) {
    for host in hosts {
        scene.net.set_link(scene.hosts[*host], |link| link.dark = dark);
    }
}

/// One way, or both.
fn some_hosts(dice: &mut Dice) -> &'static [usize] {
    [&[0][..], &[1], &[0, 1]][dice.between(0, 2) as usize]
}

#[test]
fn a_blackout_shorter_than_the_patience_kills_nothing() {
    for_seeds(200, |seed| {
        let dice = &mut Dice::new(seed, b'b');
        let mut scene = chatting(seed, dice);
        let hosts = some_hosts(dice);
        set_dark(&mut scene, hosts, true);
        // The patience starts with the first thing that goes unanswered; the first answer after it takes some time too, and
        // repeated pings are up to ten seconds apart.
        scene.net.run_for(dice.ms(10, 3_000));
        set_dark(&mut scene, hosts, false);
        scene.net.run_for(Duration::from_secs(30));
        match scene.ended(0).or(scene.ended(1)) {
            None => Ok(()),
            Some(end) => Err(format!("the session ended: {end:?}")),
        }
    });
}

#[test]
fn a_blackout_longer_than_the_patience_ends_the_session_where_nothing_is_heard() {
    for_seeds(200, |seed| {
        let dice = &mut Dice::new(seed, b'c');
        let mut scene = chatting(seed, dice);
        let hosts = some_hosts(dice);
        set_dark(&mut scene, hosts, true);
        let from = scene.net.elapsed();
        scene.net.run_for(Duration::from_secs(60));
        for host in 0..2 {
            let hears = !hosts.contains(&(1 - host));
            match (scene.ended(host), hears) {
                (Some((at, SessionEnd::WentQuiet { quiet })), false)
                    if at >= from + PATIENCE - Duration::from_secs(4)
                        && quiet >= PATIENCE - Duration::from_secs(1) => {}
                // Who still hears is told by the one who does not; or notices later, when that one word is lost.
                (Some((_, SessionEnd::ClosedThere)), true) => {}
                (Some((_, SessionEnd::WentQuiet { quiet })), true) if quiet >= PATIENCE => {}
                other => return Err(format!("host {host}, dark {hosts:?}: {other:?}")),
            }
        }
        Ok(())
    });
}

#[test]
fn an_idle_session_lives_for_hours_on_a_lossy_line() {
    for_seeds(8, |seed| {
        let mut link = Link::with_latency(Duration::from_millis(80));
        link.loss = 0.1;
        let mut scene = Scene::new(seed, [link, link], |config| config);
        scene.net.run_for(Duration::from_secs(4 * 3_600));
        match scene.ended(0).or(scene.ended(1)) {
            None => Ok(()),
            Some(end) => Err(format!("the session ended: {end:?}")),
        }
    });
}
