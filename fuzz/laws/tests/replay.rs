//! Every input that is checked in, on the stable compiler: the seeds, and what the fuzzers once found.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::{
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

#[test]
fn every_known_input_obeys_the_laws() {
    let mut broken = Vec::new();
    for &(name, law) in fuzz_laws::TARGETS {
        let seeds = inputs("corpus", name);
        assert!(!seeds.is_empty(), "{name} has no corpus");
        for path in seeds.into_iter().chain(inputs("regressions", name)) {
            let input = fs::read(&path).unwrap();
            if catch_unwind(|| law(&input)).is_err() {
                broken.push(path);
            }
        }
    }
    assert!(broken.is_empty(), "broken by {broken:#?}");
}

/// A quick look around every seed: bytes replaced by what structures a header.
#[test]
fn the_neighbours_of_a_seed_obey_the_laws() {
    for &(name, law) in fuzz_laws::TARGETS {
        for path in inputs("corpus", name) {
            let seed = fs::read(&path).unwrap();
            for input in neighbours(&seed) {
                let shown = String::from_utf8_lossy(&input);
                assert!(catch_unwind(|| law(&input)).is_ok(), "{name} is broken by {shown:?}, near {path:?}");
            }
        }
    }
}

/// A class that no seed shows may be one that no longer exists, and the README says what each is about.
#[test]
fn every_named_disagreement_with_upstream_is_shown_by_a_seed_and_explained() {
    for &(name, law) in fuzz_laws::TARGETS.iter().filter(|(name, _)| name.starts_with("differential")) {
        for path in inputs("corpus", name) {
            law(&fs::read(path).unwrap());
        }
    }
    let readme = include_str!("../../README.md");
    let unseen: Vec<_> = fuzz_laws::classes().filter(|(_, class)| !class.was_seen()).collect();
    assert!(unseen.is_empty(), "no seed shows {unseen:#?}");
    for (format, class) in fuzz_laws::classes() {
        let row = format!("| {format} | `{}` | {} | {} |", class.name, class.rule, class.section);
        assert!(readme.contains(&row), "the README lacks {row}");
    }
}

fn neighbours(seed: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..seed.len().min(96)).step_by(5).map(move |at| {
        let others = [&b""[..], b"-", b",", b";", b"=", b"%", b"\n", b"\t", b"\x7f", b"\xc3\xa9"];
        let (head, tail) = seed.split_at(at);
        [head, others[at / 5 % others.len()], tail.get(1..).unwrap_or_default()].concat()
    })
}

fn inputs(kind: &str, target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(kind).join(target);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}
