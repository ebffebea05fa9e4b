//! The program: its flags, and one small file for each subcommand. Wiring only; what is decided is decided below.

#[cfg(feature = "media")]
mod answer;
#[cfg(feature = "media")]
mod call;
#[cfg(feature = "gui")]
mod crash_report;
#[cfg(feature = "media")]
mod devices;
mod flags;
#[cfg(feature = "media")]
mod headless;
mod id;
#[cfg(feature = "media")]
mod probe;
#[cfg(feature = "server")]
mod serve;
#[cfg(feature = "server")]
mod serve_check;
#[cfg(feature = "media")]
mod statistics;
mod window;

use std::process::ExitCode;

use clap::Parser;

use flags::{Cli, Command};

/// Reads the command line and does what it says. Wrong usage ends here, with exit status 2 and a sentence.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        None => return window::open(cli.common, cli.background, cli.link),
        #[cfg(feature = "media")]
        Some(Command::Call(flags)) => return call::run(flags),
        #[cfg(feature = "media")]
        Some(Command::Answer(flags)) => return answer::run(flags),
        #[cfg(feature = "media")]
        Some(Command::Probe(flags)) => return probe::run(&flags),
        #[cfg(feature = "media")]
        Some(Command::Devices) => devices::run(),
        #[cfg(feature = "server")]
        Some(Command::Serve(flags)) => return serve::run(flags),
        Some(Command::Id(flags)) => id::run(flags),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Exit status of wrong usage, the same that clap uses.
pub(crate) const WRONG_USAGE: u8 = 2;

/// Reads a `SOURCE` or `SINK`; every text is one: what is no word of ours is a device's name.
#[cfg(feature = "media")]
fn source<T: std::str::FromStr<Err = std::convert::Infallible>>(text: &str) -> T {
    match text.parse() {
        Ok(choice) => choice,
        Err(never) => match never {},
    }
}
