//! The graph of a list of commits: a drawing for each row, whose lines go on in the rows below and above.

use std::fmt::Write;

use askama::filters::Safe;

/// Lines beside each other; more are drawn over each other.
const LANES_MAX: usize = 16;

/// Distance of two lines.
const WIDTH: usize = 14;

/// Height of a row; the drawing is stretched to that of its row.
const HEIGHT: usize = 40;

/// Classes of colours.
const COLOURS: usize = 10;

/// Draws commits, given by their ids and the ids of their parents, newest first.
pub(crate) fn draw<'c>(commits: impl Iterator<Item = (&'c str, &'c [String])>) -> Vec<Safe<String>> {
    let rows = arrange(commits);
    let lanes = rows.iter().map(|row| row.lanes).max().unwrap_or(1).min(LANES_MAX);
    rows.iter().map(|row| row.draw(lanes)).collect()
}

/// A row: the lane of its commit, and the lines through it.
#[derive(Debug, PartialEq, Eq)]
struct GraphRow {
    lane: usize,
    /// Lanes of lines that come from above and end at the commit.
    into: Vec<usize>,
    /// Lanes of lines that start at the commit and go on below.
    out: Vec<usize>,
    /// Lanes of lines that pass.
    past: Vec<usize>,
    lanes: usize,
}

/// Gives each line between a commit and a parent a lane, which it keeps to its end.
fn arrange<'c>(commits: impl Iterator<Item = (&'c str, &'c [String])>) -> Vec<GraphRow> {
    // The commit that the line of each lane leads to.
    let mut lanes: Vec<Option<&str>> = Vec::new();
    let mut rows = Vec::new();
    for (id, parents) in commits {
        let into: Vec<usize> = (0..lanes.len()).filter(|lane| lanes[*lane] == Some(id)).collect();
        let lane = into.first().copied().unwrap_or_else(|| free(&mut lanes));
        for ended in &into {
            lanes[*ended] = None;
        }
        let past: Vec<usize> = (0..lanes.len()).filter(|lane| lanes[*lane].is_some()).collect();
        let mut out = Vec::new();
        for (index, parent) in parents.iter().enumerate() {
            let known = lanes.iter().position(|waiting| *waiting == Some(parent.as_str()));
            let below = known.unwrap_or_else(|| if index == 0 { lane } else { free(&mut lanes) });
            lanes[below] = Some(parent);
            out.push(below);
        }
        let lanes_count = lanes.len().max(lane + 1);
        rows.push(GraphRow { lane, into, out, past, lanes: lanes_count });
        while lanes.last().is_some_and(Option::is_none) {
            lanes.pop();
        }
    }
    rows
}

/// Returns a lane without a line.
fn free(lanes: &mut Vec<Option<&str>>) -> usize {
    lanes.iter().position(Option::is_none).unwrap_or_else(|| {
        lanes.push(None);
        lanes.len() - 1
    })
}

impl GraphRow {
    fn draw(&self, lanes: usize) -> Safe<String> {
        let x = |lane: usize| lane.min(LANES_MAX - 1) * WIDTH + WIDTH / 2;
        let (middle, own) = (HEIGHT / 2, x(self.lane));
        let width = lanes * WIDTH;
        let mut svg = format!(
            "<svg class=\"graph\" width=\"{width}\" height=\"{HEIGHT}\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
        );
        let mut path = |lane: usize, line: std::fmt::Arguments<'_>| {
            write!(svg, "<path class=\"s{}\" vector-effect=\"non-scaling-stroke\" d=\"{line}\"/>", lane % COLOURS)
                .expect("a string accepts all text");
        };
        for lane in &self.past {
            path(*lane, format_args!("M{} 0V{HEIGHT}", x(*lane)));
        }
        for lane in &self.into {
            path(*lane, format_args!("M{0} 0C{0} {1} {own} 0 {own} {middle}", x(*lane), middle / 2));
        }
        for lane in &self.out {
            path(
                *lane,
                format_args!("M{own} {middle}C{own} {HEIGHT} {0} {1} {0} {HEIGHT}", x(*lane), middle + middle / 2),
            );
        }
        let colour = self.lane % COLOURS;
        write!(
            svg,
            "<path class=\"node s{colour}\" vector-effect=\"non-scaling-stroke\" d=\"M{own} {middle}h0\"/></svg>"
        )
        .expect("a string accepts all text");
        Safe(svg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(history: &[(&str, &[&str])]) -> Vec<GraphRow> {
        let owned: Vec<(&str, Vec<String>)> = history
            .iter()
            .map(|(id, parents)| (*id, parents.iter().map(|parent| (*parent).to_owned()).collect()))
            .collect();
        arrange(owned.iter().map(|(id, parents)| (*id, parents.as_slice())))
    }

    #[test]
    fn a_line_of_commits_has_one_lane() {
        let rows = rows(&[("c", &["b"]), ("b", &["a"]), ("a", &[])]);
        assert!(rows.iter().all(|row| row.lane == 0 && row.lanes == 1 && row.past.is_empty()), "{rows:?}");
        assert_eq!((rows[0].into.len(), rows[2].out.len()), (0, 0));
    }

    #[test]
    fn a_merge_opens_a_lane_that_ends_at_the_common_ancestor() {
        let rows = rows(&[("m", &["b", "c"]), ("c", &["a"]), ("b", &["a"]), ("a", &[])]);
        let seen: Vec<_> = rows.iter().map(|row| (row.lane, &row.into[..], &row.out[..], &row.past[..])).collect();
        let expected: [(usize, &[usize], &[usize], &[usize]); 4] =
            [(0, &[], &[0, 1], &[]), (1, &[1], &[1], &[0]), (0, &[0], &[1], &[1]), (1, &[1], &[], &[])];
        assert_eq!(seen, expected);
    }

    #[test]
    fn an_octopus_and_many_tips_are_drawn() {
        let tips: Vec<String> = (0..40).map(|number| format!("t{number}")).collect();
        let names: Vec<&str> = tips.iter().map(String::as_str).collect();
        let mut history: Vec<(&str, &[&str])> = vec![("octopus", &names)];
        history.extend(names.iter().map(|tip| (*tip, ["root"].as_slice())));
        history.push(("root", &[]));
        let drawn = rows(&history);
        assert_eq!(drawn[0].out.len(), 40);
        let last = drawn.last().expect("there are rows");
        assert_eq!(last.past, [0_usize; 0]);
        assert!(drawn[0].draw(LANES_MAX).0.contains("width=\"224\""));
    }
}
