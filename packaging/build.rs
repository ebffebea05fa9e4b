//! Says loudly when H.264 is about to be built without its assembly: OpenH264's own build leaves it out in silence where
//! `nasm` is missing, and a call then costs two to three times as much. On Windows, gives tincan.exe its icon and version.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=packaging/build.rs");
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rustc-check-cfg=cfg(slow_h264)");
    let codecs = env::var_os("CARGO_FEATURE_MEDIA").is_some();
    let written_for_nasm = matches!(env::var("CARGO_CFG_TARGET_ARCH").as_deref(), Ok("x86" | "x86_64"));
    let runs = || Command::new("nasm").arg("-v").output().is_ok_and(|output| output.status.success());
    if codecs && written_for_nasm && !runs() {
        println!(
            "cargo::warning=nasm was not found: H.264 is built without its assembly, and calls will cost two to three \
             times the processor time. Install nasm and run `cargo clean -p openh264-sys2` before building again."
        );
        println!("cargo::rustc-cfg=slow_h264");
    }
    windows_resources();
}

#[cfg(windows)]
fn windows_resources() {
    println!("cargo::rerun-if-changed=packaging/windows/tincan.rc");
    println!("cargo::rerun-if-changed=packaging/windows/tincan.exe.manifest");
    println!("cargo::rerun-if-changed=assets/icon/tincan.ico");
    let number = |name: &str, part: &str| format!("{name}={}", env::var(part).unwrap_or_default());
    let macros = [
        number("TINCAN_MAJOR", "CARGO_PKG_VERSION_MAJOR"),
        number("TINCAN_MINOR", "CARGO_PKG_VERSION_MINOR"),
        number("TINCAN_PATCH", "CARGO_PKG_VERSION_PATCH"),
        format!("TINCAN_VERSION=\"{}\"", env::var("CARGO_PKG_VERSION").unwrap_or_default()),
    ];
    let compiled = embed_resource::compile_for("packaging/windows/tincan.rc", ["tincan"], macros);
    if let Err(error) = compiled.manifest_optional() {
        println!("cargo::warning=tincan.exe gets no icon and no version: {error}");
    }
}

#[cfg(not(windows))]
fn windows_resources() {}
