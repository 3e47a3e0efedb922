//! The corpus of the fuzz targets, replayed: what was once found stays found, on any toolchain, without a fuzzer.
//!
//! `fuzz/src/lib.rs` holds the bodies and is included here, so that both run the same code; `fuzz/run` says how to
//! fuzz. Memory is counted while each input runs: a length that an input claims must not become an allocation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(dead_code, unreachable_pub, reason = "the fuzz crate's front page is a module here")]

#[path = "../fuzz/src/lib.rs"]
mod bodies;
#[path = "corpus/claims.rs"]
mod claims;
#[path = "corpus/counting.rs"]
mod counting;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What running an input may take beyond a multiple of its length: windows, tables and copies of fixed size.
const FIXED: usize = 2 << 20;
/// What it may take for each byte of it, over all copies, rows and fields that are alive at once.
const PER_BYTE: usize = 32;
/// All inputs together: they are replayed at each run of the tests, and stay in the history for ever.
const CORPUS: u64 = 512 << 10;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn names(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let dir = fuzz().join("corpus").join(target);
    names(&dir).into_iter().map(|name| (format!("{target}/{name}"), fs::read(dir.join(name)).unwrap())).collect()
}

/// One test, not one a target: the count of memory is the whole process's.
#[test]
fn every_input_of_the_corpus_holds_and_takes_little_memory() {
    for (target, body) in bodies::TARGETS {
        for (name, input) in inputs(target) {
            println!("{name}"); // the last name before a failure is the one that failed
            let taken = counting::peak_of(|| body(&input));
            let allowed = FIXED + PER_BYTE * input.len();
            assert!(taken <= allowed, "{name}: {taken} bytes at once for {} bytes of input", input.len());
        }
    }
    // The count counts.
    let taken = counting::peak_of(|| drop(vec![1u8; FIXED + 1]));
    assert!(taken > FIXED, "{taken}");
}

#[test]
fn every_target_has_a_body_a_file_and_a_corpus() {
    let targets: BTreeSet<String> = bodies::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let files = targets.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&fuzz().join("fuzz_targets")), files);
    assert_eq!(names(&fuzz().join("corpus")), targets);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for target in &targets {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target}");
        assert!(!inputs(target).is_empty(), "{target}");
        let file = fs::read_to_string(fuzz().join(format!("fuzz_targets/{target}.rs"))).unwrap();
        assert!(file.contains(&format!("run(\"{target}\", input)")), "{target}");
    }
}

#[test]
fn the_corpus_stays_small() {
    let sizes = bodies::TARGETS.iter().flat_map(|(target, _)| inputs(target)).map(|(_, input)| input.len() as u64);
    let total: u64 = sizes.sum();
    assert!(total <= CORPUS, "{total} bytes");
}
