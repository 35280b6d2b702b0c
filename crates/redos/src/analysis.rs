//! What is known of a pattern, and how it is found out.

use std::time::{Duration, Instant};

use holdfast_regexp_syntax::{Characters, Error, Flags, Lowered, Span, lower};

use crate::alphabet::Alphabet;
use crate::ambiguity::{Ambiguity, ambiguity};
use crate::attack::{Candidate, MAX_REPETITIONS, Model, Proof, candidates};
use crate::budget::{Budget, Exhausted};
use crate::count::Searches;
use crate::futures::Futures;
use crate::graph::{Graph, Node};
use crate::growth::Growth;
use crate::program::{Loops, Program, Shape};
use crate::runs::Runs;

/// Steps of a program.
const MAX_STEPS: usize = 20_000;

/// Work of the parts of an analysis, in units of some nanoseconds.
const GRAPH_WORK: u64 = 1 << 22;
const BLIND_WORK: u64 = 1 << 22;
const FUTURES_WORK: u64 = 1 << 23;
const PROOF_WORK: u64 = 1 << 23;

/// So many iterations that may be left out are looked at twice.
const MANY: usize = 16;

/// Above this power a text is as bad as an exponential one.
const HIGH: u32 = 5;

/// From one character to the next, which no pattern has that works.
const MANY_WAYS: f64 = 1e6;

/// Repetitions of texts that are only guessed.
const PROBE: u32 = 256;

/// What an analysis may use. Work is limited besides, by count.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// After so long the answer is [`Reason::Time`].
    pub time: Duration,
}

/// How the steps of a backtracking matcher grow with the length of the text, in the worst case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complexity {
    /// In proportion, on every text.
    Linear,
    /// As this power of the length, on the text that comes with it. At least 2.
    Polynomial(u32),
    /// Multiplied by each repetition of a part of the text that comes with it.
    Exponential,
    /// Not decided.
    Unknown(Reason),
}

/// Why a pattern was not decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The parser or the lowering does not take it; the text names the construct.
    Unsupported(&'static str),
    /// It is over a limit; the text says which.
    TooLarge(&'static str),
    /// It took more work than an analysis may.
    Work,
    /// It took more time than an analysis may.
    Time,
    /// Back-references, of which only attacks are shown.
    BackReference,
    /// A lookaround that reads far in the other direction.
    Lookaround,
    /// Ways that read nothing multiply: any text may be an attack.
    EmptyWays,
    /// Ways multiply, but no text was found on which the steps do.
    Unproven,
}

/// A text that makes a backtracking matcher slow: the prefix, the pump as often as one likes, the suffix. In UTF-16.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "said above")]
pub struct Attack {
    pub prefix: Vec<u16>,
    pub pump: Vec<u16>,
    pub suffix: Vec<u16>,
}

/// What is known of a pattern.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The verdict.
    pub complexity: Complexity,
    /// The loops that are the reason.
    pub hotspots: Vec<Span>,
    /// With polynomial and exponential ones.
    pub attack: Option<Attack>,
    /// How often the pump was repeated, the length of the text in UTF-16 code units, and the steps of a matcher on it.
    pub steps: Vec<(u32, usize, f64)>,
}

impl Analysis {
    fn without_attack(complexity: Complexity) -> Analysis {
        Analysis { complexity, hotspots: Vec::new(), attack: None, steps: Vec::new() }
    }
}

/// Analyses a pattern that V8 has accepted.
pub fn analyze(source: &[u16], flags: Flags, characters: &Characters, limits: Limits) -> Analysis {
    let lowered = match lower(source, flags, characters, true) {
        Ok(lowered) => lowered,
        Err(error) => return Analysis::without_attack(Complexity::Unknown(reason(error))),
    };
    let deadline = Budget::deadline(limits.time);
    let inquiry = Inquiry { lowered: &lowered, flags, deadline };
    match inquiry.run() {
        Ok(analysis) => analysis,
        Err(stopped) => Analysis::without_attack(Complexity::Unknown(stopped.into())),
    }
}

