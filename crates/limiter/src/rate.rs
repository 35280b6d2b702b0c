//! A rate in whole numbers: GCRA's emission interval, in units that are chosen so that it is one.

/// The longest that an empty bucket takes to fill again, in microseconds: some 142 years. In units no level is higher
/// either, so that JavaScript's numbers hold it exactly, and twice it.
const MOST_LEVEL: u128 = 1 << 52;

/// The finest units, for a limit of a thousand million: time in them stays within 64 bits for more than an hour, after which
/// the table is moved to a later epoch.
const MOST_PER_MICROSECOND: u128 = 1 << 30;

/// A rate: `limit` tokens for each window, of which `burst` may be taken at once.
///
/// With `limit` and the window in lowest terms, `limit / g` units are a microsecond and a token is `window / g` units: both
/// whole, so that everything computed from them is exact. Where the level of an empty bucket is too high in such units, coarser
/// ones are taken and the emission interval is rounded up: with a burst of a thousand million tokens, by less than a millionth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    interval: u64,
    per_microsecond: u64,
    capacity: u64,
}

impl Rate {
    /// Of `limit` tokens in `window` microseconds. Nothing when a number is 0, or an empty bucket would take longer than 142
    /// years to fill again.
    #[must_use]
    pub fn new(limit: u64, window: u64, burst: u64) -> Option<Rate> {
        if limit == 0 || window == 0 || burst == 0 {
            return None;
        }
        let divisor = gcd(limit, window);
        let (interval, per_microsecond) = (u128::from(window / divisor), u128::from(limit / divisor));
        let exact = Rate::of(interval, per_microsecond, burst);
        if per_microsecond <= MOST_PER_MICROSECOND && exact.is_some() {
            return exact;
        }
        let longest = MOST_LEVEL / u128::from(burst);
        let finest = longest * u128::from(limit) / u128::from(window);
        let per_microsecond = finest.min(MOST_PER_MICROSECOND);
        let interval = (u128::from(window) * per_microsecond).div_ceil(u128::from(limit));
        Rate::of(interval, per_microsecond, burst)
    }

    fn of(interval: u128, per_microsecond: u128, burst: u64) -> Option<Rate> {
        let capacity = interval.checked_mul(u128::from(burst))?;
        if per_microsecond == 0 || capacity > MOST_LEVEL {
            return None;
        }
        Some(Rate {
            interval: u64::try_from(interval).ok()?,
            per_microsecond: u64::try_from(per_microsecond).ok()?,
            capacity: u64::try_from(capacity).ok()?,
        })
    }

    /// Units between one token and the next: the level that a token costs.
    #[must_use]
    pub fn interval(&self) -> u64 {
        self.interval
    }

    /// Units in a microsecond.
    #[must_use]
    pub fn per_microsecond(&self) -> u64 {
        self.per_microsecond
    }

    /// The level of an empty bucket, in units: `burst` tokens.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// The level that `cost` tokens cost. More than a bucket holds is more than any level, but not exact.
    pub(crate) fn price(&self, cost: u64) -> u64 {
        self.interval.saturating_mul(cost).min(2 * self.capacity + 1)
    }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    #[test]
    fn a_rate_is_exact_in_lowest_terms() {
        let of = |limit, window, burst| {
            let rate = Rate::new(limit, window, burst).expect("a rate");
            (rate.interval, rate.per_microsecond, rate.capacity)
        };
        assert_eq!(of(100, 60 * SECOND, 100), (600_000, 1, 60 * SECOND));
        assert_eq!(of(7, SECOND, 7), (SECOND, 7, 7 * SECOND));
        assert_eq!(of(3_000_000, SECOND, 10), (1, 3, 10));
        // A prime.
        assert_eq!(of(999_999_937, 1000, 1), (1000, 999_999_937, 1000));
    }

    #[test]
    fn a_rate_is_rounded_down_by_less_than_a_millionth() {
        for (limit, window, burst) in [
            (999_999_937, SECOND, 999_999_937),
            (999_999_937, 3_600 * SECOND, 1_000_000_000),
            (999_999_937, 366 * 86_400 * SECOND, 999_999_937),
            (1_073_741_789, 86_400 * SECOND, 1_000_000_000),
        ] {
            let rate = Rate::new(limit, window, burst).expect("a rate");
            let (taken, given) = (
                u128::from(rate.interval) * u128::from(limit),
                u128::from(window) * u128::from(rate.per_microsecond),
            );
            assert!(taken >= given, "never faster than what was asked for");
            assert!((taken - given) * 1_000_000 < given, "{limit} in {window}: {taken} for {given}");
            assert!(u128::from(rate.capacity) <= MOST_LEVEL);
            assert_eq!(rate.capacity, rate.interval * burst);
        }
    }

    #[test]
    fn a_bucket_fills_again_within_142_years() {
        let year = 365 * 86_400 * SECOND;
        assert!(Rate::new(1, year, 142).is_some());
        assert!(Rate::new(1, year, 143).is_none());
        assert!(Rate::new(1, year, u64::MAX).is_none());
        assert!(Rate::new(0, 1, 1).is_none());
        assert!(Rate::new(1, 0, 1).is_none());
        assert!(Rate::new(1, 1, 0).is_none());
    }
}
