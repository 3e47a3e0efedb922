//! Fresh processes of this program, for what one process cannot tell of itself: memory that is only the store's, and the
//! end that a crash is.

use std::path::Path;
use std::process::Command;

use crate::Outcome;
use crate::engine::{self, Engine, Opening};
use crate::key::{Keys, Values};
use crate::measure::anonymous_bytes;

/// The word that makes a process of this program a child.
const WORD: &str = "--child";

/// Keys that are put again before a crash.
const PUTS: u64 = 1000;

/// Anonymous memory of a process that has opened the store and done one get.
pub fn memory(engine: &dyn Engine, dir: &Path, keys: Keys) -> Outcome<u64> {
    let output = command("memory", engine, dir, keys)?.output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim().parse().map_err(|_| format!("{} in a fresh process: {}", engine.name(), complaint(&output)).into())
}

/// Opens the store, puts the first thousand keys again, and dies.
pub fn crash(engine: &dyn Engine, dir: &Path, keys: Keys) -> Outcome<()> {
    let output = command("crash", engine, dir, keys)?.output()?;
    if String::from_utf8_lossy(&output.stdout).trim() == "put" {
        return Ok(());
    }
    Err(format!("{} before its crash: {}", engine.name(), complaint(&output)).into())
}

fn command(what: &str, engine: &dyn Engine, dir: &Path, keys: Keys) -> Outcome<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([WORD, what, engine.name()]).arg(dir).arg(keys.count.to_string());
    Ok(command)
}

fn complaint(output: &std::process::Output) -> String {
    format!("{}, {}", output.status, String::from_utf8_lossy(&output.stderr).trim())
}

/// What a child does instead of everything else. `Ok(false)`: this process is none.
pub fn run(words: &[String]) -> Outcome<bool> {
    let [word, what, name, dir, count] = words else { return Ok(false) };
    if word != WORD {
        return Ok(false);
    }
    let engine = engine::all().into_iter().find(|engine| engine.name() == name).ok_or("no such engine")?;
    let keys = Keys::new(count.parse()?);
    let store = engine.open(Path::new(dir), Opening { class: engine.usual(), ordered: false })?;
    if what == "crash" {
        let values = Values::new(100);
        for i in 0..PUTS.min(keys.count) {
            store.put(&keys.key(i), values.value(i, 0))?;
        }
        println!("put");
        kill_self()?;
    }
    if !store.get(&keys.key(keys.count / 2), &mut Vec::new())? {
        return Err("the first get found nothing".into());
    }
    println!("{}", anonymous_bytes()?);
    Ok(true)
}

/// As the kernel does when memory is short: nothing of this process runs any more.
fn kill_self() -> Outcome<()> {
    Command::new("kill").args(["-9", &std::process::id().to_string()]).status()?;
    Err("kill -9 did not kill".into())
}
