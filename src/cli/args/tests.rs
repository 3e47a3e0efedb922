//! Command lines, and what they come to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Cli {
    Cli::try_parse_from(line.split(' ')).map(Cli::resolved).unwrap()
}

#[test]
fn the_definitions_agree_with_each_other() {
    Cli::command().debug_assert();
}

#[test]
fn options_stand_before_or_after_the_command() {
    for line in ["logkv -d x --format json get k", "logkv get k --format json -d x", "logkv get -d x k --format json"] {
        let cli = parse(line);
        assert_eq!((cli.global.dir, cli.global.format), (PathBuf::from("x"), OutputFormat::Json), "{line}");
    }
}

#[test]
fn from_is_a_format_everywhere_and_in_records_an_offset() {
    assert_eq!(parse("logkv --from riak get k").global.from.format, Some(FormatKind::Riak));
    assert_eq!(parse("logkv get k --from riak").global.from.format, Some(FormatKind::Riak));
    let cli = parse("logkv --from riak records 3 --from 96");
    assert_eq!(cli.global.from.format, Some(FormatKind::Riak));
    let Some(Command::Records(records)) = cli.command else { panic!("another command") };
    assert_eq!((records.segment, records.offset), (Some(3), Some(96)));
}

#[test]
fn values_and_keys_may_begin_with_a_hyphen() {
    for (line, key, value) in [
        ("logkv put k -5", "k", "-5"),
        ("logkv put k --x", "k", "--x"),
        ("logkv put -5 -x --ttl 5s", "-5", "-x"),
        ("logkv put k -5 --format json", "k", "-5"),
        ("logkv put -- -k --ttl", "-k", "--ttl"),
    ] {
        let Some(Command::Put(put)) = parse(line).command else { panic!("another command") };
        assert_eq!((put.key, put.value), (key.into(), Some(value.into())), "{line}");
    }
}

#[test]
fn a_word_that_is_no_command_is_a_path() {
    let cli = parse("logkv gett k");
    assert!(cli.command.is_none());
    assert_eq!(cli.path, [PathBuf::from("gett"), PathBuf::from("k")]);
}
