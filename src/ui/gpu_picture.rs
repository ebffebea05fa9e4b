//! A picture's three planes as textures of the GPU, turned into colours by a shader while it is painted.
//!
//! The picture crosses to the GPU as it was decoded, 1.5 bytes a sample instead of 4, and nothing is converted on the
//! processor. Where there is no OpenGL (tests of the screens), or OpenGL is computed by the processor,
//! [`textures`](super::textures) converts instead.

#![expect(unsafe_code, reason = "every call of OpenGL is unsafe in glow; each block says why it is sound")]

use std::sync::{Arc, Mutex, PoisonError};

use eframe::egui_glow::{CallbackFn, ShaderVersion};
use eframe::glow::{self, HasContext as _};
use egui::{PaintCallback, PaintCallbackInfo, Rect, Vec2};

use crate::call::Picture;

/// One stream of pictures on the GPU.
#[derive(Debug, Default)]
pub struct GpuPicture {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Came, and is not on the GPU yet.
    newest: Option<Picture>,
    /// Made with the first painting.
    made: Option<Made>,
    /// The driver would not compile the shader: nothing is painted, and that was said.
    failed: bool,
}

/// What lies on the GPU.
#[derive(Debug)]
struct Made {
    program: glow::Program,
    vertices: glow::VertexArray,
    corners: glow::Buffer,
    planes: [glow::Texture; 3],
    size: (u32, u32),
}

/// How a picture is put into its rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placing {
    /// Which part of the picture, from 0 to 1; a right edge left of the left one mirrors.
    pub part: Rect,
    /// Corners, in points.
    pub radius: f32,
}

impl GpuPicture {
    /// Takes a picture; it goes to the GPU with the next painting, and only then.
    pub fn take(&self, picture: Picture) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).newest = Some(picture);
    }

    /// What paints it. The rectangle is in points.
    pub fn callback(self: &Arc<Self>, rect: Rect, placing: Placing) -> PaintCallback {
        let this = Arc::clone(self);
        let paint = CallbackFn::new(move |info, painter| this.paint(painter.gl(), &info, placing));
        PaintCallback { rect, callback: Arc::new(paint) }
    }

    fn paint(&self, gl: &glow::Context, info: &PaintCallbackInfo, placing: Placing) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.failed {
            return;
        }
        if state.made.is_none() {
            match Made::new(gl) {
                Ok(made) => state.made = Some(made),
                Err(why) => {
                    tracing::error!(%why, "pictures cannot be shown with this graphics driver");
                    state.failed = true;
                    return;
                }
            }
        }
        let newest = state.newest.take();
        let Some(made) = &mut state.made else { return };
        if let Some(picture) = newest {
            made.upload(gl, &picture);
        }
        if made.size != (0, 0) {
            made.draw(gl, info.viewport.size(), placing);
        }
    }
}

impl Made {
    fn new(gl: &glow::Context) -> Result<Self, String> {
        let version = ShaderVersion::get(gl);
        let program = program(gl, version)?;
        // SAFETY: the painter calls us with its context current on this thread; every name passed to OpenGL below was
        // made in it right here, and the vertex data is a slice that outlives the call.
        unsafe {
            let vertices = gl.create_vertex_array()?;
            let corners = gl.create_buffer()?;
            gl.bind_vertex_array(Some(vertices));
            gl.bind_buffer(glow::ARRAY_BUFFER, Some(corners));
            gl.buffer_data_u8_slice(glow::ARRAY_BUFFER, &CORNERS, glow::STATIC_DRAW);
            let place = gl.get_attrib_location(program, "corner").ok_or("no corner in the shader")?;
            gl.enable_vertex_attrib_array(place);
            gl.vertex_attrib_pointer_f32(place, 2, glow::UNSIGNED_BYTE, false, 0, 0);
            gl.bind_vertex_array(None);
            let planes = [gl.create_texture()?, gl.create_texture()?, gl.create_texture()?];
            for plane in planes {
                gl.bind_texture(glow::TEXTURE_2D, Some(plane));
                for (name, value) in [
                    (glow::TEXTURE_MIN_FILTER, glow::LINEAR),
                    (glow::TEXTURE_MAG_FILTER, glow::LINEAR),
                    (glow::TEXTURE_WRAP_S, glow::CLAMP_TO_EDGE),
                    (glow::TEXTURE_WRAP_T, glow::CLAMP_TO_EDGE),
                ] {
                    gl.tex_parameter_i32(glow::TEXTURE_2D, name, value as i32);
                }
            }
            gl.bind_texture(glow::TEXTURE_2D, None);
            Ok(Self { program, vertices, corners, planes, size: (0, 0) })
        }
    }

