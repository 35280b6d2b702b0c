//! A compiled [`Pattern`], and what it is compiled from and run within: limits, texts.

use std::sync::Arc;

use holdfast_regexp_syntax::{Characters, Flags, Lowered, Name, Node, lower};

use crate::automaton::{Claims, admit, claims};
use crate::matcher::Matcher;

/// Why a pattern was refused, or a search ended without an answer. The texts name constructs, never the pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The pattern has a back-reference, for which no linear algorithm is known.
    BackReference,
    /// The pattern cannot be run exactly in this version; the text is the construct, as a noun phrase.
    Unsupported(&'static str),
    /// The pattern is over a limit; the text says which, as a clause.
    TooLarge(&'static str),
    /// A search would need more than [`Limits::memory`].
    Memory,
    /// A search with back-references has taken [`Limits::backreference_steps`].
    Budget,
}

impl From<holdfast_regexp_syntax::Error> for Error {
    fn from(error: holdfast_regexp_syntax::Error) -> Error {
        match error {
            holdfast_regexp_syntax::Error::BackReference => Error::BackReference,
            holdfast_regexp_syntax::Error::Unsupported(what) => Error::Unsupported(what),
            holdfast_regexp_syntax::Error::TooLarge(what) => Error::TooLarge(what),
        }
    }
}

/// What searches may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that one operation may take: for the text, in the forms that the engines read, and for what they remember.
    pub memory: usize,
    /// Steps that one search with a pattern with back-references may take; without this such patterns are refused.
    pub backreference_steps: Option<u64>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { memory: 64 << 20, backreference_steps: None }
    }
}

/// Text to search in. Both forms have the same offsets.
#[derive(Clone, Copy, Debug)]
pub enum Haystack<'a> {
    /// Characters up to U+00FF, a byte each.
    Latin1(&'a [u8]),
    /// UTF-16 code units, lone surrogates included.
    Utf16(&'a [u16]),
}

impl Haystack<'_> {
    /// In UTF-16 code units.
    pub fn len(&self) -> usize {
        match self {
            Haystack::Latin1(bytes) => bytes.len(),
            Haystack::Utf16(units) => units.len(),
        }
    }

    /// Whether there is nothing to search in.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Haystack::Latin1(bytes) => bytes.len(),
            Haystack::Utf16(units) => 2 * units.len(),
        }
    }
}

/// An offset in UTF-16 code units (in bytes of UTF-8, of the methods that take these), or `None` for a group that took no
/// part.
pub type Offset = Option<usize>;

/// A compiled pattern. Cheap to clone; shared by the matchers made from it.
#[derive(Clone)]
pub struct Pattern {
    pub(crate) program: Arc<Program>,
}

pub(crate) struct Program {
    pub(crate) root: Node,
    pub(crate) flags: Flags,
    pub(crate) groups: u32,
    names: Vec<Name>,
    named: Vec<u32>,
    pub(crate) canonical: Vec<(u32, u32)>,
    pub(crate) claims: Claims,
    pub(crate) limits: Limits,
}

impl Pattern {
    /// Compiles a pattern that V8 has already accepted. Time and memory are linear in its expanded size, which is limited.
    pub fn compile(
        source: &[u16],
        flags: Flags,
        characters: &Characters,
        limits: Limits,
    ) -> Result<Pattern, Error> {
        let backreferences = limits.backreference_steps.is_some();
        let Lowered { root, groups, names, canonical } = lower(source, flags, characters, backreferences)?;
        admit(&root)?;
        let claims = claims(&root, groups);
        let mut named: Vec<u32> = names.iter().flat_map(|(_, numbers)| numbers).copied().collect();
        named.sort_unstable();
        let program = Program { root, flags, groups, names, named, canonical, claims, limits };
        Ok(Pattern { program: Arc::new(program) })
    }

    /// Capturing groups, the whole match not counted.
    pub fn groups(&self) -> u32 {
        self.program.groups
    }

    /// The numbers of the named groups, ascending.
    pub fn named_groups(&self) -> &[u32] {
        &self.program.named
    }

    /// The names of groups in UTF-16, in the order of their first group, each with the numbers of its groups.
    pub fn group_names(&self) -> &[(Vec<u16>, Vec<u32>)] {
        &self.program.names
    }

    /// Whether the pattern is a plain string. V8 searches for some of these in a way of its own.
    pub fn is_literal(&self) -> bool {
        self.program.root.is_literal()
    }

    pub(crate) fn root(&self) -> &Node {
        &self.program.root
    }

    pub(crate) fn flags(&self) -> Flags {
        self.program.flags
    }

    /// The same with another tree, which has no other groups.
    pub(crate) fn with_root(&self, root: Node) -> Pattern {
        let Program { flags, groups, limits, .. } = *self.program;
        let (names, named) = (self.program.names.clone(), self.program.named.clone());
        let (canonical, claims) = (self.program.canonical.clone(), claims(&root, self.program.groups));
        let program = Program { root, flags, groups, names, named, canonical, claims, limits };
        Pattern { program: Arc::new(program) }
    }

    /// A matcher of its own for one thread.
    pub fn matcher(&self) -> Result<Matcher, Error> {
        Ok(Matcher::new(self))
    }
}
