//! The JSON guard's native side: a guard for a set of options, which looks at texts and builds nothing.

use std::rc::Rc;

use holdfast_json::{Finding, FindingKind, Guard, Limits, Options, Policy, Report, Step, Trust};
use napi::Env;
use napi_derive::napi;

use crate::boundary::{
    Call, Characters, Code, Failure, HotFunction, Integers, Value, array, cold, hot_function,
};

/// Findings that a list holds at most, before the one that ends the scan.
const MOST_FINDINGS: usize = 100;

/// The functions for a set of options, in an array: `(text: string, isLatin1?: boolean)`, `(bytes: Uint8Array)` and
/// `(input, isText: 0 | 1, question: 0 | 1)`, all with the result `number | number[]`; that for bytes answers with their text
/// where it passes, is ASCII and not long.
///
/// `policies` holds two bits each for `__proto__`, `constructor` and operator keys: 0 refuse, 1 remove, 2 ignore; then one
/// bit for duplicates and one for lossy numbers, which are refused. `limits` are depth, keys, key length, string length and
/// array length, infinite where there is none. `forbidden` are code units.
///
/// The first two, which are hot, say whether a text is clean, if it is JSON; the third says to question 0 whether it is JSON
/// and clean, and to 1 what there is to find. The answer for a text that passes is a number, with bit 0 when it is ASCII, or 2
/// for memory that is shared, which is not looked at; or, where members are to be removed, `[-1, start, end, …]` of what to
/// cut out. For one that does not pass it is one finding. To question 1 it is all findings. A finding is its kind, its offset,
/// the number of steps of its path, and two numbers a step: -1 and an index, or start and end of a key.
#[napi(catch_unwind)]
pub fn json_guard(
    env: Env,
    policies: f64,
    limits: Vec<f64>,
    forbidden: Vec<Vec<u32>>,
) -> napi::Result<Value> {
    cold(&env, || {
        let policies = Integers::integer(policies, "policies", 0..=0xFF)?;
        let options = Options {
            proto_key: policy(policies)?,
            constructor_key: policy(policies >> 2)?,
            operator_keys: policy(policies >> 4)?,
            forbidden: forbidden.iter().map(|name| name.iter().map(|&unit| unit as u16).collect()).collect(),
            refuse_duplicates: policies & 1 << 6 != 0,
            refuse_lossy: policies & 1 << 7 != 0,
            limits: limits_of(&limits),
        };
        let guard = Rc::new(Guard::new(options));
        let functions = [
            hot_function(&env, Text(guard.clone()))?,
            hot_function(&env, Bytes(guard.clone()))?,
            hot_function(&env, Question(guard))?,
        ];
        Ok(array(&env, &functions))
    })
}

/// Depth, keys, key length, string length and array length. No text is as long as the largest limit that has to be exact.
pub(crate) fn limits_of(limits: &[f64]) -> Limits {
    let limit = |index: usize| match limits.get(index) {
        Some(&limit) if limit < f64::from(u32::MAX) => limit as usize,
        _ => usize::MAX,
    };
    Limits {
        depth: limit(0),
        keys: limit(1),
        key_length: limit(2),
        string_length: limit(3),
        array_length: limit(4),
    }
}

struct Text(Rc<Guard>);
struct Bytes(Rc<Guard>);
struct Question(Rc<Guard>);

const SHARED: i32 = 2;

/// Up to here the string is made in the same call, which is quicker than another call for it. Node makes those of more than
/// a million characters without copying them into V8's heap; measured, the ways cross at half of that.
const MOST_COPIED: usize = 1 << 19;

impl HotFunction for Text {
    const NAME: &'static str = "guardText";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        call.known_characters(0, 1, |text| Ok(answer(call, check_text(&self.0, text, Trust::Parser))))
    }
}

