//! What every input must leave true, one function a target.
//!
//! The fuzz targets call these functions with what the fuzzer makes up, and `tests/corpus.rs` of the product includes this
//! file and calls them with the corpus: a body cannot rot, and what was once found stays found. Must not know: who calls.
//!
//! A body panics when something does not hold. It takes any bytes; checksums, which a fuzzer cannot guess, are put right
//! by [`seal`] in a copy, so that what lies behind them is reached too.

mod archive;
mod checkpoint;
mod command;
mod go;
mod import;
mod look;
mod manifest;
mod merge_file;
mod native;
mod record;
mod riak;
mod seal;
mod segment;
mod store;
mod tail;
mod text;
mod value;

/// A target: what it is called, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target. Each has a file in `fuzz_targets`, an entry in `Cargo.toml` and a directory in `corpus`.
pub const TARGETS: &[Target] = &[
    ("archive", archive::archive),
    ("checkpoint", checkpoint::file),
    ("command", command::line),
    ("go_record", go::record),
    ("import_csv", import::csv),
    ("import_jsonl", import::jsonl),
    ("manifest", manifest::text),
    ("merge_file", merge_file::file),
    ("native_header", native::header),
    ("native_hint", native::hint),
    ("native_record", native::record),
    ("riak_hint", riak::hint),
    ("riak_record", riak::record),
    ("segment", segment::file),
    ("store", store::directory),
    ("tail", tail::file),
    ("text", text::literals),
    ("value", value::any),
];

/// Runs the target of this name.
pub fn run(name: &str, input: &[u8]) {
    let (_, body) = TARGETS.iter().find(|(target, _)| *target == name).expect("a target of that name");
    body(input);
}
