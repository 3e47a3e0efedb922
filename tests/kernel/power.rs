//! The power is cut at a random moment, again and again, under a store on a real file system: promises 1, 2 and 4.
//!
//! The process that works reports to a pipe, which no power cut reaches: what it had acknowledged by then is known.

use std::io::{BufRead, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use logkv::store::SyncPolicy;

use super::ext4::{self, Ext4, KINDS, Plug};
use super::history::End;
use super::play::{CUT, Play, Then, told};
use super::scratch::Scratch;
use super::support::{Rng, copy_dir};
use super::workload::{Shape, State, Workload};
use super::writeback::Writeback;
use super::{allowed, alone, look};

const SUITE: &str = "power cuts";
const CYCLES: &str = "LOGKV_POWER_CYCLES";
/// After so many a new file system, of another kind.
const CYCLES_OF_ONE: usize = 10;

const POLICIES: [SyncPolicy; 3] =
    [SyncPolicy::Always, SyncPolicy::Interval(Duration::from_millis(20)), SyncPolicy::Buffered];

#[test]
fn a_power_cut_at_any_moment_leaves_a_prefix_with_all_that_was_durable() {
    if std::env::var(CYCLES).is_err() {
        return allowed::skipped(SUITE, "LOGKV_POWER_CYCLES=300 asks for so many, as root");
    }
    match (ext4::missing(), alone::with_own_mounts(true)) {
        (None, Some(words)) => alone::run(words, SUITE, false),
        (why, _) => allowed::skipped(SUITE, why.unwrap_or("no file system may be mounted here")),
    }
}

pub fn run_if_asked() {
    if alone::asked_for().as_deref() != Some(SUITE) {
        return;
    }
    let cycles: usize = std::env::var(CYCLES).unwrap().parse().expect("LOGKV_POWER_CYCLES is a number");
    let seed = std::env::var("LOGKV_POWER_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut cuts = Cuts { rng: Rng::new(seed), scratch: Scratch::in_memory(), counted: Counted::default() };
    let mut left = cycles;
    for kind in KINDS.iter().cycle() {
        if left == 0 {
            break;
        }
        let ext4 = Ext4::new(*kind, &cuts.scratch.path("image"), &cuts.mount_point());
        let mut state = State::new();
        for _ in 0..left.min(CYCLES_OF_ONE) {
            let sync = POLICIES[left % POLICIES.len()];
            state = cuts.cycle(&ext4, sync, state);
            left -= 1;
        }
        drop(ext4);
        println!("{SUITE}: {} of {cycles}", cycles - left);
    }
    println!("{SUITE}: {cycles}, {:?}", cuts.counted);
}

/// What was met, so that one sees that there was something to meet.
#[derive(Debug, Default)]
struct Counted {
    /// Operations that were done before a cut.
    operations: usize,
    merges: usize,
    snapshots: usize,
    /// Cuts while the store was opened after a cut.
    while_recovering: usize,
    /// Files with the end of a log that was cut off.
    tails_set_aside: usize,
}

struct Cuts {
    rng: Rng,
    scratch: Scratch,
    counted: Counted,
}

impl Cuts {
    fn mount_point(&self) -> std::path::PathBuf {
        let at = self.scratch.path("mounted");
        let _ = std::fs::create_dir(&at);
        at
    }

    /// Works on what is there until the power goes, sometimes twice, and looks at what that left.
    fn cycle(&mut self, ext4: &Ext4, sync: SyncPolicy, base: State) -> State {
        let workload = Workload { seed: self.rng.next() >> 1, len: 1000, shape: Shape::Large, sync };
        let play = Play { dir: ext4.at.join("data"), workload, then: Then::Stop };
        let operations = self.rng.below(200) as usize;
        let report = self.cut(ext4, &play, operations);
        let told = told(&play, base, &report);
        self.counted.operations += told.done;
        self.counted.merges += told.merges;
        self.counted.snapshots += told.snapshots.len();
        let twice = self.rng.below(4) == 0;
        if twice {
            let recovery = Play { workload: Workload { len: 0, ..play.workload.clone() }, ..play.clone() };
            self.cut(ext4, &recovery, 0);
            self.counted.while_recovering += 1;
        }
        let what = format!("{}, {sync}, {} done, cut while recovering: {twice}", ext4.kind_name(), told.done);
        let before = tails(&play.dir);
        let looked = self.or_keeps_evidence(&play.dir, || {
            look::check_snapshots(&told, &what);
            look::check(&play.dir, &play.workload, &told.history, End::PowerCut, &what)
        });
        self.counted.tails_set_aside += tails(&play.dir) - before;
        for (snapshot, ..) in &told.snapshots {
            let _ = std::fs::remove_dir_all(snapshot);
            let _ = std::fs::remove_dir_all(snapshot.with_extension("logkv-partial"));
        }
        looked
    }

    /// Runs it until it has done so many operations and a moment longer. Returns what it said.
    fn cut(&mut self, ext4: &Ext4, play: &Play, operations: usize) -> String {
        let plug = Plug::of(&ext4.at);
        let writeback = Writeback::start(play.dir.clone(), ext4.at.join("beside"), self.rng.next());
        let mut process = play.command(&[]).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (line, lines) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            for read in output.split(b'\n') {
                let _ = line.send(String::from_utf8(read.unwrap()).unwrap());
            }
        });
        let mut report = String::new();
        let mut hear = |line: String| report.extend([&line, "\n"]);
        lines.iter().take(operations).for_each(&mut hear);
        std::thread::sleep(Duration::from_micros(self.rng.below(4000)));
        lines.try_iter().for_each(&mut hear);
        hear(CUT.to_owned());
        plug.pull();
        writeback.stop();
        process.kill().unwrap();
        process.wait().unwrap();
        reader.join().unwrap();
        lines.iter().for_each(&mut hear);
        ext4.mount_again();
        report
    }

    /// A cut comes once: what it left is kept if something is wrong with it.
    fn or_keeps_evidence<R>(&self, dir: &Path, look: impl FnOnce() -> R) -> R {
        let copy = self.scratch.path("left");
        let _ = std::fs::remove_dir_all(&copy);
        if dir.exists() {
            copy_dir(dir, &copy);
        }
        catch_unwind(AssertUnwindSafe(look)).unwrap_or_else(|wrong| {
            let kept = std::env::temp_dir().join(format!("logkv-power-cut-{}", std::process::id()));
            copy_dir(&copy, &kept);
            println!("what the cut left is in {}", kept.display());
            resume_unwind(wrong)
        })
    }
}

/// Files that keep the end of a log.
fn tails(dir: &Path) -> usize {
    std::fs::read_dir(dir.join("quarantine")).map_or(0, Iterator::count)
}
