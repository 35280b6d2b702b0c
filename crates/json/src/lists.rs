//! Lists made of masks: where the ones are, what stands before each, and what the keys there hash to. With AVX-512 sixteen
//! entries are written at a time and eight keys hashed, otherwise one after the other.
//!
//! The last of the crate's `unsafe`, for the reasons that [`blocks`](crate::blocks) gives: intrinsics, and the loads and stores
//! of arrays whose bounds are checked before.
#![allow(unsafe_code)]

use crate::blocks::BLOCK;
use crate::hash::{HashKey, WINDOW};

/// Blocks that are collected before their places are gone through.
pub(crate) const BATCH: usize = 32;

/// Places that a batch can have, one a byte, and room behind them for what is written needed or not.
pub(crate) const PLACES: usize = BATCH * BLOCK + BLOCK;

/// Of a batch.
pub(crate) type List<T> = [T; PLACES];

/// Hashes are compared so many at a time.
pub(crate) const LANES: usize = 8;

/// The keys of a batch, and what is asked about them.
pub(crate) struct Keys<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) hash_key: HashKey,
    /// Hashes of the keys to refuse, and the bits of `HashKey::bit` that they have.
    pub(crate) forbidden: &'a [u64],
    pub(crate) forbidden_bits: u64,
    /// In bytes of text.
    pub(crate) max_length: usize,
    pub(crate) operators: bool,
    pub(crate) count: usize,
    /// Opening and closing quotes.
    pub(crate) opening: &'a List<u32>,
    pub(crate) closing: &'a List<u32>,
}

impl Keys<'_> {
    /// Hashes the key with this index; whether it is one to look at closely.
    #[inline(always)]
    fn hash_one(&self, index: usize) -> (u64, bool) {
        let start = self.opening[index] as usize + 1;
        // A text that is no JSON may have a colon without a key.
        let length = (self.closing[index] as usize).saturating_sub(start);
        let window = self.text.get(start..).and_then(|rest| rest.first_chunk::<WINDOW>());
        let hash = match window {
            Some(window) if length <= WINDOW => self.hash_key.short(window, length),
            _ => self.hash_key.hash(self.text.get(start..start + length).unwrap_or_default()),
        };
        let is_operator = self.operators && length > 0 && self.text.get(start) == Some(&b'$');
        (hash, length > self.max_length || is_operator || self.is_forbidden(hash))
    }

    #[inline(always)]
    fn is_forbidden(&self, hash: u64) -> bool {
        self.forbidden_bits & HashKey::bit(hash) != 0 && self.forbidden.contains(&hash)
    }
}

/// How a kind of processor makes lists.
pub(crate) trait Lists {
    /// Writes the places of the ones of `mask`, which starts at `at`, from `next` on: a few, needed or not.
    fn places(mask: u64, at: u32, list: &mut List<u32>, next: usize);

    /// Writes for each one of `mask` how many of `others`, which has none of the same, stand before it, and `count` more.
    fn ranks(mask: u64, others: u64, count: u32, list: &mut List<u32>, next: usize);

    /// Hashes all keys; whether one is to be looked at closely.
    fn hash(keys: &Keys<'_>, hashes: &mut List<u64>) -> bool;
}

/// For any processor.
pub(crate) struct Plain;

impl Lists for Plain {
    #[inline(always)]
    fn places(mut mask: u64, at: u32, list: &mut List<u32>, mut next: usize) {
        // Four at a time: few blocks have more.
        while let Some(four) = list.get_mut(next..).and_then(|rest| rest.first_chunk_mut::<4>()) {
            for place in four {
                *place = at + mask.trailing_zeros();
                mask &= mask.wrapping_sub(1);
            }
            next += 4;
            if mask == 0 {
                break;
            }
        }
    }

    #[inline(always)]
    fn ranks(mut mask: u64, others: u64, count: u32, list: &mut List<u32>, mut next: usize) {
        while let Some(two) = list.get_mut(next..).and_then(|rest| rest.first_chunk_mut::<2>()) {
            for rank in two {
                let one = mask & mask.wrapping_neg();
                *rank = count + (others & one.wrapping_sub(1)).count_ones();
                mask ^= one;
            }
            next += 2;
            if mask == 0 {
                break;
            }
        }
    }

