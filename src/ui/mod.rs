//! The window: state in, actions out.
