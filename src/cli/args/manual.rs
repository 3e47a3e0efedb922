//! What the commands take that tell shells and `man` about the program. Every doc comment here is a line of help.

use clap::Args;
use clap_complete::Shell;

/// `logkv completions`
#[derive(Debug, Args)]
#[command(after_help = "\
bash   logkv completions bash > ~/.local/share/bash-completion/completions/logkv
zsh    logkv completions zsh > ~/.zfunc/_logkv, with ~/.zfunc in fpath before compinit
fish   logkv completions fish > ~/.config/fish/completions/logkv.fish")]
pub(in crate::cli) struct Completions {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub(in crate::cli) shell: Shell,
}

/// `logkv man`
#[derive(Debug, Args)]
#[command(after_help = "\
To read it: logkv man | man -l -
To keep it: logkv man > /usr/local/share/man/man1/logkv.1, and the same for each command, as logkv-get.1")]
pub(in crate::cli) struct Man {
    /// The page of this command
    #[arg(value_name = "COMMAND")]
    pub(in crate::cli) command: Option<String>,
}