fn reason(error: Error) -> Reason {
    match error {
        Error::BackReference => Reason::BackReference,
        Error::Unsupported(what) => Reason::Unsupported(what),
        Error::TooLarge(what) => Reason::TooLarge(what),
    }
}

impl From<Exhausted> for Reason {
    fn from(exhausted: Exhausted) -> Reason {
        match exhausted {
            Exhausted::Work => Reason::Work,
            Exhausted::Time => Reason::Time,
        }
    }
}

/// A program with all that is made from it.
struct Prepared {
    program: Program,
    graphs: Vec<Graph>,
    alphabet: Alphabet,
}

/// What one look at a pattern has shown.
enum Verdict {
    Linear,
    /// The best that was shown.
    Attack(Candidate, Proof),
    Open(Reason),
}

struct Inquiry<'a> {
    lowered: &'a Lowered,
    flags: Flags,
    deadline: Instant,
}

impl Inquiry<'_> {
    fn run(&self) -> Result<Analysis, Exhausted> {
        let loose = self.prepare(Loops::Loose)?;
        let Some(loose) = loose else {
            let reason = Reason::TooLarge(
                "the pattern has more than 20,000 steps when its loops are unrolled, or tells too many characters apart",
            );
            return Ok(Analysis::without_attack(Complexity::Unknown(reason)));
        };
        let exact = if loose.program.is_loose { self.prepare(Loops::Exact)? } else { None };
        let model = if loose.program.is_loose { exact.as_ref() } else { Some(&loose) };
        if model.unwrap_or(&loose).graphs.iter().any(|graph| graph.ways() > MANY_WAYS) {
            return Ok(Analysis::without_attack(Complexity::Unknown(Reason::EmptyWays)));
        }
        let mut verdict =
            if self.is_bounded_at_a_glance(&loose)? { Verdict::Linear } else { self.look(&loose, model)? };
        // The loops that were taken for unbounded are not: what is true of the pattern as it is?
        if let (Verdict::Open(_), Some(exact)) = (&verdict, &exact) {
            verdict = self.look(exact, Some(exact))?;
        }
        // A high power is one for the same reason as it bursts.
        let is_high =
            matches!(&verdict, Verdict::Attack(_, proof) if proof.growth > Growth::Polynomial(HIGH));
        if let Some(model) = model.filter(|_| !is_high) {
            match self.burst(model) {
                Ok(Some((candidate, proof))) => verdict = Verdict::Attack(candidate, proof),
                Ok(None) | Err(Exhausted::Work) => {}
                // What was shown stays shown; what was certain was so of texts without end only.
                Err(Exhausted::Time) if matches!(verdict, Verdict::Attack(..)) => {}
                Err(Exhausted::Time) => return Err(Exhausted::Time),
            }
        }
        Ok(match verdict {
            Verdict::Linear => Analysis::without_attack(Complexity::Linear),
            Verdict::Open(reason) => Analysis::without_attack(Complexity::Unknown(reason)),
            Verdict::Attack(candidate, proof) => report(model.unwrap_or(&loose), candidate, &proof),
        })
    }

    /// With g and y a search begins at `lastIndex`.
    fn begins_anywhere(&self) -> bool {
        self.flags.global || self.flags.sticky
    }

    /// Whether characters are code points.
    fn is_unicode(&self) -> bool {
        self.flags.unicode || self.flags.unicode_sets
    }

    fn budget(&self, work: u64) -> Budget {
        Budget::new(work, self.deadline)
    }

    fn prepare(&self, loops: Loops) -> Result<Option<Prepared>, Exhausted> {
        let shape = Shape { steps: MAX_STEPS, loops, sticky: self.flags.sticky, unicode: self.is_unicode() };
        let Ok(program) = Program::compile(&self.lowered.root, self.lowered.groups, shape) else {
            return Ok(None);
        };
        let mut budget = self.budget(GRAPH_WORK);
        let graphs = (0..program.regions.len())
            .map(|region| Graph::of(&program, region, &mut budget))
            .collect::<Result<Vec<_>, _>>()?;
        let mut sets = program.sets.clone();
        sets.extend(program.asked.sets().cloned());
        Ok(Alphabet::of(&sets, program.last).map(|alphabet| Prepared { program, graphs, alphabet }))
    }

    /// Whether ways do not even multiply where it is not looked at what follows.
    fn is_bounded_at_a_glance(&self, prepared: &Prepared) -> Result<bool, Exhausted> {
        if self.has_depths(prepared) {
            return Ok(false);
        }
        let mut budget = self.budget(BLIND_WORK);
        match look(prepared, 0, self.begins_anywhere(), true, &mut budget) {
            Ok((_, _, Ambiguity::Bounded)) => Ok(true),
            Ok(_) | Err(Exhausted::Work) => Ok(false),
            Err(Exhausted::Time) => Err(Exhausted::Time),
        }
    }

    /// Whether there is anything of which the graph of runs does not tell: a back-reference that compares long texts, or a
    /// lookaround that reads far in the other direction.
    fn has_depths(&self, prepared: &Prepared) -> bool {
        prepared.program.has_long_reference || prepared.graphs[1..].iter().any(has_cycle)
    }

    fn look(&self, prepared: &Prepared, model: Option<&Prepared>) -> Result<Verdict, Exhausted> {
        let has_depths = self.has_depths(prepared);
        let open = if prepared.program.has_reference {
            Reason::BackReference
        } else if has_depths {
            Reason::Lookaround
        } else if model.is_none() {
            Reason::TooLarge("its loops count too far for the steps to be counted")
        } else {
            Reason::Unproven
        };
        let mut last = open;
        // First what is true, and where that is too much, what might be.
        for blind in [false, true] {
            let mut budget = self.budget(FUTURES_WORK);
            let found = match look(prepared, 0, self.begins_anywhere(), blind, &mut budget) {
                Ok((_, _, Ambiguity::Bounded)) if !has_depths => {
                    return Ok(Verdict::Linear);
                }
                Ok(found) => found,
                Err(Exhausted::Time) => return Err(Exhausted::Time),
                Err(Exhausted::Work) => {
                    last = Reason::Work;
                    continue;
                }
            };
            let Some(model) = model else { return Ok(Verdict::Open(open)) };
            let (mut texts, limit) = texts(prepared, 0, found);
            if blind || prepared.program.has_reference {
                texts = with_other_suffixes(texts, prepared.alphabet.len());
            }
            let limit = if has_depths { Growth::Exponential } else { limit };
            let mut trial = Trial::of(self, prepared, model);
            trial.run(&texts, limit, limit, MAX_REPETITIONS)?;
            if self.begins_anywhere() && trial.best.is_none() {
                // What comes first in the text may be in the way of the next search.
                trial.run(&with_prefixes(&texts, prepared.alphabet.len()), limit, limit, MAX_REPETITIONS)?;
            }
            if self.begins_anywhere() && trial.best.is_none() {
                trial.model.searches = Searches::Worst;
                trial.run(&texts, limit, limit, MAX_REPETITIONS)?;
            }
            if has_depths {
                for region in 1..prepared.graphs.len() {
                    if let Ok(found) = look(prepared, region, true, false, &mut budget) {
                        let (texts, limit) = self::texts(prepared, region, found);
                        trial.run(&texts, Growth::Exponential, limit, MAX_REPETITIONS)?;
                    }
                }
                trial.run(
                    &plain_texts(prepared.alphabet.len()),
                    Growth::Exponential,
                    Growth::Exponential,
                    PROBE,
                )?;
            }
            if let Some((candidate, proof)) = trial.best {
                let (candidate, proof) = trial.model.simplify(candidate, proof, limit, &mut trial.budget)?;
                let (candidate, proof) =
                    trial.model.with_wide_end(candidate, proof, limit, &mut trial.budget)?;
                return Ok(Verdict::Attack(candidate, proof));
            }
            if !blind {
                break;
            }
        }
        Ok(Verdict::Open(if open == Reason::Unproven { last } else { open }))
    }

    /// A pattern without loops that multiply ways can take a long time all the same: no longer text would make it worse, but
    /// nobody waits for the ones that there are.
    fn burst(&self, model: &Prepared) -> Result<Option<(Candidate, Proof)>, Exhausted> {
        let mut texts = Vec::new();
        let few = self.prepare(Loops::Few)?.filter(|few| few.program.is_loose);
        if let Some(few) = &few {
            let mut budget = self.budget(BLIND_WORK);
            match look(few, 0, self.begins_anywhere(), true, &mut budget) {
                Ok((_, _, Ambiguity::Bounded)) | Err(Exhausted::Work) => {}
                Ok(found) => texts = with_other_suffixes(self::texts(few, 0, found).0, few.alphabet.len()),
                Err(Exhausted::Time) => return Err(Exhausted::Time),
            }
        }
        if model.program.optional >= MANY {
            texts.extend(plain_texts(model.alphabet.len()));
        }
        if texts.is_empty() {
            return Ok(None);
        }
        debug_assert!(few.iter().all(|few| few.program.sets == model.program.sets));
        let mut trial = Trial::of(self, model, model);
        for candidate in with_long_suffixes(texts, model.alphabet.len()) {
            match trial.model.burst(&candidate, &mut trial.budget) {
                Ok(Some(proof)) => return Ok(Some((candidate, proof))),
                Ok(None) => {}
                Err(Exhausted::Work) => break,
                Err(Exhausted::Time) => return Err(Exhausted::Time),
            }
        }
        Ok(None)
    }
}

