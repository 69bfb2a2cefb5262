//! SVG, written by hand: elements, and text that stays text.

use std::fmt::{self, Write as _};

/// A colour of the chart. The class lets a page choose another one; the colour itself is for a white background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Ground,
    Text,
    Dim,
    Grid,
    Invocations,
    Errors,
    Throttles,
    Success,
    Change,
}

impl Ink {
    const fn class(self) -> &'static str {
        match self {
            Ink::Ground => "ground",
            Ink::Text => "text",
            Ink::Dim => "dim",
            Ink::Grid => "grid",
            Ink::Invocations => "invocations",
            Ink::Errors => "errors",
            Ink::Throttles => "throttles",
            Ink::Success => "success",
            Ink::Change => "change",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Ink::Ground => "#ffffff",
            Ink::Text => "#1c2530",
            Ink::Dim => "#5f6b7a",
            Ink::Grid => "#dfe4ea",
            Ink::Invocations => "#4f7cac",
            Ink::Errors => "#d13438",
            Ink::Throttles => "#c77700",
            Ink::Success => "#2b8a3e",
            Ink::Change => "#7048c6",
        }
    }
}

impl fmt::Display for Ink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "class=\"ink-{}\" fill=\"{}\"", self.class(), self.colour())
    }
}

/// Where a text's `x` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    pub(super) size: f32,
    pub(super) bold: bool,
    pub(super) ink: Ink,
    pub(super) anchor: Anchor,
}

/// An SVG document that grows.
#[derive(Debug, Default)]
pub(super) struct Svg {
    body: String,
}

impl Svg {
    pub(super) fn rect(&mut self, x: f32, y: f32, width: f32, height: f32, ink: Ink) {
        let (x, y, width, height) = (Px(x), Px(y), Px(width), Px(height));
        let _ = writeln!(self.body, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {ink}/>");
    }

    pub(super) fn line(&mut self, from: (f32, f32), to: (f32, f32), ink: Ink, dashed: bool) {
        let dashes = if dashed { " stroke-dasharray=\"2 3\"" } else { "" };
        let (x1, y1, x2, y2) = (Px(from.0), Px(from.1), Px(to.0), Px(to.1));
        let (class, colour) = (ink.class(), ink.colour());
        let _ = writeln!(
            self.body,
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" class=\"line-{class}\" stroke=\"{colour}\"{dashes}/>"
        );
    }

    pub(super) fn circle(&mut self, x: f32, y: f32, radius: f32, ink: Ink) {
        let _ = writeln!(self.body, "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {ink}/>", Px(x), Px(y), Px(radius));
    }

    /// A closed shape.
    pub(super) fn shape(&mut self, points: &[(f32, f32)], ink: Ink) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", Px(*x), Px(*y))).collect();
        let _ = writeln!(self.body, "<polygon points=\"{}\" {ink}/>", points.join(" "));
    }

    pub(super) fn text(&mut self, x: f32, y: f32, text: &str, face: Type) {
        let anchor = match face.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let weight = if face.bold { " font-weight=\"600\"" } else { "" };
        let (size, ink, text) = (Px(face.size), face.ink, escape(text));
        let _ =
            writeln!(self.body, "<text x=\"{}\" y=\"{}\" font-size=\"{size}\"{weight}{anchor} {ink}>{text}</text>", Px(x), Px(y));
    }

    /// The whole document; `description` is for those who do not see it.
    pub(super) fn finish(self, width: f32, height: f32, description: &str) -> String {
        let (width, height) = (Px(width), Px(height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" font-family=\"Inter\">\n{}</svg>\n",
            escape(description),
            self.body
        )
    }
}

/// Pixels, to a tenth.
struct Px(f32);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round() / 10.0;
        if tenths.fract() == 0.0 { write!(f, "{tenths:.0}") } else { write!(f, "{tenths:.1}") }
    }
}

/// Text for an element or an attribute; characters XML 1.0 does not know are left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escape("<a href=\"x\" o='y'>&amp;\0\u{1b}"), "&lt;a href=&quot;x&quot; o=&#39;y&#39;&gt;&amp;amp;");
    }

    #[test]
    fn pixels_are_short() {
        assert_eq!([0.0, 1.04, 1.05, 12.0, -0.25].map(|px| Px(px).to_string()), ["0", "1", "1.1", "12", "-0.3"]);
    }
}
