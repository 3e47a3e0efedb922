//! From a list of operations that fails to the shortest one that still does: parts of it are left out, ever smaller ones,
//! then each operation is made simpler (Zeller's delta debugging).

use std::cell::{Cell, RefCell};
use std::panic;
use std::sync::Once;

use super::{Case, Op, replay};

/// So many runs at most are spent on making a list shorter.
const RUNS: u32 = 4000;

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What goes wrong, if something does.
pub fn failure(case: &Case) -> Option<String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if IS_QUIET.get() {
                MESSAGE.set(info.to_string());
            } else {
                loud(info);
            }
        }));
    });
    IS_QUIET.set(true);
    let failed = panic::catch_unwind(|| replay(case)).is_err();
    IS_QUIET.set(false);
    failed.then(|| MESSAGE.take())
}

/// The shortest list that is found, and what goes wrong with it.
pub fn shrink(mut case: Case, mut why: String) -> (Case, String) {
    let mut runs = 0;
    let mut fails = |case: &mut Case, ops: Vec<Op>| {
        runs += 1;
        let shorter = Case { ops, ..case.clone() };
        let failure = if runs > RUNS { None } else { failure(&shorter) };
        failure.inspect(|_| *case = shorter)
    };
    loop {
        let before = format!("{:?}", case.ops);
        let mut part = case.ops.len().div_ceil(2);
        while part > 0 {
            let mut from = 0;
            while from < case.ops.len() {
                let mut ops = case.ops.clone();
                ops.drain(from..(from + part).min(ops.len()));
                match fails(&mut case, ops) {
                    Some(failure) => why = failure,
                    None => from += part,
                }
            }
            part /= 2;
        }
        for i in 0..case.ops.len() {
            for simpler in case.ops[i].simpler() {
                let mut ops = case.ops.clone();
                ops[i] = simpler;
                if let Some(failure) = fails(&mut case, ops) {
                    why = failure;
                    break;
                }
            }
        }
        if format!("{:?}", case.ops) == before {
            return (case, why);
        }
    }
}

/// The case as the argument of [`replay`].
pub fn code(case: &Case) -> String {
    let ops: Vec<_> = case.ops.iter().map(|op| format!("        Op::{op:?},")).collect();
    format!(
        "Case {{\n    sync: SyncPolicy::{:?},\n    lie: {},\n    ops: vec![\n{}\n    ],\n}}",
        case.sync,
        case.lie,
        ops.join("\n")
    )
}
