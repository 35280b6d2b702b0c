//! A pattern as the steps that a backtracking matcher takes: what comes after what, and in which order of preference.
//!
//! Loops are unrolled to what their counts ask for. Where that is too much, and where a count is so far away that in
//! practice there is none, the program for the analysis has an unbounded loop instead, and says so
//! ([`Step::Approximation`]): it takes every path that the pattern takes, and more.

use std::collections::HashMap;

use holdfast_regexp_syntax::{LAST_CODE_POINT, LAST_CODE_UNIT, Node, Set, Span};

use crate::context::{Asked, Condition};

/// A place in [`Program::steps`].
pub(crate) type State = u32;

/// How loops with a bound are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loops {
    /// As they are, as far as a text of [`REACH`] characters goes.
    Exact,
    /// Unbounded if they are wide. Nested, sixteen by sixteen are more ways through thirty characters than anybody can wait for.
    Loose,
    /// Unbounded if they take more than a few iterations. Such a pattern has more ways than the one it stands for, but where
    /// these multiply for ever, those of the pattern multiply for a while.
    Few,
}

impl Loops {
    /// Iterations that a loop may but need not take, and that it has to take, from which on it is unbounded.
    fn bounds(self) -> (u32, u32) {
        match self {
            Loops::Exact => (REACH, REACH),
            Loops::Loose => (WIDE, 64),
            Loops::Few => (FEW, FEW),
        }
    }
}

const WIDE: u32 = 16;

/// With fewer, ways do not multiply to a million.
const FEW: u32 = 5;

/// Characters of the longest text that steps are counted on. Further a loop cannot count on it, so that one that might
/// is unbounded there, in both programs.
pub(crate) const REACH: u32 = 2000;

#[derive(Debug)]
pub(crate) enum Step {
    /// One character of a set. `origin`: which one of the pattern's, the same for all copies. `scopes`: the iterations around
    /// it that must not be empty.
    Character {
        set: u32,
        origin: u32,
        repetition: Option<u32>,
        scopes: u32,
        next: State,
    },
    /// In order of preference.
    Split(Vec<State>),
    Condition(Condition, State),
    /// `region`: where the body is matched in the other direction; otherwise it begins at `body`.
    Look {
        negative: bool,
        body: State,
        region: Option<u32>,
        next: State,
    },
    /// An iteration begins that must not be empty, within so many others.
    Enter {
        scope: u32,
        next: State,
    },
    /// It ends.
    Leave {
        scope: u32,
        next: State,
    },
    /// More may match from here on than the pattern does.
    Approximation(State),
    /// Keeps where a group begins or ends, where the pattern has back-references.
    Save {
        slot: u32,
        next: State,
    },
    /// An iteration forgets its groups.
    Forget {
        groups: (u32, u32),
        next: State,
    },
    /// `loose`: what any text of the group takes, and more.
    BackReference {
        groups: Vec<u32>,
        ignore_case: bool,
        behind: bool,
        loose: State,
        next: State,
    },
    Accept,
}

/// What is matched in one direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region {
    pub(crate) entry: State,
    pub(crate) behind: bool,
}

/// A loop of the pattern.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repetition {
    pub(crate) span: Span,
    pub(crate) parent: Option<u32>,
}

#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    pub(crate) sets: Vec<Set>,
    /// What its conditions ask about characters.
    pub(crate) asked: Asked,
    /// The whole pattern first; what is looked around for comes after what it is in.
    pub(crate) regions: Vec<Region>,
    pub(crate) repetitions: Vec<Repetition>,
    pub(crate) groups: u32,
    /// Whether loops are unbounded that are not so on texts of [`REACH`] characters.
    pub(crate) is_loose: bool,
    pub(crate) has_reference: bool,
    /// Whether a back-reference compares texts of any length.
    pub(crate) has_long_reference: bool,
    /// Iterations that may be left out, or be empty, of loops with a bound.
    pub(crate) optional: usize,
    /// Whether it has loops with a bound that is not near.
    pub(crate) has_bounds: bool,
    /// The last character of the alphabet.
    pub(crate) last: u32,
}

/// The program would have too many steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Steps that there may be.
    pub(crate) steps: usize,
    pub(crate) loops: Loops,
    /// Whether matching begins only where the search does.
    pub(crate) sticky: bool,
    /// Whether characters are code points.
    pub(crate) unicode: bool,
}