/// The attack in characters.
fn report(model: &Prepared, candidate: Candidate, proof: &Proof) -> Analysis {
    let Candidate { prefix, pump, suffix, hotspots } = candidate;
    let mut parts = [prefix, pump, suffix].map(|letters| {
        letters.iter().map(|&letter| model.alphabet.character(letter as usize)).collect::<Vec<_>>()
    });
    let is_narrow = parts.iter().flatten().all(|&character| character <= 0xFF);
    if is_narrow && model.program.has_wide_set() {
        widen(&mut parts, &model.alphabet);
    }
    let units = |characters: &Vec<u32>| {
        let mut units = Vec::new();
        for &character in characters {
            match char::from_u32(character) {
                Some(character) => units.extend_from_slice(character.encode_utf16(&mut [0; 2])),
                None => units.push(u16::try_from(character).unwrap_or_default()),
            }
        }
        units
    };
    let [prefix, pump, suffix] = [units(&parts[0]), units(&parts[1]), units(&parts[2])];
    let attack = Attack { prefix, pump, suffix };
    let length = |repetitions: u32| {
        attack.prefix.len() + attack.pump.len() * repetitions as usize + attack.suffix.len()
    };
    let steps = proof.samples.iter().map(|&(repetitions, steps)| (repetitions, length(repetitions), steps));
    Analysis {
        complexity: match proof.growth {
            Growth::Exponential => Complexity::Exponential,
            Growth::Polynomial(degree) => Complexity::Polynomial(degree),
            Growth::Linear => Complexity::Linear,
        },
        hotspots: if hotspots.is_empty() { outermost_loops(&model.program) } else { hotspots },
        steps: steps.collect(),
        attack: Some(attack),
    }
}

