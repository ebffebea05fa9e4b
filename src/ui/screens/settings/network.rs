//! The server, the servers of contacts, our own port, and a relay of one's own.

use egui::{Id, Label, RichText, Ui};
use zeroize::Zeroizing;

use super::rows::{note_ui, pick_ui, problem_ui, row_ui, switch_ui, title_ui};
use super::set;
use crate::call::command::Passphrase;
use crate::call::server_address;
use crate::call::view::TurnView;
use crate::call::{ClientView, Command, TurnCarrier, TurnProblem, TurnUrl};
use crate::settings::{Setting, TurnChoice};
use crate::ui::action::Action;
use crate::ui::parts::button::{Kind, button, button_width};
use crate::ui::parts::field::{field_ui, secret_field_ui};
use crate::ui::parts::typed::server_problem;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

const KEEPALIVES: [u16; 6] = [5, 10, 15, 30, 60, 120];

/// What is half typed here.
#[derive(Default)]
pub(super) struct NetworkInputs {
    server: String,
    old: bool,
    port: String,
    turn: TurnChoice,
    turn_password: Zeroizing<String>,
}

impl NetworkInputs {
    pub(super) fn new(view: &ClientView) -> Self {
        let port = view.settings.port;
        let (server, old) = server_address::part_mark(view.own.server_url.as_deref().unwrap_or_default());
        Self {
            server: server.to_owned(),
            old,
            port: if port == 0 { String::new() } else { port.to_string() },
            turn: view.settings.turn.clone(),
            turn_password: Zeroizing::default(),
        }
    }
}

pub(super) fn network_ui(ui: &mut Ui, view: &ClientView, inputs: &mut NetworkInputs) -> Option<Action> {
    let mut action = None;
    let in_use = view.own.server_url.as_deref().unwrap_or_default();
    let mut wanted = server_address::with_mark(&inputs.server, inputs.old);
    let label = word("settings.server");
    let id = Id::unique("settings server");
    let hint = word("settings.server_hint");
    let entered = applied_field_ui(ui, id, label, hint, &mut inputs.server, wanted != in_use);
    problem_ui(ui, server_problem(&inputs.server));
    note_ui(ui, word("network.server_text"));
    let mut entered = entered;
    if let Some(old) = switch_ui(ui, word("network.old"), word("network.old_text"), inputs.old) {
        inputs.old = old;
        wanted = server_address::with_mark(&inputs.server, old);
        entered = true;
    }
    weak_id_ui(ui, view);
    if entered && wanted != in_use && server_problem(&wanted).is_none() {
        action = Some(Action::Ask(Command::SetServer((!wanted.is_empty()).then_some(wanted))));
    }
    if let Some(url) = nearby_servers_ui(ui, view) {
        inputs.server.clone_from(&url);
        inputs.old = false;
        action = Some(Action::Ask(Command::SetServer(Some(url))));
    }
    further_servers_ui(ui, view);
    title_ui(ui, word("network.local"));
    let allowed = view.settings.local_network == Some(true);
    if let Some(on) = switch_ui(ui, word("network.nearby"), word("network.nearby_text"), allowed) {
        action = Some(set(Setting::LocalNetwork(on)));
    }
    let mapping = view.settings.port_mapping;
    if let Some(on) = switch_ui(ui, word("network.mapping"), word("network.mapping_text"), mapping) {
        action = Some(set(Setting::PortMapping(on)));
    }
    title_ui(ui, word("network.own"));
    let port = read_port(&inputs.port);
    let changed = port != Some(view.settings.port);
    let id = Id::unique("settings port");
    let entered =
        applied_field_ui(ui, id, word("network.port"), word("network.any_port"), &mut inputs.port, changed);
    problem_ui(ui, port.is_none().then(|| word("network.port_form").to_owned()));
    note_ui(ui, word("network.port_text"));
    if let Some(port) = port.filter(|_| entered && changed) {
        action = Some(set(Setting::Port(port)));
    }
    let name = |seconds: u16| word_with("network.seconds", &[("seconds", &seconds.to_string())]);
    let picked = pick_ui(ui, word("network.keepalive"), view.settings.keepalive, &KEEPALIVES, name);
    note_ui(ui, word("network.keepalive_text"));
    let action = picked.map(|seconds| set(Setting::Keepalive(seconds))).or(action);
    turn_ui(ui, view, inputs).or(action)
}

/// A relay of the person's own. Applied as a whole: address, user and password belong together.
fn turn_ui(ui: &mut Ui, view: &ClientView, inputs: &mut NetworkInputs) -> Option<Action> {
    title_ui(ui, word("network.turn"));
    note_ui(ui, word("network.turn_text"));
    let changed = inputs.turn != view.settings.turn || !inputs.turn_password.is_empty();
    let is_address = TurnUrl::parse_list(&inputs.turn.servers).is_ok();
    let mut entered = false;
    let label = word("network.turn_servers");
    entered |= row_ui(ui, label, |ui, width| {
        let (id, hint) = (Id::unique("turn servers"), word("network.turn_hint"));
        field_ui(ui, id, &mut inputs.turn.servers, label, hint, width.min(theme::SIDE_WIDTH)).entered
    });
    let wrong = (!is_address).then(|| word_with("refusal.turn", &[("server", inputs.turn.servers.trim())]));
    problem_ui(ui, wrong);
    let label = word("network.turn_user");
    entered |= row_ui(ui, label, |ui, width| {
        let id = Id::unique("turn user");
        field_ui(ui, id, &mut inputs.turn.user, label, "", width.min(theme::SIDE_WIDTH)).entered
    });
    let label = word("network.turn_password");
    entered |= row_ui(ui, label, |ui, width| {
        let id = Id::unique("turn password");
        secret_field_ui(ui, id, &mut inputs.turn_password, label, width.min(theme::SIDE_WIDTH)).entered
    });
    note_ui(ui, word("network.turn_password_text"));
    match turn_words(view.turn) {
        Some(Ok(words)) => note_ui(ui, &words),
        Some(Err(problem)) => problem_ui(ui, Some(problem)),
        None => {}
    }
    if changed && is_address {
        entered |= row_ui(ui, "", |ui, _| button(ui, Kind::Primary, None, word("settings.apply")).clicked());
    }
    if !(entered && changed && is_address) {
        return None;
    }
    let password = std::mem::take(&mut inputs.turn_password);
    let password = (!password.is_empty()).then_some(Passphrase(password));
    Some(Action::Ask(Command::SetTurn { turn: inputs.turn.clone(), password }))
}

