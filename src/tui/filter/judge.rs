//! Judging keys that come in byte order.
//!
//! Of two keys that follow each other the second mostly differs in a few bytes at its end. What was found up to a byte is
//! remembered for each byte of the last key, so that only what differs is looked at. It must not know where keys come from.
//!
//! Invariants:
//!
//! 1. It says of each key what [`Matcher::passes`] says.
//! 2. What it remembers is of the last key, and no more than is true of the bytes before each of its own.

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind, nfa::thompson};

use super::{KeyFilter, Matcher, PATTERN_BYTES, PATTERN_NESTING};

/// Judges keys, each with what it begins with as the one before.
#[derive(Clone, Debug)]
pub struct Judge {
    whole: Matcher,
    way: Way,
}

#[derive(Clone, Debug)]
enum Way {
    /// Every key by itself.
    Whole,
    Word(Word),
    Pattern(Box<Automaton>),
}

impl Judge {
    /// A judge of this filter.
    pub fn of(filter: &KeyFilter) -> Self {
        let whole = filter.matcher();
        let way = match (&whole, filter) {
            (Matcher::Word { word, exact }, _) => Way::Word(Word { word: word.clone(), exact: *exact, had: vec![0] }),
            (_, KeyFilter::Pattern(pattern)) => {
                Automaton::of(pattern).map_or(Way::Whole, |automaton| Way::Pattern(Box::new(automaton)))
            }
            _ => Way::Whole,
        };
        Self { whole, way }
    }

    /// Whether a key passes, of which at least the first `shared` bytes are those of the one that was judged before.
    pub fn passes(&mut self, key: &[u8], shared: usize) -> bool {
        let judged = match &mut self.way {
            Way::Whole => None,
            Way::Word(word) => Some(word.passes(key, shared)),
            Way::Pattern(automaton) => automaton.passes(key, shared),
        };
        judged.unwrap_or_else(|| {
            // An automaton whose memory is used up would be made again and again.
            self.way = Way::Whole;
            self.whole.passes(key)
        })
    }
}

/// Letters of a word in order.
#[derive(Clone, Debug)]
struct Word {
    word: Vec<u8>,
    exact: bool,
    /// How many of them the bytes before each byte of the last key have, as far as it was looked at.
    had: Vec<usize>,
}

impl Word {
    fn passes(&mut self, key: &[u8], shared: usize) -> bool {
        self.had.truncate(shared.saturating_add(1));
        let mut had = self.had.last().copied().unwrap_or(0);
        for byte in key.get(self.had.len().saturating_sub(1)..).unwrap_or_default() {
            let Some(wanted) = self.word.get(had) else { return true };
            had += usize::from(if self.exact { byte == wanted } else { byte.eq_ignore_ascii_case(wanted) });
            self.had.push(had);
        }
        had == self.word.len()
    }
}

/// A pattern as an automaton whose states are made as they are needed.
#[derive(Clone, Debug)]
struct Automaton {
    dfa: DFA,
    cache: Cache,
    /// The state before each byte of the last key, as far as it was looked at.
    states: Vec<LazyStateID>,
}

impl Automaton {
    /// `None`: it would take more memory than a pattern may.
    fn of(pattern: &str) -> Option<Self> {
        let syntax = syntax::Config::new().unicode(false).utf8(false);
        let syntax = syntax.dot_matches_new_line(true).nest_limit(PATTERN_NESTING);
        // States that are forgotten could be among those that are remembered here: it is given up instead.
        let config = DFA::config().cache_capacity(PATTERN_BYTES).minimum_cache_clear_count(Some(0));
        let nfa = thompson::Config::new().utf8(false).nfa_size_limit(Some(PATTERN_BYTES));
        let mut builder = DFA::builder();
        builder.syntax(syntax).thompson(nfa).configure(config.match_kind(MatchKind::All));
        let dfa = builder.build(pattern).ok()?;
        let mut cache = dfa.create_cache();
        let start = dfa.start_state_forward(&mut cache, &Input::new("")).ok()?;
        Some(Self { dfa, cache, states: vec![start] })
    }

    /// `None`: its memory is used up.
    fn passes(&mut self, key: &[u8], shared: usize) -> Option<bool> {
        self.states.truncate(shared.saturating_add(1));
        let mut state = *self.states.last()?;
        if let Some(passes) = verdict(state) {
            return Some(passes);
        }
        for byte in key.get(self.states.len() - 1..).unwrap_or_default() {
            state = self.dfa.next_state(&mut self.cache, state, *byte).ok()?;
            self.states.push(state);
            if state.is_tagged() {
                return verdict(state);
            }
        }
        Some(self.dfa.next_eoi_state(&mut self.cache, state).ok()?.is_match())
    }
}

/// What a state says whatever comes; `None`: nothing.
fn verdict(state: LazyStateID) -> Option<bool> {
    match (state.is_match(), state.is_dead()) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn agrees(filter: &str, keys: &BTreeSet<Vec<u8>>) {
        let filter = KeyFilter::read(filter).unwrap();
        let (matcher, mut judge) = (filter.matcher(), Judge::of(&filter));
        let mut last: &[u8] = b"";
        for key in keys {
            let shared = last.iter().zip(key).take_while(|(a, b)| a == b).count();
            // Less than what is shared may be told, as at the beginning of a block.
            let shared = if key.len() % 3 == 0 { shared / 2 } else { shared };
            assert_eq!(judge.passes(key, shared), matcher.passes(key), "{filter:?} {key:?}");
            last = key;
        }
    }

    const FILTERS: [&str; 17] = [
        "~",
        "~ab",
        "~aB",
        "~bbb",
        "re:",
        "re:a",
        "re:^a",
        "re:a$",
        "re:^$",
        "re:b.*a$",
        "re:^(ab|ba)+$",
        "re:a.b",
        "re:\\bab",
        "re:(?i)AB",
        "re:\\xff",
        "a",
        "re:[^a]b{2}",
    ];

    proptest! {
        #[test]
        fn a_judge_says_what_looking_at_the_whole_key_says(
            keys in proptest::collection::btree_set(
                proptest::collection::vec(proptest::sample::select(&b"aabbA\n\xff "[..]), 0..9), 0..200),
        ) {
            FILTERS.iter().for_each(|filter| agrees(filter, &keys));
        }
    }

    #[test]
    fn a_pattern_whose_automaton_grows_beyond_its_memory_is_judged_all_the_same() {
        let key = |n: u64| format!("{:064b}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).into_bytes();
        let keys: BTreeSet<Vec<u8>> = (0..2000).map(key).collect();
        let filter = "re:1[01]{18}0[01]{3}1";
        agrees(filter, &keys);
        let mut judge = Judge::of(&KeyFilter::read(filter).unwrap());
        assert!(matches!(judge.way, Way::Pattern(_)));
        keys.iter().for_each(|key| _ = judge.passes(key, 0));
        assert!(matches!(judge.way, Way::Whole));
    }
}
