//! What the command line says.

use std::iter::Peekable;
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
  --growth [SIZES]    instead of all that: ours alone at several numbers of keys, and what more of them would need
                      (1M,10M,100M, as far as memory and disk allow)
  --rounds R          times that each work is done, in turn (3; with --growth 1)
  --seconds S         ends a loop of single operations that takes longer (3; with --growth none)
  --dir DIR           where the stores are made (the system's directory for temporary files)
  --markdown          the table as Markdown";

pub struct Args {
    only: Vec<String>,
    engines: Vec<String>,
    pub limits: bool,
    pub keys: Option<u64>,
    /// The numbers of keys that [`crate::growth`] is to go through.
    pub growth: Option<Vec<u64>>,
    rounds: Option<u32>,
    seconds: Option<f64>,
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
            growth: None,
            rounds: None,
            seconds: None,
            dir: std::env::temp_dir(),
            markdown: false,
        };
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            if word == "--growth" {
                args.growth = Some(sizes(&mut words)?);
                continue;
            }
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--only" => args.only = list(&value()?),
                "--engines" => args.engines = list(&value()?),
                "--no-limits" => args.limits = false,
                "--keys" => args.keys = Some(number(&value()?)?),
                "--rounds" => args.rounds = Some(value()?.parse()?),
                "--seconds" => args.seconds = Some(value()?.parse()?),
                "--dir" => args.dir = value()?.into(),
                "--markdown" => args.markdown = true,
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("{word} is no option\n\n{USAGE}").into()),
            }
        }
        if args.growth.is_some() && !(args.only.is_empty() && args.engines.is_empty() && args.keys.is_none()) {
            return Err(
                "--growth has works, a store and numbers of keys of its own: leave --only, --engines, --keys".into()
            );
        }
        Ok(Some(args))
    }

    /// The same command line, asking for these works alone.
    pub fn of_works(&self, works: &[&str]) -> Self {
        let only = works.iter().map(|&work| work.to_owned()).collect();
        Self { only, engines: Vec::new(), growth: self.growth.clone(), dir: self.dir.clone(), ..*self }
    }

    /// Times that each work is done. A hundred million keys take many minutes each time.
    pub fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.growth.is_some() { 1 } else { 3 })
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
        let most = if self.growth.is_some() { Duration::MAX } else { Duration::from_secs(3) };
        Watch { budget: self.seconds.map_or(most, Duration::from_secs_f64), every }
    }
}

/// What stands behind `--growth`, if it is no other option.
fn sizes(words: &mut Peekable<impl Iterator<Item = String>>) -> Outcome<Vec<u64>> {
    let words = words.next_if(|word| !word.starts_with('-')).unwrap_or_else(|| "1M,10M,100M".to_owned());
    list(&words).iter().map(|word| number(word)).collect()
}

/// `1000000`, `1_000_000`, `1M`.
fn number(word: &str) -> Outcome<u64> {
    let digits = word.replace('_', "");
    let (digits, unit) = digits.strip_suffix('M').map_or((&*digits, 1), |digits| (digits, 1_000_000));
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).filter(|&number| number > 0);
    number.ok_or_else(|| format!("{word} is no number of keys").into())
}

fn list(words: &str) -> Vec<String> {
    words.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}
