//! From findings to sentences: what this network is, what works, what a call will use, and what to ask for.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::router_and_turn::{is_tls_tried, router_advice, say_router, say_turn, turn_advice};
use super::{Findings, Reach, RouterKind};

/// How calls will be, the best first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Outlook {
    /// Straight from one computer to the other with nearly everybody.
    Direct,
    /// Straight with many, and over a relay with the others.
    DirectOrRelayed,
    /// Over a relay with many.
    Relayed,
    /// Over a TURN server of the person's own, with everybody: nothing else leads out.
    OverTurn,
    /// With some people there will be none.
    Partial,
    /// The server cannot be reached: there will be none.
    None,
}

impl Outlook {
    /// Whether calls will work with everybody whose own network lets them.
    pub fn is_good(self) -> bool {
        self <= Self::OverTurn
    }
}

/// What a sentence is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tone {
    /// It sums up all others.
    Headline,
    /// Something that works.
    Good,
    /// Something worth knowing.
    Fact,
    /// Something that does not work.
    Bad,
    /// Something to do, or to ask of the network's administrator.
    Advice,
}

/// A sentence by its key in `assets/words`, and what is filled in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sentence {
    /// What it is.
    pub tone: Tone,
    /// Its key.
    pub key: &'static str,
    /// Names in braces, and what takes their place.
    pub values: Vec<(&'static str, String)>,
}

/// All that is to be said of the findings, in the order of reading, and how calls will be. Addresses, the server's too, are
/// blanked on request.
pub fn judge(findings: &Findings, blank: bool) -> (Outlook, Vec<Sentence>) {
    let outlook = outlook(findings);
    let mut said = vec![Sentence { tone: Tone::Headline, key: headline(findings, outlook), values: vec![] }];
    let host = if blank { BLANK.to_owned() } else { findings.host.clone() };
    if findings.has_no_network() {
        said.push(bad("netcheck.no_network", &[]));
        said.push(advice("netcheck.ask_network"));
        return (outlook, said);
    }
    if findings.addresses.is_empty() {
        said.push(bad("netcheck.no_such_name", &[("host", host)]));
        said.push(advice("netcheck.ask_name"));
        return (outlook, said);
    }
    for (family, reach) in [("IPv4", &findings.ipv4), ("IPv6", &findings.ipv6)] {
        match reach {
            Some(reach) => say_family(findings, family, reach, blank, &mut said),
            None => said.push(fact("netcheck.no_family", &[("family", family.to_owned())])),
        }
    }
    say_signs_of_life(findings, &mut said);
    say_router(findings, blank, &mut said);
    say_relays(findings, &mut said);
    say_turn(findings, blank, &mut said);
    say_advice(findings, outlook, &mut said);
    (outlook, said)
}

fn outlook(findings: &Findings) -> Outlook {
    let kinds: Vec<RouterKind> = findings.reaches().filter_map(|reach| findings.router(reach)).collect();
    let relays = findings.server_relays() || findings.has_turn();
    let reached = findings.reaches().any(|reach| reach.connected.is_some());
    let reached_over_turn = findings.over_turn.as_ref().is_some_and(|reach| reach.connected.is_some());
    let open = findings.is_port_open() || kinds.contains(&RouterKind::None);
    if findings.has_no_network() {
        Outlook::None
    } else if !reached {
        if reached_over_turn { Outlook::OverTurn } else { Outlook::None }
    } else if findings.relay_only {
        if relays { Outlook::Relayed } else { Outlook::None }
    } else if open {
        Outlook::Direct
    } else if kinds.contains(&RouterKind::OneForAll) {
        if relays { Outlook::DirectOrRelayed } else { Outlook::Partial }
    } else if kinds.contains(&RouterKind::OneForEach) {
        if relays { Outlook::Relayed } else { Outlook::Partial }
    } else if relays {
        Outlook::DirectOrRelayed
    } else {
        Outlook::Partial
    }
}

