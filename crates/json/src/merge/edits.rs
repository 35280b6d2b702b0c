//! The target, walked once: what to do to it, in the order of its text. Only objects that the patch has too are walked
//! member by member; everything else is skipped.

use super::index::{Index, Kind, ROOT, Span};
use super::name::unescape_into;
use super::skip::{
    CLOSE_OBJECT, COLON, COMMA, OPEN_OBJECT, QUOTE, code, string_end, value_end, whitespace_end,
};
use super::{Mode, TextUnit};

/// One change of the target's text.
pub(super) enum Edit {
    /// A value that the patch has something to say about.
    Value {
        /// Of the patch: what it says.
        member: u32,
        /// Of the target: what there is.
        value: Span,
        /// Both are objects: the edits from the one after this to `next` are those inside.
        next: u32,
        /// The edit for the last member with this key, whose value counts; usually this one.
        last: u32,
    },
    /// A value whose member is cut away, because one before has the same key. Says what stands there instead.
    Repeated { member: u32, value: Span, next: u32 },
    /// What is left out.
    Cut(Span),
    /// At the end of an object's members: those that only the patch has.
    Insert {
        /// Of the patch: the object.
        object: u32,
        /// The target object, as in [`super::index::Member::met`].
        visit: u32,
        at: u32,
        /// There is a member before.
        follows: bool,
    },
}

/// An object that both texts have, being walked.
struct Frame {
    /// In the patch.
    object: u32,
    visit: u32,
    /// The edit for this value.
    edit: usize,
    /// After the last value, or the opening bracket.
    end: usize,
    /// A member has been kept.
    kept: bool,
    /// The edit that cuts the last member with nothing kept before it: the comma after it goes too.
    leading_cut: Option<usize>,
    /// The patch's member after the one found last: texts of one origin have their keys in one order.
    likely: u32,
}

pub(super) struct Walk<'a, 'p, U> {
    text: &'a [U],
    patch: &'p mut Index<'a, U>,
    mode: Mode,
    at: usize,
    edits: Vec<Edit>,
    frames: Vec<Frame>,
    visits: u32,
    /// A key without its escapes.
    name: Vec<U>,
}

impl<'a, 'p, U: TextUnit> Walk<'a, 'p, U> {
    pub(super) fn new(text: &'a [U], patch: &'p mut Index<'a, U>, mode: Mode) -> Self {
        let at = whitespace_end(text, U::byte_order_mark(text));
        Walk { text, patch, mode, at, edits: Vec::new(), frames: Vec::new(), visits: 0, name: Vec::new() }
    }

    pub(super) fn run(mut self) -> Vec<Edit> {
        self.value(ROOT, |member, value, edit| Edit::Value { member, value, next: edit + 1, last: edit });
        while let Some(frame) = self.frames.last_mut() {
            self.at = whitespace_end(self.text, self.at);
            match code(self.text, self.at) {
                QUOTE => self.member(),
                COMMA => {
                    self.at += 1;
                    if let Some(Edit::Cut(cut)) = frame.leading_cut.take().map(|cut| &mut self.edits[cut]) {
                        cut.end = self.at as u32;
                    }
                }
                unit => {
                    // Its end, or the end of a text that is not well-formed.
                    self.at = (self.at + usize::from(unit == CLOSE_OBJECT)).min(self.text.len());
                    self.close();
                }
            }
        }
        self.edits
    }

    fn member(&mut self) {
        let start = self.at;
        let (key_end, escaped) = string_end(self.text, start);
        let colon = whitespace_end(self.text, key_end);
        self.at = whitespace_end(self.text, colon + usize::from(code(self.text, colon) == COLON));

        let mut name = Span::new(start + 1, key_end - 1).of(self.text);
        if escaped {
            self.name.clear();
            unescape_into(name, &mut self.name);
            name = &self.name;
        }
        let Some(frame) = self.frames.last_mut() else { return };
        let found = self.patch.find(frame.object, name, frame.likely);
        let Some((first, member)) = found.and_then(|first| Some((first, self.patch.winner(first)?))) else {
            self.at = value_end(self.text, self.at);
            frame.end = self.at;
            frame.kept = true;
            return;
        };

        frame.likely = self.patch.member(first).next;
        let met = self.patch.member(first).met;
        if self.mode == Mode::Patch && self.patch.member(member).kind == Kind::Null {
            self.at = value_end(self.text, self.at);
            if !frame.kept {
                frame.leading_cut = Some(self.edits.len());
            }
            let from = if frame.kept { frame.end } else { start };
            frame.end = self.at;
            self.edits.push(Edit::Cut(Span::new(from, self.at)));
        } else if met.0 == frame.visit {
            // The cut's end is known when the value's is.
            self.edits.push(Edit::Cut(Span::new(frame.end, self.at)));
            let after_cut = self.edits.len() as u32;
            if let Some(Edit::Value { last, .. }) = self.edits.get_mut(met.1 as usize) {
                *last = after_cut;
            }
            self.value(member, |member, value, edit| Edit::Repeated { member, value, next: edit + 1 });
        } else {
            self.patch.members[first as usize].met = (frame.visit, self.edits.len() as u32);
            frame.kept = true;
            self.value(member, |member, value, edit| Edit::Value {
                member,
                value,
                next: edit + 1,
                last: edit,
            });
        }
    }

    /// The value at hand, for which the patch has `member`: entered when both are objects, else skipped.
    fn value(&mut self, member: u32, edit_of: impl FnOnce(u32, Span, u32) -> Edit) {
        let edit = self.edits.len();
        let start = self.at;
        let enter = code(self.text, start) == OPEN_OBJECT && self.patch.member(member).kind == Kind::Object;
        self.at = if enter { start + 1 } else { value_end(self.text, start) };
        self.edits.push(edit_of(member, Span::new(start, self.at), edit as u32));
        if enter {
            self.patch.prepare(member);
            self.frames.push(Frame {
                object: member,
                visit: self.visits,
                edit,
                end: self.at,
                kept: false,
                leading_cut: None,
                likely: self.patch.inside(member).start,
            });
            self.visits += 1;
        } else {
            self.ended(edit);
        }
    }

    fn close(&mut self) {
        let Some(Frame { object, visit, edit, end, kept, .. }) = self.frames.pop() else { return };
        self.edits.push(Edit::Insert { object, visit, at: end as u32, follows: kept });
        let edits = self.edits.len() as u32;
        if let Some(Edit::Value { value, next, .. } | Edit::Repeated { value, next, .. }) =
            self.edits.get_mut(edit)
        {
            value.end = self.at as u32;
            *next = edits;
        }
        self.ended(edit);
    }

    /// The value of `edit` ends here.
    fn ended(&mut self, edit: usize) {
        if let [.., Edit::Cut(cut), Edit::Repeated { .. }] = &mut self.edits[..=edit] {
            cut.end = self.at as u32;
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.end = self.at;
        }
    }
}
