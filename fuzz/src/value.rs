//! Values of any kind, keys of Riak, and compressed values.

use logkv::format::lz4;
use logkv::value::riak::riak_key;
use logkv::value::{Head, MOST_LINES, View, family, lines, recognise};

/// Bytes of a compressed value that are asked for.
const MOST: usize = 4096;

/// What is recognised can be shown, no more comes out than may, and nothing in it is obeyed by a terminal.
pub fn any(input: &[u8]) {
    for is_whole in [true, false] {
        let head = Head { bytes: input, is_whole };
        let known = recognise(head);
        assert!(known.fitting.contains(&known.detected), "{known:?}");
        for view in View::ALL {
            let lines = lines(view, head);
            assert!(lines.len() <= MOST_LINES, "{view:?}: {}", lines.len());
            let spans = lines.iter().flat_map(|line| &line.spans);
            spans.for_each(|span| assert!(!span.text.chars().any(char::is_control), "{view:?}: {span:?}"));
        }
    }
    if let Some(key) = riak_key(input) {
        assert!(key.bucket.len() + key.key.len() < input.len());
    }
    assert!(family(input).len() <= input.len() + 2);
    assert!(lz4::head(input, MOST).map_or(0, |value| value.len()) <= MOST);
}
