//! From a place where ways multiply to a text that makes it happen, and the proof that it does.

use holdfast_regexp_syntax::Span;

use crate::alphabet::Alphabet;
use crate::ambiguity::Pump;
use crate::budget::{Budget, Exhausted};
use crate::count::{Counter, Searches};
use crate::graph::Graph;
use crate::growth::{Growth, Sample, growth, is_enormous, multiplies};
use crate::machine::Machine;
use crate::program::{Program, REACH};
use crate::runs::Runs;

/// The most repetitions that are counted.
pub(crate) const MAX_REPETITIONS: u32 = REACH;

/// Counts after which they may be cut short: then there are 128 repetitions.
const CLEAR: usize = 7;

/// What bursts takes so many steps, multiplied by so many with the last doubling, on so few repetitions.
const BURST: (f64, f64, u32) = (1e6, 16.0, 64);

/// Steps that the machine takes.
const MOST: u64 = 100_000;

/// Words that are put together as they stand in a chain.
const MAX_TOGETHER: usize = 12;

/// Words of which each is put together with each other one.
const MAX_PAIRED: usize = 6;

/// After so many repetitions it takes at least so many steps.
const PROMISING: (u32, f64) = (16, 2000.0);

/// A text as letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) prefix: Vec<u32>,
    pub(crate) pump: Vec<u32>,
    pub(crate) suffix: Vec<u32>,
    pub(crate) hotspots: Vec<Span>,
}

impl Candidate {
    fn text(&self, repetitions: u32) -> Vec<u32> {
        let mut text = self.prefix.clone();
        for _ in 0..repetitions {
            text.extend_from_slice(&self.pump);
        }
        text.extend_from_slice(&self.suffix);
        text
    }
}

/// What was counted of a text.
#[derive(Clone, Debug)]
pub(crate) struct Proof {
    pub(crate) growth: Growth,
    pub(crate) samples: Vec<Sample>,
}

/// The pattern exactly as it is, for counting.
pub(crate) struct Model<'a> {
    pub(crate) program: &'a Program,
    pub(crate) graphs: &'a [Graph],
    pub(crate) alphabet: &'a Alphabet,
    pub(crate) canonical: &'a [(u32, u32)],
    pub(crate) searches: Searches,
    /// Whether characters are code points.
    pub(crate) unicode: bool,
    /// Whether there are loops with far bounds, which long texts only show.
    pub(crate) has_bounds: bool,
}

