//! `import`: rows from texts and directories into the store. What a source is, is decided before the store is made.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{anyhow, bail};
use serde::Serialize;

use super::args::{Import, SourceFormat};
use super::exit::{Exit, Usage};
use super::place::explain;
use super::progress::Progress;
use super::session::{Notes, Session};
use crate::disk::RealDisk;
use crate::inspect::{self, Detected};
use crate::store::{Options, Store, SyncPolicy};
use crate::text;
use crate::transfer::{
    self, CsvReader, ImportNews, ImportOptions, Imported, JsonlReader, Place, Source, Stopped, StoreReader, TextFormat,
    Why, sniff,
};

/// What a text is called that has no name.
const STANDARD_INPUT: &str = "standard input";
/// Much is read ahead, so that few calls are made.
const BUFFER: usize = 1 << 20;
/// Suspect keys that are named; the others are counted.
const NAMED_SUSPECTS: u64 = 10;

/// `logkv import`
pub(super) fn import(session: &mut Session, args: &Import) -> anyhow::Result<Exit> {
    session.may_write()?;
    let Opened { mut source, bytes, is_store } = open(session, args)?;
    let store = session.write_with(true, SyncPolicy::Buffered)?;
    let started = Instant::now();
    let mut telling = Telling { progress: Progress::new(session), notes: &session.notes, bytes, suspects: 0 };
    let options = ImportOptions { keep_going: args.keep_going || is_store, ..ImportOptions::default() };
    let result = transfer::import(&store, &mut *source, options, &mut |news| telling.tell(news));
    telling.progress.erase();
    let closed = store.close();
    let (imported, why) = match result {
        Ok(imported) => (imported, None),
        Err(stopped) => {
            let Stopped { why, imported } = *stopped;
            (imported, Some(why))
        }
    };
    report(session, &imported, why.as_ref(), started)?;
    let exit = match why {
        Some(why) => stopped(session, why, &imported),
        None if imported.faults > 0 => Exit::Damaged,
        None => Exit::Yes,
    };
    closed.map_err(anyhow::Error::from).or_else(|error| if exit == Exit::Yes { Err(error) } else { Ok(()) })?;
    Ok(exit)
}

struct Opened {
    source: Box<dyn Source>,
    /// Bytes to be read, where that is known.
    bytes: Option<u64>,
    is_store: bool,
}

fn open(session: &Session, args: &Import) -> anyhow::Result<Opened> {
    let path = &args.source;
    if path.as_os_str() == "-" {
        return standard_input(session, args);
    }
    if !path.is_dir() {
        return file(args);
    }
    if args.from_line.is_some() {
        return Err(Usage("--from-line is for JSONL and CSV; a directory has no lines".into()).into());
    }
    directory(session, args)
}

fn standard_input(session: &Session, args: &Import) -> anyhow::Result<Opened> {
    let format = match args.from {
        None | Some(SourceFormat::Jsonl) => TextFormat::Jsonl,
        Some(SourceFormat::Csv) => TextFormat::Csv,
        Some(SourceFormat::Store(_)) => {
            return Err(Usage("a store is imported from its directory, not from standard input".into()).into());
        }
    };
    if io::stdin().is_terminal() {
        session.notes.hint("reading rows from the terminal; Ctrl-d ends them");
    }
    let text = BufReader::with_capacity(BUFFER, io::stdin());
    Ok(Opened { source: reader(text, Path::new(STANDARD_INPUT), format, args)?, bytes: None, is_store: false })
}

fn file(args: &Import) -> anyhow::Result<Opened> {
    let path = &args.source;
    let failed = |error: io::Error| anyhow!("cannot read {}: {error}", text::path(path));
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let mut text = BufReader::with_capacity(BUFFER, file);
    let format = match args.from {
        Some(SourceFormat::Jsonl) => TextFormat::Jsonl,
        Some(SourceFormat::Csv) => TextFormat::Csv,
        Some(SourceFormat::Store(_)) => bail!("{} is a file; a store is imported from its directory", text::path(path)),
        None => guess(path, text.fill_buf().map_err(failed)?)?,
    };
    let bytes = metadata.is_file().then_some(metadata.len());
    Ok(Opened { source: reader(text, path, format, args)?, bytes, is_store: false })
}

fn guess(path: &Path, start: &[u8]) -> anyhow::Result<TextFormat> {
    sniff(start).map_err(|why| match inspect::detect(&RealDisk, path) {
        Ok(Detected::SegmentFile(format, _)) => anyhow!(
            "{} is a segment file of the {format} format; import the directory that it lies in",
            text::path(path)
        ),
        _ => anyhow!("{} cannot be imported: {why}", text::path(path)),
    })
}

fn reader(
    text: impl BufRead + 'static,
    name: &Path,
    format: TextFormat,
    args: &Import,
) -> anyhow::Result<Box<dyn Source>> {
    let from_line = args.from_line.unwrap_or(1);
    Ok(match format {
        TextFormat::Jsonl => Box::new(JsonlReader::new(text, name, from_line)?),
        TextFormat::Csv => Box::new(CsvReader::new(text, name, from_line)?),
    })
}

