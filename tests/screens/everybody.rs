//! Every control has a name and can be reached with the keyboard, in every section of the settings and the first run.

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT as _;
use tincan::call::ClientView;
use tincan::ui::screens::settings::{Section, SettingsInputs, SettingsShown, settings_ui};
use tincan::ui::screens::welcome::{WelcomeInputs, welcome_ui};
use tincan::ui::{ThemeChoice, theme};

use crate::shown;

const SHOWN: SettingsShown =
    SettingsShown { own_picture: None, theme: ThemeChoice::Dark, narrow: false, copied: false };

fn harness<'a>(size: [f32; 2], scale: f32, mut draw: impl FnMut(&mut egui::Ui) + 'a) -> Harness<'a> {
    let mut harness = Harness::builder()
        .with_size(size)
        .with_pixels_per_point(scale)
        .with_context_setup(|ctx| theme::install(ctx, ThemeChoice::Dark))
        .allow_missing_glyphs()
        .build_ui(move |ui| draw(ui));
    harness.run_steps(4);
    harness
}

fn settings<'a>(section: Section, size: [f32; 2], scale: f32) -> Harness<'a> {
    let view = shown::home(std::time::SystemTime::UNIX_EPOCH);
    let mut inputs = SettingsInputs::new(&view).open_at(section);
    harness(size, scale, move |ui| {
        settings_ui(ui, &view, SHOWN, &mut inputs);
    })
}

fn welcome<'a>(size: [f32; 2], scale: f32) -> Harness<'a> {
    let view = ClientView::default();
    let mut inputs = WelcomeInputs::default();
    harness(size, scale, move |ui| {
        welcome_ui(ui, &view, None, &mut inputs);
    })
}

/// What can be pressed, typed into or moved, and has no name.
fn unnamed(harness: &Harness<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut nodes = vec![harness.root()];
    while let Some(node) = nodes.pop() {
        let inner = node.accesskit_node();
        let control = matches!(
            inner.role(),
            Role::Button
                | Role::CheckBox
                | Role::RadioButton
                | Role::TextInput
                | Role::MultilineTextInput
                | Role::ComboBox
                | Role::Slider
                | Role::SpinButton
                | Role::Link
                | Role::Tab
                | Role::Image
                | Role::ProgressIndicator
        );
        let nameless = inner.label().is_none_or(|label| label.trim().is_empty());
        if control && nameless {
            found.push(format!("{:?} at {:?}", inner.role(), inner.raw_bounds()));
        }
        nodes.extend(node.children());
    }
    found
}

#[test]
fn every_control_of_the_settings_has_a_name() {
    for section in Section::ALL {
        let nameless = unnamed(&settings(section, [960.0, 1600.0], 1.0));
        assert!(nameless.is_empty(), "{section:?}: {nameless:?}");
    }
}

#[test]
fn every_control_of_the_first_run_has_a_name() {
    let nameless = unnamed(&welcome([1280.0, 800.0], 1.0));
    assert!(nameless.is_empty(), "{nameless:?}");
}

#[test]
fn the_tab_key_goes_through_every_section_and_comes_back() {
    for section in Section::ALL {
        let mut harness = settings(section, [960.0, 2400.0], 1.0);
        let mut visited = Vec::new();
        for _ in 0..200 {
            harness.key_press(Key::Tab);
            harness.run_steps(2);
            let Some(focused) = harness.ctx.memory(egui::Memory::focused) else { continue };
            if visited.contains(&focused) {
                break;
            }
            visited.push(focused);
        }
        // The way out, and the eight sections, at the least.
        assert!(visited.len() > 9, "{section:?}: {} stops", visited.len());
        assert!(visited.len() < 200, "{section:?} never comes round");
    }
}

#[test]
fn every_section_fits_into_the_smallest_window_and_the_largest_text() {
    for (size, scale) in [([360.0, 480.0], 1.0), ([640.0, 400.0], 2.0), ([1706.0, 1066.0], 0.75)] {
        for section in Section::ALL {
            let harness = settings(section, size, scale);
            let mut nodes = vec![harness.root()];
            while let Some(node) = nodes.pop() {
                let inner = node.accesskit_node();
                let wide = inner.role() == Role::Button || inner.role() == Role::ComboBox;
                if let Some(bounds) = inner.bounding_box().filter(|_| wide) {
                    let edge = f64::from(size[0] * scale) + 1.0;
                    assert!(
                        bounds.x1 <= edge,
                        "{section:?} {size:?}: {:?} ends at {}",
                        inner.label(),
                        bounds.x1
                    );
                }
                nodes.extend(node.children());
            }
        }
    }
}

#[test]
fn the_first_run_fits_into_the_smallest_window() {
    for (size, scale) in [([360.0, 480.0], 1.0), ([640.0, 400.0], 2.0)] {
        assert!(unnamed(&welcome(size, scale)).is_empty());
    }
}
