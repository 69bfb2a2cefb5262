//! The name of the platform.

use crate::model::PlatformName;

/// What configuration and store call it.
pub const NAME: PlatformName = PlatformName::new("slack");
