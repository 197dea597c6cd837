//! The routes and the rules between them.

use countersign_domain::{CodeSigningConfigName, Prefix, TargetName};

use super::section::{Reader, Section};
use crate::{DeployRoute, Route};

/// What routes may name.
pub(super) struct Declared {
    pub(super) code_signing_configs: Vec<CodeSigningConfigName>,
    pub(super) targets: Vec<TargetName>,
}

/// Reads each route, then holds them against each other. A route with a mistake is left out.
pub(super) fn read(reader: &Reader<'_>, sections: Vec<Section<'_>>, declared: &Declared) -> Vec<Route> {
    let mut ends: Vec<Ends> = Vec::new();
    let mut routes = Vec::new();
    for mut section in sections {
        let source = section.required("source", "where packages are dropped, such as \"s3://unsigned/\"");
        let profile = section.required("profile", "the signing profile, such as \"default\"");
        let destination =
            section.required("destination", "where signed packages go, such as \"s3://signed/\"");
        let deploy = section.section("deploy").map(|deploy| read_deploy(deploy, declared));
        ends.push(Ends {
            source_path: section.path_of("source"),
            destination_path: section.path_of("destination"),
            source: source.clone(),
            destination: destination.clone(),
        });
        section.finish();
        if let (Some(source), Some(profile), Some(destination)) = (source, profile, destination)
            && let Some(deploy) = deploy.map_or(Some(None), |deploy| deploy.map(Some))
        {
            routes.push(Route { source, profile, destination, deploy });
        }
    }
    refuse_repeated_sources(reader, &ends);
    refuse_loops(reader, &ends);
    routes
}

fn read_deploy(mut section: Section<'_>, declared: &Declared) -> Option<DeployRoute> {
    let function = section.required("function", "a function name or \"{segment}\"");
    let has_alias = section.has("alias");
    let alias = section.parsed("alias");
    let has_target = section.has("target");
    let target = read_target(&mut section, &declared.targets);
    let create = section.boolean("create", false);
    let has_config = section.has("code_signing_config");
    let config: Option<CodeSigningConfigName> = section.parsed("code_signing_config");
    if let Some(name) = config.as_ref().filter(|name| !declared.code_signing_configs.contains(name)) {
        section.mistake(
            "code_signing_config",
            format_args!("{name} is not declared: add a [[code_signing_config]] with name = \"{name}\""),
        );
    }
    if has_config && !create {
        section.mistake(
            "code_signing_config",
            "has no effect on a function that exists: write create = true beside it, or leave it out",
        );
    }
    section.finish();
    let whole = (alias.is_some() || !has_alias)
        && (target.is_some() || !has_target)
        && (config.is_some() || !has_config);
    whole.then_some(DeployRoute { function: function?, alias, target, create, code_signing_config: config })
}

fn read_target(section: &mut Section<'_>, declared: &[TargetName]) -> Option<TargetName> {
    let target: TargetName = section.parsed("target")?;
    if !declared.contains(&target) {
        section.mistake(
            "target",
            format_args!("{target} is not declared: add a [[target]] with name = \"{target}\""),
        );
    }
    Some(target)
}

/// Where a route begins and ends, as far as these could be read.
struct Ends {
    source_path: String,
    destination_path: String,
    source: Option<Prefix>,
    destination: Option<Prefix>,
}

fn refuse_repeated_sources(reader: &Reader<'_>, ends: &[Ends]) {
    for (index, later) in ends.iter().enumerate() {
        let Some(source) = &later.source else { continue };
        if let Some(earlier) = ends[..index].iter().find(|earlier| earlier.source.as_ref() == Some(source)) {
            let path = &earlier.source_path;
            reader.mistake(
                &later.source_path,
                format_args!("{source} is the source of {path} already: give each route its own prefix"),
            );
        }
    }
}

/// A signed package that lands inside a source would be signed again, and again.
fn refuse_loops(reader: &Reader<'_>, ends: &[Ends]) {
    for route in ends {
        let Some(destination) = &route.destination else { continue };
        let looped = ends.iter().find(|other| {
            other.source.as_ref().is_some_and(|source| signed_objects_may_fall_into(destination, source))
        });
        if let Some(Ends { source: Some(source), source_path, .. }) = looped {
            reader.mistake(
                &route.destination_path,
                format_args!(
                    "{destination} lies inside {source}, the source of {source_path}: what is signed would be signed \
                     again without end; write a destination that no source holds"
                ),
            );
        }
    }
}

/// True if some key of the form destination + job id + `.zip` begins with the source's prefix.
fn signed_objects_may_fall_into(destination: &Prefix, source: &Prefix) -> bool {
    destination.bucket == source.bucket
        && (destination.key_prefix.starts_with(&source.key_prefix)
            || source.key_prefix.strip_prefix(&destination.key_prefix).is_some_and(may_begin_a_job_id))
}

/// True if some `JOB.zip` begins with `text`.
fn may_begin_a_job_id(text: &str) -> bool {
    let fits = |(byte, shape): (u8, u8)| match shape {
        b'x' => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        literal => byte == literal,
    };
    text.len() <= JOB_KEY_SHAPE.len() && text.bytes().zip(JOB_KEY_SHAPE.bytes()).all(fits)
}

const JOB_KEY_SHAPE: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx.zip";
