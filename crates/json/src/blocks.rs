//! Sixty-four bytes at a time, as one bit each: which of them are quotes, brackets, digits and so on. The sieve works on
//! these masks alone; this is the only place that knows which instructions the processor has.
//!
//! Here is the crate's `unsafe`: loads of sixty-four bytes into vector registers, and the calls of functions that are compiled
//! for instructions found at run time. Without such instructions there are no blocks: the exact scan does everything.
#![allow(unsafe_code)]

use crate::lanes::Lanes;
use crate::lists::{LANES, Lists};

/// Bit n is about byte n of the block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Masks {
    pub(crate) quote: u64,
    pub(crate) backslash: u64,
    /// Below 0x20.
    pub(crate) control: u64,
    /// Above 0x7F.
    pub(crate) high: u64,
    /// JSON's white space.
    pub(crate) space: u64,
    pub(crate) open_brace: u64,
    pub(crate) close_brace: u64,
    pub(crate) open_bracket: u64,
    pub(crate) close_bracket: u64,
    pub(crate) colon: u64,
    pub(crate) comma: u64,
    pub(crate) digit: u64,
    pub(crate) zero: u64,
    pub(crate) minus: u64,
    pub(crate) plus: u64,
    pub(crate) dot: u64,
    /// `e` and `E`.
    pub(crate) exponent: u64,
    /// `_`, `c` and `r`, of which the dangerous keys are made.
    pub(crate) underscore: u64,
    pub(crate) letter_c: u64,
    pub(crate) letter_r: u64,
}

/// A block of text.
pub(crate) const BLOCK: usize = 64;

/// How a kind of processor makes masks.
pub(crate) trait Blocks {
    /// How masks of several blocks are worked on.
    type Lanes: Lanes;

    /// How lists are made of masks.
    type Lists: Lists;

    fn masks(block: &[u8; BLOCK]) -> Masks;

    /// Bit n is the parity of the bits 0 to n of `mask`: from every odd one of them up to the next.
    fn parity(mask: u64) -> u64;

    /// The bits of `mask` at the ones of `places`, moved together.
    fn extract(mask: u64, places: u64) -> u64;

    /// The low bits of `mask`, moved apart to the ones of `places`.
    fn deposit(mask: u64, places: u64) -> u64;

    /// Whether two are equal of the first `count` of some hashes and the first `more` of others, together at most eight.
    fn has_equal(hashes: &[u64; LANES], count: usize, others: &[u64; LANES], more: usize) -> bool;

    /// Runs `pass` in a function of its own: where it is in the way of what is around it.
    fn apart<P: Pass>(pass: P) -> P::Output;
}

/// What runs with the masks of whatever processor this is.
pub(crate) trait Pass {
    type Output;

    fn run<B: Blocks>(self) -> Self::Output;
}

