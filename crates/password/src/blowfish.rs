//! Blowfish with bcrypt's expensive key schedule, for several independent keys at once.
//!
//! A round of Blowfish waits for four reads of tables that depend on the round before, and leaves most of a core idle. So
//! the schedules of up to four keys are taken turn by turn: while one waits, the others go on. Each has its own tables, 4 KiB,
//! and four of them fit into the first-level cache of every processor of the last ten years (32 KiB) with room to spare.

use zeroize::Zeroize;

use crate::pi;

/// Bits of a key, or of a salt written again and again, as Blowfish's eighteen subkeys take them.
pub(crate) type KeyWords = [u32; 18];

/// A salt.
pub(crate) type SaltWords = [u32; 4];

/// Subkeys and S-boxes of one key.
#[derive(Clone)]
#[repr(align(64))]
struct Schedule {
    boxes: [[u32; 256]; 4],
    subkeys: [u32; 18],
}

/// The schedules of `N` keys. Wiped when dropped: they tell the keys.
pub(crate) struct Blowfish<const N: usize> {
    schedules: Box<[Schedule; N]>,
}

impl<const N: usize> Blowfish<N> {
    /// `EksBlowfishSetup` without its rounds: each key, with its salt mixed in.
    pub(crate) fn new(keys: &[KeyWords; N], salts: &[SaltWords; N]) -> Blowfish<N> {
        let start = Schedule { boxes: pi::BOXES, subkeys: pi::SUBKEYS };
        let mut blowfish = Blowfish { schedules: Box::new(std::array::from_fn(|_| start.clone())) };
        blowfish.mix(|lane, place| keys[lane][place]);
        blowfish.expand(Some(salts));
        blowfish
    }

    /// One of the 2^cost rounds: each key, then its salt.
    pub(crate) fn round(&mut self, keys: &[KeyWords; N], salts: &[SaltWords; N]) {
        self.mix(|lane, place| keys[lane][place]);
        self.expand(None);
        self.mix(|lane, place| salts[lane][place % 4]);
        self.expand(None);
    }

    fn mix(&mut self, word: impl Fn(usize, usize) -> u32) {
        for (lane, schedule) in self.schedules.iter_mut().enumerate() {
            for (place, subkey) in schedule.subkeys.iter_mut().enumerate() {
                *subkey ^= word(lane, place);
            }
        }
    }

    /// Replaces all subkeys and boxes by what encrypting zeros again and again gives; with the halves of the salts, in turn,
    /// mixed into what is encrypted.
    #[inline(always)]
    fn expand(&mut self, salts: Option<&[SaltWords; N]>) {
        let mut blocks = [[0; 2]; N];
        for pair in 0..9 {
            salt(&mut blocks, salts, pair);
            self.encrypt(&mut blocks);
            for (schedule, &[left, right]) in self.schedules.iter_mut().zip(&blocks) {
                schedule.subkeys[2 * pair] = left;
                schedule.subkeys[2 * pair + 1] = right;
            }
        }
        for table in 0..4 {
            for pair in 0..128 {
                salt(&mut blocks, salts, 9 + pair);
                self.encrypt(&mut blocks);
                for (schedule, &[left, right]) in self.schedules.iter_mut().zip(&blocks) {
                    schedule.boxes[table][2 * pair] = left;
                    schedule.boxes[table][2 * pair + 1] = right;
                }
            }
        }
    }

