//! The engine as scripts that one can read: each tells one part of the story, from an empty directory on a simulated
//! disk. Commands are the library's calls, and what can happen to a machine; output is what they answer and, on demand,
//! what the engine did for it.
//!
//! A place in the log is written `1:40..70`: segment 1, bytes 40 to 70. The clock stands still until `tick`, salts come
//! from a fixed seed. `UPDATE_GOLDENFILES=1 cargo test --test store` writes the output anew.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::error::Error;
use std::fmt::Write as _;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use logkv::disk::Disk;
use logkv::disk::sim::{CrashPolicy, Fault, Geometry, SimDisk};
use logkv::format::record::{FILE_FIELDS, FILE_HEADER_LEN};
use logkv::format::{Field, Origin};
use logkv::store::scan::What;
use logkv::store::{
    Batch, BatchWritten, Condition, Entry, Event, Expiry, Finding, Location, MergeChoice, MergeControl, MergePolicy,
    Observer, PutOptions, Recovery, SyncPolicy, Written,
};
use logkv::{Options, Store};
use support::ManualClock;

const DIR: &str = "/data";

#[derive(goldenscript::Command)]
enum Command {
    /// Opens the directory for writing; with the prefix `reader:`, for reading. Example: open sync=buffered max=200
    Open {
        #[arg(key)]
        sync: Option<SyncPolicy>,
        #[arg(key)]
        max: Option<u64>,
        /// Seconds.
        #[arg(key)]
        age: Option<u64>,
        /// How long values live whose put does not say, in seconds.
        #[arg(key)]
        ttl: Option<u64>,
        #[arg(key)]
        buffer: Option<usize>,
        #[arg(key, optional)]
        strict: bool,
        #[arg(key, optional)]
        inspect: bool,
        #[arg(key, optional)]
        create: bool,
    },
    Close,
    /// The process ends as by `kill -9`; the machine goes on.
    Kill,
    /// The power goes. What no sync made durable is dropped, kept, or torn by a seed. Example: crash torn 3
    Crash(String, Option<u64>),
    /// Time passes. Example: tick 90
    Tick(u64),
    /// The wall clock is set back. Example: back 90
    Back(u64),
    /// Without `ttl`, a value lives as long as the store says; `ttl=0`: for ever. Example: put fruit apple ttl=60 `if_absent=true`
    Put {
        key: String,
        value: String,
        #[arg(key)]
        ttl: Option<u64>,
        #[arg(key, optional)]
        if_absent: bool,
    },
    /// Puts a key and a value of so many bytes. Example: `put_long` 65535 10
    PutLong(usize, usize),
    Get(String),
    GetMany(Vec<String>),
    Delete(String),
    Scan(Option<String>),
    /// Keys from the first to before the second. Example: range b d
    Range(String, String),
    /// Writes a batch. Example: batch "put fruit apple" "delete pear"
    Batch(Vec<String>),
    Sync,
    /// What a merge would do: of everything (`all`), by the policy (`policy`), or of some segments. Example: plan 1 2
    Plan(Vec<String>),
    /// Does it. Example: merge all
    Merge(Vec<String>),
    Refresh,
    Stats,
    Segments,
    Findings,
    /// What the directory's names say.
    Directory,
    /// What the engine did since the last time.
    Events,
    /// The records of a segment. Example: records 1
    Records(u64),
    /// The files, with their lengths.
    Ls,
    /// Changes one bit of a file. Example: flip 0000000001.data 52 0
    Flip(String, u64, u8),
    /// Cuts a file. Example: truncate 0000000001.data 100
    Truncate(String, u64),
    /// Appends zeros. Example: zeros 0000000001.data 64
    Zeros(String, usize),
    /// Cuts a file and keeps what was cut. Example: half 0000000001.data 60
    Half(String, u64),
    /// Appends what `half` cut.
    Rest(String),
    /// Changes a field of a segment's file header, and its checksum. Example: header 0000000001.data version 2
    Header(String, String, u64),
    /// Puts a file there. Example: write notes.txt hello
    Write(String, String),
    /// Takes a file away.
    Remove(String),
    Rename(String, String),
    /// Lets the disk take so many bytes beyond what it has; without a number, as many as one likes.
    Room(Option<u64>),
    /// Lets the disk operation after so many others fail. Example: fault 1 io
    Fault(u64, String),
}

#[derive(Debug, Default)]
struct Trace(Mutex<Vec<String>>);

impl Observer for Trace {
    fn event(&self, event: &Event) {
        if let Some(line) = describe(event) {
            self.0.lock().unwrap().push(line);
        }
    }
}