fn headline(findings: &Findings, outlook: Outlook) -> &'static str {
    match outlook {
        Outlook::Direct => "netcheck.direct",
        Outlook::DirectOrRelayed => "netcheck.direct_or_relayed",
        Outlook::Relayed if findings.relay_only => "netcheck.relay_only",
        Outlook::Relayed => "netcheck.relayed",
        Outlook::OverTurn => "netcheck.over_turn",
        Outlook::Partial => "netcheck.partial",
        Outlook::None if is_hidden_without_relay(findings) => "netcheck.hidden_without_relay",
        Outlook::None => "netcheck.none",
    }
}

/// The server is there, and would introduce; but who hides needs somebody to relay.
fn is_hidden_without_relay(findings: &Findings) -> bool {
    findings.relay_only && findings.reaches().any(|reach| reach.connected.is_some())
}

fn say_family(findings: &Findings, family: &str, reach: &Reach, blank: bool, said: &mut Vec<Sentence>) {
    let family = || ("family", family.to_owned());
    let Some(connected) = reach.connected else {
        said.push(match (reach.hello, reach.keys, &reach.refused) {
            (None, ..) => bad("netcheck.silence", &[family()]),
            (Some(hello), None, _) => bad("netcheck.no_keys", &[family(), ("hello", ms(hello))]),
            (_, Some(_), Some(why)) => bad("netcheck.refused", &[family(), ("why", why.clone())]),
            (_, Some(keys), None) => bad("netcheck.not_let_in", &[family(), ("keys", ms(keys))]),
        });
        return;
    };
    let step = |step: Option<Duration>| ms(step.unwrap_or(connected));
    let steps =
        [family(), ("hello", step(reach.hello)), ("keys", step(reach.keys)), ("connected", ms(connected))];
    said.push(good("netcheck.steps", &steps));
    if let Some(seen) = reach.seen_at {
        let own = reach.local.map(|local| local.port()).unwrap_or_default();
        let values = [family(), ("address", shown(seen, blank)), ("port", own.to_string())];
        said.push(fact("netcheck.seen", &values));
    }
    if let (Some(first), Some(second)) = (reach.seen_at, reach.seen_at_second)
        && first != second
    {
        said.push(fact("netcheck.seen_second", &[family(), ("address", shown(second, blank))]));
    }
    if let Some(port) = reach.second_port.filter(|_| reach.seen_at_second.is_none()) {
        said.push(fact("netcheck.second_shut", &[family(), ("port", port.to_string())]));
    }
    match findings.router(reach) {
        Some(RouterKind::None) => said.push(good("netcheck.router_none", &[family()])),
        Some(RouterKind::OneForAll) => said.push(good("netcheck.router_one_for_all", &[family()])),
        Some(RouterKind::OneForEach) if findings.is_port_open() => {
            said.push(fact("netcheck.router_one_for_each_but_open", &[family()]));
        }
        Some(RouterKind::OneForEach) => said.push(bad("netcheck.router_one_for_each", &[family()])),
        Some(RouterKind::Unknown) => said.push(fact("netcheck.router_unknown", &[family()])),
        None => said.push(fact("netcheck.foreign_server", &[family()])),
    }
}

/// Where nothing came back, what else is known of the server's computer.
fn say_signs_of_life(findings: &Findings, said: &mut Vec<Sentence>) {
    if findings.reaches().any(|reach| reach.hello.is_some()) {
        return;
    }
    if findings.signs.nobody_listens {
        said.push(bad("netcheck.nobody_listens", &[]));
    } else if findings.signs.answers_tcp {
        said.push(fact("netcheck.answers_otherwise", &[]));
    }
}

fn say_relays(findings: &Findings, said: &mut Vec<Sentence>) {
    if findings.reaches().any(|reach| reach.connected.is_some()) {
        let relays = findings.server_relays();
        said.push(if relays { good("netcheck.relays", &[]) } else { bad("netcheck.no_relay", &[]) });
    }
}

