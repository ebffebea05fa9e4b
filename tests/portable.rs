//! What only one system has is named only where that system is built for: so the rest keeps compiling elsewhere.
#![cfg(feature = "net")]

use std::fs;
use std::path::{Path, PathBuf};

/// What Linux and its kin alone have.
const NOT_EVERYWHERE: &[&str] = &[
    "rustix",
    "x11rb",
    "zbus",
    "ksni",
    "v4l",
    "std::os::unix",
    "std::os::linux",
    "std::os::fd",
    "tokio::signal::unix",
    "\"/proc/",
    "\"/sys/",
    "\"/dev/",
];

/// Words of a `cfg` that keep a line to the systems that have it.
const KEEPS_IT_THERE: &[&str] = &["linux", "unix", "not(windows)"];

#[test]
fn what_only_one_system_has_stands_behind_a_cfg() {
    let mut broken = Vec::new();
    for path in sources(Path::new("src")) {
        if module_is_kept(&path) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a readable source file");
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if NOT_EVERYWHERE.iter().any(|name| names(code, name)) && !line_is_kept(&lines, at) {
                broken.push(format!("{}:{}: {}", path.display(), at + 1, line.trim()));
            }
        }
    }
    assert!(broken.is_empty(), "compiles on one kind of system only:\n{}", broken.join("\n"));
}

#[test]
fn what_only_one_system_has_is_a_dependency_only_there() {
    let manifest: toml::Table = include_str!("../Cargo.toml").parse().expect("TOML");
    let everywhere = manifest["dependencies"].as_table().expect("dependencies");
    for name in ["rustix", "x11rb", "zbus", "ksni", "nix", "libc"] {
        assert!(!everywhere.contains_key(name), "{name}");
    }
}

#[test]
fn a_planted_line_is_found_and_a_kept_one_is_not() {
    let kept = [
        "#[cfg(unix)]",
        "#[must_use]",
        "fn mode() {",
        "    if true {",
        "        zbus::call();",
        "    }",
        "}",
    ];
    assert!(line_is_kept(&kept, 4));
    let planted = ["#[cfg(unix)]", "fn mode() {}", "fn other() {", "    zbus::call();", "}"];
    assert!(!line_is_kept(&planted, 3));
    assert!(!line_is_kept(&["#[cfg(windows)]", "use zbus::Connection;"], 1));
    assert!(names("    zbus::call()", "zbus") && !names("    my_zbus()", "zbus"));
}

/// Whether a line, or what it stands in, is built for the systems that have it, and no others.
fn line_is_kept(lines: &[&str], at: usize) -> bool {
    let mut at = at;
    loop {
        let attributes =
            lines[..at].iter().rev().map(|line| line.trim()).take_while(|line| line.starts_with("#["));
        if attributes
            .clone()
            .any(|line| line.starts_with("#[cfg(") && KEEPS_IT_THERE.iter().any(|word| line.contains(word)))
        {
            return true;
        }
        let depth = depth_of(lines[at]);
        let around = lines[..at].iter().rposition(|line| !line.trim().is_empty() && depth_of(line) < depth);
        match around {
            Some(around) => at = around,
            None => return false,
        }
    }
}

fn depth_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether a file, or a module it is part of, is built for these systems only.
fn module_is_kept(path: &Path) -> bool {
    let Some(folder) = path.parent() else { return false };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let (name, parent) = if stem == "mod" {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (name, folder.parent().unwrap_or(folder))
    } else {
        (stem, folder)
    };
    let outer = [parent.join("mod.rs"), parent.with_extension("rs"), parent.join("lib.rs")];
    let Some(outer) = outer.iter().find(|outer| outer.is_file() && outer.as_path() != path) else {
        return false;
    };
    let text = fs::read_to_string(outer).expect("a readable source file");
    let lines: Vec<&str> = text.lines().collect();
    let declared = lines.iter().position(|line| line.trim().ends_with(&format!("mod {name};")));
    declared.is_some_and(|at| line_is_kept(&lines, at)) || (outer != path && module_is_kept(outer))
}

/// Whether a line has `name`, not as a part of a longer word.
fn names(line: &str, name: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let starts = |at: usize| !name.starts_with(word) || !line[..at].chars().next_back().is_some_and(word);
    let ends = |at: usize| !name.ends_with(word) || !line[at + name.len()..].chars().next().is_some_and(word);
    line.match_indices(name).any(|(at, _)| starts(at) && ends(at))
}

fn sources(place: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(place).expect("the package's sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
