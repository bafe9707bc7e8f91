//! The mapping in use, exchanged when the folder's content changes; since when, and what was refused meanwhile.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tracing::{error, info, warn};

use super::acceptance::RefusedFolder;
use super::comparison::Comparison;
use super::compiled::Mapping;
use super::defect::Defect;
use super::folder::Folder;
use super::options::MappingOptions;
use crate::clock::Clock;
use crate::condition::{ConditionKind, Conditions};
use crate::reload::{Reload, Reloadable, Settling};

/// Between two readings of the folder. Comparing content works on every file system: a ConfigMap's swapped link, a
/// network share or a bind mount may raise no event.
const POLL: Duration = Duration::from_secs(1);

/// Most mistakes of a refused folder that are kept and logged: enough to see what is wrong; `check` lists all.
const MAX_MISTAKES: usize = 20;

/// The folder's files, or the defects of a folder that can't be read.
type Content = Result<Folder, Vec<Defect>>;

/// The mapping in use, with its time.
#[derive(Debug)]
struct MappingInUse {
    mapping: Arc<Mapping>,
    /// Since when this version is in use.
    since: Timestamp,
}

/// The state of the mapping in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveState {
    /// The version in use.
    pub version: String,
    /// Since when it is.
    pub since: Timestamp,
    /// The content of the folder, if it is refused.
    pub refusal: Option<Refusal>,
}

/// A content of the folder that was refused; the mapping before it stays in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When it was refused.
    pub at: Timestamp,
    /// Its version; `None` if it does not compile.
    pub version: Option<String>,
    /// Its first mistakes, and how many more there are.
    pub mistakes: Vec<String>,
}

impl Refusal {
    /// The first mistake, and how many more there are, as far as they are kept.
    fn summary(&self) -> String {
        let first = self.mistakes.first().map_or("", String::as_str);
        match self.mistakes.len() {
            0 | 1 => first.to_owned(),
            count => format!("{first} (and {} more)", count - 1),
        }
    }
}

/// The current mapping of a folder.
#[derive(Debug)]
pub struct LiveMapping {
    directory: PathBuf,
    options: MappingOptions,
    in_use: Reloadable<Content, MappingInUse>,
    refusal: Mutex<Option<Refusal>>,
    conditions: Conditions,
}

impl LiveMapping {
    /// Loads the folder, which is in use from `now` on.
    ///
    /// # Errors
    /// Every defect; there is no mapping to fall back to. Examples that differ are one.
    pub fn load(
        directory: PathBuf,
        options: MappingOptions,
        now: Timestamp,
        conditions: Conditions,
    ) -> Result<Self, Vec<Defect>> {
        let folder = Folder::read(&directory)?;
        let mapping = Mapping::accept(&folder, &options).map_err(|refused| refused.defects)?;
        let in_use = MappingInUse { mapping: Arc::new(mapping), since: in_milliseconds(now) };
        let in_use = Reloadable::new(Ok(folder), in_use, Settling::SeenTwice);
        Ok(Self { directory, options, in_use, refusal: Mutex::new(None), conditions })
    }

    /// Reports that the examples differ, if the settings accept it.
    pub fn warn_of_examples(&self) {
        warn_of_examples(&self.current());
    }

    /// The mapping to use for one cart.
    pub fn current(&self) -> Arc<Mapping> {
        Arc::clone(&self.in_use.current().mapping)
    }

    /// What is in use, since when, and what is refused.
    pub fn state(&self) -> LiveState {
        let in_use = self.in_use.current();
        let refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone();
        LiveState { version: in_use.mapping.version().to_owned(), since: in_use.since, refusal }
    }

    /// Watches the folder until dropped.
    pub async fn watch(self: Arc<Self>, clock: Arc<dyn Clock>) {
        loop {
            clock.sleep(POLL).await;
            let (mapping, now) = (Arc::clone(&self), in_milliseconds(clock.now()));
            // Reading waits for the disk, and every example is mapped: neither may hold up a request.
            let reload = move || mapping.reload_if_changed(Folder::read(&mapping.directory), now);
            // A reload that panics is tried again by the next turn.
            let _ = tokio::task::spawn_blocking(reload).await;
        }
    }

    /// A changed folder without defects is exchanged; any other leaves the mapping before in use.
    fn reload_if_changed(&self, content: Content, now: Timestamp) {
        let mut changed_examples = String::new();
        let build = |content: &Content| {
            let before = self.in_use.current();
            let folder = content.as_ref().map_err(|defects| RefusedFolder::from(defects.clone()))?;
            let mapping = Mapping::accept(folder, &self.options)?;
            let is_same = mapping.version() == before.mapping.version();
            if !is_same {
                changed_examples = Comparison::of_examples(&before.mapping, &mapping, folder).summary();
            }
            // Before the exchange, so that no state has the new version beside a refusal that is over.
            self.keep_refusal(None);
            Ok(MappingInUse { mapping: Arc::new(mapping), since: if is_same { before.since } else { now } })
        };
        match self.in_use.offer(content, build) {
            Reload::Unchanged => {}
            Reload::Exchanged { previous, current } => self.report_exchange(&previous, &current, &changed_examples),
            Reload::Refused(refused) => {
                let refusal = refusal(&refused, now);
                self.report_refusal(&refusal);
                self.keep_refusal(Some(refusal));
            }
        }
    }

    fn keep_refusal(&self, refusal: Option<Refusal>) {
        match &refusal {
            Some(refusal) => self.conditions.raise(ConditionKind::MappingRefused, "", &refusal.summary(), refusal.at),
            None => self.conditions.clear(ConditionKind::MappingRefused, ""),
        }
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }

    fn report_exchange(&self, previous: &MappingInUse, current: &MappingInUse, changed_examples: &str) {
        let directory = self.directory.display();
        if previous.mapping.version() == current.mapping.version() {
            info!(
                mapping.version = current.mapping.version(),
                mapping.since = %current.since,
                mapping.directory = %directory,
                "the mapping's files have changed, and mean what is in use: no order changes"
            );
        } else {
            info!(
                mapping.version = current.mapping.version(),
                mapping.since = %current.since,
                mapping.previous_version = previous.mapping.version(),
                mapping.changed_examples = changed_examples,
                mapping.directory = %directory,
                "a changed mapping is in use for carts from now on"
            );
        }
        warn_of_examples(&current.mapping);
    }

    fn report_refusal(&self, refusal: &Refusal) {
        let in_use = self.in_use.current();
        for mistake in &refusal.mistakes {
            error!(
                error.message = mistake,
                mapping.version = in_use.mapping.version(),
                mapping.since = %in_use.since,
                mapping.refused_version = refusal.version,
                mapping.directory = %self.directory.display(),
                "a changed mapping was refused whole; the one before stays in use"
            );
        }
    }
}

/// The time as people read it.
fn in_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

fn refusal(refused: &RefusedFolder, now: Timestamp) -> Refusal {
    let mut mistakes: Vec<String> = refused.defects.iter().take(MAX_MISTAKES).map(ToString::to_string).collect();
    let more = refused.defects.len().saturating_sub(MAX_MISTAKES);
    if more > 0 {
        mistakes.push(format!("{more} more mistakes; check lists them all"));
    }
    Refusal { at: now, version: refused.version.clone(), mistakes }
}

/// The settings accept that examples differ; people should know it all the same.
fn warn_of_examples(mapping: &Mapping) {
    if let Some(notice) = mapping.notice() {
        warn!(
            error.message = notice.message,
            mapping.version = mapping.version(),
            "examples of the mapping differ: every order has a warning until they are as expected"
        );
    }
}
