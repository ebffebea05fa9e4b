//! `tincan probe`: what kind of network this is, and whether calls will work on it.

use std::process::ExitCode;

use anyhow::Context;
use tincan::call::network_check::{self, Outlook, Progress, judge, report};
use tincan::call::server_address::ServerAddress;

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
    match check(&server) {
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

fn check(server: &ServerAddress) -> anyhow::Result<network_check::Findings> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the event loop cannot start")?;
    let tell = |progress| match progress {
        Progress::LookingUp | Progress::Asking | Progress::Answered => {}
        Progress::Silence => eprintln!("No answer yet; this network may not let UDP through."),
    };
    Ok(runtime.block_on(network_check::check(server, tell))?)
}

/// The same numbers as those of a call that ends so.
fn status(outlook: Outlook) -> u8 {
    match outlook {
        Outlook::Direct | Outlook::DirectOrRelayed | Outlook::Relayed => 0,
        Outlook::None => 15,
        Outlook::Partial => 17,
    }
}
