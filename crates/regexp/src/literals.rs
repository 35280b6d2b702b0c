//! What a match must contain, and how far it can reach: read off the IR, for [`crate::pattern_set`].
//!
//! [`Required`] is a set of ASCII strings of which every match contains at least one, ASCII letters in either case.
//! [`Reach`] says which characters a match is made of and how far around it assertions look. Both may only err on the
//! safe side: too few strings would lose matches, too many characters or a longer reach only cost time.

use holdfast_regexp_syntax::Node;
use holdfast_regexp_syntax::Set;

/// Shorter strings are in every text.
const MIN_LENGTH: usize = 2;
/// Longer ones are hardly rarer.
const MAX_LENGTH: usize = 16;
/// Strings that one place in a pattern may stand for, when they are joined with what comes next.
const MAX_JOINED: usize = 16;
/// Strings of one pattern.
const MAX_STRINGS: usize = 256;
/// Members of a class that is taken as so many strings.
const MAX_MEMBERS: u32 = 8;

/// Strings of which every match contains one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Required {
    /// In lower case.
    pub(crate) strings: Vec<Vec<u8>>,
    /// At most so many characters of the match stand before it, and after it. `None` is any number.
    pub(crate) before: Option<u32>,
    pub(crate) after: Option<u32>,
}

/// The strings that every match of `root` contains one of, as rare as possible; nothing when there are none.
pub(crate) fn required(root: &Node) -> Option<Required> {
    Analysis::of(root).into_required()
}

struct Analysis {
    /// Every match is one of these strings. Never empty.
    exact: Option<Vec<Vec<u8>>>,
    required: Option<Required>,
    /// Characters of the longest match.
    width: Option<u32>,
}

impl Analysis {
    fn of(node: &Node) -> Analysis {
        match node {
            // These match no characters, or what they match stands elsewhere.
            Node::Empty | Node::Assertion(_) | Node::Look { .. } => {
                Analysis { exact: Some(vec![Vec::new()]), required: None, width: Some(0) }
            }
            Node::BackReference { .. } => Analysis { exact: None, required: None, width: None },
            Node::Class(set) => Analysis { exact: members(set), required: None, width: Some(1) },
            Node::Capture(_, body) => Analysis::of(body),
            Node::Concatenation(parts) => concatenation(&parts.iter().map(Analysis::of).collect::<Vec<_>>()),
            Node::Alternation(branches) => alternation(branches.iter().map(Analysis::of)),
            Node::Repetition { min, max, body, .. } => repetition(*min, *max, Analysis::of(body)),
        }
    }

    fn into_required(self) -> Option<Required> {
        let whole = self.exact.filter(|strings| is_useful(strings));
        let whole = whole.map(|strings| Required { strings, before: Some(0), after: Some(0) });
        rarer(whole, self.required)
    }
}

/// A class as strings of one character, in lower case.
fn members(set: &Set) -> Option<Vec<Vec<u8>>> {
    let (ranges, mut strings) = (set.ranges(), Vec::new());
    let count = ranges.iter().map(|(low, high)| high - low + 1).fold(0, u32::saturating_add);
    if count == 0 || count > MAX_MEMBERS || ranges.iter().any(|&(_, high)| high > 0x7F) {
        return None;
    }
    for &(low, high) in ranges {
        strings.extend((low..=high).map(|character| vec![(character as u8).to_ascii_lowercase()]));
    }
    strings.sort_unstable();
    strings.dedup();
    Some(strings)
}

fn concatenation(parts: &[Analysis]) -> Analysis {
    // before[i] and after[i]: how long the parts before and from part i can be.
    let mut before = vec![Some(0u32)];
    for part in parts {
        before.push(sum(before[before.len() - 1], part.width));
    }
    let mut after = vec![Some(0u32); parts.len() + 1];
    for (place, part) in parts.iter().enumerate().rev() {
        after[place] = sum(after[place + 1], part.width);
    }

    let mut best = None;
    let mut offer = |strings: &Vec<Vec<u8>>, first: usize, end: usize| {
        if is_useful(strings) {
            let offered = Required { strings: strings.clone(), before: before[first], after: after[end] };
            best = rarer(best.take(), Some(offered));
        }
    };
    // The strings of the parts from `first` on, as far as they have been joined.
    let (mut joined, mut first) = (vec![Vec::new()], 0);
    let mut is_exact = true;
    for (place, part) in parts.iter().enumerate() {
        let product = part.exact.as_ref().and_then(|strings| product(&joined, strings));
        match (product, &part.exact) {
            (Some(product), _) => joined = product,
            (None, Some(strings)) => {
                is_exact = false;
                (joined, first) = (strings.clone(), place);
            }
            (None, None) => {
                is_exact = false;
                (joined, first) = (vec![Vec::new()], place + 1);
            }
        }
        offer(&joined, first, place + 1);
    }
    let inner = parts.iter().enumerate().filter_map(|(place, part)| {
        let Required { strings, before: inside_before, after: inside_after } = part.required.clone()?;
        let (before, after) = (sum(before[place], inside_before), sum(inside_after, after[place + 1]));
        Some(Required { strings, before, after })
    });
    let required = inner.fold(best, |best, inner| rarer(best, Some(inner)));
    Analysis { exact: is_exact.then_some(joined), required, width: before[parts.len()] }
}

