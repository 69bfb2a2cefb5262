//! A timeline of the rotation function: invocations, errors and throttles, with rotation attempts and changes as markers.
//!
//! Pure: an investigation in, SVG out; [`png()`] paints the same SVG. All text in it is plain and escaped.

mod axis;
mod draw;
mod face;
mod lanes;
mod network;
mod paint;
mod svg;
mod timeline;

pub use draw::{Chart, Size, draw};
pub use face::{REGULAR, SEMI_BOLD};
pub use network::network;
pub use paint::{PaintError, png};
