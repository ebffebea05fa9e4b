//! `--stats`: a JSON object a line, one a second while a call is up, and a summary at its end.
//!
//! Figures are of the call so far, but for the pauses: those of a line are the longest since the line before.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tincan::call::EndReason;
use tincan::call::client::RunningClient;
use tincan::call::figures::CallFigures;
use tincan::call::handle::Client as _;
use tincan::call::view::CallState;
use tincan::media::figures::{MediaFigures, Stages};

/// Where the lines go, if anywhere.
pub(crate) struct Statistics {
    out: Option<Box<dyn Write>>,
    next: Instant,
    pauses: Pauses,
}

impl Statistics {
    /// Opens the file; `-` is standard output.
    pub(crate) fn open(path: Option<&Path>) -> io::Result<Self> {
        let out: Option<Box<dyn Write>> = match path {
            None => None,
            Some(path) if path == Path::new("-") => Some(Box::new(io::stdout())),
            Some(path) => Some(Box::new(File::create(path)?)),
        };
        Ok(Self { out, next: Instant::now(), pauses: Pauses::default() })
    }

    /// Looks at a call that is up, and writes a line when a second has passed.
    pub(crate) fn step(&mut self, client: &RunningClient, setup_ms: Option<f64>) {
        if self.out.is_none() || !matches!(client.view().call, CallState::Up(_)) {
            return;
        }
        let now = Instant::now();
        let figures = client.call_figures();
        self.pauses.look(now, &figures.media);
        if now < self.next {
            return;
        }
        self.next = now + Duration::from_secs(1);
        let mut line = line(&figures, setup_ms);
        line.insert("event".to_owned(), json!("second"));
        line.extend(fields(self.pauses.take_recent()));
        self.write(&Value::Object(line));
    }

    /// Writes the summary of a call, or of an attempt at one.
    pub(crate) fn summary(
        &mut self,
        client: &RunningClient,
        reason: EndReason,
        was_up: bool,
        setup_ms: Option<f64>,
    ) {
        let figures = if was_up { client.call_figures() } else { CallFigures::default() };
        let mut line = line(&figures, setup_ms);
        // A line tells of the last seconds, a summary of them all.
        line.insert("event".to_owned(), json!("summary"));
        line.insert("loss_percent".to_owned(), json!(rounded(Some(figures.quality.call_loss_percent))));
        line.insert("end_reason".to_owned(), json!(reason.as_str()));
        line.extend(fields(std::mem::take(&mut self.pauses).of_the_call()));
        self.write(&Value::Object(line));
    }

    fn write(&mut self, line: &Value) {
        if let Some(out) = &mut self.out
            && let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush())
        {
            eprintln!("The statistics can no longer be written: {error}.");
            self.out = None;
        }
    }
}

/// The longest times in which nothing came from the far end: no sound, or no picture to show.
#[derive(Debug, Default)]
struct Pauses {
    sound: Pause,
    pictures: Pause,
}

impl Pauses {
    fn look(&mut self, now: Instant, media: &MediaFigures) {
        self.sound.look(now, media.sound.packets);
        self.pictures.look(now, media.pictures_shown);
    }

    /// Since this was asked last.
    fn take_recent(&mut self) -> Value {
        let [sound, pictures] =
            [&mut self.sound, &mut self.pictures].map(|pause| std::mem::take(&mut pause.recent));
        described(sound, pictures)
    }

    fn of_the_call(self) -> Value {
        described(self.sound.longest, self.pictures.longest)
    }
}

fn described(sound: Duration, pictures: Duration) -> Value {
    let [sound, pictures] =
        [sound, pictures].map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
    json!({ "sound_pause_ms": sound, "pictures_pause_ms": pictures })
}

/// How long a counter stood still. It is looked at again and again, and off by up to a tenth of a second: figures are renewed
/// no more often.
#[derive(Debug, Default)]
struct Pause {
    count: u64,
    /// When it last grew.
    since: Option<Instant>,
    recent: Duration,
    longest: Duration,
}

impl Pause {
    fn look(&mut self, now: Instant, count: u64) {
        let lasted = self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.recent = self.recent.max(lasted);
        self.longest = self.longest.max(lasted);
        let grew = count > 0 && count != self.count;
        // A call that was lost and is up again counts anew from nothing.
        self.count = count;
        if grew {
            self.since = Some(now);
        }
    }
}

