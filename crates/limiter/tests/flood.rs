//! More keys than there is room for: what the table promises, and what it costs those who behave.

mod support;

use holdfast_limiter::{Answer, Limiter, Rate};
use proptest::prelude::*;
use support::{Model, Random, Time, seed};

const SECOND: u64 = 1_000_000;

/// `Model` sees what the limiter allowed: its level is how much of the key is used in truth.
fn consume_and_compare(
    limiter: &mut Limiter,
    model: &mut Model,
    rate: &Rate,
    name: u32,
    cost: u64,
    now: u64,
) -> bool {
    let key = limiter.key(&name.to_le_bytes());
    let level = |units: u64| Time::new(units.into(), rate.per_microsecond().into());
    let true_level = model.level(name, now);
    match limiter.consume(key, cost, now) {
        Answer::Taken(after) => {
            let used = model.consume(name, cost, now);
            assert!(used.is_ok(), "key {name} was allowed more than its limit");
            assert!(level(after) >= true_level, "key {name} is taken for less used than it is");
            true
        }
        Answer::Refused(at) => {
            assert!(level(at) >= true_level, "key {name} is taken for less used than it is");
            false
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_key_is_ever_allowed_more_than_its_limit(
        keys in 1..400_usize,
        pressure in 1..12_u64,
        limit in 1..30_u64,
        burst in 1..30_u64,
        pace in 1..2_000_000_u64,
        number in any::<u64>(),
    ) {
        let rate = Rate::new(limit, SECOND, burst).expect("a rate");
        let mut limiter = Limiter::new(rate, keys, &seed(number));
        let mut model = Model::new(limit, SECOND, burst);
        let mut random = Random(number);
        let names = keys as u64 * pressure;
        let mut now = 0_u64;
        for _ in 0..10_000 {
            // So that in some runs cells recover all the time, and in others hardly ever.
            now += random.below(2 * pace / names + 1);
            let name = random.below(names) as u32;
            consume_and_compare(&mut limiter, &mut model, &rate, name, 1 + random.below(3), now);
            if random.below(1000) == 0 {
                let other = random.below(names) as u32;
                let key = limiter.key(&other.to_le_bytes());
                limiter.refund(key, 1, now);
                // Given back or not: what the limiter makes of it is at least what is true.
                model.refund(other, 1, now);
            }
        }
        let most = keys.max(200) * 24 + 4096;
        prop_assert!(limiter.stats().bytes <= most, "{} bytes for {} keys", limiter.stats().bytes, keys);
    }
}

#[test]
fn three_times_as_many_keys_in_use_as_there_is_room_for() {
    const KEYS: u32 = 20_000;
    let rate = Rate::new(100, 60 * SECOND, 100).expect("a rate");
    let mut limiter = Limiter::new(rate, KEYS as usize, &seed(1));
    let mut model = Model::new(100, 60 * SECOND, 100);
    let mut random = Random(1);
    let (mut asked, mut refused, mut off, mut worst) = (0, 0, 0, 0);
    // 60,000 keys that each ask 1.5 times a second in 1.67 that they may: all are in use, at some 10 of 100 tokens.
    for event in 0..1_000_000_u64 {
        let now = event * 12;
        let name = random.below(3 * u64::from(KEYS)) as u32;
        let true_level = model.used(name, now);
        asked += 1;
        if !consume_and_compare(&mut limiter, &mut model, &rate, name, 1, now) {
            refused += 1;
        }
        let key = limiter.key(&name.to_le_bytes());
        let seen = i128::from(limiter.peek(key, now) / rate.interval());
        if seen > true_level + 1 {
            off += 1;
            worst = worst.max(seen - true_level - 1);
        }
    }
    let stats = limiter.stats();
    assert!(stats.bytes <= KEYS as usize * 24);
    assert!(stats.evictions > 0);
    // No key has used more than 30 of its 100 tokens: even where none has a cell of its own, none is refused.
    assert_eq!(refused, 0);
    // The price of it is there to be seen, and not high: 22 tokens of 100.
    assert!(
        (1..=25).contains(&worst),
        "{off} of {asked} were taken for more used than they are, by {worst} tokens at most"
    );
}

#[test]
fn a_key_over_its_limit_stays_refused_through_a_flood() {
    const KEYS: u32 = 20_000;
    let rate = Rate::new(100, 60 * SECOND, 100).expect("a rate");
    for flood_seconds in [0_u64, 1, 30] {
        let mut limiter = Limiter::new(rate, KEYS as usize, &seed(2 + flood_seconds));
        let mut model = Model::new(100, 60 * SECOND, 100);
        // A thousand keys over their limit; then ten keys for each that there is room for.
        for name in 0..1000_u32 {
            for _ in 0..110 {
                consume_and_compare(&mut limiter, &mut model, &rate, name, 1, 0);
            }
        }
        let flood = 10 * KEYS;
        for index in 0..flood {
            let now = u64::from(index) * flood_seconds * SECOND / u64::from(flood);
            let key = limiter.key(&(1_000_000 + index).to_le_bytes());
            limiter.consume(key, 1, now);
        }
        // In half a minute those of the flood recover, each within 0.6 s, as fast as others come.
        assert_eq!(limiter.stats().evictions > 0, flood_seconds < 30, "{:?}", limiter.stats());
        let now = flood_seconds * SECOND;
        for name in 0..1000_u32 {
            let key = limiter.key(&name.to_le_bytes());
            let level = Time::new(limiter.peek(key, now).into(), rate.per_microsecond().into());
            assert!(level >= model.level(name, now), "key {name} after {flood_seconds} s");
            if flood_seconds == 0 {
                assert!(matches!(limiter.consume(key, 1, now), Answer::Refused(_)));
            }
        }
    }
}

#[test]
fn a_flood_refuses_newcomers_only_when_all_cells_of_a_set_are_used_up() {
    // What docs/limiter.md computes: with room for K keys and a burst of B a newcomer is refused only after some K x B tokens.
    const KEYS: u32 = 2000;
    const BURST: u64 = 10;
    let rate = Rate::new(BURST, 3600 * SECOND, BURST).expect("a rate");
    let mut limiter = Limiter::new(rate, KEYS as usize, &seed(9));
    let mut taken = 0_u64;
    for index in 0..100 * KEYS {
        let key = limiter.key(&index.to_le_bytes());
        match limiter.consume(key, 1, 0) {
            Answer::Taken(_) => taken += 1,
            Answer::Refused(_) if taken < u64::from(KEYS) * BURST => panic!("refused after {taken} tokens"),
            Answer::Refused(_) => {}
        }
    }
    // And no more than all cells together hold.
    assert!(taken <= u64::from(KEYS) * BURST * 2);
}
