//! The mapping in use, exchanged when the folder's content changes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info, warn};

use super::compiled::Mapping;
use super::currency::Amounts;
use super::defect::Defect;
use super::folder::Folder;
use super::plausibility::Plausibility;
use super::sheet::IdField;
use crate::cart::Name;
use crate::clock::Clock;
use crate::reload::{Reload, Reloadable, Settling};

/// Between two readings of the folder. Comparing content works on every file system: a ConfigMap's swapped link, a
/// network share or a bind mount may raise no event.
const POLL: Duration = Duration::from_secs(1);

/// The folder's files, or the defects of a folder that can't be read.
type Content = Result<Folder, Vec<Defect>>;

/// The current mapping of a folder.
#[derive(Debug)]
pub struct LiveMapping {
    directory: PathBuf,
    amounts: Amounts,
    plausibility: Plausibility,
    system_field: Option<Name>,
    id_field: IdField,
    mapping: Reloadable<Content, Mapping>,
}

impl LiveMapping {
    /// Loads the folder.
    ///
    /// # Errors
    /// Every defect; there is no mapping to fall back to.
    pub fn load(
        directory: PathBuf,
        amounts: Amounts,
        plausibility: Plausibility,
        system_field: Option<Name>,
        id_field: IdField,
    ) -> Result<Self, Vec<Defect>> {
        let folder = Folder::read(&directory)?;
        let mapping = Mapping::compile_for(&folder, amounts, &id_field)?
            .with_plausibility(plausibility)
            .with_system_field(system_field.clone());
        let mapping = Reloadable::new(Ok(folder), mapping, Settling::SeenTwice);
        Ok(Self { directory, amounts, plausibility, system_field, id_field, mapping })
    }

    /// Reports every example of the folder that becomes another order than expected.
    pub fn warn_of_examples(&self) {
        if let Some(Ok(folder)) = self.mapping.content() {
            warn_of_examples(&self.current(), &folder);
        }
    }

    /// The mapping to use for one cart.
    pub fn current(&self) -> Arc<Mapping> {
        self.mapping.current()
    }

    /// Watches the folder until dropped.
    pub async fn watch(self: Arc<Self>, clock: Arc<dyn Clock>) {
        loop {
            clock.sleep(POLL).await;
            let directory = self.directory.clone();
            let Ok(content) = tokio::task::spawn_blocking(move || Folder::read(&directory)).await else { continue };
            self.reload_if_changed(content);
        }
    }

    /// A changed folder without defects is exchanged; any other leaves the mapping before in use.
    fn reload_if_changed(&self, content: Content) {
        let directory = self.directory.display();
        match self.mapping.offer(content, |content| self.compile(content)) {
            Reload::Unchanged => {}
            Reload::Exchanged { previous, current } if previous.version() == current.version() => info!(
                mapping.version = current.version(),
                mapping.directory = %directory,
                "the mapping can be read again, and is the one in use"
            ),
            Reload::Exchanged { previous, current } => info!(
                mapping.version = current.version(),
                mapping.previous_version = previous.version(),
                mapping.directory = %directory,
                "a changed mapping is in use for carts from now on"
            ),
            Reload::Refused(defects) => {
                for defect in defects {
                    error!(
                        error.message = %defect,
                        mapping.version = self.current().version(),
                        mapping.directory = %directory,
                        "a changed mapping was refused whole; the one before stays in use"
                    );
                }
            }
        }
    }

    fn compile(&self, content: &Content) -> Result<Mapping, Vec<Defect>> {
        let folder = content.as_ref().map_err(Clone::clone)?;
        let mapping = Mapping::compile_for(folder, self.amounts, &self.id_field)?
            .with_plausibility(self.plausibility)
            .with_system_field(self.system_field.clone());
        warn_of_examples(&mapping, folder);
        Ok(mapping)
    }
}

/// An analyst has to judge a failing example: `check` fails on it, a running service only reports it.
fn warn_of_examples(mapping: &Mapping, folder: &Folder) {
    for defect in mapping.check_examples(folder) {
        warn!(
            error.message = %defect,
            mapping.version = mapping.version(),
            "an example of the mapping becomes another order than expected"
        );
    }
}
