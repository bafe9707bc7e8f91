//! The version is one: that of Cargo.toml, in the image's label and in the chart.

use crate::texts::{Text, repository};
use crate::{Finding, assert_none};

/// The texts that have the version, each with its file.
fn places(version: &str) -> [(&'static str, String); 3] {
    [
        ("Dockerfile", format!("org.opencontainers.image.version=\"{version}\"")),
        ("helm/purchase-order-webhook/Chart.yaml", format!("\nappVersion: \"{version}\"\n")),
        ("helm/purchase-order-webhook/Chart.yaml", format!("image: purchase-order-webhook:{version}\n")),
    ]
}

fn other_versions(files: &[Text], version: &str) -> Vec<Finding> {
    let lacks =
        |(path, text): &(&str, String)| !files.iter().any(|file| file.path == *path && file.text.contains(text));
    let missing = places(version).into_iter().filter(lacks);
    missing.map(|(path, text)| Finding::new(path, 1, format!("expected {}", text.trim()))).collect()
}

#[test]
fn image_and_chart_have_the_version_of_the_program() {
    assert_none(&other_versions(&repository(), env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_checker_finds_every_place_with_another_version() {
    assert_eq!(other_versions(&repository(), "0.0.0").len(), 3);
}
