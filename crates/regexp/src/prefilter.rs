//! Strings that every match starts with one of, for searches to look for first.
//!
//! An automaton's search does by itself, but the library's choice of strings is sometimes a poor one.
//! Of strings that all start with the same byte the library looks for that byte alone, if it is rare in its view. In the
//! texts that such patterns are for it hardly is: `<` in a page, `"` in a log. Two bytes or three are.

use aho_corasick::packed::{self, Searcher};
use regex_automata::MatchKind;
use regex_automata::util::prefilter::Prefilter;
use regex_syntax::hir::Hir;
use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};

use crate::automaton::{Alphabet, runs_exactly, translate};
use holdfast_regexp_syntax::Node;

/// Bytes of each of several strings: so many are compared at once.
const LENGTH: usize = 3;
/// More strings are seldom told apart by their first bytes.
const MAX_STRINGS: usize = 16;
/// So many are looked for together.
const MAX_PREFIXES: usize = 64;

/// For the backtracker: the strings that matches in Latin-1 start with, if they are few and quick to look for.
pub(crate) fn prefixes(root: &Node) -> Option<Vec<Vec<u8>>> {
    if !runs_exactly(root) {
        return None;
    }
    let mut seq = Extractor::new().kind(ExtractKind::Prefix).extract(&translate(root, Alphabet::Latin1));
    seq.optimize_for_prefix_by_preference();
    let strings: Vec<_> = seq.literals()?.iter().map(|literal| literal.as_bytes().to_vec()).collect();
    let are_long = strings.iter().all(|string| string.len() > 1);
    (!strings.is_empty() && strings.len() <= MAX_PREFIXES && are_long).then_some(strings)
}

/// Looks for strings with vector instructions, where the machine has them.
pub(crate) fn finder(strings: &[Vec<u8>]) -> Option<Searcher> {
    packed::Config::new().match_kind(packed::MatchKind::LeftmostFirst).builder().extend(strings).build()
}

/// For an automaton: the strings to look for in place of a byte.
pub(crate) fn prefilter(hir: &Hir) -> Option<Prefilter> {
    Prefilter::new(MatchKind::LeftmostFirst, &strings(hir)?)
}

fn strings(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let seq = Extractor::new().kind(ExtractKind::Prefix).extract(hir);
    let mut library = seq.clone();
    library.optimize_for_prefix_by_preference();
    // One byte, and the same one every time.
    let is_byte = |seq: &Seq| seq.len() == Some(1) && seq.max_literal_len() == Some(1);
    if !is_byte(&library) || is_byte(&seq) {
        return None;
    }
    if let Some(common) = seq.longest_common_prefix().filter(|common| common.len() > 1) {
        return Some(vec![common.to_vec()]);
    }
    let mut first = seq;
    first.keep_first_bytes(LENGTH);
    first.sort();
    first.dedup();
    let strings: Vec<_> = first.literals()?.iter().map(|literal| literal.as_bytes().to_vec()).collect();
    let is_quick = strings.len() <= MAX_STRINGS && strings.iter().all(|string| string.len() == LENGTH);
    is_quick.then_some(strings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex_syntax::parse;

    fn of(pattern: &str) -> Option<Vec<String>> {
        let strings = strings(&parse(pattern).unwrap())?;
        Some(strings.into_iter().map(|string| String::from_utf8(string).unwrap()).collect())
    }

    fn all(strings: &[&str]) -> Option<Vec<String>> {
        Some(strings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn looks_for_strings_where_the_library_would_look_for_a_byte() {
        assert_eq!(of(r#"" (5[0-9][0-9]) "#), all(&[r#"" 5"#]));
        assert_eq!(of("<[Bb][Rr][ ]*/?>"), all(&["<BR", "<Br", "<bR", "<br"]));
        assert_eq!(of("<[Ss][Cc][Rr][Ii][Pp][Tt][^>]*>"), all(&["<SC", "<Sc", "<sC", "<sc"]));
        assert_eq!(of("<(?:b|br|i)>"), all(&["<b>", "<br", "<i>"]));
    }

    #[test]
    fn leaves_the_rest_to_the_library() {
        // Nothing follows the byte, or too little, or what follows is anything.
        assert_eq!(of("@"), None);
        assert_eq!(of("@[a-z]+"), None);
        assert_eq!(of("@(?:a|b)"), None);
        // Its own choice is no single byte.
        assert_eq!(of("needle"), None);
        assert_eq!(of("(?:foo|bar)[a-z]"), None);
        assert_eq!(of("[a-z]+@"), None);
        assert_eq!(of("(?:)"), None);
    }
}
