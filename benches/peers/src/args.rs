//! What the command line says.

use std::path::PathBuf;
use std::time::Duration;

use crate::Outcome;
use crate::measure::Watch;

pub const USAGE: &str = "\
cargo run --release --manifest-path benches/peers/Cargo.toml -- [OPTIONS]

  --only WORK,…       these works alone: names as the table has them, or their beginnings
  --engines A,…       these stores alone: logkv, emdb, armdb, fjall, lmdb, redb, sled, rocksdb (a feature)
  --no-limits         without the limits
  --keys N            keys (1000000)
  --rounds R          times that each work is done, in turn (3)
  --seconds S         ends a loop of single operations that takes longer (3)
  --dir DIR           where the stores are made (the system's directory for temporary files)
  --markdown          the table as Markdown";

pub struct Args {
    only: Vec<String>,
    engines: Vec<String>,
    pub limits: bool,
    pub keys: Option<u64>,
    pub rounds: u32,
    seconds: f64,
    pub dir: PathBuf,
    pub markdown: bool,
}

impl Args {
    /// `Ok(None)`: only help was asked for.
    pub fn read(words: impl Iterator<Item = String>) -> Outcome<Option<Self>> {
        let mut args = Self {
            only: Vec::new(),
            engines: Vec::new(),
            limits: true,
            keys: None,
            rounds: 3,
            seconds: 3.0,
            dir: std::env::temp_dir(),
            markdown: false,
        };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--only" => args.only = list(&value()?),
                "--engines" => args.engines = list(&value()?),
                "--no-limits" => args.limits = false,
                "--keys" => args.keys = Some(value()?.replace('_', "").parse()?),
                "--rounds" => args.rounds = value()?.parse()?,
                "--seconds" => args.seconds = value()?.parse()?,
                "--dir" => args.dir = value()?.into(),
                "--markdown" => args.markdown = true,
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("{word} is no option\n\n{USAGE}").into()),
            }
        }
        Ok(Some(args))
    }

    /// Whether a work was asked for.
    pub fn wants(&self, work: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| work == name || work.starts_with(&format!("{name}-")))
    }

    pub fn wants_engine(&self, name: &str) -> bool {
        self.engines.is_empty() || self.engines.iter().any(|wanted| wanted == name)
    }

    /// How single operations are looked at: the fast ones now and then, those that wait for a disk each.
    pub fn watch(&self, every: u64) -> Watch {
        Watch { budget: Duration::from_secs_f64(self.seconds), every }
    }
}

fn list(words: &str) -> Vec<String> {
    words.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}