/// In a text of one-byte characters V8 does not even try what needs others. One character above U+00FF is enough, which is
/// the same to the pattern as the one that it replaces: rather at an end of the text than in the pump.
fn widen(parts: &mut [Vec<u32>; 3], alphabet: &Alphabet) {
    let wide = |character: u32| {
        let letter = (0..alphabet.len()).find(|&letter| alphabet.character(letter) == character);
        letter.and_then(|letter| alphabet.wide(letter))
    };
    for part in [2, 0, 1] {
        if let Some((place, character)) = parts[part]
            .iter()
            .enumerate()
            .rev()
            .find_map(|(place, &character)| Some((place, wide(character)?)))
        {
            parts[part][place] = character;
            return;
        }
    }
}

/// The loops of the pattern that are in no other, in place of ones that are to blame more than others.
fn outermost_loops(program: &Program) -> Vec<Span> {
    let outermost = program.repetitions.iter().filter(|repetition| repetition.parent.is_none());
    let mut spans: Vec<Span> = outermost.map(|repetition| repetition.span).collect();
    spans.sort_unstable();
    spans
}

/// Texts that are tried, and the best that came of them.
struct Trial<'a> {
    model: Model<'a>,
    budget: Budget,
    best: Option<(Candidate, Proof)>,
}

