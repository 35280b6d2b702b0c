//! From the parser's AST to the IR, refusing by name what this version cannot run exactly.
//!
//! Case folding happens here. With `i`, explicitly listed characters are limited to ASCII and to blocks without case,
//! where folding does not depend on the Unicode version of the Node that runs (see [`UNCASED`]).

use oxc_allocator::Allocator;
use oxc_regular_expression::ast::{
    Alternative, BoundaryAssertionKind, CharacterClass, CharacterClassContents, CharacterClassContentsKind,
    CharacterClassEscapeKind, Disjunction, Term,
};
use oxc_regular_expression::{LiteralParser, Options};

use crate::depth::{MAX_DEPTH, nesting_depth};
use crate::ir::{Assertion, Node};
use crate::pattern::{Error, Flags};
use crate::set::{LAST_CODE_POINT, LAST_CODE_UNIT, Set};

/// More than any string can hold characters: a loop's bound from here on is no bound.
const UNBOUNDED: u64 = 1 << 30;

/// Of the pattern's text: bounds what the parser allocates.
const MAX_SOURCE_BYTES: usize = 64 << 10;

/// Blocks without cased characters, in every Unicode version so far: Hebrew to Myanmar, CJK to Yi, Hangul, surrogates
/// and CJK compatibility ideographs.
const UNCASED: [(u32, u32); 4] = [(0x0590, 0x109F), (0x2E80, 0xA63F), (0xAC00, 0xDFFF), (0xF900, 0xFAFF)];

/// A lowered pattern.
pub(crate) struct Lowered {
    pub(crate) root: Node,
    /// Capturing groups, the whole match not counted.
    pub(crate) groups: u32,
    /// The numbers of the named ones, ascending.
    pub(crate) named: Vec<u32>,
}

pub(crate) fn lower(source: &str, flags: Flags) -> Result<Lowered, Error> {
    if source.len() > MAX_SOURCE_BYTES {
        return Err(Error::TooLarge("the pattern is longer than 65,536 bytes"));
    }
    if nesting_depth(source) > MAX_DEPTH {
        return Err(Error::TooLarge("groups nest more than 200 deep"));
    }
    if flags.unicode_sets {
        return Err(Error::Unsupported("the flag v"));
    }
    let allocator = Allocator::default();
    let parser_flags = if flags.unicode { "u" } else { "" };
    let pattern = LiteralParser::new(&allocator, source, Some(parser_flags), Options::default())
        .parse()
        .map_err(|_| Error::Unsupported("syntax that the parser does not know"))?;
    let mut lowering = Lowering { flags, groups: 0, named: Vec::new(), names: Vec::new() };
    let root = lowering.disjunction(&pattern.body)?;
    let Lowering { groups, named, .. } = lowering;
    Ok(Lowered { root, groups, named })
}

struct Lowering {
    flags: Flags,
    groups: u32,
    named: Vec<u32>,
    names: Vec<String>,
}

impl Lowering {
    fn disjunction(&mut self, disjunction: &Disjunction<'_>) -> Result<Node, Error> {
        let mut branches =
            disjunction.body.iter().map(|branch| self.alternative(branch)).collect::<Result<Vec<_>, _>>()?;
        Ok(if branches.len() == 1 { branches.swap_remove(0) } else { Node::Alternation(branches) })
    }

    fn alternative(&mut self, alternative: &Alternative<'_>) -> Result<Node, Error> {
        let mut parts = alternative.body.iter().map(|term| self.term(term)).collect::<Result<Vec<_>, _>>()?;
        Ok(match parts.len() {
            0 => Node::Empty,
            1 => parts.swap_remove(0),
            _ => Node::Concatenation(parts),
        })
    }

    fn term(&mut self, term: &Term<'_>) -> Result<Node, Error> {
        match term {
            Term::BoundaryAssertion(assertion) => self.assertion(assertion.kind),
            Term::LookAroundAssertion(look) => {
                use oxc_regular_expression::ast::LookAroundAssertionKind as Kind;
                Ok(Node::Look {
                    behind: matches!(look.kind, Kind::Lookbehind | Kind::NegativeLookbehind),
                    negative: matches!(look.kind, Kind::NegativeLookahead | Kind::NegativeLookbehind),
                    body: Box::new(self.disjunction(&look.body)?),
                })
            }
            Term::Quantifier(quantifier) => {
                let body = self.term(&quantifier.body)?;
                repetition(quantifier.min, quantifier.max, quantifier.greedy, body)
            }
            Term::Character(character) => Ok(Node::Class(self.listed(character.value, character.value)?)),
            Term::Dot(_) => {
                let excluded = if self.flags.dot_all { Set::default() } else { Set::line_terminators() };
                Ok(Node::Class(excluded.complement(self.last())))
            }
            Term::CharacterClassEscape(escape) => Ok(Node::Class(self.class_escape(escape.kind))),
            Term::UnicodePropertyEscape(_) => Err(Error::Unsupported("a Unicode property \\p{…}")),
            Term::CharacterClass(class) => Ok(Node::Class(self.class(class)?)),
            Term::CapturingGroup(group) => {
                self.groups += 1;
                let number = self.groups;
                if let Some(name) = &group.name {
                    if self.names.iter().any(|known| known == name.as_str()) {
                        return Err(Error::Unsupported("a group name that is used twice"));
                    }
                    self.names.push(name.to_string());
                    self.named.push(number);
                }
                Ok(Node::Capture(number, Box::new(self.disjunction(&group.body)?)))
            }
            Term::IgnoreGroup(group) => {
                if group.modifiers.is_some() {
                    return Err(Error::Unsupported("inline flags (?i:…)"));
                }
                self.disjunction(&group.body)
            }
            Term::IndexedReference(_) | Term::NamedReference(_) => Err(Error::BackReference),
        }
    }