    fn upload(&mut self, gl: &glow::Context, picture: &Picture) {
        let (width, height) = (picture.width, picture.height);
        let (y, u, v) = picture.planes();
        let whole =
            y.len() == width as usize * height as usize && u.len() == v.len() && u.len() * 4 == y.len();
        if !whole {
            return;
        }
        let new_size = self.size != (width, height);
        // One channel a sample: a format of its own from OpenGL 3 on, "luminance" before.
        let (inner, outer) = if ShaderVersion::get(gl).is_new_shader_interface() {
            (glow::R8, glow::RED)
        } else {
            (glow::LUMINANCE, glow::LUMINANCE)
        };
        let sides = [(width, height), (width / 2, height / 2), (width / 2, height / 2)];
        // SAFETY: the context is current (see `new`), the textures are ours, and each slice holds exactly as many bytes
        // as its width and height say: checked above, and rows are packed (alignment 1).
        unsafe {
            gl.pixel_store_i32(glow::UNPACK_ALIGNMENT, 1);
            for ((plane, samples), (width, height)) in self.planes.iter().zip([y, u, v]).zip(sides) {
                gl.bind_texture(glow::TEXTURE_2D, Some(*plane));
                let (w, h) = (width as i32, height as i32);
                let bytes = glow::PixelUnpackData::Slice(Some(samples));
                if new_size {
                    let inner = inner as i32;
                    gl.tex_image_2d(glow::TEXTURE_2D, 0, inner, w, h, 0, outer, glow::UNSIGNED_BYTE, bytes);
                } else {
                    gl.tex_sub_image_2d(glow::TEXTURE_2D, 0, 0, 0, w, h, outer, glow::UNSIGNED_BYTE, bytes);
                }
            }
            gl.bind_texture(glow::TEXTURE_2D, None);
        }
        self.size = (width, height);
    }

    fn draw(&self, gl: &glow::Context, size: Vec2, placing: Placing) {
        let part = placing.part;
        // SAFETY: the context is current (see `new`); program, buffer and textures are ours and alive, since nothing
        // deletes them before the context goes.
        unsafe {
            gl.use_program(Some(self.program));
            for (unit, (plane, name)) in self.planes.iter().zip(["luma", "blue", "red"]).enumerate() {
                gl.active_texture(glow::TEXTURE0 + unit as u32);
                gl.bind_texture(glow::TEXTURE_2D, Some(*plane));
                gl.uniform_1_i32(gl.get_uniform_location(self.program, name).as_ref(), unit as i32);
            }
            let at = |name| gl.get_uniform_location(self.program, name);
            gl.uniform_4_f32(at("part").as_ref(), part.min.x, part.min.y, part.max.x, part.max.y);
            gl.uniform_2_f32(at("size").as_ref(), size.x, size.y);
            gl.uniform_1_f32(at("radius").as_ref(), placing.radius);
            gl.bind_vertex_array(Some(self.vertices));
            gl.bind_buffer(glow::ARRAY_BUFFER, Some(self.corners));
            gl.draw_arrays(glow::TRIANGLE_STRIP, 0, 4);
            gl.bind_vertex_array(None);
            // The painter expects its own texture on the first unit.
            gl.active_texture(glow::TEXTURE0);
        }
    }
}

/// Whether the shader runs on a graphics processor. Where OpenGL is computed by the processor, converting once for each
/// picture costs less than doing it for each point painted: 12 ms against 19 for a frame of 720p.
pub fn is_worth_it(gl: &glow::Context) -> bool {
    // SAFETY: asked while the window is being made, with its context current on this thread; it only reads a string.
    let renderer = unsafe { gl.get_parameter_string(glow::RENDERER) };
    tracing::debug!(%renderer, "graphics");
    !is_software(&renderer)
}

