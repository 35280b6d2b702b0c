//! The scanner: RFC 8259's grammar as a loop over a stack of open containers.

use crate::key::key_is;

/// One unit of the text: a byte of UTF-8 or a UTF-16 code unit. Everything that JSON's grammar looks at is ASCII.
pub trait Unit: Copy {
    /// The unit's value.
    fn code(self) -> u16;

    /// How many units stand before the first quote, backslash or control character.
    fn plain_run(text: &[Self]) -> usize {
        text.iter().position(|unit| is_special(unit.code())).unwrap_or(text.len())
    }
}

impl Unit for u8 {
    #[inline(always)]
    fn code(self) -> u16 {
        u16::from(self)
    }

    #[inline(always)]
    fn plain_run(text: &[u8]) -> usize {
        // Eight bytes at a time: most strings end within two steps, and no branch depends on where.
        let (words, _) = text.as_chunks::<8>();
        for (index, word) in words.iter().enumerate() {
            let special = special_bytes(u64::from_le_bytes(*word));
            if special != 0 {
                return 8 * index + (special.trailing_zeros() / 8) as usize;
            }
        }
        let done = 8 * words.len();
        done + text[done..].iter().position(|&byte| is_special(u16::from(byte))).unwrap_or(text.len() - done)
    }
}

impl Unit for u16 {
    #[inline(always)]
    fn code(self) -> u16 {
        self
    }
}

#[inline(always)]
fn is_special(code: u16) -> bool {
    matches!(code, QUOTE | BACKSLASH | 0..0x20)
}

/// The top bit of each byte that is a quote, a backslash or below 0x20. Exact up to the first such byte, counted from the
/// lowest; above it a borrow may set a bit too many.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & TOPS;
    below(word ^ (ONES * u64::from(b'"')), 1) | below(word ^ (ONES * u64::from(b'\\')), 1) | below(word, 0x20)
}

/// What to do about a key that is dangerous to merge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The text is refused.
    #[default]
    Refuse,
    /// The text passes, and [`Report::to_remove`] says that the caller has something to remove.
    Remove,
    /// Not looked at.
    Ignore,
}

/// What to check.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Containers inside each other; `[]` has depth 1.
    pub max_depth: usize,
    /// Keys equal to `__proto__`.
    pub proto_key: Policy,
    /// Keys equal to `constructor` whose value is an object with a key `prototype`.
    pub constructor_key: Policy,
}

/// What a text that passed is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// No unit is above 0x7F.
    pub ascii: bool,
    /// A key under [`Policy::Remove`] was found.
    pub to_remove: bool,
}

/// Why a text did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingKind {
    /// It is not JSON.
    Syntax,
    /// The bytes are not UTF-8.
    Encoding,
    /// It nests deeper than [`Options::max_depth`].
    Depth,
    /// A key `__proto__`.
    ProtoKey,
    /// A key `constructor` whose value is an object with a key `prototype`.
    ConstructorKey,
}

/// What did not pass, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was found.
    pub kind: FindingKind,
    /// In units from the text's start, a byte order mark included.
    pub offset: usize,
    /// The way from the root to the value, or to the key, that was found.
    pub path: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into an array.
    Index(usize),
    /// Into an object: the units `start..end` are the key's JSON string, quotes included.
    Key {
        /// Of the opening quote.
        start: usize,
        /// After the closing quote.
        end: usize,
    },
}

/// Scans UTF-8, with or without a byte order mark.
pub fn scan_bytes(bytes: &[u8], options: &Options) -> Result<Report, Finding> {
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err(Finding { kind: FindingKind::Encoding, offset: error.valid_up_to(), path: Vec::new() });
    }
    let start = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    Scanner::new(bytes, start, options).run()
}

/// Scans text as it is: a byte order mark is a syntax error, as it is to `JSON.parse`.
pub fn scan<U: Unit>(text: &[U], options: &Options) -> Result<Report, Finding> {
    Scanner::new(text, 0, options).run()
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
}

struct Scanner<'a, U> {
    text: &'a [U],
    at: usize,
    options: &'a Options,
    frames: Vec<Frame>,
    to_remove: bool,
    /// The first dangerous key; reported at the end, because malformed text is malformed first of all.
    found: Option<Finding>,
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

const QUOTE: u16 = b'"' as u16;
const BACKSLASH: u16 = b'\\' as u16;

impl<'a, U: Unit> Scanner<'a, U> {
    fn new(text: &'a [U], at: usize, options: &'a Options) -> Self {
        Scanner { text, at, options, frames: Vec::new(), to_remove: false, found: None }
    }

    fn run(mut self) -> Result<Report, Finding> {
        let mut next = Next::Value;
        loop {
            self.skip_whitespace();
            let Some(code) = self.peek() else {
                let complete = matches!(next, Next::Separator) && self.frames.is_empty();
                return if complete {
                    self.finish()
                } else {
                    Err(self.finding(FindingKind::Syntax, self.at))
                };
            };
            // Above ASCII only strings may contain anything, and they are not taken apart here.
            let token = u8::try_from(code).unwrap_or(0);
            next = match (next, token) {
                (Next::FirstElement, b']') | (Next::FirstKey, b'}') => self.close(),
                (Next::Value | Next::FirstElement, _) => self.value(token)?,
                (Next::FirstKey | Next::Key, b'"') => self.key()?,
                (Next::Separator, b',') if !self.frames.is_empty() => self.comma(),
                (Next::Separator, b']' | b'}') if self.closes(token) => self.close(),
                _ => return Err(self.finding(FindingKind::Syntax, self.at)),
            };
        }
    }

