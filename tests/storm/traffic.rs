//! What two programs say to each other, from a seed: flows of every kind, messages of many lengths, deadlines, dependence.

use std::time::Duration;

use bytes::Bytes;
use tincan::rtmfp::endpoint::{Delivery, FlowOptions, Priority};

use super::dice::Dice;

/// A flow.
#[derive(Clone, Debug)]
pub(crate) struct FlowPlan {
    /// Its place among all flows of the scene, which its metadata and messages bear.
    pub(crate) number: u8,
    /// Who sends, 0 or 1.
    pub(crate) from: usize,
    /// How it is given up at the other end.
    pub(crate) delivery: Delivery,
    /// Who goes first.
    pub(crate) priority: Priority,
    /// Whether it is marked as time critical.
    pub(crate) time_critical: bool,
    /// Its messages, in the order they are written.
    pub(crate) messages: Vec<MessagePlan>,
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessagePlan {
    /// When it is written.
    pub(crate) at: Duration,
    /// Its bytes.
    pub(crate) length: usize,
    /// How long its first byte may wait.
    pub(crate) start_within: Option<Duration>,
    /// How long it may take.
    pub(crate) finish_within: Option<Duration>,
    /// The message before it that it needs, counted back from it.
    pub(crate) needs: Option<usize>,
}

impl FlowPlan {
    /// What the flow is opened with.
    pub(crate) fn options(&self) -> FlowOptions {
        let delivery = u8::from(self.delivery == Delivery::Arrival);
        FlowOptions {
            metadata: Bytes::copy_from_slice(&[self.number, delivery]),
            priority: self.priority,
            time_critical: self.time_critical,
            answers: None,
        }
    }

    /// The bytes of one of its messages.
    pub(crate) fn content(&self, message: usize) -> Bytes {
        let index = u16::try_from(message).expect("few messages").to_be_bytes();
        let record = [MAGIC[0], MAGIC[1], self.number, index[0], index[1], self.number ^ index[1], 0, 0];
        let length = self.messages[message].length;
        let records = (0..length.div_ceil(record.len())).flat_map(|n| {
            let mut record = record;
            record[6..].copy_from_slice(&(n as u16).to_be_bytes());
            record
        });
        records.take(length).collect()
    }
}

/// The flow and the message that received bytes claim to be.
pub(crate) fn name(bytes: &[u8]) -> Option<(u8, usize)> {
    match bytes {
        [one, two, flow, high, low, ..] if [*one, *two] == MAGIC => {
            Some((*flow, usize::from(u16::from_be_bytes([*high, *low]))))
        }
        _ => None,
    }
}

/// The messages that a datagram bears pieces of, when it can be read; one is there more than once.
pub(crate) fn names_in(datagram: &[u8]) -> impl Iterator<Item = (u8, usize)> + '_ {
    let starts = datagram
        .windows(RECORD)
        .enumerate()
        .filter(|(_, window)| window[..2] == MAGIC && window[5] == window[2] ^ window[4]);
    starts.filter_map(|(at, _)| name(&datagram[at..]))
}

/// Flows and messages for a seed, written within `span`. The last flow of each is without deadlines.
pub(crate) fn flows(dice: &mut Dice, span: Duration) -> Vec<FlowPlan> {
    let count = dice.between(1, 4);
    (0..count).map(|number| flow(dice, number as u8, span, number + 1 < count)).collect()
}

fn flow(dice: &mut Dice, number: u8, span: Duration, may_be_late: bool) -> FlowPlan {
    let priorities = [Priority::Background, Priority::Routine, Priority::Video, Priority::Audio];
    let hurried = may_be_late && dice.one_in(2);
    let depends = hurried && dice.one_in(2);
    let gap = dice.between(1, 80);
    let count = dice.between(3, 40).min(span.as_millis() as u64 / gap);
    let mut at = dice.ms(0, 300);
    let messages = (0..count as usize).map(|index| {
        at += dice.ms(0, gap * 2);
        let length = match dice.between(0, 9) {
            0 => dice.between(8, 6_000),
            1..=3 => dice.between(8, 1_500),
            _ => dice.between(8, 300),
        };
        MessagePlan {
            at,
            length: length as usize,
            start_within: (hurried && dice.one_in(2)).then(|| dice.ms(0, 400)),
            finish_within: (hurried && dice.one_in(2)).then(|| dice.ms(1, 1_500)),
            needs: (depends && index > 0).then(|| dice.between(1, index.min(3) as u64) as usize),
        }
    });
    let messages = messages.collect();
    FlowPlan {
        number,
        from: dice.between(0, 1) as usize,
        delivery: if dice.one_in(2) { Delivery::Ordered } else { Delivery::Arrival },
        priority: priorities[dice.between(0, 3) as usize],
        time_critical: hurried,
        messages,
    }
}

const MAGIC: [u8; 2] = [0xf5, 0xa7];
const RECORD: usize = 8;
