//! Ctrl-C and its like while a command has something to clear away first.
//!
//! The first one is noted, and the command looks for it now and then; a second one ends the program where it stands.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Whether the end was asked for, and by which signal.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt {
    /// 0: none.
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// From now on such a signal is noted.
    #[cfg(unix)]
    pub(super) fn listen() -> std::io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        use signal_hook::flag;
        use std::sync::atomic::AtomicBool;

        let (interrupt, asked) = (Self::default(), Arc::new(AtomicBool::new(false)));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // In this order: what ends the program must not see what the same signal noted.
            flag::register_conditional_default(signal, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
            flag::register_usize(signal, Arc::clone(&interrupt.signal), signal.unsigned_abs() as usize)?;
        }
        Ok(interrupt)
    }

    /// Nothing is noted here: the system ends the program by itself.
    #[cfg(not(unix))]
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self::default())
    }

    /// Whether the end was asked for.
    pub(super) fn is_asked(&self) -> bool {
        self.signal.load(Ordering::Relaxed) != 0
    }

    /// Fails if the end was asked for.
    pub(super) fn check(&self) -> Result<(), Interrupted> {
        if self.is_asked() { Err(Interrupted) } else { Ok(()) }
    }

    /// Ends the program as the signal would have done, if there was one: whoever started it sees what it died of.
    pub(super) fn obey(&self) {
        #[cfg(unix)]
        if let Ok(signal @ 1..) = i32::try_from(self.signal.load(Ordering::Relaxed)) {
            // Where that fails, the command ends with its error.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    }
}

/// The command was stopped.
#[derive(Debug)]
pub(super) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}