fn alternation(branches: impl Iterator<Item = Analysis>) -> Analysis {
    let mut width = Some(0u32);
    let mut exact = Some(Vec::new());
    let mut required = Some(Required { strings: Vec::new(), before: Some(0), after: Some(0) });
    for branch in branches {
        width = longest(width, branch.width);
        exact = exact.zip(branch.exact.as_ref()).and_then(|(all, strings)| union(all, strings));
        required = required.zip(branch.into_required()).and_then(|(all, one)| {
            let strings = union(all.strings, &one.strings)?;
            let (before, after) = (longest(all.before, one.before), longest(all.after, one.after));
            Some(Required { strings, before, after })
        });
    }
    Analysis { exact, required, width }
}

fn repetition(min: u32, max: Option<u32>, body: Analysis) -> Analysis {
    let times = |times: u32| body.width.and_then(|width| width.checked_mul(times));
    let width = match (body.width, max) {
        (Some(0), _) => Some(0),
        (_, Some(max)) => times(max),
        _ => None,
    };
    let exact = body.exact.as_ref().zip(max).and_then(|(strings, max)| powers(strings, min, max));
    // The first iteration has nothing before it.
    let required = (min > 0).then(|| body.into_required()).flatten().map(|first| {
        let rest = if max == Some(1) { Some(0) } else { width };
        Required { after: sum(first.after, rest), ..first }
    });
    Analysis { exact, required, width }
}

/// What `min` to `max` of the strings in a row can be.
fn powers(strings: &[Vec<u8>], min: u32, max: u32) -> Option<Vec<Vec<u8>>> {
    if max as usize > MAX_LENGTH {
        return None;
    }
    let (mut all, mut power) = (Vec::new(), vec![Vec::new()]);
    for count in 0..=max {
        if count >= min {
            all = union(all, &power).filter(|all| all.len() <= MAX_JOINED)?;
        }
        if count < max {
            power = product(&power, strings)?;
        }
    }
    Some(all).filter(|all| !all.is_empty())
}

fn product(left: &[Vec<u8>], right: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    let longest = |strings: &[Vec<u8>]| strings.iter().map(Vec::len).max().unwrap_or(0);
    if left.len() * right.len() > MAX_JOINED && right.len() > 1 && left != [Vec::new()]
        || longest(left) + longest(right) > MAX_LENGTH
    {
        return None;
    }
    let pairs = left.iter().flat_map(|start| right.iter().map(move |end| [start.as_slice(), end].concat()));
    union(Vec::new(), &pairs.collect::<Vec<_>>())
}

fn union(mut all: Vec<Vec<u8>>, more: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    all.extend_from_slice(more);
    all.sort_unstable();
    all.dedup();
    Some(all).filter(|all| all.len() <= MAX_STRINGS)
}

fn is_useful(strings: &[Vec<u8>]) -> bool {
    strings.iter().all(|string| string.len() >= MIN_LENGTH)
}

/// The one that will be found less often, as if each character were one of sixteen.
fn rarer(left: Option<Required>, right: Option<Required>) -> Option<Required> {
    let cost = |required: &Required| {
        let common =
            required.strings.iter().map(|string| 1u64 << (32 - 4 * string.len().min(8))).sum::<u64>();
        (common, u8::from(required.before.is_none()) + u8::from(required.after.is_none()))
    };
    match (left, right) {
        (Some(left), Some(right)) => Some(if cost(&right) < cost(&left) { right } else { left }),
        (left, right) => left.or(right),
    }
}

fn sum(left: Option<u32>, right: Option<u32>) -> Option<u32> {
    left?.checked_add(right?)
}

fn longest(left: Option<u32>, right: Option<u32>) -> Option<u32> {
    Some(left?.max(right?))
}

/// What a match is made of, and how far around it the pattern looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) hull: Hull,
    /// Characters before a match that assertions may look at, and after it. `None` is any number.
    pub(crate) behind: Option<u32>,
    pub(crate) ahead: Option<u32>,
}

/// A set that has every character of every match in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hull {
    latin1: [u64; 4],
    beyond: bool,
}

impl Hull {
    #[inline]
    pub(crate) fn has_latin1(&self, character: u8) -> bool {
        self.latin1[usize::from(character >> 6)] >> (character & 0x3F) & 1 != 0
    }

    /// Whether a character above U+00FF may be in it.
    #[inline]
    pub(crate) fn has_beyond(&self) -> bool {
        self.beyond
    }

