//! A pattern's text as the parser is given it: what V8 and the parser would read differently, or the parser not at all, is
//! spelt in the one way they agree on. Every other character stays.
//!
//! - A surrogate that is alone, which a `&str` cannot hold, becomes its escape.
//! - Octal, `\c` and identity escapes of Annex B become `\xHH`; a decimal escape stays only where it is a back-reference.
//! - Groups lose their names, and `\k<name>` becomes a reference to the first group of that name.
//! - A property becomes `\p{Any}`, and its own text is kept aside: which properties there are is V8's to say.
//! - A count too long for the parser becomes the number that V8 reads it as.

use std::collections::HashMap;
use std::fmt::Write;

use crate::Flags;
use crate::ir::Span;

/// V8's infinity: what it reads larger counts as.
const LARGEST_COUNT: u64 = (1 << 31) - 1;

/// A pattern spelt for the parser, and what the spelling left out.
pub(crate) struct Source {
    pub(crate) text: String,
    pub(crate) names: Vec<Name>,
    /// The texts between the braces of `\p{…}` and `\P{…}`, by where the escape starts in `text`.
    properties: Vec<(u32, String)>,
    /// The texts of classes with the flag `v`, by where they start in `text`.
    classes: Vec<(u32, String)>,
    /// Which of the names a reference goes by, by where it starts in `text`.
    references: Vec<(u32, usize)>,
    /// Where `text` and the pattern go apart: offsets in both from which on they go together again.
    places: Vec<(u32, u32)>,
}

/// A name in UTF-16, and the numbers of the groups that have it, ascending.
pub type Name = (Vec<u16>, Vec<u32>);

impl Source {
    /// Spells a pattern that V8 has accepted.
    pub(crate) fn spell(units: &[u16], flags: Flags) -> Source {
        let unicode = flags.unicode || flags.unicode_sets;
        let Groups { count, names, by_name } = Groups::of(units, flags.unicode_sets);
        let text = String::with_capacity(units.len());
        let source = Source {
            text,
            names,
            properties: Vec::new(),
            classes: Vec::new(),
            references: Vec::new(),
            places: Vec::new(),
        };
        let mut spelling = Spelling { units, at: 0, unicode, groups: count, by_name, source };
        spelling.run(flags.unicode_sets);
        spelling.source
    }

    /// The part of the pattern that is spelt from `start` to `end`, neither of which is within what was spelt anew.
    pub(crate) fn span(&self, start: u32, end: u32) -> Span {
        Span { start: self.place(start), end: self.place(end) }
    }

    fn place(&self, offset: u32) -> u32 {
        match self.places.partition_point(|&(spelt, _)| spelt <= offset) {
            0 => offset,
            after => {
                let (spelt, written) = self.places[after - 1];
                written + (offset - spelt)
            }
        }
    }

    /// The property whose escape starts at `offset` of the text.
    pub(crate) fn property(&self, offset: u32) -> Option<&str> {
        let place = self.properties.binary_search_by_key(&offset, |(offset, _)| *offset).ok()?;
        Some(&self.properties[place].1)
    }

    /// The class that starts at `offset` of the text, as V8 reads it.
    pub(crate) fn class(&self, offset: u32) -> Option<&str> {
        let place = self.classes.binary_search_by_key(&offset, |(offset, _)| *offset).ok()?;
        Some(&self.classes[place].1)
    }

    /// The groups that the reference which starts at `offset` of the text names, if it goes by name.
    pub(crate) fn groups_referred_to(&self, offset: u32) -> Option<&[u32]> {
        let place = self.references.binary_search_by_key(&offset, |(offset, _)| *offset).ok()?;
        Some(&self.names[self.references[place].1].1)
    }
}

struct Spelling<'a> {
    units: &'a [u16],
    at: usize,
    unicode: bool,
    groups: u32,
    /// Places in `source.names`.
    by_name: HashMap<Vec<u16>, usize>,
    source: Source,
}

