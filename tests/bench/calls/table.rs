//! Reports as a table for people.

use std::fmt::Write as _;

use super::report::Report;

/// A heading, and what stands below it.
type Column = (&'static str, fn(&Report) -> String);

const COLUMNS: [Column; 16] = [
    ("condition", |report| report.condition.to_owned()),
    ("sound score", |report| report.sound_score.map_or_else(String::new, |score| format!("{score:.2}"))),
    ("made up %", |report| format!("{:.1}", report.concealed_percent)),
    ("longest gap", |report| report.longest_gap_ms.to_string()),
    ("mouth to ear (95 %)", |report| pair(report.mouth_to_ear_ms, report.mouth_to_ear_95_ms)),
    ("first picture", |report| {
        report.first_picture_ms.map_or_else(|| "none".into(), |time| time.to_string())
    }),
    ("pictures/s", |report| format!("{:.1}", report.shown_a_second)),
    ("PSNR (5 %)", |report| format!("{:.1} ({:.1})", report.psnr, report.psnr_5)),
    ("SSIM (5 %)", |report| format!("{:.3} ({:.3})", report.ssim, report.ssim_5)),
    ("camera to screen (95 %)", |report| pair(report.glass_to_glass_ms, report.glass_to_glass_95_ms)),
    ("frozen (longest)", |report| pair(report.frozen_ms as f64, report.longest_freeze_ms as f64)),
    ("smeared", |report| report.smeared.to_string()),
    ("key pictures", |report| report.key_pictures.to_string()),
    ("kbit/s", |report| format!("{:.0}", report.sent_kbps)),
    ("queue (95 %)", |report| pair(report.queue_ms, report.queue_95_ms)),
    ("after a change", changes),
];

fn pair(first: f64, second: f64) -> String {
    format!("{first:.0} ({second:.0})")
}

fn changes(report: &Report) -> String {
    let mut parts = Vec::new();
    for change in &report.changes {
        let mut say = |what: &str, time: Option<u64>| {
            parts.extend(time.map(|time| format!("{what} {time}")));
        };
        say("sound", change.sound_after_ms);
        say("picture", change.picture_after_ms);
        say("queue", change.queue_short_after_ms);
        say("full", change.full_after_ms);
    }
    parts.join(", ")
}

/// All of them, a line each. Times are milliseconds.
pub(crate) fn markdown(reports: &[Report]) -> String {
    let mut text = String::new();
    let headings: Vec<&str> = COLUMNS.iter().map(|(heading, _)| *heading).collect();
    let _ = writeln!(text, "| {} |", headings.join(" | "));
    let _ = writeln!(text, "|{}", " --- |".repeat(COLUMNS.len()));
    for report in reports {
        let cells: Vec<String> = COLUMNS.iter().map(|(_, cell)| cell(report)).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}
