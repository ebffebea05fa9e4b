//! The screen while a call is up: their picture, ours, and controls that leave when nothing moves.
//!
//! [`keys`] has what the keyboard does, [`top`] the pills over the picture, [`beside`] the chat. The small picture, the bar,
//! its menus, the banner and the quality card are parts of their own.

mod beside;
mod keys;
mod recording;
mod sharing;
mod top;

use egui::{CentralPanel, CursorIcon, Frame, Pos2, Rect, Role, Sense, Ui, UiBuilder, Vec2, WidgetInfo, vec2};

use self::sharing::What;
use crate::call::view::Quality;
use crate::call::view::{FarEnd, UpCall, Verifying};
use crate::call::{ClientView, Command};
use crate::ui::action::Action;
use crate::ui::clock::Clock;
use crate::ui::parts::avatar::{Dot, paint_avatar};
use crate::ui::parts::banner::{Banner, banner_ui};
use crate::ui::parts::call_bar::{Open, Pressed, bar_rect, call_bar_ui};
use crate::ui::parts::call_menu::Menu;
use crate::ui::parts::picture_tile::{Fit, paint_picture};
use crate::ui::parts::quality::{QUALITY_WIDTH, quality_card_ui, quality_text};
use crate::ui::parts::self_view::{SelfView, Small, self_view_ui};
use crate::ui::screens::conversation::Writing;
use crate::ui::screens::share::share_ui;
use crate::ui::screens::verify::verify_ui;
use crate::ui::shortcuts::{ShortcutAction, format, key_of};
use crate::ui::stillness::Stillness;
use crate::ui::textures::Shown;
use crate::ui::theme::{self, palette};
use crate::ui::words::{word, word_with};

pub use recording::record_or_stop;

/// What the screen shows.
#[derive(Clone, Debug)]
pub struct InCall<'a> {
    /// Everything around the call: settings, devices, what is written, who waits.
    pub view: &'a ClientView,
    /// The call.
    pub call: &'a UpCall,
    /// Their newest picture.
    pub far_picture: Option<Shown>,
    /// Our own.
    pub own_picture: Option<Shown>,
    /// Their screen's.
    pub far_screen: Option<Shown>,
    /// Our own screen's.
    pub own_screen: Option<Shown>,
    /// The window fills the screen.
    pub full_screen: bool,
}

impl InCall<'_> {
    /// This call waits because we said so, not one beside it.
    fn we_hold(&self) -> bool {
        self.view.on_hold.as_ref().is_some_and(|far| far.peer_id == self.call.far.peer_id)
    }

    /// Who waits beside this call.
    fn waiting(&self) -> Option<&FarEnd> {
        self.view.on_hold.as_ref().filter(|_| !self.we_hold())
    }

    /// Their picture, if it is to be seen.
    fn far(&self) -> Option<Shown> {
        self.far_picture.filter(|_| self.call.far_video)
    }

    /// Their screen, if it is to be seen.
    fn far_screen(&self) -> Option<Shown> {
        sharing::picture(self, What::FarScreen)
    }

    /// Our own, if it is sent.
    fn own(&self) -> Option<Shown> {
        self.own_picture.filter(|_| self.call.camera_on)
    }
}

/// What stays from frame to frame.
#[derive(Clone, Debug, Default)]
pub struct InCallState {
    stillness: Stillness,
    /// The chat is open.
    pub chat_open: bool,
    /// One of the menus above the bar is open.
    pub menu: Option<Menu>,
    /// The quality card is open.
    pub quality_open: bool,
    /// The dialog for comparing codes is open.
    pub verify_open: bool,
    /// The dialog for choosing a screen is open.
    pub share_open: bool,
    /// In it: the camera is dropped for the screen.
    share_without_camera: bool,
    /// What was chosen about the small picture.
    pub self_view: SelfView,
    /// How it stood with comparing codes in the last frame.
    verifying: Verifying,
    /// Where the strips over the picture end, from the top of the window: notices come below them.
    pub below_strips: f32,
    /// The key is held: we talk although muted.
    talking: bool,
    writing: Writing,
}

impl InCallState {
    /// For the next call: only what was chosen about the small picture's place stays.
    pub fn for_next_call(&self) -> Self {
        Self { self_view: self.self_view.for_next_call(), ..Self::default() }
    }
}