fn say_advice(findings: &Findings, outlook: Outlook, said: &mut Vec<Sentence>) {
    match outlook {
        Outlook::None if is_hidden_without_relay(findings) => said.push(advice("netcheck.ask_relay")),
        // Over TCP the TURN server is there, and over it the server is not.
        Outlook::None if findings.signs.nobody_listens => said.push(advice("netcheck.ask_port")),
        Outlook::None if findings.over_turn.is_some() => said.push(advice("netcheck.ask_server_up")),
        Outlook::None if findings.reaches().all(|reach| reach.hello.is_none()) => {
            said.push(advice("netcheck.ask_udp"));
            if !is_tls_tried(findings) {
                said.push(advice("netcheck.ask_turn_tls"));
            }
        }
        Outlook::None => said.push(advice("netcheck.ask_server")),
        Outlook::OverTurn => said.push(advice("netcheck.ask_udp_for_speed")),
        Outlook::Partial => {
            said.push(advice("netcheck.ask_relay"));
            said.push(router_advice(findings));
        }
        Outlook::Relayed if findings.relay_only => {}
        Outlook::Relayed => said.push(router_advice(findings)),
        Outlook::Direct | Outlook::DirectOrRelayed => {}
    }
    said.extend(turn_advice(findings));
}

pub(super) fn bad(key: &'static str, values: &[(&'static str, String)]) -> Sentence {
    Sentence { tone: Tone::Bad, key, values: values.to_vec() }
}

pub(super) fn good(key: &'static str, values: &[(&'static str, String)]) -> Sentence {
    Sentence { tone: Tone::Good, key, values: values.to_vec() }
}

pub(super) fn fact(key: &'static str, values: &[(&'static str, String)]) -> Sentence {
    Sentence { tone: Tone::Fact, key, values: values.to_vec() }
}

pub(super) fn advice(key: &'static str) -> Sentence {
    Sentence { tone: Tone::Advice, key, values: Vec::new() }
}

pub(super) fn ms(span: Duration) -> String {
    span.as_millis().to_string()
}

pub(super) fn shown(address: SocketAddr, blank: bool) -> String {
    match address.ip() {
        _ if !blank => address.to_string(),
        IpAddr::V4(_) => format!("*.*.*.*:{}", address.port()),
        IpAddr::V6(_) => format!("[*:*]:{}", address.port()),
    }
}

