//! The screens: each gets what it shows and gives back what was asked for. None of them does anything.

pub mod conversation;
pub mod crash_report;
pub mod dialling;
pub mod ended;
pub mod home;
pub mod in_call;
pub mod incoming;
pub mod second_call;
pub mod settings;
pub mod share;
pub mod verify;
pub mod welcome;
