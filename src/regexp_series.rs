//! All matches of a text in their order, in few calls: for match, matchAll, replace and split, and for `exec` in a loop.
//!
//! A call puts as many matches into the buffer for offsets as it is asked for and as fit, and returns their number; when
//! these were the last ones, its bitwise complement.

use std::cell::RefCell;
use std::rc::Rc;

use holdfast_regexp::{Matcher, Subject};

use crate::boundary::{Call, Characters, Code, ExternalMemory, Failure, HotFunction, Value};
use crate::regexp::{MAX_OFFSET, Program, failure, haystack, past_the_end, too_narrow, writer};

/// Which matches `all` gives, and what of them.
pub(crate) const BOUNDS: u32 = 0;
pub(crate) const CAPTURES: u32 = 1;
/// The separators of `split`, with captures: ECMA-262, §22.2.6.14, step 18, by searching where the standard tries every place.
pub(crate) const SEPARATORS: u32 = 2;
/// The same, none of them between the halves of a surrogate pair.
pub(crate) const WHOLE_SEPARATORS: u32 = 3;

/// A search that goes on.
pub(crate) struct Series<'a> {
    subject: Subject<'a>,
    /// Where the next match is looked for.
    from: usize,
    /// For `split`: the end of the last separator.
    separator: Option<usize>,
    /// For `split`: separators do not lie between the halves of a surrogate pair.
    whole: bool,
    /// Places for each match.
    width: usize,
}

impl<'a> Series<'a> {
    #[inline(always)] // moving what was just written would have to wait for it
    pub(crate) fn new(program: &Program, text: Characters<'a>, width: usize) -> Result<Series<'a>, Failure> {
        let subject = program.matcher.borrow().subject(haystack(text), width > 2).map_err(failure)?;
        Ok(Series { subject, from: 0, separator: None, whole: false, width })
    }

    /// The same with a text of its own.
    fn into_owned(self) -> Series<'static> {
        let Series { subject, from, separator, whole, width } = self;
        Series { subject: subject.into_owned(), from, separator, whole, width }
    }

    /// The next match, its offsets in `places`.
    pub(crate) fn next(
        &mut self,
        matcher: &mut Matcher,
        is_unicode: bool,
        places: &mut [i32],
    ) -> Result<bool, Failure> {
        while self.from <= self.subject.len() {
            if !matcher.find_in(&mut self.subject, self.from, writer(places)).map_err(failure)? {
                break;
            }
            let offset = |place: usize| usize::try_from(places[place]).unwrap_or(0);
            let (start, end) = (offset(0), offset(1));
            if let Some(separator) = &mut self.separator {
                if start == self.subject.len() {
                    break;
                }
                if self.whole && is_unicode && self.subject.is_inside_pair(start) {
                    self.from = start + 1;
                    continue;
                }
                if end == *separator && end == self.from {
                    self.from = self.after(end, is_unicode);
                    continue;
                }
                *separator = end;
                self.from = end;
            } else {
                self.from = if start == end { self.after(end, is_unicode) } else { end };
            }
            return Ok(true);
        }
        // Nothing comes after the last one.
        self.from = self.subject.len() + 1;
        Ok(false)
    }

    /// AdvanceStringIndex, ECMA-262 §22.2.7.3.
    fn after(&self, at: usize, is_unicode: bool) -> usize {
        let next = at + 1;
        if is_unicode && self.subject.is_inside_pair(next) { next + 1 } else { next }
    }

    fn fill(&mut self, call: &Call, program: &Program, max: usize) -> Result<Value, Failure> {
        let mut matcher = program.matcher.borrow_mut();
        program.offsets.lend(call, |places| {
            let room = (places.len() / self.width).min(max);
            if room == 0 {
                return Err(too_narrow());
            }
            for (index, places) in places.chunks_exact_mut(self.width).take(room).enumerate() {
                match self.next(&mut matcher, program.is_unicode, places) {
                    Ok(true) => {}
                    Ok(false) => return Ok(call.number(!(index as i32))),
                    // The matches before it are to be had; who asks for more meets it again.
                    Err(_) if index > 0 => return Ok(call.number(index as i32)),
                    Err(failure) => return Err(failure),
                }
            }
            Ok(call.number(room as i32))
        })
    }
}

/// `all(text, isLatin1, which, max)`: the first matches. `more` goes on, until the end is reported.
pub(crate) struct All(pub(crate) Rc<Program>);

