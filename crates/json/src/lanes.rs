//! Masks of eight blocks, worked on at once: with AVX-512 in one register, otherwise one after the other.
//!
//! The crate's other `unsafe`, for the reasons that [`blocks`](crate::blocks) gives: intrinsics, which run only where the
//! processor has been found to have them, and loads and stores of sixty-four bytes.
#![allow(unsafe_code)]

/// Blocks in a group.
pub(crate) const GROUP: usize = 8;

/// A mask of each block.
pub(crate) type Masks = [u64; GROUP];

/// Masks of a group's blocks.
pub(crate) trait Lanes: Copy {
    fn load(masks: &Masks) -> Self;
    fn store(self) -> Masks;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    /// `self & !other`.
    fn without(self, other: Self) -> Self;
    fn not(self) -> Self;
    fn is_zero(self) -> bool;
    /// Each bit one place on, also into the next block; `carry` comes in first and leaves last: 0 or 1.
    fn shift(self, carry: &mut u64) -> Self;
    /// The sum as of one long number, with `carry` added first and leaving last: 0 or 1.
    fn add(self, other: Self, carry: &mut u64) -> Self;
}

/// For any processor.
#[derive(Clone, Copy)]
pub(crate) struct Words(Masks);

impl Words {
    #[inline(always)]
    fn each(self, other: Words, with: impl Fn(u64, u64) -> u64) -> Words {
        let mut result = self;
        for (mask, other) in result.0.iter_mut().zip(other.0) {
            *mask = with(*mask, other);
        }
        result
    }
}

impl Lanes for Words {
    #[inline(always)]
    fn load(masks: &Masks) -> Words {
        Words(*masks)
    }

    #[inline(always)]
    fn store(self) -> Masks {
        self.0
    }

    #[inline(always)]
    fn and(self, other: Words) -> Words {
        self.each(other, |mask, other| mask & other)
    }

    #[inline(always)]
    fn or(self, other: Words) -> Words {
        self.each(other, |mask, other| mask | other)
    }

    #[inline(always)]
    fn without(self, other: Words) -> Words {
        self.each(other, |mask, other| mask & !other)
    }

    #[inline(always)]
    fn not(self) -> Words {
        self.each(self, |mask, _| !mask)
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        self.0.iter().fold(0, |all, mask| all | mask) == 0
    }

    #[inline(always)]
    fn shift(self, carry: &mut u64) -> Words {
        let mut shifted = self;
        for mask in &mut shifted.0 {
            let leaves = *mask >> 63;
            *mask = *mask << 1 | *carry;
            *carry = leaves;
        }
        shifted
    }

