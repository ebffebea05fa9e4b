//! From findings to sentences: what this network is, what works, what a call will use, and what to ask for.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{Findings, Reach, RouterKind, TurnTransport};

/// How calls will be, the best first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Outlook {
    /// Straight from one computer to the other with nearly everybody.
    Direct,
    /// Straight with many, and over a relay with the others.
    DirectOrRelayed,
    /// Over a relay with many.
    Relayed,
    /// With some people there will be none.
    Partial,
    /// The server cannot be reached: there will be none.
    None,
}

impl Outlook {
    /// Whether calls will work with everybody whose own network lets them.
    pub fn is_good(self) -> bool {
        self <= Self::Relayed
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
    let mut said = vec![Sentence { tone: Tone::Headline, key: headline(outlook), values: vec![] }];
    let host = if blank { BLANK.to_owned() } else { findings.host.clone() };
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
    say_relays(findings, &mut said);
    if let Some(mapped) = findings.mapped {
        said.push(good("netcheck.mapped", &[("address", shown(mapped, blank))]));
    }
    say_advice(findings, outlook, &mut said);
    (outlook, said)
}

fn outlook(findings: &Findings) -> Outlook {
    let kinds: Vec<RouterKind> = findings.reaches().filter_map(|reach| findings.router(reach)).collect();
    let relays = findings.server_relays() || findings.has_turn();
    let reached = findings.reaches().any(|reach| reach.connected.is_some());
    let open = findings.mapped.is_some() || kinds.contains(&RouterKind::None);
    if !reached {
        Outlook::None
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

fn headline(outlook: Outlook) -> &'static str {
    match outlook {
        Outlook::Direct => "netcheck.direct",
        Outlook::DirectOrRelayed => "netcheck.direct_or_relayed",
        Outlook::Relayed => "netcheck.relayed",
        Outlook::Partial => "netcheck.partial",
        Outlook::None => "netcheck.none",
    }
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
        Some(RouterKind::OneForEach) => said.push(bad("netcheck.router_one_for_each", &[family()])),
        Some(RouterKind::Unknown) => said.push(fact("netcheck.router_unknown", &[family()])),
        None => said.push(fact("netcheck.foreign_server", &[family()])),
    }
}

fn say_relays(findings: &Findings, said: &mut Vec<Sentence>) {
    if findings.reaches().any(|reach| reach.connected.is_some()) {
        let relays = findings.server_relays();
        said.push(if relays { good("netcheck.relays", &[]) } else { bad("netcheck.no_relay", &[]) });
    }
    for (transport, works) in &findings.turn {
        let name = match transport {
            TurnTransport::Udp => "UDP",
            TurnTransport::Tcp => "TCP",
            TurnTransport::Tls => "TLS",
        };
        let over = [("transport", name.to_owned())];
        said.push(if *works { good("netcheck.turn", &over) } else { bad("netcheck.no_turn", &over) });
    }
}

fn say_advice(findings: &Findings, outlook: Outlook, said: &mut Vec<Sentence>) {
    match outlook {
        Outlook::None if findings.reaches().all(|reach| reach.hello.is_none()) => {
            said.push(advice("netcheck.ask_udp"));
            if !findings.has_turn() {
                said.push(advice("netcheck.ask_turn_tls"));
            }
        }
        Outlook::None => said.push(advice("netcheck.ask_server")),
        Outlook::Partial => {
            said.push(advice("netcheck.ask_relay"));
            said.push(advice("netcheck.ask_mapping"));
        }
        Outlook::Relayed => said.push(advice("netcheck.ask_mapping")),
        Outlook::Direct | Outlook::DirectOrRelayed => {}
    }
}

fn bad(key: &'static str, values: &[(&'static str, String)]) -> Sentence {
    Sentence { tone: Tone::Bad, key, values: values.to_vec() }
}

fn good(key: &'static str, values: &[(&'static str, String)]) -> Sentence {
    Sentence { tone: Tone::Good, key, values: values.to_vec() }
}

fn fact(key: &'static str, values: &[(&'static str, String)]) -> Sentence {
    Sentence { tone: Tone::Fact, key, values: values.to_vec() }
}

fn advice(key: &'static str) -> Sentence {
    Sentence { tone: Tone::Advice, key, values: Vec::new() }
}

fn ms(span: Duration) -> String {
    span.as_millis().to_string()
}

fn shown(address: SocketAddr, blank: bool) -> String {
    match address.ip() {
        _ if !blank => address.to_string(),
        IpAddr::V4(_) => format!("*.*.*.*:{}", address.port()),
        IpAddr::V6(_) => format!("[*:*]:{}", address.port()),
    }
}

const BLANK: &str = "*";

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_name_that_leads_nowhere_is_all_that_is_said() {
        let findings = Findings { host: "calls.example".into(), ..Findings::default() };
        assert_eq!(keys(&findings).1, ["netcheck.none", "netcheck.no_such_name", "netcheck.ask_name"]);
    }

    #[test]
    fn blanked_addresses_are_nowhere_in_the_sentences() {
        let mut all = findings("198.51.100.9:4000", "198.51.100.9:4001", true);
        all.mapped = "198.51.100.9:4002".parse().ok();
        let (_, said) = judge(&all, true);
        let text = format!("{said:?}");
        for private in ["198.51", "203.0.113", "192.168", "192.0.2", "calls.example"] {
            assert!(!text.contains(private), "{private} in {text}");
        }
        assert!(format!("{:?}", judge(&all, false)).contains("198.51.100.9:4000"));
    }
}
