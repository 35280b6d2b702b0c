//! The automaton engine: regex-automata, fed an HIR that is built node by node from the IR.
//!
//! Its leftmost-first semantics are ECMAScript's for every IR that [`claims`] admits, because there
//! - no loop body matches empty, so ECMAScript's empty check never fires;
//! - where its captures are asked for, every iteration of a loop sets all of its body, so that their reset cannot be seen;
//! - assertions are `^`, `$` and the ASCII `\b`, `\B`, which look at one byte on each side, and a byte of a character
//!   outside ASCII is not a word byte; with `m`, `^` and `$` are run only in texts whose only line terminator is U+000A;
//! - no empty match can fall inside a character's bytes: without assertions a nullable pattern matches empty right where
//!   the search starts, `^`, `$` and `\b` never hold there, and a nullable pattern with `\B` is not admitted;
//! - a non-empty match starts with a lead byte, as no sequence of [`encode`](crate::encode) starts with a continuation.
//!
//! One-byte haystacks run on an automaton of their own, whose classes are cut to Latin-1: it is much smaller, and nothing
//! has to be encoded.

use regex_automata::meta::{BuildError, Cache, Config, Regex};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{
    Capture, Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, Look, Repetition,
};

use crate::pattern::{Error, Haystack};
use crate::prefilter::prefilter;
use holdfast_regexp_syntax::Set;
use holdfast_regexp_syntax::{Assertion, Node};

/// Characters in the pattern, its counted repeats expanded.
const MAX_EXPANDED: u64 = 250_000;
/// The same times the groups, of what the automaton takes: bounds the table of captures that a search may need.
const MAX_EXPANDED_BY_GROUPS: u64 = 400_000;
/// Bytes of the compiled program.
const MAX_PROGRAM_BYTES: usize = 32 << 20;

/// Which haystacks an automaton is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// A byte is a character up to U+00FF.
    Latin1,
    /// Bytes as [`crate::encode`] makes them.
    Wide,
}

pub(crate) struct Automaton {
    regex: Regex,
    cache: Cache,
    is_literal: bool,
}

/// What an automaton gives exactly for a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Whether there is a match, and where the first one starts and ends.
    pub(crate) bounds: bool,
    /// What its groups captured.
    pub(crate) captures: bool,
    /// But only in texts whose lines end with U+000A, if at all.
    pub(crate) only_line_feeds: bool,
}

impl Claims {
    /// Whether the automaton may read the text, as far as its line terminators matter.
    pub(crate) fn cover(self, haystack: Haystack<'_>) -> bool {
        !self.only_line_feeds
            || match haystack {
                Haystack::Latin1(bytes) => !bytes.contains(&b'\r'),
                // No early exit: without branches the loop becomes vector instructions.
                Haystack::Utf16(units) => !units
                    .iter()
                    .fold(false, |seen, &unit| seen | (unit == 0x0D) | (unit == 0x2028) | (unit == 0x2029)),
            }
    }
}

/// The rule that this module's header states.
pub(crate) fn claims(root: &Node, groups: u32) -> Claims {
    let size = expanded_size(root).saturating_mul(u64::from(groups) + 1);
    let bounds = size <= MAX_EXPANDED_BY_GROUPS
        && runs_exactly(root)
        && !(root.is_nullable() && contains(root, &[Assertion::NotWordBoundary]));
    let captures = bounds && loops_set_their_captures(root);
    Claims { bounds, captures, only_line_feeds: contains(root, &[Assertion::LineStart, Assertion::LineEnd]) }
}

/// Bounds the work that compiling and searching may take. Checked once, at compilation of the pattern.
pub(crate) fn admit(root: &Node) -> Result<(), Error> {
    if expanded_size(root) > MAX_EXPANDED {
        return Err(Error::TooLarge("the pattern, its counted repeats expanded, is over 250,000 characters"));
    }
    Ok(())
}