/// Draws the call.
pub fn in_call_ui(ui: &mut Ui, shown: &InCall<'_>, state: &mut InCallState, clock: &Clock) -> Option<Action> {
    follow_verifying(shown, state);
    let mut action = keys::keys(ui, shown, state);
    let narrow = ui.max_rect().width() < theme::NARROW;
    if state.chat_open {
        let width = if narrow { ui.max_rect().width() } else { theme::CHAT_WIDTH };
        let panel =
            egui::Panel::right("call chat").exact_size(width).resizable(false).show_separator_line(false);
        panel.frame(Frame::new().fill(palette(ui).panel)).show(ui, |ui| {
            action = beside::chat_ui(ui, shown, state, clock).or(action.take());
        });
        if narrow {
            return action;
        }
    }
    CentralPanel::no_frame().frame(Frame::new().fill(theme::BEHIND_PICTURE)).show(ui, |ui| {
        action = picture_ui(ui, shown, state).or(action.take());
    });
    if state.share_open {
        let mut with_camera = !state.share_without_camera;
        let asked = share_ui(ui, shown.call, shown.view.screens.as_ref(), &mut with_camera);
        state.share_without_camera = !with_camera;
        state.share_open = !asked.close;
        action = asked.command.map(Action::Ask).or(action);
    }
    if state.verify_open {
        let asked = verify_ui(ui, &shown.call.far, &shown.view.verifying);
        if asked.close {
            state.verify_open = false;
        }
        action = asked.command.map(Action::Ask).or(action);
    }
    action
}

/// When the far end's program asks for a comparison, the dialog opens by itself: they wait for us.
fn follow_verifying(shown: &InCall<'_>, state: &mut InCallState) {
    let now = &shown.view.verifying;
    if *now != state.verifying {
        let began = matches!(now, Verifying::Compare { .. } | Verifying::Failed);
        state.verify_open |= began;
        state.verifying = now.clone();
    }
}

fn picture_ui(ui: &mut Ui, shown: &InCall<'_>, state: &mut InCallState) -> Option<Action> {
    let mut action = None;
    let area = ui.max_rect();
    large_ui(ui, area, shown, state);
    if sharing::has_small(shown) {
        let small = small_of(shown, state.self_view.swapped);
        if self_view_ui(ui, area, small_size(area, state), small, &mut state.self_view) {
            state.self_view.swapped = !state.self_view.swapped;
        }
    }
    far_muted_ui(ui, area, shown, state);
    let below_pills = recording::marks_ui(ui, area, shown);
    let (stop, below) = sharing::strips_ui(ui, area, shown, below_pills);
    action = stop.or(action);
    state.below_strips = below;
    if let Some(banner) = Banner::of(shown.call, &shown.view.devices, shown.we_hold()) {
        let talk = format(key_of(&shown.view.settings, ShortcutAction::Talk));
        let words = banner.words(shown.call, &shown.view.devices, &talk);
        banner_ui(ui, area.with_min_y(area.top().max(below - sharing::BELOW_PILLS)), banner, &words);
    }
    let opacity = opacity(ui, area, shown, state);
    let mut over = ui.new_child(UiBuilder::new().max_rect(area));
    over.set_opacity(opacity);
    match top::top_ui(&mut over, area, shown, state) {
        Some(top::Top::FullScreen) => action = Some(Action::ToggleFullScreen),
        Some(top::Top::Minimise) => action = Some(Action::LeaveCallScreen),
        Some(top::Top::Verify) => state.verify_open = true,
        Some(top::Top::Quality) => state.quality_open = !state.quality_open,
        Some(top::Top::SwapCalls) => action = Some(Action::Ask(Command::Hold(true))),
        Some(top::Top::ShowSelf) => state.self_view.hidden = false,
        None => {}
    }
    let open = Open {
        chat: state.chat_open,
        share: state.share_open,
        menu: state.menu,
        quality: state.quality_open,
        full_screen: shown.full_screen,
        self_hidden: state.self_view.hidden,
        picture: shown.far().is_some() || shown.far_screen().is_some(),
    };
    if let Some(pressed) = call_bar_ui(&mut over, area, shown.view, shown.call, open) {
        action = on_pressed(ui, shown, state, pressed).or(action);
    }
    if state.quality_open && quality_ui(ui, area, shown, state) {
        action = Some(Action::CopyText(quality_text(&measured_here(shown), &shown.call.past)));
    }
    if opacity == 0.0 && ui.rect_contains_pointer(area) {
        ui.ctx().set_cursor_icon(CursorIcon::None);
    }
    action
}

