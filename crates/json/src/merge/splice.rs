//! The result, written in pieces: the target's text between the edits, and what the patch puts in their place.

use super::edits::Edit;
use super::index::{Index, Kind, Span};
use super::skip::{OPEN_ARRAY, code};
use super::{Mode, TextUnit};

/// In [`Members::unmet_by`]: all members.
const NOBODY: u32 = u32::MAX;

/// What is still to be written, innermost last.
enum Task {
    Target(Stretch),
    Members(Members),
}

/// Target text, with its edits.
struct Stretch {
    text: Span,
    edit: u32,
    end: u32,
}

/// Members of the patch, with their keys.
struct Members {
    member: u32,
    end: u32,
    /// Only those whose keys this target object does not have.
    unmet_by: u32,
    /// There is a member before.
    follows: bool,
    /// They are a whole object.
    closes: bool,
}

pub(super) struct Splice<'a, 'p, U, W> {
    target: &'a [U],
    patch: &'p mut Index<'a, U>,
    edits: &'p [Edit],
    mode: Mode,
    tasks: Vec<Task>,
    write: W,
}

impl<'a, 'p, U: TextUnit, W: FnMut(&[U])> Splice<'a, 'p, U, W> {
    pub(super) fn new(
        target: &'a [U],
        patch: &'p mut Index<'a, U>,
        edits: &'p [Edit],
        mode: Mode,
        write: W,
    ) -> Self {
        Splice { target, patch, edits, mode, tasks: Vec::new(), write }
    }

    pub(super) fn run(mut self) {
        let text = Span::new(U::byte_order_mark(self.target), self.target.len());
        self.tasks.push(Task::Target(Stretch { text, edit: 0, end: self.edits.len() as u32 }));
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Target(stretch) => self.stretch(stretch),
                Task::Members(members) => self.members(members),
            }
        }
    }

    /// Up to the first edit that takes a task of its own.
    fn stretch(&mut self, mut stretch: Stretch) {
        let edits = self.edits;
        while stretch.edit < stretch.end {
            let Some(edit) = edits.get(stretch.edit as usize) else { break };
            stretch.edit += 1;
            match *edit {
                Edit::Repeated { next, .. } => stretch.edit = next,
                Edit::Cut(cut) => self.target_to(&mut stretch, cut),
                Edit::Value { value, next, last, .. } => {
                    self.target_to(&mut stretch, value);
                    stretch.edit = next;
                    if let Some(inside) = self.value(last) {
                        self.tasks.extend([Task::Target(stretch), inside]);
                        return;
                    }
                }
                Edit::Insert { object, visit, at, follows } => {
                    self.target_to(&mut stretch, Span { start: at, end: at });
                    let inside = self.patch.inside(object);
                    let members = Members {
                        member: inside.start,
                        end: inside.end,
                        unmet_by: visit,
                        follows,
                        closes: false,
                    };
                    self.tasks.extend([Task::Target(stretch), Task::Members(members)]);
                    return;
                }
            }
        }
        (self.write)(stretch.text.of(self.target));
    }

    /// Writes the target up to `edited` and goes on after it.
    fn target_to(&mut self, stretch: &mut Stretch, edited: Span) {
        (self.write)(Span { start: stretch.text.start, end: edited.start }.of(self.target));
        stretch.text.start = edited.end;
    }

    /// Writes what becomes of the target's value at `edit`, or says what there is to do for it.
    fn value(&mut self, edit: u32) -> Option<Task> {
        let (Edit::Value { member, value, next, .. } | Edit::Repeated { member, value, next }) =
            self.edits.get(edit as usize)?
        else {
            return None;
        };
        if *next > edit + 1 {
            return Some(Task::Target(Stretch { text: *value, edit: edit + 1, end: *next }));
        }
        if self.mode == Mode::DeepConcat
            && self.patch.member(*member).kind == Kind::Array
            && code(self.target, value.start as usize) == OPEN_ARRAY
        {
            self.concat(*value, self.patch.member(*member).value);
            return None;
        }
        self.patch_value(*member)
    }

    fn concat(&mut self, first: Span, second: Span) {
        let second = second.of(self.patch.text);
        match (elements_end(first.of(self.target)), elements_end(second)) {
            (None, _) => (self.write)(second),
            (_, None) => (self.write)(first.of(self.target)),
            (Some(end), _) => {
                (self.write)(first.of(self.target).get(..end).unwrap_or_default());
                (self.write)(&[U::ascii(b',')]);
                (self.write)(second.get(1..).unwrap_or_default());
            }
        }
    }

    /// Writes the value of a member of the patch, for which the target has nothing that counts, or says what there is
    /// left to write of it.
    fn patch_value(&mut self, member: u32) -> Option<Task> {
        if self.is_verbatim(member) {
            (self.write)(self.patch.member(member).value.of(self.patch.text));
            return None;
        }
        self.patch.prepare(member);
        let inside = self.patch.inside(member);
        (self.write)(&[U::ascii(b'{')]);
        Some(Task::Members(Members {
            member: inside.start,
            end: inside.end,
            unmet_by: NOBODY,
            follows: false,
            closes: true,
        }))
    }

    /// RFC 7396 applies an object to an empty one, which leaves its nulls out.
    fn is_verbatim(&self, member: u32) -> bool {
        self.mode != Mode::Patch || !self.patch.member(member).has_null
    }

    /// Up to the first member whose value takes a task of its own.
    fn members(&mut self, mut members: Members) {
        while members.member < members.end {
            let first = members.member;
            let member = self.patch.member(first);
            members.member = member.next;
            let Some(winner) = self.patch.winner(first) else { continue };
            let value = self.patch.member(winner);
            if member.met.0 == members.unmet_by && members.unmet_by != NOBODY
                || self.mode == Mode::Patch && value.kind == Kind::Null
            {
                continue;
            }
            if std::mem::replace(&mut members.follows, true) {
                (self.write)(&[U::ascii(b',')]);
            }
            if winner == first && self.is_verbatim(first) {
                (self.write)(Span { start: member.key.start, end: member.value.end }.of(self.patch.text));
                continue;
            }
            (self.write)(member.key.of(self.patch.text));
            (self.write)(&[U::ascii(b':')]);
            if let Some(inside) = self.patch_value(winner) {
                self.tasks.extend([Task::Members(members), inside]);
                return;
            }
        }
        if members.closes {
            (self.write)(&[U::ascii(b'}')]);
        }
    }
}

/// Where in the text of an array its last element ends; nothing for an empty one.
fn elements_end<U: TextUnit>(array: &[U]) -> Option<usize> {
    let inside = array.get(..array.len().saturating_sub(1)).unwrap_or_default();
    let last = inside.iter().rposition(|unit| !matches!(unit.code(), 0x20 | 0x0A | 0x0D | 0x09))?;
    (last > 0).then_some(last + 1)
}
