//! Where labels go, so that none lies on another, and no marker's line runs through one.

/// The room a label leaves on each side, in pixels.
const GAP: f32 = 6.0;

/// A label that wants a place: its marker's line is at `x`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
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
pub(super) fn place(wishes: &[Wish], lanes: usize, left: f32, right: f32) -> Vec<Option<Spot>> {
    let mut placed: Vec<Placed> = Vec::new();
    let mut spots = Vec::new();
    for wish in wishes {
        let starts = [wish.x + GAP, wish.x - GAP - wish.width];
        let candidates = (0..lanes).flat_map(|lane| starts.map(|start| Spot { lane, start }));
        let fitting = candidates.filter(|spot| spot.start >= left && spot.start + wish.width <= right);
        let mut places = fitting.map(|spot| Placed { spot, end: spot.start + wish.width, line: wish.x });
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
        let wish = |x| Wish { x, width: 50.0 };
        let spots = place(&[wish(10.0), wish(100.0), wish(96.0), wish(110.0)], 3, 0.0, 400.0);
        assert_eq!(spots[0], Some(Spot { lane: 0, start: 16.0 }));
        assert_eq!(spots[1], Some(Spot { lane: 0, start: 106.0 }));
        assert_eq!(spots[2].unwrap().lane, 1);
        assert_eq!(spots[3], None, "its line would run through the second label in every lane");
    }

    #[test]
    fn a_label_at_the_right_edge_stands_left_of_its_line() {
        assert_eq!(place(&[Wish { x: 95.0, width: 40.0 }], 1, 0.0, 100.0), [Some(Spot { lane: 0, start: 49.0 })]);
    }

    #[test]
    fn what_does_not_fit_gets_no_place() {
        let crowd = [Wish { x: 50.0, width: 90.0 }; 4];
        assert_eq!(place(&crowd, 2, 0.0, 200.0).iter().flatten().count(), 2);
    }

    proptest! {
        #[test]
        fn no_label_lies_on_another_or_under_a_line(wishes in prop::collection::vec((0.0f32..900.0, 20.0f32..200.0), 0..30)) {
            let wishes: Vec<Wish> = wishes.into_iter().map(|(x, width)| Wish { x, width }).collect();
            let spots = place(&wishes, 4, 0.0, 900.0);
            let placed: Vec<(Wish, Spot)> = wishes.iter().zip(&spots).filter_map(|(wish, spot)| Some((*wish, (*spot)?))).collect();
            for (at, (wish, spot)) in placed.iter().enumerate() {
                prop_assert!(spot.start >= 0.0 && spot.start + wish.width <= 900.0);
                for (other_wish, other) in &placed[at + 1..] {
                    let apart = spot.start + wish.width <= other.start || other.start + other_wish.width <= spot.start;
                    prop_assert!(spot.lane != other.lane || apart);
                    if other.lane > spot.lane {
                        prop_assert!(other_wish.x <= spot.start || other_wish.x >= spot.start + wish.width);
                    }
                }
            }
        }
    }
}
