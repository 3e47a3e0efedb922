//! Each script in `tests/scripts/cli` is a session: what is typed, what is printed, and the exit code where it is not 0.
//!
//! `UPDATE_GOLDENFILES=1 cargo test --test cli` writes down what the program does now; look at the difference.

use std::error::Error;
use std::path::{Path, PathBuf};

use goldenscript::{Command, Context, Runner};

use crate::program::{Program, masked};

/// A directory of its own, and a shell that knows `logkv` and where the fixtures are.
struct Shell {
    program: Program,
}

impl Runner for Shell {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &Context) -> Result<String, Box<dyn Error>> {
        let output = self.program.shell(&command.name);
        let mut shown = String::new();
        for stream in [&output.stdout, &output.stderr] {
            shown.push_str(std::str::from_utf8(stream)?);
            if !shown.is_empty() && !shown.ends_with('\n') {
                shown.push_str("⏎\n");
            }
        }
        match output.status.code() {
            Some(0) => {}
            Some(code) => shown.push_str(&format!("[exit {code}]\n")),
            None => shown.push_str("[killed]\n"),
        }
        Ok(masked(&shown))
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts/cli")
}

macro_rules! sessions {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            goldenscript::run(&mut Shell { program: Program::new() }, scripts().join(stringify!($name))).unwrap();
        })*

        #[test]
        fn no_script_is_forgotten() {
            let names = scripts().read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<_> = names.collect();
            names.sort();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

sessions! {
    batches byte_by_byte compression conditions damage first_steps history json literals look_inside merging moving
    one_file other_formats ranges repair snapshot usage
}
