//! The strongly connected components of a graph: Tarjan's algorithm (1972), without recursion.

use crate::budget::{Budget, Exhausted};

/// Of each node the number of its component. A component has a higher number than those it leads to.
pub(crate) fn components<'g, E: 'g>(
    nodes: usize,
    edges: impl Fn(usize) -> &'g [E],
    to: impl Fn(&E) -> usize,
    budget: &mut Budget,
) -> Result<Vec<u32>, Exhausted> {
    const UNSEEN: u32 = u32::MAX;
    let mut component = vec![UNSEEN; nodes];
    let mut index = vec![UNSEEN; nodes];
    let mut low = vec![UNSEEN; nodes];
    let (mut next_index, mut next_component) = (0, 0);
    let mut open: Vec<usize> = Vec::new();
    // Nodes whose edges are being followed, with how many have been.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for root in 0..nodes {
        if index[root] != UNSEEN {
            continue;
        }
        path.push((root, 0));
        while let Some(&mut (node, ref mut followed)) = path.last_mut() {
            budget.spend(2)?;
            if *followed == 0 && index[node] == UNSEEN {
                (index[node], low[node]) = (next_index, next_index);
                next_index += 1;
                open.push(node);
            }
            if let Some(edge) = edges(node).get(*followed) {
                *followed += 1;
                let target = to(edge);
                if index[target] == UNSEEN {
                    path.push((target, 0));
                } else if component[target] == UNSEEN {
                    low[node] = low[node].min(index[target]);
                }
                continue;
            }
            path.pop();
            if let Some(&(parent, _)) = path.last() {
                low[parent] = low[parent].min(low[node]);
            }
            if low[node] == index[node] {
                while let Some(member) = open.pop() {
                    component[member] = next_component;
                    if member == node {
                        break;
                    }
                }
                next_component += 1;
            }
        }
    }
    Ok(component)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn reaches(edges: &[Vec<usize>], from: usize, to: usize) -> bool {
        let mut seen = vec![false; edges.len()];
        let mut stack = vec![from];
        while let Some(node) = stack.pop() {
            if node == to {
                return true;
            }
            if !std::mem::replace(&mut seen[node], true) {
                stack.extend(&edges[node]);
            }
        }
        false
    }

    proptest! {
        #[test]
        fn nodes_share_a_component_when_each_reaches_the_other(
            pairs in prop::collection::vec((0usize..9, 0usize..9), 0..20),
        ) {
            let mut edges = vec![Vec::new(); 9];
            for (from, to) in pairs {
                edges[from].push(to);
            }
            let mut budget = Budget::new(1 << 20, Budget::deadline(Duration::from_secs(60)));
            let component = components(9, |node| &edges[node], |&to| to, &mut budget).expect("enough");
            for from in 0..9 {
                for to in 0..9 {
                    let both = reaches(&edges, from, to) && reaches(&edges, to, from);
                    prop_assert_eq!(component[from] == component[to], both);
                    if reaches(&edges, from, to) {
                        prop_assert!(component[from] >= component[to]);
                    }
                }
            }
        }
    }
}