impl Model<'_> {
    /// Counts the steps on more and more repetitions, until it is clear how they grow, or there are `most` of them.
    /// `limit`: what the growth can be at most, where that is known.
    pub(crate) fn prove(
        &self,
        candidate: &Candidate,
        limit: Growth,
        most: u32,
        budget: &mut Budget,
    ) -> Result<Option<Proof>, Exhausted> {
        let counter = Counter::new(self.program, self.graphs, self.alphabet);
        if self.program.has_reference && !self.is_promising(candidate, budget)? {
            return Ok(None);
        }
        let mut samples: Vec<Sample> = Vec::new();
        let mut repetitions = 2;
        let mut settled = None;
        while repetitions <= most {
            let text = candidate.text(repetitions);
            if text.len() > REACH as usize {
                break;
            }
            let steps = match self.steps(&counter, &text, budget) {
                Ok(Some(steps)) if steps.is_finite() => steps,
                Ok(_) => break,
                // A pattern that is large because its loops count far: what has been counted is clear.
                Err(Exhausted::Work) if settled.is_some() && samples.len() >= CLEAR => break,
                Err(exhausted) => return Err(exhausted),
            };
            samples.push((repetitions, steps));
            let now = growth(&samples, limit);
            // Once more, so that a bound a little further on is seen.
            let is_certain = now == settled && samples.len() > CLEAR && !self.has_bounds;
            settled = now;
            if settled == Some(Growth::Exponential)
                || settled.is_some()
                    && (is_certain || is_enormous(steps) && samples.len() > 5 && !self.has_bounds)
            {
                break;
            }
            repetitions *= 2;
        }
        if settled.is_none() && self.program.has_reference && limit == Growth::Exponential {
            // The machine has stopped early: look closer at what there was.
            let last = samples.last().map_or(0, |&(repetitions, _)| repetitions);
            samples.clear();
            for repetitions in (last / 2..=2 * last).step_by((last / 8).max(1) as usize) {
                let Some(steps) = self.steps(&counter, &candidate.text(repetitions), budget)? else { break };
                samples.push((repetitions, steps));
            }
            settled = multiplies(&samples).then_some(Growth::Exponential);
        }
        Ok(settled.map(|growth| Proof { growth, samples }))
    }

    /// Whether the letters can stand beside each other: two halves of a surrogate pair would become a character of their own.
    pub(crate) fn is_text(&self, candidate: &Candidate) -> bool {
        let character = |letter: u32| self.alphabet.character(letter as usize);
        let is_pair = |pair: &[u32]| {
            (0xD800..0xDC00).contains(&character(pair[0])) && (0xDC00..0xE000).contains(&character(pair[1]))
        };
        !self.unicode || !candidate.text(2).windows(2).any(is_pair)
    }

    /// The same as a text that is easier to read, where that grows the same.
    pub(crate) fn simplify(
        &self,
        candidate: Candidate,
        proof: Proof,
        limit: Growth,
        budget: &mut Budget,
    ) -> Result<(Candidate, Proof), Exhausted> {
        let (mut candidate, mut proof) = (candidate, proof);
        let simpler: [fn(&Candidate) -> Candidate; 5] = [
            |candidate| Candidate { pump: root(&candidate.pump).to_vec(), ..candidate.clone() },
            |candidate| Candidate { suffix: Vec::new(), ..candidate.clone() },
            |candidate| Candidate {
                suffix: candidate.suffix.iter().take(1).copied().collect(),
                ..candidate.clone()
            },
            |candidate| Candidate { prefix: Vec::new(), ..candidate.clone() },
            |candidate| Candidate {
                prefix: candidate.prefix.iter().rev().take(1).copied().collect(),
                ..candidate.clone()
            },
        ];
        for simpler in simpler {
            let other = simpler(&candidate);
            if other == candidate || !self.is_text(&other) {
                continue;
            }
            match self.prove(&other, limit, MAX_REPETITIONS, budget) {
                Ok(Some(better)) if better.growth >= proof.growth => (candidate, proof) = (other, better),
                Ok(_) => {}
                Err(Exhausted::Work) => break,
                Err(Exhausted::Time) => return Err(Exhausted::Time),
            }
        }
        Ok((candidate, proof))
    }

    /// With a letter at its end, or else its start, that has characters above U+00FF, where the pattern needs these and the
    /// text has no such letter: V8 tries nothing of that in a text without them.
    pub(crate) fn with_wide_end(
        &self,
        candidate: Candidate,
        proof: Proof,
        limit: Growth,
        budget: &mut Budget,
    ) -> Result<(Candidate, Proof), Exhausted> {
        let is_wide = |&letter: &u32| self.alphabet.wide(letter as usize).is_some();
        let Candidate { prefix, pump, suffix, .. } = &candidate;
        if !self.program.has_wide_set() || prefix.iter().chain(pump).chain(suffix).any(is_wide) {
            return Ok((candidate, proof));
        }
        let letters = (0..self.alphabet.len() as u32).filter(|letter| is_wide(letter));
        let ends = letters.flat_map(|letter| {
            let suffix = [&candidate.suffix[..], &[letter]].concat();
            let prefix = [&[letter], &candidate.prefix[..]].concat();
            [Candidate { suffix, ..candidate.clone() }, Candidate { prefix, ..candidate.clone() }]
        });
        for other in ends {
            match self.prove(&other, limit, MAX_REPETITIONS, budget) {
                Ok(Some(other_proof)) if other_proof.growth >= proof.growth => {
                    return Ok((other, other_proof));
                }
                Ok(_) => {}
                Err(Exhausted::Work) => break,
                Err(Exhausted::Time) => return Err(Exhausted::Time),
            }
        }
        Ok((candidate, proof))
    }

    /// Counts the steps on few repetitions of a text on which they cannot grow for ever, but perhaps for too long.
    pub(crate) fn burst(
        &self,
        candidate: &Candidate,
        budget: &mut Budget,
    ) -> Result<Option<Proof>, Exhausted> {
        let counter = Counter::new(self.program, self.graphs, self.alphabet);
        let mut samples: Vec<Sample> = Vec::new();
        let (many, times, most) = BURST;
        // The machine does not go as far as counting does.
        let many = if self.program.has_reference { MOST as f64 / 2.0 } else { many };
        let mut repetitions = 2;
        while repetitions <= most {
            let steps = self.steps(&counter, &candidate.text(repetitions), budget)?;
            let is_last = steps.is_none();
            samples.push((repetitions, steps.unwrap_or(MOST as f64)));
            if let [.., (_, before), (_, steps)] = samples[..]
                && steps >= many
                && steps >= times * before
            {
                return Ok(Some(Proof { growth: Growth::Exponential, samples }));
            }
            if is_last || repetitions == PROMISING.0 && samples.last().is_none_or(|last| last.1 < PROMISING.1)
            {
                break;
            }
            repetitions *= 2;
        }
        Ok(None)
    }

    /// Whether the steps grow where back-references match whatever they like, or never. The machine takes its time.
    fn is_promising(&self, candidate: &Candidate, budget: &mut Budget) -> Result<bool, Exhausted> {
        for refuses in [true, false] {
            let counter = Counter::new(self.program, self.graphs, self.alphabet);
            let counter = if refuses { counter.refusing() } else { counter };
            let few = counter.count(&candidate.text(16), self.searches, budget)?.steps;
            let more = counter.count(&candidate.text(32), self.searches, budget)?.steps;
            if more > 2.5 * few {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// None: more than can be counted.
    fn steps(
        &self,
        counter: &Counter<'_>,
        text: &[u32],
        budget: &mut Budget,
    ) -> Result<Option<f64>, Exhausted> {
        if !self.program.has_reference {
            return Ok(Some(counter.count(text, self.searches, budget)?.steps));
        }
        let characters: Vec<u32> =
            text.iter().map(|&letter| self.alphabet.character(letter as usize)).collect();
        match Machine::run(self.program, &characters, self.canonical, MOST) {
            Ok(outcome) => {
                budget.spend(2 * outcome.steps as usize)?;
                Ok(Some(outcome.steps as f64))
            }
            Err(_) => {
                budget.spend(2 * MOST as usize)?;
                Ok(None)
            }
        }
    }
}

/// The shortest word of which the word is a repetition.
fn root(word: &[u32]) -> &[u32] {
    let length = (1..word.len())
        .find(|&length| {
            word.len().is_multiple_of(length)
                && word.iter().zip(&word[length..]).all(|(one, other)| one == other)
        })
        .unwrap_or(word.len());
    &word[..length]
}

/// Texts that might show what a pump does.
/// `chain`: pumps of which each takes up where the one before it ends.
pub(crate) fn candidates(
    chain: &[Pump],
    pumps: &[Pump],
    runs: &Runs,
    graph: &Graph,
    program: &Program,
    suffix: impl Fn(u32) -> Vec<u32>,
) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut add = |at: &Pump, word: &Pump| {
        let mut candidate = Candidate {
            prefix: runs.prefix(at.at),
            pump: word.word.clone(),
            suffix: suffix(runs.nodes[at.at as usize].future),
            hotspots: hotspots(at, runs, graph, program),
        };
        if graph.behind {
            // It was read from its end.
            std::mem::swap(&mut candidate.prefix, &mut candidate.suffix);
            for part in [&mut candidate.prefix, &mut candidate.pump, &mut candidate.suffix] {
                part.reverse();
            }
        }
        if !candidates.contains(&candidate) {
            candidates.push(candidate);
        }
    };
    let Some(first) = pumps.first() else { return candidates };
    // What takes all links of a chain may have to hold what each of them takes.
    let together = |words: &[&[u32]]| Pump { word: words.concat(), ..first.clone() };
    let mut words: Vec<&[u32]> = chain.iter().map(|pump| root(&pump.word)).collect();
    words.dedup();
    if words.len() > 1 && words.len() <= MAX_TOGETHER {
        add(first, &together(&words));
    }
    for pump in pumps {
        add(pump, pump);
    }
    // A word that comes later in a chain may do for what is before it, or with what is before it.
    for pump in &pumps[1..] {
        add(first, pump);
    }
    let mut words: Vec<&[u32]> = pumps.iter().map(|pump| root(&pump.word)).collect();
    words.sort_unstable();
    words.dedup();
    words.truncate(MAX_PAIRED);
    for one in &words {
        for other in words.iter().filter(|other| *other != one) {
            add(first, &together(&[one, other]));
        }
    }
    candidates
}

/// The loops that do it.
fn hotspots(pump: &Pump, runs: &Runs, graph: &Graph, program: &Program) -> Vec<Span> {
    let loops_around = |nodes: &[u32]| {
        let mut common: Option<Vec<u32>> = None;
        for &node in nodes {
            let mut around = Vec::new();
            let mut next = graph.characters[runs.nodes[node as usize].character as usize].repetition;
            while let Some(repetition) = next {
                around.push(repetition);
                next = program.repetitions[repetition as usize].parent;
            }
            common = Some(match common {
                None => around,
                Some(common) => common.into_iter().filter(|repetition| around.contains(repetition)).collect(),
            });
        }
        common.unwrap_or_default()
    };
    let origins = |nodes: &[u32]| -> Vec<u32> {
        let origin = |&node: &u32| graph.characters[runs.nodes[node as usize].character as usize].origin;
        nodes.iter().map(origin).collect()
    };
    let mut loops = Vec::new();
    if origins(&pump.nodes[0]) == origins(&pump.nodes[1]) {
        // Two loops around the same characters.
        let around = loops_around(&pump.nodes[0]);
        loops.extend(around.get(1).or(around.first()).copied());
    } else if pump.nodes[0].first() == pump.nodes[1].first() {
        let both: Vec<u32> = pump.nodes.concat();
        loops.extend(loops_around(&both).first().copied());
    } else {
        for nodes in &pump.nodes {
            loops.extend(loops_around(nodes).first().copied());
        }
    }
    let mut spans: Vec<Span> =
        loops.into_iter().map(|repetition| program.repetitions[repetition as usize].span).collect();
    spans.sort_unstable();
    spans.dedup();
    spans
}
