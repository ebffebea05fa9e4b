//! Packet timestamps and their echoes, which measure the round trip (RFC 7016 §2.2.4, §3.5.2.2).
//!
//! Both are sent only when they say something new, so an idle or fast session does not pay for them in every packet.

use std::time::{Duration, Instant};

use crate::rtmfp::dialect::Dialect;
use crate::rtmfp::limits;

/// One session's timestamps, sent and received.
#[derive(Clone, Debug)]
pub(crate) struct Timestamps {
    /// Where our 250 Hz clock starts.
    origin: Instant,
    /// TS_RX and TS_RX_TIME.
    received: Option<(u16, Instant)>,
    /// TS_ECHO_TX.
    echo_sent: Option<u16>,
    /// TS_TX.
    sent: Option<u16>,
    /// TS_ECHO_RX.
    echo_received: Option<u16>,
    /// Whether every packet has a timestamp, news or not.
    always: bool,
}

impl Timestamps {
    /// A session that opens now.
    pub(crate) fn new(now: Instant, dialect: Dialect) -> Self {
        // Flash-era programs cannot read a packet without one.
        let always = dialect == Dialect::FlashEra;
        Self { origin: now, received: None, echo_sent: None, sent: None, echo_received: None, always }
    }

    /// The timestamp and the echo that a packet sent now should carry. Nothing changes until [`Self::note_sent`].
    pub(crate) fn to_send(&self, now: Instant) -> (Option<u16>, Option<u16>) {
        let tick = self.tick(now);
        let echo =
            self.received.filter(|(_, at)| now.saturating_duration_since(*at) <= limits::ECHO_LIFETIME);
        let echo = echo.map(|(ticks, at)| ticks.wrapping_add(whole_ticks(now.saturating_duration_since(at))));
        (
            Some(tick).filter(|tick| self.always || Some(*tick) != self.sent),
            echo.filter(|echo| Some(*echo) != self.echo_sent),
        )
    }

    /// A packet with these went out.
    pub(crate) fn note_sent(&mut self, now: Instant, timestamp: Option<u16>, echo: Option<u16>) {
        self.sent = timestamp.or(self.sent);
        self.echo_sent = echo.or(self.echo_sent);
        if self.received.is_some_and(|(_, at)| now.saturating_duration_since(at) > limits::ECHO_LIFETIME) {
            self.received = None;
            self.echo_sent = None;
        }
    }

    /// A packet with these came; answers the round trip it measured, if any.
    pub(crate) fn note_received(
        &mut self,
        now: Instant,
        timestamp: Option<u16>,
        echo: Option<u16>,
    ) -> Option<Duration> {
        // An equal timestamp must not refresh the time, or the wait of a repeated one would be hidden.
        if let Some(ticks) = timestamp
            && self.received.map(|(before, _)| before) != Some(ticks)
        {
            self.received = Some((ticks, now));
        }
        let echo = echo.filter(|echo| Some(*echo) != self.echo_received)?;
        self.echo_received = Some(echo);
        let ticks = self.tick(now).wrapping_sub(echo);
        // More than half the circle is an echo from the future: nonsense.
        (ticks <= 32_767).then(|| limits::TICK * u32::from(ticks))
    }

    fn tick(&self, now: Instant) -> u16 {
        whole_ticks(now.saturating_duration_since(self.origin))
    }
}

/// What startup packets are stamped by: they belong to no session, and nobody echoes them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StartupClock {
    origin: Option<Instant>,
    ticks: u16,
}

impl StartupClock {
    /// It is `now`; the first time is where it starts.
    pub(crate) fn note(&mut self, now: Instant) {
        let origin = *self.origin.get_or_insert(now);
        self.ticks = whole_ticks(now.saturating_duration_since(origin));
    }

    /// The time, in ticks.
    pub(crate) fn ticks(self) -> u16 {
        self.ticks
    }
}

