//! Draws egui's triangles into a picture with the processor alone, the same on every machine.

use std::collections::BTreeMap;

use egui::epaint::{ImageData, Primitive};
use egui::{ClippedPrimitive, Color32, Pos2, TextureId, TexturesDelta};

/// A picture of opaque colours.
pub(crate) struct Canvas {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<[f32; 3]>,
}

/// The textures that triangles are filled with.
#[derive(Default)]
pub(crate) struct Textures(BTreeMap<TextureId, ([usize; 2], Vec<Color32>)>);

impl Textures {
    pub(crate) fn take(&mut self, mut delta: TexturesDelta) {
        for (id, change) in
            delta.set.iter().flat_map(|(id, changes)| changes.iter().map(move |one| (id, one)))
        {
            let ImageData::Color(image) = &change.image;
            match change.pos {
                None => {
                    self.0.insert(*id, (image.size, image.pixels.clone()));
                }
                Some([left, top]) => {
                    let (size, pixels) = self.0.get_mut(id).expect("a texture that was set before");
                    for (row, line) in image.pixels.chunks(image.size[0]).enumerate() {
                        let start = (top + row) * size[0] + left;
                        pixels[start..start + line.len()].copy_from_slice(line);
                    }
                }
            }
        }
        delta.clear();
    }

    fn sample(&self, id: TextureId, uv: Pos2) -> [f32; 4] {
        let Some((size, pixels)) = self.0.get(&id) else { return [1.0; 4] };
        let at = |value: f32, length: usize| (value * length as f32).clamp(0.0, length as f32 - 1.0) as usize;
        let place = at(uv.y, size[1]) * size[0] + at(uv.x, size[0]);
        pixels[place].to_array().map(|part| f32::from(part) / 255.0)
    }
}

impl Canvas {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![[0.0; 3]; width * height] }
    }

    pub(crate) fn draw(&mut self, primitives: &[ClippedPrimitive], textures: &Textures) {
        for part in primitives {
            let Primitive::Mesh(mesh) = &part.primitive else { continue };
            for corners in mesh.indices.chunks_exact(3) {
                let corner = |at: usize| mesh.vertices[corners[at] as usize];
                self.triangle([corner(0), corner(1), corner(2)], part.clip_rect, mesh.texture_id, textures);
            }
        }
    }

    fn triangle(
        &mut self,
        [a, b, c]: [egui::epaint::Vertex; 3],
        clip: egui::Rect,
        texture: TextureId,
        textures: &Textures,
    ) {
        let area = cross(a.pos, b.pos, c.pos);
        if area.abs() < 1e-6 {
            return;
        }
        let bounds = egui::Rect::from_points(&[a.pos, b.pos, c.pos]).intersect(clip);
        let range = |from: f32, to: f32, most: usize| {
            (from.floor().max(0.0) as usize)..(to.ceil().clamp(0.0, most as f32) as usize)
        };
        for y in range(bounds.top(), bounds.bottom(), self.height) {
            for x in range(bounds.left(), bounds.right(), self.width) {
                let p = Pos2::new(x as f32 + 0.5, y as f32 + 0.5);
                let weights = [cross(b.pos, c.pos, p), cross(c.pos, a.pos, p), cross(a.pos, b.pos, p)]
                    .map(|part| part / area);
                if !clip.contains(p) || weights.iter().any(|weight| *weight < 0.0) {
                    continue;
                }
                let mix = |of: fn(&egui::epaint::Vertex) -> f32| {
                    of(&a) * weights[0] + of(&b) * weights[1] + of(&c) * weights[2]
                };
                let texel = textures.sample(texture, Pos2::new(mix(|v| v.uv.x), mix(|v| v.uv.y)));
                let tint = [
                    mix(|v| f32::from(v.color.r())),
                    mix(|v| f32::from(v.color.g())),
                    mix(|v| f32::from(v.color.b())),
                    mix(|v| f32::from(v.color.a())),
                ];
                let alpha = texel[3] * tint[3] / 255.0;
                let pixel = &mut self.pixels[y * self.width + x];
                for part in 0..3 {
                    pixel[part] = texel[part] * tint[part] / 255.0 + pixel[part] * (1.0 - alpha);
                }
            }
        }
    }

    /// Colours of 8 bits, row after row.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let byte = |part: &f32| (part.clamp(0.0, 1.0) * 255.0).round() as u8;
        self.pixels.iter().flatten().map(byte).collect()
    }
}

fn cross(a: Pos2, b: Pos2, p: Pos2) -> f32 {
    (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)
}