pub(crate) fn runs_exactly(node: &Node) -> bool {
    match node {
        Node::Empty | Node::Class(_) => true,
        Node::Assertion(assertion) => look(*assertion).is_some(),
        Node::Concatenation(nodes) | Node::Alternation(nodes) => nodes.iter().all(runs_exactly),
        Node::Repetition { body, .. } => !body.is_nullable() && runs_exactly(body),
        Node::Capture(_, body) => runs_exactly(body),
        Node::Look { .. } | Node::BackReference { .. } => false,
    }
}

/// Whether every iteration of every loop sets all captures of the body, so that their reset cannot be seen.
fn loops_set_their_captures(node: &Node) -> bool {
    match node {
        Node::Empty | Node::Class(_) | Node::Assertion(_) | Node::BackReference { .. } => true,
        Node::Concatenation(nodes) | Node::Alternation(nodes) => nodes.iter().all(loops_set_their_captures),
        Node::Repetition { max, body, .. } => {
            let (mut all, mut always) = (Vec::new(), Vec::new());
            if max.is_none_or(|max| max > 1) {
                body.captures(&mut all, &mut always);
            }
            all.iter().all(|group| always.contains(group)) && loops_set_their_captures(body)
        }
        Node::Capture(_, body) | Node::Look { body, .. } => loops_set_their_captures(body),
    }
}

fn look(assertion: Assertion) -> Option<Look> {
    match assertion {
        Assertion::InputStart => Some(Look::Start),
        Assertion::InputEnd => Some(Look::End),
        Assertion::LineStart => Some(Look::StartLF),
        Assertion::LineEnd => Some(Look::EndLF),
        Assertion::WordBoundary => Some(Look::WordAscii),
        Assertion::NotWordBoundary => Some(Look::WordAsciiNegate),
        Assertion::FoldedWordBoundary | Assertion::NotFoldedWordBoundary => None,
    }
}

impl Automaton {
    pub(crate) fn build(root: &Node, alphabet: Alphabet) -> Result<Automaton, Error> {
        let hir = translate(root, alphabet);
        let mut config = Config::new().utf8_empty(false).nfa_size_limit(Some(MAX_PROGRAM_BYTES));
        if let Some(prefilter) = prefilter(&hir) {
            config = config.prefilter(Some(prefilter));
        }
        let regex =
            Regex::builder().configure(config).build_from_hir(&hir).map_err(|error| build_error(&error))?;
        let cache = regex.create_cache();
        Ok(Automaton { regex, cache, is_literal: hir.properties().is_alternation_literal() })
    }

    /// Bytes of the program, and of the memory for searching as it is now.
    pub(crate) fn memory_usage(&self) -> usize {
        self.regex.memory_usage() + self.cache.memory_usage()
    }

    /// Whether it looks for strings, and for nothing else.
    pub(crate) fn is_literal(&self) -> bool {
        self.is_literal
    }

    /// Whether a search passes over what cannot match faster than a character at a time.
    pub(crate) fn is_accelerated(&self) -> bool {
        self.regex.is_accelerated()
    }

    /// Whether there is a match at or, unless `sticky`, after `from`.
    #[inline]
    pub(crate) fn is_match(&mut self, haystack: &[u8], from: usize, sticky: bool) -> bool {
        let input = input(haystack, from, sticky).earliest(true);
        self.regex.search_half_with(&mut self.cache, &input).is_some()
    }

    /// The first match's slots: start and end of the whole match, then of each group. False when there is none.
    pub(crate) fn find(
        &mut self,
        haystack: &[u8],
        from: usize,
        sticky: bool,
        slots: &mut [Option<NonMaxUsize>],
    ) -> bool {
        slots.fill(None);
        self.regex.search_slots_with(&mut self.cache, &input(haystack, from, sticky), slots).is_some()
    }
}

fn input(haystack: &[u8], from: usize, sticky: bool) -> Input<'_> {
    let anchored = if sticky { Anchored::Yes } else { Anchored::No };
    Input::new(haystack).range(from..).anchored(anchored)
}

fn build_error(error: &BuildError) -> Error {
    if error.size_limit().is_some() {
        Error::TooLarge("the compiled pattern is over 32 MiB")
    } else {
        Error::Unsupported("a construct that the automaton does not take")
    }
}

