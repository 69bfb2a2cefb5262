//! What is worth remembering for a while, with a bound: what was not asked for longest goes first.

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use std::hash::Hash;

/// How many entries are kept; each is a few dozen bytes.
const KEPT: u64 = 1_024;

/// A small map that forgets.
pub(super) struct Memory<K, V>(Cache<K, V>);

impl<K, V> Default for Memory<K, V>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn default() -> Memory<K, V> {
        Memory(Cache::builder().max_capacity(KEPT).eviction_policy(EvictionPolicy::lru()).build())
    }
}

impl<K, V> Memory<K, V>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn put(&self, key: K, value: V) {
        self.0.insert(key, value);
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.0.get(key)
    }

    pub(super) fn take(&self, key: &K) -> Option<V> {
        self.0.remove(key)
    }

    pub(super) fn clear(&self) {
        self.0.invalidate_all();
    }
}

impl<K: Eq + Hash + Send + Sync + 'static> Memory<K, ()> {
    /// True the first time.
    pub(super) fn is_new(&self, key: K) -> bool {
        self.0.entry(key).or_insert(()).is_fresh()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_longest_is_forgotten_first() {
        let memory = Memory::default();
        for at in 0..KEPT {
            assert!(memory.is_new(at));
        }
        assert!(!memory.is_new(0), "and so it is asked for again");
        memory.0.run_pending_tasks();
        assert!(memory.is_new(KEPT));
        memory.0.run_pending_tasks();
        assert_eq!((memory.get(&0), memory.get(&1), memory.get(&KEPT)), (Some(()), None, Some(())));
        assert_eq!(memory.0.entry_count(), KEPT);
    }

    #[test]
    fn what_was_taken_or_cleared_is_gone() {
        let memory = Memory::default();
        memory.put("a", 1);
        memory.put("b", 2);
        assert_eq!((memory.take(&"a"), memory.take(&"a"), memory.get(&"b")), (Some(1), None, Some(2)));
        memory.clear();
        assert_eq!(memory.get(&"b"), None);
    }
}