    fn assertion(&self, kind: BoundaryAssertionKind) -> Result<Node, Error> {
        let Flags { multiline, ignore_case, unicode, .. } = self.flags;
        let assertion = match kind {
            BoundaryAssertionKind::Start if multiline => Assertion::LineStart,
            BoundaryAssertionKind::End if multiline => Assertion::LineEnd,
            BoundaryAssertionKind::Start => Assertion::InputStart,
            BoundaryAssertionKind::End => Assertion::InputEnd,
            // There \w, and so \b, also knows U+017F and U+212A.
            _ if ignore_case && unicode => {
                return Err(Error::Unsupported("\\b or \\B with the flags i and u"));
            }
            BoundaryAssertionKind::Boundary => Assertion::WordBoundary,
            BoundaryAssertionKind::NegativeBoundary => Assertion::NotWordBoundary,
        };
        Ok(Node::Assertion(assertion))
    }

    /// Characters that the pattern lists itself, with their other cases.
    fn listed(&self, low: u32, high: u32) -> Result<Set, Error> {
        let set = Set::from_ranges([(low, high)]);
        if !self.flags.ignore_case {
            return Ok(set);
        }
        let foldable = Set::from_ranges(UNCASED.into_iter().chain([(0, 0x7F)]));
        if !set
            .within(low, high)
            .ranges()
            .iter()
            .all(|&(a, b)| foldable.ranges().iter().any(|&(first, last)| first <= a && b <= last))
        {
            return Err(Error::Unsupported("a character outside ASCII that may have case, with the flag i"));
        }
        Ok(self.fold(&set))
    }

    /// The set with the characters that equal one of its members under `i`. ECMA-262, §22.2.2.7.3, for sets whose cased
    /// members are ASCII: without `u` they pair among themselves, with `u` also with U+017F (s) and U+212A (k).
    fn fold(&self, set: &Set) -> Set {
        let folded = set.close_over_ascii_case();
        if !self.flags.unicode {
            return folded;
        }
        let has = |letter: char| !folded.within(letter as u32, letter as u32).ranges().is_empty();
        let mut extra = Vec::new();
        if has('s') {
            extra.push((0x017F, 0x017F));
        }
        if has('k') {
            extra.push((0x212A, 0x212A));
        }
        folded.union(&Set::from_ranges(extra))
    }

    fn class(&self, class: &CharacterClass<'_>) -> Result<Set, Error> {
        if class.kind != CharacterClassContentsKind::Union || class.strings {
            return Err(Error::Unsupported("a class with set operations"));
        }
        let mut set = Set::default();
        for content in &class.body {
            let members = match content {
                CharacterClassContents::CharacterClassRange(range) => {
                    self.listed(range.min.value, range.max.value)?
                }
                CharacterClassContents::CharacterClassEscape(escape) => self.class_escape(escape.kind),
                CharacterClassContents::Character(character) => {
                    self.listed(character.value, character.value)?
                }
                CharacterClassContents::UnicodePropertyEscape(_) => {
                    return Err(Error::Unsupported("a Unicode property \\p{…}"));
                }
                CharacterClassContents::NestedCharacterClass(_)
                | CharacterClassContents::ClassStringDisjunction(_) => {
                    return Err(Error::Unsupported("a class with set operations"));
                }
            };
            set = set.union(&members);
        }
        Ok(if class.negative { set.complement(self.last()) } else { set })
    }

    /// These are closed under folding as they are, but for `\w` with `i` and `u`.
    fn class_escape(&self, kind: CharacterClassEscapeKind) -> Set {
        let word = || {
            let word = Set::word();
            if self.flags.ignore_case { self.fold(&word) } else { word }
        };
        match kind {
            CharacterClassEscapeKind::D => Set::digits(),
            CharacterClassEscapeKind::NegativeD => Set::digits().complement(self.last()),
            CharacterClassEscapeKind::S => Set::space(),
            CharacterClassEscapeKind::NegativeS => Set::space().complement(self.last()),
            CharacterClassEscapeKind::W => word(),
            CharacterClassEscapeKind::NegativeW => word().complement(self.last()),
        }
    }

    fn last(&self) -> u32 {
        if self.flags.unicode { LAST_CODE_POINT } else { LAST_CODE_UNIT }
    }
}

/// A loop. Counts past the longest string are no bounds, or no match.
fn repetition(min: u64, max: Option<u64>, greedy: bool, body: Node) -> Result<Node, Error> {
    let max = max.filter(|&max| max < UNBOUNDED);
    let too_large = |_| Error::TooLarge("a loop counts further than a string is long");
    Ok(Node::Repetition {
        min: u32::try_from(min).map_err(too_large)?,
        max: max.map(u32::try_from).transpose().map_err(too_large)?,
        greedy,
        body: Box::new(body),
    })
}
