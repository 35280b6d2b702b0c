//! The JSON guard's native side: one function, which scans and builds nothing.

use holdfast_json::{Finding, FindingKind, Options, Policy, Report, Step, scan, scan_bytes};
use napi::Env;
use napi_derive::napi;

use crate::boundary::{Call, Code, Failure, HotFunction, Text, Value, cold, hot_function};

/// The function `(input: string | Uint8Array, isText, maxDepth, policies) => number | number[]`.
///
/// `policies` is the policy for `__proto__` in bits 0 and 1 and for `constructor` in bits 2 and 3: 0 refuse, 1 remove,
/// 2 ignore. The answer for a text that passes: bit 0 it is ASCII, bit 1 there is something to remove. For one that does
/// not: kind, offset, and two numbers a step of the path: -1 and an index, or start and end of a key.
#[napi(catch_unwind)]
pub fn json_scanner(env: Env) -> napi::Result<Value> {
    cold(&env, || hot_function(&env, Scan))
}

struct Scan;

impl HotFunction for Scan {
    const NAME: &'static str = "scan";
    const ARGUMENTS: usize = 4;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let is_text = call.integer(1, 1)? == 1;
        let max_depth = call.integer(2, u32::MAX)? as usize;
        let policies = call.integer(3, 0b1111)?;
        let options =
            Options { max_depth, proto_key: policy(policies & 3)?, constructor_key: policy(policies >> 2)? };
        let result = if is_text {
            call.text(0, |text| {
                Ok(match text {
                    Text::Ascii(bytes) => scan(bytes, &options),
                    Text::Utf16(units) => scan(units, &options),
                })
            })?
        } else {
            call.bytes(0, |bytes| Ok(scan_bytes(bytes, &options)))?
        };
        Ok(match result {
            Ok(Report { ascii, to_remove }) => call.number(i32::from(ascii) | (i32::from(to_remove) << 1)),
            Err(finding) => call.numbers(&describe(&finding)),
        })
    }
}

fn policy(bits: u32) -> Result<Policy, Failure> {
    match bits {
        0 => Ok(Policy::Refuse),
        1 => Ok(Policy::Remove),
        2 => Ok(Policy::Ignore),
        _ => Err(Failure::new(Code::OutOfRange, "there is no such policy")),
    }
}

/// Every number here is an offset into a text that fits in memory: exact as a double.
fn describe(finding: &Finding) -> Vec<f64> {
    let kind = match finding.kind {
        FindingKind::Syntax => 0.0,
        FindingKind::Encoding => 1.0,
        FindingKind::Depth => 2.0,
        FindingKind::ProtoKey => 3.0,
        FindingKind::ConstructorKey => 4.0,
    };
    let steps = finding.path.iter().flat_map(|step| match *step {
        Step::Index(index) => [-1.0, index as f64],
        Step::Key { start, end } => [start as f64, end as f64],
    });
    [kind, finding.offset as f64].into_iter().chain(steps).collect()
}
