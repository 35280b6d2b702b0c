//! The limiter against exact arithmetic, as long as no key had to make room: every answer, to the unit.

mod support;

use holdfast_limiter::{Answer, Limiter, Rate};
use support::{Model, Random, Time, seed};

const MILLISECOND: u64 = 1000;
const SECOND: u64 = 1_000_000;
const DAY: u64 = 86_400 * SECOND;

/// Limit, window in microseconds, burst.
const RATES: [(u64, u64, u64); 9] = [
    (100, 60 * SECOND, 100),
    (7, SECOND, 7),
    (5, 15 * 60 * SECOND, 5),
    (1, MILLISECOND, 1),
    (1000, SECOND, 50),
    (3, SECOND, 1000),
    // Primes: a microsecond is as many units, and the epoch changes after an hour.
    (999_999_937, DAY / 2400, 1000),
    (999_983, SECOND, 20),
    (1_000_000_000, 366 * DAY, 1_000_000),
];

#[test]
fn a_million_events_have_the_answers_of_exact_arithmetic() {
    for (index, &(limit, window, burst)) in RATES.iter().enumerate() {
        trace(limit, window, burst, 112_000, index as u64);
    }
}

fn trace(limit: u64, window: u64, burst: u64, events: u64, number: u64) {
    let rate = Rate::new(limit, window, burst).expect("a rate");
    let exact = |level: u64| Time::new(level.into(), rate.per_microsecond().into());
    let mut random = Random(number);
    let mut limiter = Limiter::new(rate, 10_000, &seed(number));
    let mut model = Model::new(limit, window, burst);
    let mut now = random.below(DAY);
    let mut refused = 0;
    for event in 0..events {
        now = step(&mut random, now, window / limit + 1);
        // Some keys again and again, others seldom.
        let name = if random.below(2) == 0 { random.below(8) } else { random.below(3000) } as u32;
        let key = limiter.key(&name.to_le_bytes());
        let cost = match random.below(8) {
            0 => random.below(burst + 2),
            1 => burst,
            _ => 1,
        };
        let context = || format!("event {event} of {limit} in {window}, burst {burst}");
        match random.below(32) {
            0 => {
                limiter.refund(key, cost, now);
                model.refund(name, cost, now);
            }
            1 => {
                limiter.reset(key, now);
                model.reset(name);
            }
            _ => match (limiter.consume(key, cost, now), model.consume(name, cost, now)) {
                (Answer::Taken(level), Ok(expected)) => assert_eq!(exact(level), expected, "{}", context()),
                (Answer::Refused(level), Err(expected)) => {
                    refused += 1;
                    assert_eq!(exact(level), expected, "{}", context());
                }
                (answer, expected) => panic!("{answer:?} for {expected:?}: {}", context()),
            },
        }
        assert_eq!(exact(limiter.peek(key, now)), model.level(name, now), "{}", context());
    }
    assert_eq!(limiter.stats().evictions, 0, "with these numbers nothing makes room");
    assert!(refused > events / 1000, "the trace has refusals: {refused}");
}

/// Mostly some tokens further; sometimes no time at all, or back; seldom a day.
fn step(random: &mut Random, now: u64, interval: u64) -> u64 {
    match random.below(1000) {
        0 => now + random.below(DAY),
        1..50 => now.saturating_sub(random.below(3 * interval)),
        50..400 => now,
        400..800 => now + random.below(interval / 4 + 2),
        _ => now + random.below(3 * interval),
    }
}

#[test]
fn tokens_come_back_when_the_answer_said_so() {
    for &(limit, window, burst) in &RATES {
        let rate = Rate::new(limit, window, burst).expect("a rate");
        let mut limiter = Limiter::new(rate, 10, &seed(1));
        let key = limiter.key(b"a");
        assert_eq!(limiter.consume(key, burst, 5), Answer::Taken(rate.capacity()));
        let wait = rate.interval().div_ceil(rate.per_microsecond());
        assert!(matches!(limiter.consume(key, 1, 5 + wait - 1), Answer::Refused(_)));
        assert!(matches!(limiter.consume(key, 1, 5 + wait), Answer::Taken(_)));
    }
}

#[test]
fn a_new_epoch_keeps_every_level() {
    // A microsecond is 999,999,937 units: 2^62 of them are 77 minutes.
    let rate = Rate::new(999_999_937, 1_000 * SECOND, 1_000_000).expect("a rate");
    let mut limiter = Limiter::new(rate, 100, &seed(2));
    let mut model = Model::new(999_999_937, 1_000 * SECOND, 1_000_000);
    let mut now = 0;
    for round in 0..1000_u32 {
        now += 7 * 60 * SECOND;
        let key = limiter.key(&round.to_le_bytes());
        limiter.consume(key, 1_000_000, now);
        model.consume(round, 1_000_000, now).expect("a full bucket");
        for name in round.saturating_sub(5)..=round {
            let key = limiter.key(&name.to_le_bytes());
            let level = Time::new(limiter.peek(key, now).into(), rate.per_microsecond().into());
            assert_eq!(level, model.level(name, now), "key {name} in round {round}");
        }
    }
}

