//! What a value is and how it is shown: detection, every view of it, the parts of what Riak keeps, compressed values.

use logkv::format::lz4;
use logkv::value::riak::{self, RiakKey, riak_key};
use logkv::value::{Class, DEEPEST, Head, Line, MOST_LINES, View, family, lines, recognise};

use super::text::printable;

/// Bytes of a compressed value that are asked for.
const MOST: usize = 4096;

/// The bytes as a whole value, and as the beginning of a longer one.
pub fn any(input: &[u8]) {
    for is_whole in [true, false] {
        let head = Head { bytes: input, is_whole };
        let known = recognise(head);
        assert_eq!(recognise(head), known);
        assert!(known.fitting.contains(&known.detected));
        assert!(View::ALL.iter().filter(|view| known.fitting.contains(view)).eq(&known.fitting), "in the order of all");
        assert!(known.fitting.ends_with(&[View::Text, View::Hex]), "they fit everything");
        for view in View::ALL {
            shown(view, head, known.fitting.contains(&view));
        }
        json(head, known.fitting.contains(&View::Json));
    }
    riak_parts(input);
    compressed(input);
}

/// Lines are bounded, hold nothing that a terminal obeys; what fits is shown to its end.
fn shown(view: View, head: Head<'_>, fits: bool) {
    let shown = lines(view, head);
    assert!(shown.len() <= MOST_LINES);
    shown.iter().flat_map(|line| &line.spans).for_each(|span| printable(&span.text));
    let stop = shown.last().filter(|line| line.spans.iter().any(|span| span.class == Class::Stop));
    let stop = stop.map(ToString::to_string).unwrap_or_default();
    assert!(!fits || !head.is_whole || !stop.contains("does not fit"), "{view:?} fits, and does not: {stop}");
    if view == View::Hex && head.is_whole && stop.is_empty() {
        assert_eq!(shown.iter().flat_map(hex).collect::<Vec<u8>>(), head.bytes);
    }
}

/// The bytes of a line of hexadecimal.
fn hex(line: &Line) -> Vec<u8> {
    let words = line.spans.iter().filter(|span| span.class == Class::Bytes).flat_map(|span| span.text.split(' '));
    words.filter_map(|word| u8::from_str_radix(word, 16).ok()).collect()
}

/// What another reader takes for JSON is JSON here, and the other way round, as deep as both look. Numbers are bytes here,
/// of any size, and a lone surrogate is shown as it is escaped.
fn json(head: Head<'_>, fits: bool) {
    let Ok(text) = std::str::from_utf8(head.bytes) else { return };
    let depth = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
    let surrogates = text.to_ascii_lowercase().contains("\\ud");
    if !head.is_whole || surrogates || depth >= DEEPEST.min(127) {
        return;
    }
    match serde_json::from_str::<serde_json::Value>(text) {
        Err(e) if e.to_string().contains("out of range") => {}
        read => assert_eq!(read.is_ok(), fits, "{text:?}: {read:?}"),
    }
}

/// Keys and objects of Riak lie within the bytes, and the compact ones are written back as they were.
fn riak_parts(bytes: &[u8]) {
    assert!(family(bytes).len() <= bytes.len().max(2) + 2);
    if let Some(key) = riak_key(bytes)
        && bytes[0] < 0x80
    {
        assert_eq!(key_bytes(key), bytes);
    }
    for is_whole in [true, false] {
        let Ok(object) = riak::object(bytes, is_whole) else { continue };
        assert!(
            object.claimed >= object.siblings.len() as u64
                && (!is_whole || object.claimed == object.siblings.len() as u64)
        );
        for sibling in &object.siblings {
            assert!(sibling.value.is_none_or(|value| value.bytes.len() as u64 <= sibling.value_len));
            assert!(!is_whole || sibling.value_len <= bytes.len() as u64);
        }
        let ticks = riak::clock(object.clock).map_or(0, |ticks| ticks.len());
        assert!(ticks <= object.clock.len());
    }
}

fn key_bytes(RiakKey { bucket_type, bucket, key }: RiakKey<'_>) -> Vec<u8> {
    let counted = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    match bucket_type {
        Some(bucket_type) => [&[3][..], &counted(bucket_type), &counted(bucket), key].concat(),
        None => [&[2][..], &counted(bucket), key].concat(),
    }
}

/// The head of a compressed value is the head of the whole, and no more than was asked for.
fn compressed(bytes: &[u8]) {
    let head = lz4::head(bytes, MOST);
    assert!(head.as_ref().map_or(0, Vec::len) <= MOST);
    if let Ok(whole) = lz4::decompress(bytes) {
        assert_eq!(lz4::raw_len(bytes), Ok(whole.len() as u64));
        assert_eq!(head.as_deref(), Ok(&whole[..whole.len().min(MOST)]));
    }
}
