//! The exact scan: RFC 8259's grammar as a loop over a stack of open containers, one token after the other. It knows every
//! check and says where each finding is; the sieve spares most texts the time it takes.

use std::hash::RandomState;

use crate::finding::{Finding, FindingKind, Report, Step};
use crate::key::{key_is, units};
use crate::members::{Cutter, Keys};
use crate::numbers::fits_double;
use crate::options::{Options, Policy};
use crate::unit::Unit;

/// Scans `text` from `start` on, where a byte order mark has been skipped, and notes up to `most` findings, in the order of
/// the text; a finding that ends the scan is the last.
pub(crate) fn scan_from<U: Unit>(
    text: &[U],
    start: usize,
    options: &Options,
    most: usize,
) -> (Report, Vec<Finding>) {
    let scanner = Scanner {
        text,
        at: start,
        options,
        frames: Vec::new(),
        keys: 0,
        cuts: Vec::new(),
        findings: Vec::new(),
        most,
        hasher: RandomState::new(),
    };
    scanner.run()
}

/// An open container.
struct Frame {
    /// The current member's key (quotes included), or for an array nothing.
    key: Option<(usize, usize)>,
    /// The current element's index.
    index: usize,
    is_object: bool,
    /// This object is the value of a key `constructor`.
    is_constructor: bool,
    /// The object's keys, when duplicates are looked for.
    keys: Option<Box<Keys>>,
    cutter: Cutter,
}

struct Scanner<'a, U> {
    text: &'a [U],
    at: usize,
    options: &'a Options,
    frames: Vec<Frame>,
    /// In the whole text.
    keys: usize,
    cuts: Vec<(usize, usize)>,
    findings: Vec<Finding>,
    most: usize,
    hasher: RandomState,
}

/// What may come next.
enum Next {
    Value,
    /// After `[`: a value or `]`.
    FirstElement,
    /// After `{`: a key or `}`.
    FirstKey,
    /// After `,` in an object.
    Key,
    /// After a value.
    Separator,
}

/// The scan is over: what ended it is the last finding.
struct Ended;

const QUOTE: u16 = b'"' as u16;
const BACKSLASH: u16 = b'\\' as u16;

/// Steps that the paths of all findings may have together, however deep the text: the first finding always has its own.
const MOST_STEPS: usize = 1 << 20;

