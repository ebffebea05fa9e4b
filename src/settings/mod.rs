//! Settings, and who we are.
