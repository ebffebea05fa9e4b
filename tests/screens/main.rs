//! Every screen, used by its labels, the way a screen reader would.

mod conversation;
mod home;
mod pressed;
mod sentences;
mod shown;
