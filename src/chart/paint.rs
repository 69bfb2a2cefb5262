//! From SVG to a picture.

use super::draw::Chart;
use super::face::{REGULAR, SEMI_BOLD};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use std::sync::{Arc, LazyLock};

/// How many pixels of the picture a pixel of the drawing has: sharp on dense screens, 60 to 120 KB.
const SCALE: f32 = 2.0;

/// Only the embedded font: nothing of the machine shows in a chart.
static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(REGULAR.to_vec());
    fonts.load_font_data(SEMI_BOLD.to_vec());
    Arc::new(fonts)
});

/// A chart could not be painted; the texts that surround it say the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the chart could not be painted: {0}")]
pub struct PaintError(String);

/// The chart as a PNG picture, twice as large as it is drawn.
///
/// # Errors
/// [`PaintError`]; for a [`Chart`] there is no known case.
pub fn png(chart: &Chart) -> Result<Vec<u8>, PaintError> {
    let failed = |why: String| PaintError(why);
    let options = Options { fontdb: FONTS.clone(), font_family: "Inter".to_owned(), ..Options::default() };
    let tree = Tree::from_str(chart.svg(), &options).map_err(|error| failed(error.to_string()))?;
    let size = tree.size().to_int_size().scale_by(SCALE).ok_or_else(|| failed("it has no size".to_owned()))?;
    let mut picture = Pixmap::new(size.width(), size.height()).ok_or_else(|| failed("it is too large".to_owned()))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut picture.as_mut());
    encoded(picture).map_err(|error| failed(error.to_string()))
}

/// Quick rather than small: in a storm of questions the usual compression takes a quarter of the processor.
fn encoded(picture: Pixmap) -> Result<Vec<u8>, ::png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut file, picture.width(), picture.height());
    encoder.set_color(::png::ColorType::Rgba);
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.set_compression(::png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.take_demultiplied())?;
    writer.finish()?;
    Ok(file)
}
