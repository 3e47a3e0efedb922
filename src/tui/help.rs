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

/// The lines of the help that hold `filter`, in letters of either case, under their headings; all of them if it is empty.
pub fn lines(filter: &str) -> Vec<Line> {
    let filter = filter.to_lowercase();
    let holds = |text: &str| text.to_lowercase().contains(&filter);
    let kept = |line: &Line| match line {
        Line::Entry(keys, help) => holds(keys) || holds(help),
        Line::Heading(_) => true,
        Line::Gap => filter.is_empty(),
    };
    let mut lines: Vec<Line> = all().into_iter().filter(kept).collect();
    let is_heading = |line: Option<&Line>| matches!(line, Some(Line::Heading(_)));
    let bare: Vec<bool> = (0..lines.len())
        .map(|at| is_heading(lines.get(at)) && (at + 1 == lines.len() || is_heading(lines.get(at + 1))))
        .collect();
    let mut bare = bare.into_iter();
    lines.retain(|_| !bare.next().unwrap_or(false));
    lines
}

fn all() -> Vec<Line> {
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
    fn a_filter_keeps_what_holds_it_under_its_heading() {
        let lines = lines("CLIPBOARD");
        assert!(lines.iter().all(|line| match line {
            Line::Entry(_, help) => help.to_lowercase().contains("clipboard"),
            Line::Heading(_) => true,
            Line::Gap => false,
        }));
        assert!(matches!(lines.as_slice(), [Line::Heading(_), Line::Entry(..), ..]), "{lines:?}");
        assert_eq!(super::lines("no line says this"), []);
    }

    #[test]
    fn every_row_of_both_tables_is_explained() {
        let lines = lines("");
        for help in BINDINGS.iter().map(|b| b.help).chain(COMMANDS.iter().map(|c| c.help)) {
            assert!(help.chars().count() <= 55, "too long for a screen of 80 cells: {help}");
            assert!(lines.iter().any(|line| matches!(line, Line::Entry(_, text) if *text == help)), "{help}");
        }
    }
}
