//! The thread that talks to a Linux desktop over its session bus.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, SyncSender};

use zbus::blocking::Connection;

use super::awake::Awake;
use super::notifications::Notifications;
use super::tray::Tray;
use super::{Order, Told, Wake};

/// How the person's answers reach the window.
#[derive(Clone)]
pub(super) struct Teller {
    pub(super) tell: SyncSender<Told>,
    pub(super) wake: Wake,
}

impl Teller {
    pub(super) fn tell(&self, told: Told) {
        if self.tell.try_send(told).is_ok() {
            (self.wake)();
        }
    }
}

/// Carries out orders until the window is gone.
pub(super) fn serve(orders: &Receiver<Order>, tell: SyncSender<Told>, wake: Wake, tray: Arc<AtomicBool>) {
    let teller = Teller { tell, wake };
    let connection = match Connection::session() {
        Ok(connection) => connection,
        Err(error) => {
            tracing::info!(%error, "no session bus: no notifications, no tray, the screen may go dark");
            while orders.recv().is_ok() {}
            return;
        }
    };
    let mut notifications = Notifications::new(&connection, &teller);
    let mut awake = Awake::new(&connection);
    let mut tray = Tray::new(teller, tray);
    while let Ok(order) = orders.recv() {
        match order {
            Order::Notify(notification) => notifications.show(&notification),
            Order::NobodyRings => notifications.take_ringing_away(),
            Order::KeepAwake(on) => awake.keep(on),
            Order::State(state) => tray.show(state),
        }
    }
    notifications.take_ringing_away();
    awake.keep(false);
    tray.close();
    // The thread that listens for answers ends with the connection.
    if let Err(error) = connection.close() {
        tracing::debug!(%error, "the session bus was not left in order");
    }
}
