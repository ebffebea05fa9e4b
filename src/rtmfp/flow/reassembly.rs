//! Puts fragments together to messages (RFC 7016 §3.6.3.3), in the order they were sent or as they arrive.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use crate::rtmfp::endpoint::Delivery;
use crate::rtmfp::limits;
use crate::rtmfp::wire::user_data::FragmentPlace;

/// A whole message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct WholeMessage {
    /// The number of its first fragment.
    pub(crate) first: u64,
    /// The number of its last.
    pub(crate) last: u64,
    /// All of it.
    pub(crate) bytes: Bytes,
}

/// A message is larger than the limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TooLarge;

#[derive(Clone, Debug)]
struct Fragment {
    place: FragmentPlace,
    data: Bytes,
}

/// A receive flow's buffer (RECV_BUFFER).
#[derive(Clone, Debug, Default)]
pub(crate) struct Reassembly {
    fragments: BTreeMap<u64, Fragment>,
    /// What all fragments cost, counted with an overhead each.
    cost: usize,
    front: Option<Front>,
    /// How long the last message of several fragments was: a guess at the next.
    last_length: usize,
}

/// The message whose turn is next, as far as it came without a hole: its fragments are put together as they arrive, and
/// copied once.
#[derive(Clone, Debug)]
struct Front {
    first: u64,
    /// The number after the last fragment in it.
    next: u64,
    /// Whether its last fragment is in it.
    is_whole: bool,
    /// May have room for as much again.
    data: BytesMut,
    cost: usize,
}

impl Front {
    fn append(&mut self, place: FragmentPlace, data: &[u8]) {
        self.data.extend_from_slice(data);
        self.cost += cost_of(data);
        self.next += 1;
        self.is_whole = place == FragmentPlace::Last;
    }
}

impl Reassembly {
    /// Gives back memory that nothing is in.
    pub(crate) fn release_spare(&mut self) {
        // A tree keeps its root when it becomes empty.
        if self.fragments.is_empty() {
            self.fragments = BTreeMap::new();
        }
    }

    /// Keeps a fragment. The caller makes sure that its number is new.
    pub(crate) fn insert(&mut self, number: u64, place: FragmentPlace, data: &[u8]) {
        self.cost += cost_of(data);
        match &mut self.front {
            Some(front) if front.next == number && !front.is_whole && !begins(place) => {
                front.append(place, data)
            }
            _ => {
                self.fragments.insert(number, Fragment { place, data: Bytes::copy_from_slice(data) });
            }
        }
    }