fn describe(event: &Event) -> Option<String> {
    Some(match event {
        Event::Loading { .. } | Event::LookedUp { .. } | Event::Read { .. } => return None,
        Event::Encoded { kind, bytes } => format!("encode {}, {bytes} bytes", kind.name()),
        Event::Expired { entry, .. } => format!("{} has expired", place(&entry.location)),
        Event::Reloaded => "load anew".to_owned(),
        Event::Appended { kind, location, .. } => format!("append {} at {}", kind.name(), place(location)),
        Event::Synced { segment, stable_len, .. } => format!("sync segment {segment} up to {stable_len}"),
        Event::KeydirMoved { from, to } => {
            let [from, to] = [from, to].map(|at| at.as_ref().map_or_else(|| "nothing".to_owned(), place));
            format!("keydir from {from} to {to}")
        }
        Event::BytesDied { segment, bytes } => format!("{bytes} bytes of segment {segment} are dead"),
        Event::SegmentCreated { segment } => format!("begin segment {segment}"),
        Event::Sealed { segment, bytes } => format!("seal segment {segment} at {bytes}"),
        Event::HintWritten { segment, bytes } => format!("hint of segment {segment}, {bytes} bytes"),
        Event::CheckpointWritten { keys, .. } => format!("checkpoint of {keys} keys"),
        Event::CheckpointFailed { reason } => format!("no checkpoint: {reason}"),
        Event::HintFailed { segment, reason } => format!("no hint of segment {segment}: {reason}"),
        Event::Merging { .. } => return None,
        Event::MergeStarted { inputs, bytes } => format!("merge {inputs:?}, {bytes} bytes"),
        Event::Merged { inputs, outputs, freed_bytes } => {
            format!("merged {inputs:?} into {outputs:?}, {freed_bytes} bytes freed")
        }
        Event::MergeAbandoned { reason } => format!("give the merge up: {reason}"),
        Event::Cut { segment, offset, bytes } => format!("cut segment {segment} at {offset}, {bytes} bytes"),
        Event::Poisoned { reason } => format!("stop writing: {reason}"),
    })
}

fn place(at: &Location) -> String {
    format!("{}:{}..{}", at.segment, at.offset, at.offset + at.len)
}

/// A machine with one directory, and at most one writer and one reader on it.
struct Machine {
    disk: SimDisk,
    clock: Arc<ManualClock>,
    trace: Arc<Trace>,
    writer: Option<Store>,
    reader: Option<Store>,
    /// What `half` has cut.
    rest: Vec<u8>,
}

impl Default for Machine {
    fn default() -> Self {
        let disk = SimDisk::with_geometry(Geometry { page: 64, sector: 16 });
        disk.insert_dir(DIR).unwrap();
        Self { disk, clock: Arc::default(), trace: Arc::default(), writer: None, reader: None, rest: Vec::new() }
    }
}

impl goldenscript::Runner for Machine {
    type Command = Command;

    fn run(&mut self, command: &Command, context: &goldenscript::Context) -> Result<String, Box<dyn Error>> {
        let reads = context.prefix.as_deref() == Some("reader");
        let out = match command {
            Command::Open { .. } => self.open(command, reads)?,
            Command::Close => self.close(reads)?,
            Command::Kill => self.restart(self.disk.kill(), "killed"),
            Command::Crash(policy, seed) => {
                let policy = match policy.as_str() {
                    "drop" => CrashPolicy::Drop,
                    "keep" => CrashPolicy::Keep,
                    "torn" => CrashPolicy::Torn,
                    _ => return Err("drop, keep or torn".into()),
                };
                self.restart(self.disk.crash(policy, seed.unwrap_or(0)), "the power is back")
            }
            Command::Tick(seconds) => {
                self.clock.advance(Duration::from_secs(*seconds));
                String::new()
            }
            Command::Back(seconds) => {
                self.clock.set_back(Duration::from_secs(*seconds));
                String::new()
            }
            Command::Events => std::mem::take(&mut *self.trace.0.lock().unwrap()).join("\n"),
            Command::Ls => self.ls(),
            Command::Flip(name, at, bit) => nothing(self.disk.flip_bit(path(name), at * 8 + u64::from(*bit)))?,
            Command::Truncate(name, len) => nothing(self.disk.truncate(path(name), *len))?,
            Command::Zeros(name, len) => {
                nothing(self.disk.truncate(path(name), (self.bytes(name).len() + len) as u64))?
            }
            Command::Half(name, len) => {
                self.rest = self.bytes(name).split_off(*len as usize);
                nothing(self.disk.truncate(path(name), *len))?
            }
            Command::Rest(name) => {
                let mut bytes = self.bytes(name);
                let len = bytes.len() as u64;
                bytes.append(&mut self.rest);
                self.disk.truncate(path(name), bytes.len() as u64)?;
                nothing(self.disk.poke(path(name), len, &bytes[len as usize..]))?
            }
            Command::Header(name, field, value) => self.header(name, field, *value)?,
            Command::Write(name, text) => nothing(self.disk.insert(path(name), text.as_bytes()))?,
            Command::Remove(name) => nothing(self.disk.delete(path(name)))?,
            Command::Rename(from, to) => nothing(self.disk.rename(path(from).as_ref(), path(to).as_ref()))?,
            Command::Room(bytes) => {
                let used: usize = self.disk.image().values().map(Vec::len).sum();
                self.disk.set_capacity(bytes.map(|bytes| used as u64 + bytes));
                String::new()
            }
            Command::Fault(after, what) => {
                let fault = match what.as_str() {
                    "io" => Fault::Io,
                    "no_space" => Fault::NoSpace,
                    _ => return Err("io or no_space".into()),
                };
                self.disk.fail_at(self.disk.ops() + 1 + after, fault);
                String::new()
            }
            _ => {
                let store = if reads { &self.reader } else { &self.writer };
                answer(store.as_ref().ok_or("not open")?, command)?
            }
        };
        Ok(out)
    }
}

