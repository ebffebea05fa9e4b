//! The two kinds of pictures that a call carries beside each other.

/// Which of the two.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Stream {
    /// The person.
    #[default]
    Camera,
    /// What is on their screen: sharp before smooth, and often at rest.
    Screen,
}
