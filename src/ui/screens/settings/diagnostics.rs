//! A report for whoever helps: what runs here and how it stands, without names, addresses and keys.

use std::fmt::Write as _;

use crate::call::ClientView;
use crate::call::view::{CallState, ServerState};
use crate::settings::Settings;
use crate::ui::words::{language, spoken};

/// The report, with the latest log lines. It is read by people who help, in whatever language, and is therefore not
/// translated.
pub(super) fn diagnostics(view: &ClientView, log: &[String]) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name}: {value}");
    };
    line("tincan", env!("CARGO_PKG_VERSION"));
    line("system", std::env::consts::OS);
    line("architecture", std::env::consts::ARCH);
    line("language", language::tag(spoken()));
    line("server", if view.own.server_url.is_some() { "chosen" } else { "built-in" });
    line("server-state", server_state(&view.own.server_state));
    line("call", call_state(&view.call));
    line("contacts", &view.contacts.len().to_string());
    line("people", &view.people.len().to_string());
    line("conversations", &view.conversations.len().to_string());
    let devices = &view.devices;
    for (name, known, problem) in [
        ("cameras", devices.cameras.len(), &devices.camera_problem),
        ("microphones", devices.microphones.len(), &devices.microphone_problem),
        ("speakers", devices.speakers.len(), &devices.speaker_problem),
    ] {
        let problem =
            problem.as_ref().map_or(String::new(), |error| format!(" {:?}", kind_of(&error.problem)));
        line(name, &format!("{known}{problem}"));
    }
    if let CallState::Up(call) = &view.call {
        let quality = &call.quality;
        line("route", &quality.route);
        line("cipher", &quality.cipher);
        line("round-trip-ms", &quality.round_trip_ms.map_or_else(String::new, |ms| format!("{ms:.0}")));
        line("loss-percent", &format!("{:.1}", quality.loss_percent));
        line("send-kbps", &format!("{:.0}", quality.send_kbps));
        line("receive-kbps", &format!("{:.0}", quality.receive_kbps));
    }
    text.push_str(&settings_lines(&view.settings));
    for line in log {
        let _ = writeln!(text, "log: {line}");
    }
    text
}

/// The settings that tell nothing about anybody.
fn settings_lines(settings: &Settings) -> String {
    let (video, voice) = (settings.video, settings.voice);
    format!(
        "video: {}p {}/s {} kb/s key:{} mirror:{}\nvoice: echo:{} noise:{} level:{} music:{}\n\
         theme: {:?} {:?} {:.2}\nvisibility: {:?}\nmay-call: {:?}\n\
         disturb: {}\nreceipts: {}\ntyping: {}\nhistory: {}\nport: {}\nkeepalive: {}\nstay: {}\nlogin: {}\n\
         keys-changed: {}\nblocked: {}\n",
        video.most_lines,
        video.most_rate,
        video.most_kbps,
        video.key_frame_every,
        video.mirror,
        voice.echo_cancellation,
        voice.noise_suppression,
        voice.automatic_gain,
        voice.music_mode,
        settings.theme,
        settings.accent,
        settings.text_scale,
        settings.visibility,
        settings.who_may_call,
        !settings.do_not_disturb,
        settings.read_receipts,
        settings.typing,
        settings.keep_history,
        if settings.port == 0 { "any" } else { "chosen" },
        settings.keepalive,
        settings.stay_when_closed,
        settings.start_at_login,
        settings.shortcuts.len(),
        settings.blocked.len(),
    )
}

fn server_state(state: &ServerState) -> &'static str {
    match state {
        ServerState::Off => "off",
        ServerState::Connecting => "connecting",
        ServerState::Connected => "connected",
        ServerState::NameRefused(_) => "name-refused",
        ServerState::Unreachable { .. } => "unreachable",
        ServerState::OtherKeys { .. } => "other-keys",
    }
}

fn call_state(call: &CallState) -> &'static str {
    match call {
        CallState::None => "none",
        CallState::Outgoing { .. } => "outgoing",
        CallState::Incoming { .. } => "incoming",
        CallState::Up(_) => "up",
        CallState::Ended { .. } => "ended",
    }
}

/// A problem without the path that may stand in it.
fn kind_of(problem: &crate::call::DeviceProblem) -> crate::call::DeviceProblem {
    use crate::call::DeviceProblem;
    match problem {
        DeviceProblem::File { .. } => DeviceProblem::File { path: Default::default(), reason: String::new() },
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::PeerId;
    use crate::call::view::OwnCard;

    #[test]
    fn a_report_names_nobody_and_no_place() {
        let peer = PeerId([7; 32]);
        let own = OwnCard {
            name: "Mei".into(),
            peer_id: Some(peer),
            server: "secret.example.net".into(),
            server_url: Some("rtmfp://secret.example.net".into()),
            weak_peer_id: Some(peer),
            link: format!("tincan:{peer}"),
            server_state: ServerState::NameRefused("Mei is taken at 192.0.2.7".into()),
            ..OwnCard::default()
        };
        let mut settings = Settings { name: "Mei".into(), port: 19_350, ..Settings::default() };
        settings.blocked.push(peer.to_string());
        let view = ClientView { own, settings: settings.into(), ..ClientView::default() };
        let text = diagnostics(&view, &["a line".into()]);
        for private in ["Mei", "secret", "192.0.2.7", "19350", &peer.to_string()] {
            assert!(!text.contains(private), "{private} in\n{text}");
        }
        assert!(text.contains("server-state: name-refused"));
        assert!(text.ends_with("log: a line\n"));
    }
}