impl<U: Unit> Scanner<'_, U> {
    fn run(mut self) -> (Report, Vec<Finding>) {
        let _ = self.tokens();
        let ascii = self.findings.is_empty() && is_ascii(self.text);
        (Report { ascii, cuts: self.cuts }, self.findings)
    }

    fn tokens(&mut self) -> Result<(), Ended> {
        let mut next = Next::Value;
        loop {
            self.skip_whitespace();
            let Some(code) = self.peek() else {
                let complete = matches!(next, Next::Separator) && self.frames.is_empty();
                return if complete { Ok(()) } else { Err(self.end(FindingKind::Syntax, self.at)) };
            };
            // Above ASCII only strings may contain anything, and they are not taken apart here.
            let token = u8::try_from(code).unwrap_or(0);
            next = match (next, token) {
                (Next::FirstElement, b']') | (Next::FirstKey, b'}') => self.close(),
                (Next::Value | Next::FirstElement, _) => self.value(token)?,
                (Next::FirstKey | Next::Key, b'"') => self.key()?,
                (Next::Separator, b',') if !self.frames.is_empty() => self.comma(),
                (Next::Separator, b']' | b'}') if self.closes(token) => self.close(),
                _ => return Err(self.end(FindingKind::Syntax, self.at)),
            };
        }
    }

    #[inline(always)]
    fn value(&mut self, token: u8) -> Result<Next, Ended> {
        let limit = self.options.limits.array_length;
        if self.frames.last().is_some_and(|frame| !frame.is_object && frame.index >= limit) {
            return Err(self.end(FindingKind::ArrayLength, self.at));
        }
        match token {
            b'{' => self.open(true),
            b'[' => self.open(false),
            b'"' => {
                let start = self.at;
                self.string()?;
                if self.is_longer(start, self.options.limits.string_length) {
                    return Err(self.end(FindingKind::StringLength, start));
                }
                Ok(Next::Separator)
            }
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => Err(self.end(FindingKind::Syntax, self.at)),
        }
    }

    #[inline(always)]
    fn open(&mut self, is_object: bool) -> Result<Next, Ended> {
        if self.frames.len() >= self.options.limits.depth {
            return Err(self.end(FindingKind::Depth, self.at));
        }
        let is_constructor = is_object
            && self.options.constructor_key != Policy::Ignore
            && self
                .frames
                .last()
                .and_then(|frame| frame.key)
                .is_some_and(|key| key_is(self.inside(key), b"constructor"));
        self.frames.push(Frame {
            key: None,
            index: 0,
            is_object,
            is_constructor,
            keys: None,
            cutter: Cutter::default(),
        });
        self.at += 1;
        Ok(if is_object { Next::FirstKey } else { Next::FirstElement })
    }

    fn closes(&self, token: u8) -> bool {
        self.frames.last().is_some_and(|frame| frame.is_object == (token == b'}'))
    }

    #[inline(always)]
    fn close(&mut self) -> Next {
        if let Some(mut frame) = self.frames.pop()
            && let Some((start, _)) = frame.key
        {
            frame.cutter.member_ends(start, self.at, true, &mut self.cuts);
        }
        self.at += 1;
        Next::Separator
    }

    #[inline(always)]
    fn comma(&mut self) -> Next {
        let at = self.at;
        self.at += 1;
        match self.frames.last_mut() {
            Some(frame) if frame.is_object => {
                if let Some((start, _)) = frame.key.take() {
                    frame.cutter.member_ends(start, at, false, &mut self.cuts);
                }
                Next::Key
            }
            Some(frame) => {
                frame.index += 1;
                Next::Value
            }
            None => Next::Value,
        }
    }

    #[inline(always)]
    fn key(&mut self) -> Result<Next, Ended> {
        let start = self.at;
        self.string()?;
        let key = (start, self.at);
        if self.is_longer(start, self.options.limits.key_length) {
            return Err(self.end(FindingKind::KeyLength, start));
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.key = Some(key);
        }
        self.keys += 1;
        if self.keys > self.options.limits.keys {
            return Err(self.end(FindingKind::Keys, start));
        }
        self.skip_whitespace();
        if self.peek() != Some(u16::from(b':')) {
            return Err(self.end(FindingKind::Syntax, self.at));
        }
        self.at += 1;
        if self.options.proto_key != Policy::Ignore && key_is(self.inside(key), b"__proto__") {
            self.dangerous(self.options.proto_key, FindingKind::ProtoKey, 0);
        }
        if self.frames.last().is_some_and(|frame| frame.is_constructor)
            && key_is(self.inside(key), b"prototype")
        {
            // What is dangerous is the member `constructor`, one level up.
            self.dangerous(self.options.constructor_key, FindingKind::ConstructorKey, 1);
        }
        self.rarer_checks(key);
        Ok(Next::Value)
    }

    /// The checks of keys that are off by default.
    #[inline(always)]
    fn rarer_checks(&mut self, key: (usize, usize)) {
        let options = self.options;
        if options.operator_keys != Policy::Ignore && units(self.inside(key)).next() == Some(u16::from(b'$'))
        {
            self.dangerous(options.operator_keys, FindingKind::OperatorKey, 0);
        }
        if !options.forbidden.is_empty() {
            let name: Vec<u16> = units(self.inside(key)).collect();
            if options.forbidden.contains(name.as_slice()) {
                self.note(FindingKind::ForbiddenKey, 0);
            }
        }
        if options.refuse_duplicates {
            let (text, hasher) = (self.text, &self.hasher);
            let is_new = self.frames.last_mut().is_none_or(|frame| {
                frame.keys.get_or_insert_default().add(text, (key.0 + 1, key.1 - 1), hasher)
            });
            if !is_new {
                self.note(FindingKind::DuplicateKey, 0);
            }
        }
    }

    /// A dangerous key, the current one of the frame `levels_up` from the innermost.
    fn dangerous(&mut self, policy: Policy, kind: FindingKind, levels_up: usize) {
        match policy {
            Policy::Ignore => {}
            Policy::Remove => {
                let place = self.frames.len() - 1 - levels_up;
                self.frames[place].cutter.cuts_current = true;
            }
            Policy::Refuse => self.note(kind, levels_up),
        }
    }

    /// A string, from its opening quote to after its closing one.
    #[inline(always)]
    fn string(&mut self) -> Result<(), Ended> {
        self.at += 1;
        loop {
            self.at += U::plain_run(self.text.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(QUOTE) => {
                    self.at += 1;
                    return Ok(());
                }
                Some(BACKSLASH) => self.escape()?,
                _ => return Err(self.end(FindingKind::Syntax, self.at)),
            }
        }
    }

    #[inline(never)]
    fn escape(&mut self) -> Result<(), Ended> {
        let start = self.at;
        let code = |offset: usize| self.text.get(start + offset).map_or(0, |unit| unit.code());
        let is_hex = |offset: usize| u8::try_from(code(offset)).is_ok_and(|byte| byte.is_ascii_hexdigit());
        let length = match u8::try_from(code(1)).unwrap_or(0) {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            b'u' if (2..6).all(is_hex) => 6,
            _ => return Err(self.end(FindingKind::Syntax, start)),
        };
        self.at += length;
        Ok(())
    }

    #[inline(always)]
    fn number(&mut self) -> Result<Next, Ended> {
        let start = self.at;
        if self.peek() == Some(u16::from(b'-')) {
            self.at += 1;
        }
        if self.peek() == Some(u16::from(b'0')) {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(u16::from(b'.')) {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(0x45 | 0x65)) {
            self.at += 1;
            if matches!(self.peek(), Some(0x2B | 0x2D)) {
                self.at += 1;
            }
            self.digits()?;
        }
        if self.options.refuse_lossy && !self.fits(start) {
            self.note_at(FindingKind::Number, start, self.frames.len());
        }
        Ok(Next::Separator)
    }

    #[inline(never)]
    fn fits(&self, start: usize) -> bool {
        let literal: Vec<u8> = self.text[start..self.at].iter().map(|unit| unit.code() as u8).collect();
        fits_double(&literal)
    }

    /// At least one digit.
    #[inline(always)]
    fn digits(&mut self) -> Result<(), Ended> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        self.at += rest.iter().take_while(|unit| matches!(unit.code(), 0x30..=0x39)).count();
        if self.at == start { Err(self.end(FindingKind::Syntax, start)) } else { Ok(()) }
    }

    fn literal(&mut self, literal: &[u8]) -> Result<Next, Ended> {
        for &expected in literal {
            if self.peek() != Some(u16::from(expected)) {
                return Err(self.end(FindingKind::Syntax, self.at));
            }
            self.at += 1;
        }
        Ok(Next::Separator)
    }

    #[inline(always)]
    fn peek(&self) -> Option<u16> {
        self.text.get(self.at).map(|unit| unit.code())
    }

    #[inline(always)]
    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(0x20 | 0x0A | 0x0D | 0x09)) {
            self.at += 1;
        }
    }

    /// Between the quotes.
    #[inline(always)]
    fn inside(&self, (start, end): (usize, usize)) -> &[U] {
        &self.text[start + 1..end - 1]
    }

    /// Whether the string from `start` up to here has more than `limit` code units.
    #[inline(always)]
    fn is_longer(&self, start: usize, limit: usize) -> bool {
        // No character is shorter in the text than in the string.
        self.at - start - 2 > limit && units(self.inside((start, self.at))).count() > limit
    }

    /// Notes a finding at the current key of the frame `levels_up` from the innermost.
    #[cold]
    fn note(&mut self, kind: FindingKind, levels_up: usize) {
        let depth = self.frames.len() - levels_up;
        let key = depth.checked_sub(1).and_then(|place| self.frames[place].key);
        self.note_at(kind, key.map_or(self.at, |(start, _)| start), depth);
    }

    #[cold]
    fn note_at(&mut self, kind: FindingKind, offset: usize, depth: usize) {
        let steps: usize = self.findings.iter().map(|finding| finding.path.len()).sum();
        let fits = self.findings.is_empty() || steps + depth <= MOST_STEPS;
        if self.findings.len() < self.most && fits {
            self.findings.push(Finding { kind, offset, path: path(&self.frames[..depth]) });
        }
    }

    #[cold]
    fn end(&mut self, kind: FindingKind, offset: usize) -> Ended {
        self.findings.push(Finding { kind, offset, path: path(&self.frames) });
        Ended
    }
}

fn path(frames: &[Frame]) -> Vec<Step> {
    frames
        .iter()
        .filter_map(|frame| match (frame.is_object, frame.key) {
            (true, key) => key.map(|(start, end)| Step::Key { start, end }),
            (false, _) => Some(Step::Index(frame.index)),
        })
        .collect()
}

fn is_ascii<U: Unit>(text: &[U]) -> bool {
    // Without an early exit the loop becomes vector instructions; texts are short or mostly ASCII.
    text.iter().fold(0, |seen, unit| seen | unit.code()) < 0x80
}
