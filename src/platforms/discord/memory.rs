//! What is worth remembering for a while, with a bound: the oldest goes first.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// How many entries are kept; each is a few dozen bytes.
const KEPT: usize = 1_024;

/// A small map that forgets its oldest entries.
pub(super) struct Memory<K, V> {
    entries: Mutex<Entries<K, V>>,
}

struct Entries<K, V> {
    known: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K, V> Default for Memory<K, V> {
    fn default() -> Memory<K, V> {
        Memory { entries: Mutex::new(Entries { known: HashMap::new(), order: VecDeque::new() }) }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Memory<K, V> {
    pub(super) fn put(&self, key: K, value: V) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.known.insert(key.clone(), value).is_none() {
            entries.order.push_back(key);
        }
        if entries.order.len() > KEPT
            && let Some(oldest) = entries.order.pop_front()
        {
            entries.known.remove(&oldest);
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).known.get(key).cloned()
    }
}

impl<K: Eq + Hash + Clone, V> Memory<K, V> {
    pub(super) fn take(&self, key: &K) -> Option<V> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let value = entries.known.remove(key)?;
        entries.order.retain(|known| known != key);
        Some(value)
    }

    pub(super) fn clear(&self) {
        *self.entries.lock().unwrap_or_else(PoisonError::into_inner) = Entries { known: HashMap::new(), order: VecDeque::new() };
    }
}

impl<K: Eq + Hash + Clone> Memory<K, ()> {
    /// True the first time.
    pub(super) fn is_new(&self, key: K) -> bool {
        let is_new = self.get(&key).is_none();
        self.put(key, ());
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let memory = Memory::default();
        for at in 0..=KEPT {
            assert!(memory.is_new(at));
        }
        assert_eq!((memory.get(&0), memory.get(&1), memory.get(&KEPT)), (None, Some(()), Some(())));
        assert!(!memory.is_new(KEPT));
        assert_eq!(memory.entries.lock().unwrap().order.len(), KEPT);
    }
}
