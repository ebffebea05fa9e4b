//! `--stats`: a JSON object a line, one a second while a call is up, and a summary at its end.

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
}

impl Statistics {
    /// Opens the file; `-` is standard output.
    pub(crate) fn open(path: Option<&Path>) -> io::Result<Self> {
        let out: Option<Box<dyn Write>> = match path {
            None => None,
            Some(path) if path == Path::new("-") => Some(Box::new(io::stdout())),
            Some(path) => Some(Box::new(File::create(path)?)),
        };
        Ok(Self { out, next: Instant::now() })
    }

    /// Writes a line when a second has passed and a call is up.
    pub(crate) fn step(&mut self, client: &RunningClient, setup_ms: Option<f64>) {
        if self.out.is_none() || Instant::now() < self.next {
            return;
        }
        if !matches!(client.view().call, CallState::Up(_)) {
            return;
        }
        self.next = Instant::now() + Duration::from_secs(1);
        let mut line = line(&client.call_figures(), setup_ms);
        line.insert("event".to_owned(), json!("second"));
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
