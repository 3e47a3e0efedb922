//! Opening what lies at a path, whatever that is: a store to write to, one to read only, one held by another process,
//! several to choose from, or nothing that could be opened.
//!
//! It decides by what detection says and tells the interface in its own words. Invariant: a foreign store, or one that
//! another process writes to, is opened for reading only.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::Answers;
use super::recorder::Recorder;
use super::session::Session;
use super::watch::Nudge;
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::format::FormatKind;
use crate::inspect::{Detected, detect, open_file};
use crate::store::{Options, Store};
use crate::text;
use crate::tui::Settings;
use crate::tui::action::Arrived;
use crate::tui::app::{Opened, Writer};

/// How to open.
pub(super) struct Opening<'a> {
    pub(super) disk: &'a Arc<dyn Disk>,
    pub(super) options: &'a Options,
    pub(super) settings: &'a Settings,
}

impl Opening<'_> {
    /// Opens, and says what came of it.
    pub(super) fn open(&self, path: &Path, create: bool, send: &Answers) -> (Arrived, Option<Arc<Session>>) {
        match self.try_open(path, create, send) {
            Ok(outcome) => outcome,
            Err(e) => (Arrived::Refused(e.to_string()), None),
        }
    }

    fn try_open(&self, path: &Path, create: bool, send: &Answers) -> Result<(Arrived, Option<Arc<Session>>)> {
        let create = create || self.options.create;
        let chosen = self.options.from;
        let read_only = match detect(&*self.disk.reader(), path)? {
            Detected::Missing if !create => return Ok((Arrived::Missing(path.to_owned()), None)),
            Detected::Root(members) => return Ok((Arrived::Choose(members), None)),
            Detected::Mixed(formats) if chosen.is_none() => return Ok((Arrived::Refused(mixed(path, &formats)), None)),
            Detected::SegmentFile(..) => return self.open_file(path, send),
            Detected::Checkpoint => {
                let what = "it is the checkpoint of a keydir; give the directory, or a segment file";
                return Ok((Arrived::Refused(format!("{}: {what}", text::path(path))), None));
            }
            Detected::Other(what) if !create => {
                return Ok((Arrived::Refused(format!("{}: {what}", text::path(path))), None));
            }
            Detected::Store(format) => chosen.unwrap_or(format) != FormatKind::Native,
            _ => chosen.is_some_and(|format| format != FormatKind::Native),
        };
        self.open_store(path, create, read_only || self.settings.read_only, send)
    }

    /// One segment file by itself.
    fn open_file(&self, path: &Path, send: &Answers) -> Result<(Arrived, Option<Arc<Session>>)> {
        let channel = channel();
        let recorder = Arc::new(Recorder::new(Arc::clone(send), channel.0.clone()));
        let (store, _) = open_file(self.disk.reader(), path, self.observed(&recorder))?;
        self.begin(store, None, recorder, channel, send)
    }

    fn observed(&self, recorder: &Arc<Recorder>) -> Options {
        let mut options = self.options.clone();
        options.observers.push(Arc::clone(recorder) as _);
        options
    }

    fn begin(
        &self,
        store: Store,
        writer: Option<Writer>,
        recorder: Arc<Recorder>,
        channel: (Sender<Nudge>, Receiver<Nudge>),
        send: &Answers,
    ) -> Result<(Arrived, Option<Arc<Session>>)> {
        let dir = store.dir().to_owned();
        let pid = match &writer {
            Some(Writer::Known(holder)) => Some(holder.pid),
            Some(Writer::Unknown) | None => None,
        };
        let session = Session::begin(store, recorder, channel, self.disk.reader(), Arc::clone(send), pid)
            .map_err(|e| Error::io("start a thread for", &dir, e))?;
        let opened = Opened { figures: session.figures(), writer };
        Ok((Arrived::Opened(Box::new(opened)), Some(session)))
    }

    fn open_store(
        &self,
        path: &Path,
        create: bool,
        read_only: bool,
        send: &Answers,
    ) -> Result<(Arrived, Option<Arc<Session>>)> {
        let channel = channel();
        let recorder = Arc::new(Recorder::new(Arc::clone(send), channel.0.clone()));
        let options = Options { create, ..self.observed(&recorder) };
        let read = |options| Store::open_read_only_on(self.disk.reader(), path, options);
        let (store, writer) = match read_only {
            true => (read(options)?, None),
            false => match Store::open_on(Arc::clone(self.disk), path, options.clone()) {
                Err(Error::Locked { holder, .. }) => {
                    (read(options)?, Some(holder.map_or(Writer::Unknown, Writer::Known)))
                }
                // A directory that this user may only read can be looked at all the same.
                Err(Error::Io { action: "lock", source, .. }) if is_write_protected(&source) => (read(options)?, None),
                opened => (opened?, None),
            },
        };
        self.begin(store, writer, recorder, channel, send)
    }
}

fn is_write_protected(e: &std::io::Error) -> bool {
    matches!(e.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
}

fn mixed(path: &Path, formats: &[FormatKind]) -> String {
    let names: Vec<&str> = formats.iter().map(|format| format.name()).collect();
    format!(
        "{} holds segments of several formats ({}); --from FORMAT chooses one of them",
        text::path(path),
        names.join(", ")
    )
}
