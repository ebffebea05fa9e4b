//! `tincan probe`: what kind of network this is, and whether calls will work on it.

use std::process::ExitCode;

use anyhow::Context;
use tincan::call::network_check::{self, Outlook, Progress, Question, judge, report};
use tincan::call::server_address::ServerAddress;
use tincan::driver::turn::{Secret, TurnConfig, TurnUrl};
use tincan::settings::{self, turn_password};

use super::WRONG_USAGE;
use super::flags::ProbeFlags;

/// Checks, and prints what was found. Ends with 0 when calls will work, with 15 when the server cannot be reached, and with
/// 17 when there will be no way through to some people.
pub(crate) fn run(flags: &ProbeFlags) -> ExitCode {
    let server = match ServerAddress::parse(&flags.url) {
        Ok(server) => server,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(WRONG_USAGE);
        }
    };
    let turn = match turn_config(flags) {
        Ok(turn) => turn,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::from(WRONG_USAGE);
        }
    };
    match check(Question { server, turn, asks_router: true, relay_only: false }) {
        Ok(findings) => {
            let (outlook, said) = judge(&findings, flags.blank);
            print!("{}", report::report(&said, report::in_english));
            ExitCode::from(status(outlook))
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The TURN server that was given, or the one in the settings. Nothing is made where there are none.
fn turn_config(flags: &ProbeFlags) -> anyhow::Result<Option<TurnConfig>> {
    let dir = flags.data_dir.clone().or_else(settings::usual_data_dir).filter(|dir| dir.is_dir());
    let (mut kept, mut password) = (settings::Settings::default(), Default::default());
    if let Some(dir) = dir {
        kept = settings::load(&dir).settings;
        password = turn_password::load(&dir)?;
    }
    if let Some(given) = flags.turn.put_turn(&mut kept)? {
        password = given;
    }
    let urls = TurnUrl::parse_list(&kept.turn.servers).unwrap_or_default();
    let config = TurnConfig { urls, user: kept.turn.user, secret: Secret::new(password.as_str()) };
    Ok(Some(config).filter(|config| !config.urls.is_empty()))
}

fn check(question: Question) -> anyhow::Result<network_check::Findings> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the event loop cannot start")?;
    let tell = |progress| match progress {
        Progress::LookingUp | Progress::Asking | Progress::Answered | Progress::AskingOthers => {}
        Progress::Silence => eprintln!("No answer yet; this network may not let UDP through."),
    };
    Ok(runtime.block_on(network_check::check(question, tell))?)
}

/// The same numbers as those of a call that ends so.
fn status(outlook: Outlook) -> u8 {
    match outlook {
        Outlook::Direct | Outlook::DirectOrRelayed | Outlook::Relayed | Outlook::OverTurn => 0,
        Outlook::None => 15,
        Outlook::Partial => 17,
    }
}
