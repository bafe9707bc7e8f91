//! The mapping in use, exchanged for a new one when the folder's content changes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tracing::{error, info, warn};

use super::{Amounts, Defect, Folder, Mapping};
use crate::clock::Clock;

/// How often the folder is read again. Comparing content works on every file system: a ConfigMap's swapped link,
/// a network share or a bind mount may raise no event.
const POLL: Duration = Duration::from_secs(1);

/// The current mapping of a folder.
#[derive(Debug)]
pub struct LiveMapping {
    directory: PathBuf,
    amounts: Amounts,
    loaded: Folder,
    current: ArcSwap<Mapping>,
}

impl LiveMapping {
    /// Loads the folder.
    ///
    /// # Errors
    /// Every defect; there is no mapping to fall back to.
    pub fn load(directory: PathBuf, amounts: Amounts) -> Result<Self, Vec<Defect>> {
        let folder = Folder::read(&directory)?;
        let mapping = Mapping::compile(&folder, amounts)?;
        warn_of_examples(&mapping, &folder);
        Ok(Self { directory, amounts, loaded: folder, current: ArcSwap::from_pointee(mapping) })
    }

    /// The mapping to use for one cart.
    pub fn current(&self) -> Arc<Mapping> {
        self.current.load_full()
    }

    /// Watches the folder until dropped.
    pub async fn watch(self: Arc<Self>, clock: Arc<dyn Clock>) {
        let mut looks = Looks::new(Ok(self.loaded.clone()));
        loop {
            clock.sleep(POLL).await;
            let directory = self.directory.clone();
            let Ok(seen) = tokio::task::spawn_blocking(move || Folder::read(&directory)).await else { continue };
            if let Some(changed) = looks.see(seen) {
                self.exchange(changed);
            }
        }
    }

    /// Takes a changed folder if it has no defect; otherwise the old mapping stays.
    fn exchange(&self, folder: &Seen) {
        let compiled = match folder {
            Ok(folder) => Mapping::compile(folder, self.amounts).map(|mapping| (mapping, folder)),
            Err(defects) => Err(defects.clone()),
        };
        match compiled {
            Ok((mapping, folder)) => {
                warn_of_examples(&mapping, folder);
                info!(version = mapping.version(), "the mapping was exchanged");
                self.current.store(Arc::new(mapping));
            }
            Err(defects) => {
                let version = self.current().version().to_owned();
                for defect in defects {
                    error!(%defect, version, "the changed mapping was refused whole; the old one stays in use");
                }
            }
        }
    }
}

type Seen = Result<Folder, Vec<Defect>>;

/// What was seen of the folder. A change counts once it was seen twice: an editor, or a copy, may still be writing at
/// the first look.
#[derive(Debug)]
struct Looks {
    used: Seen,
    last: Seen,
}

impl Looks {
    fn new(used: Seen) -> Self {
        Self { last: used.clone(), used }
    }

    /// The folder, if it has changed and nobody writes any more.
    fn see(&mut self, now: Seen) -> Option<&Seen> {
        let settled = now == self.last && now != self.used;
        self.last = now;
        if settled {
            self.used = self.last.clone();
        }
        settled.then_some(&self.used)
    }
}

/// A failing example is the analyst's to judge: `check` fails on it, a running service says so and goes on.
fn warn_of_examples(mapping: &Mapping, folder: &Folder) {
    for defect in mapping.check_examples(folder) {
        warn!(%defect, version = mapping.version(), "an example of the mapping differs");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn folder(sheet: &str) -> Folder {
        Folder { files: BTreeMap::from([("purchase-order.csv".to_owned(), sheet.to_owned())]) }
    }

    #[test]
    fn a_change_is_taken_when_nobody_writes_any_more() {
        let mut looks = Looks::new(Ok(folder("old")));
        assert_eq!(looks.see(Ok(folder("old"))), None);
        assert_eq!(looks.see(Ok(folder("ne"))), None, "half written");
        assert_eq!(looks.see(Ok(folder("new"))), None, "just written");
        assert_eq!(looks.see(Ok(folder("new"))), Some(&Ok(folder("new"))));
        assert_eq!(looks.see(Ok(folder("new"))), None, "taken once");
        assert_eq!(looks.see(Ok(folder("old"))), None);
        assert_eq!(looks.see(Ok(folder("old"))), Some(&Ok(folder("old"))), "back again");
    }

    #[test]
    fn a_folder_that_is_gone_is_reported_once_and_seen_again_when_it_comes_back() {
        let gone = || Err(vec![Defect::new("purchase-order.csv", "gone")]);
        let mut looks = Looks::new(Ok(folder("old")));
        assert_eq!(looks.see(gone()), None);
        assert_eq!(looks.see(gone()), Some(&gone()));
        assert_eq!(looks.see(gone()), None);
        assert_eq!(looks.see(Ok(folder("old"))), None);
        assert_eq!(looks.see(Ok(folder("old"))), Some(&Ok(folder("old"))));
    }
}