fn is_software(renderer: &str) -> bool {
    let renderer = renderer.to_ascii_lowercase();
    ["llvmpipe", "softpipe", "swrast", "swiftshader", "software", "gdi generic", "basic render"]
        .iter()
        .any(|name| renderer.contains(name))
}

fn program(gl: &glow::Context, version: ShaderVersion) -> Result<glow::Program, String> {
    let head = version.version_declaration();
    let modern = if version.is_new_shader_interface() { "#define MODERN\n" } else { "" };
    // SAFETY: the context is current (see `Made::new`), and every name was made in it just above its use.
    unsafe {
        let program = gl.create_program()?;
        let mut shaders = Vec::new();
        for (kind, source) in [(glow::VERTEX_SHADER, VERTEX), (glow::FRAGMENT_SHADER, FRAGMENT)] {
            let shader = gl.create_shader(kind)?;
            gl.shader_source(shader, &format!("{head}\n{modern}{source}"));
            gl.compile_shader(shader);
            if !gl.get_shader_compile_status(shader) {
                return Err(gl.get_shader_info_log(shader));
            }
            gl.attach_shader(program, shader);
            shaders.push(shader);
        }
        gl.link_program(program);
        for shader in shaders {
            gl.detach_shader(program, shader);
            gl.delete_shader(shader);
        }
        if !gl.get_program_link_status(program) {
            return Err(gl.get_program_info_log(program));
        }
        Ok(program)
    }
}

/// The corners of the rectangle, as a strip.
const CORNERS: [u8; 8] = [0, 0, 1, 0, 0, 1, 1, 1];

const VERTEX: &str = r"
#ifdef MODERN
  #define attribute in
  #define varying out
#endif
attribute vec2 corner;
uniform vec4 part;
uniform vec2 size;
varying vec2 sample_at;
varying vec2 point;
void main() {
    sample_at = mix(part.xy, part.zw, corner);
    point = corner * size;
    gl_Position = vec4(corner.x * 2.0 - 1.0, 1.0 - corner.y * 2.0, 0.0, 1.0);
}
";

/// BT.601, limited range: what [`Picture`] says its samples are.
const FRAGMENT: &str = r"
#ifdef GL_ES
  #ifdef GL_FRAGMENT_PRECISION_HIGH
    precision highp float;
  #else
    precision mediump float;
  #endif
#endif
#ifdef MODERN
  #define varying in
  #define texture2D texture
  out vec4 colour;
#else
  #define colour gl_FragColor
#endif
uniform sampler2D luma;
uniform sampler2D blue;
uniform sampler2D red;
uniform vec2 size;
uniform float radius;
varying vec2 sample_at;
varying vec2 point;
void main() {
    float y = (texture2D(luma, sample_at).r - 0.0627451) * 1.1643836;
    float b = texture2D(blue, sample_at).r - 0.5019608;
    float r = texture2D(red, sample_at).r - 0.5019608;
    vec3 rgb = vec3(y + 1.5960268 * r, y - 0.3917623 * b - 0.8129676 * r, y + 2.0172321 * b);
    // How far outside the rounded rectangle, in points; half a point of it is blended.
    vec2 beyond = abs(point - size * 0.5) - (size * 0.5 - vec2(radius));
    float away = length(max(beyond, 0.0)) - radius;
    float alpha = radius > 0.0 ? clamp(0.5 - away, 0.0, 1.0) : 1.0;
    colour = vec4(clamp(rgb, 0.0, 1.0) * alpha, alpha);
}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opengl_without_a_graphics_processor_is_known_by_its_name() {
        assert!(is_software("llvmpipe (LLVM 15.0.6, 256 bits)"));
        assert!(is_software("Google SwiftShader"));
        assert!(!is_software("Mesa Intel(R) UHD Graphics 620 (KBL GT2)"));
        assert!(!is_software("NVIDIA GeForce GTX 1050/PCIe/SSE2"));
    }
}
