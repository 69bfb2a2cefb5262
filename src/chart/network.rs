//! The ways through the network as a picture: from the function, hop by hop, to what it must reach; where one breaks, it is marked.

use super::draw::{Chart, NAME, SMALL, Size, TITLE};
use super::face::fitted;
use super::svg::{Ink, Svg, Type};
use crate::model::{Investigation, PathState};
use crate::redact::SafeText;
use crate::report::{Report, ReportedHop, ReportedPath, paths};

/// The height of a hop: its name, and below it what it does.
const HOP: f32 = 40.0;
/// The height of a way's title.
const HEAD: f32 = 44.0;
const MARGIN: f32 = 24.0;
/// How far a hop's text is right of its mark.
const INDENT: f32 = 20.0;

/// Draws the ways through the network; `None` where all are reached, or nobody looked.
#[must_use]
pub fn network(investigation: &Investigation, size: Size) -> Option<Chart> {
    let report = Report::new(investigation);
    let ways = paths::worth_showing(&report);
    if ways.is_empty() {
        return None;
    }
    let described = ways.iter().map(described).collect::<Vec<_>>().join(". ");
    let description = SafeText::redact(&format!("The way through the network. {described}."));
    Some(Chart { svg: drawn(ways, size, description.as_str()), description })
}

fn described(path: &ReportedPath) -> String {
    let broken = path.hops.iter().find(|hop| hop.state == PathState::Blocked).map(paths::hop);
    match broken {
        Some(hop) => format!("{}, at {hop}", paths::title(path)),
        None => paths::title(path).into(),
    }
}

fn drawn(ways: &[ReportedPath], size: Size, description: &str) -> String {
    let wide = size.width();
    let tall = |path: &ReportedPath| HEAD + path.hops.len() as f32 * HOP;
    let height = ways.iter().map(tall).sum::<f32>() + MARGIN;
    let mut svg = Svg::default();
    svg.rect(0.0, 0.0, wide, height, Ink::Ground);
    let mut top = 0.0;
    for path in ways {
        way(&mut svg, path, top, wide);
        top += tall(path);
    }
    svg.finish(wide, height, description)
}

fn way(svg: &mut Svg, path: &ReportedPath, top: f32, wide: f32) {
    let room = wide - 2.0 * MARGIN;
    svg.text(MARGIN, top + 30.0, &fitted(&paths::title(path), room, TITLE.size, true), TITLE);
    let x = MARGIN + 6.0;
    let first = top + HEAD + 8.0;
    let at = |nth: usize| first + nth as f32 * HOP;
    let mut is_broken = false;
    for (nth, hop) in path.hops.iter().enumerate() {
        if nth > 0 {
            svg.line((x, at(nth - 1)), (x, at(nth)), if is_broken { Ink::Grid } else { Ink::Dim }, is_broken);
        }
        is_broken |= hop.state == PathState::Blocked;
    }
    for (nth, one) in path.hops.iter().enumerate() {
        hop(svg, one, x, at(nth), room - INDENT);
    }
}

fn hop(svg: &mut Svg, hop: &ReportedHop, x: f32, y: f32, room: f32) {
    mark(svg, hop.state, x, y);
    let left = x + INDENT;
    svg.text(left, y + 4.0, &fitted(&paths::hop_name(hop), room, NAME.size, true), NAME);
    let ink = if hop.state == PathState::Blocked { Ink::Errors } else { SMALL.ink };
    let text = hop.text.single_line();
    svg.text(left, y + 20.0, &fitted(&text, room, SMALL.size, false), Type { ink, ..SMALL });
}

/// A shape of its own for each state, so that colour is not all that tells them apart.
fn mark(svg: &mut Svg, state: PathState, x: f32, y: f32) {
    svg.circle(x, y, 8.0, Ink::Ground);
    match state {
        PathState::Reachable => svg.circle(x, y, 5.0, Ink::Success),
        PathState::Unknown => {
            svg.circle(x, y, 5.0, Ink::Throttles);
            svg.circle(x, y, 3.0, Ink::Ground);
        }
        PathState::Blocked => {
            let (long, thin) = (6.0, 2.0);
            for turn in [1.0, -1.0] {
                let points = [
                    (x - long, y - turn * (long - thin)),
                    (x - long + thin, y - turn * long),
                    (x + long, y + turn * (long - thin)),
                    (x + long - thin, y + turn * long),
                ];
                svg.shape(&points, Ink::Errors);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::network::testing::{public_subnet, world};
    use crate::diagnosis::testing::{hang_in, healthy};
    use crate::model::{Network, RotationStep};

    fn investigation(network: Network) -> Investigation {
        let mut evidence = healthy();
        evidence.network = network;
        hang_in(&mut evidence, RotationStep::CreateSecret, &[]);
        let diagnosis = diagnose(&evidence);
        Investigation {
            id: "5f0c7a1e9b2d4c335f0c7a1e9b2d4c33".parse().unwrap(),
            evidence,
            diagnosis,
            consumers: None,
            api_calls: 0,
            duration_ms: 0,
        }
    }

    #[test]
    fn the_broken_hop_is_marked_and_told_to_those_who_do_not_see_it() {
        let chart = network(&investigation(public_subnet()), Size::Wide).unwrap();
        assert!(chart.description().as_str().contains("subnet-0a1b2c3d → secretsmanager: blocked, at ✗ route"), "{chart:?}");
        assert_eq!(chart.svg().matches("<polygon").count(), 2, "one cross");
        assert!(chart.svg().contains("igw-0a1b2c3d"));
        let narrow = network(&investigation(public_subnet()), Size::Narrow).unwrap();
        assert!(narrow.svg().contains("viewBox=\"0 0 390 "));
    }

    #[test]
    fn a_way_that_stands_is_not_drawn_and_what_aws_says_is_no_markup() {
        assert_eq!(network(&investigation(world()), Size::Wide), None);
        let mut hostile = public_subnet();
        hostile.databases.found_mut().unwrap()[0].id = "<script>&".to_owned();
        let chart = network(&investigation(hostile), Size::Wide).unwrap();
        assert!(!chart.svg().contains("<script"), "{}", chart.svg());
    }
}
