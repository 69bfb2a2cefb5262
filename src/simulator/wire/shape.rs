//! An answer before it is written in a dialect.

use jiff::Timestamp;

/// A value of the service models. Timestamps stay typed because every dialect writes them differently.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// A member that is not there at all.
    Absent,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    Timestamp(Timestamp),
    List(Vec<Shape>),
    /// Also a map: on the wire of JSON and CBOR both look the same.
    Structure(Vec<(String, Shape)>),
}

impl Shape {
    pub(crate) fn structure() -> Self {
        Shape::Structure(Vec::new())
    }

    /// Adds a member, unless it is absent. Only structures have members.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Shape>) -> Self {
        if let Shape::Structure(members) = &mut self {
            match value.into() {
                Shape::Absent => {}
                value => members.push((name.to_owned(), value)),
            }
        }
        self
    }

    pub(crate) fn list<T: Into<Shape>>(items: impl IntoIterator<Item = T>) -> Self {
        Shape::List(items.into_iter().map(Into::into).collect())
    }
}

impl From<bool> for Shape {
    fn from(value: bool) -> Self {
        Shape::Bool(value)
    }
}
impl From<i64> for Shape {
    fn from(value: i64) -> Self {
        Shape::Integer(value)
    }
}
impl From<f64> for Shape {
    fn from(value: f64) -> Self {
        Shape::Float(value)
    }
}
impl From<&str> for Shape {
    fn from(value: &str) -> Self {
        Shape::Text(value.to_owned())
    }
}
impl From<&String> for Shape {
    fn from(value: &String) -> Self {
        Shape::Text(value.clone())
    }
}
impl From<String> for Shape {
    fn from(value: String) -> Self {
        Shape::Text(value)
    }
}
impl From<Timestamp> for Shape {
    fn from(value: Timestamp) -> Self {
        Shape::Timestamp(value)
    }
}
impl<T: Into<Shape>> From<Option<T>> for Shape {
    fn from(value: Option<T>) -> Self {
        value.map_or(Shape::Absent, Into::into)
    }
}
impl<T: Into<Shape>> From<Vec<T>> for Shape {
    fn from(value: Vec<T>) -> Self {
        Shape::list(value)
    }
}
