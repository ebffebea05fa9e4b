//! The screen stays on during a call: the Idle Inhibition Service, or the portal where programs live in a sandbox.

use std::collections::HashMap;

use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{OwnedObjectPath, Value};

use crate::ui::words::word;

const SCREEN_SAVER: &str = "org.freedesktop.ScreenSaver";
const PORTAL: &str = "org.freedesktop.portal.Desktop";
/// Idleness, among the portal's four things that can be inhibited.
const IDLE: u32 = 8;

/// What keeps the screen on.
enum Held {
    Cookie(u32),
    Request(OwnedObjectPath),
}

/// Keeps the screen on, or does not.
pub(super) struct Awake {
    connection: Connection,
    held: Option<Held>,
}

impl Awake {
    pub(super) fn new(connection: &Connection) -> Self {
        Self { connection: connection.clone(), held: None }
    }

    /// From now on, or no longer.
    pub(super) fn keep(&mut self, on: bool) {
        match (on, self.held.take()) {
            (true, Some(held)) => self.held = Some(held),
            (true, None) => {
                self.held = self
                    .inhibit()
                    .or_else(|error| {
                        tracing::debug!(%error, "no screen saver to be asked; trying the portal");
                        self.inhibit_by_portal()
                    })
                    .inspect_err(|error| tracing::info!(%error, "the screen may go dark during the call"))
                    .ok();
            }
            (false, Some(held)) => {
                if let Err(error) = self.release(held) {
                    tracing::debug!(%error, "the screen was not kept on any more");
                }
            }
            (false, None) => {}
        }
    }

    fn inhibit(&self) -> zbus::Result<Held> {
        let cookie = self.screen_saver()?.call("Inhibit", &("Tincan", word("desktop.in_call")))?;
        Ok(Held::Cookie(cookie))
    }

    fn inhibit_by_portal(&self) -> zbus::Result<Held> {
        let proxy = Proxy::new(
            &self.connection,
            PORTAL,
            "/org/freedesktop/portal/desktop",
            "org.freedesktop.portal.Inhibit",
        )?;
        let options = HashMap::from([("reason", Value::from(word("desktop.in_call")))]);
        Ok(Held::Request(proxy.call("Inhibit", &("", IDLE, options))?))
    }

    fn release(&self, held: Held) -> zbus::Result<()> {
        match held {
            Held::Cookie(cookie) => self.screen_saver()?.call("UnInhibit", &(cookie)),
            Held::Request(path) => {
                Proxy::new(&self.connection, PORTAL, path, "org.freedesktop.portal.Request")?
                    .call("Close", &())
            }
        }
    }

    fn screen_saver(&self) -> zbus::Result<Proxy<'static>> {
        Proxy::new(&self.connection, SCREEN_SAVER, "/org/freedesktop/ScreenSaver", SCREEN_SAVER)
    }
}