    /// Whether nothing is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.fragments.is_empty() && self.front.is_none()
    }

    /// What everything kept costs, in bytes.
    pub(crate) fn cost(&self) -> usize {
        self.cost
    }

    /// What all but the front of the message being put together costs, in bytes. That front is bounded by the largest
    /// message, so it need not count against the window: else no message longer than the window could ever arrive.
    pub(crate) fn cost_beyond_front(&self) -> usize {
        self.cost - self.front.as_ref().map_or(0, |front| front.cost)
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Moves the messages that are whole and whose turn it is to `out`, and drops fragments whose message never will be.
    ///
    /// `cumulative` is the number up to which everything was received or given up; `newest` is the fragment that just
    /// came, if any.
    ///
    /// # Errors
    /// [`TooLarge`] when a message is longer than `largest`.
    pub(crate) fn deliver(
        &mut self,
        delivery: Delivery,
        cumulative: u64,
        newest: Option<u64>,
        largest: usize,
        out: &mut Vec<WholeMessage>,
    ) -> Result<(), TooLarge> {
        if let (Delivery::Arrival, Some(newest)) = (delivery, newest)
            && let Some((first, last)) = self.whole_around(newest)
        {
            out.push(self.take(first, last, largest)?);
        }
        self.deliver_front(cumulative, largest, out)
    }

    /// Moves every message that is whole to `out`, in the order they were sent: for arrival order, after a time in which
    /// nothing was given up.
    ///
    /// # Errors
    /// [`TooLarge`] when a message is longer than `largest`.
    pub(crate) fn deliver_all_whole(
        &mut self,
        largest: usize,
        out: &mut Vec<WholeMessage>,
    ) -> Result<(), TooLarge> {
        let mut whole = Vec::new();
        // The first and last number of a message that has begun and had no hole so far.
        let mut begun: Option<(u64, u64)> = None;
        for (&number, fragment) in &self.fragments {
            begun = match fragment.place {
                FragmentPlace::Whole | FragmentPlace::First => Some((number, number)),
                _ => begun
                    .filter(|(_, last)| last.checked_add(1) == Some(number))
                    .map(|(first, _)| (first, number)),
            };
            if matches!(fragment.place, FragmentPlace::Whole | FragmentPlace::Last) {
                whole.extend(begun.take());
            }
        }
        for (first, last) in whole {
            out.push(self.take(first, last, largest)?);
        }
        Ok(())
    }

    fn deliver_front(
        &mut self,
        cumulative: u64,
        largest: usize,
        out: &mut Vec<WholeMessage>,
    ) -> Result<(), TooLarge> {
        loop {
            let end = self.fill_front();
            let Some(front) = &self.front else {
                let Some((&first, fragment)) = self.fragments.first_key_value() else { return Ok(()) };
                if first > cumulative {
                    return Ok(());
                }
                match fragment.place {
                    FragmentPlace::Whole => out.push(self.take(first, first, largest)?),
                    // The beginning was given up.
                    FragmentPlace::Middle | FragmentPlace::Last => _ = self.remove(first),
                    FragmentPlace::First => self.start_front(first),
                }
                continue;
            };
            // Empty fragments are no bytes of the message, but cost all the same.
            if front.data.len() > largest || front.cost > costliest(largest) {
                return Err(TooLarge);
            }
            let has_hole = front.next <= cumulative;
            match end {
                FrontEnd::Last => out.extend(self.finish_front()),
                FrontEnd::AnotherMessage => self.drop_front(),
                FrontEnd::Missing if has_hole => self.drop_front(),
                FrontEnd::Missing => return Ok(()),
            }
        }
    }

    /// The message that begins with this fragment is the next.
    fn start_front(&mut self, first: u64) {
        let Some(fragment) = self.fragments.remove(&first) else { return };
        let capacity = fragment.data.len().max(self.last_length.min(MOST_GUESSED));
        let mut front =
            Front { first, next: first, is_whole: false, data: BytesMut::with_capacity(capacity), cost: 0 };
        front.append(fragment.place, &fragment.data);
        self.front = Some(front);
    }

    /// Moves what goes on from the front into it, and tells what comes after.
    fn fill_front(&mut self) -> FrontEnd {
        let Some(front) = &mut self.front else { return FrontEnd::Missing };
        while !front.is_whole {
            let Some(entry) = self.fragments.first_entry().filter(|entry| *entry.key() == front.next) else {
                return FrontEnd::Missing;
            };
            if begins(entry.get().place) {
                return FrontEnd::AnotherMessage;
            }
            let fragment = entry.remove();
            front.append(fragment.place, &fragment.data);
        }
        FrontEnd::Last
    }

    fn finish_front(&mut self) -> Option<WholeMessage> {
        let Front { first, next, data, cost, .. } = self.front.take()?;
        self.cost -= cost;
        self.last_length = data.len();
        Some(WholeMessage { first, last: next - 1, bytes: data.freeze() })
    }

    /// Nothing more will come of the message at the front.
    fn drop_front(&mut self) {
        self.cost -= self.front.take().map_or(0, |front| front.cost);
    }

    /// The first and last number of the message that `number` is part of, if all of it is here and not far away.
    fn whole_around(&self, number: u64) -> Option<(u64, u64)> {
        let mut first = number;
        for (&at, fragment) in self.fragments.range(..=number).rev().take(FARTHEST_LOOK) {
            match fragment.place {
                _ if at != first => return None,
                FragmentPlace::Whole | FragmentPlace::First => {
                    return Some((first, self.last_of_message(number)?));
                }
                FragmentPlace::Last if at != number => return None,
                FragmentPlace::Middle | FragmentPlace::Last => first = at.checked_sub(1)?,
            }
        }
        None
    }

    /// The last number of the message that `number` is part of, if all from there on is here and not far away.
    fn last_of_message(&self, number: u64) -> Option<u64> {
        let mut last = number;
        for (&at, fragment) in self.fragments.range(number..).take(FARTHEST_LOOK) {
            match fragment.place {
                _ if at != last => return None,
                FragmentPlace::Whole | FragmentPlace::Last => return Some(at),
                FragmentPlace::First if at != number => return None,
                FragmentPlace::Middle | FragmentPlace::First => last = at.checked_add(1)?,
            }
        }
        None
    }

    fn take(&mut self, first: u64, last: u64, largest: usize) -> Result<WholeMessage, TooLarge> {
        let length =
            self.fragments.range(first..=last).map(|(_, fragment)| fragment.data.len()).sum::<usize>();
        if length > largest {
            return Err(TooLarge);
        }
        if first == last {
            let bytes = self.remove(first).unwrap_or_default();
            return Ok(WholeMessage { first, last, bytes });
        }
        let mut message = BytesMut::with_capacity(length);
        for number in first..=last {
            message.extend_from_slice(&self.remove(number).unwrap_or_default());
        }
        Ok(WholeMessage { first, last, bytes: message.freeze() })
    }

    fn remove(&mut self, number: u64) -> Option<Bytes> {
        let data = self.fragments.remove(&number)?.data;
        self.cost -= cost_of(&data);
        Some(data)
    }
}

