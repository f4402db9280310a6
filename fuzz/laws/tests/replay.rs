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

/// The limits are met to the byte and to the member, by the seeds and by what is made up.
#[test]
fn every_limit_is_met_by_a_process() {
    let met = || fuzz_laws::met_by_process().map(|(_, times)| times).collect::<Vec<_>>();
    let mut before = met();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for path in inputs("corpus", "process") {
        fuzz_laws::process(&fs::read(path).unwrap());
    }
    let by_seeds: Vec<u64> = met().iter().zip(&before).map(|(now, before)| now - before).collect();
    before = met();
    for _ in 0..500 {
        let script: Vec<u8> = std::iter::repeat_with(|| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random.to_be_bytes()[0]
        })
        .take(96)
        .collect();
        fuzz_laws::process(&script);
    }
    let mut missing = Vec::new();
    for (at, (what, times)) in fuzz_laws::met_by_process().enumerate() {
        let made_up = times - before[at];
        println!("{what}: {} in seeds, {made_up} of 500 scripts that were made up", by_seeds[at]);
        if by_seeds[at] == 0 {
            missing.push(what);
        }
    }
    assert!(missing.is_empty(), "no seed meets {missing:?}");
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
