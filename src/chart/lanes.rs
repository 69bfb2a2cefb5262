//! Where labels go, so that none lies on another, and no marker's line runs through one.

/// The room a label leaves on each side, in pixels.
const GAP: f32 = 6.0;

/// A label that wants a place: its marker's line is at `x`.
#[derive(Debug, Clone, Copy)]
pub(super) struct LabelBox {
    pub(super) x: f32,
    pub(super) width: f32,
}

/// A label's place: the lane, counted from the bottom, and where it begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spot {
    pub(super) lane: usize,
    pub(super) start: f32,
}

struct Placed {
    spot: Spot,
    end: f32,
    line: f32,
}

impl Placed {
    /// True when both labels cannot be there, or the line of one runs through the other on its way down.
    fn disturbs(&self, other: &Placed) -> bool {
        let same_lane = self.spot.lane == other.spot.lane;
        let apart = self.end + GAP <= other.spot.start || other.end + GAP <= self.spot.start;
        let crosses = |label: &Placed, line: &Placed| {
            line.spot.lane > label.spot.lane && line.line > label.spot.start - 2.0 && line.line < label.end + 2.0
        };
        (same_lane && !apart) || crosses(self, other) || crosses(other, self)
    }
}

/// A place for each label, the first one first; `None` where there is none left between `left` and `right`.
pub(super) fn place(boxes: &[LabelBox], lanes: usize, left: f32, right: f32) -> Vec<Option<Spot>> {
    let mut placed: Vec<Placed> = Vec::new();
    let mut spots = Vec::new();
    for label in boxes {
        let starts = [label.x + GAP, label.x - GAP - label.width];
        let candidates = (0..lanes).flat_map(|lane| starts.map(|start| Spot { lane, start }));
        let fitting = candidates.filter(|spot| spot.start >= left && spot.start + label.width <= right);
        let mut places = fitting.map(|spot| Placed { spot, end: spot.start + label.width, line: label.x });
        let found = places.find(|candidate| !placed.iter().any(|other| candidate.disturbs(other)));
        spots.push(found.as_ref().map(|label| label.spot));
        placed.extend(found);
    }
    spots
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn neighbours_share_a_lane_or_rise() {
        let label = |x| LabelBox { x, width: 50.0 };
        let spots = place(&[label(10.0), label(100.0), label(96.0), label(110.0)], 3, 0.0, 400.0);
        assert_eq!(spots[0], Some(Spot { lane: 0, start: 16.0 }));
        assert_eq!(spots[1], Some(Spot { lane: 0, start: 106.0 }));
        assert_eq!(spots[2].unwrap().lane, 1);
        assert_eq!(spots[3], None, "its line would run through the second label in every lane");
    }

    #[test]
    fn a_label_at_the_right_edge_stands_left_of_its_line() {
        assert_eq!(place(&[LabelBox { x: 95.0, width: 40.0 }], 1, 0.0, 100.0), [Some(Spot { lane: 0, start: 49.0 })]);
    }

    #[test]
    fn what_does_not_fit_gets_no_place() {
        let crowd = [LabelBox { x: 50.0, width: 90.0 }; 4];
        assert_eq!(place(&crowd, 2, 0.0, 200.0).iter().flatten().count(), 2);
    }

    proptest! {
        #[test]
        fn no_label_lies_on_another_or_under_a_line(boxes in prop::collection::vec((0.0f32..900.0, 20.0f32..200.0), 0..30)) {
            let boxes: Vec<LabelBox> = boxes.into_iter().map(|(x, width)| LabelBox { x, width }).collect();
            let spots = place(&boxes, 4, 0.0, 900.0);
            let placed: Vec<(LabelBox, Spot)> = boxes.iter().zip(&spots).filter_map(|(label, spot)| Some((*label, (*spot)?))).collect();
            for (at, (label, spot)) in placed.iter().enumerate() {
                prop_assert!(spot.start >= 0.0 && spot.start + label.width <= 900.0);
                for (other_label, other) in &placed[at + 1..] {
                    let apart = spot.start + label.width <= other.start || other.start + other_label.width <= spot.start;
                    prop_assert!(spot.lane != other.lane || apart);
                    if other.lane > spot.lane {
                        prop_assert!(other_label.x <= spot.start || other_label.x >= spot.start + label.width);
                    }
                }
            }
        }
    }
}
