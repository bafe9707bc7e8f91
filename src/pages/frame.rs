//! What every page has around its content: title, navigation, footer.

use crate::problem::{API_VERSION, SMART_ID};

/// The pages of the navigation.
const PAGES: [(Section, &str, &str); 5] = [
    (Section::Overview, "/", "Overview"),
    (Section::Reference, "/docs", "API reference"),
    (Section::Mapping, "/mapping", "Mapping"),
    (Section::Preview, "/preview", "Try a cart"),
    (Section::Problems, "/problems", "Problems"),
];

/// The part of the site that a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// `/`
    Overview,
    /// `/docs`
    Reference,
    /// `/mapping`
    Mapping,
    /// `/preview`
    Preview,
    /// `/problems` and all below it
    Problems,
}

/// The surroundings of one page, for `layout.html`.
#[derive(Debug)]
pub struct Frame {
    /// The title of the page, without that of the site.
    pub title: String,
    section: Section,
}

/// An entry of the navigation.
#[derive(Debug)]
pub struct Link {
    /// Where it leads.
    pub path: &'static str,
    /// Its text.
    pub label: &'static str,
    /// Whether the page belongs to it.
    pub is_current: bool,
}

impl Frame {
    /// The frame of a page.
    pub fn new(section: Section, title: impl Into<String>) -> Self {
        Self { title: title.into(), section }
    }

    /// The navigation.
    pub fn links(&self) -> impl Iterator<Item = Link> {
        PAGES.into_iter().map(|(section, path, label)| Link { path, label, is_current: section == self.section })
    }

    /// The version of the program.
    #[expect(clippy::unused_self, reason = "templates call methods of the frame alone")]
    pub const fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// The version of the API.
    #[expect(clippy::unused_self, reason = "templates call methods of the frame alone")]
    pub const fn api_version(&self) -> &'static str {
        API_VERSION
    }

    /// The interface's name.
    #[expect(clippy::unused_self, reason = "templates call methods of the frame alone")]
    pub const fn smart_id(&self) -> &'static str {
        SMART_ID
    }
}