/// Room that is made for a message before it is known to be so long.
const MOST_GUESSED: usize = 32 << 10;

/// Fragments that are looked at on either side of one that came, to see whether its message is whole: more than real-time
/// data has. A longer message waits for its turn, or every fragment of it would cost a look at all the others.
const FARTHEST_LOOK: usize = 512;

/// What comes after the front.
enum FrontEnd {
    Last,
    AnotherMessage,
    Missing,
}

/// What a message of at most `largest` bytes may cost: fragments of as many bytes as their overhead, and some tiny ones.
fn costliest(largest: usize) -> usize {
    largest.saturating_mul(2).saturating_add(limits::FIRST_RECEIVE_WINDOW as usize)
}

fn begins(place: FragmentPlace) -> bool {
    matches!(place, FragmentPlace::Whole | FragmentPlace::First)
}

fn cost_of(data: &[u8]) -> usize {
    data.len() + limits::FRAGMENT_OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;
    use FragmentPlace::{First, Last, Middle, Whole};

    fn buffer(fragments: &[(u64, FragmentPlace, &'static str)]) -> Reassembly {
        let mut buffer = Reassembly::default();
        for (number, place, data) in fragments {
            buffer.insert(*number, *place, data.as_bytes());
        }
        buffer
    }

    fn ordered(buffer: &mut Reassembly, cumulative: u64) -> Vec<(u64, String)> {
        deliver(buffer, Delivery::Ordered, cumulative, None)
    }

    fn deliver(
        buffer: &mut Reassembly,
        delivery: Delivery,
        cumulative: u64,
        newest: Option<u64>,
    ) -> Vec<(u64, String)> {
        let mut out = Vec::new();
        buffer.deliver(delivery, cumulative, newest, 100, &mut out).expect("small messages");
        texts(out)
    }

    fn texts(messages: Vec<WholeMessage>) -> Vec<(u64, String)> {
        let text =
            |message: WholeMessage| (message.first, String::from_utf8_lossy(&message.bytes).into_owned());
        messages.into_iter().map(text).collect()
    }

    #[test]
    fn ordered_messages_wait_for_a_hole_and_are_joined() {
        let mut buffer = buffer(&[(2, First, "ab"), (3, Middle, "cd"), (4, Last, "e"), (5, Whole, "f")]);
        assert_eq!(ordered(&mut buffer, 0), []);
        assert_eq!(ordered(&mut buffer, 5), [(2, "abcde".into()), (5, "f".into())]);
        assert!(buffer.is_empty() && buffer.cost() == 0);
    }

    #[test]
    fn a_message_that_lacks_its_end_so_far_waits() {
        let mut buffer = buffer(&[(1, First, "ab"), (2, Middle, "cd")]);
        assert_eq!(ordered(&mut buffer, 2), []);
        assert_eq!(buffer.cost_beyond_front(), 0);
        buffer.insert(3, Last, b"e");
        assert_eq!(ordered(&mut buffer, 3), [(1, "abcde".into())]);
    }

    #[test]
    fn what_is_left_of_a_given_up_message_is_dropped() {
        // 1 is cut by the given-up 2; 4 and 5 lack their beginning.
        let mut buffer = buffer(&[(1, First, "a"), (4, Middle, "b"), (5, Last, "c"), (6, Whole, "d")]);
        assert_eq!(ordered(&mut buffer, 6), [(6, "d".into())]);
        assert!(buffer.is_empty());
    }

    #[test]
    fn a_message_cut_by_the_beginning_of_another_is_dropped() {
        let mut buffer = buffer(&[(1, First, "a"), (2, First, "b"), (3, Last, "c")]);
        assert_eq!(ordered(&mut buffer, 3), [(2, "bc".into())]);
    }

    #[test]
    fn in_arrival_order_a_message_goes_up_as_soon_as_it_is_whole() {
        let mut buffer = buffer(&[(3, First, "a"), (5, Last, "c")]);
        assert_eq!(deliver(&mut buffer, Delivery::Arrival, 0, Some(5)), []);
        buffer.insert(4, Middle, b"b");
        assert_eq!(deliver(&mut buffer, Delivery::Arrival, 0, Some(4)), [(3, "abc".into())]);
        assert_eq!(deliver(&mut buffer, Delivery::Arrival, 5, None), []);
    }

    #[test]
    fn everything_whole_comes_at_once_after_a_time_in_which_nothing_was_given_up() {
        let mut buffer = buffer(&[
            (2, First, "a"),
            (3, Last, "b"),
            (5, Middle, "lacks its beginning"),
            (6, Last, "too"),
            (8, First, "lacks its middle"),
            (10, Last, "and this"),
            (11, Whole, "c"),
            (12, First, "lacks its end"),
        ]);
        let mut out = Vec::new();
        buffer.deliver_all_whole(100, &mut out).expect("small messages");
        assert_eq!(texts(out), [(2, "ab".into()), (11, "c".into())]);
    }

    #[test]
    fn a_message_beyond_the_limit_is_refused_before_it_is_whole() {
        let mut buffer = Reassembly::default();
        buffer.insert(1, First, &[0; 60]);
        buffer.insert(2, Middle, &[0; 60]);
        assert_eq!(buffer.deliver(Delivery::Ordered, 2, None, 100, &mut Vec::new()), Err(TooLarge));
    }

    #[test]
    fn a_message_of_very_many_fragments_is_delivered_in_its_turn() {
        let mut buffer = Reassembly::default();
        let mut out = Vec::new();
        let (last, largest) = (30_000, 10 << 20);
        for number in 2..=last {
            let place = if number == 2 { First } else { Middle };
            buffer.insert(number, place, b"x");
            buffer.deliver(Delivery::Arrival, 0, Some(number), largest, &mut out).expect("small messages");
        }
        buffer.insert(last + 1, Last, b"x");
        buffer
            .deliver(Delivery::Arrival, last + 1, Some(last + 1), largest, &mut out)
            .expect("small messages");
        let came: Vec<_> =
            out.iter().map(|message| (message.first, message.last, message.bytes.len())).collect();
        assert_eq!(came, [(2, last + 1, 30_000)]);
    }

    #[test]
    fn the_front_is_put_together_as_it_arrives_and_counts_until_it_is_given() {
        let mut buffer = buffer(&[(1, First, "ab")]);
        assert_eq!(ordered(&mut buffer, 1), []);
        buffer.insert(2, Middle, b"cd");
        buffer.insert(4, Last, b"gh");
        assert_eq!(ordered(&mut buffer, 2), []);
        let overhead = limits::FRAGMENT_OVERHEAD;
        assert_eq!((buffer.cost(), buffer.cost_beyond_front()), (6 + 3 * overhead, 2 + overhead));
        buffer.insert(3, Middle, b"ef");
        buffer.insert(5, Whole, b"next");
        assert_eq!(ordered(&mut buffer, 5), [(1, "abcdefgh".into()), (5, "next".into())]);
        assert!(buffer.is_empty() && buffer.cost() == 0);
    }
}
