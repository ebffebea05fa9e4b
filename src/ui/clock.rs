//! Times and lengths as people read them.

use std::time::{Duration, SystemTime};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::words::word;

/// The time now, and where.
#[derive(Clone, Debug)]
pub struct Clock {
    now: SystemTime,
    zone: TimeZone,
}

impl Clock {
    /// A clock that stands at `now` in a time zone.
    pub fn new(now: SystemTime, zone: TimeZone) -> Self {
        Self { now, zone }
    }

    /// Hours and minutes.
    pub fn time_of_day(&self, at: SystemTime) -> String {
        self.zoned(at).map(|at| at.strftime("%H:%M").to_string()).unwrap_or_default()
    }

    /// The day, so that lines of one day can stand together. `None` for a time no calendar knows.
    pub fn day(&self, at: SystemTime) -> Option<Date> {
        self.zoned(at).map(|at| at.date())
    }

    /// "Today", "Yesterday", or the date.
    pub fn day_words(&self, day: Date) -> String {
        let today = self.day(self.now);
        if today == Some(day) {
            word("chat.today").to_owned()
        } else if today.and_then(|today| today.yesterday().ok()) == Some(day) {
            word("chat.yesterday").to_owned()
        } else {
            day.strftime("%A, %-d %B %Y").to_string()
        }
    }

    /// A moment in few signs, for a list: the time today, then "Yesterday", then the date.
    pub fn when_short(&self, at: SystemTime) -> String {
        let (Some(day), Some(today)) = (self.day(at), self.day(self.now)) else { return String::new() };
        if day == today {
            self.time_of_day(at)
        } else if today.yesterday().is_ok_and(|yesterday| yesterday == day) {
            word("chat.yesterday").to_owned()
        } else {
            day.strftime("%Y-%m-%d").to_string()
        }
    }

    /// Today, by this clock.
    pub fn today(&self) -> Option<Date> {
        self.day(self.now)
    }

    fn zoned(&self, at: SystemTime) -> Option<Zoned> {
        Some(Timestamp::try_from(at).ok()?.to_zoned(self.zone.clone()))
    }
}

/// Minutes and seconds, or hours too: "12:04", "1:02:33".
pub fn length(lasted: Duration) -> String {
    let seconds = lasted.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yesterday_is_told_from_today() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * 2 + 60);
        let clock = Clock::new(now, TimeZone::UTC);
        let day = clock.day(now - Duration::from_secs(120)).expect("a day");
        assert_eq!(clock.day_words(day), "Yesterday");
        assert_eq!(clock.time_of_day(now), "00:01");
    }

    #[test]
    fn an_hour_shows_only_when_there_is_one() {
        assert_eq!(length(Duration::from_secs(724)), "12:04");
        assert_eq!(length(Duration::from_secs(3723)), "1:02:03");
    }
}
