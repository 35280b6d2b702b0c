//! A pattern made smaller for the one question whether it matches somewhere: [`crate::pattern_set`] asks no other.
//!
//! Where a match starts with a loop, there is also one that starts later, with as few iterations as the loop allows; where
//! it ends with one, there is also one that ends earlier. So `[\w.-]{0,50}key\s*=\s*\w{8,}` is asked as `key\s*=\s*\w{8}`.

use holdfast_regexp_syntax::Node;

/// A pattern that matches somewhere in a text exactly if `root`, which is not sticky, does.
pub(crate) fn shorten(root: &Node) -> Node {
    let mut shorter = root.clone();
    // What a loop has captured may be asked for elsewhere.
    if !root.has_reference() {
        trim(&mut shorter, End::First);
        trim(&mut shorter, End::Last);
    }
    shorter
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    First,
    Last,
}

fn trim(node: &mut Node, end: End) {
    match node {
        Node::Empty
        | Node::Class(_)
        | Node::Assertion(_)
        | Node::Look { .. }
        | Node::BackReference { .. } => {}
        Node::Repetition { min: 0, .. } => *node = Node::Empty,
        Node::Repetition { min, max, body, .. } => {
            *max = Some(*min);
            if *min == 1 {
                trim(body, end);
            }
        }
        Node::Capture(_, body) => trim(body, end),
        Node::Alternation(branches) => branches.iter_mut().for_each(|branch| trim(branch, end)),
        Node::Concatenation(parts) => {
            let trim_part = |part: &mut Node| {
                trim(part, end);
                // What has become empty lets the next one come to the end.
                !is_empty(part)
            };
            let _ = match end {
                End::First => parts.iter_mut().find_map(|part| trim_part(part).then_some(())),
                End::Last => parts.iter_mut().rev().find_map(|part| trim_part(part).then_some(())),
            };
        }
    }
}

fn is_empty(node: &Node) -> bool {
    match node {
        Node::Empty => true,
        Node::Capture(_, body) => is_empty(body),
        Node::Concatenation(parts) => parts.iter().all(is_empty),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flags;
    use crate::pattern::{Limits, Pattern};
    use holdfast_regexp_syntax::Characters;

    fn root(source: &str) -> Node {
        let source: Vec<u16> = source.encode_utf16().collect();
        let limits = Limits { backreference_steps: Some(1000), ..Limits::default() };
        let pattern = Pattern::compile(&source, Flags::default(), &Characters::default(), limits);
        pattern.expect("a pattern that compiles").root().clone()
    }

    /// Without the places of loops, which are others in another pattern.
    fn show(node: &Node) -> String {
        let text = format!("{node:?}");
        let mut parts = text.split(", span: Span { ");
        let first = parts.next().unwrap_or_default().to_string();
        parts.fold(first, |shown, part| shown + part.split_once('}').map_or("", |(_, rest)| rest))
    }

    #[test]
    fn loops_at_the_ends_go() {
        for (long, short) in [
            (r"[\w.]{0,50}?key\s*=\s*\w{8,}", r"(?:)key\s*=\s*\w{8}"),
            ("a*b+c*d+e*", "(?:)(?:b){1}c*(?:d){1}(?:)"),
            ("(x|y*)z|w+", "(x|)z|(?:w){1}"),
            (r"\ba*b", r"\ba*b"),
            ("(?=a*)b*", "(?=a*)(?:)"),
            (r"(a+)b\1", r"(a+)b\1"),
        ] {
            assert_eq!(show(&shorten(&root(long))), show(&root(short)), "/{long}/");
        }
    }
}
