//! The patch, indexed: the members of its objects, in the text's order, an object's members right after itself. The
//! objects in the root are left for later: each is read, with all that is in it, when the target turns out to have it
//! too, and its members stand together further on.
//!
//! Keys of large objects are found through a hash table with a random key, so that nobody can choose keys that collide;
//! those of small ones by looking at each.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::ops::Range;

use super::TextUnit;
use super::name::unescape_into;
use super::skip::{
    CLOSE_OBJECT, COLON, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE, code, string_end, value_end, whitespace_end,
};

/// The root, as a member of nothing.
pub(super) const ROOT: u32 = 0;

/// In [`Member::last`]: an earlier member has the same key.
const REPEATED: u32 = u32::MAX;

/// In a table: an empty slot. The root is in no object.
const FREE: u32 = ROOT;

/// Objects with at most this many members are looked through.
const FEW: u32 = 12;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    Null,
    Other,
}

/// A stretch of a text.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Span {
        // Texts are shorter than 2³¹ units; a malformed one may be stepped over by a few.
        Span { start: start as u32, end: end as u32 }
    }

    pub(super) fn of<U>(self, text: &[U]) -> &[U] {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

pub(super) struct Member {
    /// With its quotes.
    pub(super) key: Span,
    /// The key without quotes and escapes: a stretch of the text, or of [`Index::unescaped`].
    name: Span,
    is_unescaped: bool,
    pub(super) kind: Kind,
    /// Of an object that has been read: one of the members in it, at any depth, is null.
    pub(super) has_null: bool,
    /// Of an object: [`Index::prepare`] has seen it.
    is_prepared: bool,
    /// Of an object that has been read: how many members it has, and where they and those in them are.
    count: u32,
    inside: (u32, u32),
    /// Of an object with many members: its table.
    table: u32,
    pub(super) value: Span,
    /// The member after this one, in the same object if there is one.
    pub(super) next: u32,
    /// The last member of the same object with the same key, whose value is the one that counts.
    last: u32,
    /// The target object that had this key most recently, and the edit made of it.
    pub(super) met: (u32, u32),
}

pub(super) struct Index<'a, U> {
    pub(super) text: &'a [U],
    pub(super) members: Vec<Member>,
    unescaped: Vec<U>,
    /// For objects with many members: linear probing, half of the slots free at least.
    tables: Vec<Vec<u32>>,
    random: RandomState,
    /// Objects being read: none, but the memory is used again.
    open: Vec<u32>,
}

impl<'a, U: TextUnit> Index<'a, U> {
    /// `at_once`: nothing is left for later.
    pub(super) fn of(text: &'a [U], at_once: bool) -> Self {
        let mut index = Index {
            text,
            members: Vec::with_capacity(text.len() / 32 + 1),
            unescaped: Vec::new(),
            tables: Vec::new(),
            random: RandomState::new(),
            open: Vec::new(),
        };
        let none = Span::new(0, 0);
        index.value(none, none, false, whitespace_end(text, U::byte_order_mark(text)), true);
        if index.member(ROOT).kind == Kind::Object {
            index.read(ROOT, at_once);
        }
        index
    }

    /// Reads the members of an object, and those in them unless they are left for later.
    fn read(&mut self, object: u32, at_once: bool) {
        let text = self.text;
        self.members[object as usize].inside.0 = self.members.len() as u32;
        let mut at = self.member(object).value.start as usize + 1;
        let mut open = std::mem::take(&mut self.open);
        open.push(object);
        while let Some(&object) = open.last() {
            at = whitespace_end(text, at);
            match code(text, at) {
                QUOTE => {
                    let (end, escaped) = string_end(text, at);
                    let name = self.name(at + 1, end - 1, escaped);
                    let colon = whitespace_end(text, end);
                    let start = whitespace_end(text, colon + usize::from(code(text, colon) == COLON));
                    let place = self.members.len() as u32;
                    self.value(Span::new(at, end), name, escaped, start, at_once);
                    let Member { kind, value, .. } = *self.member(place);
                    at = value.end as usize;
                    if kind == Kind::Object && at_once {
                        self.members[place as usize].inside.0 = place + 1;
                        open.push(place);
                    }
                    let holder = &mut self.members[object as usize];
                    holder.count += 1;
                    holder.has_null |= kind == Kind::Null;
                }
                COMMA => at += 1,
                unit => {
                    // Its end, or the end of a text that is not well-formed.
                    at = (at + usize::from(unit == CLOSE_OBJECT)).min(text.len());
                    open.pop();
                    let end = self.members.len() as u32;
                    let closed = &mut self.members[object as usize];
                    closed.value.end = at as u32;
                    closed.inside.1 = end;
                    if let Some(&outer) = open.last() {
                        closed.next = end;
                        let has_null = closed.has_null;
                        self.members[outer as usize].has_null |= has_null;
                    }
                }
            }
        }
        self.open = open;
    }