impl<'a> Trial<'a> {
    fn of(inquiry: &'a Inquiry<'_>, prepared: &'a Prepared, model: &'a Prepared) -> Trial<'a> {
        debug_assert_eq!(prepared.program.sets, model.program.sets);
        let (canonical, searches) = (
            &inquiry.lowered.canonical,
            if inquiry.begins_anywhere() { Searches::All } else { Searches::First },
        );
        let model = Model {
            program: &model.program,
            graphs: &model.graphs,
            alphabet: &prepared.alphabet,
            canonical,
            searches,
            unicode: inquiry.is_unicode(),
            has_bounds: model.program.has_bounds,
        };
        Trial { model, budget: inquiry.budget(PROOF_WORK), best: None }
    }

    /// Until there is one of `enough`; `limit`: what they can grow at most.
    fn run(
        &mut self,
        texts: &[Candidate],
        enough: Growth,
        limit: Growth,
        most: u32,
    ) -> Result<(), Exhausted> {
        for candidate in texts {
            if self.best.as_ref().is_some_and(|(_, proof)| proof.growth >= enough) {
                break;
            }
            if !self.model.is_text(candidate) {
                continue;
            }
            match self.model.prove(candidate, limit, most, &mut self.budget) {
                Ok(Some(proof)) if proof.growth > Growth::Linear => {
                    if self.best.as_ref().is_none_or(|(_, best)| proof.growth > best.growth) {
                        self.best = Some((candidate.clone(), proof));
                    }
                }
                Ok(_) => {}
                Err(Exhausted::Work) => break,
                Err(Exhausted::Time) => return Err(Exhausted::Time),
            }
        }
        Ok(())
    }
}

/// Texts for what was found in a region, and how their steps can grow at most.
fn texts(
    prepared: &Prepared,
    region: usize,
    (runs, futures, ambiguity): (Runs, Futures<'_>, Ambiguity),
) -> (Vec<Candidate>, Growth) {
    let (chain, pumps, limit) = match ambiguity {
        Ambiguity::Exponential { pumps } => (Vec::new(), pumps, Growth::Exponential),
        Ambiguity::Polynomial { degree, chain, pumps } => (chain, pumps, Growth::Polynomial(degree + 1)),
        Ambiguity::Bounded => (Vec::new(), Vec::new(), Growth::Linear),
    };
    // A lookaround is begun at any position: that makes one more.
    let limit = match limit {
        Growth::Polynomial(degree) if region > 0 => Growth::Polynomial(degree + 1),
        limit => limit,
    };
    let graph = &prepared.graphs[region];
    (candidates(&chain, &pumps, &runs, graph, &prepared.program, |future| futures.suffix(future)), limit)
}

fn look<'a>(
    prepared: &'a Prepared,
    region: usize,
    anywhere: bool,
    blind: bool,
    budget: &mut Budget,
) -> Result<(Runs, Futures<'a>, Ambiguity), Exhausted> {
    let (graph, alphabet) = (&prepared.graphs[region], &prepared.alphabet);
    let mut futures = Futures::of(graph, alphabet, &prepared.program.asked, blind, budget)?;
    let runs = Runs::of(anywhere, graph, alphabet, &mut futures, budget)?;
    let ambiguity = ambiguity(&runs, budget)?;
    Ok((runs, futures, ambiguity))
}