    #[inline(always)]
    fn hash(keys: &Keys<'_>, hashes: &mut List<u64>) -> bool {
        let mut suspicious = false;
        for (index, hash) in hashes.iter_mut().enumerate().take(keys.count) {
            let (hashed, is_suspicious) = keys.hash_one(index);
            *hash = hashed;
            suspicious |= is_suspicious;
        }
        suspicious
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Wide;

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::{Keys, LANES, List, Lists, Plain, WINDOW};

    /// With AVX-512. Only what is compiled for that uses it.
    pub(crate) struct Wide;

    /// Entries written at a time.
    const ENTRIES: usize = 16;

    impl Lists for Wide {
        #[inline(always)]
        fn places(mask: u64, at: u32, list: &mut List<u32>, next: usize) {
            // SAFETY: the processor has the instructions, as for all blocks below.
            unsafe { put(mask, _mm512_set1_epi32(at as i32), 0, list, next) };
        }

        #[inline(always)]
        fn ranks(mask: u64, others: u64, count: u32, list: &mut List<u32>, next: usize) {
            // Among all of them together the n-th one of `mask` has so many others before it as its place is beyond n.
            // SAFETY: as above.
            unsafe {
                let places = _pext_u64(mask, mask | others);
                let numbers = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
                let add = _mm512_sub_epi32(_mm512_set1_epi32(count as i32), numbers);
                put(places, add, ENTRIES as i32, list, next);
            }
        }

        #[inline(always)]
        fn hash(keys: &Keys<'_>, hashes: &mut List<u64>) -> bool {
            // SAFETY: as above.
            unsafe { hash(keys, hashes) }
        }
    }

    /// Writes the places of the ones of `mask`, with `add` added, from which `less` is taken after each sixteen.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2")]
    fn put(mask: u64, mut add: __m512i, less: i32, list: &mut List<u32>, mut next: usize) {
        let mut places = _mm512_maskz_compress_epi8(mask, bytes_0_to_63());
        let mut left = mask.count_ones() as usize;
        while let Some(target) = list.get_mut(next..).and_then(|rest| rest.first_chunk_mut::<ENTRIES>()) {
            let wide = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(places));
            // SAFETY: the store fills the sixteen entries; no alignment is needed.
            unsafe { _mm512_storeu_si512(target.as_mut_ptr().cast(), _mm512_add_epi32(wide, add)) };
            if left <= ENTRIES {
                break;
            }
            left -= ENTRIES;
            next += ENTRIES;
            add = _mm512_sub_epi32(add, _mm512_set1_epi32(less));
            places = _mm512_alignr_epi32::<4>(_mm512_setzero_si512(), places);
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn bytes_0_to_63() -> __m512i {
        const BYTES: [u8; 64] = {
            let mut bytes = [0; 64];
            let mut place = 0;
            while place < 64 {
                bytes[place] = place as u8;
                place += 1;
            }
            bytes
        };
        // SAFETY: the load reads the sixty-four bytes.
        unsafe { _mm512_loadu_si512(BYTES.as_ptr().cast()) }
    }

    /// Eight keys at a time. Those that are longer than a window, or whose window does not fit in the text, one by one.
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    fn hash(keys: &Keys<'_>, hashes: &mut List<u64>) -> bool {
        let text = keys.text;
        // The last place where a window may start.
        let Some(last) = text.len().checked_sub(WINDOW) else {
            return Plain::hash(keys, hashes);
        };
        let last = _mm256_set1_epi32(u32::try_from(last).unwrap_or(u32::MAX) as i32);
        let (high_factor, factor) = keys.hash_key.factors();
        let (high_factor, factor) = (_mm512_set1_epi64(high_factor as i64), _mm512_set1_epi64(factor as i64));
        let max_length = _mm256_set1_epi32(u32::try_from(keys.max_length).unwrap_or(u32::MAX) as i32);
        // No byte is more.
        let operator = _mm512_set1_epi64(if keys.operators { i64::from(b'$') } else { 0x100 });
        let forbidden = _mm512_set1_epi64(keys.forbidden_bits as i64);
        let even = _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0);
        let odd = _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1);
        let (ones, sixty_four) = (_mm512_set1_epi64(-1), _mm512_set1_epi64(64));
        let mut suspicious = false;
        let lists = keys.opening.as_chunks::<LANES>().0.iter().zip(keys.closing.as_chunks::<LANES>().0);
        for (group, ((opening, closing), hashes)) in
            lists.zip(hashes.as_chunks_mut::<LANES>().0).enumerate().take(keys.count.div_ceil(LANES))
        {
            let used = keys.count - group * LANES;
            let used = if used < LANES { (1u8 << used) - 1 } else { u8::MAX };
            // SAFETY: the loads read eight places each.
            let (opening, closing) = unsafe {
                (_mm256_loadu_si256(opening.as_ptr().cast()), _mm256_loadu_si256(closing.as_ptr().cast()))
            };
            let starts = _mm256_add_epi32(opening, _mm256_set1_epi32(1));
            let fits = _mm256_cmple_epu32_mask(starts, last);
            let mut windows = [0u32; LANES];
            // SAFETY: the store fills the eight places.
            unsafe { _mm256_storeu_si256(windows.as_mut_ptr().cast(), _mm256_min_epu32(starts, last)) };
            macro_rules! load {
                ($lane:literal) => {
                    // SAFETY: the sixteen bytes from there on are in the text: no window starts behind `last`. No alignment
                    // is needed.
                    unsafe { _mm_loadu_si128(text.as_ptr().add(windows[$lane] as usize).cast()) }
                };
            }
            macro_rules! four {
                ($first:literal, $second:literal, $third:literal, $fourth:literal) => {{
                    let lanes = _mm512_castsi128_si512(load!($first));
                    let lanes = _mm512_inserti64x2::<1>(lanes, load!($second));
                    let lanes = _mm512_inserti64x2::<2>(lanes, load!($third));
                    _mm512_inserti64x2::<3>(lanes, load!($fourth))
                }};
            }
            let (first, second) = (four!(0, 1, 2, 3), four!(4, 5, 6, 7));
            let low = _mm512_permutex2var_epi64(first, even, second);
            let high = _mm512_permutex2var_epi64(first, odd, second);
            // A text that is no JSON may have a colon without a key.
            let lengths = _mm256_sub_epi32(_mm256_max_epu32(closing, starts), starts);
            let bits = _mm512_slli_epi64::<3>(_mm512_cvtepu32_epi64(lengths));
            // A shift by sixty-four or more leaves nothing.
            let low_shift = _mm512_sub_epi64(sixty_four, _mm512_min_epu64(bits, sixty_four));
            let high_shift = _mm512_sub_epi64(_mm512_set1_epi64(128), _mm512_max_epu64(bits, sixty_four));
            let low = _mm512_and_si512(low, _mm512_srlv_epi64(ones, low_shift));
            let high = _mm512_and_si512(high, _mm512_srlv_epi64(ones, high_shift));
            let hash =
                _mm512_mullo_epi64(_mm512_add_epi64(low, _mm512_mullo_epi64(high, high_factor)), factor);
            // SAFETY: the store fills the eight hashes.
            unsafe { _mm512_storeu_si512(hashes.as_mut_ptr().cast(), hash) };

            let first_byte = _mm512_and_si512(low, _mm512_set1_epi64(0xFF));
            let is_long = _mm256_cmpgt_epu32_mask(lengths, _mm256_set1_epi32(WINDOW as i32));
            let is_wrong = (_mm512_cmpeq_epi64_mask(first_byte, operator) & fits)
                | _mm256_cmpgt_epu32_mask(lengths, max_length);
            let is_forbidden = _mm512_test_epi64_mask(
                _mm512_sllv_epi64(_mm512_set1_epi64(1), _mm512_srli_epi64::<58>(hash)),
                forbidden,
            );
            suspicious |= is_wrong & used != 0;
            let mut alone = (is_long | !fits | is_forbidden) & used;
            while alone != 0 {
                let lane = alone.trailing_zeros() as usize;
                alone &= alone - 1;
                let (hash, is_suspicious) = keys.hash_one(group * LANES + lane);
                hashes[lane] = hash;
                suspicious |= is_suspicious;
            }
        }
        suspicious
    }

