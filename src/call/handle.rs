//! What a window holds of the client: ask, look, listen; never wait.

use std::sync::Arc;

use super::command::Command;
use super::event::Event;
use super::view::ClientView;
use crate::media::latest::Latest;
use crate::media::picture::Picture;

/// The client as a window sees it. Nothing here blocks.
pub trait Client {
    /// Asks for something; false when the client is too busy to take it, so that the button can say so.
    fn try_command(&self, command: Command) -> bool;

    /// The newest snapshot.
    fn view(&self) -> Arc<ClientView>;

    /// The next thing that must be told once.
    fn poll_event(&mut self) -> Option<Event>;

    /// The far end's newest picture.
    fn far_picture(&self) -> &Latest<Picture>;

    /// Our own newest picture, not mirrored.
    fn own_picture(&self) -> &Latest<Picture>;

    /// The newest picture of the screen that the far end shows.
    fn far_screen(&self) -> &Latest<Picture>;

    /// The newest picture of the screen that we show.
    fn own_screen(&self) -> &Latest<Picture>;
}