    fn finish(self) -> Result<Report, Finding> {
        match self.found {
            Some(finding) => Err(finding),
            None => Ok(Report { ascii: is_ascii(self.text), to_remove: self.to_remove }),
        }
    }

    #[inline(always)]
    fn value(&mut self, token: u8) -> Result<Next, Finding> {
        match token {
            b'{' => self.open(true),
            b'[' => self.open(false),
            b'"' => {
                self.string()?;
                Ok(Next::Separator)
            }
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => Err(self.finding(FindingKind::Syntax, self.at)),
        }
    }

    #[inline(always)]
    fn open(&mut self, is_object: bool) -> Result<Next, Finding> {
        if self.frames.len() >= self.options.max_depth {
            return Err(self.finding(FindingKind::Depth, self.at));
        }
        let is_constructor = is_object
            && self.options.constructor_key != Policy::Ignore
            && self
                .frames
                .last()
                .and_then(|frame| frame.key)
                .is_some_and(|key| self.is_key(key, b"constructor"));
        self.frames.push(Frame { key: None, index: 0, is_object, is_constructor });
        self.at += 1;
        Ok(if is_object { Next::FirstKey } else { Next::FirstElement })
    }

    fn closes(&self, token: u8) -> bool {
        self.frames.last().is_some_and(|frame| frame.is_object == (token == b'}'))
    }

    #[inline(always)]
    fn close(&mut self) -> Next {
        self.frames.pop();
        self.at += 1;
        Next::Separator
    }

    #[inline(always)]
    fn comma(&mut self) -> Next {
        self.at += 1;
        match self.frames.last_mut() {
            Some(frame) if frame.is_object => {
                frame.key = None;
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
    fn key(&mut self) -> Result<Next, Finding> {
        let start = self.at;
        self.string()?;
        let key = (start, self.at);
        if let Some(frame) = self.frames.last_mut() {
            frame.key = Some(key);
        }
        self.skip_whitespace();
        if self.peek() != Some(u16::from(b':')) {
            return Err(self.finding(FindingKind::Syntax, self.at));
        }
        self.at += 1;
        if self.options.proto_key != Policy::Ignore && self.is_key(key, b"__proto__") {
            self.dangerous(self.options.proto_key, FindingKind::ProtoKey, 0);
        }
        if self.frames.last().is_some_and(|frame| frame.is_constructor) && self.is_key(key, b"prototype") {
            // What is dangerous is the member `constructor`, one level up.
            self.dangerous(self.options.constructor_key, FindingKind::ConstructorKey, 1);
        }
        Ok(Next::Value)
    }

    /// Notes a dangerous key, the current one of the frame `levels_up` from the innermost.
    fn dangerous(&mut self, policy: Policy, kind: FindingKind, levels_up: usize) {
        match policy {
            Policy::Ignore => {}
            Policy::Remove => self.to_remove = true,
            Policy::Refuse if self.found.is_some() => {}
            Policy::Refuse => {
                let frames = &self.frames[..self.frames.len() - levels_up];
                let offset = frames.last().and_then(|frame| frame.key).map_or(self.at, |(start, _)| start);
                self.found = Some(Finding { kind, offset, path: path(frames) });
            }
        }
    }

    /// A string, from its opening quote to after its closing one.
    #[inline(always)]
    fn string(&mut self) -> Result<(), Finding> {
        self.at += 1;
        loop {
            self.at += U::plain_run(self.text.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(QUOTE) => {
                    self.at += 1;
                    return Ok(());
                }
                Some(BACKSLASH) => self.escape()?,
                _ => return Err(self.finding(FindingKind::Syntax, self.at)),
            }
        }
    }

    #[inline(never)]
    fn escape(&mut self) -> Result<(), Finding> {
        let start = self.at;
        let code = |offset: usize| self.text.get(start + offset).map_or(0, |unit| unit.code());
        let is_hex = |offset: usize| u8::try_from(code(offset)).is_ok_and(|byte| byte.is_ascii_hexdigit());
        let length = match u8::try_from(code(1)).unwrap_or(0) {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            b'u' if (2..6).all(is_hex) => 6,
            _ => return Err(self.finding(FindingKind::Syntax, start)),
        };
        self.at += length;
        Ok(())
    }

    #[inline(always)]
    fn number(&mut self) -> Result<Next, Finding> {
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
        Ok(Next::Separator)
    }

    /// At least one digit.
    #[inline(always)]
    fn digits(&mut self) -> Result<(), Finding> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        self.at += rest.iter().take_while(|unit| matches!(unit.code(), 0x30..=0x39)).count();
        if self.at == start { Err(self.finding(FindingKind::Syntax, start)) } else { Ok(()) }
    }

    fn literal(&mut self, literal: &[u8]) -> Result<Next, Finding> {
        for &expected in literal {
            if self.peek() != Some(u16::from(expected)) {
                return Err(self.finding(FindingKind::Syntax, self.at));
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

    #[inline(always)]
    fn is_key(&self, (start, end): (usize, usize), name: &[u8]) -> bool {
        key_is(&self.text[start + 1..end - 1], name)
    }

    #[cold]
    fn finding(&self, kind: FindingKind, offset: usize) -> Finding {
        Finding { kind, offset, path: path(&self.frames) }
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