fn on_pressed(ui: &Ui, shown: &InCall<'_>, state: &mut InCallState, pressed: Pressed) -> Option<Action> {
    // A device or a volume is tried, so its card stays; everything else is done with one press.
    let stays = matches!(&pressed, Pressed::Ask(command) if !is_done_with_one_press(command));
    if !stays && !matches!(pressed, Pressed::Menu(_)) {
        state.menu = None;
    }
    match pressed {
        Pressed::Ask(command) => return Some(Action::Ask(command)),
        Pressed::Share => return sharing::toggle(shown, state),
        Pressed::Chat => keys::toggle_chat(ui, state),
        Pressed::Menu(menu) => state.menu = (state.menu != Some(menu)).then_some(menu),
        Pressed::Quality => state.quality_open = !state.quality_open,
        Pressed::FullScreen => return Some(Action::ToggleFullScreen),
        Pressed::Minimise => return Some(Action::LeaveCallScreen),
        Pressed::Swap => state.self_view.swapped = !state.self_view.swapped,
        Pressed::HideSelf => state.self_view.hidden = !state.self_view.hidden,
        Pressed::Snapshot => return Some(Action::Snapshot),
        Pressed::Verify => state.verify_open = true,
    }
    None
}

fn is_done_with_one_press(command: &Command) -> bool {
    matches!(command, Command::Hold(_) | Command::StartRecording { .. } | Command::StopRecording)
}

fn opacity(ui: &Ui, area: Rect, shown: &InCall<'_>, state: &mut InCallState) -> f32 {
    let now = ui.input(|input| input.time);
    let focus = ui.memory(|memory| memory.focused()).is_some_and(|id| id != beside::chat_field());
    let held = state.menu.is_some()
        || focus
        || state.talking
        || state.verify_open
        || state.share_open
        || shown.call.silent_for.is_some()
        || (ui.rect_contains_pointer(bar_rect(area)) && ui.input(|input| input.pointer.any_down()));
    let moved = ui.input(|input| input.pointer.delta() != Vec2::ZERO || !input.events.is_empty());
    if held || moved {
        state.stillness.on_life(now);
    }
    if let Some(next) = state.stillness.next_change(now).filter(|_| !held) {
        ui.ctx().request_repaint_after_secs(next as f32);
    }
    state.stillness.opacity(now)
}

/// The picture that fills the screen: theirs, or the other once the two were swapped.
fn large_ui(ui: &mut Ui, area: Rect, shown: &InCall<'_>, state: &InCallState) {
    let call = shown.call;
    let (what, _) = sharing::places(shown, state.self_view.swapped);
    // Nothing of a screen is cut off: what matters may stand at its edge.
    let fills = shown.view.settings.fill_picture && what != What::FarScreen;
    let fit = if fills { Fit::Fill } else { Fit::Whole };
    match sharing::picture(shown, what) {
        Some(picture) => {
            paint_picture(ui.painter(), picture, area, fit, sharing::is_mirrored(shown, what), 0);
            if what != What::Own && (call.silent_for.is_some() || call.far_holds || shown.we_hold()) {
                // Frozen: it is seen that it is not now.
                ui.painter().rect_filled(area, 0.0, egui::Color32::from_black_alpha(0x80));
            }
        }
        None if what == What::FarScreen => {
            ui.painter().rect_filled(area, 0.0, theme::NO_PICTURE);
        }
        None if what == What::Own => {
            ui.painter().rect_filled(area, 0.0, theme::NO_PREVIEW);
            painted_label(ui, area.center(), word("call.own_camera_off"));
        }
        None => {
            ui.painter().rect_filled(area, 0.0, theme::NO_PICTURE);
            let side = (area.width().min(area.height()) * 0.24).clamp(80.0, 160.0);
            let rect = Rect::from_center_size(area.center() - vec2(0.0, 40.0), Vec2::splat(side));
            paint_avatar(ui, rect, &call.far.name, Dot::None);
            let text = word_with("call.far_no_picture", &[("name", &call.far.name)]);
            painted_label(ui, rect.center_bottom() + vec2(0.0, 26.0), &text);
        }
    }
}

