//! What the guard checks. Read once, by the binding, and shared by both scans.

use std::collections::HashSet;

/// What to do about a key that is dangerous to merge or to query with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The text is refused.
    #[default]
    Refuse,
    /// The text passes, and the report says which part of it to cut out.
    Remove,
    /// Not looked at.
    Ignore,
}

/// What to check.
#[derive(Clone, Debug)]
pub struct Options {
    /// Keys equal to `__proto__`.
    pub proto_key: Policy,
    /// Keys equal to `constructor` whose value is an object with a key `prototype`.
    pub constructor_key: Policy,
    /// Keys that start with `$`.
    pub operator_keys: Policy,
    /// Keys that are refused: their UTF-16 code units.
    pub forbidden: HashSet<Box<[u16]>>,
    /// Whether two equal keys in one object are refused.
    pub refuse_duplicates: bool,
    /// Whether a number is refused that a double cannot hold: an integer that it would round, or one that is infinite.
    pub refuse_lossy: bool,
    /// How large the text's parts may be.
    pub limits: Limits,
}

/// How large a text's parts may be. Lengths of strings are in UTF-16 code units, escapes resolved: as JavaScript has them.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Containers inside each other; `[]` has depth 1.
    pub depth: usize,
    /// Keys in the whole text.
    pub keys: usize,
    /// The length of one key.
    pub key_length: usize,
    /// The length of one string that is no key.
    pub string_length: usize,
    /// The elements of one array.
    pub array_length: usize,
}

/// JavaScript's default: what comes after parsing recurses, and overflows at 800 (class-validator) to 4,200 levels
/// (JSON.stringify).
pub const DEFAULT_DEPTH: usize = 128;

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            depth: DEFAULT_DEPTH,
            keys: usize::MAX,
            key_length: usize::MAX,
            string_length: usize::MAX,
            array_length: usize::MAX,
        }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            proto_key: Policy::Refuse,
            constructor_key: Policy::Refuse,
            operator_keys: Policy::Ignore,
            forbidden: HashSet::new(),
            refuse_duplicates: false,
            refuse_lossy: false,
            limits: Limits::default(),
        }
    }
}
