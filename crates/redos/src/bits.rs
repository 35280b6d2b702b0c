//! Small sets of small numbers.

/// A set of numbers below a bound that its owner knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bits {
    words: Box<[u64]>,
}

impl Bits {
    pub(crate) fn new(bound: usize) -> Bits {
        Bits { words: vec![0; bound.div_ceil(64)].into() }
    }

    pub(crate) fn set(&mut self, number: usize, is_in: bool) {
        let mask = 1 << (number % 64);
        if is_in { self.words[number / 64] |= mask } else { self.words[number / 64] &= !mask }
    }

    pub(crate) fn has(&self, number: usize) -> bool {
        self.words[number / 64] >> (number % 64) & 1 == 1
    }

    /// Its members, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(place, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros();
                rest &= rest.wrapping_sub(1);
                (bit < 64).then_some(64 * place + bit as usize)
            })
        })
    }
}