fn directory(session: &Session, args: &Import) -> anyhow::Result<Opened> {
    let path = &args.source;
    if is_same(path, &session.global.dir) {
        return Err(Usage(format!("{} cannot be imported into itself; -d names another", text::path(path))).into());
    }
    let from = match args.from {
        Some(SourceFormat::Store(format)) => Some(format),
        Some(_) => bail!("{} is a directory, not a text", text::path(path)),
        None => session.global.from.format,
    };
    let members = match inspect::detect(&RealDisk, path)? {
        Detected::Root(members) => members,
        _ => vec![path.clone()],
    };
    let options = Options { from, recovery: session.global.recovery(), ..Options::default() };
    let open = |dir: &PathBuf| Store::open_read_only(dir, options.clone()).map_err(|error| explain(dir, error));
    let stores = members.iter().map(open).collect::<anyhow::Result<Vec<_>>>()?;
    stores.iter().for_each(|store| session.warn_of_damage(store));
    let source = StoreReader::new(stores);
    let bytes = Some(source.bytes_to_read());
    Ok(Opened { source: Box::new(source), bytes, is_store: true })
}

fn is_same(a: &Path, b: &Path) -> bool {
    a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}

/// What is told on the way, on standard error.
struct Telling<'a> {
    progress: Progress,
    notes: &'a Notes,
    bytes: Option<u64>,
    suspects: u64,
}

impl Telling<'_> {
    fn tell(&mut self, news: ImportNews<'_>) {
        match news {
            ImportNews::Read { bytes } => return self.progress.bytes(bytes, self.bytes),
            ImportNews::Suspect { .. } if self.suspects >= NAMED_SUSPECTS => {}
            _ => self.progress.erase(),
        }
        match news {
            ImportNews::Fault(fault) => self.notes.error(&anyhow!("{fault}")),
            ImportNews::Suspect { key, place } => {
                self.suspects += 1;
                if self.suspects <= NAMED_SUSPECTS {
                    let key = text::key_word(key);
                    self.notes.warn(&format!("damage in the source may hide a newer version of {key} than at {place}"));
                }
            }
            ImportNews::Durable(place) if self.notes.verbose => self.notes.hint(&format!("durable up to {place}")),
            ImportNews::Durable(_) | ImportNews::Read { .. } => {}
        }
    }
}

/// Why it stopped, what is in all the same, and how it goes on.
fn stopped(session: &Session, why: Why, imported: &Imported) -> Exit {
    let dir = text::path(&session.global.dir);
    let so_far = match &imported.durable {
        Some(place) => format!("everything up to {place} is in {dir} and durable"),
        None => format!("nothing of it is in {dir}"),
    };
    let (exit, sentence) = match why {
        Why::Fault(fault) => (
            Exit::Damaged,
            format!("{fault}; {so_far}; put the line right and import again, or pass over it with --keep-going"),
        ),
        Why::Source(error) => {
            (Exit::of_store(&error), format!("{error}; {so_far}; the same import again goes on from there"))
        }
        Why::Store(error) => {
            (Exit::of_store(&error), format!("{error}; {so_far}; the same import again goes on from there"))
        }
    };
    session.notes.error(&anyhow!("{sentence}"));
    exit
}

fn report(session: &mut Session, imported: &Imported, why: Option<&Why>, started: Instant) -> anyhow::Result<()> {
    for (name, line) in &imported.ignored {
        session
            .notes
            .warn(&format!("{} is no field of a row and was left out, first on line {line}", text::escape_str(name)));
    }
    if imported.suspect > NAMED_SUSPECTS {
        session
            .notes
            .warn(&format!("{} keys in all may have newer versions that damage hides", text::count(imported.suspect)));
    }
    let skipped = imported.unchanged + imported.expired + imported.older;
    if session.out.is_json() {
        return session.out.json(&Row {
            imported: imported.imported,
            skipped,
            unchanged: imported.unchanged,
            expired: imported.expired,
            older: imported.older,
            suspect: imported.suspect,
            faults: imported.faults,
            bytes: imported.bytes,
            took_ms: started.elapsed().as_secs_f64() * 1e3,
            complete: why.is_none(),
            durable_line: match imported.durable {
                Some(Place::Line(line)) => Some(line),
                _ => None,
            },
        });
    }
    if session.global.quiet {
        return Ok(());
    }
    session.out.line(&format!(
        "imported {}{}, {} {}; read {} in {}",
        text::count(imported.imported),
        skipped_words(imported, skipped),
        text::count(imported.faults),
        if imported.faults == 1 { "fault" } else { "faults" },
        text::size(imported.bytes),
        text::duration(started.elapsed())
    ))
}

fn skipped_words(imported: &Imported, skipped: u64) -> String {
    let kinds =
        [(imported.unchanged, "there already"), (imported.expired, "expired"), (imported.older, "older versions")];
    let kinds: Vec<String> = kinds
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", text::count(*number)))
        .collect();
    if kinds.is_empty() {
        return String::new();
    }
    format!(", skipped {} ({})", text::count(skipped), kinds.join(", "))
}

#[derive(Serialize)]
struct Row {
    imported: u64,
    skipped: u64,
    unchanged: u64,
    expired: u64,
    older: u64,
    suspect: u64,
    faults: u64,
    bytes: u64,
    took_ms: f64,
    complete: bool,
    /// The last line that is durable with all before it.
    durable_line: Option<u64>,
}
