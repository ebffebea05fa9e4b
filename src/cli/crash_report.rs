//! What a crash leaves behind for the person to read and send: version, system, thread, message, backtrace and the latest
//! log lines; no peer IDs, addresses, names or messages. Also where log lines go while the window is open.

use std::backtrace::Backtrace;
use std::fmt::Write as _;
use std::panic::PanicHookInfo;
use std::path::PathBuf;

use jiff::Timestamp;
use tincan::settings::{crash_file, log_lines};
use tracing_subscriber::EnvFilter;

/// What is kept of the logs: whatever degraded, and what a person would recognise.
const KEPT: &str = "warn,tincan=info";

/// Keeps the latest log lines, and from now on writes a report when any thread panics.
pub(crate) fn install(data_dir: PathBuf) {
    // Somebody else's subscriber would only mean reports without lines.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(KEPT))
        .with_ansi(false)
        .with_writer(|| log_lines::LineWriter)
        .try_init();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let report = report(info, Backtrace::force_capture(), &log_lines::recent());
        if let Err(error) = crash_file::write(&data_dir, &report) {
            eprintln!("The report of this crash could not be written: {error}.");
        }
        before(info);
    }));
}

fn report(info: &PanicHookInfo<'_>, backtrace: Backtrace, lines: &[String]) -> String {
    let thread = std::thread::current();
    let place = info.location().map_or_else(String::new, ToString::to_string);
    // What was being worked on may stand in the message, between quotes; that is blanked.
    let message = log_lines::blanked(info.payload_as_str().unwrap_or("unknown"));
    let mut text = format!(
        "Tincan {} stopped unexpectedly.\nat: {}\nsystem: {} {}\nthread: {}\nplace: {place}\nmessage: {message}\n",
        env!("CARGO_PKG_VERSION"),
        Timestamp::now().round(jiff::Unit::Second).unwrap_or(Timestamp::UNIX_EPOCH),
        std::env::consts::OS,
        std::env::consts::ARCH,
        thread.name().unwrap_or("unnamed"),
    );
    let _ = write!(text, "\nBacktrace:\n{}\n", log_lines::blanked(&backtrace.to_string()));
    let _ = write!(text, "\nThe latest log lines:\n{}\n", lines.join("\n"));
    text
}