impl Spelling<'_> {
    fn run(&mut self, nested_classes: bool) {
        let mut classes = 0usize;
        let mut outermost = (0, 0);
        while let Some(unit) = self.peek(0) {
            self.note_place();
            match unit {
                '\\' if self.escape(classes > 0) => continue,
                '[' if classes == 0 || nested_classes => {
                    if classes == 0 {
                        outermost = (self.offset(), self.at);
                    }
                    classes += 1;
                }
                ']' => {
                    if classes == 1 && nested_classes {
                        let text = escaped(&self.units[outermost.1..=self.at]);
                        self.source.classes.push((outermost.0, text));
                    }
                    classes = classes.saturating_sub(1);
                }
                '(' if classes == 0 && is_named_group(&self.units[self.at..]) => {
                    let (_, length) = name(&self.units[self.at + 3..]);
                    self.at += 3 + length;
                    self.source.text.push('(');
                    continue;
                }
                '{' if classes == 0 && self.counts() => continue,
                _ => {}
            }
            self.copy();
        }
        self.note_place();
    }

    fn note_place(&mut self) {
        let (spelt, written) = (self.offset(), u32::try_from(self.at).unwrap_or(u32::MAX));
        let (last_spelt, last_written) = self.source.places.last().copied().unwrap_or_default();
        if spelt - last_spelt != written - last_written {
            self.source.places.push((spelt, written));
        }
    }

    /// One escape. False when it may be copied as it stands, backslash first.
    fn escape(&mut self, in_class: bool) -> bool {
        let Some(next) = self.peek(1) else { return false };
        match next {
            'k' if !in_class && self.named_reference() => {}
            'k' => self.identity('k'),
            'p' | 'P' if self.unicode && self.peek(2) == Some('{') => self.property(next),
            '1'..='9' if !in_class && self.reference() => {}
            '0'..='7' if !self.unicode => self.octal(),
            '8' | '9' if !self.unicode => self.identity(next),
            'c' => self.control(in_class),
            // An identity escape of half a character.
            '\u{FFFD}' if !self.unicode && is_surrogate(self.units[self.at + 1]) => self.at += 1,
            _ => {
                self.source.text.push('\\');
                self.at += 1;
                self.copy();
            }
        }
        true
    }

    /// `\k<name>`, if there is a group of that name; without `u` it is otherwise no reference.
    fn named_reference(&mut self) -> bool {
        if self.peek(2) != Some('<') {
            return false;
        }
        let (name, length) = name(&self.units[self.at + 3..]);
        let Some(&place) = self.by_name.get(&name) else { return false };
        let first = self.source.names[place].1[0];
        self.source.text.push_str("(?:");
        self.source.references.push((self.offset(), place));
        self.write(format_args!("\\{first})"));
        self.at += 3 + length;
        true
    }

    fn property(&mut self, letter: char) {
        let offset = self.offset();
        let rest = &self.units[self.at + 3..];
        let length = rest.iter().position(|&unit| unit == u16::from(b'}')).unwrap_or(rest.len());
        self.source.properties.push((offset, String::from_utf16_lossy(&rest[..length])));
        self.at += 3 + length + 1;
        self.write(format_args!("\\{letter}{{Any}}"));
    }

    /// A decimal escape, if it is a back-reference: with `u` always, else when there is such a group.
    fn reference(&mut self) -> bool {
        let digits = (1..).map_while(|ahead| self.peek(ahead).filter(char::is_ascii_digit));
        let digits: String = digits.collect();
        let exists = digits.parse::<u32>().is_ok_and(|number| number <= self.groups);
        if !self.unicode && !exists {
            return false;
        }
        self.at += 1 + digits.len();
        self.write(format_args!("\\{digits}"));
        true
    }

    /// Up to three octal digits, of a value below 256.
    fn octal(&mut self) {
        let (mut value, mut digits) = (0, 0);
        while let Some(digit) = self.peek(1 + digits).and_then(|digit| digit.to_digit(8)) {
            (value, digits) = (8 * value + digit, digits + 1);
            if digits == 3 || value >= 32 {
                break;
            }
        }
        self.at += 1 + digits;
        self.hexadecimal(value);
    }

    /// `\c`: a control character, or a backslash before the character c.
    fn control(&mut self, in_class: bool) {
        match self.peek(2) {
            Some(letter)
                if letter.is_ascii_alphabetic() || in_class && (letter.is_ascii_digit() || letter == '_') =>
            {
                self.at += 3;
                self.hexadecimal(u32::from(letter) & 0x1F);
            }
            _ => {
                self.at += 1;
                self.source.text.push_str("\\\\");
            }
        }
    }

    /// Counts in braces, if that is what they are.
    fn counts(&mut self) -> bool {
        let rest = &self.units[self.at + 1..];
        let Some(length) = rest.iter().position(|&unit| unit == u16::from(b'}')) else { return false };
        let inside = String::from_utf16_lossy(&rest[..length]);
        let (min, max) = inside.split_once(',').unwrap_or((&inside, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if min.is_empty() || !is_number(min) || !is_number(max) {
            return false;
        }
        let read = |text: &str| text.parse::<u64>().map_or(LARGEST_COUNT, |count| count.min(LARGEST_COUNT));
        self.write(format_args!("{{{}", read(min)));
        if inside.contains(',') {
            self.source.text.push(',');
        }
        if !max.is_empty() {
            self.write(format_args!("{}", read(max)));
        }
        self.source.text.push('}');
        self.at += 1 + length + 1;
        true
    }

    /// The character that an escape of two units stands for: escaped again, as a digit would join what is before it.
    fn identity(&mut self, character: char) {
        self.hexadecimal(u32::from(character));
        self.at += 2;
    }

    fn copy(&mut self) {
        match char::decode_utf16(self.units[self.at..].iter().copied()).next() {
            Some(Ok(character)) => {
                self.source.text.push(character);
                self.at += character.len_utf16();
            }
            Some(Err(lone)) => {
                let unit = lone.unpaired_surrogate();
                // In braces it does not pair with an escape that follows.
                let (open, close) = if self.unicode { ("{", "}") } else { ("", "") };
                self.write(format_args!("\\u{open}{unit:04x}{close}"));
                self.at += 1;
            }
            None => {}
        }
    }

    /// Where the next character goes.
    fn offset(&self) -> u32 {
        u32::try_from(self.source.text.len()).unwrap_or(u32::MAX)
    }

    fn hexadecimal(&mut self, value: u32) {
        self.write(format_args!("\\x{value:02x}"));
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = self.source.text.write_fmt(text);
    }

    /// The unit so far ahead; half a character reads as U+FFFD.
    fn peek(&self, ahead: usize) -> Option<char> {
        let unit = *self.units.get(self.at + ahead)?;
        Some(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}

/// The units as text, surrogates that are alone as escapes for `v`.
fn escaped(units: &[u16]) -> String {
    let mut text = String::with_capacity(units.len());
    for character in char::decode_utf16(units.iter().copied()) {
        match character {
            Ok(character) => text.push(character),
            Err(lone) => text.push_str(&format!("\\u{{{:x}}}", lone.unpaired_surrogate())),
        }
    }
    text
}

fn is_surrogate(unit: u16) -> bool {
    (0xD800..=0xDFFF).contains(&unit)
}

/// The capturing groups of a pattern.
struct Groups {
    count: u32,
    names: Vec<Name>,
    by_name: HashMap<Vec<u16>, usize>,
}

impl Groups {
    fn of(units: &[u16], nested_classes: bool) -> Groups {
        let mut groups = Groups { count: 0, names: Vec::new(), by_name: HashMap::new() };
        let (mut classes, mut at) = (0usize, 0);
        while at < units.len() {
            match u8::try_from(units[at]).unwrap_or_default() {
                b'\\' => at += 1,
                b'[' if classes == 0 || nested_classes => classes += 1,
                b']' => classes = classes.saturating_sub(1),
                b'(' if classes == 0 && is_named_group(&units[at..]) => {
                    let (name, length) = name(&units[at + 3..]);
                    at += 2 + length;
                    groups.add_named(name);
                }
                b'(' if classes == 0 && units.get(at + 1) != Some(&u16::from(b'?')) => groups.count += 1,
                _ => {}
            }
            at += 1;
        }
        groups
    }

    fn add_named(&mut self, name: Vec<u16>) {
        self.count += 1;
        let place = *self.by_name.entry(name).or_insert_with_key(|name| {
            self.names.push((name.clone(), Vec::new()));
            self.names.len() - 1
        });
        self.names[place].1.push(self.count);
    }
}

/// Whether a named group opens here, and no lookbehind.
fn is_named_group(units: &[u16]) -> bool {
    let Some([first, second, third, fourth]) = units.first_chunk::<4>() else { return false };
    let is = |unit: &u16, character: u8| *unit == u16::from(character);
    is(first, b'(') && is(second, b'?') && is(third, b'<') && !is(fourth, b'=') && !is(fourth, b'!')
}

/// A name up to its `>`, escapes resolved, and how many units it takes with that.
fn name(units: &[u16]) -> (Vec<u16>, usize) {
    let (mut name, mut at) = (Vec::new(), 0);
    while at < units.len() && units[at] != u16::from(b'>') {
        if units[at] != u16::from(b'\\') {
            name.push(units[at]);
            at += 1;
            continue;
        }
        // `\uXXXX` or `\u{X…}`.
        at += 2;
        let braced = units.get(at) == Some(&u16::from(b'{'));
        let digits = if braced { &units[at + 1..] } else { &units[at.min(units.len())..] };
        let length = if braced {
            digits.iter().position(|&unit| unit == u16::from(b'}')).unwrap_or(digits.len())
        } else {
            digits.len().min(4)
        };
        let text = String::from_utf16_lossy(&digits[..length]);
        let value = u32::from_str_radix(&text, 16).unwrap_or_default();
        match char::from_u32(value) {
            Some(character) => name.extend_from_slice(character.encode_utf16(&mut [0; 2])),
            None => name.push(u16::try_from(value).unwrap_or_default()),
        }
        at += length + 2 * usize::from(braced);
    }
    (name, at + 1)
}