#[test]
fn a_new_epoch_forgets_what_a_flood_left() {
    let rate = Rate::new(999_999_937, 1_000 * SECOND, 1_000_000).expect("a rate");
    let mut limiter = Limiter::new(rate, 1, &seed(2));
    // Full buckets only, and room for 14 of them; the last of these times are in a new epoch.
    for round in 0..20_u64 {
        let now = round * 7 * 60 * SECOND;
        for name in 0..40_u32 {
            let key = limiter.key(&[round as u8, name as u8]);
            let answer = limiter.consume(key, 1_000_000, now);
            assert_eq!(
                answer == Answer::Taken(rate.capacity()),
                name < 14 + 1,
                "key {name} in round {round}"
            );
        }
    }
}

#[test]
fn times_near_the_end_of_64_bits() {
    let rate = Rate::new(999_999_937, 1_000 * SECOND, 1_000_000).expect("a rate");
    let mut limiter = Limiter::new(rate, 10, &seed(2));
    let key = limiter.key(b"a");
    limiter.consume(key, 1, 0);
    let last = u64::MAX / rate.per_microsecond();
    for now in [last - 1, last, last + 1, u64::MAX - 1, u64::MAX] {
        limiter.reset(key, now);
        assert_eq!(limiter.consume(key, 1_000_000, now), Answer::Taken(rate.capacity()), "at {now}");
        assert_eq!(limiter.peek(key, now), rate.capacity());
    }
}

#[test]
fn more_than_a_bucket_holds_is_refused_however_much_it_is() {
    let rate = Rate::new(10, SECOND, 10).expect("a rate");
    let mut limiter = Limiter::new(rate, 10, &seed(3));
    let key = limiter.key(b"a");
    for cost in [11, 1 << 32, u64::MAX / 2, u64::MAX] {
        assert_eq!(limiter.consume(key, cost, 0), Answer::Refused(0), "{cost}");
    }
    assert_eq!(limiter.consume(key, 10, 0), Answer::Taken(rate.capacity()));
    assert_eq!(limiter.consume(key, 0, 0), Answer::Taken(rate.capacity()));
}

#[test]
fn tokens_are_given_back_to_a_key_that_lost_its_cell() {
    let rate = Rate::new(10, 3600 * SECOND, 10).expect("a rate");
    let mut limiter = Limiter::new(rate, 1, &seed(3));
    for name in 0..200_u8 {
        let key = limiter.key(&[name]);
        limiter.consume(key, 5, 0);
    }
    let key = limiter.key(b"another");
    let floor = limiter.peek(key, 0);
    assert!(floor > 0, "a full table, which takes a new key for one that was there");
    limiter.refund(key, 1, 0);
    assert!(limiter.peek(key, 0) <= floor);
    let stats = limiter.stats();
    limiter.refund(limiter.key(b"yet another"), 0, 4 * 3600 * SECOND);
    assert_eq!(limiter.stats().keys, stats.keys, "of a full bucket nothing is kept");
}

#[test]
fn raising_a_level_never_lowers_it() {
    let rate = Rate::new(10, SECOND, 10).expect("a rate");
    let mut limiter = Limiter::new(rate, 10, &seed(3));
    let key = limiter.key(b"a");
    limiter.raise(key, 3 * rate.interval(), 0);
    assert_eq!(limiter.peek(key, 0), 3 * rate.interval());
    limiter.raise(key, rate.interval(), 0);
    assert_eq!(limiter.peek(key, 0), 3 * rate.interval());
    limiter.raise(key, u64::MAX, 0);
    assert_eq!(limiter.peek(key, 0), rate.capacity());
}

#[test]
fn text_of_bytes_and_of_wider_characters_are_different_keys() {
    let limiter = Limiter::new(Rate::new(1, SECOND, 1).expect("a rate"), 10, &seed(4));
    assert_ne!(limiter.key(b"a\0"), limiter.wide_key(&[u16::from(b'a')]));
    assert_ne!(limiter.wide_key(&[0xD800]), limiter.wide_key(&[0xDC00]));
    assert_ne!(limiter.wide_key(&[0xD800]), limiter.wide_key(&[0xFFFD]));
    assert_ne!(limiter.key(b""), limiter.key(b"\0"));
    let other = Limiter::new(Rate::new(1, SECOND, 1).expect("a rate"), 10, &seed(5));
    assert_ne!(limiter.key(b"a"), other.key(b"a"), "another seed, other hashes");
}