    #[cfg(test)]
    mod tests {
        use super::super::{BATCH, PLACES};
        use super::*;
        use crate::blocks::BLOCK;
        use crate::hash::HashKey;

        /// One after the other, as nobody could get it wrong.
        fn ones(mask: u64) -> Vec<u32> {
            (0..u64::BITS).filter(|bit| mask >> bit & 1 == 1).collect()
        }

        fn random(state: &mut u64) -> u64 {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *state ^ *state >> 29
        }

        fn check_masks<L: Lists>() {
            let mut state = 1;
            for round in 0..20_000 {
                let (first, second) = (random(&mut state), random(&mut state));
                // From none to all.
                let mask = match round % 4 {
                    0 => first & second & random(&mut state),
                    1 => first,
                    2 => first | second,
                    _ => [0, u64::MAX, 1 << 63, 1][round / 4 % 4],
                };
                let others = second & !mask;
                let count = 7 + round as u32 % 1000;
                let next = round % (BATCH * BLOCK - BLOCK);
                let (mut places, mut ranks) = ([u32::MAX; PLACES], [u32::MAX; PLACES]);
                L::places(mask, count, &mut places, next);
                L::ranks(mask, others, count, &mut ranks, next);
                for (index, one) in ones(mask).into_iter().enumerate() {
                    assert_eq!(places[next + index], count + one, "{mask:x}");
                    let before = ones(others).into_iter().filter(|&other| other < one).count() as u32;
                    assert_eq!(ranks[next + index], count + before, "{mask:x} {others:x}");
                }
                assert!(places[..next].iter().chain(&ranks[..next]).all(|&place| place == u32::MAX));
            }
        }

