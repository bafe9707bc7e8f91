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

    /// Watches the folder until dropped. A change is taken once it was read twice: an editor, or a copy, may still be
    /// writing at the first look.
    pub async fn watch(self: Arc<Self>, clock: Arc<dyn Clock>) {
        let mut used = Ok(self.loaded.clone());
        let mut last = used.clone();
        loop {
            clock.sleep(POLL).await;
            let directory = self.directory.clone();
            let Ok(now) = tokio::task::spawn_blocking(move || Folder::read(&directory)).await else { continue };
            if now == last && now != used {
                self.exchange(&now);
                used = now.clone();
            }
            last = now;
        }
    }

    /// Takes a changed folder if it has no defect; otherwise the old mapping stays.
    fn exchange(&self, folder: &Result<Folder, Vec<Defect>>) {
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

/// A failing example is the analyst's to judge: `check` fails on it, a running service says so and goes on.
fn warn_of_examples(mapping: &Mapping, folder: &Folder) {
    for defect in mapping.check_examples(folder) {
        warn!(%defect, version = mapping.version(), "an example of the mapping differs");
    }
}
