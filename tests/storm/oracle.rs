//! What must hold of a run, whatever the network did.

use std::collections::BTreeMap;
use std::time::Duration;

use tincan::rtmfp::Event;
use tincan::rtmfp::endpoint::{Delivery, ReceiveFlowId};

use super::scene::{Scene, Written};
use super::traffic::{self, FlowPlan};

/// What became of one message, as its writer was told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Fate {
    at: Duration,
    delivered: bool,
}

/// Checks every promise about messages; `open` if the session is still open at both ends.
pub(crate) fn check(scene: &Scene, flows: &[FlowPlan], open: bool) -> Result<(), String> {
    let sightings = sightings(scene);
    for plan in flows {
        let said = &scene.said[&plan.number];
        let came = came(scene, plan)?;
        let fates = fates(scene, plan)?;
        if plan.delivery == Delivery::Ordered && !came.is_sorted() {
            return Err(format!("flow {}: out of order: {came:?}", plan.number));
        }
        for (index, written) in said.messages.iter().enumerate() {
            let name = format!("flow {} message {index}", plan.number);
            let Some(written) = written else { continue };
            let times = came.iter().filter(|came| **came == index).count();
            let fate = fates.get(&index).copied();
            if times > 1 {
                return Err(format!("{name} came {times} times"));
            }
            match fate {
                None if open => return Err(format!("{name}: nothing was reported of it")),
                Some(Fate { delivered: true, .. }) if times == 0 => {
                    return Err(format!("{name} was reported delivered and never came"));
                }
                Some(Fate { delivered: false, .. }) if !may_be_given_up(plan, index, &fates) => {
                    return Err(format!("{name} was given up without a reason"));
                }
                _ => {}
            }
            check_deadlines(&name, written, sightings.get(&(plan.number, index)).copied())?;
            check_dependence(&name, written, fate, &fates)?;
        }
    }
    Ok(())
}

/// The messages of a flow in the order they came, each with the bytes that were written.
fn came(scene: &Scene, plan: &FlowPlan) -> Result<Vec<usize>, String> {
    let receiver = scene.hosts[1 - plan.from];
    let mut flow: Option<ReceiveFlowId> = None;
    let mut came = Vec::new();
    for (_, event) in scene.net.events(receiver) {
        match event {
            Event::FlowOpened { flow: opened, metadata, .. }
                if metadata.first() == Some(&plan.number) && flow.replace(*opened).is_some() =>
            {
                return Err(format!("flow {} was opened twice", plan.number));
            }
            Event::Message { flow: on, bytes, .. } if Some(*on) == flow => {
                let (number, index) = traffic::name(bytes).ok_or("bytes that nobody wrote")?;
                if number != plan.number
                    || plan.messages.get(index).is_none()
                    || *bytes != plan.content(index)
                {
                    return Err(format!("flow {} brought something else than message {index}", plan.number));
                }
                came.push(index);
            }
            _ => {}
        }
    }
    Ok(came)
}

/// What a flow's writer was told of its messages; never twice of one.
fn fates(scene: &Scene, plan: &FlowPlan) -> Result<BTreeMap<usize, Fate>, String> {
    let said = &scene.said[&plan.number];
    let mut fates = BTreeMap::new();
    for (at, event) in scene.net.events(scene.hosts[plan.from]) {
        let Event::MessageDone { flow, message, delivered, .. } = event else { continue };
        if *flow != said.flow {
            continue;
        }
        let index =
            said.messages.iter().position(|written| written.is_some_and(|written| written.id == *message));
        let index = index.ok_or("a report of a message that nobody wrote")?;
        if fates.insert(index, Fate { at: *at, delivered: *delivered }).is_some() {
            return Err(format!("flow {} message {index} was reported twice", plan.number));
        }
    }
    Ok(fates)
}

/// Only a deadline, or a message that was given up, is a reason.
fn may_be_given_up(plan: &FlowPlan, index: usize, fates: &BTreeMap<usize, Fate>) -> bool {
    let message = plan.messages[index];
    let fell_with = message.needs.map(|back| index - back);
    message.start_within.is_some()
        || message.finish_within.is_some()
        || fell_with.is_some_and(|needed| fates.get(&needed).is_some_and(|fate| !fate.delivered))
}

/// Nothing goes out for the first time when it should have started, nor at all when it should be finished.
fn check_deadlines(name: &str, written: &Written, seen: Option<(Duration, Duration)>) -> Result<(), String> {
    let Some((first, last)) = seen else { return Ok(()) };
    if let Some(by) = written.start_by.filter(|by| first > *by) {
        return Err(format!("{name} started at {first:?}, though it had to by {by:?}"));
    }
    if let Some(by) = written.finish_by.filter(|by| last > *by) {
        return Err(format!("{name} was still sent at {last:?}, though it had to be there by {by:?}"));
    }
    Ok(())
}

/// A message that needs one that was given up falls with it, unless it was through before.
fn check_dependence(
    name: &str,
    written: &Written,
    fate: Option<Fate>,
    fates: &BTreeMap<usize, Fate>,
) -> Result<(), String> {
    let needed = written.needs.and_then(|needed| fates.get(&needed)).filter(|needed| !needed.delivered);
    match (needed, fate) {
        (Some(needed), Some(fate)) if fate.delivered && fate.at > needed.at => {
            Err(format!("{name} was delivered after what it needs had been given up"))
        }
        (Some(needed), Some(fate)) if !fate.delivered && fate.at > needed.at.max(written.at) => {
            Err(format!("{name} outlived what it needs"))
        }
        _ => Ok(()),
    }
}

/// When pieces of each message were given to the network first and last.
fn sightings(scene: &Scene) -> BTreeMap<(u8, usize), (Duration, Duration)> {
    let mut seen: BTreeMap<(u8, usize), (Duration, Duration)> = BTreeMap::new();
    for sent in scene.net.sent() {
        for name in traffic::names_in(&sent.bytes) {
            seen.entry(name).or_insert((sent.at, sent.at)).1 = sent.at;
        }
    }
    seen
}