impl HotFunction for Bytes {
    const NAME: &'static str = "guardBytes";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let answer = call.private_bytes(0, |bytes| match self.0.check_bytes(bytes, Trust::Parser) {
            Ok(Report { ascii: true, cuts }) if cuts.is_empty() && bytes.len() <= MOST_COPIED => {
                call.string(Characters::Latin1(bytes))
            }
            result => Ok(answer(call, result)),
        })?;
        Ok(answer.unwrap_or_else(|| call.number(SHARED)))
    }
}

impl HotFunction for Question {
    const NAME: &'static str = "guard";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let guard = &*self.0;
        let is_text = call.integer(1, 1)? == 1;
        let lists = call.integer(2, 1)? == 1;
        if is_text {
            return call.characters(0, |text| {
                Ok(match (lists, text) {
                    (false, text) => answer(call, check_text(guard, text, Trust::Nothing)),
                    (true, Characters::Latin1(text)) => list(call, &guard.list_latin1(text, MOST_FINDINGS)),
                    (true, Characters::Utf16(text)) => list(call, &guard.list_units(text, MOST_FINDINGS)),
                })
            });
        }
        let result = call.private_bytes(0, |bytes| {
            Ok(if lists {
                list(call, &guard.list_bytes(bytes, MOST_FINDINGS))
            } else {
                answer(call, guard.check_bytes(bytes, Trust::Nothing))
            })
        })?;
        Ok(result.unwrap_or_else(|| call.number(SHARED)))
    }
}

#[inline]
fn check_text(guard: &Guard, text: Characters<'_>, trust: Trust) -> Result<Report, Finding> {
    match text {
        Characters::Latin1(text) => guard.check_latin1(text, trust),
        Characters::Utf16(text) => guard.check_units(text, trust),
    }
}

#[inline]
fn answer(call: &Call, result: Result<Report, Finding>) -> Value {
    match result {
        Ok(Report { ascii, cuts }) if cuts.is_empty() => call.number(i32::from(ascii)),
        Ok(Report { cuts, .. }) => {
            let ends = cuts.iter().flat_map(|&(start, end)| [start as f64, end as f64]);
            call.numbers(&std::iter::once(-1.0).chain(ends).collect::<Vec<_>>())
        }
        Err(finding) => list(call, std::slice::from_ref(&finding)),
    }
}

fn list(call: &Call, findings: &[Finding]) -> Value {
    call.numbers(&findings.iter().flat_map(describe).collect::<Vec<_>>())
}

fn policy(bits: u32) -> Result<Policy, Failure> {
    match bits & 3 {
        0 => Ok(Policy::Refuse),
        1 => Ok(Policy::Remove),
        2 => Ok(Policy::Ignore),
        _ => Err(Failure::new(Code::OutOfRange, "there is no such policy")),
    }
}

/// Every number here is an offset into a text that fits in memory: exact as a double.
pub(crate) fn describe(finding: &Finding) -> impl Iterator<Item = f64> {
    let steps = finding.path.iter().flat_map(|step| match *step {
        Step::Index(index) => [-1.0, index as f64],
        Step::Key { start, end } => [start as f64, end as f64],
    });
    [kind(finding.kind), finding.offset as f64, finding.path.len() as f64].into_iter().chain(steps)
}

/// The place in the JavaScript side's list of kinds.
fn kind(kind: FindingKind) -> f64 {
    match kind {
        FindingKind::Syntax => 0.0,
        FindingKind::Encoding => 1.0,
        FindingKind::Depth => 2.0,
        FindingKind::ProtoKey => 3.0,
        FindingKind::ConstructorKey => 4.0,
        FindingKind::ForbiddenKey => 5.0,
        FindingKind::OperatorKey => 6.0,
        FindingKind::DuplicateKey => 7.0,
        FindingKind::Number => 8.0,
        FindingKind::Keys => 9.0,
        FindingKind::KeyLength => 10.0,
        FindingKind::StringLength => 11.0,
        FindingKind::ArrayLength => 12.0,
    }
}
