//! The command line: arguments in, text or JSON out, an exit code at the end.
//!
//! A face and nothing more: it asks the engine and the inspector, and prints. It must not know a byte layout, and it
//! opens a store for writing only in the commands that write.
//!
//! # Invariants
//!
//! 1. Names, exit codes and JSON fields are a contract with scripts: fields may be added, none renamed.
//! 2. Untrusted bytes reach a terminal only through [`crate::text`].
//! 3. Answers go to standard output, everything else to standard error, one sentence each.

mod args;
mod batch;
mod batch_line;
mod bench;
mod checkpoint;
mod delete;
mod demo;
mod dump;
mod exit;
mod export;
mod history;
mod import;
mod inspect;
mod interface;
mod interrupt;
mod look;
mod manual;
mod merge;
mod nearest;
mod output;
mod place;
mod progress;
mod read;
mod records;
mod repair;
mod restore;
mod session;
mod snapshot;
mod usage;
mod verify;
mod words;
mod write;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use exit::Exit;
use session::Session;

/// Runs the program on this process's arguments and says how it should end.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli.resolved(),
        Err(error) => return usage::answer(&error).into(),
    };
    let mut session = Session::new(cli.global);
    let result = dispatch(&mut session, cli.command, &cli.path).and_then(|exit| session.out.finish().map(|()| exit));
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = Exit::of(&error);
            if exit != Exit::Yes {
                session.notes.error(&error);
            }
            exit.into()
        }
    }
}

fn dispatch(session: &mut Session, command: Option<Command>, path: &[std::path::PathBuf]) -> anyhow::Result<Exit> {
    match command {
        None => interface::run(session, path),
        Some(Command::Get(args)) => read::get(session, &args),
        Some(Command::List(args)) => read::list(session, &args),
        Some(Command::Put(args)) => write::put(session, &args),
        Some(Command::Batch(args)) => batch::batch(session, &args),
        Some(Command::Delete(args)) => delete::delete(session, &args),
        Some(Command::Stats(_)) => look::stats(session),
        Some(Command::Segments(_)) => look::segments(session),
        Some(Command::Records(args)) => records::records(session, &args),
        Some(Command::Dump(args)) => dump::dump(session, &args),
        Some(Command::History(args)) => history::history(session, &args),
        Some(Command::Inspect(args)) => inspect::inspect(session, &args),
        Some(Command::Verify(_)) => verify::verify(session),
        Some(Command::Repair(args)) => repair::repair(session, &args),
        Some(Command::Merge(args)) => merge::merge(session, &args),
        Some(Command::Import(args)) => import::import(session, &args),
        Some(Command::Export(args)) => export::export(session, &args),
        Some(Command::Snapshot(args)) => snapshot::snapshot(session, &args),
        Some(Command::Restore(args)) => restore::restore(session, &args),
        Some(Command::Demo(args)) => demo::demo(session, &args),
        Some(Command::Bench(args)) => bench::bench(session, &args),
        Some(Command::Completions(args)) => manual::completions(session, &args),
        Some(Command::Man(args)) => manual::man(session, &args),
    }
}
