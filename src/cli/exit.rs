//! How the program ends: six codes that scripts may depend on, and which failure has which.

use std::fmt;
use std::process::ExitCode;

use crate::error::Error;

/// The six ways to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exit {
    /// Done, found, undamaged.
    Yes = 0,
    /// The answer is no: no such key, nothing deleted, damage found by a check.
    No = 1,
    /// What was asked for cannot be asked for.
    Usage = 2,
    /// Another writer holds the store.
    Locked = 3,
    /// Damaged data stood in the way of an answer.
    Damaged = 4,
    /// Anything else: disk, permission, no store there.
    Failure = 5,
}

impl Exit {
    /// The code for a failure.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        if error.is::<ClosedPipe>() {
            return Self::Yes;
        }
        if error.is::<Usage>() {
            return Self::Usage;
        }
        error.downcast_ref().map_or(Self::Failure, Self::of_store)
    }

    /// The code for what the library says.
    pub(super) fn of_store(error: &Error) -> Self {
        match error {
            Error::Locked { .. } => Self::Locked,
            Error::Damaged { .. } | Error::StrictDamage { .. } | Error::BadSnapshot { .. } => Self::Damaged,
            Error::Refused { .. } | Error::NoSuchSegment { .. } => Self::No,
            Error::KeyTooLong { .. }
            | Error::ValueTooLong { .. }
            | Error::BatchTooLong { .. }
            | Error::BadOption { .. } => Self::Usage,
            _ => Self::Failure,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Arguments that make no sense together or in themselves. Holds the sentence, already escaped.
#[derive(Debug)]
pub(super) struct Usage(pub(super) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Whoever read our output has seen enough: `logkv list | head` is a success.
#[derive(Debug)]
pub(super) struct ClosedPipe;

impl fmt::Display for ClosedPipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reader of standard output is gone")
    }
}

impl std::error::Error for ClosedPipe {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_the_code_of_the_contract() {
        let cases: [(anyhow::Error, u8); 6] = [
            (ClosedPipe.into(), 0),
            (Usage("no".into()).into(), 2),
            (Error::KeyTooLong { len: 70_000, max: 65_535 }.into(), 2),
            (Error::Locked { dir: "data".into(), holder: None }.into(), 3),
            (Error::StrictDamage { path: "data".into(), offset: 0, what: "x".into() }.into(), 4),
            (Error::Missing { dir: "data".into() }.into(), 5),
        ];
        for (error, code) in cases {
            assert_eq!(Exit::of(&error) as u8, code, "{error}");
        }
    }

    #[test]
    fn context_does_not_hide_the_code() {
        let error = anyhow::Error::from(Error::Locked { dir: "data".into(), holder: None }).context("while opening");
        assert_eq!(Exit::of(&error), Exit::Locked);
    }
}
