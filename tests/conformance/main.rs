//! Counts which requirements of the two RFCs a test names, and which the documentation excuses.
//!
//! The requirements are numbered in the lists beside this file. A test names those it checks on a line of its
//! documentation, `Conforms: 7016-2.1.2-a, 7016-2.1.2-b`; one that does not apply, or is departed from on purpose, is a
//! row of the tables in the documentation of [`tincan::rtmfp`] and [`tincan::netconnection`], with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const LISTS: [(&str, &str); 3] = [
    ("RFC 7016", include_str!("rfc7016.txt")),
    ("RFC 7425", include_str!("rfc7425.txt")),
    ("traps and slips", include_str!("traps.txt")),
];

const TABLES: [&str; 2] =
    [include_str!("../../src/rtmfp/conformance.md"), include_str!("../../src/netconnection/conformance.md")];

#[test]
fn every_requirement_is_tested_or_excused_and_none_is_both() {
    let (tested, excused) = (tested(), excused());
    let mut wrong = Vec::new();
    for (list, text) in LISTS {
        let (mut with_test, mut with_reason, mut missing) = (0, 0, Vec::new());
        for id in requirements(text).map(|requirement| requirement.id) {
            match (tested.contains_key(id), excused.contains(id)) {
                (true, true) => wrong.push(format!("{id} is tested, and excused")),
                (true, false) => with_test += 1,
                (false, true) => with_reason += 1,
                (false, false) => missing.push(id),
            }
        }
        println!("{list}: {with_test} tested, {with_reason} excused, {} missing", missing.len());
        wrong.extend(missing.iter().map(|id| format!("{id} is neither tested nor excused")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn tests_and_tables_name_only_what_is_in_the_lists() {
    let known: BTreeSet<&str> =
        LISTS.iter().flat_map(|(_, text)| requirements(text)).map(|requirement| requirement.id).collect();
    let (tested, excused) = (tested(), excused());
    let unknown: Vec<&str> = tested
        .keys()
        .map(String::as_str)
        .chain(excused.iter().map(String::as_str))
        .filter(|id| !known.contains(id))
        .collect();
    assert!(unknown.is_empty(), "in no list: {}", unknown.join(", "));
}

#[test]
fn a_line_that_names_requirements_stands_above_a_test() {
    let source =
        "/// Conforms: 7016-2-a, trap-3\n#[test]\nfn x() {}\n/// Conforms: 7016-2-b\nfn not_a_test() {}\n";
    let (named, astray) = named_in(source);
    assert_eq!(named, ["7016-2-a", "trap-3"]);
    assert_eq!(astray, ["7016-2-b"]);
    for (path, text) in sources() {
        let (_, astray) = named_in(&text);
        assert!(
            astray.is_empty() || path.ends_with("conformance/main.rs"),
            "{path}: above no test: {astray:?}"
        );
    }
}

#[test]
fn every_requirement_says_what_it_asks() {
    let silent: Vec<&str> = LISTS
        .iter()
        .flat_map(|(_, text)| requirements(text))
        .filter(|requirement| requirement.words.is_empty())
        .map(|requirement| requirement.id)
        .collect();
    assert!(silent.is_empty(), "a number alone says nothing: {}", silent.join(" "));
}

/// A line of a list.
struct Requirement<'a> {
    id: &'a str,
    words: &'a str,
}

fn requirements(list: &str) -> impl Iterator<Item = Requirement<'_>> {
    list.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut parts = line.splitn(3, ' ');
        let (id, _level) = (parts.next().filter(|id| !id.is_empty())?, parts.next());
        Some(Requirement { id, words: parts.next().unwrap_or_default().trim() })
    })
}

/// Each requirement that a test names, and the files it is tested in.
fn tested() -> BTreeMap<String, BTreeSet<String>> {
    let mut tested: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in sources() {
        if path.ends_with("conformance/main.rs") {
            continue;
        }
        for id in named_in(&text).0 {
            tested.entry(id).or_default().insert(path.clone());
        }
    }
    tested
}

/// The first column of every row of the tables.
fn excused() -> BTreeSet<String> {
    TABLES
        .iter()
        .flat_map(|table| table.lines())
        .filter_map(|line| line.strip_prefix("| "))
        .filter_map(|row| row.split(" |").next())
        .flat_map(|cell| cell.split(", "))
        .filter(|id| id.starts_with("7016-") || id.starts_with("7425-"))
        .map(str::to_owned)
        .collect()
}

/// What the documentation of tests names, and what stands above something else.
fn named_in(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut above_tests, mut astray, mut pending) = (Vec::new(), Vec::new(), Vec::new());
    for line in text.lines().map(str::trim) {
        if let Some(ids) = line.strip_prefix("/// Conforms: ") {
            pending.extend(ids.trim_end_matches('.').split(", ").map(str::to_owned));
        } else if line == "#[test]" || line.starts_with("#[tokio::test") {
            above_tests.append(&mut pending);
        } else if !line.starts_with("///") && !line.starts_with("#[") {
            astray.append(&mut pending);
        }
    }
    (above_tests, astray)
}

/// Every Rust file of the package, with its text.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for root in ["src", "tests"] {
        collect(Path::new(root), &mut found);
    }
    found
}

fn collect(place: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(place).expect("a folder of the package").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a readable source file");
            found.push((path.to_string_lossy().replace('\\', "/"), text));
        }
    }
}
