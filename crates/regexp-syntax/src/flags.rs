//! The flags of a RegExp.

/// The flags of a RegExp that change what it matches. `d` changes only what is returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `i`
    pub ignore_case: bool,
    /// `m`
    pub multiline: bool,
    /// `s`
    pub dot_all: bool,
    /// `u`
    pub unicode: bool,
    /// `v`
    pub unicode_sets: bool,
    /// `y`
    pub sticky: bool,
    /// `g`: a search from inside a surrogate pair starts at the pair, as with `y`.
    pub global: bool,
}

impl Flags {
    /// Reads a RegExp's `flags`. `None` when there is one that this crate does not know.
    pub fn parse(text: &str) -> Option<Flags> {
        let mut flags = Flags::default();
        for flag in text.chars() {
            match flag {
                'i' => flags.ignore_case = true,
                'm' => flags.multiline = true,
                's' => flags.dot_all = true,
                'u' => flags.unicode = true,
                'v' => flags.unicode_sets = true,
                'y' => flags.sticky = true,
                'g' => flags.global = true,
                'd' => {}
                _ => return None,
            }
        }
        Some(flags)
    }
}