impl Program {
    pub(crate) fn compile(root: &Node, groups: u32, shape: Shape) -> Result<Program, TooLarge> {
        let has_reference = root.has_reference();
        let mut bodies = HashMap::new();
        if has_reference {
            collect_groups(root, &mut bodies);
        }
        let last = if shape.unicode { LAST_CODE_POINT } else { LAST_CODE_UNIT };
        let program = Program {
            steps: vec![Step::Accept],
            sets: Vec::new(),
            asked: Asked::default(),
            regions: vec![Region { entry: 0, behind: false }],
            repetitions: Vec::new(),
            groups,
            is_loose: false,
            has_reference,
            has_long_reference: false,
            optional: 0,
            has_bounds: false,
            last,
        };
        let mut compiler = Compiler {
            program,
            shape,
            bodies,
            numbers: HashMap::new(),
            origins: HashMap::new(),
            places: HashMap::new(),
            scopes: 0,
            repetition: None,
            behind: false,
            in_reference: false,
            visits: 0,
            behind_conditions: HashMap::new(),
            any_case: false,
        };
        let root = compiler.save(root, 0, ACCEPT)?;
        let entry = if shape.sticky { root } else { compiler.search(root)? };
        compiler.program.regions[0].entry = entry;
        Ok(compiler.program)
    }
}

impl Program {
    /// Whether there are characters of the pattern that no character up to U+00FF matches.
    pub(crate) fn has_wide_set(&self) -> bool {
        self.sets.iter().any(|set| set.ranges().first().is_some_and(|&(low, _)| low > 0xFF))
    }
}

/// Of the compiler.
const MAX_VISITS: usize = 1 << 20;

const ACCEPT: State = 0;

/// Of a character that the pattern does not have.
const NO_ORIGIN: u32 = u32::MAX;

struct Compiler<'a> {
    program: Program,
    shape: Shape,
    bodies: HashMap<u32, &'a Node>,
    /// Of the sets.
    numbers: HashMap<Vec<(u32, u32)>, u32>,
    origins: HashMap<*const Set, u32>,
    /// Of the repetitions, by where they stand.
    places: HashMap<Span, u32>,
    scopes: u32,
    repetition: Option<u32>,
    behind: bool,
    /// Whether this is the body of a group, in the place of a reference to it.
    in_reference: bool,
    /// Nodes compiled, copies too: some take no step, and may be copied very often.
    visits: usize,
    /// Of lookbehinds that have been looked at, by their bodies.
    behind_conditions: HashMap<*const Node, Option<Condition>>,
    /// And characters stand for those of other cases.
    any_case: bool,
}

impl<'a> Compiler<'a> {
    fn push(&mut self, step: Step) -> Result<State, TooLarge> {
        if self.program.steps.len() >= self.shape.steps {
            return Err(TooLarge);
        }
        self.program.steps.push(step);
        State::try_from(self.program.steps.len() - 1).map_err(|_| TooLarge)
    }

    /// The pattern here, or the search one character further on.
    fn search(&mut self, root: State) -> Result<State, TooLarge> {
        let split = self.push(Step::Split(Vec::new()))?;
        let any = Set::default().complement(self.program.last);
        let skip = self.character(&any, NO_ORIGIN, split)?;
        self.program.steps[split as usize] = Step::Split(vec![root, skip]);
        Ok(split)
    }

    /// The state from which `node` is matched and then `next`. Recurses as deep as the pattern nests, which is limited.
    fn node(&mut self, node: &'a Node, next: State) -> Result<State, TooLarge> {
        self.visits += 1;
        if self.visits > MAX_VISITS {
            return Err(TooLarge);
        }
        match node {
            Node::Empty => Ok(next),
            // Another case of it, where the reference ignores cases and the group does not.
            Node::Class(_) if self.any_case => {
                let any = Set::default().complement(self.program.last);
                self.character(&any, NO_ORIGIN, next)
            }
            Node::Class(set) => {
                let origin = self.origin(set);
                self.character(set, origin, next)
            }
            // The text of a group stands elsewhere than the group.
            Node::Assertion(_) if self.in_reference => Ok(next),
            Node::Assertion(assertion) => {
                let condition = self.program.asked.assertion(*assertion);
                self.push(Step::Condition(condition, next))
            }
            Node::Concatenation(parts) => {
                let mut next = next;
                // From its end to its start, in whichever direction that is.
                let last_first: &mut dyn Iterator<Item = &'a Node> =
                    if self.behind { &mut parts.iter() } else { &mut parts.iter().rev() };
                for part in last_first {
                    next = self.node(part, next)?;
                }
                Ok(next)
            }
            Node::Alternation(branches) => {
                let branches =
                    branches.iter().map(|branch| self.node(branch, next)).collect::<Result<_, _>>()?;
                self.push(Step::Split(branches))
            }
            Node::Repetition { min, max, greedy, body, span } => {
                let parent = self.repetition;
                // What is there at most once is no loop.
                if max.is_none_or(|max| max > 1) {
                    self.repetition = Some(self.place(*span, parent));
                }
                let entry = self.repeat(*min, *max, *greedy, body, next);
                self.repetition = parent;
                entry
            }
            Node::Capture(group, body) => self.save(body, *group, next),
            Node::Look { behind, negative, body } => self.look(*behind, *negative, body, next),
            Node::BackReference { groups, ignore_case } => self.reference(groups, *ignore_case, next),
        }
    }

