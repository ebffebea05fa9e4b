//! Explicit congestion notification (RFC 3168) between the two ends of a session.
//!
//! RFC 7016 does not know it. The chunk that tells the sender how many marks came is the one that rtmfp-cpp uses, type 0xec:
//! one byte, the count modulo 256. It goes before an acknowledgement, and only to a far end whose packets bear marks at
//! all, so nobody meets it who does not ask for it. A sender goes on asking only when the first acknowledgement of marked
//! data comes with such a count: else something on the way clears the marks, or the far end does not look at them.

use crate::rtmfp::machine::Ecn;

/// Whether our packets with user data ask to be marked rather than dropped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Asking {
    /// Until the first acknowledgement shows whether anybody sees it.
    Trying,
    /// The far end counts.
    Proven,
    /// It does not, or the path loses marked packets.
    Off,
}

/// One session's marks, those of its own packets and those of its far end's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CongestionMarks {
    asking: Asking,
    /// The far end's last count of what was marked on the way there.
    told: u8,
    /// Packets of the far end that were marked on the way here.
    came: u8,
    /// Whether it is owed a count.
    owed: bool,
}

impl CongestionMarks {
    /// A session over a path nothing is known about.
    pub(crate) fn new() -> Self {
        Self { asking: Asking::Trying, told: 0, came: 0, owed: false }
    }

    /// What packets with user data should bear.
    pub(crate) fn mark(&self) -> Option<Ecn> {
        (self.asking != Asking::Off).then_some(Ecn::Capable0)
    }

    /// A packet of the far end came, with this mark.
    pub(crate) fn note_received(&mut self, mark: Option<Ecn>) {
        self.owed |= mark.is_some();
        if mark == Some(Ecn::CongestionExperienced) {
            self.came = self.came.wrapping_add(1);
        }
    }

    /// The count to send with an acknowledgement, if one is owed.
    pub(crate) fn owed(&self) -> Option<u8> {
        self.owed.then_some(self.came)
    }

    /// The count went out.
    pub(crate) fn note_told(&mut self) {
        self.owed = false;
    }

    /// The far end tells its count; true if more was marked than it told before. A count that is a little lower is an older
    /// one that was overtaken.
    pub(crate) fn on_report(&mut self, count: u8) -> bool {
        if self.asking == Asking::Trying {
            self.asking = Asking::Proven;
        }
        let more = count.wrapping_sub(self.told);
        let news = more != 0 && more < OVERTAKEN;
        if news {
            self.told = count;
        }
        news
    }

    /// A packet with acknowledgements came, and all of it was read.
    pub(crate) fn after_acknowledgement(&mut self) {
        if self.asking == Asking::Trying {
            self.asking = Asking::Off;
        }
    }

    /// Nothing came back for a whole timeout: perhaps marked packets do not pass.
    pub(crate) fn on_timeout(&mut self) {
        self.after_acknowledgement();
    }

    /// The path is another one; the counts go on.
    pub(crate) fn on_new_path(&mut self) {
        self.asking = Asking::Trying;
    }
}

/// From here on a difference of counts modulo 256 is a step back: as many as 32 packets may overtake one another.
const OVERTAKEN: u8 = u8::MAX - 31;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_far_end_that_counts_is_asked_on_and_one_that_does_not_is_not() {
        let mut counts = CongestionMarks::new();
        assert!(!counts.on_report(0));
        counts.after_acknowledgement();
        assert_eq!(counts.mark(), Some(Ecn::Capable0));
        counts.after_acknowledgement();
        assert_eq!(counts.mark(), Some(Ecn::Capable0), "one count is enough");
        let mut does_not = CongestionMarks::new();
        does_not.after_acknowledgement();
        assert_eq!(does_not.mark(), None);
        does_not.on_new_path();
        assert_eq!(does_not.mark(), Some(Ecn::Capable0));
        does_not.on_timeout();
        assert_eq!(does_not.mark(), None);
    }

    #[test]
    fn a_count_is_owed_for_marked_packets_only() {
        let mut marks = CongestionMarks::new();
        marks.note_received(None);
        assert_eq!(marks.owed(), None);
        marks.note_received(Some(Ecn::Capable0));
        assert_eq!(marks.owed(), Some(0));
        marks.note_received(Some(Ecn::CongestionExperienced));
        assert_eq!(marks.owed(), Some(1));
        marks.note_told();
        assert_eq!(marks.owed(), None);
    }

    #[test]
    fn a_higher_count_is_news_around_the_corner_too_and_an_overtaken_one_is_not() {
        let mut marks = CongestionMarks::new();
        assert!(marks.on_report(200) && marks.on_report(2));
        assert!(!marks.on_report(2) && !marks.on_report(250) && !marks.on_report(1));
        assert!(marks.on_report(3));
    }
}
