//! `[[target]]`: where packages are deployed.

use std::path::PathBuf;
use std::str::FromStr;

use countersign_domain::{Scope, TargetName};

use super::address::HttpEndpoint;
use super::section::Section;

/// Where packages are deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetConfig {
    /// Its name, by which routes and requests choose it.
    pub name: TargetName,
    /// What it is.
    pub kind: TargetKind,
}

/// What a target is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetKind {
    /// A directory of this machine.
    Directory {
        /// Where `functions/` lies, as written: relative to the data directory. By default the data directory.
        path: PathBuf,
    },
    /// AWS Lambda.
    Lambda {
        /// The region. By default the configuration's.
        region: String,
        /// Where Lambda is served, such as LocalStack's URL; `None` for AWS.
        endpoint: Option<String>,
        /// What a missing function is made with; without it none is made.
        create: Option<LambdaCreate>,
    },
}

/// What a function is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LambdaCreate {
    /// The ARN of its execution role.
    pub role: String,
    /// Its runtime, such as `provided.al2023`.
    pub runtime: String,
    /// Its handler.
    pub handler: String,
}

/// A target that was declared; `None` if it is wrong, apart from its name.
pub(super) type Declared = (TargetName, Option<TargetConfig>);

/// Each target whose name is good; without any target, the one that is there by default.
pub(super) fn read(sections: Vec<Section<'_>>, default_region: Option<&str>) -> Vec<Declared> {
    let none_written = sections.is_empty();
    let mut declared: Vec<Declared> = Vec::new();
    for mut section in sections {
        let name = section.required::<TargetName>("name", "a name such as \"lambda\"");
        if let Some(name) = &name
            && declared.iter().any(|(earlier, _)| earlier == name)
        {
            section.mistake("name", format_args!("{name} is declared twice: give each target its own name"));
        }
        let kind = match section.kind(&[DIRECTORY, LAMBDA]) {
            Some(DIRECTORY) => Some(read_directory(&mut section)),
            Some(_) => read_lambda(&mut section, default_region),
            None => None,
        };
        section.finish();
        let Some(name) = name else { continue };
        let target = kind.map(|kind| TargetConfig { name: name.clone(), kind });
        declared.push((name, target));
    }
    if none_written {
        declared.extend(by_default().into_iter().map(|target| (target.name.clone(), Some(target))));
    }
    declared
}

/// What counts without any `[[target]]`: one directory, the data directory.
pub(super) fn by_default() -> Vec<TargetConfig> {
    let kind = TargetKind::Directory { path: HERE.into() };
    DIRECTORY.parse().into_iter().map(|name| TargetConfig { name, kind: kind.clone() }).collect()
}

fn read_directory(section: &mut Section<'_>) -> TargetKind {
    TargetKind::Directory { path: section.file("path").unwrap_or_else(|| HERE.into()) }
}

fn read_lambda(section: &mut Section<'_>, default_region: Option<&str>) -> Option<TargetKind> {
    let has_region = section.has("region");
    let region = section.parsed::<Region>("region").map(|region| region.0);
    let endpoint = section.parsed::<HttpEndpoint>("endpoint").map(|endpoint| endpoint.0);
    let create = read_create(section);
    let region = if has_region { region } else { default_region.map(str::to_owned) };
    Some(TargetKind::Lambda { region: region?, endpoint, create })
}

fn read_create(section: &mut Section<'_>) -> Option<LambdaCreate> {
    let keys = ["role", "runtime", "handler"];
    let missing: Vec<_> = keys.into_iter().filter(|key| !section.has(key)).collect();
    let role = section.parsed::<RoleArn>("role");
    let runtime = section.parsed::<Runtime>("runtime");
    let handler = section.parsed::<HandlerName>("handler");
    if missing.len() < keys.len() {
        for key in missing {
            section.mistake(
                key,
                "is missing: a function is made with role, runtime and handler; write all three or none",
            );
        }
    }
    Some(LambdaCreate { role: role?.0, runtime: runtime?.0, handler: handler?.0 })
}

struct Region(String);

impl FromStr for Region {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |_| format!("{text:?} is not a region: write one such as us-east-1");
        Scope::new(text, "000000000000").map(|_| Self(text.to_owned())).map_err(wrong)
    }
}

struct RoleArn(String);

impl FromStr for RoleArn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not a role: write its ARN, such as arn:aws:iam::123456789012:role/fn");
        is_role_arn(text).then(|| Self(text.to_owned())).ok_or_else(wrong)
    }
}

/// `arn:PARTITION:iam::ACCOUNT:role/PATH_AND_NAME`, as in Lambda's model.
fn is_role_arn(text: &str) -> bool {
    let Some((partition, rest)) = text.strip_prefix("arn:").and_then(|rest| rest.split_once(":iam::")) else {
        return false;
    };
    let Some((account, name)) = rest.split_once(":role/") else { return false };
    let name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@-_/".contains(&byte);
    partition.starts_with("aws")
        && partition.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=577).contains(&name.len())
        && name.bytes().all(name_byte)
}

struct Runtime(String);

impl FromStr for Runtime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        let is_one = (1..=64).contains(&text.len()) && text.bytes().all(legal);
        let wrong = || format!("{text:?} is not a runtime: write one such as provided.al2023");
        is_one.then(|| Self(text.to_owned())).ok_or_else(wrong)
    }
}

struct HandlerName(String);

impl FromStr for HandlerName {
    type Err = String;

    /// Lambda's model: up to 128 characters without white space.
    fn from_str(text: &str) -> Result<Self, String> {
        let is_one = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        let wrong = || format!("{text:?} is not a handler: write 1 to 128 characters without spaces");
        is_one.then(|| Self(text.to_owned())).ok_or_else(wrong)
    }
}

const DIRECTORY: &str = "directory";
const LAMBDA: &str = "lambda";
const HERE: &str = ".";

pub(super) const MAX_TARGETS: usize = 16;
