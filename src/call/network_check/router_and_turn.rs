//! What is to be said of the router's port and of the person's TURN servers.

use std::net::SocketAddr;

use super::judging::{BLANK, Sentence, advice, bad, fact, good, ms, shown};
use super::{Findings, RouterKind};
use crate::driver::turn::{Carrier, Tried, TurnProblem};
use crate::nearby::port_mapping::{MappingProtocol, RouterAnswer};

/// Whether the router opens a port, and whether that is of use.
pub(super) fn say_router(findings: &Findings, blank: bool, said: &mut Vec<Sentence>) {
    let has_router = findings.ipv4.as_ref().and_then(|reach| findings.router(reach));
    // Without a router there is none to open anything; who hides their address has no use for it.
    if matches!(has_router, Some(RouterKind::None)) || findings.ipv4.is_none() || findings.relay_only {
        return;
    }
    said.push(match &findings.router {
        None => fact("netcheck.port_not_asked", &[]),
        Some(RouterAnswer::Asking | RouterAnswer::None) => fact("netcheck.no_port", &[]),
        Some(RouterAnswer::Refused(understood)) => {
            let names: Vec<_> = understood.iter().map(|protocol| protocol_name(*protocol)).collect();
            bad("netcheck.port_refused", &[("protocols", names.join(", "))])
        }
        Some(answer @ RouterAnswer::Lent { by, address }) => {
            let values = [
                ("protocol", protocol_name(*by).to_owned()),
                ("address", shown(SocketAddr::V4(*address), blank)),
            ];
            if findings.is_port_open() {
                good("netcheck.mapped", &values)
            } else if answer.reachable().is_none() {
                bad("netcheck.mapped_behind", &values)
            } else {
                bad("netcheck.mapped_elsewhere", &values)
            }
        }
    });
}

/// Whether each TURN server lends a port, and whether the server answers over it.
pub(super) fn say_turn(findings: &Findings, blank: bool, said: &mut Vec<Sentence>) {
    said.extend(findings.turn.iter().map(|tried| tried_sentence(tried, blank)));
    let Some(over) = &findings.over_turn else { return };
    said.push(match over.connected {
        Some(connected) => good("netcheck.over_turn_server", &[("connected", ms(connected))]),
        None => bad("netcheck.over_turn_silence", &[]),
    });
}

fn tried_sentence(tried: &Tried, blank: bool) -> Sentence {
    let server = if blank { BLANK.to_owned() } else { tried.url.to_string() };
    let values = [("server", server), ("transport", carrier_name(tried.carrier).to_owned())];
    let [server, transport] = values.clone();
    match &tried.outcome {
        Ok(relayed) => {
            let relayed: Vec<_> = relayed.iter().map(|address| shown(*address, blank)).collect();
            good("netcheck.turn", &[server, transport, ("address", relayed.join(", "))])
        }
        Err(TurnProblem::NoSuchHost) => bad("netcheck.turn_no_host", &values),
        Err(TurnProblem::NoAnswer | TurnProblem::WentSilent) => bad("netcheck.turn_no_answer", &values),
        Err(TurnProblem::NotTurn) => bad("netcheck.turn_is_none", &values),
        Err(TurnProblem::Certificate) => bad("netcheck.turn_certificate", &values),
        Err(TurnProblem::Declined(code)) => {
            bad("netcheck.turn_declined", &[server, transport, ("code", code.to_string())])
        }
        Err(TurnProblem::Full) => bad("netcheck.turn_full", &values),
        Err(TurnProblem::WrongCredentials) => bad("netcheck.turn_credentials", &values),
    }
}

/// What to do about a router that opens no port, for whom that would help.
pub(super) fn router_advice(findings: &Findings) -> Sentence {
    advice(match &findings.router {
        Some(RouterAnswer::Refused(_)) => "netcheck.ask_port_allowed",
        Some(RouterAnswer::Lent { .. }) => "netcheck.ask_public_address",
        None | Some(RouterAnswer::Asking | RouterAnswer::None) => "netcheck.ask_mapping",
    })
}

/// What to do about TURN servers of which none lends a port.
pub(super) fn turn_advice(findings: &Findings) -> Option<Sentence> {
    if findings.has_turn() {
        return None;
    }
    // Of several, the one that says most.
    let problem = findings.turn.iter().filter_map(|tried| tried.outcome.as_ref().err()).max()?;
    Some(advice(match problem {
        TurnProblem::WrongCredentials => "netcheck.ask_turn_password",
        TurnProblem::Certificate => "netcheck.ask_turn_certificate",
        TurnProblem::Declined(_) | TurnProblem::Full => "netcheck.ask_turn_server",
        TurnProblem::NoSuchHost | TurnProblem::NoAnswer | TurnProblem::WentSilent | TurnProblem::NotTurn => {
            "netcheck.ask_turn_address"
        }
    }))
}

/// Whether TLS was tried: what leads out of networks that let nothing else through.
pub(super) fn is_tls_tried(findings: &Findings) -> bool {
    findings.turn.iter().any(|tried| tried.carrier == Carrier::Tls)
}

fn carrier_name(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Udp => "UDP",
        Carrier::Tcp => "TCP",
        Carrier::Tls => "TLS",
    }
}

fn protocol_name(protocol: MappingProtocol) -> &'static str {
    match protocol {
        MappingProtocol::Pcp => "PCP",
        MappingProtocol::NatPmp => "NAT-PMP",
        MappingProtocol::Upnp => "UPnP",
    }
}
