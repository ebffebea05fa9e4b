//! Starting with the session, without a window: one entry where each system looks for such programs.
//!
//! Linux and its kin: `autostart/tincan.desktop` in the configuration directory (Desktop Application Autostart
//! Specification). macOS: a launch agent. Windows: a value below `Run` of the user's registry, written by `reg`. Only
//! the first has been tried.

#[cfg(any(test, not(windows)))]
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The flag of a start without a window.
const FLAG: &str = "--background";

/// Makes the entry, or removes it. The data directory goes with it, when it is not the usual one.
///
/// # Errors
/// Which file, and what the system says.
pub fn set(on: bool, data_dir: &Path) -> Result<(), (PathBuf, io::Error)> {
    let program = std::env::current_exe().map_err(|error| (PathBuf::from("tincan"), error))?;
    let mut command = vec![program.to_string_lossy().into_owned(), FLAG.to_owned()];
    if super::usual_data_dir().is_none_or(|usual| usual != data_dir) {
        command.push("--data-dir".to_owned());
        command.push(data_dir.to_string_lossy().into_owned());
    }
    system::set(on.then_some(&command))
}

/// Writes an entry, or removes it.
#[cfg(not(windows))]
fn write_entry(path: &Path, text: Option<String>) -> Result<(), (PathBuf, io::Error)> {
    let done = match text {
        Some(text) => path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            super::atomic_file::write(path, text.as_bytes(), super::atomic_file::Readers::Usual)
        }),
        None => match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    };
    done.map_err(|error| (path.to_owned(), error))
}

#[cfg(all(unix, not(target_os = "macos")))]
mod system {
    use super::*;

    pub(super) fn set(command: Option<&Vec<String>>) -> Result<(), (PathBuf, io::Error)> {
        let base = directories::BaseDirs::new()
            .ok_or_else(|| (PathBuf::from("autostart"), io::Error::from(io::ErrorKind::NotFound)))?;
        let path = base.config_dir().join("autostart").join("tincan.desktop");
        write_entry(&path, command.map(|command| entry(command)))
    }

    pub(super) fn entry(command: &[String]) -> String {
        let words: Vec<String> = command.iter().map(|word| quoted(word)).collect();
        let mut text = String::from("[Desktop Entry]\nType=Application\nName=Tincan\n");
        text.push_str(&format!("Exec={}\n", words.join(" ")));
        text.push_str("Icon=io.github.tincan_call.Tincan\nTerminal=false\nX-GNOME-Autostart-enabled=true\n");
        text
    }

    /// Desktop Entry Specification: quoting of `Exec`, then the escapes of every string.
    fn quoted(word: &str) -> String {
        let mut text = String::from("\"");
        for c in word.chars() {
            match c {
                '"' | '`' | '$' => text.extend(["\\\\", &c.to_string()]),
                '\\' => text.push_str("\\\\\\\\"),
                '%' => text.push_str("%%"),
                '\n' => text.push_str("\\n"),
                c => text.push(c),
            }
        }
        text.push('"');
        text
    }
}

#[cfg(target_os = "macos")]
mod system {
    use super::*;

    pub(super) fn set(command: Option<&Vec<String>>) -> Result<(), (PathBuf, io::Error)> {
        let base = directories::BaseDirs::new()
            .ok_or_else(|| (PathBuf::from("LaunchAgents"), io::Error::from(io::ErrorKind::NotFound)))?;
        let path = base.home_dir().join("Library/LaunchAgents/tincan.plist");
        let entry = |command: &Vec<String>| {
            let escaped =
                |word: &String| word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let words: String =
                command.iter().map(|word| format!("<string>{}</string>", escaped(word))).collect();
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict><key>Label</key>\
                 <string>tincan</string><key>ProgramArguments</key><array>{words}</array><key>RunAtLoad</key><true/>\
                 </dict></plist>\n"
            )
        };
        write_entry(&path, command.map(entry))
    }
}

#[cfg(windows)]
mod system {
    use super::*;

    const KEY: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run";

    pub(super) fn set(command: Option<&Vec<String>>) -> Result<(), (PathBuf, io::Error)> {
        let mut reg = std::process::Command::new("reg");
        match command {
            Some(command) => {
                let words: Vec<String> = command.iter().map(|word| format!("\"{word}\"")).collect();
                reg.args(["add", KEY, "/v", "Tincan", "/t", "REG_SZ", "/f", "/d", &words.join(" ")]);
            }
            None => {
                reg.args(["delete", KEY, "/v", "Tincan", "/f"]);
            }
        }
        match reg.output() {
            Ok(done) if done.status.success() || command.is_none() => Ok(()),
            Ok(_) => Err((PathBuf::from(KEY), io::Error::from(io::ErrorKind::PermissionDenied))),
            Err(error) => Err((PathBuf::from(KEY), error)),
        }
    }
}

#[cfg(all(test, unix, not(target_os = "macos")))]
mod tests {
    use super::*;
    use crate::settings::scratch::Scratch;

    #[test]
    fn the_entry_starts_the_program_whatever_its_path_looks_like() {
        let command = ["/opt/a b/100% \"x\"$/tincan".to_owned(), FLAG.to_owned()];
        let text = system::entry(&command);
        let exec = text.lines().find(|line| line.starts_with("Exec=")).unwrap();
        assert_eq!(exec, r#"Exec="/opt/a b/100%% \\"x\\"\\$/tincan" "--background""#);
    }

    #[test]
    fn an_entry_is_written_with_its_directory_and_removed_twice_without_complaint() {
        let scratch = Scratch::new();
        let path = scratch.path().join("autostart/tincan.desktop");
        write_entry(&path, Some("text".to_owned())).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "text");
        write_entry(&path, None).unwrap();
        write_entry(&path, None).unwrap();
        assert!(!path.exists());
    }
}
