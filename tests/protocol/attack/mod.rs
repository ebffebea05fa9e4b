//! People who mean harm: what they are refused, and what it costs us to refuse it, in bytes, state and key agreements.
//!
//! Here are those who forge addresses ([`hellos`]), who come in crowds ([`floods`]), who have the keys of a session
//! ([`sessions`]) or only see it pass by ([`passers_by`]), who introduce others falsely ([`liars`]), and whose keys are
//! none ([`keys`]).

mod eve;
mod floods;
mod hellos;
mod keys;
mod liars;
mod passers_by;
mod sessions;
