//! Whole calls in virtual time: real coded pictures and sound from one client to the other over a network in memory, and
//! what is heard and seen there, measured. One thread, no clock: the same call gives the same figures.
//!
//! ```text
//!  pictures, sound ─▶ SteppedStudio ─▶ ClientMachine ─▶ network in memory ─▶ ClientMachine ─▶ SteppedStudio ─▶ scores
//! ```
//!
//! [`end`] does between a client and its studio what the program's worker does; [`scene`] steps it all, a millisecond at
//! a time. Coding and decoding take no time here. Both ends send; what goes from the first to the second is measured.
//!
//! * A condition is one more line in [`condition::all`]: how the way is from which second on.
//! * A figure for every second is one more field of [`probe::Second`], filled in `scene::Scene::sample`; one for the whole
//!   call is one more field of [`report::Report`], and a column of `table` if people should see it.
//! * A test calls [`scene::run`] with a condition of its own and looks at the report, or steps a [`scene::Scene`] itself.

pub(crate) mod condition;
pub(crate) mod end;
pub(crate) mod media;
pub(crate) mod picture_score;
pub(crate) mod probe;
pub(crate) mod real;
pub(crate) mod report;
pub(crate) mod scene;
pub(crate) mod spoil;
pub(crate) mod table;
