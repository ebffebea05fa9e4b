//! Opens the window, and lets others wake it or bring it to the front. The only place that meets the desktop.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use egui::{Context, ViewportBuilder, ViewportCommand};
use jiff::tz::TimeZone;

use super::app::App;
use super::desktop::{APP_ID, Desktop};
use super::gpu_picture::is_worth_it;
use super::theme::{self, ThemeChoice};
use super::words::word_with;
use crate::call::handle::Client;

/// Makes the window look again: something changed. Callable from any thread.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// How the window starts.
pub struct WindowOptions {
    /// What stands in its title bar.
    pub title: String,
    /// Width and height of its inside, in points.
    pub start_size: [f32; 2],
    /// Dark, light, or the system's.
    pub theme: ThemeChoice,
    /// A name, peer ID or link to put where one dials.
    pub dial: Option<String>,
    /// Not shown until somebody brings it to the front.
    pub background: bool,
    /// The report of a run that ended badly, if one lies there.
    pub crash_report: Option<PathBuf>,
    /// With this, others bring the window to the front.
    pub attention: Attention,
}

impl Default for WindowOptions {
    fn default() -> Self {
        Self {
            title: super::words::word("app.title").to_owned(),
            start_size: [1280.0, 800.0],
            theme: ThemeChoice::default(),
            dial: None,
            background: false,
            crash_report: None,
            attention: Attention::default(),
        }
    }
}

/// Brings the window to the front and links into it, from any thread. Clones mean the same window.
#[derive(Clone, Default)]
pub struct Attention(Arc<Mutex<Wanted>>);

/// What was asked of a window, and the window.
#[derive(Default)]
struct Wanted {
    window: Option<Context>,
    /// Asked for before there was a window.
    early: bool,
    /// The latest link that nobody has looked at yet.
    link: Option<String>,
}

impl Attention {
    /// Opens the window if it is minimised and puts it in front, as soon as there is one. A link is shown there; nobody is
    /// called without being asked about.
    pub fn come_forward(&self, link: Option<String>) {
        let mut wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.link = link.or(wanted.link.take());
        match &wanted.window {
            Some(ctx) => show(&ctx.clone()),
            None => wanted.early = true,
        }
    }

    /// The link that was handed over last, once.
    pub(super) fn take_link(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).link.take()
    }

    /// Whether the window was asked for before it was there.
    fn belongs_to(&self, ctx: &Context) -> bool {
        let mut wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.window = Some(ctx.clone());
        std::mem::take(&mut wanted.early)
    }
}

fn show(ctx: &Context) {
    ctx.send_viewport_cmd(ViewportCommand::Visible(true));
    ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
    ctx.send_viewport_cmd(ViewportCommand::Focus);
    ctx.request_repaint();
}

/// Opens the window and returns when it is closed. `make` gets the waker and gives the client.
///
/// # Errors
/// One sentence, when there is no desktop or no OpenGL.
pub fn run(
    options: WindowOptions,
    make: impl FnOnce(Waker) -> Result<Box<dyn Client>, String>,
) -> Result<(), String> {
    let WindowOptions { title, start_size, theme, dial, background, crash_report, attention } = options;
    let mut viewport = ViewportBuilder::default()
        .with_title(title)
        .with_app_id(APP_ID)
        .with_visible(!background)
        .with_inner_size(start_size)
        .with_min_inner_size([360.0, 480.0]);
    if let Ok(icon) = eframe::icon_data::from_png_bytes(ICON) {
        viewport = viewport.with_icon(Arc::new(icon));
    }
    let native = eframe::NativeOptions { viewport, ..eframe::NativeOptions::default() };
    #[cfg(target_os = "linux")]
    super::x11_errors::set_aside();
    eframe::run_native(
        "tincan",
        native,
        Box::new(move |creation| {
            let ctx = creation.egui_ctx.clone();
            theme::install(&ctx, theme);
            let asked_for = attention.belongs_to(&ctx);
            if asked_for {
                show(&ctx);
            }
            let waker: Waker = Arc::new(move || ctx.request_repaint());
            let again = creation.egui_ctx.clone();
            let desktop = Desktop::start(Arc::new(move || again.request_repaint()));
            let app = App::new(make(waker)?, theme, TimeZone::system(), dial);
            let app = app.with_crash_report(crash_report).on_desktop(desktop).heeding(attention);
            let app = if background && !asked_for { app.in_background() } else { app };
            let gpu = creation.gl.as_deref().is_some_and(is_worth_it);
            Ok(Box::new(if gpu { app.on_gpu(&creation.egui_ctx) } else { app }))
        }),
    )
    .map_err(|error| word_with("start.no_window", &[("why", error.to_string().trim_end_matches('.'))]))
}

const ICON: &[u8] = include_bytes!("../../assets/icon/tincan-256.png");