impl Machine {
    fn open(&mut self, command: &Command, reads: bool) -> Result<String, Box<dyn Error>> {
        let Command::Open { sync, max, age, ttl, buffer, strict, inspect, create } = command else {
            panic!("not an open")
        };
        let options = Options {
            sync: sync.unwrap_or(SyncPolicy::Always),
            max_segment_bytes: max.unwrap_or(1 << 20),
            max_segment_age: age.map(Duration::from_secs),
            default_ttl: ttl.map(Duration::from_secs),
            buffer_bytes: buffer.unwrap_or(1 << 20),
            recovery: if *strict { Recovery::Strict } else { Recovery::Tail },
            inspect: *inspect,
            create: *create,
            threads: 1,
            clock: self.clock.clone(),
            seed: 7,
            observers: if reads { Vec::new() } else { vec![self.trace.clone()] },
            ..Options::default()
        };
        let store = match reads {
            true => Store::open_read_only_on(Disk::reader(&self.disk), Path::new(DIR), options),
            false => Store::open_on(Arc::new(self.disk.clone()), Path::new(DIR), options),
        };
        let store = store.map_err(masked)?;
        let stats = store.stats();
        let mut out = format!("{}: {} keys, {} segments\n", store.mode().name(), stats.keys, stats.segments);
        out += &findings(&store.findings());
        if reads {
            self.reader = Some(store);
        } else {
            self.writer = Some(store);
        }
        Ok(out)
    }

    fn close(&mut self, reads: bool) -> Result<String, Box<dyn Error>> {
        let store = if reads { self.reader.take() } else { self.writer.take() };
        store.ok_or("not open")?.close()?;
        Ok(String::new())
    }

    /// What was open is gone; the files are those of `disk`.
    fn restart(&mut self, disk: SimDisk, what: &str) -> String {
        // The old machine has stopped: dropping its stores touches nothing of the new one.
        (self.writer, self.reader) = (None, None);
        self.trace.0.lock().unwrap().clear();
        self.disk = disk;
        format!("{what}\n")
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        self.disk.image()[Path::new(path(name).trim_start_matches('/'))].clone()
    }

    fn header(&self, name: &str, field: &str, value: u64) -> Result<String, Box<dyn Error>> {
        let width = |field: &Field| field.width.len(false, 0, 0) as usize;
        let mut header = self.bytes(name)[..FILE_HEADER_LEN].to_vec();
        let index = FILE_FIELDS.iter().position(|known| known.name == field).ok_or("no such field")?;
        let at: usize = FILE_FIELDS[..index].iter().map(width).sum();
        let len = width(&FILE_FIELDS[index]);
        header[at..at + len].copy_from_slice(&value.to_le_bytes()[..len]);
        let crc = crc32fast::hash(&header[..FILE_HEADER_LEN - 4]);
        header[FILE_HEADER_LEN - 4..].copy_from_slice(&crc.to_le_bytes());
        nothing(self.disk.poke(path(name), 0, &header))
    }

    fn ls(&self) -> String {
        let mut out = String::new();
        for (path, bytes) in self.disk.image() {
            let name = path.strip_prefix("data").unwrap().display().to_string();
            // The lock's text has a process id, and so not always the same length.
            let len = if name == "LOCK" { String::new() } else { format!(" {}", bytes.len()) };
            writeln!(out, "{name}{len}").unwrap();
        }
        out
    }
}

