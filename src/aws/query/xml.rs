//! Lists as the Query protocol writes them.

use serde::{Deserialize, Deserializer};

/// Reads a list whatever its items' elements are called: `item`, `member`, `DBInstance`.
pub(super) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(bound(deserialize = "T: Deserialize<'de>"))]
    struct List<T> {
        #[serde(rename = "$value", default = "Vec::new")]
        items: Vec<T>,
    }
    Ok(List::deserialize(deserializer)?.items)
}
