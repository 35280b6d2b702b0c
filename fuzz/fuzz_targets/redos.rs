//! A pattern and flags from bytes: no panic, an answer within bounds, and every attack one whose steps grow. That the answers
//! are right is tested in the crate, against counting.
#![no_main]

use std::time::Duration;

use holdfast_redos::{Analysis, Complexity, Limits, Reason, analyze};
use holdfast_regexp_syntax::{Characters, Flags};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (source, flags) = input;
    let Some(flags) = Flags::parse(flags) else { return };
    let source: Vec<u16> = source.encode_utf16().collect();
    let limits = Limits { time: Duration::from_secs(60) };
    let Analysis { complexity, hotspots, attack, steps } = analyze(&source, flags, &Characters::default(), limits);
    // Work is bounded so that the time never is what ends it.
    assert_ne!(complexity, Complexity::Unknown(Reason::Time));
    let is_attack = matches!(complexity, Complexity::Polynomial(_) | Complexity::Exponential);
    assert_eq!(attack.is_some(), is_attack);
    if let Some(attack) = attack {
        assert!(!attack.pump.is_empty());
        assert!(steps.len() >= 2 && steps.windows(2).all(|pair| pair[0].1 < pair[1].1 && pair[0].2 < pair[1].2));
        assert!(!matches!(complexity, Complexity::Polynomial(0 | 1)));
    }
    for span in hotspots {
        assert!(is_attack && span.start < span.end && span.end as usize <= source.len());
    }
});