fn path(name: &str) -> String {
    format!("{DIR}/{name}")
}

fn nothing(done: std::io::Result<()>) -> Result<String, Box<dyn Error>> {
    Ok(done.map(|()| String::new())?)
}

/// The one thing in a message that is not the same every time.
fn masked(error: logkv::Error) -> String {
    error.to_string().replace(&format!("process {}", std::process::id()), "process PID")
}

fn choice(words: &[String]) -> Result<MergeChoice, Box<dyn Error>> {
    Ok(match words {
        [all] if all == "all" => MergeChoice::All,
        [policy] if policy == "policy" => MergeChoice::Policy(MergePolicy::default()),
        ids => MergeChoice::Segments(ids.iter().map(|id| id.parse()).collect::<Result<_, _>>()?),
    })
}

fn plan(store: &Store, choice: &MergeChoice) -> Result<String, Box<dyn Error>> {
    let plan = store.merge_plan(choice)?;
    let mut out = String::new();
    for input in &plan.inputs {
        writeln!(out, "{}: {} of {} bytes stay ({})", input.segment, input.kept_bytes, input.bytes, input.why.name())?;
    }
    for (segment, why) in &plan.left_out {
        writeln!(out, "{segment}: left out ({})", why.name())?;
    }
    writeln!(out, "{} bytes written, {} freed", plan.written_bytes, plan.freed_bytes)?;
    store.kept_tombstones(&plan, &mut |kept| {
        let (key, segment, held_by) = (kept.key.escape_ascii(), kept.segment, kept.held_by);
        out += &format!("\"{key}\" stays deleted by {segment}:{}, for the sake of segment {held_by}\n", kept.offset);
    })?;
    Ok(out)
}

fn answer(store: &Store, command: &Command) -> Result<String, Box<dyn Error>> {
    Ok(match command {
        Command::Put { key, value, ttl, if_absent } => {
            let options = put_options(*ttl, *if_absent);
            written(store.put_with(key.as_bytes(), value.as_bytes(), &options)?)
        }
        Command::PutLong(key, value) => written(Some(store.put(&vec![b'k'; *key], &vec![b'v'; *value])?)),
        Command::Delete(key) => written(store.delete(key.as_bytes())?),
        Command::Get(key) => format!("{}\n", got(store.get(key.as_bytes())?)),
        Command::GetMany(keys) => {
            let keys: Vec<&[u8]> = keys.iter().map(String::as_bytes).collect();
            let answers = store.get_many(&keys).into_iter().zip(&keys);
            let line = |(answer, key): (logkv::Result<_>, &&[u8])| {
                let answer = answer.map_or_else(|e| e.to_string(), got);
                format!("{}: {answer}\n", key.escape_ascii())
            };
            answers.map(line).collect()
        }
        Command::Scan(prefix) => store.scan(prefix.as_deref().unwrap_or_default().as_bytes()).map(listed).collect(),
        Command::Range(from, to) => {
            store.range((Bound::Included(from.as_bytes()), Bound::Excluded(to.as_bytes()))).map(listed).collect()
        }
        Command::Batch(lines) => batch(store, lines)?,
        Command::Plan(what) => plan(store, &choice(what)?)?,
        Command::Merge(what) => match store.merge(&choice(what)?, &MergeControl::default())? {
            Some(merged) => format!(
                "{:?} became {:?}: {} bytes written, {} freed, {} live records, tombstones: {} gone, {} stay\n",
                merged.inputs,
                merged.outputs,
                merged.written_bytes,
                merged.freed_bytes,
                merged.records,
                merged.tombstones_dropped,
                merged.tombstones_kept
            ),
            None => "nothing to gain\n".to_owned(),
        },
        Command::Sync => {
            store.sync()?;
            String::new()
        }
        Command::Refresh => {
            let seen = store.refresh()?;
            let (records, new, gone) = (seen.records, seen.new_segments, seen.vanished_segments);
            format!("{records} new records, {new} new segments, {gone} gone\n")
        }
        Command::Stats => stats(store),
        Command::Segments => segments(store),
        Command::Findings => findings(&store.findings()),
        Command::Directory => findings(&store.directory_findings()?),
        Command::Records(id) => records(store, *id)?,
        _ => panic!("not a question for a store"),
    })
}

