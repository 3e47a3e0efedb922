//! The help, made from the table of keys and the table of commands: lines without a terminal's types.

use super::command::COMMANDS;
use super::keymap::{BINDINGS, Context};

/// One line of the help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A section begins.
    Heading(&'static str),
    /// A key or a command, and a sentence on it.
    Entry(String, &'static str),
    /// An empty line.
    Gap,
}

/// All lines of the help.
pub fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    let mut section: Option<Context> = None;
    for binding in BINDINGS {
        if section != Some(binding.context) {
            if section.is_some() {
                lines.push(Line::Gap);
            }
            lines.push(Line::Heading(binding.context.title()));
            section = Some(binding.context);
        }
        let keys: Vec<_> = binding.keys.iter().map(|key| key.label()).collect();
        lines.push(Line::Entry(keys.join(" "), binding.help));
    }
    lines.push(Line::Gap);
    lines.push(Line::Heading("Commands"));
    lines.extend(COMMANDS.iter().map(|spec| Line::Entry(spec.to_string(), spec.help)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_both_tables_is_explained() {
        let lines = lines();
        for help in BINDINGS.iter().map(|b| b.help).chain(COMMANDS.iter().map(|c| c.help)) {
            assert!(help.chars().count() <= 55, "too long for a screen of 80 cells: {help}");
            assert!(lines.iter().any(|line| matches!(line, Line::Entry(_, text) if *text == help)), "{help}");
        }
    }
}
