//! The cards that open above the bar of a call: microphone and loudspeaker, camera, and everything else.

use egui::{Align2, Area, Frame, Id, Label, Margin, Order, Pos2, Rect, RichText, Slider, Ui};

use super::button::{Kind, button};
use super::call_bar::{Open, Pressed};
use super::device_picker::{DEFAULT, NONE, Which, device_problem_ui};
use super::icon::Icon;
use super::level_meter::level_meter_ui;
use super::list_row::{action_row, list_row};
use crate::call::view::UpCall;
use crate::call::{ClientView, Command};
use crate::settings::Setting;
use crate::ui::screens::in_call::record_or_stop;
use crate::ui::shortcuts::{ShortcutAction, format, key_of};
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

/// Which card.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Menu {
    /// Microphones, with a meter, and loudspeakers.
    Microphone,
    /// Cameras.
    Camera,
    /// Everything else.
    More,
}

/// Draws a card with its lower edge at `foot`. A press beside card and bar closes it.
#[expect(clippy::too_many_arguments, reason = "all of them are what the bar was given")]
pub fn call_menu_ui(
    ui: &Ui,
    area: Rect,
    bar: Rect,
    foot: Pos2,
    menu: Menu,
    view: &ClientView,
    call: &UpCall,
    open: Open,
) -> Option<Pressed> {
    let card = Area::new(Id::unique(("call menu", menu as u8)))
        .order(Order::Foreground)
        .pivot(Align2::CENTER_BOTTOM)
        .fixed_pos(foot)
        .constrain_to(area.shrink(8.0))
        .show(ui.ctx(), |ui| {
            Frame::popup(ui.style())
                .corner_radius(theme::PICTURE_RADIUS)
                .inner_margin(Margin::same(12))
                .show(ui, |ui| {
                    ui.set_width(WIDTH.min(area.width() - 48.0));
                    ui.spacing_mut().item_spacing.y = 4.0;
                    match menu {
                        Menu::Microphone => sound_ui(ui, view),
                        Menu::Camera => devices_ui(ui, Which::Camera, view),
                        Menu::More => more_ui(ui, view, call, open),
                    }
                })
                .inner
        });
    let outside = ui.input(|input| {
        let at = input.pointer.interact_pos().filter(|_| input.pointer.any_pressed());
        at.is_some_and(|at| !card.response.rect.contains(at) && !bar.expand(12.0).contains(at))
    });
    card.inner.or(outside.then_some(Pressed::Menu(menu)))
}

fn sound_ui(ui: &mut Ui, view: &ClientView) -> Option<Pressed> {
    let mut pressed = devices_ui(ui, Which::Microphone, view);
    ui.add_space(2.0);
    // It moves while muted too: one sees that the microphone works before one speaks.
    level_meter_ui(ui, view.microphone_level);
    ui.add_space(8.0);
    pressed = devices_ui(ui, Which::Speaker, view).or(pressed);
    ui.add_space(4.0);
    if button(ui, Kind::Plain, Some(Icon::Speaker), word("call.test_speaker")).clicked() {
        pressed = Some(Pressed::Ask(Command::TestSpeaker));
    }
    pressed
}

fn devices_ui(ui: &mut Ui, which: Which, view: &ClientView) -> Option<Pressed> {
    let devices = &view.devices;
    let in_use = which.in_use(devices);
    let width = ui.available_width();
    let mut pressed = None;
    let head = RichText::new(which.label()).font(theme::strong(theme::SMALL)).color(palette(ui).dim);
    ui.add(Label::new(head));
    let mut offer = |ui: &mut Ui, name: &str, label: &str| {
        let chosen = in_use == name || (in_use.is_empty() && name == DEFAULT);
        if list_row(ui, None, label, chosen, width).clicked() && !chosen {
            pressed = Some(Pressed::Ask(which.choose(name)));
        }
    };
    offer(ui, DEFAULT, word("device.default"));
    for name in which.names(devices) {
        offer(ui, name, name);
    }
    if which != Which::Speaker || in_use == NONE {
        offer(ui, NONE, word("device.none"));
    }
    device_problem_ui(ui, which, devices);
    pressed
}

