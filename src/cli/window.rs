//! `tincan` without a subcommand: the window.

use std::process::ExitCode;

#[cfg(not(feature = "gui"))]
use super::WRONG_USAGE;
use super::flags::CommonFlags;

/// Opens the window, and returns when it is closed.
#[cfg(feature = "gui")]
pub(crate) fn open(flags: CommonFlags, background: bool, link: Option<String>) -> ExitCode {
    match gui::run(flags, background, link) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Says that this build has none.
#[cfg(not(feature = "gui"))]
pub(crate) fn open(_flags: CommonFlags, _background: bool, _link: Option<String>) -> ExitCode {
    eprintln!("This build has no window; `tincan --help` says what there is.");
    ExitCode::from(WRONG_USAGE)
}

#[cfg(feature = "gui")]
mod gui {
    use anyhow::{Context as _, anyhow};
    use tincan::call::back_up;
    use tincan::call::client::{self, ClientOptions};
    use tincan::call::history_desk::HistoryDesk;
    use tincan::media::choice::PictureSink;
    use tincan::media::studio::StudioSettings;
    use tincan::netconnection::UserName;
    use tincan::settings::instance::{Claim, Instance};
    use tincan::settings::{self, crash_file};
    use tincan::ui::{self, Attention, WindowOptions};

    use super::CommonFlags;
    use crate::cli::{crash_report, source};

    /// Puts client and window together.
    pub(super) fn run(flags: CommonFlags, background: bool, link: Option<String>) -> anyhow::Result<()> {
        let data_dir = settings::data_dir(flags.data_dir.clone())?;
        let mut instance = match Instance::claim(&data_dir)? {
            Claim::First(instance) => instance,
            // Whoever logs in while it runs wants nothing of it.
            Claim::Already(_) if background && link.is_none() => return Ok(()),
            Claim::Already(first) => {
                return if first.ask(link.as_deref()) {
                    Ok(())
                } else {
                    Err(anyhow!("Tincan is running already, and its window does not answer."))
                };
            }
        };
        let last_crash = crash_file::find(&data_dir);
        crash_report::install(data_dir.clone());
        // What cannot be restored now is tried again with the next start.
        if let Err(error) = back_up::finish_restore(&data_dir) {
            eprintln!("The backup could not be restored: {error}.");
        }
        let settings::Loaded { settings: kept, problem } = settings::load(&data_dir);
        if let Some(problem) = problem {
            eprintln!("{problem}");
        }
        // Opened while the window is being made, so that it need not be waited for.
        let history =
            HistoryDesk::open(&data_dir, kept.keep_history).context("the history needs a thread")?;
        let mut settings = kept.clone();
        let turn_password = flags.turn.put_turn(&mut settings)?;
        settings.server = flags.server.or(settings.server);
        if let Some(name) = flags.name {
            UserName::new(&name).context("--name cannot be used")?;
            settings.name = name;
        }
        settings.local_network = flags.nearby.then_some(true).or(settings.local_network);
        settings.hide_address |= flags.hide_address;
        settings.camera = flags.camera.unwrap_or(settings.camera);
        settings.microphone = flags.microphone.unwrap_or(settings.microphone);
        settings.speaker = flags.speaker.unwrap_or(settings.speaker);
        let studio = StudioSettings {
            camera: source(&settings.camera),
            microphone: source(&settings.microphone),
            speaker: source(&settings.speaker),
            picture: PictureSink::None,
        };

        let attention = Attention::default();
        let bring_forward = attention.clone();
        instance.on_forward(move |link| bring_forward.come_forward(link))?;

        let options = WindowOptions {
            theme: settings.theme,
            attention,
            dial: link,
            background,
            crash_report: last_crash,
            ..WindowOptions::default()
        };
        ui::run(options, move |waker| {
            let started = client::start(ClientOptions {
                data_dir,
                settings,
                kept,
                turn_password,
                studio,
                history: Some(history),
                window: true,
                waker,
            });
            Ok(Box::new(started.map_err(|error| error.to_string())?))
        })
        .map_err(|sentence| anyhow!(sentence))
    }
}
