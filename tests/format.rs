//! The layouts as scripts that one can read: commands write or load a segment, output is its bytes with a name beside
//! each field. The names and widths come from the crate's tables, the bytes from its encoder.
//!
//! `UPDATE_GOLDENFILES=1 cargo test --test format` writes the output anew.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::error::Error;
use std::fmt::Write as _;

use logkv::format::record::{NewRecord, encode, encode_file_header};
use logkv::format::{Decoded, Field, FileHeader, FormatKind, HintEntry, Kind, Origin, Role, hint};

/// The salt is chosen at random by the store; here it is always this one.
const SALT: u32 = 0x5eed_1234;
const SECOND: u64 = 1_000_000;
/// The first second of the scripts: 2025-01-01 00:00 UTC.
const START: u64 = 1_735_689_600 * SECOND;

#[test]
fn native() -> std::io::Result<()> {
    goldenscript::run(&mut Segment::default(), "tests/scripts/format/native")
}

#[test]
fn foreign() -> std::io::Result<()> {
    goldenscript::run(&mut Segment::default(), "tests/scripts/format/foreign")
}

#[derive(goldenscript::Command)]
enum Command {
    /// Begins a native segment. Example: begin 7
    Begin(u32),
    /// Appends a put. Example: put user:1 Ada ttl=60
    Put {
        key: String,
        value: String,
        #[arg(key)]
        ttl: Option<u64>,
    },
    /// Appends a tombstone. Example: delete user:1
    Delete(String),
    /// Appends a mark: all bytes so far are on stable storage.
    Mark,
    /// Shows the hint of the segment.
    Hint,
    /// Loads a fixture's segment file. Example: load riak riak/riak-small/1.bitcask.data
    Load(String, String),
    /// Shows the record at an offset. Example: record 40
    Record(usize),
    /// Shows the entry of a loaded hint at an offset. Example: `hint_entry` riak/riak-small/1.bitcask.hint 0
    HintEntry(String, usize),
    /// What the decoder says of bytes at an offset: all that there are, or the first few. Example: decode 40 len=10
    Decode {
        offset: usize,
        #[arg(key)]
        len: Option<usize>,
    },
    /// Changes one bit. Example: flip 52 0
    Flip(usize, u8),
    /// Appends zeros. Example: zeros 64
    Zeros(usize),
}

/// A segment file in memory, and what its hint would say.
struct Segment {
    kind: FormatKind,
    header: FileHeader,
    bytes: Vec<u8>,
    hint: hint::HintBuilder,
    now: u64,
}

impl Default for Segment {
    fn default() -> Self {
        let (kind, header, hint) = (FormatKind::Native, FileHeader::NONE, hint::HintBuilder::default());
        Self { kind, header, bytes: Vec::new(), hint, now: START }
    }
}

impl goldenscript::Runner for Segment {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &goldenscript::Context) -> Result<String, Box<dyn Error>> {
        match command {
            Command::Begin(id) => Ok(self.begin(*id)),
            Command::Put { key, value, ttl } => {
                let now = self.tick();
                let expires_at = ttl.map(|seconds| now + seconds * SECOND);
                Ok(self.append(&NewRecord { expires_at, ..NewRecord::put(key.as_bytes(), value.as_bytes(), now) }))
            }
            Command::Delete(key) => {
                let now = self.tick();
                Ok(self.append(&NewRecord::tombstone(key.as_bytes(), now)))
            }
            Command::Mark => {
                let stable = (self.bytes.len() as u64).to_le_bytes();
                let now = self.tick();
                Ok(self.append(&NewRecord::mark(&stable, now)))
            }
            Command::Hint => Ok(self.show_hint()),
            Command::Load(format, path) => self.load(format, path),
            Command::Record(offset) => self.show_record(*offset),
            Command::HintEntry(path, offset) => self.show_hint_entry(path, *offset),
            Command::Decode { offset, len } => self.decode(*offset, *len),
            Command::Flip(at, bit) => {
                *self.bytes.get_mut(*at).ok_or("beyond the end")? ^= 1 << bit;
                Ok(String::new())
            }
            Command::Zeros(len) => {
                self.bytes.resize(self.bytes.len() + len, 0);
                Ok(String::new())
            }
        }
    }
}

impl Segment {
    /// A second passes between records.
    fn tick(&mut self) -> u64 {
        self.now += SECOND;
        self.now
    }

    fn begin(&mut self, id: u32) -> String {
        *self = Self::default();
        encode_file_header(id, SALT, self.now, Origin::Puts, &mut self.bytes);
        self.header = self.kind.format().file_header(&self.bytes).unwrap();
        dump(self.kind.format().file_header_fields(), &self.bytes, 0, false, 0, 0)
    }

    fn append(&mut self, record: &NewRecord<'_>) -> String {
        let offset = self.bytes.len();
        encode(record, self.header.salt, offset as u64, &mut self.bytes);
        match record.kind {
            Kind::Mark => self.hint.add_mark(record.tstamp),
            _ => {
                let format = self.kind.format();
                let Decoded::Record(record) = format.decode(&self.header, offset as u64, &self.bytes[offset..]) else {
                    panic!("what was encoded does not decode");
                };
                self.hint.add(&HintEntry::of(&record, offset as u64));
            }
        }
        self.show_record(offset).unwrap()
    }

    fn load(&mut self, format: &str, path: &str) -> Result<String, Box<dyn Error>> {
        let kind = FormatKind::by_name(format).ok_or("no such format")?;
        *self = Self { kind, bytes: std::fs::read(support::fixture(path))?, ..Self::default() };
        Ok(format!("{} bytes\n", self.bytes.len()))
    }