    /// The number of a character of the pattern: that of its place in the tree.
    fn origin(&mut self, set: &'a Set) -> u32 {
        let next = u32::try_from(self.origins.len()).unwrap_or(NO_ORIGIN);
        *self.origins.entry(std::ptr::from_ref(set)).or_insert(next)
    }

    fn character(&mut self, set: &Set, origin: u32, next: State) -> Result<State, TooLarge> {
        let set = match self.numbers.get(set.ranges()) {
            Some(&number) => number,
            None => {
                let number = u32::try_from(self.program.sets.len()).map_err(|_| TooLarge)?;
                self.program.sets.push(set.clone());
                self.numbers.insert(set.ranges().to_vec(), number);
                number
            }
        };
        self.push(Step::Character { set, origin, repetition: self.repetition, scopes: self.scopes, next })
    }

    /// The number of a repetition, the same for all of its copies.
    fn place(&mut self, span: Span, parent: Option<u32>) -> u32 {
        let repetitions = &mut self.program.repetitions;
        *self.places.entry(span).or_insert_with(|| {
            repetitions.push(Repetition { span, parent });
            u32::try_from(repetitions.len() - 1).unwrap_or(u32::MAX)
        })
    }

    fn save(&mut self, body: &'a Node, group: u32, next: State) -> Result<State, TooLarge> {
        if !self.program.has_reference || self.in_reference {
            return self.node(body, next);
        }
        // Behind, the end comes first.
        let (first, second) =
            if self.behind { (2 * group + 1, 2 * group) } else { (2 * group, 2 * group + 1) };
        let end = self.push(Step::Save { slot: second, next })?;
        let body = self.node(body, end)?;
        self.push(Step::Save { slot: first, next: body })
    }

    fn repeat(
        &mut self,
        min: u32,
        max: Option<u32>,
        greedy: bool,
        body: &'a Node,
        next: State,
    ) -> Result<State, TooLarge> {
        let (mut min, mut max, mut next) = (min, max, next);
        self.program.has_bounds |= max.is_some_and(|max| max - min >= WIDE && max - min < REACH);
        let (wide, long) = self.shape.loops.bounds();
        let is_wide = max.is_some_and(|max| max - min >= wide);
        if is_wide || min > long {
            next = self.push(Step::Approximation(next))?;
            self.program.is_loose |= self.shape.loops != Loops::Exact;
            // Of several iterations that may be empty it matters which ones are.
            if self.shape.loops == Loops::Few && body.is_nullable() {
                next = self.star(greedy, body, next)?;
            }
            (min, max) = (if self.shape.loops == Loops::Few { min.min(1) } else { min.min(long) }, None);
        }
        let mut entry = match max {
            None => self.star(greedy, body, next)?,
            Some(max) => {
                let mut entry = next;
                for _ in min..max {
                    self.program.optional += 1;
                    let iteration = self.iteration(body, |_| Ok(entry))?;
                    entry = self.push(Step::Split(in_order(greedy, iteration, next)))?;
                }
                entry
            }
        };
        for _ in 0..min {
            self.program.optional += usize::from(body.is_nullable());
            let copy = self.node(body, entry)?;
            let copy = self.forget(body, copy)?;
            // What takes no step may be repeated as often as one likes.
            if copy == entry {
                break;
            }
            entry = copy;
        }
        Ok(entry)
    }

    fn star(&mut self, greedy: bool, body: &'a Node, next: State) -> Result<State, TooLarge> {
        let head = self.push(Step::Split(Vec::new()))?;
        let iteration = self.iteration(body, |_| Ok(head))?;
        self.program.steps[head as usize] = Step::Split(in_order(greedy, iteration, next));
        Ok(head)
    }