    /// Adds a member whose value is at `start`. Of an object that is going to be read, only the bracket.
    fn value(&mut self, key: Span, name: Span, is_unescaped: bool, start: usize, reads: bool) {
        let kind = match code(self.text, start) {
            OPEN_OBJECT => Kind::Object,
            OPEN_ARRAY => Kind::Array,
            0x6E => Kind::Null,
            _ => Kind::Other,
        };
        let end = if kind == Kind::Object && reads { start + 1 } else { value_end(self.text, start) };
        let place = self.members.len() as u32;
        self.members.push(Member {
            key,
            name,
            is_unescaped,
            kind,
            has_null: false,
            is_prepared: false,
            count: 0,
            inside: (0, 0),
            table: 0,
            value: Span::new(start, end),
            next: place + 1,
            last: place,
            met: (u32::MAX, 0),
        });
    }

    fn name(&mut self, start: usize, end: usize, escaped: bool) -> Span {
        if !escaped {
            return Span::new(start, end);
        }
        let from = self.unescaped.len();
        unescape_into(Span::new(start, end).of(self.text), &mut self.unescaped);
        Span::new(from, self.unescaped.len())
    }

    pub(super) fn member(&self, member: u32) -> &Member {
        &self.members[member as usize]
    }

    /// The places of a prepared object's members.
    pub(super) fn inside(&self, object: u32) -> Range<u32> {
        let (start, end) = self.member(object).inside;
        start..end
    }

    /// Whose value counts, for a key's first member; nothing for a later one with the same key. The object is prepared.
    pub(super) fn winner(&self, member: u32) -> Option<u32> {
        let last = self.member(member).last;
        (last != REPEATED).then_some(last)
    }

    /// The first member of `object` whose key is `name`; `likely` is tried before the others. The object is prepared.
    #[inline]
    pub(super) fn find(&self, object: u32, name: &[U], likely: u32) -> Option<u32> {
        if likely < self.member(object).inside.1
            && self.name_of(likely) == name
            && self.winner(likely).is_some()
        {
            return Some(likely);
        }
        self.search(object, name)
    }

    fn search(&self, object: u32, name: &[U]) -> Option<u32> {
        let Member { count, table, .. } = *self.member(object);
        if count > FEW {
            let table = &self.tables[table as usize];
            let member = table[self.slot(table, name)];
            return (member != FREE).then_some(member);
        }
        let Range { start: mut member, end } = self.inside(object);
        while member < end {
            if self.name_of(member) == name {
                return Some(member);
            }
            member = self.member(member).next;
        }
        None
    }

    /// Reads an object that was left for later, and finds out which of its keys are there more than once. Once for each
    /// object.
    #[inline]
    pub(super) fn prepare(&mut self, object: u32) {
        if !std::mem::replace(&mut self.members[object as usize].is_prepared, true) {
            if self.member(object).inside.0 == 0 {
                self.read(object, true);
            }
            self.note_repetitions(object);
        }
    }

    fn note_repetitions(&mut self, object: u32) {
        let count = self.member(object).count;
        let many = count > FEW;
        let mut table = if many { vec![FREE; (2 * count as usize).next_power_of_two()] } else { Vec::new() };
        let Range { start: mut member, end } = self.inside(object);
        while member < end {
            let first = if many {
                let slot = self.slot(&table, self.name_of(member));
                if table[slot] == FREE {
                    table[slot] = member;
                }
                table[slot]
            } else {
                // Itself at the latest.
                self.search(object, self.name_of(member)).unwrap_or(member)
            };
            if first != member {
                self.members[first as usize].last = member;
                self.members[member as usize].last = REPEATED;
            }
            member = self.member(member).next;
        }
        if many {
            self.members[object as usize].table = self.tables.len() as u32;
            self.tables.push(table);
        }
    }

    /// Where in the table the key is, or belongs.
    fn slot(&self, table: &[u32], name: &[U]) -> usize {
        let last = table.len() - 1;
        let mut slot = self.random.hash_one(name) as usize & last;
        while table[slot] != FREE && self.name_of(table[slot]) != name {
            slot = (slot + 1) & last;
        }
        slot
    }

    fn name_of(&self, member: u32) -> &[U] {
        let Member { name, is_unescaped, .. } = self.member(member);
        name.of(if *is_unescaped { &self.unescaped } else { self.text })
    }
}
