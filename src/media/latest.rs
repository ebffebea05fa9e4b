//! A slot that keeps only the newest value.

use std::sync::{Arc, Mutex, PoisonError};

/// A slot for one value between threads: putting overwrites, taking empties. Clones share the slot.
#[derive(Debug)]
pub struct Latest<T>(Arc<Mutex<Slot<T>>>);

#[derive(Debug)]
struct Slot<T> {
    value: Option<T>,
    overwritten: u64,
}

impl<T> Latest<T> {
    /// Puts a value in; an older one that nobody took is dropped and counted.
    pub fn put(&self, value: T) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.value.replace(value).is_some() {
            slot.overwritten += 1;
        }
    }

    /// Takes the newest value, if there is one nobody took.
    pub fn take(&self) -> Option<T> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.value.take()
    }

    /// How many values were never taken.
    pub fn overwritten(&self) -> u64 {
        let slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.overwritten
    }
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Slot { value: None, overwritten: 0 })))
    }
}

impl<T> Clone for Latest<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_value_is_kept_and_the_lost_one_is_counted() {
        let slot = Latest::default();
        slot.put(1);
        slot.clone().put(2);
        assert_eq!(slot.take(), Some(2));
        assert_eq!(slot.take(), None);
        assert_eq!(slot.overwritten(), 1);
    }
}
