//! Says loudly when H.264 is about to be built without its assembly: OpenH264's own build leaves it out in silence where
//! `nasm` is missing, and a call then costs two to three times as much.

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
}