/// Whether texts of any length are read.
fn has_cycle(graph: &Graph) -> bool {
    // Nodes after those that they lead to, but for characters: so only these can close a cycle.
    let mut reach = vec![None::<bool>; graph.characters.len()];
    let mut stack: Vec<(u32, bool)> =
        (0..graph.characters.len()).map(|place| (place as u32, false)).collect();
    // In depth first order: false while a character is on the way, true when all after it are done.
    while let Some((place, is_done)) = stack.pop() {
        if is_done {
            reach[place as usize] = Some(true);
            continue;
        }
        match reach[place as usize] {
            Some(true) => continue,
            Some(false) => return true,
            None => {}
        }
        reach[place as usize] = Some(false);
        stack.push((place, true));
        let mut nodes = vec![graph.characters[place as usize].next];
        while let Some(id) = nodes.pop() {
            match &graph.nodes[id as usize] {
                Node::Character(next) => match reach[*next as usize] {
                    Some(true) => {}
                    Some(false) => return true,
                    None => stack.push((*next, false)),
                },
                Node::Split(targets) => nodes.extend(targets),
                Node::Condition(_, next) | Node::Approximation(next) => nodes.push(*next),
                Node::Look { next, body, .. } => {
                    nodes.push(*next);
                    if let crate::graph::Body::Here(body) = body {
                        nodes.push(*body);
                    }
                }
                Node::Fail | Node::Accept => {}
            }
        }
    }
    false
}

/// The same, and the same with nothing or with each letter at the end.
fn with_other_suffixes(texts: Vec<Candidate>, letters: usize) -> Vec<Candidate> {
    const MOST: usize = 8;
    let mut more = texts;
    more.truncate(MOST);
    for place in 0..more.len() {
        let suffixes = std::iter::once(Vec::new()).chain((0..letters as u32).map(|letter| vec![letter]));
        let others: Vec<_> = suffixes
            .map(|suffix| Candidate { suffix, ..more[place].clone() })
            .filter(|other| *other != more[place])
            .collect();
        more.extend(others);
    }
    more
}

/// The same, with much text after it first: V8 gives up at once where less text is left than any match has.
fn with_long_suffixes(texts: Vec<Candidate>, letters: usize) -> impl Iterator<Item = Candidate> {
    const MOST: u32 = 3;
    const LONG: usize = 64;
    let letters = (letters as u32).min(MOST);
    texts.into_iter().flat_map(move |candidate| {
        let long = (0..letters).filter(|letter| !candidate.pump.contains(letter)).map(|letter| {
            let suffix = [&candidate.suffix[..], &[letter; LONG][..]].concat();
            Candidate { suffix, ..candidate.clone() }
        });
        long.chain([candidate.clone()]).collect::<Vec<_>>()
    })
}

/// The same after each letter.
fn with_prefixes(texts: &[Candidate], letters: usize) -> Vec<Candidate> {
    const MOST: usize = 4;
    let mut more = Vec::new();
    for candidate in texts.iter().take(MOST) {
        for letter in 0..letters as u32 {
            let prefix = [&[letter], &candidate.prefix[..]].concat();
            more.push(Candidate { prefix, ..candidate.clone() });
        }
    }
    more
}

/// One letter as often as one likes, and another one before or after it, or none.
fn plain_texts(letters: usize) -> Vec<Candidate> {
    const MOST: u32 = 6;
    let letters = (letters as u32).min(MOST);
    let sides = |pump: u32| {
        let others = (0..letters).filter(move |&letter| letter != pump).map(|letter| vec![letter]);
        std::iter::once(Vec::new()).chain(others)
    };
    let mut texts = Vec::new();
    for pump in 0..letters {
        for prefix in sides(pump) {
            for suffix in sides(pump) {
                texts.push(Candidate {
                    prefix: prefix.clone(),
                    pump: vec![pump],
                    suffix,
                    hotspots: Vec::new(),
                });
            }
        }
    }
    texts
}