        #[test]
        fn lists_are_what_a_loop_over_the_bits_gives() {
            check_masks::<Plain>();
            if is_x86_feature_detected!("avx512vbmi2") {
                check_masks::<Wide>();
            }
        }

        #[test]
        fn eight_keys_at_once_are_hashed_as_each_by_itself() {
            if !is_x86_feature_detected!("avx512vbmi2") || !is_x86_feature_detected!("avx512vl") {
                return;
            }
            let mut state = 3;
            let hash_key = HashKey::of_process();
            for round in 0..4_000 {
                let text: Vec<u8> =
                    (0..round % 97).map(|_| b"$abcdefg"[random(&mut state) as usize % 8]).collect();
                let (mut opening, mut closing) = ([0; PLACES], [0; PLACES]);
                let count = round % 41;
                for index in 0..count + LANES {
                    // Also quotes that close before they open, and such as are not in the text.
                    let start = random(&mut state) % (text.len() as u64 + 3);
                    let length = random(&mut state) % [3, 10, 18, 40][round % 4];
                    opening[index] = start as u32;
                    closing[index] = (start + length) as u32;
                }
                let forbidden: Vec<u64> = ["$", "a", "bc"].map(|name| hash_key.hash(name.as_bytes())).into();
                let keys = Keys {
                    text: &text,
                    hash_key,
                    forbidden: if round % 3 == 0 { &forbidden } else { &[] },
                    forbidden_bits: if round % 3 == 0 {
                        forbidden.iter().fold(0, |bits, &hash| bits | HashKey::bit(hash))
                    } else {
                        0
                    },
                    max_length: [usize::MAX, 17, 8, 2][round / 4 % 4],
                    operators: round % 5 == 0,
                    count,
                    opening: &opening,
                    closing: &closing,
                };
                let (mut wide, mut plain) = ([0; PLACES], [0; PLACES]);
                assert_eq!(Wide::hash(&keys, &mut wide), Plain::hash(&keys, &mut plain), "{round}");
                assert_eq!(wide[..count], plain[..count], "{round}");
            }
        }
    }
}
