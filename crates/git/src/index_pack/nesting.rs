//! The nesting depth of the trees of an incoming pack.
//!
//! Only trees of the pack count, as in Git, which checks the depth while it walks over new objects. Nothing in this crate
//! depends on the depth; other programs fail on deeper trees.

use gix::hash::oid;

/// The maximum number of links between trees, of eight bytes each; a pack with more is not checked.
const LINKS_MAX: usize = 1 << 24;

/// The links between the trees of a pack, by the first eight bytes of each id.
#[derive(Default)]
pub(super) struct Nesting {
    /// The trees, each with the position of its first link.
    trees: Vec<(u64, usize)>,
    links: Vec<u64>,
}

fn prefix(id: &oid) -> u64 {
    u64::from_be_bytes(id.as_bytes()[..8].try_into().expect("an id has 20 bytes"))
}

impl Nesting {
    /// Adds a tree; its links follow.
    pub(super) fn add_tree(&mut self, id: &oid) {
        self.trees.push((prefix(id), self.links.len()));
    }

    /// Adds a link from the last tree.
    pub(super) fn add_link(&mut self, id: &oid) {
        if self.links.len() <= LINKS_MAX {
            self.links.push(prefix(id));
        }
    }

    /// Adds the trees that another thread found.
    pub(super) fn merge(&mut self, other: Self) {
        let shift = self.links.len();
        self.trees.extend(other.trees.into_iter().map(|(tree, start)| (tree, start + shift)));
        self.links.extend(other.links);
    }

    /// Returns whether a tree is below more than `depth_max` others.
    pub(super) fn is_deeper_than(&self, depth_max: usize) -> bool {
        // All ancestors of the deepest tree are different trees.
        if self.trees.len() <= depth_max || self.links.len() > LINKS_MAX {
            return false;
        }
        let graph = TreeGraph::of(self);
        let mut heights = vec![Height::Unknown; graph.trees.len()];
        let mut path = Vec::new();
        for start in 0..graph.trees.len() {
            if heights[start] == Height::Unknown {
                path.push((start, graph.links(start), 0));
                heights[start] = Height::Open;
            }
            while let Some((tree, links, height)) = path.last_mut() {
                let Some((first, rest)) = links.split_first() else {
                    let (tree, height) = (*tree, *height);
                    if height > depth_max {
                        return true;
                    }
                    heights[tree] = Height::Of(height);
                    path.pop();
                    if let Some((_, _, above)) = path.last_mut() {
                        *above = (*above).max(height + 1);
                    }
                    continue;
                };
                *links = rest;
                let Some(child) = graph.find(*first) else { continue };
                match heights[child] {
                    Height::Of(below) => *height = (*height).max(below + 1),
                    // Only ids with the same prefix make a tree contain itself.
                    Height::Open => return true,
                    Height::Unknown => {
                        heights[child] = Height::Open;
                        path.push((child, graph.links(child), 0));
                    }
                }
            }
        }
        false
    }
}

/// The number of levels of trees below a tree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Height {
    Unknown,
    /// The tree is on the current path.
    Open,
    Of(usize),
}

/// The trees, sorted by their ids.
struct TreeGraph<'n> {
    nesting: &'n Nesting,
    /// The trees, each with the range of its links.
    trees: Vec<(u64, usize, usize)>,
    /// The position of the first tree for each value of the first two bytes.
    buckets: Vec<usize>,
}

impl<'n> TreeGraph<'n> {
    fn of(nesting: &'n Nesting) -> Self {
        let ends = nesting.trees.iter().skip(1).map(|(_, start)| *start).chain([nesting.links.len()]);
        let mut trees: Vec<_> =
            nesting.trees.iter().zip(ends).map(|((tree, start), end)| (*tree, *start, end)).collect();
        trees.sort_unstable();
        let mut buckets = Vec::with_capacity((1 << 16) + 1);
        let mut at = 0;
        for bucket in 0..=1 << 16 {
            while trees.get(at).is_some_and(|(tree, ..)| tree >> 48 < bucket) {
                at += 1;
            }
            buckets.push(at);
        }
        Self { nesting, trees, buckets }
    }

    fn links(&self, tree: usize) -> &'n [u64] {
        let (_, start, end) = self.trees[tree];
        &self.nesting.links[start..end]
    }

    fn find(&self, prefix: u64) -> Option<usize> {
        let bucket = usize::try_from(prefix >> 48).expect("a number of two bytes");
        let (start, end) = (self.buckets[bucket], self.buckets[bucket + 1]);
        let at = start + self.trees[start..end].partition_point(|(tree, ..)| *tree < prefix);
        (at < end && self.trees[at].0 == prefix).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gix::ObjectId;

    #[test]
    fn the_longest_path_counts() {
        let id = |number: u16| {
            let mut bytes = [0; 20];
            bytes[..2].copy_from_slice(&number.wrapping_mul(40_503).to_be_bytes());
            bytes[6..8].copy_from_slice(&number.to_be_bytes());
            ObjectId::from_bytes_or_panic(&bytes)
        };
        // Each tree refers to the next one, the one after it, and one that is not in the pack; in any order.
        for step in [1, 7, 999] {
            let mut nesting = Nesting::default();
            let mut other = Nesting::default();
            for at in 0..1_000_u16 {
                let number = u16::try_from(u32::from(at) * step % 1_000).expect("less than a thousand");
                let half = if at % 2 == 0 { &mut nesting } else { &mut other };
                half.add_tree(&id(number));
                for below in [number + 1, number + 2, 5_000].into_iter().filter(|below| *below != 1_001) {
                    half.add_link(&id(below));
                }
            }
            nesting.merge(other);
            assert!(!nesting.is_deeper_than(999), "{step}");
            assert!(nesting.is_deeper_than(998), "{step}");
            assert!(!Nesting::default().is_deeper_than(0));
        }
    }
}
