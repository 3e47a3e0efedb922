//! Every input of the corpus once more, with the largest lengths written over every place of it in turn: whatever field that
//! hits, what it claims must not become an allocation. In a process that may have little address space, so that what is
//! reserved and never touched counts too.

use std::process::Command;

use super::{FIXED, PER_BYTE, bodies, counting, inputs};

/// What fields are made to claim, little-endian and big-endian: the most that 32 bits hold, with and without a sign, a value
/// of the most that is allowed, and 64 bits of ones.
const CLAIMS: [&[u8]; 5] =
    [&[0xff; 4], &[0xff, 0xff, 0xff, 0x7f], &[0x7f, 0xff, 0xff, 0xff], &[0, 0, 0, 0x40], &[0xff; 8]];

/// KiB of address space: the program itself, its threads' stacks, and a fraction of what is claimed.
const LIMIT: &str = "400000";

const VARIABLE: &str = "LOGKV_CORPUS_CLAIMS";

#[test]
#[cfg(target_os = "linux")]
fn what_an_input_claims_is_not_allocated() {
    let full = std::env::var("LOGKV_KERNEL").is_ok_and(|wanted| wanted == "full");
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -v {LIMIT} && exec \"$@\""), "sh"]).arg(std::env::current_exe().unwrap());
    limited.args(["--exact", "claims::in_little_memory", "--ignored", "--nocapture"]);
    let output = limited.env(VARIABLE, if full { "1" } else { "499" }).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let count = said.lines().find(|line| line.ends_with("claims")).expect("it says how many");
    println!("{count} in {LIMIT} KiB");
}

#[test]
#[ignore = "the other one runs this, in a process with a limit"]
fn in_little_memory() {
    let Ok(step) = std::env::var(VARIABLE) else { return };
    let step: usize = step.parse().unwrap();
    assert!(Vec::<u8>::new().try_reserve_exact(1 << 30).is_err(), "the limit limits");
    let (mut place, mut count) = (0, 0);
    for (target, body) in bodies::TARGETS {
        for (name, input) in inputs(target) {
            for (at, claim) in (0..input.len()).flat_map(|at| CLAIMS.map(|claim| (at, claim))) {
                place += 1;
                if place % step > 0 {
                    continue;
                }
                let mut input = input.clone();
                println!("{name}, {claim:x?} at {at}"); // the last line before a failure is the one that failed
                input.splice(at..input.len().min(at + claim.len()), claim.iter().copied());
                let taken = counting::peak_of(|| body(&input));
                let allowed = FIXED + PER_BYTE * input.len();
                assert!(taken <= allowed, "{name}, {claim:x?} at {at}: {taken} bytes at once");
                count += 1;
            }
        }
    }
    println!("{count} claims");
}