    /// One that need not be. Such a one must not match the empty string (ECMA-262 §22.2.2.3.1).
    fn iteration(
        &mut self,
        body: &'a Node,
        next: impl Fn(&mut Self) -> Result<State, TooLarge>,
    ) -> Result<State, TooLarge> {
        let next = next(self)?;
        if !body.is_nullable() {
            let entry = self.node(body, next)?;
            return self.forget(body, entry);
        }
        let scope = self.scopes;
        let end = self.push(Step::Leave { scope, next })?;
        self.scopes += 1;
        let entry = self.node(body, end)?;
        self.scopes -= 1;
        let entry = self.forget(body, entry)?;
        self.push(Step::Enter { scope, next: entry })
    }

    fn forget(&mut self, body: &Node, next: State) -> Result<State, TooLarge> {
        if !self.program.has_reference || self.in_reference {
            return Ok(next);
        }
        let mut groups = Vec::new();
        body.captures(&mut groups, &mut Vec::new());
        match (groups.iter().min(), groups.iter().max()) {
            (Some(&first), Some(&last)) => self.push(Step::Forget { groups: (first, last), next }),
            _ => Ok(next),
        }
    }

    fn look(&mut self, behind: bool, negative: bool, body: &'a Node, next: State) -> Result<State, TooLarge> {
        if behind && !self.behind {
            let asked = &mut self.program.asked;
            let known = self.behind_conditions.entry(std::ptr::from_ref(body));
            if let Some(condition) = *known.or_insert_with(|| asked.behind(negative, body)) {
                return self.push(Step::Condition(condition, next));
            }
        }
        let around = (self.behind, self.scopes, self.repetition);
        (self.scopes, self.repetition) = (0, None);
        let region = (behind != self.behind).then_some(self.program.regions.len());
        if region.is_some() {
            self.program.regions.push(Region { entry: ACCEPT, behind });
        }
        self.behind = behind;
        let body = self.node(body, ACCEPT)?;
        (self.behind, self.scopes, self.repetition) = around;
        if let Some(region) = region {
            self.program.regions[region].entry = body;
        }
        let region = region.map(|region| u32::try_from(region).unwrap_or(u32::MAX));
        self.push(Step::Look { negative, body, region, next })
    }

    fn reference(&mut self, groups: &[u32], ignore_case: bool, next: State) -> Result<State, TooLarge> {
        let after = self.push(Step::Approximation(next))?;
        let mut ways = Vec::new();
        for group in groups {
            match self.bodies.get(group).copied() {
                // What it has matched, it may match again, whichever case and direction.
                Some(body) if !self.in_reference && is_bounded(body) => {
                    (self.in_reference, self.any_case) = (true, ignore_case);
                    ways.push(self.node(body, after)?);
                    (self.in_reference, self.any_case) = (false, false);
                }
                _ => {
                    self.program.has_long_reference = true;
                    let any = Set::default().complement(self.program.last);
                    let head = self.push(Step::Split(Vec::new()))?;
                    let more = self.character(&any, NO_ORIGIN, head)?;
                    self.program.steps[head as usize] = Step::Split(vec![more, after]);
                    ways.push(head);
                }
            }
        }
        ways.push(after);
        let loose = self.push(Step::Split(ways))?;
        if self.in_reference {
            return Ok(loose);
        }
        let behind = self.behind;
        self.push(Step::BackReference { groups: groups.to_vec(), ignore_case, behind, loose, next })
    }
}

fn in_order(greedy: bool, iteration: State, next: State) -> Vec<State> {
    if greedy { vec![iteration, next] } else { vec![next, iteration] }
}

/// Whether the node matches texts of limited length only, and no back-references.
fn is_bounded(node: &Node) -> bool {
    match node {
        Node::Empty | Node::Class(_) | Node::Assertion(_) => true,
        Node::Concatenation(nodes) | Node::Alternation(nodes) => nodes.iter().all(is_bounded),
        Node::Repetition { max, body, .. } => max.is_some_and(|max| max < WIDE) && is_bounded(body),
        Node::Capture(_, body) => is_bounded(body),
        Node::Look { .. } | Node::BackReference { .. } => false,
    }
}

fn collect_groups<'a>(node: &'a Node, groups: &mut HashMap<u32, &'a Node>) {
    match node {
        Node::Empty | Node::Class(_) | Node::Assertion(_) | Node::BackReference { .. } => {}
        Node::Concatenation(nodes) | Node::Alternation(nodes) => {
            nodes.iter().for_each(|node| collect_groups(node, groups));
        }
        Node::Repetition { body, .. } | Node::Look { body, .. } => collect_groups(body, groups),
        Node::Capture(group, body) => {
            groups.insert(*group, body);
            collect_groups(body, groups);
        }
    }
}
