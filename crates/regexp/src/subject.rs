//! A [`Subject`] is a text to be searched many times, with the engine that has proved quicker on it.
//!
//! The automaton skips quickly what does not match, and takes its time for each match; the backtracker is the other way
//! round. So a long one-byte text starts on the automaton and moves to the backtracker where matches are close together, unless
//! that takes too many steps for what it finds. A wide text starts on the backtracker, which reads it as it is, and is
//! encoded for the automaton only when that takes too many steps. What is compared is work, not time.

use std::borrow::Cow;

use crate::automaton::{Alphabet, Automaton};
use crate::encode::Place;
use crate::matcher::{LONG, Matcher, start_of_pair};
use crate::pattern::{Error, Haystack, Offset};
use crate::search::Progress;

/// Matches by which a text is judged.
const SAMPLE: u64 = 8;
/// Units from one match's end to the next one's, on average, up to which the backtracker is tried.
const CLOSE: u64 = 256;
/// What things cost, by measurement, in quarters of a nanosecond: a match on the automaton, one of a plain string, the captures
/// in one, a unit of one (which is read forwards and backwards), a unit that it reads, one that it passes over; a match of the
/// backtracker, a step, and a unit that it passes over.
const AUTOMATON_MATCH: u64 = 180;
const AUTOMATON_LITERAL: u64 = 80;
const AUTOMATON_CAPTURES: u64 = 280;
const AUTOMATON_MATCHED: u64 = 12;
const AUTOMATON_READS: u64 = 6;
const AUTOMATON_SKIPS: u64 = 1;
const BACKTRACKER_MATCH: u64 = 72;
const BACKTRACKER_STEP: u64 = 6;
const BACKTRACKER_SKIPS: u64 = 3;
/// Steps for each unit of a text, and some for free, after which the backtracker gives way to the automaton.
const STEPS_A_UNIT: u64 = 6;
const FREE_STEPS: u64 = 4096;

/// A text to be searched many times.
pub struct Subject<'a> {
    text: Text<'a>,
    /// Of a wide text, for the automaton, and where in it the last search started.
    encoded: Option<(Vec<u8>, Place)>,
    engine: Engine,
    progress: Progress,
}

enum Text<'a> {
    Latin1(Cow<'a, [u8]>),
    Utf16(Cow<'a, [u16]>),
}

impl Text<'_> {
    fn haystack(&self) -> Haystack<'_> {
        match self {
            Text::Latin1(bytes) => Haystack::Latin1(bytes),
            Text::Utf16(units) => Haystack::Utf16(units),
        }
    }
}

/// What was found in a text: how many matches, of how many units, and units with those between them.
#[derive(Clone, Copy, Default)]
struct Sample {
    matches: u64,
    matched: u64,
    units: u64,
}

impl Sample {
    fn add(&mut self, from: usize, start: usize, end: usize) {
        self.matches += 1;
        self.matched += end.saturating_sub(start) as u64;
        self.units += end.saturating_sub(from) as u64;
    }

    /// What it would have taken on the automaton.
    fn cost_on(self, automaton: &Automaton, captures: bool) -> u64 {
        let Sample { matches, matched, units } = self;
        let a_match = match (automaton.is_literal(), captures) {
            (true, false) => AUTOMATON_LITERAL,
            (_, true) => AUTOMATON_MATCH + AUTOMATON_CAPTURES,
            (false, false) => AUTOMATON_MATCH,
        };
        let a_unit = if automaton.is_accelerated() { AUTOMATON_SKIPS } else { AUTOMATON_READS };
        let in_matches = if automaton.is_literal() { 0 } else { AUTOMATON_MATCHED };
        a_match * matches + in_matches * matched + a_unit * units.saturating_sub(matched)
    }

    /// What it has taken on the backtracker.
    fn cost_of_steps(self, steps: u64) -> u64 {
        let between = self.units.saturating_sub(self.matched);
        BACKTRACKER_MATCH * self.matches + BACKTRACKER_STEP * steps + BACKTRACKER_SKIPS * between
    }
}

#[derive(Clone, Copy)]
enum Engine {
    /// The automaton, looking how close together matches are.
    Watched {
        matches: u64,
        units: u64,
    },
    /// The backtracker, looking what its matches cost, as long as the steps allow.
    Tried {
        sample: Sample,
        steps: u64,
        max_steps: u64,
    },
    Automaton,
    Backtracker,
}

impl Subject<'_> {
    /// The same with a text of its own.
    pub fn into_owned(self) -> Subject<'static> {
        let Subject { text, encoded, engine, progress } = self;
        let text = match text {
            Text::Latin1(bytes) => Text::Latin1(Cow::Owned(bytes.into_owned())),
            Text::Utf16(units) => Text::Utf16(Cow::Owned(units.into_owned())),
        };
        Subject { text, encoded, engine, progress }
    }

    /// In UTF-16 code units.
    pub fn len(&self) -> usize {
        self.text.haystack().len()
    }

    /// Whether there is nothing to search in.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `at` lies between the halves of a surrogate pair.
    pub fn is_inside_pair(&self, at: usize) -> bool {
        match &self.text {
            Text::Latin1(_) => false,
            Text::Utf16(units) => start_of_pair(units, at) < at,
        }
    }

    /// Bytes that the text takes, as it is and encoded, and what is remembered of it.
    pub fn memory_usage(&self) -> usize {
        self.text.haystack().bytes()
            + self.encoded.as_ref().map_or(0, |(bytes, _)| bytes.capacity())
            + self.progress.memory_usage()
    }
}

