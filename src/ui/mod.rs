//! The window: state in, actions out.
//!
//! [`run`] opens it on a [`Client`](crate::call::handle::Client). Each frame [`app`] takes the newest view, events and
//! pictures, [`screen`] says which of the [`screens`] is on, that screen draws itself from [`parts`] and gives back an
//! [`action::Action`], and the app carries it out. Nothing here blocks, locks for long, or touches the network.
//! Colours and sizes are in [`theme`], sentences in [`words`].

pub mod action;
pub mod app;
pub mod clock;
pub mod desktop;
pub mod emoji_font;
pub mod file_dialog;
pub mod gpu_picture;
pub mod parts;
pub mod screen;
pub mod screens;
pub mod shortcuts;
pub mod snapshot;
pub mod stillness;
pub mod textures;
pub mod theme;
pub mod window;
pub mod words;
#[cfg(target_os = "linux")]
mod x11_errors;

pub use theme::ThemeChoice;
pub use window::{Attention, Waker, WindowOptions, run};
