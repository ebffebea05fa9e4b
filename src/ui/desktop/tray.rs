//! The icon in the tray (StatusNotifierItem), and its menu: open, do not disturb, quit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ksni::blocking::{Handle, TrayMethods};
use ksni::menu::{CheckmarkItem, MenuItem, StandardItem};
use ksni::{Category, Icon, OfflineReason, Status, ToolTip};

use super::session_bus::Teller;
use super::{Told, TrayState};
use crate::ui::words::{word, word_with};

/// The icon, once there is something to show in its menu and a tray to show it.
pub(super) struct Tray {
    teller: Teller,
    shown: Arc<AtomicBool>,
    handle: Option<Handle<TincanIcon>>,
}

impl Tray {
    /// `shown` is true as long as there is an icon that can be pressed.
    pub(super) fn new(teller: Teller, shown: Arc<AtomicBool>) -> Self {
        Self { teller, shown, handle: None }
    }

    /// Shows the icon, or changes its menu.
    pub(super) fn show(&mut self, state: TrayState) {
        if let Some(handle) = &self.handle {
            handle.update(|icon| icon.state = state);
            return;
        }
        let icon = TincanIcon { teller: self.teller.clone(), shown: Arc::clone(&self.shown), state };
        match icon.spawn() {
            Ok(handle) => {
                self.shown.store(true, Ordering::Relaxed);
                self.handle = Some(handle);
            }
            Err(error) => tracing::info!(%error, "no tray on this desktop"),
        }
    }

    pub(super) fn close(&mut self) {
        self.shown.store(false, Ordering::Relaxed);
        if let Some(handle) = self.handle.take() {
            handle.shutdown().wait();
        }
    }
}

struct TincanIcon {
    teller: Teller,
    shown: Arc<AtomicBool>,
    state: TrayState,
}

impl ksni::Tray for TincanIcon {
    fn id(&self) -> String {
        "tincan".to_owned()
    }

    fn category(&self) -> Category {
        Category::Communications
    }

    fn status(&self) -> Status {
        Status::Active
    }

    fn title(&self) -> String {
        word("app.title").to_owned()
    }

    fn icon_pixmap(&self) -> Vec<Icon> {
        ICONS.iter().filter_map(|png| pixmap(png)).collect()
    }

    fn tool_tip(&self) -> ToolTip {
        let description = if self.state.do_not_disturb {
            word("tray.quiet").to_owned()
        } else if self.state.name.is_empty() {
            String::new()
        } else {
            word_with("tray.as", &[("name", &self.state.name)])
        };
        ToolTip { title: word("app.title").to_owned(), description, ..ToolTip::default() }
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        self.teller.tell(Told::Open);
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        let item = |label: &str, told: Told| -> MenuItem<Self> {
            StandardItem {
                label: label.to_owned(),
                activate: Box::new(move |icon: &mut Self| icon.teller.tell(told.clone())),
                ..StandardItem::default()
            }
            .into()
        };
        vec![
            item(word("tray.open"), Told::Open),
            CheckmarkItem {
                label: word("tray.do_not_disturb").to_owned(),
                checked: self.state.do_not_disturb,
                activate: Box::new(|icon: &mut Self| icon.teller.tell(Told::ToggleDoNotDisturb)),
                ..CheckmarkItem::default()
            }
            .into(),
            MenuItem::Separator,
            item(word("tray.quit"), Told::Quit),
        ]
    }

    fn watcher_online(&self) {
        self.shown.store(true, Ordering::Relaxed);
    }

    fn watcher_offline(&self, reason: OfflineReason) -> bool {
        tracing::info!(?reason, "the tray is gone");
        self.shown.store(false, Ordering::Relaxed);
        // It may come back: a panel that was started anew.
        true
    }
}

/// An icon as the tray wants it: alpha first.
fn pixmap(png: &[u8]) -> Option<Icon> {
    let image = eframe::icon_data::from_png_bytes(png).ok()?;
    let mut data = image.rgba;
    for sample in data.chunks_exact_mut(4) {
        sample.rotate_right(1);
    }
    Some(Icon { width: i32::try_from(image.width).ok()?, height: i32::try_from(image.height).ok()?, data })
}

const ICONS: [&[u8]; 3] = [
    include_bytes!("../../../assets/icon/tincan-24.png"),
    include_bytes!("../../../assets/icon/tincan-32.png"),
    include_bytes!("../../../assets/icon/tincan-64.png"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_of_the_icon_can_be_shown() {
        for png in ICONS {
            let icon = pixmap(png).expect("an icon");
            assert_eq!(icon.data.len(), (icon.width * icon.height * 4) as usize);
        }
    }
}
