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
use super::examples::ExampleReport;
use super::folder::{Folder, ignored_files};
use super::listing::Listing;
use super::options::MappingOptions;
use crate::clock::{Clock, Moment};
use crate::condition::{ConditionKind, Conditions};
use crate::metric::Counter;
use crate::reload::{Reload, Reloadable, Settling};

/// Between two readings of the folder. Comparing content works on every file system: a ConfigMap's swapped link, a
/// network share or a bind mount may raise no event.
const POLL: Duration = Duration::from_secs(1);

/// Between two reports of a content that stays refused: it is no news, and must not be forgotten.
const REPORT_INTERVAL: Duration = Duration::from_hours(1);

/// Most mistakes of a refused folder that are kept and logged: enough to see what is wrong; `check` lists all.
const MAX_MISTAKES: usize = 20;

/// The folder's files, or the defects of a folder that can't be read.
type Content = Result<Folder, Vec<Defect>>;

/// Most differences of one example that are kept.
const MAX_DIFFERENCES: usize = 10;

/// The mapping in use, with its time and with what people want to know of it.
#[derive(Debug)]
pub struct MappingInUse {
    /// The mapping.
    pub mapping: Arc<Mapping>,
    /// Since when this version is in use.
    pub since: Timestamp,
    /// Its sheet and tables.
    pub listing: Listing,
    /// What it makes of its examples.
    pub examples: ExampleReport,
    /// The files of its folder that are no part of it.
    pub ignored: Vec<String>,
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
    /// Its first mistakes.
    pub defects: Vec<Defect>,
    /// How many more there are.
    pub hidden: usize,
    /// What it makes of its examples; `None` if it does not compile.
    pub examples: Option<Arc<ExampleReport>>,
}

impl MappingInUse {
    fn new(accepted: (Mapping, ExampleReport), folder: &Folder, ignored: Vec<String>, since: Timestamp) -> Self {
        let (mapping, examples) = accepted;
        let examples = examples.shortened(MAX_DIFFERENCES);
        Self { mapping: Arc::new(mapping), since, listing: Listing::of(folder), examples, ignored }
    }
}

impl Refusal {
    fn new(refused: RefusedFolder, now: Timestamp) -> Self {
        let RefusedFolder { version, mut defects, examples } = refused;
        let hidden = defects.len().saturating_sub(MAX_MISTAKES);
        defects.truncate(MAX_MISTAKES);
        let examples = examples.map(|examples| Arc::new(examples.shortened(MAX_DIFFERENCES)));
        Self { at: now, version, defects, hidden, examples }
    }

    /// Its first mistakes as texts, and how many more there are.
    pub fn mistakes(&self) -> Vec<String> {
        let more = (self.hidden > 0).then(|| format!("{} more mistakes; check lists them all", self.hidden));
        self.defects.iter().map(ToString::to_string).chain(more).collect()
    }

