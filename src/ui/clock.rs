//! Times, days and lengths as people read them, in the language that is spoken. Hours always go to 24.

use std::time::{Duration, SystemTime};

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::words::{word, word_with};

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

    /// "Today", "Yesterday", or the date; the year only when it is another.
    pub fn day_words(&self, day: Date) -> String {
        let today = self.day(self.now);
        if today == Some(day) {
            return word("chat.today").to_owned();
        }
        if today.and_then(|today| today.yesterday().ok()) == Some(day) {
            return word("chat.yesterday").to_owned();
        }
        let key = if today.map(Date::year) == Some(day.year()) { "date.day" } else { "date.day_of_year" };
        let (number, year) = (day.day().to_string(), day.year().to_string());
        let (weekday, month) = (weekday_word(day.weekday()), month_word(day.month()));
        word_with(key, &[("weekday", weekday), ("day", &number), ("month", month), ("year", &year)])
    }

    /// When something was, as short as it can be said: the time of day today, the weekday in the last six days, else the
    /// date.
    pub fn when_short(&self, at: SystemTime) -> String {
        let (Some(day), Some(today)) = (self.day(at), self.day(self.now)) else { return String::new() };
        let days_ago = today.since(day).map_or(i32::MAX, |span| span.get_days());
        match days_ago {
            ..=0 => self.time_of_day(at),
            1 => word("chat.yesterday").to_owned(),
            2..=6 => weekday_word(day.weekday()).to_owned(),
            _ => self.day_words(day),
        }
    }

    /// Day and time together.
    pub fn day_and_time(&self, at: SystemTime) -> String {
        let day = self.day(at).map(|day| self.day_words(day)).unwrap_or_default();
        word_with("date.at", &[("day", &day), ("time", &self.time_of_day(at))])
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

fn weekday_word(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => word("date.monday"),
        Weekday::Tuesday => word("date.tuesday"),
        Weekday::Wednesday => word("date.wednesday"),
        Weekday::Thursday => word("date.thursday"),
        Weekday::Friday => word("date.friday"),
        Weekday::Saturday => word("date.saturday"),
        Weekday::Sunday => word("date.sunday"),
    }
}

fn month_word(month: i8) -> &'static str {
    match month {
        1 => word("date.january"),
        2 => word("date.february"),
        3 => word("date.march"),
        4 => word("date.april"),
        5 => word("date.may"),
        6 => word("date.june"),
        7 => word("date.july"),
        8 => word("date.august"),
        9 => word("date.september"),
        10 => word("date.october"),
        11 => word("date.november"),
        _ => word("date.december"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    /// Sunday the 18th of January 1970, one minute past midnight.
    fn clock() -> (SystemTime, Clock) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(DAY * 17 + 60);
        (now, Clock::new(now, TimeZone::UTC))
    }

    #[test]
    fn yesterday_is_told_from_today() {
        let (now, clock) = clock();
        let day = clock.day(now - Duration::from_secs(120)).expect("a day");
        assert_eq!(clock.day_words(day), "Yesterday");
        assert_eq!(clock.time_of_day(now), "00:01");
    }

    #[test]
    fn a_day_of_this_year_goes_without_the_year() {
        let (now, clock) = clock();
        let day = clock.day(now - Duration::from_secs(DAY * 3)).expect("a day");
        assert_eq!(clock.day_words(day), "Thu 15 Jan");
        let day = clock.day(now - Duration::from_secs(DAY * 30)).expect("a day");
        assert_eq!(clock.day_words(day), "Fri 19 Dec 1969");
    }

    #[test]
    fn the_longer_ago_the_less_exact() {
        let (now, clock) = clock();
        let ago = |days| clock.when_short(now - Duration::from_secs(DAY * days));
        assert_eq!([ago(0), ago(1), ago(2), ago(9)], ["00:01", "Yesterday", "Fri", "Fri 9 Jan"]);
    }

    #[test]
    fn an_hour_shows_only_when_there_is_one() {
        assert_eq!(length(Duration::from_secs(724)), "12:04");
        assert_eq!(length(Duration::from_secs(3723)), "1:02:03");
    }
}