fn more_ui(ui: &mut Ui, view: &ClientView, call: &UpCall, open: Open) -> Option<Pressed> {
    let settings = &view.settings;
    let width = ui.available_width();
    let key = |action| format(key_of(settings, action));
    let mut pressed = volume_ui(ui, view, call);
    ui.add_space(6.0);
    let mut row = |ui: &mut Ui, icon, label: &str, key: &str, does: Pressed| {
        if action_row(ui, icon, label, key, width).clicked() {
            pressed = Some(does);
        }
    };
    let waits = view.on_hold.as_ref().is_some_and(|far| far.peer_id == call.far.peer_id);
    let (icon, label) =
        if waits { (Icon::Play, word("call.resume")) } else { (Icon::Pause, word("call.hold")) };
    row(ui, icon, label, &key(ShortcutAction::Hold), Pressed::Ask(Command::Hold(!waits)));
    let (icon, label) = match call.recording {
        Some(_) => (Icon::StopRecording, word("recording.stop")),
        None => (Icon::Record, word("recording.start")),
    };
    row(ui, icon, label, &key(ShortcutAction::Record), Pressed::Ask(record_or_stop(call)));
    row(ui, Icon::Shield, word("call.verify"), "", Pressed::Verify);
    let fill = settings.fill_picture;
    let label = if fill { word("call.fit") } else { word("call.fill") };
    row(ui, Icon::Fit, label, "", Pressed::Ask(Command::Set(Setting::FillPicture(!fill))));
    if call.has_camera {
        row(ui, Icon::Swap, word("self.swap"), &key(ShortcutAction::SwapPictures), Pressed::Swap);
        let (icon, label) =
            if open.self_hidden { (Icon::Eye, word("self.show")) } else { (Icon::EyeOff, word("self.hide")) };
        row(ui, icon, label, &key(ShortcutAction::HideSelf), Pressed::HideSelf);
    }
    if open.picture {
        row(ui, Icon::Snapshot, word("call.snapshot"), &key(ShortcutAction::Snapshot), Pressed::Snapshot);
    }
    let label = if open.quality { word("call.quality_hide") } else { word("call.quality_show") };
    row(ui, Icon::Bars, label, &key(ShortcutAction::Quality), Pressed::Quality);
    let label = if open.full_screen { word("call.leave_full") } else { word("call.full") };
    row(ui, Icon::FullScreen, label, &key(ShortcutAction::FullScreen), Pressed::FullScreen);
    row(ui, Icon::Tile, word("call.minimise"), &key(ShortcutAction::Minimise), Pressed::Minimise);
    pressed
}

/// How loud the far end is played: 0 to 200 percent.
fn volume_ui(ui: &mut Ui, view: &ClientView, call: &UpCall) -> Option<Pressed> {
    let mut percent = view.settings.far_volume * 100.0;
    let label = word_with("call.volume", &[("name", &call.far.name), ("percent", &format!("{percent:.0}"))]);
    ui.add(
        Label::new(RichText::new(&label).font(theme::font(theme::SMALL)).color(palette(ui).dim)).truncate(),
    );
    ui.spacing_mut().slider_width = ui.available_width();
    let slider =
        ui.add(Slider::new(&mut percent, 0.0..=200.0).step_by(5.0).show_value(false).trailing_fill(true));
    ui.ctx().accesskit_node_builder(slider.id, |node| node.set_label(label.as_str()));
    slider.changed().then(|| Pressed::Ask(Command::Set(Setting::FarVolume(percent / 100.0))))
}

/// Width of a card's inside, in points.
const WIDTH: f32 = 300.0;
