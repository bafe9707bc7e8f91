//! `check`: every mistake in the settings, the files that they name, the mapping and its examples.

mod example_files;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arguments::ConfigFile;
use super::failure::Failure;
use super::process::{print, runtime};
use crate::app::{
    MappingCheck, WaysOut, check_dates, check_files, check_future_restore, check_ledger_file, check_mapping,
    check_restore,
};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Settings, environment, placeholders};
use crate::doctor::{Status, examine_target};
use crate::mapping::MappingOptions;
use example_files::write_examples;

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct CheckArguments {
    #[command(flatten)]
    config: ConfigFile,
    /// Check this mapping folder alone; no other settings are needed. With --config, its section mapping says how it is used
    #[arg(long, value_name = "FOLDER", conflicts_with = "target")]
    mapping: Option<PathBuf>,
    /// Also ask 11VMS for a token and for an order that can't exist; nothing is created
    #[arg(long)]
    target: bool,
    /// Show every difference of the examples, then write what the mapping makes of them. An order is never exchanged for a refusal, nor a refusal for an order
    #[arg(long)]
    update_examples: bool,
}

/// The findings of a check.
#[derive(Debug, Default)]
struct Findings {
    /// What is neither wrong nor suspicious.
    facts: Vec<String>,
    warnings: Vec<String>,
    mistakes: Vec<String>,
}

/// Reports every mistake at once; the mapping is checked even if other settings are wrong. What works and needs attention
/// all the same is printed as a warning, and is no failure.
pub fn check(arguments: &CheckArguments) -> Result<(), Failure> {
    let CheckArguments { config, mapping, target, update_examples } = arguments;
    let file = config.config.as_deref();
    let folder = mapping_folder(file, mapping.as_deref())?;
    let mut findings = match mapping {
        Some(_) => Findings::default(),
        None => check_settings(file, *target)?,
    };
    let checked_settings = mapping.is_none() && findings.mistakes.is_empty();
    let mut mapping = folder.as_ref().map(|(directory, options)| check_mapping(directory, options));
    if *update_examples && let (Some(before), Some((directory, options))) = (&mapping, &folder) {
        findings.mistakes.extend(write_examples(directory, before)?);
        mapping = Some(check_mapping(directory, options));
    }
    if let Some(mapping) = &mapping {
        findings.warnings.extend(mapping.warnings.iter().cloned());
        findings.mistakes.extend(mapping.mistakes.iter().chain(&mapping.differences).cloned());
    }
    for fact in &findings.facts {
        print(&format!("{fact}\n"))?;
    }
    for warning in &findings.warnings {
        print(&format!("warning: {warning}\n"))?;
    }
    if checked_settings {
        print("settings: no mistakes\n")?;
    }
    conclude(findings.mistakes, mapping.as_ref())
}

/// The folder to check and how it is used; `None` where the settings do not say it, which they are blamed for anyway.
fn mapping_folder(file: Option<&Path>, mapping: Option<&Path>) -> Result<Option<(PathBuf, MappingOptions)>, Failure> {
    let Some(directory) = mapping else {
        return Ok(config::Mapping::load(file, &environment())
            .ok()
            .map(|settings| (settings.directory, settings.options)));
    };
    // Nothing but the arguments decides: an analyst's own machine has no settings.
    let options = match file {
        None => MappingOptions::default(),
        Some(_) => {
            config::Mapping::load(file, &environment()).map_err(|mistakes| Failure::of_lines(mistakes.0))?.options
        }
    };
    Ok(Some((directory.to_owned(), options)))
}

fn check_settings(file: Option<&Path>, target: bool) -> Result<Findings, Failure> {
    let environment = environment();
    let placeholders = placeholders(file, &environment).into_iter();
    let mut warnings: Vec<String> = placeholders.map(|text| format!("{text}; expected your own")).collect();
    let mut facts = Vec::new();
    let mistakes = match Settings::load(file, &environment) {
        Ok(settings) => {
            let ways = WaysOut::of(&settings);
            facts = ways.lines;
            warnings.extend(ways.warnings);
            warnings.extend(check_dates(&settings));
            warnings.extend(check_restore(&settings));
            let mut mistakes = check_files(&settings);
            mistakes.extend(check_ledger_file(&settings.ledger.storage));
            mistakes.extend(check_future_restore(&settings));
            if target {
                mistakes.extend(check_target(&settings)?);
            }
            mistakes
        }
        Err(mistakes) => mistakes.0,
    };
    Ok(Findings { facts, warnings, mistakes })
}

/// Ends with a summary: on standard output if nothing is wrong, else behind the mistakes.
fn conclude(mut mistakes: Vec<String>, mapping: Option<&MappingCheck>) -> Result<(), Failure> {
    let Some(mapping) = mapping else { return Err(Failure::of_lines(mistakes)) };
    let of_mapping = mapping.mistakes.len() + mapping.differences.len();
    let subject = match of_mapping {
        0 => "no mistakes".to_owned(),
        1 => "1 mistake".to_owned(),
        several => format!("{several} mistakes"),
    };
    let version = mapping.version.as_ref().map_or_else(String::new, |version| format!("version {version}"));
    let parts: Vec<String> = [subject, version, mapping.counts.clone(), mapping.differing.clone()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    let summary = format!("{}: {}", mapping.directory, parts.join(", "));
    if mistakes.is_empty() {
        return print(&format!("{summary}\n"));
    }
    mistakes.push(summary);
    Err(Failure::of_lines(mistakes))
}

/// What 11VMS and its token endpoint answer otherwise than the settings say; what they answer as expected is printed.
fn check_target(settings: &Settings) -> Result<Vec<String>, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let findings = runtime()?.block_on(examine_target(settings, &clock));
    let (good, bad): (Vec<_>, Vec<_>) = findings.into_iter().partition(|finding| finding.status == Status::Ok);
    for finding in good {
        print(&format!("{finding}\n"))?;
    }
    Ok(bad.iter().map(ToString::to_string).collect())
}