fn expanded_size(node: &Node) -> u64 {
    match node {
        Node::Empty | Node::Class(_) | Node::Assertion(_) | Node::BackReference { .. } => 1,
        Node::Concatenation(nodes) | Node::Alternation(nodes) => {
            nodes.iter().map(expanded_size).fold(1, u64::saturating_add)
        }
        Node::Repetition { min, max, body, .. } => {
            expanded_size(body).saturating_mul(u64::from(max.unwrap_or(*min).max(1)))
        }
        Node::Capture(_, body) | Node::Look { body, .. } => expanded_size(body).saturating_add(1),
    }
}

fn contains(node: &Node, wanted: &[Assertion]) -> bool {
    match node {
        Node::Empty | Node::Class(_) | Node::BackReference { .. } => false,
        Node::Assertion(assertion) => wanted.contains(assertion),
        Node::Concatenation(nodes) | Node::Alternation(nodes) => {
            nodes.iter().any(|node| contains(node, wanted))
        }
        Node::Repetition { body, .. } | Node::Capture(_, body) | Node::Look { body, .. } => {
            contains(body, wanted)
        }
    }
}

pub(crate) fn translate(node: &Node, alphabet: Alphabet) -> Hir {
    match node {
        Node::Empty => Hir::empty(),
        Node::Class(set) if alphabet == Alphabet::Latin1 => latin1_class(set),
        Node::Class(set) => wide_class(set),
        // `claims` lets nothing through that has no counterpart here.
        Node::Assertion(assertion) => look(*assertion).map_or_else(Hir::fail, Hir::look),
        Node::Look { .. } | Node::BackReference { .. } => Hir::fail(),
        Node::Concatenation(nodes) => {
            Hir::concat(nodes.iter().map(|part| translate(part, alphabet)).collect())
        }
        Node::Alternation(nodes) => {
            Hir::alternation(nodes.iter().map(|part| translate(part, alphabet)).collect())
        }
        Node::Repetition { min, max, greedy, body, .. } => Hir::repetition(Repetition {
            min: *min,
            max: *max,
            greedy: *greedy,
            sub: Box::new(translate(body, alphabet)),
        }),
        Node::Capture(index, body) => {
            Hir::capture(Capture { index: *index, name: None, sub: Box::new(translate(body, alphabet)) })
        }
    }
}

fn latin1_class(set: &Set) -> Hir {
    let latin1 = set.within(0, 0xFF);
    let ranges = latin1.ranges().iter().map(|&(low, high)| ClassBytesRange::new(low as u8, high as u8));
    Hir::class(Class::Bytes(ClassBytes::new(ranges)))
}

/// The characters' byte sequences. `char` cannot hold surrogates, so these are spelt out in bytes; all sequences are
/// disjoint, hence the alternation's order means nothing.
fn wide_class(set: &Set) -> Hir {
    let scalars = set.within(0, 0xD7FF).union(&set.within(0xE000, 0x10_FFFF));
    let ranges = scalars.ranges().iter().flat_map(|&(low, high)| {
        // A range that spans the surrogates has just been cut in two, so both ends are scalar values.
        Some(ClassUnicodeRange::new(char::from_u32(low)?, char::from_u32(high)?))
    });
    let scalars = Hir::class(Class::Unicode(ClassUnicode::new(ranges)));
    let surrogates = set.within(0xD800, 0xDFFF);
    if surrogates.ranges().is_empty() {
        return scalars;
    }
    let mut branches = vec![scalars];
    for &(low, high) in surrogates.ranges() {
        // ED A0..BF 80..BF: the second byte counts blocks of 64.
        for block in (low >> 6)..=(high >> 6) {
            let first = low.max(block << 6);
            let last = high.min((block << 6) | 0x3F);
            branches.push(Hir::concat(vec![
                Hir::literal([0xED]),
                byte(0x80 | (block & 0x3F) as u8, 0x80 | (block & 0x3F) as u8),
                byte(0x80 | (first & 0x3F) as u8, 0x80 | (last & 0x3F) as u8),
            ]));
        }
    }
    Hir::alternation(branches)
}

fn byte(low: u8, high: u8) -> Hir {
    Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(low, high)])))
}