pub(super) const BLANK: &str = "*";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::reach_watch::ReachFound;
    use crate::driver::turn::{Tried, TurnProblem, TurnUrl};
    use crate::nearby::port_mapping::{MappingProtocol, RouterAnswer};

    fn findings(seen: &str, second: &str, relays: bool) -> Findings {
        let address = |text: &str| text.parse().ok();
        let reach = Reach {
            local: address("0.0.0.0:4000"),
            hello: Some(Duration::from_millis(40)),
            keys: Some(Duration::from_millis(90)),
            connected: Some(Duration::from_millis(130)),
            seen_at: address(seen),
            seen_at_second: address(second),
            second_port: Some(1936),
            is_tincan: true,
            relays,
            ..Reach::default()
        };
        Findings {
            host: "calls.example".into(),
            addresses: vec!["192.0.2.1".parse().unwrap()],
            own: vec!["192.168.1.7".parse().unwrap(), "203.0.113.9".parse().unwrap()],
            ipv4: Some(reach),
            ..Findings::default()
        }
    }

    fn opened(address: &str) -> RouterAnswer {
        RouterAnswer::Lent { by: MappingProtocol::Pcp, address: address.parse().unwrap() }
    }

    fn tried(url: &str, outcome: Result<Vec<SocketAddr>, TurnProblem>) -> Tried {
        let url: TurnUrl = url.parse().unwrap();
        Tried { carrier: url.carriers[0], url, outcome }
    }

    fn keys(findings: &Findings) -> (Outlook, Vec<&'static str>) {
        let (outlook, said) = judge(findings, false);
        (outlook, said.iter().map(|sentence| sentence.key).collect())
    }

    #[test]
    fn a_computer_without_a_router_before_it_calls_directly() {
        let (outlook, said) = keys(&findings("203.0.113.9:4000", "203.0.113.9:4000", false));
        assert_eq!(outlook, Outlook::Direct);
        assert!(said.contains(&"netcheck.router_none"), "{said:?}");
    }

    #[test]
    fn behind_a_router_that_keeps_one_port_some_calls_want_a_relay() {
        let friendly = |relays| keys(&findings("198.51.100.9:4000", "198.51.100.9:4000", relays));
        assert_eq!(friendly(true).0, Outlook::DirectOrRelayed);
        assert_eq!(friendly(false).0, Outlook::Partial);
        assert!(friendly(false).1.contains(&"netcheck.ask_relay"));
    }

    #[test]
    fn a_router_with_a_port_for_each_destination_means_relays() {
        let (outlook, said) = keys(&findings("198.51.100.9:4000", "198.51.100.9:4001", true));
        assert_eq!(outlook, Outlook::Relayed);
        assert!(outlook.is_good());
        assert!(said.contains(&"netcheck.router_one_for_each") && said.contains(&"netcheck.ask_mapping"));
    }

    #[test]
    fn silence_everywhere_is_a_network_without_udp_or_a_server_that_is_down() {
        let mut findings = findings("198.51.100.9:4000", "198.51.100.9:4000", true);
        findings.ipv4 = Some(Reach::default());
        let (outlook, said) = keys(&findings);
        assert_eq!(outlook, Outlook::None);
        for key in ["netcheck.silence", "netcheck.ask_udp", "netcheck.ask_turn_tls"] {
            assert!(said.contains(&key), "{key}");
        }
    }

    #[test]
    fn a_port_that_the_router_opens_makes_calls_direct() {
        let mut findings = findings("198.51.100.9:4000", "198.51.100.9:4001", false);
        findings.router = Some(opened("198.51.100.9:4002"));
        let (outlook, said) = keys(&findings);
        assert_eq!(outlook, Outlook::Direct);
        assert!(said.contains(&"netcheck.mapped"), "{said:?}");
        assert!(!said.contains(&"netcheck.router_one_for_each"), "that is of no matter then");
    }

    #[test]
    fn a_port_of_a_router_that_is_behind_another_is_of_no_use_and_said_to_be_none() {
        for (address, key) in
            [("100.64.7.1:4002", "netcheck.mapped_behind"), ("192.0.2.77:4002", "netcheck.mapped_elsewhere")]
        {
            let mut findings = findings("198.51.100.9:4000", "198.51.100.9:4001", true);
            findings.router = Some(opened(address));
            let (outlook, said) = keys(&findings);
            assert_eq!(outlook, Outlook::Relayed, "{address}");
            assert!(said.contains(&key) && said.contains(&"netcheck.ask_public_address"), "{said:?}");
        }
    }

    #[test]
    fn a_router_that_understands_and_refuses_is_to_be_told_to_allow_it() {
        let mut findings = findings("198.51.100.9:4000", "198.51.100.9:4001", true);
        findings.router = Some(RouterAnswer::Refused(vec![MappingProtocol::NatPmp, MappingProtocol::Upnp]));
        let (_, said) = judge(&findings, false);
        let refused = said.iter().find(|sentence| sentence.key == "netcheck.port_refused");
        assert_eq!(refused.expect("it is said").values, [("protocols", "NAT-PMP, UPnP".to_owned())]);
        assert!(said.iter().any(|sentence| sentence.key == "netcheck.ask_port_allowed"));
    }

    #[test]
    fn where_udp_is_shut_a_turn_server_that_leads_to_the_server_is_enough() {
        let mut findings = findings("198.51.100.9:4000", "198.51.100.9:4000", true);
        let there = findings.ipv4.replace(Reach::default());
        findings.turn = vec![tried("turns:turn.example:443", Ok(vec![]))];
        findings.over_turn = there;
        let (outlook, said) = keys(&findings);
        assert_eq!(outlook, Outlook::OverTurn);
        assert!(outlook.is_good() && said.contains(&"netcheck.over_turn_server"), "{said:?}");

        findings.over_turn = Some(Reach::default());
        let (outlook, said) = keys(&findings);
        assert_eq!(outlook, Outlook::None);
        assert!(said.contains(&"netcheck.ask_server_up") && !said.contains(&"netcheck.ask_udp"), "{said:?}");
    }

    #[test]
    fn every_problem_of_a_turn_server_has_its_sentence_and_its_advice() {
        let problems = [
            (TurnProblem::NoSuchHost, "netcheck.turn_no_host", "netcheck.ask_turn_address"),
            (TurnProblem::NoAnswer, "netcheck.turn_no_answer", "netcheck.ask_turn_address"),
            (TurnProblem::NotTurn, "netcheck.turn_is_none", "netcheck.ask_turn_address"),
            (TurnProblem::Certificate, "netcheck.turn_certificate", "netcheck.ask_turn_certificate"),
            (TurnProblem::Declined(403), "netcheck.turn_declined", "netcheck.ask_turn_server"),
            (TurnProblem::Full, "netcheck.turn_full", "netcheck.ask_turn_server"),
            (TurnProblem::WrongCredentials, "netcheck.turn_credentials", "netcheck.ask_turn_password"),
        ];
        for (problem, sentence, what_to_do) in problems {
            let mut findings = findings("198.51.100.9:4000", "198.51.100.9:4000", true);
            findings.turn = vec![tried("turn:turn.example", Err(problem))];
            let (outlook, said) = keys(&findings);
            assert_eq!(outlook, Outlook::DirectOrRelayed, "a call does without");
            assert!(said.contains(&sentence) && said.contains(&what_to_do), "{problem}: {said:?}");
            // One way that works is enough.
            findings.turn.push(tried("turns:turn.example", Ok(vec![])));
            assert!(!keys(&findings).1.contains(&what_to_do));
        }
    }

    #[test]
    fn who_hides_is_relayed_or_not_called_at_all() {
        let hidden = |relays| {
            let mut findings = findings("203.0.113.9:4000", "203.0.113.9:4000", relays);
            findings.relay_only = true;
            keys(&findings)
        };
        assert_eq!((hidden(true).0, hidden(true).1[0]), (Outlook::Relayed, "netcheck.relay_only"));
        assert_eq!((hidden(false).0, hidden(false).1[0]), (Outlook::None, "netcheck.hidden_without_relay"));
    }

    #[test]
    fn a_server_that_is_not_running_is_told_from_a_network_without_udp() {
        let mut findings = findings("198.51.100.9:4000", "198.51.100.9:4000", true);
        findings.ipv4 = Some(Reach::default());
        findings.signs.nobody_listens = true;
        let said = keys(&findings).1;
        assert!(said.contains(&"netcheck.nobody_listens") && !said.contains(&"netcheck.ask_udp"), "{said:?}");
        findings.signs = ReachFound { nobody_listens: false, answers_tcp: true };
        let said = keys(&findings).1;
        assert!(
            said.contains(&"netcheck.answers_otherwise") && said.contains(&"netcheck.ask_udp"),
            "{said:?}"
        );
    }

    #[test]
    fn without_any_network_that_is_all_that_is_said() {
        let mut findings = findings("198.51.100.9:4000", "198.51.100.9:4000", true);
        findings.own.clear();
        assert_eq!(keys(&findings).1[1..], ["netcheck.no_network", "netcheck.ask_network"]);
    }

    #[test]
    fn a_name_that_leads_nowhere_is_all_that_is_said() {
        let own = vec!["192.168.1.7".parse().unwrap()];
        let findings = Findings { host: "calls.example".into(), own, ..Findings::default() };
        assert_eq!(keys(&findings).1, ["netcheck.none", "netcheck.no_such_name", "netcheck.ask_name"]);
    }

    #[test]
    fn blanked_addresses_are_nowhere_in_the_sentences() {
        let mut all = findings("198.51.100.9:4000", "198.51.100.9:4001", true);
        all.router = Some(opened("198.51.100.9:4002"));
        let lent = vec!["203.0.113.40:50000".parse().unwrap()];
        all.turn =
            vec![tried("turns:turn.example:443", Ok(lent)), tried("turns:b.example", Err(TurnProblem::Full))];
        let (_, said) = judge(&all, true);
        let text = format!("{said:?}");
        for private in
            ["198.51", "203.0.113", "192.168", "192.0.2", "calls.example", "turn.example", "b.example"]
        {
            assert!(!text.contains(private), "{private} in {text}");
        }
        assert!(format!("{:?}", judge(&all, false)).contains("198.51.100.9:4000"));
    }
}
