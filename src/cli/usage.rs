//! What clap has to say, in this program's voice: help and version as they are, faults as one escaped sentence.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::exit::{Exit, Usage};
use super::session::Notes;
use crate::text;
use crate::transfer::ExportFormat;

/// Prints what ended the parsing.
pub(super) fn answer(error: &clap::Error) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A reader that went away has seen enough of the help.
        let _ = error.print();
        return Exit::Yes;
    }
    let sentence = sentence(&error.render().to_string());
    let sentence = instead(error).map_or(sentence.clone(), |tip| format!("{sentence}; {tip}"));
    Notes::plain().error(&Usage(sentence).into());
    Exit::Usage
}

/// `--format` is how answers are printed, everywhere; what `export` writes has an option of its own.
fn instead(error: &clap::Error) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let format: ExportFormat = text(ContextKind::InvalidValue)?.parse().ok()?;
    let is_format = text(ContextKind::InvalidArg)?.starts_with("--format ");
    is_format.then(|| format!("what export writes is chosen with --as {}", format.name()))
}

/// Joins the paragraphs of clap's message. The arguments in it are the user's, so every line is escaped.
fn sentence(message: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut usage = false;
    for line in message.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with("For more information") {
            continue;
        }
        // The usage of the whole program has columns, what they say is in its help.
        usage |= line.starts_with("Usage: ");
        let line = if usage { line.split("  ").next().unwrap_or_default() } else { line };
        let line = text::escape_str(line.trim_start_matches("error: ").trim_start_matches("tip: ")).to_string();
        match parts.last_mut() {
            Some(last) if last.ends_with(':') => *last = format!("{last} {line}"),
            Some(last) if last.contains("not provided: <") && line.starts_with('<') => *last = format!("{last} {line}"),
            _ => parts.push(line),
        }
    }
    parts.join("; ").replace("; Usage: ", "; usage: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_one_line_with_its_tip_and_usage() {
        let message = "error: unexpected argument '--fromat' found\n\n  tip: a similar argument exists: '--format'\n\n\
                       Usage: logkv get --format <FORMAT> <KEY>...\n\nFor more information, try '--help'.\n";
        assert_eq!(
            sentence(message),
            "unexpected argument '--fromat' found; a similar argument exists: '--format'; \
             usage: logkv get --format <FORMAT> <KEY>..."
        );
    }

    #[test]
    fn the_usage_of_the_whole_program_loses_its_columns() {
        let message =
            "error: unexpected argument '--a  b' found\n\nUsage: logkv [PATH]       open\n       logkv COMMAND    do\n";
        assert_eq!(sentence(message), "unexpected argument '--a  b' found; usage: logkv [PATH]; logkv COMMAND");
    }

    #[test]
    fn missing_arguments_are_named_in_the_same_sentence() {
        let message =
            "error: the following required arguments were not provided:\n  <KEY>\n  <VALUE>\n\nUsage: logkv x\n";
        assert_eq!(
            sentence(message),
            "the following required arguments were not provided: <KEY> <VALUE>; usage: logkv x"
        );
    }

    #[test]
    fn escape_sequences_in_arguments_are_shown_and_not_sent() {
        assert!(!sentence("error: unexpected argument '--\x1b[2J' found").contains('\x1b'));
    }
}
