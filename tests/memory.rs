//! Files that claim to be huge, or are, opened by the real program under a limit on its address space: it answers or it
//! refuses, and it does not die of them. The files are sparse, and take no space.
//!
//! What `corpus.rs` asks of every decoder alone, of memory on the heap, is asked of whole commands here.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(unreachable_pub, reason = "what files of one test share")]

#[path = "memory/files.rs"]
mod files;
#[path = "memory/limited.rs"]
mod limited;

use std::path::Path;

use files::{HUGE, LONGEST};
use limited::{LIMIT, answers, looked_at, run};

#[test]
fn a_value_that_a_record_claims_and_the_file_has_room_for_is_an_error_or_an_answer() {
    let native = files::native();
    files::claim_native_value(&native, HUGE);
    files::stretch(&native.path().join("0000000001.data"), HUGE + 100);
    looked_at(native.path(), "a huge native value");
    let riak = files::riak();
    files::write_at(&riak.path().join("1.bitcask.data"), 10, &u32::try_from(HUGE).unwrap().to_be_bytes());
    files::stretch(&riak.path().join("1.bitcask.data"), HUGE + 15);
    looked_at(riak.path(), "a huge value in a file of Bitcask");
    let go = files::go();
    files::write_at(&go.path().join("segment_1.log"), 8, &u32::try_from(HUGE).unwrap().to_le_bytes());
    files::stretch(&go.path().join("segment_1.log"), HUGE + 13);
    looked_at(go.path(), "a huge value in a file of logkv-store");
}

#[test]
fn a_length_that_no_file_has_room_for_is_not_believed() {
    for claimed in [1 << 30, LONGEST] {
        let native = files::native();
        files::claim_native_value(&native, claimed);
        looked_at(native.path(), &format!("a native value of {claimed} bytes"));
    }
    for (name, field) in [("key", 4), ("value", 8)] {
        let go = files::go();
        files::write_at(&go.path().join("segment_1.log"), field, &u32::MAX.to_le_bytes());
        looked_at(go.path(), &format!("a {name} of 4 GiB in a file of logkv-store"));
    }
    let riak = files::riak();
    files::write_at(&riak.path().join("1.bitcask.data"), 10, &u32::MAX.to_be_bytes());
    looked_at(riak.path(), "a value of 4 GiB in a file of Bitcask");
}

#[test]
fn a_hint_that_is_huge_or_names_huge_records_is_not_believed() {
    let native = files::native();
    files::stretch(&native.path().join("0000000001.hint"), HUGE);
    looked_at(native.path(), "a huge native hint");
    let riak = files::riak();
    files::stretch(&riak.path().join("1.bitcask.hint"), HUGE);
    looked_at(riak.path(), "a huge hint of Bitcask");
    let riak = files::riak();
    files::stretch(&riak.path().join("1.bitcask.data"), HUGE);
    std::fs::write(riak.path().join("1.bitcask.hint"), files::riak_hint(u32::MAX)).unwrap();
    looked_at(riak.path(), "a hint of Bitcask that names a record of 4 GiB");
}

#[test]
fn other_files_of_a_store_may_be_huge() {
    for name in ["LOCK", "MERGE", "KEYDIR", "0000000002.hint", "0000000002.data", "0000000003.data.tmp", "notes.txt"] {
        let native = files::native();
        files::stretch(&native.path().join(name), HUGE);
        looked_at(native.path(), &format!("a huge {name}"));
    }
}

#[test]
fn the_limit_limits_and_dying_is_noticed() {
    let output = run(Path::new("sh"), &["-c", "ulimit -v"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), LIMIT.to_string());
    assert!(!answers(&run(Path::new("sh"), &["-c", "kill -ABRT $$"])));
}
