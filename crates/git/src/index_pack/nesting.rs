//! How deep the trees of an incoming pack are nested in each other.
//!
//! Only trees of the pack count, as they do for Git, which looks at the depth when it walks through what is new. Nothing here
//! relies on trees being shallow: it is other programs that refuse to go deeper.

use gix::hash::oid;

/// How many names of trees in trees are held, eight bytes each; a pack that has more is not checked.
const NAMED_MAX: usize = 1 << 24;

/// Which trees of a pack name which others; of each id the first eight bytes.
#[derive(Default)]
pub(super) struct Nesting {
    /// The trees, and where what they name begins.
    trees: Vec<(u64, usize)>,
    named: Vec<u64>,
}

fn prefix(id: &oid) -> u64 {
    u64::from_be_bytes(id.as_bytes()[..8].try_into().expect("an id is longer"))
}

impl Nesting {
    /// Adds a tree; what it names comes next.
    pub(super) fn tree(&mut self, id: &oid) {
        self.trees.push((prefix(id), self.named.len()));
    }

    /// Adds a tree that the last one names.
    pub(super) fn name(&mut self, id: &oid) {
        if self.named.len() <= NAMED_MAX {
            self.named.push(prefix(id));
        }
    }

    /// Adds what another thread found.
    pub(super) fn merge(&mut self, other: Self) {
        let shift = self.named.len();
        self.trees.extend(other.trees.into_iter().map(|(tree, start)| (tree, start + shift)));
        self.named.extend(other.named);
    }

    /// Tells whether a tree lies below more than `depth_max` others.
    pub(super) fn is_deeper_than(&self, depth_max: usize) -> bool {
        // The deepest has so many above it, and each is another one.
        if self.trees.len() <= depth_max || self.named.len() > NAMED_MAX {
            return false;
        }
        let graph = Graph::of(self);
        let mut heights = vec![Height::Unknown; graph.trees.len()];
        let mut way = Vec::new();
        for start in 0..graph.trees.len() {
            if heights[start] == Height::Unknown {
                way.push((start, graph.named(start), 0));
                heights[start] = Height::Open;
            }
            while let Some((tree, named, height)) = way.last_mut() {
                let Some((first, rest)) = named.split_first() else {
                    let (tree, height) = (*tree, *height);
                    if height > depth_max {
                        return true;
                    }
                    heights[tree] = Height::Of(height);
                    way.pop();
                    if let Some((_, _, above)) = way.last_mut() {
                        *above = (*above).max(height + 1);
                    }
                    continue;
                };
                *named = rest;
                let Some(child) = graph.find(*first) else { continue };
                match heights[child] {
                    Height::Of(below) => *height = (*height).max(below + 1),
                    // Only ids that begin alike make a tree contain itself.
                    Height::Open => return true,
                    Height::Unknown => {
                        heights[child] = Height::Open;
                        way.push((child, graph.named(child), 0));
                    }
                }
            }
        }
        false
    }
}

/// How many levels of trees are below a tree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Height {
    Unknown,
    /// It is being found out.
    Open,
    Of(usize),
}

/// The trees sorted by their ids.
struct Graph<'n> {
    nesting: &'n Nesting,
    /// The trees, and where what they name begins and ends.
    trees: Vec<(u64, usize, usize)>,
    /// Where the trees begin whose ids have the same first two bytes.
    buckets: Vec<usize>,
}

impl<'n> Graph<'n> {
    fn of(nesting: &'n Nesting) -> Self {
        let ends = nesting.trees.iter().skip(1).map(|(_, start)| *start).chain([nesting.named.len()]);
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

    fn named(&self, tree: usize) -> &'n [u64] {
        let (_, start, end) = self.trees[tree];
        &self.nesting.named[start..end]
    }

    fn find(&self, prefix: u64) -> Option<usize> {
        let bucket = usize::try_from(prefix >> 48).expect("two bytes");
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
    fn the_longest_way_down_counts() {
        let id = |number: u16| {
            let mut bytes = [0; 20];
            bytes[..2].copy_from_slice(&number.wrapping_mul(40_503).to_be_bytes());
            bytes[6..8].copy_from_slice(&number.to_be_bytes());
            ObjectId::from_bytes_or_panic(&bytes)
        };
        // Each tree names the next one, the one after it, and one that is not in the pack; in any order.
        for step in [1, 7, 999] {
            let mut nesting = Nesting::default();
            let mut other = Nesting::default();
            for at in 0..1_000_u16 {
                let number = u16::try_from(u32::from(at) * step % 1_000).expect("less than a thousand");
                let half = if at % 2 == 0 { &mut nesting } else { &mut other };
                half.tree(&id(number));
                for below in [number + 1, number + 2, 5_000].into_iter().filter(|below| *below != 1_001) {
                    half.name(&id(below));
                }
            }
            nesting.merge(other);
            assert!(!nesting.is_deeper_than(999), "{step}");
            assert!(nesting.is_deeper_than(998), "{step}");
            assert!(!Nesting::default().is_deeper_than(0));
        }
    }
}