    #[inline(always)]
    fn add(self, other: Words, carry: &mut u64) -> Words {
        let mut sums = self;
        for (sum, other) in sums.0.iter_mut().zip(other.0) {
            let (with_other, first) = sum.overflowing_add(other);
            let (with_carry, second) = with_other.overflowing_add(*carry);
            *sum = with_carry;
            *carry = u64::from(first | second);
        }
        sums
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Wide;

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::{Lanes, Masks};

    /// With AVX-512. Only what is compiled for that uses it.
    #[derive(Clone, Copy)]
    pub(crate) struct Wide(__m512i);

    // SAFETY of all blocks below: the processor has the instructions; loads and stores are of arrays of sixty-four bytes, which
    // need no alignment; nothing else touches memory.
    impl Lanes for Wide {
        #[inline(always)]
        fn load(masks: &Masks) -> Wide {
            // SAFETY: see above.
            Wide(unsafe { _mm512_loadu_si512(masks.as_ptr().cast()) })
        }

        #[inline(always)]
        fn store(self) -> Masks {
            let mut masks = [0; 8];
            // SAFETY: see above.
            unsafe { _mm512_storeu_si512(masks.as_mut_ptr().cast(), self.0) };
            masks
        }

        #[inline(always)]
        fn and(self, other: Wide) -> Wide {
            // SAFETY: see above.
            Wide(unsafe { _mm512_and_si512(self.0, other.0) })
        }

        #[inline(always)]
        fn or(self, other: Wide) -> Wide {
            // SAFETY: see above.
            Wide(unsafe { _mm512_or_si512(self.0, other.0) })
        }

        #[inline(always)]
        fn without(self, other: Wide) -> Wide {
            // SAFETY: see above.
            Wide(unsafe { _mm512_andnot_si512(other.0, self.0) })
        }

        #[inline(always)]
        fn not(self) -> Wide {
            // SAFETY: see above.
            Wide(unsafe { _mm512_xor_si512(self.0, _mm512_set1_epi64(-1)) })
        }

        #[inline(always)]
        fn is_zero(self) -> bool {
            // SAFETY: see above.
            unsafe { _mm512_test_epi64_mask(self.0, self.0) == 0 }
        }

        #[inline(always)]
        fn shift(self, carry: &mut u64) -> Wide {
            // SAFETY: see above.
            unsafe {
                let first = _mm512_set1_epi64((*carry << 63) as i64);
                // The block before each one.
                let before = _mm512_alignr_epi64::<7>(self.0, first);
                let top = _mm512_set1_epi64(i64::MIN);
                *carry = u64::from(_mm512_test_epi64_mask(self.0, top) >> 7);
                Wide(_mm512_or_si512(_mm512_slli_epi64::<1>(self.0), _mm512_srli_epi64::<63>(before)))
            }
        }

        #[inline(always)]
        fn add(self, other: Wide, carry: &mut u64) -> Wide {
            // SAFETY: see above.
            unsafe {
                let sums = _mm512_add_epi64(self.0, other.0);
                // A carry goes into the block after one that overflows, and on through those that are all ones: which is how
                // a carry goes through a number, so that one addition of bits finds out where they all end up.
                let overflows = u32::from(_mm512_cmplt_epu64_mask(sums, other.0));
                let all_ones = u32::from(_mm512_cmpeq_epi64_mask(sums, _mm512_set1_epi64(-1)));
                let carried = (overflows << 1 | *carry as u32) + all_ones;
                *carry = u64::from(carried >> 8);
                let incremented = (carried ^ all_ones) as u8;
                Wide(_mm512_mask_sub_epi64(sums, incremented, sums, _mm512_set1_epi64(-1)))
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::super::Words;
        use super::*;

        #[target_feature(enable = "avx512f")]
        fn agrees() {
            let mut state = 1u64;
            let mut next = |round: usize| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Many blocks of nothing but zeros or ones, through which carries run.
                match (state >> 60, round % 3) {
                    (0..4, _) => 0,
                    (4..10, 0 | 1) => u64::MAX,
                    (_, 2) => 1 << (state >> 50 & 63),
                    _ => state ^ state >> 29,
                }
            };
            for round in 0..20_000 {
                let left: Masks = std::array::from_fn(|_| next(round));
                let right: Masks = std::array::from_fn(|_| next(round + 1));
                for carry in [0, 1] {
                    let (a, b) = (Wide::load(&left), Wide::load(&right));
                    let (c, d) = (Words::load(&left), Words::load(&right));
                    let (mut first, mut second) = (carry, carry);
                    assert_eq!(a.add(b, &mut first).store(), c.add(d, &mut second).store());
                    assert_eq!(first, second);
                    let (mut first, mut second) = (carry, carry);
                    assert_eq!(a.shift(&mut first).store(), c.shift(&mut second).store());
                    assert_eq!(first, second);
                    assert_eq!(a.and(b).store(), c.and(d).store());
                    assert_eq!(a.or(b).store(), c.or(d).store());
                    assert_eq!(a.without(b).store(), c.without(d).store());
                    assert_eq!(a.not().store(), c.not().store());
                    assert_eq!(a.is_zero(), c.is_zero());
                }
            }
        }

        #[test]
        fn one_register_does_what_eight_words_do() {
            if is_x86_feature_detected!("avx512f") {
                // SAFETY: the processor has the instructions.
                unsafe { agrees() };
            }
        }
    }
}
