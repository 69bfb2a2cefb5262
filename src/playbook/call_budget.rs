//! How much the looks at the network of one investigation may cost.

use crate::aws::RequestLimit;
use crate::model::{Network, Observation};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Questions beside those of a look where the way to the database leads over a transit gateway: its attachments, and the routes of the
/// tables that serve both ends.
const MAX_TRANSIT_QUESTIONS: usize = 3;

/// Requests of all questions together, so that no account is so large that its lists cost more: those of a VPC with a hundred
/// route tables and a thousand security groups take one page each.
const MAX_REQUESTS: usize = 40;

/// What the looks at the network of one investigation may still cost.
#[derive(Debug)]
pub struct NetworkBudget {
    left: AtomicUsize,
    /// True once the questions about a transit gateway were added.
    knows_transit: AtomicBool,
    requests: RequestLimit,
}

impl Default for NetworkBudget {
    fn default() -> NetworkBudget {
        NetworkBudget {
            left: AtomicUsize::new(Network::MOST_CALLS),
            knows_transit: AtomicBool::new(false),
            requests: RequestLimit::of(MAX_REQUESTS),
        }
    }
}

impl NetworkBudget {
    /// Takes `questions` out of the budget; false where there are not so many left.
    pub(super) fn take(&self, questions: usize) -> bool {
        self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(questions)).is_ok()
    }

    /// Adds the questions about a transit gateway, once.
    pub(super) fn widen_for_transit(&self) {
        if !self.knows_transit.swap(true, Ordering::AcqRel) {
            self.left.fetch_add(MAX_TRANSIT_QUESTIONS, Ordering::AcqRel);
        }
    }

    /// What bounds the requests.
    pub(super) fn requests(&self) -> &RequestLimit {
        &self.requests
    }
}

/// A database that was worth a question and got none, which leaves it open. Whatever was answered before counts then.
pub(super) fn out_of_budget<T>() -> Observation<T> {
    Observation::Failed { error: format!("RDS was not asked, {}", Network::no_calls_left()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_order_of_questions_takes_more_than_there_are_and_a_transit_gateway_adds_to_them_once() {
        let budget = NetworkBudget::default();
        let taken = |sizes: [usize; 5]| sizes.into_iter().filter(|size| budget.take(*size)).sum::<usize>();
        assert_eq!(taken([4, 2, 3, 1, 1]), 8);
        budget.widen_for_transit();
        budget.widen_for_transit();
        assert_eq!(taken([1, 3, 1, 1, 1]), 3);
        assert!(out_of_budget::<()>().missing().is_some_and(|why| why.ends_with("at most 8 calls to AWS")));
    }
}
