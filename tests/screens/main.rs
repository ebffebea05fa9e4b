//! Every screen, used by its labels, the way a screen reader would.

mod pressed;
mod shown;
mod sentences;
