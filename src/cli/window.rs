//! `tincan` without a subcommand: the window.

use std::process::ExitCode;

use super::WRONG_USAGE;
use super::flags::CommonFlags;

/// Opens the window, and returns when it is closed.
#[cfg(feature = "gui")]
pub(crate) fn open(flags: CommonFlags, link: Option<String>) -> ExitCode {
    // The one place where client and window are put together.
    let _ = (flags, link);
    eprintln!("The window is not part of this build yet; `tincan --help` says what there is.");
    ExitCode::from(WRONG_USAGE)
}

/// Says that this build has none.
#[cfg(not(feature = "gui"))]
pub(crate) fn open(_flags: CommonFlags, _link: Option<String>) -> ExitCode {
    eprintln!("This build has no window; `tincan --help` says what there is.");
    ExitCode::from(WRONG_USAGE)
}