fn batch(store: &Store, lines: &[String]) -> Result<String, Box<dyn Error>> {
    let mut batch = Batch::new();
    for line in lines {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["put", key, value] => batch.put(key.as_bytes(), value.as_bytes())?,
            ["create", key, value] => {
                batch.put_with(key.as_bytes(), value.as_bytes(), &PutOptions::only(Condition::Absent))?;
            }
            ["delete", key] => batch.delete(key.as_bytes())?,
            _ => return Err("put KEY VALUE, create KEY VALUE or delete KEY".into()),
        }
    }
    let BatchWritten { location, puts, deletes, .. } = store.write(&batch)?;
    let at = location.as_ref().map_or_else(|| "nothing to do".to_owned(), place);
    Ok(format!("{at}: {puts} put, {deletes} deleted\n"))
}

fn put_options(ttl: Option<u64>, if_absent: bool) -> PutOptions {
    let expiry = match ttl {
        None => Expiry::Default,
        Some(0) => Expiry::Never,
        Some(ttl) => Expiry::After(Duration::from_secs(ttl)),
    };
    PutOptions { expiry, condition: if if_absent { Condition::Absent } else { Condition::Always } }
}

fn written(written: Option<Written>) -> String {
    match written {
        None => "nothing to do\n".to_owned(),
        Some(Written { location, superseded: None, .. }) => format!("{}\n", place(&location)),
        Some(Written { location, superseded: Some(old), .. }) => {
            format!("{} instead of {}\n", place(&location), place(&old))
        }
    }
}

fn got(answer: logkv::store::Answer) -> String {
    let value = match answer.value() {
        Some(value) => format!("\"{}\"", value.escape_ascii()),
        None => "no value".to_owned(),
    };
    if answer.suspect { format!("{value}, suspect") } else { value }
}

fn listed((key, entry): (Arc<[u8]>, Entry)) -> String {
    format!("{} at {}\n", key.escape_ascii(), place(&entry.location))
}

fn stats(store: &Store) -> String {
    let stats = store.stats();
    format!(
        "{} keys, {} live bytes, {} dead, {} on disk, {} tombstones, {} expired, {} damaged; {}\n",
        stats.keys,
        stats.live_bytes,
        stats.dead_bytes,
        stats.disk_bytes,
        stats.tombstones,
        stats.expired,
        stats.damaged_bytes,
        if stats.unsynced { "not all durable" } else { "all durable" }
    )
}

fn segments(store: &Store) -> String {
    let mut out = String::new();
    for segment in store.segments() {
        let role = match (segment.origin, segment.active) {
            (Origin::Merge, _) => "merged",
            (Origin::Puts, true) => "active",
            (Origin::Puts, false) => "sealed",
        };
        writeln!(
            out,
            "{}: {role}, {} bytes, {} records: {} live, {} dead, {} tombstones, {} marks{}",
            segment.id,
            segment.bytes,
            segment.records,
            segment.live_records,
            segment.dead_records,
            segment.tombstones,
            segment.marks,
            if segment.has_hint { ", hint" } else { "" }
        )
        .unwrap();
    }
    out
}

fn findings(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let name = finding.path.strip_prefix(DIR).unwrap().display().to_string();
        let name = if name.is_empty() { "the directory".to_owned() } else { name };
        let (severity, kind) = (finding.severity.name(), finding.kind.name());
        let at = finding.offset.map_or_else(String::new, |at| format!(" at {at}"));
        writeln!(out, "{severity}: {kind} in {name}{at}: {}", finding.message).unwrap();
    }
    out
}

fn records(store: &Store, id: u64) -> Result<String, Box<dyn Error>> {
    let mut walk = store.walk(id, 0)?;
    let mut out = String::new();
    while let Some(item) = walk.scanner.next_item()? {
        let end = item.offset + item.len;
        match &item.what {
            What::Gap(gap) => writeln!(out, "{}..{end} does not decode: {}", item.offset, gap.check)?,
            What::Record(record, value) => {
                let fault = value.err().map_or_else(String::new, |check| format!(", {check}"));
                let barrier = if record.barrier { ", all before is durable" } else { "" };
                let batch = if record.batch_continues { ", the batch goes on" } else { "" };
                let key = record.key.escape_ascii();
                writeln!(out, "{}..{end} {} \"{key}\"{barrier}{batch}{fault}", item.offset, record.kind.name())?;
            }
        }
    }
    Ok(out)
}

macro_rules! scripts {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() -> std::io::Result<()> {
            goldenscript::run(&mut Machine::default(), concat!("tests/scripts/store/", stringify!($name)))
        })*

        #[test]
        fn no_script_is_forgotten() {
            let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts/store");
            let names = dir.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<_> = names.collect();
            names.sort();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

scripts! {
    batches conditions crash damage expiry full_disk hints keys limits lock log_and_index
    merge merged newer readers rotation stopped strays sync_policies
}