fn line(figures: &CallFigures, setup_ms: Option<f64>) -> Map<String, Value> {
    let CallFigures { quality, media, .. } = figures;
    let size = |picture: Option<(u32, u32, f32)>| picture.map(|(width, height, _)| json!([width, height]));
    let line = json!({
        "up_ms": rounded(Some(figures.up_for.as_secs_f64() * 1000.0)),
        "route": if quality.route.is_empty() { Value::Null } else { json!(quality.route) },
        "cipher": quality.cipher,
        "setup_ms": rounded(setup_ms),
        "first_sound_ms": rounded(figures.since_up_ms(media.first_sound)),
        "first_picture_ms": rounded(figures.since_up_ms(media.first_picture)),
        "pictures_captured": media.pictures_captured,
        "pictures_sent": media.pictures_sent,
        "pictures_shown": media.pictures_shown,
        "pictures_frozen_ms": media.pictures_frozen_ms,
        "sound_played_ms": media.sound_played_ms,
        "sound_concealed_percent": rounded(Some(figures.concealed_percent())),
        "round_trip_ms": rounded(quality.round_trip_ms),
        "loss_percent": rounded(Some(quality.loss_percent)),
        "receive_loss_percent": rounded(quality.receive_loss_percent),
        "available_kbps": rounded(quality.available_kbps),
        "target_kbps": rounded(quality.target_kbps),
        "queue_ms": rounded(quality.queue_ms),
        "send_kbps": rounded(Some(quality.send_kbps)),
        "receive_kbps": rounded(Some(quality.receive_kbps)),
        "send_size": size(media.send_picture),
        "receive_size": size(media.receive_picture),
        "lip_sync_ms": rounded(media.lip_sync_ms),
        "glass_to_glass_ms": rounded(media.glass_to_glass_ms),
        "glass_to_glass_95_ms": rounded(media.glass_to_glass_95_ms),
        "stages_ms": stages(&media.stages),
        "mouth_to_ear_ms": rounded(media.mouth_to_ear_ms),
        "voice_delay_ms": rounded(Some(media.voice_delay_ms)),
    });
    [line, sound(media)].into_iter().flat_map(fields).collect()
}

fn sound(media: &MediaFigures) -> Value {
    json!({
        "buffer_ms": media.buffer_ms,
        "buffer_delay_ms": rounded(media.sound.delay_ms),
        "sound_packets": media.sound.packets,
        "sound_lost": media.sound.lost,
        "sound_lost_percent": rounded(Some(media.sound.lost_percent_lately)),
        "sound_recovered": media.sound.recovered,
        "sound_repaired": media.sound.repaired,
        "sound_late": media.sound.late,
        "sound_concealed_ms": media.sound.concealed_ms,
        "sound_stretched_ms": media.sound.stretched_ms,
        "sound_longest_gap_ms": media.sound.longest_gap_ms,
    })
}

fn stages(stages: &Stages) -> Value {
    json!({
        "capture": rounded(stages.capture),
        "before_encoding": rounded(stages.before_encoding),
        "encoding": rounded(stages.encoding),
        "before_decoding": rounded(stages.before_decoding),
        "decoding": rounded(stages.decoding),
        "before_showing": rounded(stages.before_showing),
    })
}

fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Two decimals are more than any of these is worth.
fn rounded(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite()).map(|value| (value * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_lasts_from_the_last_that_came_to_the_next_whatever_is_counted_anew_meanwhile() {
        let start = Instant::now();
        let mut pause = Pause::default();
        let mut look = |at, count| {
            pause.look(start + Duration::from_millis(at), count);
            std::mem::take(&mut pause.recent).as_millis()
        };
        assert_eq!([look(0, 0), look(900, 0)], [0, 0], "nothing has begun");
        assert_eq!([look(1_000, 1), look(1_020, 2), look(1_500, 2)], [0, 20, 480]);
        assert_eq!([look(1_600, 0), look(1_700, 0), look(1_720, 1)], [580, 680, 700]);
        assert_eq!([look(1_740, 2), look(1_760, 2)], [20, 20]);
        assert_eq!(pause.longest, Duration::from_millis(700));
    }

    #[test]
    fn every_promised_field_stands_in_the_line() {
        let line = line(&CallFigures::default(), None);
        for field in [
            "route",
            "setup_ms",
            "first_sound_ms",
            "first_picture_ms",
            "pictures_sent",
            "pictures_shown",
            "pictures_frozen_ms",
            "sound_played_ms",
            "sound_concealed_percent",
            "sound_lost",
            "sound_recovered",
            "sound_longest_gap_ms",
            "round_trip_ms",
            "loss_percent",
            "receive_loss_percent",
            "available_kbps",
            "target_kbps",
            "queue_ms",
            "send_kbps",
            "receive_kbps",
            "lip_sync_ms",
            "glass_to_glass_ms",
            "mouth_to_ear_ms",
        ] {
            assert!(line.contains_key(field), "{field}");
        }
        assert_eq!(line["setup_ms"], Value::Null);
    }
}