fn small_of<'a>(shown: &InCall<'a>, swapped: bool) -> Small<'a> {
    let (_, what) = sharing::places(shown, swapped);
    let own = what == What::Own;
    Small {
        picture: sharing::picture(shown, what),
        mirrored: sharing::is_mirrored(shown, what),
        whole: what == What::FarScreen || (own && shown.own().is_none()),
        name: if own { "" } else { &shown.call.far.name },
        note: (own && shown.call.sharing.is_some()).then(|| word("self.sharing")),
    }
}

fn far_muted_ui(ui: &mut Ui, area: Rect, shown: &InCall<'_>, state: &InCallState) {
    if shown.call.far_muted {
        let text = word_with("call.far_muted", &[("name", &shown.call.far.name)]);
        painted_label(ui, above_bar(area, shown, state), &text);
    }
}

/// How large the small picture is.
fn small_size(area: Rect, state: &InCallState) -> Vec2 {
    if area.width() < 480.0 {
        vec2(128.0, 80.0)
    } else if state.chat_open {
        vec2(190.0, 120.0)
    } else {
        vec2(240.0, 150.0)
    }
}

/// Where the small picture lies, if it lies anywhere.
fn small_rect(area: Rect, shown: &InCall<'_>, state: &InCallState) -> Option<Rect> {
    let there = sharing::has_small(shown) && !state.self_view.hidden;
    there.then(|| state.self_view.corner.place(area, small_size(area, state)))
}

/// Where words above the bar stand; where the small picture leaves no room, above that.
fn above_bar(area: Rect, shown: &InCall<'_>, state: &InCallState) -> Pos2 {
    let usual = Pos2::new(area.center().x, area.bottom() - 122.0);
    let words = Rect::from_center_size(usual, vec2(280.0, 30.0));
    match small_rect(area, shown, state).filter(|small| small.intersects(words)) {
        Some(small) => Pos2::new(usual.x, small.top() - 26.0),
        None => usual,
    }
}

/// Words on a dark pill around a point, read by screen readers too.
fn painted_label(ui: &mut Ui, centre: Pos2, text: &str) {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::font(13.0), theme::WHITE);
    let rect = Rect::from_center_size(centre, galley.size() + vec2(24.0, 12.0));
    let response = ui.interact(rect, ui.scope_id().with(text), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    ui.painter().rect_filled(rect, rect.height() / 2.0, theme::glass(theme::PILL_ALPHA));
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, theme::WHITE);
}

/// The call's figures, with what only this window knows.
fn measured_here(shown: &InCall<'_>) -> Quality {
    let mut quality = shown.call.quality.clone();
    quality.stages.uploading = shown.far_picture.and_then(|far| far.upload_ms);
    quality
}

/// True when the figures are to be copied.
fn quality_ui(ui: &mut Ui, area: Rect, shown: &InCall<'_>, state: &InCallState) -> bool {
    // In the narrowest window the card has what room there is.
    let beside = ((area.width() - QUALITY_WIDTH) / 2.0).clamp(0.0, 20.0);
    let mut corner = Pos2::new(area.left() + beside, area.bottom() - 112.0);
    let (quality, past) = (&measured_here(shown), &shown.call.past);
    if let Some(small) = small_rect(area, shown, state) {
        let size = crate::ui::parts::quality::quality_size(quality, past);
        let card = Rect::from_min_size(corner - vec2(0.0, size.y), size);
        if card.expand(12.0).intersects(small) {
            // No room beside the small picture: to its other side where there is any, or above it.
            let right = small.right() + 12.0;
            if small.left() < area.center().x && right + QUALITY_WIDTH < area.right() {
                corner.x = right;
            } else {
                corner.y = small.top() - 12.0;
                if shown.call.far_muted || shown.call.muted {
                    // The words about the microphones stand there too.
                    corner.y -= 40.0;
                }
            }
        }
    }
    quality_card_ui(ui, corner, quality, past)
}
