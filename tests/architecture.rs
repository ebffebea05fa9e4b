//! The walls of this package, checked: which module may name which.