    /// Whether a character above U+007F may be in it.
    #[inline]
    pub(crate) fn has_wide(&self) -> bool {
        self.beyond || self.latin1[2] | self.latin1[3] != 0
    }

    fn add(&mut self, set: &Set) {
        for &(low, high) in set.ranges() {
            for unit in low..=high.min(0xFF) {
                self.latin1[(unit >> 6) as usize] |= 1 << (unit & 0x3F);
            }
            self.beyond |= high > 0xFF;
        }
    }
}

pub(crate) fn reach(root: &Node) -> Reach {
    let mut reach = Reach { hull: Hull::default(), behind: Some(0), ahead: Some(0) };
    collect(root, &mut reach);
    reach
}

fn collect(node: &Node, reach: &mut Reach) {
    match node {
        Node::Empty => {}
        Node::Class(set) => reach.hull.add(set),
        Node::Assertion(_) => {
            reach.behind = longest(reach.behind, Some(1));
            reach.ahead = longest(reach.ahead, Some(1));
        }
        Node::Concatenation(nodes) | Node::Alternation(nodes) => {
            for node in nodes {
                collect(node, reach);
            }
        }
        Node::Repetition { body, .. } | Node::Capture(_, body) => collect(body, reach),
        Node::Look { behind, body, .. } => {
            // What its body looks at around itself counts from any place inside.
            let inner = self::reach(body);
            let width = Analysis::of(body).width;
            let (back, forth) = if *behind { (width, Some(0)) } else { (Some(0), width) };
            reach.behind = longest(reach.behind, sum(back, inner.behind));
            reach.ahead = longest(reach.ahead, sum(forth, inner.ahead));
        }
        Node::BackReference { .. } => {
            // The group may stand in a lookaround.
            reach.hull = Hull { latin1: [u64::MAX; 4], beyond: true };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flags;
    use crate::pattern::{Limits, Pattern};
    use holdfast_regexp_syntax::Characters;

    fn root(source: &str, flags: &str) -> Node {
        let source: Vec<u16> = source.encode_utf16().collect();
        let flags = Flags::parse(flags).expect("known flags");
        let pattern = Pattern::compile(&source, flags, &Characters::default(), Limits::default());
        pattern.expect("a pattern that compiles").root().clone()
    }

    /// The strings, and the characters before and after.
    fn found(source: &str, flags: &str) -> Option<(Vec<String>, Option<u32>, Option<u32>)> {
        let Required { strings, before, after } = required(&root(source, flags))?;
        let strings = strings.into_iter().map(|string| String::from_utf8(string).expect("ASCII"));
        Some((strings.collect(), before, after))
    }

    fn expect(source: &str, flags: &str, strings: &[&str], before: Option<u32>, after: Option<u32>) {
        let strings = strings.iter().map(ToString::to_string).collect();
        assert_eq!(found(source, flags), Some((strings, before, after)), "/{source}/{flags}");
    }

    #[test]
    fn strings_that_every_match_has() {
        expect("key", "", &["key"], Some(0), Some(0));
        expect("KEY", "i", &["key"], Some(0), Some(0));
        expect(r"\bghp_[0-9a-z]{36}\b", "", &["ghp_"], Some(0), Some(36));
        expect(r"[\w.-]{0,50}?(?:token)\s*=", "i", &["token"], Some(50), None);
        expect("api[_-]?key", "", &["api-key", "api_key", "apikey"], Some(0), Some(0));
        expect(r"\d{2,4}(?:secret|passw(?:or)?d)x?", "", &["passwd", "password", "secret"], Some(4), Some(1));
        expect(r"(?=password)\w+ab", "", &["ab"], None, Some(0));
        expect("(?:(?:ab)+c)?xyz", "", &["xyz"], None, Some(0));
    }

    #[test]
    fn patterns_without_such_strings() {
        for source in [r"\d+", "a", "ab|c", "(?:ab)?", "[]", "é中", r"(?=ab)\d", "(?!ab)", "[a-z]{5}"] {
            assert_eq!(found(source, ""), None, "/{source}/");
        }
        // U+017F and U+212A are s and k there.
        assert_eq!(found("sk", "iu"), None);
        expect("skab", "iu", &["ab"], Some(2), Some(0));
    }

    #[test]
    fn how_far_patterns_look() {
        let around = |source: &str| {
            let reach = reach(&root(source, ""));
            (reach.behind, reach.ahead)
        };
        assert_eq!(around("ab"), (Some(0), Some(0)));
        assert_eq!(around(r"\bab$"), (Some(1), Some(1)));
        assert_eq!(around("(?<=abc)d(?=e{2,5})"), (Some(3), Some(5)));
        assert_eq!(around("(?<!^a)d(?=(?<=x)e\\b)"), (Some(2), Some(2)));
        assert_eq!(around("(?<=a*)b(?!c+)"), (None, None));
    }
}