impl HotFunction for All {
    const NAME: &'static str = "all";
    const ARGUMENTS: usize = 4;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let which = call.integer(2, WHOLE_SEPARATORS)?;
        let max = call.integer(3, MAX_OFFSET)? as usize;
        self.0.long_text(call, 1, |text| first_of(&self.0, call, text, which, max))
    }
}

/// `all` of a short text, as many as fit.
pub(crate) struct AllOf<const WHICH: u32>(pub(crate) Rc<Program>);

impl<const WHICH: u32> HotFunction for AllOf<WHICH> {
    const NAME: &'static str = "allOf";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        call.characters(0, |text| first_of(&self.0, call, text, WHICH, usize::MAX))
    }
}

fn first_of(
    program: &Program,
    call: &Call,
    text: Characters<'_>,
    which: u32,
    max: usize,
) -> Result<Value, Failure> {
    let mut series = Series::new(program, text, if which == BOUNDS { 2 } else { program.width })?;
    series.separator = (which >= SEPARATORS).then_some(0);
    series.whole = which == WHOLE_SEPARATORS;
    let count = series.fill(call, program, max)?;
    // The text is copied only if more of it is wanted than the buffer takes.
    let has_more = series.from <= series.subject.len();
    let mut kept = program.series.borrow_mut();
    if has_more || kept.is_some() {
        *kept = has_more.then(|| Box::new(series.into_owned()));
    }
    Ok(count)
}

/// `more(max)`: the next matches of the last text given to `all`. `more(0)` forgets it.
pub(crate) struct More(pub(crate) Rc<Program>);

impl HotFunction for More {
    const NAME: &'static str = "more";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let max = call.integer(0, MAX_OFFSET)? as usize;
        let series = self.0.series.take();
        let Some(mut series) = series.filter(|_| max > 0) else {
            return Ok(call.number(!0));
        };
        let count = series.fill(call, &self.0, max)?;
        let has_more = series.from <= series.subject.len();
        self.0.series.replace(has_more.then_some(series));
        Ok(count)
    }
}

/// `batch(text, from, max)`: matches with their captures from any place of a short text.
pub(crate) struct Batch(pub(crate) Rc<Program>);

impl HotFunction for Batch {
    const NAME: &'static str = "batch";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let from = call.integer(1, MAX_OFFSET)? as usize;
        let max = call.integer(2, MAX_OFFSET)? as usize;
        call.characters(0, |text| {
            let mut series = Series::new(&self.0, text, self.0.width)?;
            series.from = from;
            series.fill(call, &self.0, max)
        })
    }
}

/// `session() => [open, next]`, a pair of functions with a text of its own. `open(text, isLatin1)` keeps a copy of `text`,
/// the empty text frees it; `next(from, max)` is `batch` in it. Going forward, a series of calls costs one walk.
pub(crate) struct NewSession(pub(crate) Rc<Program>);

impl HotFunction for NewSession {
    const NAME: &'static str = "session";
    const ARGUMENTS: usize = 0;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let session = Rc::new(Session { program: Rc::clone(&self.0), series: RefCell::new(None) });
        let open = call.function(Open(Rc::clone(&session)))?;
        Ok(call.values(&[open, call.function(Next(session))?]))
    }
}

struct Session {
    program: Rc<Program>,
    series: RefCell<Option<(Series<'static>, ExternalMemory)>>,
}

struct Open(Rc<Session>);

impl HotFunction for Open {
    const NAME: &'static str = "open";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let Session { program, series } = &*self.0;
        let opened =
            program.long_text(call, 1, |text| Ok(Series::new(program, text, program.width)?.into_owned()))?;
        let opened = (!opened.subject.is_empty()).then(|| {
            let memory = call.external_memory(opened.subject.memory_usage());
            (opened, memory)
        });
        series.replace(opened);
        Ok(call.undefined())
    }
}

struct Next(Rc<Session>);

impl HotFunction for Next {
    const NAME: &'static str = "next";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let from = call.integer(0, MAX_OFFSET)? as usize;
        let max = call.integer(1, MAX_OFFSET)? as usize;
        let Session { program, series } = &*self.0;
        let mut series = series.borrow_mut();
        let Some((series, _)) = series.as_mut() else {
            return Err(Failure::new(Code::Internal, "the session has no text"));
        };
        if from > series.subject.len() {
            return Err(past_the_end());
        }
        series.from = from;
        series.fill(call, program, max)
    }
}

const _: () = assert!(BOUNDS < CAPTURES && CAPTURES < SEPARATORS);