/// How it stands with the relay; a problem is an error.
fn turn_words(turn: TurnView) -> Option<Result<String, String>> {
    let key = match turn {
        TurnView::Idle => return None,
        TurnView::Trying => return Some(Ok(word("network.turn_trying").to_owned())),
        TurnView::Lent { carrier } => {
            let carrier = match carrier {
                TurnCarrier::Udp => "UDP",
                TurnCarrier::Tcp => "TCP",
                TurnCarrier::Tls => "TLS",
            };
            return Some(Ok(word_with("network.turn_lent", &[("carrier", carrier)])));
        }
        TurnView::Failed(TurnProblem::Declined(code)) => {
            return Some(Err(word_with("turn.declined", &[("code", &code.to_string())])));
        }
        TurnView::Failed(TurnProblem::NoSuchHost) => "turn.no_such_host",
        TurnView::Failed(TurnProblem::NoAnswer) => "turn.no_answer",
        TurnView::Failed(TurnProblem::WentSilent) => "turn.went_silent",
        TurnView::Failed(TurnProblem::NotTurn) => "turn.not_turn",
        TurnView::Failed(TurnProblem::Certificate) => "turn.certificate",
        TurnView::Failed(TurnProblem::Full) => "turn.full",
        TurnView::Failed(TurnProblem::WrongCredentials) => "turn.wrong_credentials",
    };
    Some(Err(word(key).to_owned()))
}

/// The peer ID that an old server knows: another one than the person's own, and said to be weak.
fn weak_id_ui(ui: &mut Ui, view: &ClientView) {
    let Some(weak) = view.own.weak_peer_id else { return };
    row_ui(ui, word("network.weak_id"), |ui, _| {
        let text = RichText::new(weak.to_string()).font(theme::mono(theme::SMALL));
        ui.add(Label::new(text).wrap().selectable(true));
    });
    note_ui(ui, word("network.weak_id_text"));
}

/// Servers that other windows on the local network bring. Gives the one to be used from now on.
fn nearby_servers_ui(ui: &mut Ui, view: &ClientView) -> Option<String> {
    let own = view.own.server_url.as_deref();
    let mut chosen = None;
    for server in view.servers_nearby.iter().filter(|server| Some(server.url.as_str()) != own) {
        row_ui(ui, &word_with("network.nearby_server", &[("name", &server.name)]), |ui, _| {
            let label = word_with("network.use_server", &[("name", &server.name)]);
            if button(ui, Kind::Plain, None, &label).clicked() {
                chosen = Some(server.url.clone());
            }
        });
    }
    chosen
}

/// The servers on which contacts are found, beside our own.
fn further_servers_ui(ui: &mut Ui, view: &ClientView) {
    let own = view.own.server_url.as_deref();
    let mut servers: Vec<(&str, Vec<&str>)> = Vec::new();
    for contact in view.contacts.iter() {
        let Some(server) = contact.server.as_deref().filter(|server| Some(*server) != own) else { continue };
        match servers.iter_mut().find(|(known, _)| *known == server) {
            Some((_, names)) => names.push(&contact.name),
            None => servers.push((server, vec![&contact.name])),
        }
    }
    if servers.is_empty() {
        return;
    }
    title_ui(ui, word("network.further"));
    let ink = palette(ui).dim;
    for (server, names) in servers {
        row_ui(ui, server, |ui, _| {
            let names = names.join(word("network.between_names"));
            ui.add(Label::new(RichText::new(names).color(ink)).wrap());
        });
    }
    note_ui(ui, word("network.further_text"));
}

/// A field with a button that applies it once it differs. True when it should be applied.
fn applied_field_ui(ui: &mut Ui, id: Id, label: &str, hint: &str, text: &mut String, changed: bool) -> bool {
    row_ui(ui, label, |ui, width| {
        let taken = if changed { 10.0 + button_width(ui, word("settings.apply"), 14.0) } else { 0.0 };
        let mut wanted = field_ui(ui, id, text, label, hint, (width - taken).min(theme::SIDE_WIDTH)).entered;
        if changed {
            wanted |= button(ui, Kind::Primary, None, word("settings.apply")).clicked();
        }
        wanted
    })
}

/// Nothing is any port. Those below 1024 belong to the system.
fn read_port(text: &str) -> Option<u16> {
    match text.trim() {
        "" => Some(0),
        text => text.parse().ok().filter(|port| *port >= 1024),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_free_to_choose_above_those_of_the_system() {
        assert_eq!(read_port(" "), Some(0));
        assert_eq!(read_port("19350"), Some(19_350));
        assert_eq!([read_port("80"), read_port("70000"), read_port("a")], [None; 3]);
    }
}
