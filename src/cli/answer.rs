//! `tincan answer`: waits for calls and takes them, without a window.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use tincan::call::handle::Client as _;
use tincan::call::{ClientView, Command, EndReason};

use super::flags::AnswerFlags;
use super::headless::{Happened, Headless, WAIT_FOR_UNNEEDED, cannot_start};

/// Answers until interrupted, or until the first call is over.
pub(crate) fn run(flags: AnswerFlags) -> ExitCode {
    let AnswerFlags { common, headless, only, once } = flags;
    let mut session = match Headless::start(common, headless) {
        Ok(session) => session,
        Err(error) => return cannot_start(&error),
    };
    // On the local network we are found without a server.
    let without = |view: &ClientView, waited: Duration| {
        view.settings.local_network == Some(true) && waited >= WAIT_FOR_UNNEEDED
    };
    if let Err(reason) = session.connect(without) {
        return session.give_up(reason);
    }
    {
        let mut out = std::io::stdout().lock();
        // Nobody may read it; the calls are taken all the same.
        // A server of the Flash years knows us by the weak peer ID alone.
        let known_as = session.client.view().own.weak_peer_id.unwrap_or(session.client.peer_id());
        let _ = writeln!(out, "{known_as}").and_then(|()| out.flush());
    }
    let mut accepted = false;
    loop {
        match session.step() {
            Happened::Ringing(peer) => {
                accepted = only.is_none_or(|only| only == peer);
                let with_video = session.with_video;
                session.client.try_command(if accepted {
                    Command::Accept { with_video }
                } else {
                    Command::Decline
                });
            }
            Happened::Ended(reason) => {
                if once && accepted || session.is_interrupted() {
                    return session.finish(reason);
                }
                accepted = false;
                session.client.try_command(Command::Dismiss);
            }
            Happened::Refused(why) => eprintln!("{why}"),
            Happened::Interrupted => return session.finish(EndReason::Ended),
            Happened::Nothing => {}
        }
    }
}
