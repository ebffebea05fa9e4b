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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::Command;
    use std::thread;

    use super::*;

    /// Where the program that crashes is to leave its report.
    const DIR: &str = "TINCAN_TEST_CRASH_DIR";

    #[test]
    fn a_panic_in_any_thread_leaves_a_report_that_names_nobody() {
        if let Some(dir) = std::env::var_os(DIR) {
            return crash(Path::new(&dir));
        }
        let dir = std::env::temp_dir().join(format!("tincan-crash-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let program = std::env::current_exe().unwrap();
        let name = thread::current().name().unwrap().to_owned();
        let done = Command::new(program).args([&name, "--exact"]).env(DIR, &dir).output().unwrap();
        let report = crash_file::find(&dir).and_then(|path| fs::read_to_string(path).ok());
        fs::remove_dir_all(&dir).unwrap();
        let report = report.unwrap_or_else(|| panic!("no report: {done:?}"));
        for told in [
            env!("CARGO_PKG_VERSION"),
            "thread: worker",
            "it broke at …",
            "the line before",
            "crash_report.rs",
        ] {
            assert!(report.contains(told), "{told} is not in\n{report}");
        }
        assert!(!report.contains("192.0.2.7"), "{report}");
    }

    /// What the child process does.
    fn crash(dir: &Path) {
        install(dir.to_owned());
        tracing::warn!("the line before, of 192.0.2.7:1935");
        let broken = thread::Builder::new().name("worker".into()).spawn(|| panic!("it broke at 192.0.2.7"));
        assert!(broken.unwrap().join().is_err());
    }
}
