//! `tincan call WHOM`: a call without a window.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use tincan::call::handle::Client as _;
use tincan::call::link::Link;
use tincan::call::{ClientView, Command, EndReason, PeerId};

use super::WRONG_USAGE;
use super::flags::CallFlags;
use super::headless::{Happened, Headless, WAIT_FOR_UNNEEDED, cannot_start};

/// Calls, and returns when the call is over.
pub(crate) fn run(flags: CallFlags) -> ExitCode {
    let CallFlags { whom, common, headless } = flags;
    let mut session = match Headless::start(common, headless) {
        Ok(session) => session,
        Err(error) => return cannot_start(&error),
    };
    // A link may say where they are, and on the local network they say so themselves.
    let has_addresses = Link::parse(&whom).is_ok_and(|link| !link.addresses.is_empty());
    let peer = whom.trim().parse::<PeerId>().ok();
    let without = |view: &ClientView, waited: Duration| {
        has_addresses && waited >= WAIT_FOR_UNNEEDED
            || view.nearby.iter().any(|person| Some(person.peer_id) == peer)
    };
    if let Err(reason) = session.connect(without) {
        return session.give_up(reason);
    }
    session.dialled = Some(Instant::now());
    session.client.try_command(Command::Call { whom, with_video: session.with_video });
    loop {
        match session.step() {
            Happened::Ended(reason) => {
                if !matches!(reason, EndReason::Ended | EndReason::EndedThere) {
                    eprintln!("The call did not take place or broke off: {}.", reason.as_str());
                }
                return session.finish(reason);
            }
            Happened::Refused(why) => {
                eprintln!("{why}");
                session.client.stop();
                return ExitCode::from(WRONG_USAGE);
            }
            Happened::Interrupted => return session.finish(EndReason::Cancelled),
            // We are about to talk to somebody else; who rings hears that we are busy.
            Happened::Ringing(_) | Happened::Nothing => {}
        }
    }
}
