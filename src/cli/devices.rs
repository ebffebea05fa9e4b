//! `tincan devices`: the cameras, microphones and speakers of this computer.

use tincan::media::devices;

/// Prints them, a line each, by kind; the names are what `--camera`, `--microphone` and `--speaker` take.
pub(crate) fn run() -> anyhow::Result<()> {
    let found = devices::list();
    print_kind("Cameras", &found.cameras);
    print_kind("Microphones", &found.microphones);
    print_kind("Speakers", &found.speakers);
    Ok(())
}

fn print_kind(title: &str, names: &[String]) {
    println!("{title}:");
    if names.is_empty() {
        println!("  none");
    }
    for name in names {
        println!("  {name}");
    }
}
