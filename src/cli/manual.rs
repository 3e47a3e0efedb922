//! `completions` and `man`: the definitions of the command line, told to shells and to `man`. Nothing is written by hand, so
//! that nothing can differ from what the program takes.

use clap::CommandFactory;

use super::args::{Cli, Completions, Man};
use super::exit::{Exit, Usage};
use super::session::Session;
use crate::text;

const NAME: &str = "logkv";

/// `logkv completions`
pub(super) fn completions(session: &mut Session, args: &Completions) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    session.out.raw(&script)?;
    Ok(Exit::Yes)
}

/// `logkv man`: the page of the whole program, or of one command.
pub(super) fn man(session: &mut Session, args: &Man) -> anyhow::Result<Exit> {
    let mut program = Cli::command();
    // Tells each command the name of the program that it belongs to.
    program.build();
    let command = match &args.command {
        None => &program,
        Some(name) => program.find_subcommand(name).ok_or_else(|| {
            Usage(format!("there is no command {}; `logkv --help` lists them", text::escape_str(name)))
        })?,
    };
    let mut page = Vec::new();
    let source = format!("{NAME} {}", env!("CARGO_PKG_VERSION"));
    clap_mangen::Man::new(command.clone()).source(source).render(&mut page)?;
    session.out.raw(&page)?;
    Ok(Exit::Yes)
}