/// Runs `pass` with the best instructions that there are; nothing when there are none.
pub(crate) fn dispatch<P: Pass>(pass: P) -> Option<P::Output> {
    #[cfg(target_arch = "x86_64")]
    match x86::level() {
        // SAFETY: the processor has the instructions that the function is compiled for, which is what its level says.
        x86::AVX512 => return Some(unsafe { x86::run_avx512(pass) }),
        // SAFETY: as above.
        x86::AVX2 => return Some(unsafe { x86::run_avx2(pass) }),
        _ => {}
    }
    drop(pass);
    None
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::{BLOCK, Blocks, LANES, Masks, Pass};

    const UNKNOWN: u8 = 0;
    const NEITHER: u8 = 1;
    pub(super) const AVX2: u8 = 2;
    pub(super) const AVX512: u8 = 3;

    /// Which instructions this processor has.
    #[inline]
    pub(super) fn level() -> u8 {
        static LEVEL: AtomicU8 = AtomicU8::new(UNKNOWN);
        match LEVEL.load(Ordering::Relaxed) {
            UNKNOWN => {
                let level = detect();
                LEVEL.store(level, Ordering::Relaxed);
                level
            }
            level => level,
        }
    }

    fn detect() -> u8 {
        let common = is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("lzcnt");
        let wide = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vbmi2");
        if common && wide {
            AVX512
        } else if common && is_x86_feature_detected!("avx2") {
            AVX2
        } else {
            NEITHER
        }
    }

    #[inline(never)]
    #[target_feature(
        enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi2,pclmulqdq,bmi1,bmi2,popcnt,lzcnt"
    )]
    pub(super) fn run_avx512<P: Pass>(pass: P) -> P::Output {
        pass.run::<Avx512>()
    }

    #[inline(never)]
    #[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,popcnt,lzcnt")]
    pub(super) fn run_avx2<P: Pass>(pass: P) -> P::Output {
        pass.run::<Avx2>()
    }

    // The functions of both are inlined into those above, and used nowhere else: that is why they may use the instructions.

    struct Avx512;

    impl Blocks for Avx512 {
        type Lanes = crate::lanes::Wide;
        type Lists = crate::lists::Wide;

        #[inline(always)]
        fn masks(block: &[u8; BLOCK]) -> Masks {
            // SAFETY: the load reads the block's 64 bytes; no alignment is needed. The processor has the instructions.
            unsafe {
                let bytes = _mm512_loadu_si512(block.as_ptr().cast());
                macro_rules! is {
                    ($byte:expr) => {
                        _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8($byte as i8))
                    };
                }
                let control = _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(0x20));
                let digits = _mm512_sub_epi8(bytes, _mm512_set1_epi8(b'0' as i8));
                let lower_case = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));
                Masks {
                    quote: is!(b'"'),
                    backslash: is!(b'\\'),
                    control,
                    high: _mm512_movepi8_mask(bytes),
                    space: is!(b' ') | is!(b'\n') | is!(b'\r') | is!(b'\t'),
                    open_brace: is!(b'{'),
                    close_brace: is!(b'}'),
                    open_bracket: is!(b'['),
                    close_bracket: is!(b']'),
                    colon: is!(b':'),
                    comma: is!(b','),
                    digit: _mm512_cmplt_epu8_mask(digits, _mm512_set1_epi8(10)),
                    zero: is!(b'0'),
                    minus: is!(b'-'),
                    plus: is!(b'+'),
                    dot: is!(b'.'),
                    exponent: _mm512_cmpeq_epi8_mask(lower_case, _mm512_set1_epi8(b'e' as i8)),
                    underscore: is!(b'_'),
                    letter_c: is!(b'c'),
                    letter_r: is!(b'r'),
                }
            }
        }

        #[inline(always)]
        fn apart<P: Pass>(pass: P) -> P::Output {
            // SAFETY: the processor has the instructions: this runs in the same function for another pass.
            unsafe { run_avx512(pass) }
        }

        #[inline(always)]
        fn parity(mask: u64) -> u64 {
            carryless_parity(mask)
        }

        #[inline(always)]
        fn extract(mask: u64, places: u64) -> u64 {
            // SAFETY: no memory is touched, and the processor has the instruction.
            unsafe { _pext_u64(mask, places) }
        }

        #[inline(always)]
        fn deposit(mask: u64, places: u64) -> u64 {
            // SAFETY: as above.
            unsafe { _pdep_u64(mask, places) }
        }

        #[inline(always)]
        fn has_equal(hashes: &[u64; LANES], count: usize, others: &[u64; LANES], more: usize) -> bool {
            // SAFETY: the loads read eight hashes each; the processor has the instructions.
            unsafe {
                let used = ((1u32 << count) - 1) as u8;
                let behind = ((1u32 << (count + more)) - 1) as u8 ^ used;
                let others = _mm512_loadu_si512(others.as_ptr().cast());
                // What is not used is different from everything: a hash that is such a small number is only looked at.
                let unused = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
                let lanes = _mm512_mask_mov_epi64(unused, used, _mm512_loadu_si512(hashes.as_ptr().cast()));
                let lanes = _mm512_mask_expand_epi64(lanes, behind, others);
                // Each with those one to four places on: that is every pair.
                macro_rules! equal {
                    ($places:literal) => {
                        _mm512_cmpeq_epi64_mask(lanes, _mm512_alignr_epi64::<$places>(lanes, lanes))
                    };
                }
                equal!(1) | equal!(2) | equal!(3) | equal!(4) != 0
            }
        }
    }

    struct Avx2;

    impl Blocks for Avx2 {
        type Lanes = crate::lanes::Words;
        type Lists = crate::lists::Plain;

        #[inline(always)]
        fn masks(block: &[u8; BLOCK]) -> Masks {
            // SAFETY: the two loads read the block's 64 bytes; no alignment is needed. The processor has the instructions.
            unsafe {
                let low = _mm256_loadu_si256(block.as_ptr().cast());
                let high = _mm256_loadu_si256(block.as_ptr().add(32).cast());
                macro_rules! bits {
                    ($low:expr, $high:expr) => {
                        u64::from(_mm256_movemask_epi8($low) as u32)
                            | u64::from(_mm256_movemask_epi8($high) as u32) << 32
                    };
                }
                macro_rules! is {
                    ($byte:expr) => {{
                        let byte = _mm256_set1_epi8($byte as i8);
                        bits!(_mm256_cmpeq_epi8(low, byte), _mm256_cmpeq_epi8(high, byte))
                    }};
                }
                macro_rules! is_from {
                    ($first:expr, $count:expr) => {{
                        let (first, last) =
                            (_mm256_set1_epi8($first as i8), _mm256_set1_epi8($count as i8 - 1));
                        let (low, high) = (_mm256_sub_epi8(low, first), _mm256_sub_epi8(high, first));
                        bits!(
                            _mm256_cmpeq_epi8(_mm256_min_epu8(low, last), low),
                            _mm256_cmpeq_epi8(_mm256_min_epu8(high, last), high)
                        )
                    }};
                }
                let case = _mm256_set1_epi8(0x20);
                let exponent = _mm256_set1_epi8(b'e' as i8);
                Masks {
                    quote: is!(b'"'),
                    backslash: is!(b'\\'),
                    control: is_from!(0, 0x20),
                    high: bits!(low, high),
                    space: is!(b' ') | is!(b'\n') | is!(b'\r') | is!(b'\t'),
                    open_brace: is!(b'{'),
                    close_brace: is!(b'}'),
                    open_bracket: is!(b'['),
                    close_bracket: is!(b']'),
                    colon: is!(b':'),
                    comma: is!(b','),
                    digit: is_from!(b'0', 10),
                    zero: is!(b'0'),
                    minus: is!(b'-'),
                    plus: is!(b'+'),
                    dot: is!(b'.'),
                    exponent: bits!(
                        _mm256_cmpeq_epi8(_mm256_or_si256(low, case), exponent),
                        _mm256_cmpeq_epi8(_mm256_or_si256(high, case), exponent)
                    ),
                    underscore: is!(b'_'),
                    letter_c: is!(b'c'),
                    letter_r: is!(b'r'),
                }
            }
        }

        #[inline(always)]
        fn apart<P: Pass>(pass: P) -> P::Output {
            // SAFETY: the processor has the instructions: this runs in the same function for another pass.
            unsafe { run_avx2(pass) }
        }

        #[inline(always)]
        fn parity(mask: u64) -> u64 {
            carryless_parity(mask)
        }

        #[inline(always)]
        fn extract(mask: u64, places: u64) -> u64 {
            // SAFETY: no memory is touched, and the processor has the instruction.
            unsafe { _pext_u64(mask, places) }
        }

        #[inline(always)]
        fn deposit(mask: u64, places: u64) -> u64 {
            // SAFETY: as above.
            unsafe { _pdep_u64(mask, places) }
        }

        #[inline(always)]
        fn has_equal(hashes: &[u64; LANES], count: usize, others: &[u64; LANES], more: usize) -> bool {
            let mut hashes = *hashes;
            hashes[count..count + more].copy_from_slice(&others[..more]);
            // SAFETY: the loads read the eight hashes; the processor has the instructions.
            unsafe {
                let count = _mm256_set1_epi64x((count + more) as i64);
                let (first, second) = (_mm256_set_epi64x(3, 2, 1, 0), _mm256_set_epi64x(7, 6, 5, 4));
                // What is not used is different from everything: a hash that is such a small number is only looked at.
                let low = _mm256_blendv_epi8(
                    first,
                    _mm256_loadu_si256(hashes.as_ptr().cast()),
                    _mm256_cmpgt_epi64(count, first),
                );
                let high = _mm256_blendv_epi8(
                    second,
                    _mm256_loadu_si256(hashes.as_ptr().add(4).cast()),
                    _mm256_cmpgt_epi64(count, second),
                );
                macro_rules! equal {
                    ($left:expr, $right:expr, $turn:literal) => {
                        _mm256_cmpeq_epi64($left, _mm256_permute4x64_epi64::<$turn>($right))
                    };
                }
                // Turned by one and by two, each half has met all of itself; turned four ways, all of the other.
                let inner = _mm256_or_si256(
                    _mm256_or_si256(equal!(low, low, 0b00_11_10_01), equal!(low, low, 0b01_00_11_10)),
                    _mm256_or_si256(equal!(high, high, 0b00_11_10_01), equal!(high, high, 0b01_00_11_10)),
                );
                let cross = _mm256_or_si256(
                    _mm256_or_si256(equal!(low, high, 0b11_10_01_00), equal!(low, high, 0b00_11_10_01)),
                    _mm256_or_si256(equal!(low, high, 0b01_00_11_10), equal!(low, high, 0b10_01_00_11)),
                );
                let equal = _mm256_or_si256(inner, cross);
                _mm256_testz_si256(equal, equal) == 0
            }
        }
    }

    #[inline(always)]
    fn carryless_parity(mask: u64) -> u64 {
        // SAFETY: no memory is touched, and the processor has the instruction. A product with all ones, without carries, is
        // the running parity.
        unsafe {
            let ones = _mm_set1_epi8(-1);
            _mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_set_epi64x(0, mask as i64), ones, 0)) as u64
        }
    }

    #[cfg(test)]
    mod tests {
        use super::super::{BLOCK, Masks};
        use super::*;

        fn naive(block: &[u8; BLOCK]) -> Masks {
            let bits = |is: fn(u8) -> bool| {
                block.iter().rev().fold(0u64, |bits, &byte| bits << 1 | u64::from(is(byte)))
            };
            Masks {
                quote: bits(|byte| byte == b'"'),
                backslash: bits(|byte| byte == b'\\'),
                control: bits(|byte| byte < 0x20),
                high: bits(|byte| byte > 0x7F),
                space: bits(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')),
                open_brace: bits(|byte| byte == b'{'),
                close_brace: bits(|byte| byte == b'}'),
                open_bracket: bits(|byte| byte == b'['),
                close_bracket: bits(|byte| byte == b']'),
                colon: bits(|byte| byte == b':'),
                comma: bits(|byte| byte == b','),
                digit: bits(|byte| byte.is_ascii_digit()),
                zero: bits(|byte| byte == b'0'),
                minus: bits(|byte| byte == b'-'),
                plus: bits(|byte| byte == b'+'),
                dot: bits(|byte| byte == b'.'),
                exponent: bits(|byte| byte == b'e' || byte == b'E'),
                underscore: bits(|byte| byte == b'_'),
                letter_c: bits(|byte| byte == b'c'),
                letter_r: bits(|byte| byte == b'r'),
            }
        }

        struct Check;

        impl Pass for Check {
            type Output = ();

            fn run<B: Blocks>(self) {
                // Every byte at every place, among different neighbours.
                for byte in 0..=255u8 {
                    for place in 0..BLOCK {
                        let mut block = [byte.wrapping_mul(31).wrapping_add(place as u8); BLOCK];
                        block[place] = byte;
                        assert_eq!(B::masks(&block), naive(&block));
                        let mask = u64::from_le_bytes([byte, place as u8, byte, 7, !byte, 1, place as u8, 9]);
                        let places = mask.rotate_left(u32::from(byte)) ^ 0x0F0F_3355_00FF_1234;
                        let mut parity = 0;
                        for bit in 0..64 {
                            parity |= u64::from((mask << (63 - bit)).count_ones() & 1) << bit;
                        }
                        assert_eq!(B::parity(mask), parity);
                        let (mut moved, mut count) = (0, 0);
                        for bit in (0..64).filter(|bit| places & 1 << bit != 0) {
                            moved |= (mask >> bit & 1) << count;
                            count += 1;
                        }
                        assert_eq!(B::extract(mask, places), moved);
                        assert_eq!(B::deposit(moved, places), mask & places);
                    }
                }
                // Every pair equal, alone among different ones, for every count.
                for (count, part) in (0..=LANES).flat_map(|count| (0..=count).map(move |part| (count, part)))
                {
                    for (left, right) in
                        (0..LANES).flat_map(|left| (0..LANES).map(move |right| (left, right)))
                    {
                        let mut hashes = [100, 101, 102, 103, 104, 105, 106, 107];
                        hashes[left] = hashes[right];
                        let mut others = [100; LANES];
                        others[..LANES - part].copy_from_slice(&hashes[part..]);
                        let expected = left != right && left < count && right < count;
                        let found = B::has_equal(&hashes, part, &others, count - part);
                        assert_eq!(found, expected, "{left} {right} of {part} and others of {count}");
                    }
                }
            }
        }

        #[test]
        fn masks_are_what_a_loop_over_the_bytes_gives() {
            if level() == AVX512 {
                // SAFETY: the processor has the instructions.
                unsafe { run_avx512(Check) };
            }
            if level() >= AVX2 {
                // SAFETY: a processor with AVX-512 has AVX2 too.
                unsafe { run_avx2(Check) };
            }
        }
    }
}
