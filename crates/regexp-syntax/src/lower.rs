//! From the parser's AST to the IR. Everything that V8 accepts is lowered; case folding and the flags, inline ones too,
//! are resolved here.
//!
//! Data about characters that is not there is noted and stands as nothing until it is: [`missing`] gives the list, and
//! [`lower`] refuses.

use std::collections::BTreeSet;
use std::sync::Arc;

use oxc_allocator::Allocator;
use oxc_regular_expression::ast::{
    Alternative, BoundaryAssertionKind, CharacterClass, CharacterClassContents, CharacterClassContentsKind,
    CharacterClassEscapeKind, ClassString, Disjunction, LookAroundAssertionKind, Modifier, Modifiers, Term,
    UnicodePropertyEscape,
};
use oxc_regular_expression::{LiteralParser, Options};

use crate::characters::{Characters, Folding};
use crate::class::ClassSet;
use crate::depth::{MAX_DEPTH, nesting_depth};
use crate::ir::{Assertion, Node, Span};
use crate::set::{LAST_CODE_POINT, LAST_CODE_UNIT, Set};
use crate::source::{Name, Source};
use crate::{Error, Flags};

/// More than any string can hold characters: a loop's bound from here on is no bound.
const UNBOUNDED: u64 = 1 << 30;

/// UTF-16 units of the pattern's text: bounds what the parser allocates.
const MAX_SOURCE_UNITS: usize = 64 << 10;

/// Ranges in all classes together: bounds the memory that a list of properties takes.
const MAX_RANGES: usize = 1 << 21;

/// Data that a pattern may ask for; there are some 500 properties.
const MAX_MISSING: usize = 2000;

/// A lowered pattern.
pub struct Lowered {
    /// What it is.
    pub root: Node,
    /// Capturing groups, the whole match not counted.
    pub groups: u32,
    /// In the order of their first group. Several groups may have the same.
    pub names: Vec<Name>,
    /// How back-references under `i` compare, where there are some: characters that are equal to another, ascending, each
    /// with what stands for all that are equal.
    pub canonical: Vec<(u32, u32)>,
}

/// Lowers a pattern that V8 has accepted.
pub fn lower(
    source: &[u16],
    flags: Flags,
    characters: &Characters,
    backreferences: bool,
) -> Result<Lowered, Error> {
    complete(run(source, flags, characters, backreferences, &mut |_| ())?)
}

fn complete((lowered, missing): (Lowered, BTreeSet<String>)) -> Result<Lowered, Error> {
    if missing.is_empty() {
        Ok(lowered)
    } else {
        Err(Error::Unsupported("characters without data about them"))
    }
}

/// The names of the data that the pattern needs and `characters` lacks.
pub(crate) fn missing(source: &[u16], flags: Flags, characters: &Characters) -> Result<Vec<String>, Error> {
    let (_, missing) = run(source, flags, characters, true, &mut |_| ())?;
    Ok(missing.into_iter().collect())
}

/// Ranges of characters, and strings.
pub type ClassMembers = (Vec<(u32, u32)>, Vec<Vec<u32>>);

/// The only class with strings of a pattern, or the set of characters that a pattern is, for the test that asks V8 the same:
/// single characters, and strings in the order of preference, each with one of the characters that are equal.
#[doc(hidden)]
pub fn class_members(
    source: &[u16],
    flags: Flags,
    characters: &Characters,
) -> Result<Option<ClassMembers>, Error> {
    let mut classes = Vec::new();
    let mut on_class = |class: &ClassSet| classes.push(class.clone().members());
    let lowered = complete(run(source, flags, characters, false, &mut on_class)?)?;
    Ok(match (lowered.root, classes.pop()) {
        (Node::Class(set), _) => Some((set.ranges().to_vec(), Vec::new())),
        (_, class) if classes.is_empty() => class,
        _ => None,
    })
}

fn run(
    units: &[u16],
    flags: Flags,
    characters: &Characters,
    backreferences: bool,
    on_class: &mut dyn FnMut(&ClassSet),
) -> Result<(Lowered, BTreeSet<String>), Error> {
    if units.len() > MAX_SOURCE_UNITS {
        return Err(Error::TooLarge("the pattern is longer than 65,536 code units"));
    }
    let source = Source::spell(units, flags);
    if nesting_depth(&source.text) > MAX_DEPTH {
        return Err(Error::TooLarge("groups nest more than 200 deep"));
    }
    let allocator = Allocator::default();
    let parser_flags = match flags {
        Flags { unicode_sets: true, .. } => "v",
        Flags { unicode: true, .. } => "u",
        _ => "",
    };
    let pattern = LiteralParser::new(&allocator, &source.text, Some(parser_flags), Options::default())
        .parse()
        .map_err(|_| Error::Unsupported("syntax that the parser does not know"))?;
    let mut lowering = Lowering {
        flags,
        unicode: flags.unicode || flags.unicode_sets,
        source: &source,
        characters,
        backreferences,
        groups: 0,
        open_groups: Vec::new(),
        ranges: 0,
        folding: None,
        missing: BTreeSet::new(),
        behind: false,
        on_class,
    };
    let root = lowering.disjunction(&pattern.body)?;
    let Lowering { groups, folding, missing, .. } = lowering;
    let canonical = folding.map(|folding| folding.canonical()).unwrap_or_default();
    Ok((Lowered { root, groups, names: source.names, canonical }, missing))
}

