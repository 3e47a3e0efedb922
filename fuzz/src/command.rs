//! The interface's command line: read, explained, completed, and written back.

use logkv::text::{ValueLiteral, escape, key_word};
use logkv::tui::command::{Command, Completion, Fault, completion, delete_line, parse, usage_hint};

use super::text::printable;

/// A line as it is typed, with the cursor at each place of it.
pub fn line(input: &[u8]) {
    let line = String::from_utf8_lossy(input);
    match parse(&line) {
        Ok(None) => assert!(line.chars().all(|c| c == ' ')),
        Ok(Some(command)) => read_back(&command),
        Err(fault) => explained(&fault, &line),
    }
    printable(&usage_hint(&line));
    for cursor in 0..=line.len() {
        let (word, completion) = completion(&line, cursor);
        assert!(line.get(word.start..word.end).is_some(), "what would be replaced is part of the line");
        if let Completion::Words(names) = completion {
            assert!(names.iter().all(|name| name.starts_with(word.typed)));
        }
    }
}

/// A command with keys, typed as the interface would type it, is the same command.
fn read_back(command: &Command) {
    let line = match command {
        Command::Put { key, value: ValueLiteral::Bytes(value) } => {
            format!("put {} \"{}\"", key_word(key), escape(value).to_string().replace('"', "\\\""))
        }
        Command::Get { key } => format!("get {}", key_word(key)),
        Command::Delete { keys } => keys.iter().fold("delete".to_owned(), |line, key| line + " " + &key_word(key)),
        _ => return,
    };
    printable(&line);
    assert_eq!(parse(&line).as_ref(), Ok(&Some(command.clone())), "{line}");
    if let Command::Delete { keys } = command
        && let [key] = &keys[..]
    {
        assert_eq!(delete_line(key), line);
    }
}

fn explained(fault: &Fault, line: &str) {
    printable(&fault.to_string());
    if let Fault::Literal(e) = fault {
        assert!((1..=line.chars().count() + 1).contains(&e.column), "column {} of {line:?}", e.column);
    }
}
