//! A value that is built from files, and exchanged when their content changes.
//!
//! Owns the comparison and the exchange. Knows nothing of files, clocks, logs or what is built: each user reads the
//! content at its own rhythm and reports the result.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

/// When a change counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settling {
    /// At once.
    Immediate,
    /// When the same content was read twice in a row: at the first reading an editor, or a copy, may still be writing.
    SeenTwice,
}

/// The result of an offered content.
#[derive(Debug, PartialEq, Eq)]
pub enum Reload<V, E> {
    /// The content is the one offered before, or it has not settled.
    Unchanged,
    /// A new value is in use.
    Exchanged {
        /// The value before it.
        previous: Arc<V>,
        /// The value in use now.
        current: Arc<V>,
    },
    /// Nothing can be built from the content; the value before stays in use.
    Refused(E),
}

/// The value in use, and the content that was last built or refused.
#[derive(Debug)]
pub struct Reloadable<C, V> {
    current: ArcSwap<V>,
    detector: Mutex<ChangeDetector<C>>,
}

impl<C: PartialEq, V> Reloadable<C, V> {
    /// Holds a value that was built from `content`.
    pub fn new(content: C, value: V, settling: Settling) -> Self {
        let detector = ChangeDetector { settling, handled: Some(content), candidate: None };
        Self { current: ArcSwap::from_pointee(value), detector: Mutex::new(detector) }
    }

    /// The value in use.
    pub fn current(&self) -> Arc<V> {
        self.current.load_full()
    }

    /// Builds a new value if the content has changed. A refused content is not built again until it changes.
    pub fn offer<E>(&self, content: C, build: impl FnOnce(&C) -> Result<V, E>) -> Reload<V, E> {
        let mut detector = self.detector();
        let Some(changed) = detector.changed(content) else { return Reload::Unchanged };
        match build(changed) {
            Ok(value) => {
                let current = Arc::new(value);
                let previous = self.current.swap(Arc::clone(&current));
                Reload::Exchanged { previous, current }
            }
            Err(error) => Reload::Refused(error),
        }
    }

    /// Lets the next content count as changed: for a refusal whose cause may lie outside of the content.
    pub fn try_again(&self) {
        self.detector().handled = None;
    }

    fn detector(&self) -> MutexGuard<'_, ChangeDetector<C>> {
        self.detector.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells a changed content from the one that was handled last.
#[derive(Debug)]
struct ChangeDetector<C> {
    settling: Settling,
    /// Built or refused; `None` lets any content count as changed.
    handled: Option<C>,
    /// Another content, seen once so far.
    candidate: Option<C>,
}

impl<C: PartialEq> ChangeDetector<C> {
    /// The content, if it differs from the one handled last and has settled. It is handled from now on.
    fn changed(&mut self, content: C) -> Option<&C> {
        let content = Some(content);
        if content == self.handled {
            self.candidate = None;
            return None;
        }
        if self.settling == Settling::SeenTwice && content != self.candidate {
            self.candidate = content;
            return None;
        }
        self.candidate = None;
        self.handled = content;
        self.handled.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Text = Result<&'static str, &'static str>;

    fn reloadable(settling: Settling) -> Reloadable<Text, String> {
        Reloadable::new(Ok("old"), "old".to_owned(), settling)
    }

    /// Offers a content from which only lower-case words can be built.
    fn offer(reloadable: &Reloadable<Text, String>, content: Text) -> Reload<String, String> {
        reloadable.offer(content, |content| match content {
            Ok(text) if text.chars().all(char::is_lowercase) => Ok((*text).to_owned()),
            Ok(text) | Err(text) => Err((*text).to_owned()),
        })
    }

    fn exchanged(previous: &str, current: &str) -> Reload<String, String> {
        Reload::Exchanged { previous: Arc::new(previous.to_owned()), current: Arc::new(current.to_owned()) }
    }

    #[test]
    fn a_changed_content_is_exchanged_once() {
        let value = reloadable(Settling::Immediate);
        assert_eq!(offer(&value, Ok("old")), Reload::Unchanged);
        assert_eq!(offer(&value, Ok("new")), exchanged("old", "new"));
        assert_eq!(offer(&value, Ok("new")), Reload::Unchanged);
        assert_eq!(*value.current(), "new");
    }

    #[test]
    fn a_content_that_is_refused_leaves_the_value_in_use_and_is_reported_once() {
        let value = reloadable(Settling::Immediate);
        assert_eq!(offer(&value, Ok("NEW")), Reload::Refused("NEW".to_owned()));
        assert_eq!(offer(&value, Ok("NEW")), Reload::Unchanged);
        assert_eq!(*value.current(), "old");
        assert_eq!(offer(&value, Ok("old")), exchanged("old", "old"), "back again");
    }

    #[test]
    fn a_content_is_built_again_where_the_cause_of_its_refusal_may_be_elsewhere() {
        let value = reloadable(Settling::Immediate);
        assert_eq!(offer(&value, Ok("NEW")), Reload::Refused("NEW".to_owned()));
        value.try_again();
        assert_eq!(offer(&value, Ok("NEW")), Reload::Refused("NEW".to_owned()));
    }

    #[test]
    fn a_change_counts_when_it_was_seen_twice() {
        let value = reloadable(Settling::SeenTwice);
        assert_eq!(offer(&value, Ok("old")), Reload::Unchanged);
        assert_eq!(offer(&value, Ok("ne")), Reload::Unchanged, "half written");
        assert_eq!(offer(&value, Ok("new")), Reload::Unchanged, "just written");
        assert_eq!(offer(&value, Ok("new")), exchanged("old", "new"));
        assert_eq!(offer(&value, Ok("new")), Reload::Unchanged, "exchanged once");
        assert_eq!(offer(&value, Ok("old")), Reload::Unchanged);
        assert_eq!(offer(&value, Ok("old")), exchanged("new", "old"), "back again");
    }

    #[test]
    fn a_change_that_is_taken_back_between_two_readings_does_not_count() {
        let value = reloadable(Settling::SeenTwice);
        for content in ["new", "old", "new", "old"] {
            assert_eq!(offer(&value, Ok(content)), Reload::Unchanged);
        }
    }

    #[test]
    fn content_that_is_gone_is_reported_once_and_noticed_when_it_comes_back() {
        let value = reloadable(Settling::SeenTwice);
        assert_eq!(offer(&value, Err("gone")), Reload::Unchanged);
        assert_eq!(offer(&value, Err("gone")), Reload::Refused("gone".to_owned()));
        assert_eq!(offer(&value, Err("gone")), Reload::Unchanged);
        assert_eq!(offer(&value, Ok("old")), Reload::Unchanged);
        assert_eq!(offer(&value, Ok("old")), exchanged("old", "old"));
    }
}
