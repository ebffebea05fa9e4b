//! A file in a conversation: how far it got, and what can be done about it. Nothing is opened without a click, and a
//! program never.

use std::path::Path;

use egui::{Align, Label, Layout, Pos2, Rect, RichText, Ui, UiBuilder, Vec2, WidgetInfo, vec2};

use super::Talk;
use crate::call::Command;
use crate::call::random_id::RandomId;
use crate::call::view::{FileLine, FileState};
use crate::ui::action::Action;
use crate::ui::parts::button::{Kind, button_sized};
use crate::ui::parts::icon::{Icon, paint_icon};
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// Without buttons, in points.
const PLAIN: f32 = 70.0;
/// What a row of buttons adds.
const BUTTONS: f32 = 28.0;
/// What a caution adds.
const CAUTION: f32 = 17.0;
/// The widest such line.
const WIDEST: f32 = 340.0;

/// Endings of files that do something when they are opened.
const PROGRAMS: &[&str] = &[
    "app", "appimage", "apk", "bash", "bat", "bin", "cmd", "com", "command", "cpl", "csh", "deb", "desktop",
    "dll", "dmg", "exe", "gadget", "hta", "inf", "jar", "js", "jse", "ksh", "lnk", "msc", "msi", "msix",
    "msp", "mst", "pif", "pkg", "pl", "ps1", "psm1", "py", "pyw", "rb", "reg", "rpm", "run", "scf", "scr",
    "sh", "so", "tcl", "url", "vb", "vbe", "vbs", "workflow", "ws", "wsc", "wsf", "wsh", "xll", "zsh",
];

/// Whether a file would run rather than be shown: such a one is never opened from here.
pub fn is_program(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| PROGRAMS.contains(&ending.as_str())) || may_be_run(path)
}

#[cfg(unix)]
fn may_be_run(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn may_be_run(_: &Path) -> bool {
    false
}

/// How high such a line is.
pub(super) fn file_height(file: &FileLine) -> f32 {
    match &file.state {
        FileState::Declined | FileState::Cancelled | FileState::Failed => PLAIN - 12.0,
        FileState::Done(_) if !file.incoming => PLAIN - 12.0,
        FileState::Done(_) if named_like_a_program(file) => PLAIN - 12.0 + BUTTONS + CAUTION,
        FileState::Offered | FileState::Done(_) => PLAIN - 12.0 + BUTTONS,
        FileState::Moving { .. } | FileState::Waiting { .. } => PLAIN + BUTTONS,
    }
}

/// By its name alone, which is known while it is drawn; the file itself is looked at when it is to be opened.
fn named_like_a_program(file: &FileLine) -> bool {
    let ending =
        Path::new(&file.name).extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| PROGRAMS.contains(&ending.as_str()))
}

/// Draws it at the place of its `ui`.
pub(super) fn file_ui(
    ui: &mut Ui,
    talk: &Talk<'_>,
    line: RandomId,
    file: &FileLine,
    width: f32,
    time: &str,
) -> Option<Action> {
    let palette = palette(ui);
    let row = ui.max_rect();
    let size = vec2(WIDEST.min(width), file_height(file));
    let left = if file.incoming { row.left() } else { row.left() + width - size.x };
    let rect = Rect::from_min_size(Pos2::new(left, row.top()), size);
    let fill = if file.incoming { palette.raised } else { palette.me };
    ui.painter().rect_filled(rect, theme::BUBBLE_RADIUS, fill);
    let square = Rect::from_center_size(Pos2::new(rect.left() + 22.0, rect.top() + 34.0), Vec2::splat(18.0));
    paint_icon(ui.painter(), Icon::Clip, square, palette.dim);
    let inner = Rect::from_min_max(rect.min + vec2(43.0, 9.0), rect.max - vec2(13.0, 9.0));
    let mut child = ui.new_child(UiBuilder::new().max_rect(inner).layout(Layout::top_down(Align::Min)));
    let ui = &mut child;
    ui.spacing_mut().item_spacing = vec2(8.0, 4.0);
    ui.spacing_mut().interact_size.y = 0.0;
    ui.add(Label::new(RichText::new(&file.name).font(theme::strong(theme::BODY))).truncate())
        .on_hover_text(&file.name);
    if let FileState::Moving { done, .. } | FileState::Waiting { done } = file.state {
        bar_ui(ui, done, file.size, &file.name);
    }
    let state = word_with("chat.meta", &[("time", time), ("state", &state_words(file, talk.name))]);
    let small = RichText::new(state).font(theme::font(theme::TINY)).color(palette.faint);
    ui.add(Label::new(small).truncate());
    let mut action = None;
    if matches!(file.state, FileState::Done(_)) && file.incoming && named_like_a_program(file) {
        let caution =
            RichText::new(word("file.program")).font(theme::font(theme::TINY)).color(palette.bad_text);
        ui.add(Label::new(caution).truncate()).on_hover_text(word("file.program_hint"));
    }
    ui.horizontal(|ui| action = buttons_ui(ui, talk, line, file));
    action
}

