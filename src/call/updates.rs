//! When to look for a newer version, and what to make of what was found. Nothing is looked for unless the person allows it,
//! and never more than once a day, however often the program starts and whatever comes of it; nothing is downloaded.
//!
//! Only decides: [`super::worker`] asks the clock and the network.

use std::time::{Duration, Instant};

use serde::Deserialize;

use super::view::Moment;
use crate::rtmfp::chance::Chance;

/// Where the newest version is named.
pub const FEED: &str = "https://api.github.com/repos/tincan-call/tincan/releases/latest";
/// The page of one version; its tag follows.
const PAGE: &str = "https://github.com/tincan-call/tincan/releases/tag/";
/// The most that is read of an answer, in bytes.
pub const MOST_OF_AN_ANSWER: u64 = 512 * 1_024;

/// Between two looks, at least.
const EVERY: Duration = Duration::from_secs(24 * 3_600);
/// A part of this is added at random, so that not everybody looks at the same time of day.
const SPREAD: Duration = Duration::from_secs(2 * 3_600);
/// After a start one waits so long: calls come first.
const AFTER_START: Duration = Duration::from_secs(60);
/// Looks that fail double the pause, this often at most.
const MOST_DOUBLINGS: u32 = 3;

/// A version that is newer than this one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewerVersion {
    /// Such as `0.2.0`.
    pub version: String,
    /// The page about it.
    pub page: String,
}

/// Numbers of a version, most significant first.
type Version = [u32; 3];

/// Decides when to look.
#[derive(Debug)]
pub struct UpdateWatch {
    own: Version,
    due: Option<Instant>,
    /// The latest look by the clock on the wall, which outlives the program.
    looked_at: Option<Moment>,
    failed: u32,
}

impl UpdateWatch {
    /// For a program of this version, such as `0.1.0`. `looked_at` is when some start of the program looked last.
    pub fn new(own: &str, looked_at: Option<Moment>) -> Self {
        Self { own: version(own).unwrap_or_default(), due: None, looked_at, failed: 0 }
    }

    /// The person allows it, or no longer. Said again, it changes nothing.
    pub fn allow(&mut self, allowed: bool, now: Instant, wall: Moment, at_start: bool, chance: &mut Chance) {
        if !allowed {
            self.due = None;
        } else if self.due.is_none() {
            // Who has just switched it on wants to know; who has just started wants to call.
            let soonest = if at_start { AFTER_START } else { Duration::ZERO };
            self.due = now.checked_add(self.pause(wall, chance).max(soonest));
        }
    }

    /// When to look next; `None` is never.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// A look begins: it counts, whatever comes of it. The moment to remember beyond the end of the program.
    pub fn begin(&mut self, now: Instant, wall: Moment, chance: &mut Chance) -> Moment {
        self.looked_at = Some(wall);
        self.due = now.checked_add(self.pause(wall, chance));
        wall
    }

    /// What came: the answer, or nothing. What is newer than this program, if the answer names it.
    pub fn end(
        &mut self,
        now: Instant,
        wall: Moment,
        answer: Option<&[u8]>,
        chance: &mut Chance,
    ) -> Option<NewerVersion> {
        let newest = answer.and_then(newest_in);
        self.failed = if newest.is_some() { 0 } else { self.failed.saturating_add(1) };
        if self.due.is_some() {
            self.due = now.checked_add(self.pause(wall, chance));
        }
        newest.filter(|newest| *newest > self.own).map(|newest| {
            let version = newest.map(|number| number.to_string()).join(".");
            // Not the address in the answer: it leads where we say.
            NewerVersion { page: format!("{PAGE}v{version}"), version }
        })
    }

    /// From now to the next look.
    fn pause(&self, wall: Moment, chance: &mut Chance) -> Duration {
        // A look that lies in the future was remembered by a wrong clock.
        let since = self.looked_at.and_then(|looked_at| wall.duration_since(looked_at).ok());
        let Some(since) = since else { return Duration::ZERO };
        let part = f64::from(chance.u32()) / f64::from(u32::MAX);
        let every = EVERY * 2_u32.pow(self.failed.min(MOST_DOUBLINGS)) + SPREAD.mul_f64(part);
        every.saturating_sub(since)
    }
}

/// The version that a feed's answer names, if it is one that everybody should have.
fn newest_in(answer: &[u8]) -> Option<Version> {
    #[derive(Deserialize)]
    struct Release {
        tag_name: String,
        #[serde(default)]
        draft: bool,
        #[serde(default)]
        prerelease: bool,
    }
    let release: Release = serde_json::from_slice(answer).ok()?;
    let is_for_all = !release.draft && !release.prerelease;
    version(release.tag_name.strip_prefix('v')?).filter(|_| is_for_all)
}

