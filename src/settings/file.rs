//! `settings.toml`: read with forgiveness, written atomically.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::atomic_file::{self, Readers};
use super::{Settings, SettingsError, Visibility};

/// Settings as they were found.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What to go on with.
    pub settings: Settings,
    /// What to tell the person, when the file could not be used: a sentence.
    pub problem: Option<String>,
}

/// Reads the settings in a data directory. Without a file these are the defaults. A file that cannot be understood is set
/// aside as `settings.broken.toml`, and the defaults are used: a program that does not start helps nobody.
pub fn load(dir: &Path) -> Loaded {
    let path = path_in(dir);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Loaded { settings: Settings::default(), problem: None };
        }
        Err(error) => return set_aside(&path, &error.to_string()),
    };
    match toml::from_str(&text) {
        Ok(settings) => Loaded { settings: of_older_version(settings), problem: None },
        Err(error) => set_aside(&path, error.message()),
    }
}

/// Who asked an older version not to be listed is not listed by this one.
fn of_older_version(mut settings: Settings) -> Settings {
    if settings.unknown.remove("listed").and_then(|listed| listed.as_bool()) == Some(false) {
        settings.visibility = Visibility::Known;
    }
    settings
}

/// Writes the settings into a data directory.
///
/// # Errors
/// [`SettingsError::File`]; the old file is then untouched.
pub fn save(dir: &Path, settings: &Settings) -> Result<(), SettingsError> {
    let path = path_in(dir);
    let text = toml::to_string_pretty(settings)
        .map_err(|error| SettingsError::file(&path, io::Error::other(error)))?;
    atomic_file::write(&path, text.as_bytes(), Readers::Usual)
        .map_err(|source| SettingsError::file(&path, source))
}

fn set_aside(path: &Path, why: &str) -> Loaded {
    let aside = path.with_file_name("settings.broken.toml");
    let kept = match fs::rename(path, &aside) {
        Ok(()) => format!("It was set aside as {}", aside.display()),
        Err(_) => "It could not be set aside".to_owned(),
    };
    let problem = format!(
        "The settings in {} could not be read ({why}). {kept}, and the defaults are used.",
        path.display()
    );
    tracing::warn!("{problem}");
    Loaded { settings: Settings::default(), problem: Some(problem) }
}

fn path_in(dir: &Path) -> PathBuf {
    dir.join("settings.toml")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Theme;
    use crate::settings::scratch::Scratch;

    #[test]
    fn settings_read_back_as_they_were_saved() {
        let scratch = Scratch::new();
        let settings = Settings {
            name: "Zoë \"Z\" \\ 王".to_owned(),
            server: Some("rtmfp://example.org".to_owned()),
            theme: Theme::Light,
            do_not_disturb: true,
            keep_history: false,
            language: Some(crate::settings::Language::SimplifiedChinese),
            shortcuts: [("mute".to_owned(), "Ctrl+K".to_owned())].into(),
            far_volume: 0.75,
            ..Settings::default()
        };
        save(scratch.path(), &settings).unwrap();
        assert_eq!(load(scratch.path()), Loaded { settings, problem: None });
    }

    #[test]
    fn without_a_file_the_defaults_are_used_and_nothing_is_said() {
        let scratch = Scratch::new();
        assert_eq!(load(scratch.path()), Loaded { settings: Settings::default(), problem: None });
    }

    #[test]
    fn a_file_of_an_older_version_keeps_what_it_said_and_gets_the_defaults_for_the_rest() {
        let scratch = Scratch::new();
        fs::write(path_in(scratch.path()), "name = \"Ada\"\nlisted = false\ntheme = \"light\"\n").unwrap();
        let Loaded { settings, problem } = load(scratch.path());
        assert_eq!((settings.name.as_str(), settings.theme, problem), ("Ada", Theme::Light, None));
        assert!(settings.keep_history && settings.read_receipts);
        assert_eq!(settings.visibility, Visibility::Known);
    }

    #[test]
    fn keys_of_a_newer_version_survive() {
        let scratch = Scratch::new();
        fs::write(path_in(scratch.path()), "name = \"Ada\"\nhologram = 3\n\n[room]\nsize = 4\n").unwrap();
        let loaded = load(scratch.path()).settings;
        assert_eq!(loaded.name, "Ada");
        assert_eq!(loaded.camera, "default");
        save(scratch.path(), &loaded).unwrap();
        let text = fs::read_to_string(path_in(scratch.path())).unwrap();
        assert!(text.contains("hologram = 3") && text.contains("size = 4"), "{text}");
    }

    #[test]
    fn a_broken_file_is_set_aside_and_said() {
        let scratch = Scratch::new();
        fs::write(path_in(scratch.path()), "name = [1,").unwrap();
        let loaded = load(scratch.path());
        assert_eq!(loaded.settings, Settings::default());
        assert!(loaded.problem.unwrap().contains("set aside"));
        assert_eq!(fs::read(scratch.path().join("settings.broken.toml")).unwrap(), b"name = [1,");
        assert!(!path_in(scratch.path()).exists());
    }
}
