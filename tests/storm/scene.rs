//! Two endpoints with an open session, and what they said and heard.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tincan::rtmfp::chance::Chance;
use tincan::rtmfp::endpoint::{
    Delivery, Endpoint, EndpointConfig, MessageId, SendFlowId, SessionKey, WriteOptions,
};
use tincan::rtmfp::{Event, Misuse, SessionEnd};

use super::dice::Dice;
use super::support::link::Link;
use super::support::scenario::{Net, config, dial, ended, opened};
use super::support::virtual_network::Host;
use super::traffic::FlowPlan;
use super::weather::Planned;

/// Two hosts, 0 and 1, and a session between them that 0 opened.
pub(crate) struct Scene {
    pub(crate) net: Net,
    pub(crate) hosts: [Host; 2],
    pub(crate) sessions: [SessionKey; 2],
    /// By the flow's number.
    pub(crate) said: BTreeMap<u8, Said>,
    start: Instant,
}

/// A flow and what was written on it.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// Who sends, 0 or 1.
    pub(crate) from: usize,
    /// What the sender calls it.
    pub(crate) flow: SendFlowId,
    /// The messages in the order of their plan; none where there was no room.
    pub(crate) messages: Vec<Option<Written>>,
}

/// A message that was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    pub(crate) id: MessageId,
    pub(crate) at: Duration,
    pub(crate) start_by: Option<Duration>,
    pub(crate) finish_by: Option<Duration>,
    pub(crate) needs: Option<usize>,
}

impl Scene {
    /// Opens a session over a network that only takes its time, and then lets each way out be as `links` says.
    pub(crate) fn new(
        seed: u64,
        links: [Link; 2],
        change: impl Fn(EndpointConfig) -> EndpointConfig,
    ) -> Self {
        let mut net = Net::with_chance(Duration::from_millis(5), Chance::new(Dice::bytes(seed, b'n')));
        let endpoint = |name| Endpoint::new(change(config(name)));
        let hosts = [net.add(endpoint("ada")), net.add(endpoint("bob"))];
        for (host, link) in hosts.into_iter().zip(links) {
            net.set_link(host, |own| own.latency = link.latency);
        }
        let near = dial(&mut net, hosts[0], hosts[1], "bob");
        net.run_until(Duration::from_secs(1));
        let far = opened(&net, hosts[1]).expect("an open session at the other end");
        for host in hosts {
            net.take_events(host);
            net.react(host, |endpoint, _, event| {
                if let Event::FlowOpened { session, flow, metadata, .. } = event {
                    let in_order_of_arrival = metadata.get(1) == Some(&1);
                    let delivery = if in_order_of_arrival { Delivery::Arrival } else { Delivery::Ordered };
                    endpoint.accept_flow(*session, *flow, delivery);
                }
            });
        }
        for (host, link) in hosts.into_iter().zip(links) {
            net.set_link(host, |own| *own = link);
        }
        let start = net.with(hosts[0], |_, now| now) - net.elapsed();
        Self { net, hosts, sessions: [near, far], said: BTreeMap::new(), start }
    }

    /// Runs through everything that is planned, calling `look` now and then.
    pub(crate) fn play(&mut self, flows: &[FlowPlan], changes: &[Planned], mut look: impl FnMut(&Self)) {
        let begin = self.net.elapsed();
        let mut steps: Vec<(Duration, Step)> =
            changes.iter().map(|planned| (planned.0, Step::Change(*planned))).collect();
        for flow in flows {
            self.open_flow(flow);
            steps.extend(
                flow.messages.iter().enumerate().map(|(n, message)| (message.at, Step::Write(flow, n))),
            );
        }
        steps.sort_by_key(|(at, _)| *at);
        for (at, step) in steps {
            self.net.run_until(begin + at);
            match step {
                Step::Change((_, host, change)) => change.happen(self, host),
                Step::Write(flow, message) => self.write(flow, message),
            }
            look(self);
        }
    }

    /// Runs on until everything that was written is reported, a session ended, or `limit` has passed.
    pub(crate) fn settle(&mut self, limit: Duration, mut look: impl FnMut(&Self)) {
        let end = self.net.elapsed() + limit;
        while self.net.elapsed() < end && !self.is_settled() {
            self.net.run_for(Duration::from_millis(100));
            look(self);
        }
        // What was given up last is still to be told, or messages behind it wait for it.
        self.net.run_for(limit / 4);
    }

    fn is_settled(&self) -> bool {
        let open = (0..2).all(|host| self.ended(host).is_none());
        let queued =
            |said: &Said| self.net.machine(self.hosts[said.from]).queued(self.sessions[said.from], said.flow);
        !open || self.said.values().map(queued).sum::<usize>() == 0
    }

    /// The time it is.
    pub(crate) fn now(&self) -> Instant {
        self.start + self.net.elapsed()
    }

    /// How a session ended at a host, and when.
    pub(crate) fn ended(&self, host: usize) -> Option<(Duration, SessionEnd)> {
        ended(&self.net, self.hosts[host], self.sessions[host])
    }

    fn open_flow(&mut self, plan: &FlowPlan) {
        let session = self.sessions[plan.from];
        let opened =
            self.net.with(self.hosts[plan.from], |endpoint, _| endpoint.open_flow(session, plan.options()));
        let flow = opened.expect("an open session");
        self.said.insert(plan.number, Said { from: plan.from, flow, messages: Vec::new() });
    }

    fn write(&mut self, plan: &FlowPlan, index: usize) {
        let (message, start, session) = (plan.messages[index], self.start, self.sessions[plan.from]);
        let Said { flow, messages: earlier, .. } = self.said.get_mut(&plan.number).expect("it was opened");
        let needs = message.needs.map(|back| earlier.len() - back);
        let needed = needs.and_then(|index: usize| earlier[index]).map(|written| written.id);
        let (content, flow) = (plan.content(index), *flow);
        let taken = self.net.with(self.hosts[plan.from], |endpoint, now| {
            let options = WriteOptions {
                start_by: message.start_within.map(|within| now + within),
                finish_by: message.finish_within.map(|within| now + within),
                needs: needed,
                report: true,
            };
            let id = endpoint.write(now, session, flow, content, options);
            id.map(|id| Written {
                id,
                at: now - start,
                start_by: options.start_by.map(|by| by - start),
                finish_by: options.finish_by.map(|by| by - start),
                needs: needs.filter(|_| needed.is_some()),
            })
        });
        assert!(!matches!(taken, Err(Misuse::NoFlow)), "the flow is open");
        earlier.push(taken.ok());
    }
}

enum Step<'a> {
    Change(Planned),
    Write(&'a FlowPlan, usize),
}