    fn show_record(&self, offset: usize) -> Result<String, Box<dyn Error>> {
        let format = self.kind.format();
        let bytes = self.bytes.get(offset..).ok_or("beyond the end")?;
        let Decoded::Record(record) = format.decode(&self.header, offset as u64, bytes) else {
            return Err(self.decode(offset, None)?.into());
        };
        let with_expiry = record.expires_at.is_some();
        Ok(dump(format.record_fields(), bytes, offset, with_expiry, record.key.len() as u64, record.stored_len))
    }

    fn show_hint(&mut self) -> String {
        let builder = std::mem::take(&mut self.hint);
        let id = self.header.id.unwrap_or_default() as u32;
        let bytes = builder.finish(id, self.header.salt, self.bytes.len() as u64);
        let hint = FormatKind::Native.format().hint(&bytes).unwrap().unwrap();
        let mut out = dump(&hint::FILE_FIELDS, &bytes, 0, false, 0, 0);
        let mut at = fields_len(&hint::FILE_FIELDS, false, 0);
        for entry in hint.entries() {
            let (with_expiry, key_len) = (entry.expires_at.is_some(), entry.key.len() as u64);
            out += &dump(&hint::FIELDS, &bytes[at..], at, with_expiry, key_len, 0);
            at += fields_len(&hint::FIELDS, with_expiry, key_len);
        }
        let crc = bytes.len() - 4;
        out += &line(at, &bytes[at..crc], "bloom filter", "");
        out + &line(crc, &bytes[crc..], "crc", &format!("{:08x}", u32::from_le_bytes(bytes[crc..].try_into().unwrap())))
    }

    fn show_hint_entry(&self, path: &str, offset: usize) -> Result<String, Box<dyn Error>> {
        let fields = self.kind.format().hint_entry_fields();
        let bytes = std::fs::read(support::fixture(path))?;
        let bytes = bytes.get(offset..).ok_or("beyond the end")?;
        // In every layout the key's length stands before what it measures.
        let at = fields_len(fields.split(|field| field.name == "key length").next().unwrap(), false, 0);
        let field = fields.iter().find(|field| field.name == "key length").unwrap();
        let key_len = field.encoding.number(&bytes[at..at + field.width.len(false, 0, 0) as usize]).unwrap();
        Ok(dump(fields, bytes, offset, false, key_len, 0))
    }

    fn decode(&self, offset: usize, len: Option<usize>) -> Result<String, Box<dyn Error>> {
        let all = self.bytes.get(offset..).ok_or("beyond the end")?;
        let bytes = &all[..len.unwrap_or(all.len()).min(all.len())];
        Ok(match self.kind.format().decode(&self.header, offset as u64, bytes) {
            Decoded::Incomplete { needed } => format!("incomplete: {needed} bytes would tell more\n"),
            Decoded::Damaged(check) => format!("damaged: {check}\n"),
            Decoded::Record(record) => {
                let value = bytes.get(record.value_start as usize..record.len() as usize);
                let value = match value.map(|value| record.check_value(value)) {
                    None => "value not read".into(),
                    Some(_) if record.checksum.is_none() => "nothing to check the value against".into(),
                    Some(Ok(())) => "value holds".into(),
                    Some(Err(check)) => format!("{check}"),
                };
                let oddity = record.oddity.map(|oddity| format!("; {oddity}")).unwrap_or_default();
                format!("{} of {:?}, {value}{oddity}\n", record.kind.name(), String::from_utf8_lossy(record.key))
            }
        })
    }
}

fn fields_len(fields: &[Field], with_expiry: bool, key_len: u64) -> usize {
    fields.iter().map(|field| field.width.len(with_expiry, key_len, 0) as usize).sum()
}

/// One line a field: where it is, its bytes, its name, what they say.
fn dump(fields: &[Field], bytes: &[u8], start: usize, with_expiry: bool, key_len: u64, stored_len: u64) -> String {
    let mut out = String::new();
    let mut at = 0;
    for field in fields {
        let len = field.width.len(with_expiry, key_len, stored_len) as usize;
        let raw = &bytes[at..at + len];
        if len > 0 {
            out += &line(start + at, raw, field.name, &says(field, raw));
        }
        at += len;
    }
    out
}

/// What the bytes of a field say: text, a time or length in decimal, anything of bits in hexadecimal.
fn says(field: &Field, raw: &[u8]) -> String {
    match (field.encoding.number(raw), field.role) {
        (None, _) => format!("\"{}\"", raw.escape_ascii()),
        (Some(number), Role::Checksum) => format!("{number:08x}"),
        (Some(number), Role::Kind) if number > 9 => format!("{number:#x}"),
        (Some(number), _) => number.to_string(),
    }
}

/// Up to eight bytes stand in one line; what is longer goes on below.
fn line(offset: usize, bytes: &[u8], name: &str, says: &str) -> String {
    const SHOWN: usize = 8;
    let mut out = String::new();
    let mut rows = bytes.chunks(SHOWN).map(|row| row.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" "));
    let first = rows.next().unwrap_or_default();
    writeln!(out, "{}", format!("{offset:5}  {first:<23}  {name:<15}  {says}").trim_end()).unwrap();
    for (index, row) in rows.enumerate() {
        writeln!(out, "{:5}  {row}", offset + (index + 1) * SHOWN).unwrap();
    }
    out
}
