//! One line of a batch file: what it asks for.
//!
//! The words and literals are read by [`crate::text`], as in the interface; here is which words there may be. It adds to a
//! batch and writes nothing.

use super::args::{self, Ttl};
use crate::store::{Batch, Condition, Expiry, PutOptions};
use crate::text::{self, CommandLine, FilesAllowed, ValueLiteral, Word};

/// What may stand before the key.
#[derive(Default)]
struct Flags {
    ttl: Option<Ttl>,
    condition: Condition,
}

/// Adds what the line asks for: nothing, where it is blank or a comment. An error is a sentence for the person who wrote
/// the line, already escaped.
pub(super) fn add(batch: &mut Batch, line: &str) -> Result<(), String> {
    let mut words = CommandLine::new(line);
    if words.rest().starts_with('#') {
        return Ok(());
    }
    let Some(command) = word(&mut words)? else { return Ok(()) };
    match command.typed {
        "put" | "set" => put(batch, &mut words),
        "delete" | "del" => delete(batch, &mut words),
        other => Err(format!("{} is no operation; type put or delete", text::escape_str(other))),
    }
}

fn put(batch: &mut Batch, words: &mut CommandLine<'_>) -> Result<(), String> {
    let (flags, key) = flags_and_key(words)?;
    let key = key.ok_or("something is missing; type put KEY VALUE")?;
    let value = match words.take_value(FilesAllowed::No).map_err(|e| e.to_string())? {
        Some(ValueLiteral::Bytes(value)) => value,
        Some(ValueLiteral::File(_)) | None => {
            return Err("something is missing; type put KEY VALUE, where the empty value is \"\"".to_owned());
        }
    };
    let options = PutOptions { expiry: flags.ttl.map_or(Expiry::Default, Ttl::expiry), condition: flags.condition };
    batch.put_with(&key, &value, &options).map_err(|e| e.to_string())
}

fn delete(batch: &mut Batch, words: &mut CommandLine<'_>) -> Result<(), String> {
    let (flags, key) = flags_and_key(words)?;
    if flags.ttl.is_some() || flags.condition == Condition::Absent {
        return Err("delete takes --if-tstamp and nothing else".to_owned());
    }
    let mut key = Some(key.ok_or("something is missing; type delete KEY")?);
    while let Some(this) = key {
        let added = match flags.condition {
            Condition::Tstamp(tstamp) => batch.delete_if(&this, tstamp),
            Condition::Always | Condition::Absent => batch.delete(&this),
        };
        added.map_err(|e| e.to_string())?;
        key = word(words)?.map(|word| word.key()).transpose().map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn flags_and_key(words: &mut CommandLine<'_>) -> Result<(Flags, Option<Vec<u8>>), String> {
    let mut flags = Flags::default();
    let mut word_after = word(words)?;
    while let Some(flag) = word_after.filter(|word| !word.quoted && word.typed.starts_with("--")) {
        let mut argument = || Ok::<_, String>(word(words)?.map_or("", |word| word.typed));
        match flag.typed {
            "--" => {
                word_after = word(words)?;
                break;
            }
            "--ttl" => flags.ttl = Some(args::ttl(argument()?)?),
            "--if-absent" => flags.condition = only_one(flags.condition, Condition::Absent)?,
            "--if-tstamp" => {
                let tstamp = argument()?.parse().map_err(|_| "a tstamp is a number of microseconds since 1970")?;
                flags.condition = only_one(flags.condition, Condition::Tstamp(tstamp))?;
            }
            other => {
                return Err(format!("{} is no option here; a key like that goes after --", text::escape_str(other)));
            }
        }
        word_after = word(words)?;
    }
    let key = word_after.map(|word| word.key()).transpose().map_err(|e| e.to_string())?;
    Ok((flags, key))
}

fn only_one(before: Condition, condition: Condition) -> Result<Condition, String> {
    if before == Condition::Always { Ok(condition) } else { Err("one condition at a time".to_owned()) }
}

fn word<'a>(words: &mut CommandLine<'a>) -> Result<Option<Word<'a>>, String> {
    words.take_word().map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn lens(line: &str) -> (usize, u64) {
        let mut batch = Batch::new();
        add(&mut batch, line).unwrap();
        (batch.len(), batch.encoded_len())
    }

    #[test]
    fn a_value_runs_to_the_end_of_its_line_and_names_no_file() {
        assert_eq!(lens("put --ttl never k {\"n\": 2}"), (1, 24 + 1 + 8));
        assert_eq!(lens("set --ttl never k @file "), (1, 24 + 1 + 6), "taken as it stands, the space too");
        assert_eq!(lens("put --ttl never k \"a\\n\" "), (1, 24 + 1 + 2));
        assert_eq!(lens("put --ttl 1h -- --ttl \"\""), (1, 32 + 5));
        assert_eq!(lens("  delete a \"b c\" 0x00ff"), (3, 25 + 27 + 26));
        assert_eq!(lens("del --if-tstamp 5 a"), (1, 25));
        assert_eq!((lens(""), lens("   "), lens(" # put k v")), ((0, 0), (0, 0), (0, 0)));
    }

    #[test]
    fn a_fault_says_what_to_type() {
        let cases = [
            ("push k v", "push is no operation; type put or delete"),
            ("put", "something is missing; type put KEY VALUE"),
            ("put k", "something is missing; type put KEY VALUE, where the empty value is \"\""),
            ("delete", "something is missing; type delete KEY"),
            ("put --tll 1h k v", "--tll is no option here; a key like that goes after --"),
            ("put --if-absent --if-tstamp 5 k v", "one condition at a time"),
            ("put --if-tstamp k v", "a tstamp is a number of microseconds since 1970"),
            ("delete --ttl 1h k", "delete takes --if-tstamp and nothing else"),
        ];
        for (line, told) in cases {
            let mut batch = Batch::new();
            assert_eq!(add(&mut batch, line), Err(told.to_owned()), "{line}");
            assert!(batch.is_empty());
        }
        assert!(add(&mut Batch::new(), "put \"k v").is_err_and(|told| told.contains("column")));
    }
}
