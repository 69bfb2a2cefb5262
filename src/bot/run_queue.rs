//! Whose investigation runs next: so many at once, and lanes in turn, so that a busy channel delays no other. Whoever waits here
//! has a thread already, which says so.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The places to run in, and those who wait for one; clones share them.
#[derive(Debug, Clone)]
pub(super) struct RunQueue(Arc<Mutex<RunsWaiting>>);

#[derive(Debug)]
struct RunsWaiting {
    /// Places that nobody has; while there are any, nobody waits.
    free: usize,
    is_closed: bool,
    /// Those who wait, by lane; the lane whose turn it is comes first, and none is empty.
    lanes: VecDeque<(String, VecDeque<oneshot::Sender<RunPlace>>)>,
}

/// The right to run one investigation, until it is dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct RunPlace(RunQueue);

impl Drop for RunPlace {
    fn drop(&mut self) {
        self.0.hand_on();
    }
}

impl RunQueue {
    /// A queue for `at_once` places.
    pub(super) fn new(at_once: usize) -> RunQueue {
        RunQueue(Arc::new(Mutex::new(RunsWaiting { free: at_once, is_closed: false, lanes: VecDeque::new() })))
    }

    /// Waits for a place, in the turn of `lane`; `None` where none is given out any more.
    pub(super) async fn place(&self, lane: &str) -> Option<RunPlace> {
        let turn = {
            let mut state = self.state();
            if state.is_closed {
                return None;
            }
            if state.free > 0 {
                state.free -= 1;
                return Some(RunPlace(self.clone()));
            }
            state.line_up(lane)
        };
        turn.await.ok()
    }

    /// No place is given out any more; those who wait are let go of.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        state.lanes.clear();
    }

    fn hand_on(&self) {
        let next = {
            let mut state = self.state();
            let next = state.take_next();
            state.free += usize::from(next.is_none());
            next
        };
        if let Some(next) = next {
            // Whoever went away meanwhile drops the place, which hands it on.
            drop(next.send(RunPlace(self.clone())));
        }
    }

    fn state(&self) -> MutexGuard<'_, RunsWaiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunsWaiting {
    fn line_up(&mut self, lane: &str) -> oneshot::Receiver<RunPlace> {
        let (told, turn) = oneshot::channel();
        match self.lanes.iter_mut().find(|(known, _)| known == lane) {
            Some((_, waiting)) => waiting.push_back(told),
            None => self.lanes.push_back((lane.to_owned(), VecDeque::from([told]))),
        }
        turn
    }

    fn take_next(&mut self) -> Option<oneshot::Sender<RunPlace>> {
        let (lane, mut waiting) = self.lanes.pop_front()?;
        let next = waiting.pop_front();
        if !waiting.is_empty() {
            self.lanes.push_back((lane, waiting));
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::task::yield_now;

    #[tokio::test]
    async fn lanes_run_in_turn_and_whoever_went_away_takes_no_place_along() {
        let queue = RunQueue::new(1);
        let running = queue.place("busy").await.unwrap();
        let (order, mut told) = tokio::sync::mpsc::unbounded_channel();
        let mut waiting = Vec::new();
        for (name, lane) in [("1", "busy"), ("2", "busy"), ("gone", "busy"), ("3", "busy"), ("another's", "quiet")] {
            let (queue, order) = (queue.clone(), order.clone());
            waiting.push(tokio::spawn(async move {
                let place = queue.place(lane).await;
                order.send((name, place.is_some())).unwrap();
            }));
            yield_now().await;
        }
        waiting.remove(2).abort();
        yield_now().await;
        assert!(told.try_recv().is_err(), "one runs at once");
        drop(running);
        for name in ["1", "another's", "2", "3"] {
            assert_eq!(told.recv().await, Some((name, true)));
        }
        for one in waiting {
            one.await.unwrap();
        }
        assert!(queue.place("busy").await.is_some(), "the place is free again");
    }

    #[tokio::test]
    async fn a_closed_queue_lets_go_of_those_who_wait_and_of_nobody_who_runs() {
        let queue = RunQueue::new(1);
        let running = queue.place("C1").await;
        let other = queue.clone();
        let waiting = tokio::spawn(async move { other.place("C1").await.is_none() });
        yield_now().await;
        queue.close();
        assert!(waiting.await.unwrap());
        drop(running);
        assert!(queue.place("C2").await.is_none());
    }
}