struct Lowering<'a> {
    /// As they are where the lowering has got to.
    flags: Flags,
    /// Whether a character is a code point: `u` or `v`.
    unicode: bool,
    source: &'a Source,
    characters: &'a Characters,
    backreferences: bool,
    groups: u32,
    /// The groups around what is being lowered.
    open_groups: Vec<u32>,
    ranges: usize,
    folding: Option<Arc<Folding>>,
    missing: BTreeSet<String>,
    /// Whether what is being lowered is matched from its end to its start.
    behind: bool,
    /// Sees every class that is not a set of characters only.
    on_class: &'a mut dyn FnMut(&ClassSet),
}

impl Lowering<'_> {
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
            Term::BoundaryAssertion(assertion) => Ok(Node::Assertion(self.assertion(assertion.kind))),
            Term::LookAroundAssertion(look) => {
                let (behind, negative) = match look.kind {
                    LookAroundAssertionKind::Lookahead => (false, false),
                    LookAroundAssertionKind::NegativeLookahead => (false, true),
                    LookAroundAssertionKind::Lookbehind => (true, false),
                    LookAroundAssertionKind::NegativeLookbehind => (true, true),
                };
                let around = std::mem::replace(&mut self.behind, behind);
                let body = self.disjunction(&look.body)?;
                self.behind = around;
                Ok(Node::Look { behind, negative, body: Box::new(body) })
            }
            Term::Quantifier(quantifier) => {
                let body = self.term(&quantifier.body)?;
                let span = self.source.span(quantifier.span.start, quantifier.span.end);
                repetition(quantifier.min, quantifier.max, quantifier.greedy, body, span)
            }
            Term::Character(character) => {
                let set = self.listed(character.value, character.value);
                self.class_node(set)
            }
            Term::Dot(_) => {
                let excluded = if self.flags.dot_all { Set::default() } else { Set::line_terminators() };
                self.class_node(excluded.complement(self.last()))
            }
            Term::CharacterClassEscape(escape) => {
                let set = self.class_escape(escape.kind);
                self.class_node(set)
            }
            Term::UnicodePropertyEscape(escape) => {
                let class = self.property(escape)?;
                self.class_set_node(class)
            }
            Term::CharacterClass(class) => {
                let class = self.outermost_class(class)?;
                self.class_set_node(class)
            }
            Term::CapturingGroup(group) => {
                self.groups += 1;
                let number = self.groups;
                self.open_groups.push(number);
                let body = self.disjunction(&group.body)?;
                self.open_groups.pop();
                Ok(Node::Capture(number, Box::new(body)))
            }
            Term::IgnoreGroup(group) => {
                let outer = self.flags;
                if let Some(modifiers) = &group.modifiers {
                    self.modify(modifiers);
                }
                let body = self.disjunction(&group.body);
                self.flags = outer;
                body
            }
            Term::IndexedReference(reference) => {
                let named = self.source.groups_referred_to(reference.span.start);
                self.back_reference(named.map_or_else(|| vec![reference.index], <[u32]>::to_vec))
            }
            // The spelling has none.
            Term::NamedReference(_) => Err(Error::BackReference),
        }
    }

    fn modify(&mut self, modifiers: &Modifiers) {
        let change = |flag: &mut bool, modifier| {
            *flag =
                (*flag || modifiers.enabling.contains(modifier)) && !modifiers.disabling.contains(modifier);
        };
        change(&mut self.flags.ignore_case, Modifier::I);
        change(&mut self.flags.multiline, Modifier::M);
        change(&mut self.flags.dot_all, Modifier::S);
    }

    fn back_reference(&mut self, groups: Vec<u32>) -> Result<Node, Error> {
        if !self.backreferences {
            return Err(Error::BackReference);
        }
        // Inside its group, which is unset there. V8 has nothing in its place, and an unset reference elsewhere still
        // looks whether it stands between the halves of a surrogate pair.
        if groups.iter().any(|group| self.open_groups.contains(group)) {
            return Ok(Node::Empty);
        }
        let ignore_case = self.flags.ignore_case;
        if ignore_case {
            match self.characters.folding(self.unicode) {
                Ok(folding) => self.folding = Some(Arc::clone(folding)),
                Err(name) => self.lacks(name),
            }
        }
        Ok(Node::BackReference { groups, ignore_case })
    }

    fn assertion(&self, kind: BoundaryAssertionKind) -> Assertion {
        let Flags { multiline, ignore_case, .. } = self.flags;
        // There \w, and so \b, also knows U+017F and U+212A.
        let folded = ignore_case && self.unicode;
        match kind {
            BoundaryAssertionKind::Start if multiline => Assertion::LineStart,
            BoundaryAssertionKind::Start => Assertion::InputStart,
            BoundaryAssertionKind::End if multiline => Assertion::LineEnd,
            BoundaryAssertionKind::End => Assertion::InputEnd,
            BoundaryAssertionKind::Boundary if folded => Assertion::FoldedWordBoundary,
            BoundaryAssertionKind::Boundary => Assertion::WordBoundary,
            BoundaryAssertionKind::NegativeBoundary if folded => Assertion::NotFoldedWordBoundary,
            BoundaryAssertionKind::NegativeBoundary => Assertion::NotWordBoundary,
        }
    }

    fn class_node(&mut self, set: Set) -> Result<Node, Error> {
        self.count(set.ranges().len())?;
        Ok(Node::Class(set))
    }

    fn class_set_node(&mut self, class: ClassSet) -> Result<Node, Error> {
        self.count(class.size())?;
        if !class.strings.is_empty() {
            (self.on_class)(&class);
        }
        class.into_node(self.behind, |character| Ok(self.listed(character, character)))
    }

    /// Counts what classes take while they are computed, and when they stay.
    fn count(&mut self, ranges: usize) -> Result<(), Error> {
        self.ranges += ranges;
        if self.ranges > MAX_RANGES {
            return Err(Error::TooLarge("the pattern's classes have too many ranges and strings"));
        }
        Ok(())
    }

    /// Characters that the pattern lists itself, with their other cases.
    fn listed(&mut self, low: u32, high: u32) -> Set {
        self.close(Set::from_ranges([(low, high)]))
    }

    /// With `i`, the set with every character that equals one of its own.
    fn close(&mut self, set: Set) -> Set {
        if !self.flags.ignore_case {
            return set;
        }
        match self.characters.folding_of(&set, self.unicode) {
            Ok(folding) => folding.close(&set),
            Err(name) => {
                self.lacks(name);
                set
            }
        }
    }

    fn lacks(&mut self, name: &str) {
        if !self.missing.contains(name) {
            self.missing.insert(name.to_string());
        }
    }

    fn outermost_class(&mut self, class: &CharacterClass<'_>) -> Result<ClassSet, Error> {
        let own = self.class(class)?;
        let is_plain = |content: &CharacterClassContents<'_>| {
            !matches!(
                content,
                CharacterClassContents::NestedCharacterClass(_)
                    | CharacterClassContents::ClassStringDisjunction(_)
            )
        };
        let is_plain = class.kind == CharacterClassContentsKind::Union && class.body.iter().all(is_plain);
        if !self.flags.unicode_sets || is_plain {
            return Ok(own);
        }
        let flags = if self.flags.ignore_case { "iv" } else { "v" };
        let text = self.source.class(class.span.start).unwrap_or_default();
        match self.characters.class(|| format!("{flags}{text}"), own.characters) {
            Ok(characters) => Ok(ClassSet { characters, ..own }),
            Err(name) => {
                self.lacks(&name);
                // Each is some text for V8 to work on.
                if self.missing.len() > MAX_MISSING {
                    return Err(Error::TooLarge("the pattern has too many classes with set operations"));
                }
                Ok(ClassSet { strings: own.strings, ..ClassSet::default() })
            }
        }
    }

    fn class(&mut self, class: &CharacterClass<'_>) -> Result<ClassSet, Error> {
        let mut operands = class.body.iter();
        let mut result = match class.kind {
            // One sort of all, not one for each.
            CharacterClassContentsKind::Union => {
                let (mut ranges, mut strings) = (Vec::new(), BTreeSet::new());
                for content in operands {
                    let operand = self.class_operand(content)?;
                    ranges.extend_from_slice(operand.characters.ranges());
                    strings.extend(operand.strings);
                }
                ClassSet { characters: Set::from_ranges(ranges), strings }
            }
            CharacterClassContentsKind::Intersection | CharacterClassContentsKind::Subtraction => {
                let first = operands.next().map(|content| self.class_operand(content));
                operands.try_fold(first.transpose()?.unwrap_or_default(), |result, content| {
                    let operand = self.class_operand(content)?;
                    Ok(if class.kind == CharacterClassContentsKind::Intersection {
                        result.intersection(&operand)
                    } else {
                        result.difference(&operand)
                    })
                })?
            }
        };
        if class.negative {
            // V8 has made sure that there are no strings.
            result = result.characters.complement(self.last()).into();
        }
        Ok(result)
    }

    fn class_operand(&mut self, content: &CharacterClassContents<'_>) -> Result<ClassSet, Error> {
        Ok(match content {
            CharacterClassContents::CharacterClassRange(range) => {
                self.listed(range.min.value, range.max.value).into()
            }
            CharacterClassContents::CharacterClassEscape(escape) => self.class_escape(escape.kind).into(),
            CharacterClassContents::Character(character) => {
                self.listed(character.value, character.value).into()
            }
            CharacterClassContents::UnicodePropertyEscape(escape) => self.property(escape)?,
            CharacterClassContents::NestedCharacterClass(class) => self.class(class)?,
            CharacterClassContents::ClassStringDisjunction(strings) => {
                let strings = strings.body.iter();
                self.class_strings(
                    strings.map(|ClassString { body, .. }| body.iter().map(|c| c.value).collect()),
                )
            }
        })
    }

    fn class_strings(&mut self, strings: impl Iterator<Item = Vec<u32>>) -> ClassSet {
        let mut class = ClassSet::default();
        let mut ranges = Vec::new();
        for string in strings {
            if let [character] = string[..] {
                ranges.extend_from_slice(self.listed(character, character).ranges());
            } else {
                class.strings.insert(string.into_iter().map(|character| self.canonical(character)).collect());
            }
        }
        class.characters = Set::from_ranges(ranges);
        class
    }

    /// One character for all that are equal under the flags.
    fn canonical(&mut self, character: u32) -> u32 {
        self.listed(character, character).ranges().first().map_or(character, |&(low, _)| low)
    }

    fn property(&mut self, escape: &UnicodePropertyEscape<'_>) -> Result<ClassSet, Error> {
        let Flags { ignore_case, unicode_sets, .. } = self.flags;
        let name = self.source.property(escape.span.start).unwrap_or_default();
        // Versions of V8 differ in what properties match with i and v, so it is asked for just that.
        let folded = (ignore_case && unicode_sets)
            .then(|| format!("{}{{{name}}}", if escape.negative { 'P' } else { 'p' }));
        let name = folded.as_deref().unwrap_or(name);
        let Some(property) = self.characters.property(name) else {
            self.lacks(name);
            if ignore_case && self.characters.folding(self.unicode).is_err() {
                self.lacks(Characters::SIMPLE_FOLDING);
            }
            return Ok(ClassSet::default());
        };
        let characters = property.characters.clone();
        let characters = match (escape.negative, folded.is_some()) {
            (_, true) => characters,
            (false, false) => self.close(characters),
            (true, false) => self.close(characters.complement(self.last())),
        };
        let class = ClassSet { characters, ..self.class_strings(property.strings.iter().cloned()) };
        self.count(class.size())?;
        Ok(class)
    }

    /// These are closed under folding as they are, but for `\w` with `i` and `u`.
    fn class_escape(&mut self, kind: CharacterClassEscapeKind) -> Set {
        let set = match kind {
            CharacterClassEscapeKind::D | CharacterClassEscapeKind::NegativeD => Set::digits(),
            CharacterClassEscapeKind::S | CharacterClassEscapeKind::NegativeS => Set::space(),
            CharacterClassEscapeKind::W | CharacterClassEscapeKind::NegativeW => self.close(Set::word()),
        };
        match kind {
            CharacterClassEscapeKind::D | CharacterClassEscapeKind::S | CharacterClassEscapeKind::W => set,
            _ => set.complement(self.last()),
        }
    }

    fn last(&self) -> u32 {
        if self.unicode { LAST_CODE_POINT } else { LAST_CODE_UNIT }
    }
}

/// A loop. Counts past the longest string are no bounds, or no match.
fn repetition(min: u64, max: Option<u64>, greedy: bool, body: Node, span: Span) -> Result<Node, Error> {
    let max = max.filter(|&max| max < UNBOUNDED);
    let too_large = |_| Error::TooLarge("a loop counts further than a string is long");
    Ok(Node::Repetition {
        min: u32::try_from(min).map_err(too_large)?,
        max: max.map(u32::try_from).transpose().map_err(too_large)?,
        greedy,
        body: Box::new(body),
        span,
    })
}

#[cfg(test)]
#[path = "lower_tests.rs"]
mod tests;
