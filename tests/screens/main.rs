//! Every screen, used by its labels, the way a screen reader would.

mod everybody;
mod pressed;
mod sentences;
mod shown;
