//! What goes wrong, and at which operation.
//!
//! Every call that could change the disk takes a number, the first 1, before anything else happens; faults and the stop
//! are planned by that number, so a test can try them at each in turn.

use std::collections::BTreeMap;
use std::io;

/// How one mutating operation goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The device fails (EIO). A failed `sync_data` or `sync_dir` also forgets what it should have made durable; see
    /// [`crate::disk::sim`].
    Io,
    /// There is no room (ENOSPC); a write takes nothing. A sync can say so too, and then fails as with [`Fault::Io`].
    NoSpace,
    /// A write takes only so many bytes, but at least one. Other operations go well.
    ShortWrite(usize),
    /// A signal came first (EINTR): nothing happened, and trying again is right.
    Interrupted,
}

impl Fault {
    fn error(self) -> Option<io::Error> {
        match self {
            Self::Io => Some(device_error()),
            Self::NoSpace => Some(no_space()),
            Self::Interrupted => Some(io::Error::new(io::ErrorKind::Interrupted, "simulated interruption")),
            Self::ShortWrite(_) => None,
        }
    }
}

/// What the plan says about one operation.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It goes well, but a write takes at most so many bytes.
    Go(usize),
    /// It fails so.
    Fail(io::Error),
    /// The machine stops at it.
    Stop,
}

/// The operations so far and what is planned for those to come.
#[derive(Debug, Default)]
pub(super) struct Plan {
    trace: Vec<String>,
    faults: BTreeMap<u64, Fault>,
    stop_at: Option<u64>,
    stopped: bool,
}

impl Plan {
    /// Numbers a mutating operation and says how it goes.
    pub(super) fn next(&mut self, what: &str) -> io::Result<Verdict> {
        self.check_running()?;
        let number = self.ops() + 1;
        let fault = self.faults.get(&number).copied();
        self.stopped = self.stop_at == Some(number);
        self.trace.push(match fault {
            _ if self.stopped => format!("{number}: {what} (stopped here)"),
            Some(fault) => format!("{number}: {what} ({fault:?})"),
            None => format!("{number}: {what}"),
        });
        Ok(match fault {
            _ if self.stopped => Verdict::Stop,
            Some(Fault::ShortWrite(most)) => Verdict::Go(most.max(1)),
            Some(fault) => fault.error().map_or(Verdict::Go(usize::MAX), Verdict::Fail),
            None => Verdict::Go(usize::MAX),
        })
    }

    /// [`Plan::next`] for an operation that is done or not, with nothing to do on failure.
    pub(super) fn admit(&mut self, what: &str) -> io::Result<()> {
        match self.next(what)? {
            Verdict::Go(_) => Ok(()),
            Verdict::Fail(e) => Err(e),
            Verdict::Stop => Err(stopped()),
        }
    }

    /// Fails once the machine has stopped.
    pub(super) fn check_running(&self) -> io::Result<()> {
        if self.stopped { Err(stopped()) } else { Ok(()) }
    }

    pub(super) fn ops(&self) -> u64 {
        self.trace.len() as u64
    }

    pub(super) fn trace(&self) -> &[String] {
        &self.trace
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped
    }

    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }

    pub(super) fn stop_at(&mut self, number: u64) {
        self.stop_at = Some(number);
    }

    pub(super) fn fail_at(&mut self, number: u64, fault: Fault) {
        self.faults.insert(number, fault);
    }
}

pub(super) fn stopped() -> io::Error {
    io::Error::other("the simulated machine has stopped")
}

pub(super) fn device_error() -> io::Error {
    io::Error::other("simulated input/output error")
}

pub(super) fn no_space() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "no space left on the simulated disk")
}
