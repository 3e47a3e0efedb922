//! A file system on a loop device, and how to take the power from it.
//!
//! ext4 can be told to stop at once without writing its journal out: what was not synced before that is gone, and the next
//! mount replays the journal as after a power cut. What a disk keeps in a cache of its own is not part of this.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::alone::{mount, unmount};

/// How a file system is made and mounted.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    make: &'static [&'static str],
    mount: &'static str,
}

pub const KINDS: [Kind; 4] = [
    Kind { make: &[], mount: "loop" },
    Kind { make: &["-b", "1024", "-J", "size=1"], mount: "loop,data=ordered,commit=1" },
    // Lengths may become durable before the bytes below them: blocks of files that are gone show through.
    Kind { make: &[], mount: "loop,data=writeback" },
    Kind { make: &[], mount: "loop,data=journal" },
];

/// A mounted file system in an image file.
pub struct Ext4 {
    kind: Kind,
    image: PathBuf,
    pub at: PathBuf,
}

impl Ext4 {
    pub fn new(kind: Kind, image: &Path, at: &Path) -> Self {
        std::fs::File::create(image).unwrap().set_len(256 << 20).unwrap();
        let made = Command::new("mkfs.ext4").args(["-q", "-F"]).args(kind.make).arg(image).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let made = Self { kind, image: image.to_owned(), at: at.to_owned() };
        made.mount();
        made
    }

    /// For messages.
    pub fn kind_name(&self) -> &'static str {
        self.kind.mount
    }

    fn mount(&self) {
        mount(&["-t", "ext4", "-o", self.kind.mount, self.image.to_str().unwrap()], &self.at);
    }

    /// What happens when the power is back.
    pub fn mount_again(&self) {
        unmount(&self.at);
        self.mount();
    }
}

impl Drop for Ext4 {
    fn drop(&mut self) {
        // The mount goes with this process in any case.
        let _ = Command::new("umount").arg(&self.at).stderr(Stdio::null()).status();
    }
}

/// A hand at the plug. A process of its own, because the call is one that Rust makes only without its safety; started
/// beforehand, so that pulling takes no time.
pub struct Plug {
    hand: Child,
    says: BufReader<std::process::ChildStdout>,
}

/// `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`.
const HAND: &str = r#"$| = 1; sysopen(my $dir, $ARGV[0], 0) or die $!; print "ready\n"; <STDIN>;
    my $how = pack("L", 2); ioctl($dir, 0x8004587d, $how) or die $!; print "cut\n";"#;

impl Plug {
    pub fn of(at: &Path) -> Self {
        let mut hand = Command::new("perl");
        hand.args(["-e", HAND]).arg(at).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut hand = hand.spawn().unwrap();
        let says = BufReader::new(hand.stdout.take().unwrap());
        let mut plug = Self { hand, says };
        plug.hears("ready");
        plug
    }

    pub fn pull(mut self) {
        self.hand.stdin.take().unwrap().write_all(b"\n").unwrap();
        self.hears("cut");
        assert!(self.hand.wait().unwrap().success());
    }

    fn hears(&mut self, word: &str) {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), word);
    }
}

/// Why none of this can be done here, if it cannot.
pub fn missing() -> Option<&'static str> {
    use super::allowed::works;
    if !works(&["perl", "-e", "1"]) || !works(&["mkfs.ext4", "-V"]) {
        return Some("it needs perl and mkfs.ext4");
    }
    (!works(&["losetup", "--find"])).then_some("there are no loop devices here, or they need root")
}