/// Whole ticks in a time, modulo 2^16 as they go on the wire.
fn whole_ticks(time: Duration) -> u16 {
    let ticks = time.as_millis() / limits::TICK.as_millis();
    u16::try_from(ticks & 0xffff).expect("sixteen bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Conforms: 7016-3.5.2.2-i, trap-14
    #[test]
    fn a_timestamp_is_sent_once_a_tick() {
        let start = Instant::now();
        let mut stamps = Timestamps::new(start, Dialect::Rfc);
        assert_eq!(stamps.to_send(start + ms(41)), (Some(10), None));
        stamps.note_sent(start + ms(41), Some(10), None);
        assert_eq!(stamps.to_send(start + ms(43)), (None, None));
        assert_eq!(stamps.to_send(start + ms(44)), (Some(11), None));
    }

    /// Conforms: 7016-3.5.2.2-g, trap-14
    #[test]
    fn an_echo_counts_the_whole_ticks_it_waited_here() {
        let start = Instant::now();
        let mut stamps = Timestamps::new(start, Dialect::Rfc);
        stamps.note_received(start, Some(65_535), None);
        assert_eq!(stamps.to_send(start + ms(9)).1, Some(1));
        stamps.note_sent(start + ms(9), None, Some(1));
        assert_eq!(stamps.to_send(start + ms(9)).1, None);
    }

    /// Conforms: 7016-3.5.2.2-d, 7016-3.5.2.2-h
    #[test]
    fn zero_is_a_time_like_any_other() {
        let start = Instant::now();
        let mut stamps = Timestamps::new(start, Dialect::Rfc);
        assert_eq!(stamps.to_send(start), (Some(0), None));
        assert_eq!(stamps.note_received(start, Some(0), Some(0)), Some(ms(0)));
        assert_eq!(stamps.to_send(start), (Some(0), Some(0)));
    }

    /// Conforms: 7016-3.5.2.2-e, trap-14
    #[test]
    fn an_equal_timestamp_does_not_hide_the_wait() {
        let start = Instant::now();
        let mut stamps = Timestamps::new(start, Dialect::Rfc);
        stamps.note_received(start, Some(7), None);
        stamps.note_received(start + ms(400), Some(7), None);
        assert_eq!(stamps.to_send(start + ms(400)).1, Some(107));
        stamps.note_received(start + ms(400), Some(50), None);
        assert_eq!(stamps.to_send(start + ms(400)).1, Some(50));
    }

    /// Conforms: 7016-3.5.2.2-f, trap-14
    #[test]
    fn a_timestamp_older_than_128_seconds_is_forgotten_and_so_is_what_was_echoed() {
        let start = Instant::now();
        let mut stamps = Timestamps::new(start, Dialect::Rfc);
        stamps.note_received(start, Some(7), None);
        let echo = stamps.to_send(start + ms(128_000)).1;
        assert_eq!(echo, Some(7 + 32_000));
        stamps.note_sent(start + ms(128_000), None, echo);
        assert!(stamps.to_send(start + ms(128_001)).1.is_none());
        stamps.note_sent(start + ms(128_001), None, None);
        // The same timestamp and the same echo are news again.
        stamps.note_received(start + ms(129_000), echo, None);
        assert_eq!(stamps.to_send(start + ms(129_000)).1, echo);
    }

    /// Conforms: 7016-3.5.2.2-j, trap-14
    #[test]
    fn an_echo_measures_once_and_one_from_the_future_never() {
        let start = Instant::now();
        let mut stamps = Timestamps::new(start, Dialect::Rfc);
        assert_eq!(stamps.note_received(start + ms(100), None, Some(5)), Some(ms(80)));
        assert_eq!(stamps.note_received(start + ms(120), None, Some(5)), None);
        assert_eq!(stamps.note_received(start + ms(120), None, Some(31)), None);
        // It was thrown away, and yet it is the last one: said again it measures nothing either.
        assert_eq!(stamps.note_received(start + ms(200), None, Some(31)), None);
        assert_eq!(stamps.note_received(start + ms(200), None, Some(5)), Some(ms(180)));
        // Half the circle is the most.
        let (far, half) = (start + ms(4 * 40_000), 32_767_u16);
        let tick = 40_000_u16;
        assert_eq!(stamps.note_received(far, None, Some(tick - half)), Some(ms(4 * 32_767)));
        assert_eq!(stamps.note_received(far, None, Some(tick - half - 1)), None);
    }

    #[test]
    fn a_flash_era_far_end_gets_a_timestamp_in_every_packet_and_an_echo_when_it_is_new() {
        let start = Instant::now();
        let mut stamps = Timestamps::new(start, Dialect::FlashEra);
        stamps.note_received(start, Some(7), None);
        for echo in [Some(7), None, None] {
            assert_eq!(stamps.to_send(start), (Some(0), echo));
            stamps.note_sent(start, Some(0), echo);
        }
    }
}
