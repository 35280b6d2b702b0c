//! analyzeRegExp's native side: how a backtracking matcher fares with a pattern, and whether SafeRegExp takes it.

use std::time::Duration;

use holdfast_redos::{Analysis, Attack, Complexity, Limits, Reason, analyze};
use holdfast_regexp::{Flags, Pattern};
use napi::Env;
use napi_derive::napi;

use crate::boundary::{TextArgument, cold};
use crate::regexp::{failure, unsupported};
use crate::regexp_characters::with_characters;

/// What is known of a pattern.
#[napi(object, object_from_js = false)]
pub struct RegExpAnalysis {
    pub complexity: &'static str,
    /// Of a polynomial one; otherwise 0.
    pub degree: u32,
    /// Start and end of each, one after the other, in the pattern's source.
    pub hotspots: Vec<u32>,
    /// Prefix, pump and suffix, in UTF-16 code units; none where there is no attack.
    pub attack: Vec<Vec<u32>>,
    /// Length of a text and steps on it, one after the other.
    pub steps: Vec<f64>,
    /// Why the complexity is unknown; empty where it is not, as what is missing would be looked for in a prototype.
    pub undecided: String,
    /// Why SafeRegExp refuses the pattern; empty where it does not.
    pub refused: String,
}

/// Analyses the `source` and `flags` of a RegExp that V8 has accepted, within so many milliseconds.
#[napi(catch_unwind)]
pub fn redos_analyze(
    env: Env,
    source: TextArgument,
    flags: TextArgument,
    milliseconds: u32,
) -> napi::Result<RegExpAnalysis> {
    cold(&env, || {
        let names = String::from_utf16_lossy(&flags.0);
        let flags =
            Flags::parse(&names).ok_or_else(|| unsupported("a flag that this version does not know"))?;
        let limits = Limits { time: Duration::from_millis(milliseconds.into()) };
        with_characters(|characters| {
            let analysis = analyze(&source.0, flags, characters, limits);
            let compiled = Pattern::compile(&source.0, flags, characters, holdfast_regexp::Limits::default());
            let refused = compiled.and_then(|pattern| pattern.matcher().map(drop)).err();
            Ok(of(analysis, refused.map(|error| failure(error).message().to_string()).unwrap_or_default()))
        })
    })
}

fn of(analysis: Analysis, refused: String) -> RegExpAnalysis {
    let Analysis { complexity, hotspots, attack, steps } = analysis;
    let (name, degree, undecided) = match complexity {
        Complexity::Linear => ("linear", 0, String::new()),
        Complexity::Polynomial(degree) => ("polynomial", degree, String::new()),
        Complexity::Exponential => ("exponential", 0, String::new()),
        Complexity::Unknown(reason) => ("unknown", 0, words(reason)),
    };
    let units = |units: Vec<u16>| units.into_iter().map(u32::from).collect();
    let attack = attack.map(|Attack { prefix, pump, suffix }| [prefix, pump, suffix].map(units).into());
    RegExpAnalysis {
        complexity: name,
        degree,
        hotspots: hotspots.iter().flat_map(|span| [span.start, span.end]).collect(),
        attack: attack.unwrap_or_default(),
        steps: steps.iter().flat_map(|&(_, length, steps)| [length as f64, steps]).collect(),
        undecided,
        refused,
    }
}

/// A reason as a clause.
fn words(reason: Reason) -> String {
    match reason {
        Reason::Unsupported(construct) => format!("the pattern has {construct}"),
        Reason::TooLarge(what) => what.into(),
        Reason::Work => "the pattern is too intricate to be decided within the bound of the analysis".into(),
        Reason::Time => "the analysis took longer than options.timeoutMs".into(),
        Reason::BackReference => "the pattern has a back-reference, and no attack was found".into(),
        Reason::Lookaround => {
            "the pattern has a lookaround that reads far against its direction, and no attack was found"
                .into()
        }
        Reason::EmptyWays => {
            "ways that match nothing multiply, so that RegExp may take for ever on any text".into()
        }
        Reason::Unproven => {
            "ways to match multiply, but no text was found on which that takes many steps".into()
        }
    }
}
