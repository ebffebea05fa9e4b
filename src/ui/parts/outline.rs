//! Reads the path language of SVG, as far as the icons use it, into polylines.

use egui::{Pos2, Vec2, pos2, vec2};

/// The lines of a path, each a run of points. What cannot be read ends the path where it stands.
pub fn polylines(path: &str) -> Vec<Vec<Pos2>> {
    let mut pen = Pen::default();
    let mut reader = Reader { rest: path };
    while let Some(command) = reader.command() {
        let mut first = true;
        while first || reader.number_follows() {
            if pen.draw(command, first, &mut reader).is_none() {
                return pen.finish();
            }
            first = false;
            if command.eq_ignore_ascii_case(&'z') {
                break;
            }
        }
    }
    pen.finish()
}

#[derive(Default)]
struct Pen {
    at: Pos2,
    start: Pos2,
    line: Vec<Pos2>,
    lines: Vec<Vec<Pos2>>,
}

impl Pen {
    fn draw(&mut self, command: char, first: bool, reader: &mut Reader<'_>) -> Option<()> {
        let from = if command.is_ascii_lowercase() { self.at.to_vec2() } else { Vec2::ZERO };
        match command.to_ascii_lowercase() {
            'm' => {
                let to = reader.point(from)?;
                // Further pairs after a move are lines.
                if first {
                    self.lift();
                    self.start = to;
                    self.line.push(to);
                    self.at = to;
                } else {
                    self.line_to(to);
                }
            }
            'l' => {
                let to = reader.point(from)?;
                self.line_to(to);
            }
            'h' => {
                let x = reader.number()? + from.x;
                self.line_to(pos2(x, self.at.y));
            }
            'v' => {
                let y = reader.number()? + from.y;
                self.line_to(pos2(self.at.x, y));
            }
            'c' => {
                let (one, two, to) = (reader.point(from)?, reader.point(from)?, reader.point(from)?);
                self.curve_to(one, two, to);
            }
            'a' => {
                let radii = vec2(reader.number()?, reader.number()?);
                let _turned = reader.number()?;
                let (large, sweep) = (reader.flag()?, reader.flag()?);
                let to = reader.point(from)?;
                self.arc_to(radii, large, sweep, to);
            }
            'z' => {
                let start = self.start;
                self.line_to(start);
                self.lift();
                self.at = start;
            }
            _ => return None,
        }
        Some(())
    }

    fn lift(&mut self) {
        if self.line.len() > 1 {
            self.lines.push(std::mem::take(&mut self.line));
        }
        self.line.clear();
    }

    fn line_to(&mut self, to: Pos2) {
        if self.line.is_empty() {
            self.line.push(self.at);
        }
        self.line.push(to);
        self.at = to;
    }

    fn curve_to(&mut self, one: Pos2, two: Pos2, to: Pos2) {
        let from = self.at;
        for step in 1..=STEPS {
            let t = step as f32 / STEPS as f32;
            let u = 1.0 - t;
            let at = from.to_vec2() * (u * u * u)
                + one.to_vec2() * (3.0 * u * u * t)
                + two.to_vec2() * (3.0 * u * t * t)
                + to.to_vec2() * (t * t * t);
            self.line_to(at.to_pos2());
        }
    }

    /// An unrotated elliptical arc: the centre from the end points, as SVG 1.1 appendix F.6.5 has it.
    fn arc_to(&mut self, mut radii: Vec2, large: bool, sweep: bool, to: Pos2) {
        let from = self.at;
        if from == to || radii.x <= 0.0 || radii.y <= 0.0 {
            return self.line_to(to);
        }
        let half = (from - to) / 2.0;
        let reach = (half / radii).length_sq();
        if reach > 1.0 {
            radii *= reach.sqrt();
        }
        let scaled = half / radii;
        let along = ((1.0 - scaled.length_sq()).max(0.0) / scaled.length_sq()).sqrt();
        let side = if large == sweep { -along } else { along };
        let centre_offset = vec2(scaled.y * radii.x, -scaled.x * radii.y) * side;
        let centre = from.lerp(to, 0.5) + centre_offset;
        let angle_of = |p: Pos2| ((p - centre) / radii).angle();
        let start = angle_of(from);
        let mut turn = angle_of(to) - start;
        if sweep && turn < 0.0 {
            turn += std::f32::consts::TAU;
        } else if !sweep && turn > 0.0 {
            turn -= std::f32::consts::TAU;
        }
        for step in 1..STEPS {
            let angle = start + turn * step as f32 / STEPS as f32;
            self.line_to(centre + Vec2::angled(angle) * radii);
        }
        self.line_to(to);
    }

    fn finish(mut self) -> Vec<Vec<Pos2>> {
        self.lift();
        self.lines
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', ',', '\n']);
    }

    fn command(&mut self) -> Option<char> {
        self.skip();
        let letter = self.rest.chars().next().filter(char::is_ascii_alphabetic)?;
        self.rest = &self.rest[1..];
        Some(letter)
    }

    fn number_follows(&mut self) -> bool {
        self.skip();
        self.rest.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.')
    }

    /// Numbers may touch: "-6" ends the one before it, and so does a second point.
    fn number(&mut self) -> Option<f32> {
        self.skip();
        let mut point = false;
        let end = self
            .rest
            .char_indices()
            .find(|&(at, c)| match c {
                '-' => at > 0,
                '.' => std::mem::replace(&mut point, true),
                _ => !c.is_ascii_digit(),
            })
            .map_or(self.rest.len(), |(at, _)| at);
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        number.parse().ok()
    }

    /// The flags of an arc are single digits and may touch what follows.
    fn flag(&mut self) -> Option<bool> {
        self.skip();
        let flag = self.rest.chars().next().filter(|c| matches!(c, '0' | '1'))?;
        self.rest = &self.rest[1..];
        Some(flag == '1')
    }

    fn point(&mut self, from: Vec2) -> Option<Pos2> {
        Some(pos2(self.number()?, self.number()?) + from)
    }
}

/// Into how many straight pieces a curve of an icon is cut.
const STEPS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touching_numbers_and_relative_steps_are_read() {
        let lines = polylines("M4 9V4h5l-2-1.5.5z");
        assert_eq!(lines[0][..3], [pos2(4.0, 9.0), pos2(4.0, 4.0), pos2(9.0, 4.0)]);
    }

    #[test]
    fn an_arc_with_touching_flags_is_half_a_circle() {
        let lines = polylines("M5 11a7 7 0 0014 0");
        let lowest = lines[0].iter().map(|p| p.y).fold(0.0, f32::max);
        assert!((lowest - 18.0).abs() < 0.1, "{lowest}");
        assert_eq!(lines[0].last(), Some(&pos2(19.0, 11.0)));
    }

    #[test]
    fn a_closed_path_starts_again_where_it_began() {
        let lines = polylines("M1 1h2v2zM5 5h1");
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].first(), lines[0].last());
    }
}
