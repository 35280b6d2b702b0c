//! How fast a number of steps grows with the repetitions of a word.

/// What counting has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Growth {
    /// In proportion, or less.
    Linear,
    Polynomial(u32),
    Exponential,
}

/// Repetitions, and steps.
pub(crate) type Sample = (u32, f64);

/// From here on, whatever comes after has no practical meaning.
const ENORMOUS: f64 = 1e12;

/// Bits by which an exponential number of steps has to grow in a doubling, to be told from a polynomial one.
const CLEAR: f64 = 6.0;

/// The growth in samples of which each has twice the repetitions of the one before. None: it is not clear yet.
/// `limit`: what it can be at most, where that is known.
pub(crate) fn growth(samples: &[Sample], limit: Growth) -> Option<Growth> {
    // By how many bits each doubling multiplies the steps: of nᵈ by d, in the end, and of cⁿ by twice as many each time.
    let bits: Vec<f64> = samples.windows(2).map(|pair| (pair[1].1 / pair[0].1).log2()).collect();
    let doubles = |before: f64, after: f64| after > CLEAR && after > 1.6 * before;
    let is_exponential =
        bits.windows(3).any(|three| doubles(three[0], three[1]) && doubles(three[1], three[2]));
    if limit == Growth::Exponential && is_exponential {
        return Some(Growth::Exponential);
    }
    let [.., before, last] = bits[..] else { return None };
    if let Growth::Polynomial(degree) = limit {
        let (far, near) = ((before - f64::from(degree)).abs(), (last - f64::from(degree)).abs());
        if near < far && near < 0.05 * f64::from(degree) {
            return Some(limit);
        }
    }
    let is_settled = (last - last.round()).abs() < 0.2 && (last - before).abs() < 0.25 && last.round() >= 0.0;
    if !is_settled {
        return None;
    }
    Some(if last.round() <= 1.0 { Growth::Linear } else { Growth::Polynomial(last.round() as u32) })
}

/// Whether samples whose repetitions go up by the same number each time multiply the steps as much each time.
pub(crate) fn multiplies(samples: &[Sample]) -> bool {
    let bits: Vec<f64> = samples.windows(2).map(|pair| (pair[1].1 / pair[0].1).log2()).collect();
    bits.len() >= 3
        && bits.iter().all(|&bits| bits > 0.5)
        && bits.windows(2).all(|pair| pair[1] > 0.93 * pair[0])
}

/// Whether it makes no difference any more how the steps go on.
pub(crate) fn is_enormous(steps: f64) -> bool {
    steps > ENORMOUS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(steps: impl Fn(f64) -> f64) -> Vec<Sample> {
        (0..9).map(|power| 4 << power).map(|n: u32| (n, steps(f64::from(n)))).collect()
    }

    fn told(samples: &[Sample]) -> Option<Growth> {
        growth(samples, Growth::Exponential)
    }

    #[test]
    fn growth_is_told() {
        assert_eq!(told(&samples(|n| 7.0 * n + 300.0)), Some(Growth::Linear));
        assert_eq!(told(&samples(|n| n * n / 2.0 + 20.0 * n)), Some(Growth::Polynomial(2)));
        assert_eq!(told(&samples(|n| n.powi(3) / 6.0 + n * n)), Some(Growth::Polynomial(3)));
        assert_eq!(told(&samples(|n| n.powi(21))), Some(Growth::Polynomial(21)));
        assert_eq!(told(&samples(|n| 1.3f64.powf(n))), Some(Growth::Exponential));
        assert_eq!(told(&samples(|n| n * 2f64.powf(n / 3.0))[..7]), Some(Growth::Exponential));
        assert_eq!(told(&samples(|_| 5.0)), Some(Growth::Linear));
        assert_eq!(told(&samples(|n| n * n)[..2]), None);
        assert_eq!(growth(&samples(|n| 1.3f64.powf(n)), Growth::Polynomial(2)), None);
        assert_eq!(
            growth(&samples(|n| (1..22).map(|i| n + f64::from(i)).product())[..8], Growth::Polynomial(21)),
            Some(Growth::Polynomial(21))
        );
        // Up to a bound, and then no more.
        assert_eq!(told(&samples(|n| n * n.min(60.0))), Some(Growth::Linear));
    }

    #[test]
    fn few_samples_tell_what_multiplies() {
        let steps = |steps: &dyn Fn(f64) -> f64| (4..9).map(|n| (n, steps(f64::from(n)))).collect::<Vec<_>>();
        assert!(multiplies(&steps(&|n| 7.0 * 2f64.powf(n))));
        assert!(!multiplies(&steps(&|n| n.powi(4))));
        assert!(!multiplies(&steps(&|_| 4.0)));
    }
}
