//! What lies around the window: notifications with answers, the tray, a screen that stays on during a call.
//!
//! All of it is a help, none of it is needed: where a desktop lacks something, one log line says so and the window works
//! as ever. The window only drops orders into a bounded queue; a thread of its own talks to the desktop.

#[cfg(target_os = "linux")]
mod awake;
#[cfg(target_os = "linux")]
mod notifications;
#[cfg(target_os = "linux")]
mod session_bus;
#[cfg(target_os = "linux")]
mod tray;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::call::PeerId;

/// By this name desktops know the program: its menu entry, its icon, its windows.
pub(super) const APP_ID: &str = "io.github.tincan_call.Tincan";

/// Something worth a notification while nobody looks at the window.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notification {
    /// Somebody calls.
    Ringing {
        /// Who.
        name: String,
    },
    /// Somebody calls during a call.
    SecondRinging {
        /// Who.
        name: String,
    },
    /// Somebody called in vain.
    Missed {
        /// Whom to write to.
        peer: PeerId,
        /// Who.
        name: String,
    },
    /// Somebody wrote.
    Message {
        /// Whom to write to.
        peer: PeerId,
        /// Who.
        name: String,
        /// What; left out while the screen is locked.
        text: String,
    },
    /// Somebody offers a file.
    File {
        /// Whom to write to.
        peer: PeerId,
        /// Who.
        name: String,
        /// The file's name; left out while the screen is locked.
        file: String,
    },
    /// The window was closed and the program goes on.
    StillHere,
}

/// What the person did on the desktop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Told {
    /// Accept the call that rings.
    Accept,
    /// Decline it.
    Decline,
    /// Show the conversation with somebody.
    OpenConversation(PeerId),
    /// Show the window.
    Open,
    /// Do not disturb, or no longer.
    ToggleDoNotDisturb,
    /// End the program.
    Quit,
}

/// What the thread is to do.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Order {
    Notify(Notification),
    NobodyRings,
    KeepAwake(bool),
    State(TrayState),
}

/// What the tray shows.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct TrayState {
    do_not_disturb: bool,
    name: String,
}

/// Wakes the window: something was told.
type Wake = Arc<dyn Fn() + Send + Sync>;

/// The window's side of the desktop.
pub struct Desktop {
    orders: Option<SyncSender<Order>>,
    told: Option<Receiver<Told>>,
    tray: Arc<AtomicBool>,
    rings: Cell<bool>,
    awake: Cell<bool>,
    state: TrayState,
}

impl Desktop {
    /// Without any desktop: for tests.
    pub fn none() -> Self {
        Self {
            orders: None,
            told: None,
            tray: Arc::default(),
            rings: Cell::new(false),
            awake: Cell::new(false),
            state: TrayState::default(),
        }
    }

    /// Starts the thread that talks to the desktop. It ends when this value is dropped.
    pub fn start(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (order, orders) = sync_channel(MOST_WAITING);
        let (tell, told) = sync_channel(MOST_WAITING);
        let tray = Arc::new(AtomicBool::new(false));
        let shown = Arc::clone(&tray);
        let started = std::thread::Builder::new()
            .name("desktop".to_owned())
            .spawn(move || serve(&orders, tell, wake, shown));
        if let Err(error) = started {
            tracing::info!(%error, "no thread for the desktop: no notifications, no tray");
            return Self::none();
        }
        Self { orders: Some(order), told: Some(told), tray, ..Self::none() }
    }

    /// Shows a notification, if the desktop has them.
    pub fn notify(&self, notification: Notification) {
        if matches!(notification, Notification::Ringing { .. } | Notification::SecondRinging { .. }) {
            self.rings.set(true);
        }
        self.order(Order::Notify(notification));
    }

    /// Takes the notification of a call away: it was answered, or it stopped.
    pub fn nobody_rings(&self) {
        if self.rings.replace(false) {
            self.order(Order::NobodyRings);
        }
    }

    /// Keeps the screen on, or no longer. Saying the same again costs nothing.
    pub fn keep_awake(&self, on: bool) {
        if self.awake.replace(on) != on {
            self.order(Order::KeepAwake(on));
        }
    }

    /// What the tray's menu shows. Saying the same again costs nothing.
    pub fn show_state(&mut self, do_not_disturb: bool, name: &str) {
        if self.state.do_not_disturb != do_not_disturb || self.state.name != name {
            self.state = TrayState { do_not_disturb, name: name.to_owned() };
            self.order(Order::State(self.state.clone()));
        }
    }

    /// The next thing the person did there.
    pub fn poll(&self) -> Option<Told> {
        self.told.as_ref()?.try_recv().ok()
    }

    /// Whether there is an icon that brings a hidden window back.
    pub fn has_tray(&self) -> bool {
        self.tray.load(Ordering::Relaxed)
    }

    fn order(&self, order: Order) {
        // A desktop that does not answer loses what it cannot take; the window never waits for it.
        if let Some(orders) = &self.orders
            && orders.try_send(order).is_err()
        {
            tracing::debug!("the desktop does not keep up");
        }
    }
}

#[cfg(target_os = "linux")]
fn serve(orders: &Receiver<Order>, tell: SyncSender<Told>, wake: Wake, tray: Arc<AtomicBool>) {
    session_bus::serve(orders, tell, wake, tray);
}

#[cfg(not(target_os = "linux"))]
fn serve(orders: &Receiver<Order>, _tell: SyncSender<Told>, _wake: Wake, _tray: Arc<AtomicBool>) {
    tracing::info!("this system's notifications and tray are not used yet");
    while orders.recv().is_ok() {}
}

/// Orders, or answers, that wait; more are dropped.
const MOST_WAITING: usize = 64;
