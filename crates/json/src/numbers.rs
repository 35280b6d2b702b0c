//! Whether a double holds a number as it is written.

/// Digits that always fit: every integer up to 2⁵³ is a double, and 10¹⁵ is less.
const SURE_DIGITS: usize = 15;
/// The largest double has 309 digits before its point.
const MOST_DIGITS: usize = 309;

/// `literal` is a number as RFC 8259 has it. False for an integer (written without fraction and exponent) that the nearest
/// double differs from, and for any number whose nearest double is infinite. Fractions are approximate by nature.
pub(crate) fn fits_double(literal: &[u8]) -> bool {
    let digits = literal.strip_prefix(b"-").unwrap_or(literal);
    let is_integer = digits.iter().all(u8::is_ascii_digit);
    if is_integer && digits.len() <= SURE_DIGITS {
        return true;
    }
    if is_integer && digits.len() > MOST_DIGITS {
        return false;
    }
    if !is_integer && is_surely_finite(digits) {
        return true;
    }
    let Some(nearest) = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<f64>().ok()) else {
        return false;
    };
    // Without a fraction, Rust writes all digits that the double stands for.
    nearest.is_finite() && (!is_integer || format!("{nearest:.0}").as_bytes() == digits)
}

/// No exponent of three digits, and not hundreds of digits before the point.
fn is_surely_finite(digits: &[u8]) -> bool {
    let exponent = digits.iter().position(|byte| matches!(byte, b'e' | b'E'));
    digits.len() <= 200 && exponent.is_none_or(|at| digits.len() - at <= 3)
}

/// Finds the numbers of a text that might not fit, block by block.
#[derive(Default)]
pub(crate) struct Numbers {
    digit: u64,
    /// Up to here all numbers have been looked at.
    checked: usize,
}

/// So many digits in a row may be more than a double holds.
const LONG_RUN: u32 = SURE_DIGITS as u32 + 1;

/// Where sixteen digits in a row end. A number that has them, or an exponent, is looked at.
#[inline(always)]
fn long_runs(digit: u64) -> u64 {
    let two = digit & digit << 1;
    let four = two & two << 2;
    let eight = four & four << 4;
    eight & eight << 8
}

impl Numbers {
    /// Whether the numbers of the block at `at` fit; `digit` and `exponent` are outside strings.
    #[inline(always)]
    pub(crate) fn fit(&mut self, digit: u64, exponent: u64, text: &[u8], at: usize) -> bool {
        let before = std::mem::replace(&mut self.digit, digit);
        let follows_digit = digit << 1 | before >> 63;
        let split = (!before).leading_zeros() + (!digit).trailing_zeros() >= LONG_RUN;
        let candidates = long_runs(digit) | u64::from(split) | exponent & follows_digit;
        candidates == 0 || self.fit_exactly(candidates, text, at)
    }

    #[inline(never)]
    fn fit_exactly(&mut self, mut candidates: u64, text: &[u8], at: usize) -> bool {
        while candidates != 0 {
            let place = at + candidates.trailing_zeros() as usize;
            candidates &= candidates - 1;
            if place < self.checked || place >= text.len() {
                continue;
            }
            let in_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
            let before = text[..place].iter().rev().take_while(|byte| in_number(byte)).count();
            let after = text[place..].iter().take_while(|byte| in_number(byte)).count();
            self.checked = place + after;
            if !fits_double(&text[place - before..place + after]) {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::fits_double;

    #[test]
    fn integers_fit_when_the_double_is_the_same_integer() {
        for fits in [
            "0",
            "-0",
            "1",
            "9007199254740991",
            "9007199254740992",
            "-9007199254740992",
            "9007199254740994",
            "1152921504606846976",
            "18446744073709551616",
            "1000000000000000000000",
            "10000000000000000000000",
        ] {
            assert!(fits_double(fits.as_bytes()), "{fits}");
        }
        let largest = format!("{:.0}", f64::MAX);
        assert!(fits_double(largest.as_bytes()));
        for lossy in [
            "9007199254740993",
            "-9007199254740993",
            "9007199254740995",
            "9223372036854775807",
            "18446744073709551615",
            "123456789012345678901234567890",
            "100000000000000000000000",
        ] {
            assert!(!fits_double(lossy.as_bytes()), "{lossy}");
        }
        assert!(!fits_double("9".repeat(309).as_bytes()));
        assert!(!fits_double("9".repeat(100_000).as_bytes()));
    }

    #[test]
    fn other_numbers_fit_when_they_are_finite() {
        for fits in
            ["0.1", "1.5e3", "-1E-400", "6.02214076e23", "1.7976931348623157e308", "0.0000001e310", "0e999"]
        {
            assert!(fits_double(fits.as_bytes()), "{fits}");
        }
        for lossy in ["1e400", "-1e400", "1.8e308", "123456.7e305", "1e99999999999999999999"] {
            assert!(!fits_double(lossy.as_bytes()), "{lossy}");
        }
    }
}
