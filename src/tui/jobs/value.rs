//! Reading the value that the screen wants: the key's, or the one that an older record still holds.
//!
//! Of an older record no more than [`MOST`] bytes are read, whatever its length says.

use std::sync::Arc;

use super::session::Session;
use crate::error::Result;
use crate::tui::action::ValueSeen;
use crate::tui::effect::ValueWanted;

/// Bytes of a superseded value that are shown.
const MOST: usize = 1 << 20;

/// Reads a value.
pub(super) fn value(session: &Session, wanted: ValueWanted) -> ValueSeen {
    match wanted.older {
        Some(stored_len) => older(session, wanted, stored_len),
        None => newest(session, wanted),
    }
}

fn newest(session: &Session, wanted: ValueWanted) -> ValueSeen {
    match session.store().get(&wanted.key) {
        Ok(answer) => {
            let suspect = answer.suspect;
            let value = answer.into_value().map(Arc::new);
            let whole = value.as_ref().map_or(0, |value| value.len() as u64);
            ValueSeen { wanted, value: Ok(value), whole, suspect }
        }
        Err(e) => ValueSeen { wanted, value: Err(e.to_string()), whole: 0, suspect: false },
    }
}

fn older(session: &Session, wanted: ValueWanted, stored_len: u64) -> ValueSeen {
    let value = stored(session, &wanted, stored_len).map(|bytes| Some(Arc::new(bytes))).map_err(|e| e.to_string());
    ValueSeen { wanted, value, whole: stored_len, suspect: false }
}

/// In every layout the value ends its record.
fn stored(session: &Session, wanted: &ValueWanted, stored_len: u64) -> Result<Vec<u8>> {
    let start = wanted.location.offset + wanted.location.len.saturating_sub(stored_len);
    session.store().bytes(wanted.location.segment, start, usize::try_from(stored_len).unwrap_or(MOST).min(MOST))
}
