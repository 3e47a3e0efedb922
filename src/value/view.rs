//! The views of a value: which fit, which is detected, and its lines in one of them.

use super::pen::{Class, Line, MOST_LINES, Pen};
use super::printer::{DEEPEST, Printer};
use super::sink::{Outline, Sink, Stop};
use super::text::looks_like_text;
use super::{cbor, json, msgpack, riak, term};
use crate::text;

/// A way to show a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// An object of Riak KV.
    RiakObject,
    /// A term of Erlang.
    Term,
    /// JSON.
    Json,
    /// MessagePack.
    MessagePack,
    /// CBOR.
    Cbor,
    /// Text, with escapes.
    Text,
    /// Hexadecimal.
    Hex,
}

impl View {
    /// Every view, in the order in which they are tried.
    pub const ALL: [Self; 7] =
        [Self::RiakObject, Self::Term, Self::Json, Self::MessagePack, Self::Cbor, Self::Text, Self::Hex];

    /// The word on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::RiakObject => "riak object",
            Self::Term => "erlang term",
            Self::Json => "json",
            Self::MessagePack => "messagepack",
            Self::Cbor => "cbor",
            Self::Text => "text",
            Self::Hex => "hex",
        }
    }

    /// It shows a value's parts; text and hexadecimal show its bytes.
    pub fn is_structured(self) -> bool {
        !matches!(self, Self::Text | Self::Hex)
    }
}

/// A value, or its beginning.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The bytes at hand.
    pub bytes: &'a [u8],
    /// There are no more.
    pub is_whole: bool,
}

/// What is known of a value's kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What it is.
    pub detected: View,
    /// What it can be shown as, in the order of [`View::ALL`].
    pub fitting: Vec<View>,
}

/// Tells what a value is, by the rules at the head of [`crate::value`].
pub fn recognise(head: Head<'_>) -> Known {
    let mut fitting = Vec::new();
    let mut detected = None;
    for view in View::ALL {
        match fit(view, head) {
            Fit::No => continue,
            Fit::Yes => drop(detected.get_or_insert(view)),
            Fit::IfAsked => {}
        }
        fitting.push(view);
    }
    Known { detected: detected.unwrap_or(View::Hex), fitting }
}

/// Whether a view fits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    No,
    /// It can be shown so, but is not likely meant so.
    IfAsked,
    Yes,
}

fn fit(view: View, head: Head<'_>) -> Fit {
    let Head { bytes, is_whole } = head;
    match view {
        View::RiakObject => yes(riak::object(bytes, is_whole).is_ok() || is_term_object(head)),
        View::Term => yes(bytes.first() == Some(&term::VERSION) && outline(head, term::walk).is_some()),
        View::Json => match outline(head, json::walk) {
            None => Fit::No,
            Some(outline) => if_asked(outline.is_container),
        },
        // What is cut off could be anything, and nearly any bytes are the beginning of an item.
        View::MessagePack | View::Cbor if !is_whole || looks_like_text(bytes) => Fit::No,
        View::MessagePack => outline(head, msgpack::walk).map_or(Fit::No, |outline| if_asked(outline.has_items())),
        View::Cbor => outline(head, cbor::walk)
            .map_or(Fit::No, |outline| if_asked(outline.has_items() || bytes.starts_with(cbor::SELF_DESCRIBED))),
        View::Text if looks_like_text(bytes) => Fit::Yes,
        View::Text | View::Hex => Fit::IfAsked,
    }
}

fn yes(fits: bool) -> Fit {
    if fits { Fit::Yes } else { Fit::No }
}

fn if_asked(is_meant: bool) -> Fit {
    if is_meant { Fit::Yes } else { Fit::IfAsked }
}

fn is_term_object(head: Head<'_>) -> bool {
    riak::is_term_object(head.bytes) && outline(head, term::walk).is_some()
}

type Walk = fn(&[u8], &mut dyn Sink) -> Result<(), Stop>;

/// The outline of what fits: to the last byte, or as far as the head goes if it is not all.
fn outline(head: Head<'_>, walk: Walk) -> Option<Outline> {
    let mut outline = Outline::default();
    match walk(head.bytes, &mut outline) {
        Ok(()) => Some(outline),
        Err(Stop::Cut) if !head.is_whole && outline.is_container => Some(outline),
        Err(_) => None,
    }
}

/// The lines of a value in one view. Where they end before the value does, the last one says why.
pub fn lines(view: View, head: Head<'_>) -> Vec<Line> {
    let mut pen = Pen::default();
    let result = show(view, head, 0, &mut pen);
    let why = match result {
        Ok(()) if head.is_whole => None,
        Ok(()) | Err(Stop::Cut) => Some(format!("the {} at hand end here", text::size(head.bytes.len() as u64))),
        Err(Stop::Full) => Some(format!("more than {} lines: the rest is not shown", text::count(MOST_LINES as u64))),
        Err(Stop::Deep) => Some(format!("nested more than {DEEPEST} deep: the rest is not shown")),
        Err(Stop::Malformed) => Some("what follows does not fit".to_owned()),
    };
    if why.is_some() {
        pen.next_line(0);
    }
    pen.finish(why.as_deref())
}

fn show(view: View, head: Head<'_>, base: usize, pen: &mut Pen) -> Result<(), Stop> {
    let bytes = head.bytes;
    match view {
        View::RiakObject => match riak::object(bytes, head.is_whole) {
            Ok(object) => riak::show(&object, pen),
            Err(_) => term::walk(bytes, &mut Printer::new(pen, base)),
        },
        View::Term => term::walk(bytes, &mut Printer::new(pen, base)),
        View::Json => json::walk(bytes, &mut Printer::new(pen, base)),
        View::MessagePack => msgpack::walk(bytes, &mut Printer::new(pen, base)),
        View::Cbor => cbor::walk(bytes, &mut Printer::new(pen, base)),
        View::Text => show_text(bytes, base, pen),
        View::Hex => show_hex(bytes, base, pen),
    }
}

/// What an object of another format holds: as what it is, but not as yet another object. What is not text is escaped.
pub(super) fn show_plain(head: Head<'_>, base: usize, pen: &mut Pen) -> Result<(), Stop> {
    match recognise(head).detected {
        View::RiakObject | View::Text | View::Hex => show_text(head.bytes, base, pen),
        view => show(view, head, base, pen),
    }
}

fn show_text(bytes: &[u8], base: usize, pen: &mut Pen) -> Result<(), Stop> {
    for (at, line) in bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n').enumerate() {
        if pen.is_full() {
            return Err(Stop::Full);
        }
        if at > 0 {
            pen.next_line(base);
        }
        pen.write(Class::Plain, &text::escape(line));
    }
    Ok(())
}

fn show_hex(bytes: &[u8], base: usize, pen: &mut Pen) -> Result<(), Stop> {
    const ROW: usize = 16;
    for (at, row) in bytes.chunks(ROW).enumerate() {
        if pen.is_full() {
            return Err(Stop::Full);
        }
        if at > 0 {
            pen.next_line(base);
        }
        let hex: String = row.iter().map(|byte| format!("{byte:02x} ")).collect();
        let ascii: String =
            row.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect();
        pen.write(Class::Note, &format_args!("{:08x}  ", at * ROW));
        pen.write(Class::Bytes, &format_args!("{hex:<48} "));
        pen.write(Class::Text, &text::escape_str(&ascii));
    }
    Ok(())
}
