//! Every screen, used by its labels, the way a screen reader would.

mod app;
mod calls;
mod conversation;
mod everybody;
mod home;
mod keyboard;
mod nearby;
mod pressed;
mod sentences;
mod sharing;
mod shown;