    /// Encrypts a block under each key.
    #[inline(always)]
    pub(crate) fn encrypt(&self, blocks: &mut [[u32; 2]; N]) {
        let schedules = &*self.schedules;
        let (mut left, mut right) = ([0; N], [0; N]);
        for lane in 0..N {
            left[lane] = blocks[lane][0] ^ schedules[lane].subkeys[0];
            right[lane] = blocks[lane][1];
        }
        // Written out: a loop would move the halves between registers, and each move is one more step to wait for.
        macro_rules! rounds {
            ($($round:literal)*) => {
                $(
                    for lane in 0..N {
                        let mixed = first::<N>(right[lane] ^ schedules[lane].subkeys[$round]);
                        right[lane] = mixed ^ schedules[lane].substitute(left[lane]);
                    }
                    for lane in 0..N {
                        let mixed = first::<N>(left[lane] ^ schedules[lane].subkeys[$round + 1]);
                        left[lane] = mixed ^ schedules[lane].substitute(right[lane]);
                    }
                )*
            };
        }
        rounds!(1 3 5 7 9 11 13 15);
        for lane in 0..N {
            blocks[lane] = [right[lane] ^ schedules[lane].subkeys[17], left[lane]];
        }
    }
}

impl Schedule {
    #[inline(always)]
    fn substitute(&self, word: u32) -> u32 {
        // Not `to_be_bytes`, which would really turn the word round.
        let [d, c, b, a] = word.to_le_bytes().map(usize::from);
        let [first, second, third, fourth] = &self.boxes;
        (first[a].wrapping_add(second[b]) ^ third[c]).wrapping_add(fourth[d])
    }
}

impl<const N: usize> Drop for Blowfish<N> {
    fn drop(&mut self) {
        for schedule in self.schedules.iter_mut() {
            schedule.boxes.zeroize();
            schedule.subkeys.zeroize();
        }
    }
}

/// A value that is worked out before what it is combined with. For a key alone, the compiler's own order, subkey last, makes
/// each round wait one step longer; measured, a hash took 7 % more. Several keys do not wait for one another.
#[inline(always)]
fn first<const N: usize>(value: u32) -> u32 {
    if N == 1 { std::hint::black_box(value) } else { value }
}

/// Mixes the half of each salt whose turn it is into the blocks.
#[inline(always)]
fn salt<const N: usize>(blocks: &mut [[u32; 2]; N], salts: Option<&[SaltWords; N]>, turn: usize) {
    if let Some(salts) = salts {
        for (block, salt) in blocks.iter_mut().zip(salts) {
            let half = 2 * (turn % 2);
            block[0] ^= salt[half];
            block[1] ^= salt[half + 1];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 / divisor's arc tangent, scaled: `words` of 32 bits behind the point, and one before it.
    fn arc_tangent(divisor: u32, words: usize) -> Vec<u32> {
        let divide = |number: &mut [u32], by: u32| {
            let mut rest = 0u64;
            for word in number {
                let value = rest << 32 | u64::from(*word);
                *word = (value / u64::from(by)) as u32;
                rest = value % u64::from(by);
            }
        };
        let mut power = vec![0; words + 1];
        power[0] = 1;
        divide(&mut power, divisor);
        let mut sum = power.clone();
        let mut odd = 3;
        let mut negative = true;
        while power.iter().any(|&word| word != 0) {
            divide(&mut power, divisor * divisor);
            let mut term = power.clone();
            divide(&mut term, odd);
            let mut carry = 0i64;
            for (word, &part) in sum.iter_mut().zip(&term).rev() {
                let part = i64::from(part);
                let value = i64::from(*word) + if negative { -part } else { part } + carry;
                *word = value as u32;
                carry = value >> 32;
            }
            odd += 2;
            negative = !negative;
        }
        sum
    }

    /// Machin's formula: π = 16 arctan(1/5) − 4 arctan(1/239).
    #[test]
    fn the_tables_are_pi() {
        let count = 18 + 4 * 256;
        let (first, second) = (arc_tangent(5, count + 2), arc_tangent(239, count + 2));
        let mut pi = vec![0; count + 3];
        let mut carry = 0i64;
        for (place, word) in pi.iter_mut().enumerate().rev() {
            let value = 16 * i64::from(first[place]) - 4 * i64::from(second[place]) + carry;
            *word = value as u32;
            carry = value >> 32;
        }
        assert_eq!(pi[0], 3);
        let tables: Vec<u32> = pi::SUBKEYS.into_iter().chain(pi::BOXES.into_iter().flatten()).collect();
        assert_eq!(pi[1..=count], tables);
    }
}
