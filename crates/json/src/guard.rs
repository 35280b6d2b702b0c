//! The guard: the fast pass, and where that suspects something, the exact scan.

use crate::exact::scan_from;
use crate::finding::{Finding, FindingKind, Report};
use crate::options::Options;
use crate::sieve::{Checks, Trust, Verdict, folded, sieve};
use crate::unit::Unit;

/// Options, made ready once for many texts.
#[derive(Debug)]
pub struct Guard {
    options: Options,
    checks: Checks,
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

impl Guard {
    /// A guard that checks what `options` say.
    pub fn new(options: Options) -> Guard {
        let checks = Checks::new(&options);
        Guard { options, checks }
    }

    /// Checks bytes, with or without a byte order mark: UTF-8, JSON, and whatever the options say. Malformed text and limits
    /// come first, then what stands first in the text.
    pub fn check_bytes(&self, bytes: &[u8], trust: Trust) -> Result<Report, Finding> {
        let start = after_mark(bytes);
        match self.sieve(&bytes[start..], trust) {
            Verdict::Clean { ascii: true } => Ok(Report { ascii: start == 0, cuts: Vec::new() }),
            Verdict::Clean { ascii: false } => {
                check_encoding(bytes)?;
                Ok(Report::default())
            }
            Verdict::Suspicious => {
                check_encoding(bytes)?;
                first(scan_from(bytes, start, &self.options, 1))
            }
        }
    }

    /// Checks a string that is Latin-1, as a string: a byte order mark would be a syntax error, as it is to `JSON.parse`.
    pub fn check_latin1(&self, text: &[u8], trust: Trust) -> Result<Report, Finding> {
        match self.sieve(text, trust) {
            Verdict::Clean { ascii } => Ok(Report { ascii, cuts: Vec::new() }),
            Verdict::Suspicious => first(self.scan_latin1(text, 1)),
        }
    }

    /// Checks a string of any characters. Lone surrogates are as good as any others in JSON's strings.
    pub fn check_units(&self, text: &[u16], trust: Trust) -> Result<Report, Finding> {
        match self.sieve(&folded(text), trust) {
            Verdict::Clean { ascii } => Ok(Report { ascii, cuts: Vec::new() }),
            Verdict::Suspicious => first(scan_from(text, 0, &self.options, 1)),
        }
    }

    /// What there is to find in bytes: up to `most` findings and, as the last one, what ended the scan.
    pub fn list_bytes(&self, bytes: &[u8], most: usize) -> Vec<Finding> {
        if let Err(finding) = check_encoding(bytes) {
            return vec![finding];
        }
        let start = after_mark(bytes);
        match self.sieve(&bytes[start..], Trust::Nothing) {
            Verdict::Clean { .. } => Vec::new(),
            Verdict::Suspicious => scan_from(bytes, start, &self.options, most).1,
        }
    }

    /// What there is to find in a string that is Latin-1.
    pub fn list_latin1(&self, text: &[u8], most: usize) -> Vec<Finding> {
        match self.sieve(text, Trust::Nothing) {
            Verdict::Clean { .. } => Vec::new(),
            Verdict::Suspicious => self.scan_latin1(text, most).1,
        }
    }

    fn scan_latin1(&self, text: &[u8], most: usize) -> (Report, Vec<Finding>) {
        if text.is_ascii() {
            return scan_from(text, 0, &self.options, most);
        }
        // The exact scan takes bytes for UTF-8.
        let units: Vec<u16> = text.iter().map(|&byte| u16::from(byte)).collect();
        scan_from(&units, 0, &self.options, most)
    }

    /// What there is to find in a string of any characters.
    pub fn list_units(&self, text: &[u16], most: usize) -> Vec<Finding> {
        match self.sieve(&folded(text), Trust::Nothing) {
            Verdict::Clean { .. } => Vec::new(),
            Verdict::Suspicious => scan_from(text, 0, &self.options, most).1,
        }
    }

    fn sieve(&self, text: &[u8], trust: Trust) -> Verdict {
        sieve(text, &self.checks, trust)
    }
}

fn after_mark(bytes: &[u8]) -> usize {
    if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

fn check_encoding(bytes: &[u8]) -> Result<(), Finding> {
    if simdutf8::basic::from_utf8(bytes).is_ok() {
        return Ok(());
    }
    let offset = std::str::from_utf8(bytes).err().map_or(0, |error| error.valid_up_to());
    Err(Finding { kind: FindingKind::Encoding, offset, path: Vec::new() })
}

/// The finding to refuse the text for: malformed text and limits come before dangerous keys.
fn first((report, mut findings): (Report, Vec<Finding>)) -> Result<Report, Finding> {
    let ended = findings.last().is_some_and(|finding| finding.kind.ends_scan());
    let place = if ended { findings.len() - 1 } else { 0 };
    if findings.is_empty() { Ok(report) } else { Err(findings.swap_remove(place)) }
}

/// Only the exact scan, for tests that compare it with the guard.
#[doc(hidden)]
pub fn exact_only<U: Unit>(text: &[U], options: &Options) -> Result<Report, Finding> {
    first(scan_from(text, 0, options, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::dispatch;
    use crate::options::{Limits, Policy};

    /// A sieve that suspects everything would pass all other tests.
    #[test]
    fn what_is_usual_does_not_need_the_exact_scan() {
        let order = r#"{"id":368221699,"name":"Jürgen Müller","price":-12.5e1,"tags":["a\n\"b\"",[],{}],
            "address":{"street":"1 High Street","country":"NL","constructors":"none","__proto":0,"_id":"x"},
            "lines":[{"product":"Oak table","quantity":2},{"product":"Desk lamp","quantity":1}],"paid":true,"note":null}"#;
        let text = format!(" [{}]\r\n", vec![order; 50].join(" ,\t"));
        let minified: String = text.split_whitespace().collect();
        let units: Vec<u16> = text.encode_utf16().collect();
        let limits = Limits { depth: 4, keys: 1000, key_length: 12, string_length: 40, array_length: 50 };
        let all = Options {
            operator_keys: Policy::Refuse,
            forbidden: ["password", "é"].map(|name| name.encode_utf16().collect()).into(),
            refuse_duplicates: true,
            refuse_lossy: true,
            limits,
            ..Options::default()
        };
        for options in [Options::default(), Options { limits, ..Options::default() }, all] {
            let guard = Guard::new(options);
            for trust in [Trust::Nothing, Trust::Parser] {
                for text in [text.as_bytes(), minified.as_bytes(), &folded(&units)] {
                    let verdict = guard.sieve(text, trust);
                    if dispatch(Nothing).is_none() {
                        continue; // No vector instructions here: there is no sieve to test.
                    }
                    assert_eq!(verdict, Verdict::Clean { ascii: false }, "{:?}", guard.options);
                }
            }
        }
    }

    struct Nothing;

    impl crate::blocks::Pass for Nothing {
        type Output = ();

        fn run<B: crate::blocks::Blocks>(self) {}
    }
}