/// Three numbers with dots between them, and nothing else.
fn version(text: &str) -> Option<Version> {
    let mut numbers = text.split('.').map(|part| {
        let is_plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse().ok().filter(|_| is_plain)
    });
    let version = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    struct Clocks {
        now: Instant,
        wall: SystemTime,
        chance: Chance,
    }

    fn clocks() -> Clocks {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        Clocks { now: Instant::now(), wall, chance: Chance::new([7; 32]) }
    }

    fn allowed(looked_at: Option<SystemTime>, clocks: &mut Clocks) -> UpdateWatch {
        let mut watch = UpdateWatch::new("0.1.0", looked_at);
        watch.allow(true, clocks.now, clocks.wall, true, &mut clocks.chance);
        watch
    }

    fn found(watch: &mut UpdateWatch, clocks: &mut Clocks, answer: &str) -> Option<NewerVersion> {
        watch.begin(clocks.now, clocks.wall, &mut clocks.chance);
        watch.end(clocks.now, clocks.wall, Some(answer.as_bytes()), &mut clocks.chance)
    }

    fn until_due(watch: &UpdateWatch, clocks: &Clocks) -> Duration {
        watch.due().expect("it is allowed").duration_since(clocks.now)
    }

    #[test]
    fn nothing_is_looked_for_that_was_not_allowed() {
        let mut clocks = clocks();
        let mut watch = UpdateWatch::new("0.1.0", None);
        assert_eq!(watch.due(), None);
        watch.allow(false, clocks.now, clocks.wall, true, &mut clocks.chance);
        assert_eq!(watch.due(), None);
    }

    #[test]
    fn who_takes_the_permission_back_is_asked_for_nothing_more() {
        let mut clocks = clocks();
        let mut watch = allowed(None, &mut clocks);
        watch.begin(clocks.now, clocks.wall, &mut clocks.chance);
        watch.allow(false, clocks.now, clocks.wall, false, &mut clocks.chance);
        watch.end(clocks.now, clocks.wall, None, &mut clocks.chance);
        assert_eq!(watch.due(), None);
    }

    #[test]
    fn the_first_look_waits_until_the_start_is_over_or_comes_when_it_is_switched_on() {
        let mut clocks = clocks();
        assert_eq!(until_due(&allowed(None, &mut clocks), &clocks), AFTER_START);
        let mut watch = UpdateWatch::new("0.1.0", None);
        watch.allow(true, clocks.now, clocks.wall, false, &mut clocks.chance);
        assert_eq!(until_due(&watch, &clocks), Duration::ZERO);
    }

    #[test]
    fn however_often_it_starts_it_looks_once_a_day() {
        let mut clocks = clocks();
        let looked_at = clocks.wall - HOUR;
        let pause = until_due(&allowed(Some(looked_at), &mut clocks), &clocks);
        assert!((23 * HOUR..=25 * HOUR).contains(&pause), "{pause:?}");
    }

    #[test]
    fn a_look_in_the_future_was_a_wrong_clock() {
        let mut clocks = clocks();
        let looked_at = clocks.wall + 1_000 * HOUR;
        assert_eq!(until_due(&allowed(Some(looked_at), &mut clocks), &clocks), AFTER_START);
    }

    #[test]
    fn looks_that_fail_become_rarer_up_to_a_bound_and_one_that_succeeds_ends_it() {
        let mut clocks = clocks();
        let mut watch = allowed(None, &mut clocks);
        let mut days = Vec::new();
        for answer in [None, None, None, None, Some(&br#"{"tag_name":"v0.1.0"}"#[..])] {
            watch.begin(clocks.now, clocks.wall, &mut clocks.chance);
            watch.end(clocks.now, clocks.wall, answer, &mut clocks.chance);
            days.push(until_due(&watch, &clocks).as_secs() / EVERY.as_secs());
        }
        assert_eq!(days, [2, 4, 8, 8, 1]);
    }

    #[test]
    fn a_newer_version_is_told_with_its_page_and_an_older_or_the_same_is_not() {
        let mut clocks = clocks();
        let mut watch = allowed(None, &mut clocks);
        let newer = found(
            &mut watch,
            &mut clocks,
            r#"{"tag_name":"v0.10.2","html_url":"https://elsewhere.example"}"#,
        );
        let page = "https://github.com/tincan-call/tincan/releases/tag/v0.10.2".to_owned();
        assert_eq!(newer, Some(NewerVersion { version: "0.10.2".to_owned(), page }));
        for tag in ["v0.1.0", "v0.0.9"] {
            assert_eq!(found(&mut watch, &mut clocks, &format!(r#"{{"tag_name":"{tag}"}}"#)), None);
        }
    }

    #[test]
    fn what_is_no_release_for_everybody_is_passed_over() {
        let mut clocks = clocks();
        let mut watch = allowed(None, &mut clocks);
        for answer in [
            "",
            "<html>",
            "{}",
            r#"{"tag_name":"v1.0.0","draft":true}"#,
            r#"{"tag_name":"v1.0.0","prerelease":true}"#,
            r#"{"tag_name":"v1.0.0-rc.1"}"#,
            r#"{"tag_name":"1.0.0"}"#,
            r#"{"tag_name":"v1.0"}"#,
            r#"{"tag_name":"v1.0.0.0"}"#,
            r#"{"tag_name":"v1.0.+1"}"#,
            r#"{"tag_name":"v1.0.99999999999"}"#,
        ] {
            assert_eq!(found(&mut watch, &mut clocks, answer), None, "{answer}");
        }
    }
}
