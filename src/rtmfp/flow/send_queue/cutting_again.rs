//! Cutting again what was never sent, when packets may be longer or must be shorter than when it was queued.
//!
//! A number that was never sent means nothing to the far end, so what has one can be numbered anew. A fragment that was
//! sent once is forever as long as it was.

use super::{Entry, SendQueue};

impl SendQueue {
    /// Cuts everything that was never sent into fragments of at most `fragment_size` bytes.
    pub(crate) fn cut_again(&mut self, fragment_size: usize) {
        let Some(unsent) = self.index(self.next_unsent) else { return };
        let tail = self.entries.split_off(unsent);
        self.live -= tail.len();
        let ends_with_tail = self.final_number.is_some();
        let mut tail = tail.into_iter().peekable();
        while let Some(entry) = tail.next() {
            let (mut left, mut pieces) = (entry.data.len(), 1);
            while let Some(next) = tail.next_if(|next| next.message == entry.message && !next.abandoned) {
                left += next.data.len();
                pieces += 1;
            }
            self.push_again(entry, left, pieces, fragment_size);
        }
        if ends_with_tail {
            self.final_number = Some(self.next_number() - 1);
        }
    }

    /// Appends what is left of a message, whose first unsent fragment was `entry`, or a fragment of none.
    fn push_again(&mut self, entry: Entry, left: usize, pieces: u64, fragment_size: usize) {
        let id = entry.message;
        let Some((whole, begins)) = self
            .messages
            .get(&id)
            .filter(|_| !entry.abandoned)
            .map(|message| (message.whole.clone(), !message.started))
        else {
            return self.push_entry(entry);
        };
        let number = self.next_number();
        let cut =
            self.push_pieces(id, whole.slice(whole.len().saturating_sub(left)..), begins, fragment_size);
        let last = self.next_number() - 1;
        if let Some(message) = self.messages.get_mut(&id) {
            if begins {
                message.first = number;
            }
            message.last = last;
            message.unacknowledged = message.unacknowledged - pieces + cut;
        }
    }

    /// Whether a fragment with more than `size` bytes of data was sent, and neither came nor was given up.
    pub(crate) fn has_sent_more_than(&self, size: usize) -> bool {
        let sent = usize::try_from(self.next_unsent - self.base).unwrap_or(usize::MAX);
        self.entries.iter().take(sent).any(|entry| entry.data.len() > size)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use crate::rtmfp::dialect::Dialect;
    use crate::rtmfp::endpoint::{SendFlowId, WriteOptions};
    use crate::rtmfp::flow::in_flight::InFlight;
    use crate::rtmfp::flow::send_queue::SendQueue;
    use crate::rtmfp::wire::user_data::FragmentPlace;
    use FragmentPlace::{First, Last, Middle, Whole};

    const FLOW: SendFlowId = SendFlowId(2);

    /// Bytes that tell their place.
    fn message(length: usize) -> Bytes {
        (0..length).map(|n| (n / 10) as u8).collect()
    }

    fn send(queue: &mut SendQueue, sent: &mut InFlight) -> Option<(u64, FragmentPlace, Bytes)> {
        let next = queue.next_to_send()?;
        queue.depart(FLOW, next.sequence, next.data.len(), sent);
        Some((next.sequence, next.place, next.data))
    }

    fn rest(queue: &mut SendQueue, sent: &mut InFlight) -> Vec<(u64, FragmentPlace, usize)> {
        std::iter::from_fn(|| send(queue, sent).map(|(number, place, data)| (number, place, data.len())))
            .collect()
    }

    #[test]
    fn what_was_never_sent_is_cut_to_the_new_size_and_what_was_sent_stays() {
        let (mut queue, mut sent) = (SendQueue::new(Dialect::Rfc), InFlight::new());
        queue.push(message(100), 40, WriteOptions::default());
        queue.push(message(30), 40, WriteOptions::default());
        let mut whole = Vec::new();
        whole.extend(send(&mut queue, &mut sent).expect("a fragment").2);
        queue.cut_again(25);
        for (number, place, length) in [(2, Middle, 25), (3, Middle, 25), (4, Last, 10)] {
            let next = send(&mut queue, &mut sent).expect("a fragment");
            assert_eq!((next.0, next.1, next.2.len()), (number, place, length));
            whole.extend(next.2);
        }
        assert_eq!(whole, message(100));
        assert_eq!(rest(&mut queue, &mut sent), [(5, First, 25), (6, Last, 5)]);
        queue.acknowledge(6, &[], &mut sent);
        assert!(queue.is_empty() && queue.queued_bytes() == 0);
    }

    #[test]
    fn larger_pieces_take_fewer_numbers_and_the_last_of_them_ends_the_flow() {
        let (mut queue, mut sent) = (SendQueue::new(Dialect::Rfc), InFlight::new());
        let reported = WriteOptions { report: true, ..WriteOptions::default() };
        let (one, two) = (queue.push(message(90), 10, reported), queue.push(message(5), 10, reported));
        queue.finish();
        queue.cut_again(50);
        let last = std::iter::from_fn(|| {
            let next = queue.next_to_send()?;
            queue.depart(FLOW, next.sequence, 1, &mut sent);
            Some((next.sequence, next.place, next.finished))
        });
        assert_eq!(last.collect::<Vec<_>>(), [(1, First, false), (2, Last, false), (3, Whole, true)]);
        queue.acknowledge(3, &[], &mut sent);
        let reports: Vec<_> = std::iter::from_fn(|| queue.next_report()).collect();
        assert_eq!(reports, [(one, true), (two, true)]);
    }

    #[test]
    fn given_up_fragments_stay_as_they_are_and_what_needs_them_still_falls() {
        let (mut queue, mut sent) = (SendQueue::new(Dialect::Rfc), InFlight::new());
        let first = queue.push(message(40), 20, WriteOptions::default());
        let needs = WriteOptions { needs: Some(first), report: true, ..WriteOptions::default() };
        let second = queue.push(message(40), 20, needs);
        queue.push(message(40), 20, WriteOptions::default());
        send(&mut queue, &mut sent);
        queue.cut_again(10);
        queue.give_up_all();
        queue.cut_again(30);
        assert_eq!(queue.next_report(), Some((second, false)));
        queue.push(message(40), 30, WriteOptions::default());
        let all = rest(&mut queue, &mut sent);
        assert_eq!(
            all.iter().map(|(_, place, length)| (*place, *length)).collect::<Vec<_>>(),
            [(First, 30), (Last, 10)]
        );
        assert_eq!(queue.queued_bytes(), 40);
    }

    #[test]
    fn a_long_fragment_under_way_is_known_until_it_came() {
        let (mut queue, mut sent) = (SendQueue::new(Dialect::Rfc), InFlight::new());
        queue.push(message(100), 60, WriteOptions::default());
        assert!(!queue.has_sent_more_than(50));
        send(&mut queue, &mut sent);
        assert!(queue.has_sent_more_than(50) && !queue.has_sent_more_than(60));
        queue.acknowledge(1, &[], &mut sent);
        assert!(!queue.has_sent_more_than(50));
    }
}