fn buttons_ui(ui: &mut Ui, talk: &Talk<'_>, line: RandomId, file: &FileLine) -> Option<Action> {
    let peer = talk.peer_id;
    let mut action = None;
    let mut small = |ui: &mut Ui, kind, label: &'static str, then: Action| {
        if button_sized(ui, kind, None, label, 28.0, 12.0).clicked() {
            action = Some(then);
        }
    };
    let accept = Action::Ask(Command::AcceptFile { peer, line });
    let stop = Action::Ask(Command::StopFile { peer, line });
    match &file.state {
        FileState::Offered if file.incoming => {
            small(ui, Kind::Accept, word("file.accept"), accept);
            small(ui, Kind::Plain, word("file.decline"), stop);
        }
        FileState::Offered | FileState::Moving { .. } | FileState::Waiting { .. } => {
            small(ui, Kind::Plain, word("file.cancel"), stop);
        }
        FileState::Done(path) if file.incoming => {
            if !named_like_a_program(file) {
                small(ui, Kind::Plain, word("file.open"), Action::OpenFile(path.clone()));
            }
            small(ui, Kind::Plain, word("file.folder"), Action::ShowInFolder(path.clone()));
        }
        FileState::Done(_) | FileState::Declined | FileState::Cancelled | FileState::Failed => {}
    }
    action
}

fn bar_ui(ui: &mut Ui, done: u64, size: u64, name: &str) {
    let palette = palette(ui);
    let share = if size == 0 { 1.0 } else { (done as f64 / size as f64).clamp(0.0, 1.0) as f32 };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 10.0), egui::Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(egui::Role::ProgressIndicator, true, name);
        info.value = Some(f64::from(share) * 100.0);
        info
    });
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_min_numeric_value(0.0);
        node.set_max_numeric_value(100.0);
    });
    let bar = Rect::from_center_size(rect.center(), vec2(rect.width(), 6.0));
    ui.painter().rect_filled(bar, 3.0, palette.bg);
    let full = Rect::from_min_size(bar.min, vec2(bar.width() * share, bar.height()));
    ui.painter().rect_filled(full, 3.0, palette.accent);
}

fn state_words(file: &FileLine, name: &str) -> String {
    let size = bytes_words(file.size);
    match &file.state {
        FileState::Offered if file.incoming => word_with("file.offered", &[("size", &size)]),
        FileState::Offered => word_with("file.asked", &[("size", &size), ("name", name)]),
        FileState::Moving { done, rate } => {
            let parts = [("done", bytes_words(*done)), ("size", size), ("rate", bytes_words(*rate))];
            let values: Vec<(&str, &str)> = parts.iter().map(|(key, text)| (*key, text.as_str())).collect();
            match file.size.saturating_sub(*done).checked_div(*rate) {
                Some(seconds) => {
                    let left = left_words(seconds);
                    word_with("file.moving", &[values.as_slice(), &[("left", left.as_str())]].concat())
                }
                None => word_with("file.begun", &values),
            }
        }
        FileState::Waiting { done } => {
            word_with("file.waiting", &[("done", &bytes_words(*done)), ("size", &size)])
        }
        FileState::Done(_) if file.incoming => word_with("file.received", &[("size", &size)]),
        FileState::Done(_) => word_with("file.sent", &[("size", &size)]),
        FileState::Declined => word("file.declined").to_owned(),
        FileState::Cancelled => word("file.cancelled").to_owned(),
        FileState::Failed => word("file.failed").to_owned(),
    }
}

fn left_words(seconds: u64) -> String {
    if seconds < 60 {
        word_with("file.seconds", &[("count", &seconds.max(1).to_string())])
    } else {
        word_with("file.minutes", &[("count", &seconds.div_ceil(60).to_string())])
    }
}

/// A size as people read it.
fn bytes_words(bytes: u64) -> String {
    let shown = |unit: u64| {
        let tenths = bytes.saturating_mul(10) / unit;
        if tenths >= 1000 { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) }
    };
    match bytes {
        0..1_000 => word_with("file.bytes", &[("count", &bytes.to_string())]),
        1_000..1_000_000 => word_with("file.kb", &[("count", &shown(1_000))]),
        1_000_000..1_000_000_000 => word_with("file.mb", &[("count", &shown(1_000_000))]),
        _ => word_with("file.gb", &[("count", &shown(1_000_000_000))]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_scripts_are_told_from_documents() {
        for name in ["setup.EXE", "a.tar.sh", "x.desktop", "y.lnk"] {
            assert!(is_program(Path::new(name)), "{name}");
        }
        for name in ["slides.pdf", "notes", "picture.jpeg", "exe"] {
            assert!(!is_program(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn sizes_are_read_as_people_say_them() {
        assert_eq!(bytes_words(812), "812 bytes");
        assert_eq!(bytes_words(3_300_000), "3.3 MB");
        assert_eq!(bytes_words(123_456_789), "123 MB");
        assert_eq!(bytes_words(u64::MAX).split(' ').nth(1), Some("GB"));
    }

    #[test]
    fn a_rate_of_nothing_promises_no_end() {
        let state = FileState::Moving { done: 10, rate: 0 };
        let file = FileLine { incoming: true, name: "a".into(), size: 100, state };
        assert!(!state_words(&file, "Ada").contains("left"));
    }
}
