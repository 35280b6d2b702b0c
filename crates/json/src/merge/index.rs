//! The patch, indexed: every member of every object that is not inside an array, in the text's order, an object's
//! members right after itself. Keys of large objects are found through a hash table with a random key, so that nobody
//! can choose keys that collide; those of small ones by looking at each.

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
    /// Of an object: one of the members in it, at any depth, is null.
    pub(super) has_null: bool,
    /// Of an object: [`Index::prepare`] has seen it.
    is_prepared: bool,
    /// Of an object: how many members it has.
    count: u32,
    pub(super) value: Span,
    /// The member after this one's value, in the same object if there is one.
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
    /// For all objects with many members: linear probing.
    slots: Vec<u32>,
    random: RandomState,
}

impl<'a, U: TextUnit> Index<'a, U> {
    pub(super) fn of(text: &'a [U]) -> Self {
        let mut index = Index {
            text,
            members: Vec::with_capacity(text.len() / 32 + 1),
            unescaped: Vec::new(),
            slots: Vec::new(),
            random: RandomState::new(),
        };
        index.read();
        index
    }

    fn read(&mut self) {
        let text = self.text;
        let start = whitespace_end(text, U::byte_order_mark(text));
        let none = Span::new(0, 0);
        let (mut at, is_open) = self.value(none, none, false, start);
        let mut open = Vec::new();
        if is_open {
            open.push(ROOT);
        }
        while let Some(&object) = open.last() {
            at = whitespace_end(text, at);
            match code(text, at) {
                QUOTE => {
                    let (end, escaped) = string_end(text, at);
                    let name = self.name(at + 1, end - 1, escaped);
                    let colon = whitespace_end(text, end);
                    let start = whitespace_end(text, colon + usize::from(code(text, colon) == COLON));
                    self.members[object as usize].count += 1;
                    let member = self.members.len() as u32;
                    let is_open;
                    (at, is_open) = self.value(Span::new(at, end), name, escaped, start);
                    if is_open {
                        open.push(member);
                    }
                    if self.members[member as usize].kind == Kind::Null {
                        self.members[object as usize].has_null = true;
                    }
                }
                COMMA => at += 1,
                unit => {
                    // Its end, or the end of a text that is not well-formed.
                    at = (at + usize::from(unit == CLOSE_OBJECT)).min(text.len());
                    open.pop();
                    let next = self.members.len() as u32;
                    let closed = &mut self.members[object as usize];
                    closed.value.end = at as u32;
                    closed.next = next;
                    if let (true, Some(&outer)) = (closed.has_null, open.last()) {
                        self.members[outer as usize].has_null = true;
                    }
                }
            }
        }
    }

    /// Adds a member whose value is at `start`; where to go on, and whether that is inside an object.
    fn value(&mut self, key: Span, name: Span, is_unescaped: bool, start: usize) -> (usize, bool) {
        let kind = match code(self.text, start) {
            OPEN_OBJECT => Kind::Object,
            OPEN_ARRAY => Kind::Array,
            0x6E => Kind::Null,
            _ => Kind::Other,
        };
        let is_open = kind == Kind::Object;
        let end = if is_open { start + 1 } else { value_end(self.text, start) };
        let place = self.members.len() as u32;
        self.members.push(Member {
            key,
            name,
            is_unescaped,
            kind,
            has_null: false,
            is_prepared: false,
            count: 0,
            value: Span::new(start, end),
            next: place + 1,
            last: place,
            met: (u32::MAX, 0),
        });
        (end, is_open)
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

    /// The places of an object's members.
    pub(super) fn inside(&self, object: u32) -> Range<u32> {
        object + 1..self.member(object).next
    }

    /// Whose value counts, for a key's first member; nothing for a later one with the same key. The object is prepared.
    pub(super) fn winner(&self, member: u32) -> Option<u32> {
        let last = self.member(member).last;
        (last != REPEATED).then_some(last)
    }

    /// The first member of `object` whose key is `name`; `likely` is tried before the others. The object is prepared.
    #[inline]
    pub(super) fn find(&self, object: u32, name: &[U], likely: u32) -> Option<u32> {
        if likely < self.member(object).next && self.name_of(likely) == name && self.winner(likely).is_some()
        {
            return Some(likely);
        }
        self.search(object, name)
    }

    fn search(&self, object: u32, name: &[U]) -> Option<u32> {
        if self.member(object).count > FEW {
            let slot = self.slot(object, name);
            return (self.slots[slot] != 0).then_some(self.slots[slot]);
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

    /// Finds out which keys of an object are there more than once, and makes it fast to look in. Once for each object.
    #[inline]
    pub(super) fn prepare(&mut self, object: u32) {
        if !std::mem::replace(&mut self.members[object as usize].is_prepared, true) {
            self.note_repetitions(object);
        }
    }

    fn note_repetitions(&mut self, object: u32) {
        let many = self.member(object).count > FEW;
        if many && self.slots.is_empty() {
            // Room for all of them, more than half of it empty. Slot value 0 is the root, which is in no object.
            self.slots = vec![0; (2 * self.members.len()).next_power_of_two()];
        }
        let Range { start: mut member, end } = self.inside(object);
        while member < end {
            let first = if many {
                let slot = self.slot(object, self.name_of(member));
                let found = self.slots[slot];
                if found == 0 {
                    self.slots[slot] = member;
                }
                if found == 0 { member } else { found }
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
    }

    /// Where in the table the key is, or belongs.
    fn slot(&self, object: u32, name: &[U]) -> usize {
        let last = self.slots.len() - 1;
        let mut slot = self.random.hash_one((object, name)) as usize & last;
        loop {
            let member = self.slots[slot];
            if member == 0 || (self.inside(object).contains(&member) && self.name_of(member) == name) {
                return slot;
            }
            slot = (slot + 1) & last;
        }
    }

    fn name_of(&self, member: u32) -> &[U] {
        let Member { name, is_unescaped, .. } = self.member(member);
        name.of(if *is_unescaped { &self.unescaped } else { self.text })
    }
}