    /// The first mistake, and how many more there are, as far as they are kept.
    fn summary(&self) -> String {
        let mistakes = self.mistakes();
        let first = mistakes.first().map_or("", String::as_str);
        match mistakes.len() {
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
    reloads: Reloads,
}

/// How often the content of the folder has changed since the start.
#[derive(Debug, Default)]
pub struct Reloads {
    /// Another mapping is in use since.
    pub exchanged: Counter,
    /// It means what was in use.
    pub unchanged: Counter,
    /// It was refused.
    pub refused: Counter,
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
        let accepted = Mapping::accept(&folder, &options).map_err(|refused| refused.defects)?;
        let in_use = MappingInUse::new(accepted, &folder, ignored_files(&directory), in_milliseconds(now));
        let in_use = Reloadable::new(Ok(folder), in_use, Settling::SeenTwice);
        Ok(Self { directory, options, in_use, refusal: Mutex::new(None), conditions, reloads: Reloads::default() })
    }

    /// Reports that the examples differ, if the settings accept it.
    pub fn warn_of_examples(&self) {
        warn_of_examples(&self.current());
    }

    /// The mapping to use for one cart.
    pub fn current(&self) -> Arc<Mapping> {
        Arc::clone(&self.in_use.current().mapping)
    }

    /// The mapping in use with its sheet, its tables and its examples.
    pub fn in_use(&self) -> Arc<MappingInUse> {
        self.in_use.current()
    }

    /// What is in use, since when, and what is refused.
    pub fn state(&self) -> LiveState {
        let in_use = self.in_use.current();
        let refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone();
        LiveState { version: in_use.mapping.version().to_owned(), since: in_use.since, refusal }
    }

    /// How often the content of the folder has changed.
    pub const fn reloads(&self) -> &Reloads {
        &self.reloads
    }

    /// Watches the folder until dropped.
    pub async fn watch(self: Arc<Self>, clock: Arc<dyn Clock>) {
        let mut reported = None;
        loop {
            clock.sleep(POLL).await;
            let (mapping, now) = (Arc::clone(&self), in_milliseconds(clock.now()));
            // Reading waits for the disk, and every example is mapped: neither may hold up a request.
            let reload = move || mapping.reload_if_changed(Folder::read(&mapping.directory), now);
            // A reload that panics is tried again by the next turn.
            let _ = tokio::task::spawn_blocking(reload).await;
            reported = self.repeat_refusal(reported, clock.moment());
        }
    }

    /// Reports a content again that stays refused. `reported` is the time of the refusal that was reported last, and when.
    fn repeat_refusal(&self, reported: Option<(Timestamp, Moment)>, now: Moment) -> Option<(Timestamp, Moment)> {
        let refusal = self.state().refusal?;
        match reported.filter(|(at, _)| *at == refusal.at) {
            Some((_, then)) if now.since(then) < REPORT_INTERVAL => reported,
            Some(_) => {
                self.remind_of_refusal(&refusal);
                Some((refusal.at, now))
            }
            None => Some((refusal.at, now)),
        }
    }

    /// A changed folder without defects is exchanged; any other leaves the mapping before in use.
    fn reload_if_changed(&self, content: Content, now: Timestamp) {
        let mut changed_examples = String::new();
        let build = |content: &Content| {
            let before = self.in_use.current();
            let folder = content.as_ref().map_err(|defects| RefusedFolder::from(defects.clone()))?;
            let accepted = Mapping::accept(folder, &self.options)?;
            let is_same = accepted.0.version() == before.mapping.version();
            if !is_same {
                changed_examples = Comparison::of_examples(&before.mapping, &accepted.0, folder).summary();
            }
            let since = if is_same { before.since } else { now };
            let in_use = MappingInUse::new(accepted, folder, ignored_files(&self.directory), since);
            // Before the exchange, so that no state has the new version beside a refusal that is over.
            self.keep_refusal(None);
            Ok(in_use)
        };
        match self.in_use.offer(content, build) {
            Reload::Unchanged => {}
            Reload::Exchanged { previous, current } => self.report_exchange(&previous, &current, &changed_examples),
            Reload::Refused(refused) => {
                self.reloads.refused.increment();
                let refusal = Refusal::new(refused, now);
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
            self.reloads.unchanged.increment();
            info!(
                mapping.version = current.mapping.version(),
                mapping.since = %current.since,
                mapping.directory = %directory,
                "the mapping's files have changed, and mean what is in use: no order changes"
            );
        } else {
            self.reloads.exchanged.increment();
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
        for mistake in refusal.mistakes() {
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

    fn remind_of_refusal(&self, refusal: &Refusal) {
        let in_use = self.in_use.current();
        error!(
            error.message = refusal.summary(),
            mapping.version = in_use.mapping.version(),
            mapping.since = %in_use.since,
            mapping.refused_version = refusal.version,
            mapping.directory = %self.directory.display(),
            "the content of the mapping's folder is still refused; the mapping before it stays in use until the folder is corrected"
        );
    }
}

/// The time as people read it.
fn in_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
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