impl Matcher {
    /// `haystack`, ready to be searched many times by this matcher: for the bounds of matches only, or for their captures
    /// too.
    #[inline(always)] // moving what was just written would have to wait for it
    pub fn subject<'a>(&self, haystack: Haystack<'a>, captures: bool) -> Result<Subject<'a>, Error> {
        self.limits_with(haystack)?;
        let program = &*self.pattern.program;
        // Sticky searches that fail one after the other share what the backtracker remembers.
        let covers = program.claims.cover(haystack) && !program.flags.sticky;
        let (text, engine) = match haystack {
            Haystack::Latin1(bytes) => {
                let runs = covers && self.latin1.is_some() && self.finds_all(Alphabet::Latin1);
                let engine = match runs {
                    false => Engine::Backtracker,
                    true if bytes.len() < LONG => {
                        let max_steps = FREE_STEPS + STEPS_A_UNIT * bytes.len() as u64;
                        Engine::Tried { sample: Sample::default(), steps: 0, max_steps }
                    }
                    true => Engine::Watched { matches: 0, units: 0 },
                };
                (Text::Latin1(Cow::Borrowed(bytes)), engine)
            }
            Haystack::Utf16(units) => {
                let max_steps = FREE_STEPS + STEPS_A_UNIT * units.len() as u64;
                let tried = Engine::Tried { sample: Sample::default(), steps: 0, max_steps };
                let may_encode = covers && program.claims.captures;
                (Text::Utf16(Cow::Borrowed(units)), if may_encode { tried } else { Engine::Backtracker })
            }
        };
        let progress = Progress::new(captures && program.groups > 0);
        Ok(Subject { text, encoded: None, engine, progress })
    }

    /// As [`Matcher::find`], in a subject. Successive searches that go forward cost what they search, and no more.
    pub fn find_in(
        &mut self,
        subject: &mut Subject<'_>,
        from: usize,
        mut offsets: impl FnMut(usize, Offset),
    ) -> Result<bool, Error> {
        let limits = self.limits_with(subject.text.haystack())?;
        let Subject { text, encoded, engine, progress } = subject;
        let (mut start, mut end) = (from, from);
        let mut note = |place: usize, offset: Offset| {
            match place {
                0 => start = offset.unwrap_or(from),
                1 => end = offset.unwrap_or(from),
                _ => {}
            }
            offsets(place, offset);
        };
        // In place: a copy would have to wait for what was written the last time.
        if let Engine::Tried { sample, steps, max_steps } = engine {
            let haystack = text.haystack();
            if let Some(found) = self.backtrack_within(haystack, from, progress, limits, *max_steps)? {
                if found {
                    self.report(progress.captures(), note);
                    sample.add(from, start, end);
                    if sample.matches % SAMPLE == 0
                        && let (Text::Latin1(_), Some(automaton)) = (&*text, &self.latin1)
                        && sample.cost_of_steps(progress.steps() - *steps)
                            > sample.cost_on(automaton, progress.captures())
                    {
                        *engine = Engine::Automaton;
                    }
                }
                return Ok(found);
            }
            *engine = match text {
                Text::Latin1(_) => Engine::Automaton,
                Text::Utf16(_) if self.has_wide() && self.finds_all(Alphabet::Wide) => Engine::Automaton,
                Text::Utf16(_) => Engine::Backtracker,
            };
        }
        match (&*text, *engine) {
            (Text::Latin1(bytes), Engine::Automaton | Engine::Watched { .. }) => {
                let found = self.find_latin1(bytes, from, progress, limits, note)?;
                if let Engine::Watched { matches, units } = *engine {
                    let (matches, units) = (matches + 1, units + end.saturating_sub(from) as u64);
                    *engine = match matches {
                        SAMPLE if units <= CLOSE * SAMPLE => {
                            let left = (bytes.len() - from) as u64;
                            let steps = progress.steps();
                            let max_steps = steps + FREE_STEPS + STEPS_A_UNIT * left;
                            Engine::Tried { sample: Sample::default(), steps, max_steps }
                        }
                        SAMPLE => Engine::Automaton,
                        _ => Engine::Watched { matches, units },
                    };
                }
                Ok(found)
            }
            (Text::Utf16(units), Engine::Automaton) => {
                let (bytes, place) = match encoded {
                    Some(known) => known,
                    none => none.insert((self.encoded(units, limits)?, Place::default())),
                };
                let known = if place.unit <= from { *place } else { Place::default() };
                *place = known.forward_to_unit(bytes, from);
                Ok(self.find_encoded(bytes, *place, progress.captures(), note))
            }
            _ => self.find_by_backtracking(text.haystack(), from, progress, limits, &mut note),
        }
    }
}
