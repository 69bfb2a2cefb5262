//! What goes wrong with an answer, by operation.

use super::declaration::{Always, FaultForm, Throttle};
use super::wildcard;
use super::wire::WireRequest;
use std::sync::atomic::{AtomicU32, Ordering};

/// The faults of a scenario, each counting the requests it saw.
#[derive(Debug)]
pub(super) struct Faults(Vec<(FaultForm, AtomicU32)>);

/// What the faults do to one request.
#[derive(Debug, Default)]
pub(super) struct FaultEffect {
    pub(super) latency_ms: u64,
    pub(super) throttled: bool,
    pub(super) denied: bool,
    pub(super) failing: Option<u16>,
    pub(super) truncated: bool,
    pub(super) hanging: bool,
}

impl Faults {
    pub(super) fn new(forms: Vec<FaultForm>) -> Self {
        Faults(forms.into_iter().map(|form| (form, AtomicU32::new(0))).collect())
    }

    /// Counts the request, and says what happens to it.
    pub(super) fn strike(&self, request: &WireRequest) -> FaultEffect {
        let action = request.action();
        let parameters = request.parameters.to_string();
        let mut effect = FaultEffect::default();
        for (form, seen) in &self.0 {
            let concerned = wildcard::matches_ignoring_case(&form.operation, &action)
                && form.region.as_ref().is_none_or(|region| *region == request.region)
                && form.containing.as_ref().is_none_or(|text| parameters.contains(text.as_str()));
            if !concerned {
                continue;
            }
            let Some(nth) = seen.fetch_add(1, Ordering::Relaxed).checked_sub(form.after) else {
                continue;
            };
            effect.latency_ms += form.latency_ms.unwrap_or(0);
            effect.throttled |= match form.throttle {
                None => false,
                Some(Throttle::Times(times)) => nth < times,
                Some(Throttle::Always(Always::Always)) => true,
            };
            effect.denied |= form.deny;
            effect.failing = effect.failing.or(form.fail);
            effect.truncated |= form.truncate_body;
            effect.hanging |= form.hang;
        }
        effect
    }
}
