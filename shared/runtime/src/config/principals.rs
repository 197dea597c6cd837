//! `[[principal]]`: who may ask for what.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use countersign_domain::{PrincipalName, Scope};
use countersign_iam::{AccountId, MAX_POLICY_BYTES, Policy};

use super::section::{FilePath, Section};
use crate::principal::{AccessKey, AccessKeyId};
use crate::{Authority, Principal};

/// Reads each principal with its policies, whose files are read here and now. What has a mistake is left out.
pub(super) fn read(sections: Vec<Section<'_>>, scope: Option<&Scope>) -> Option<Authority> {
    let mut taken = Taken::default();
    let principals: Vec<Option<Principal>> =
        sections.into_iter().map(|section| read_principal(section, scope, &mut taken)).collect();
    let nobody = Authority::new(scope?.clone());
    Some(principals.into_iter().flatten().fold(nobody, Authority::with))
}

/// What stands for a principal already, each user and key with its path.
#[derive(Default)]
struct Taken {
    names: BTreeSet<PrincipalName>,
    publishers: BTreeMap<String, String>,
    access_keys: BTreeMap<AccessKeyId, String>,
}

fn read_principal(mut section: Section<'_>, scope: Option<&Scope>, taken: &mut Taken) -> Option<Principal> {
    let name = section.required::<PrincipalName>("name", "a name such as \"signer\"");
    if let Some(name) = &name
        && !taken.names.insert(name.clone())
    {
        section.mistake(
            "name",
            format_args!("{name} is declared twice: write all of it into one [[principal]]"),
        );
    }
    let account = if section.has("account") {
        section.parsed::<AccountId>("account")
    } else {
        scope.and_then(|scope| scope.account().as_str().parse().ok())
    };
    let keys = section.few_sections("access_keys", MAX_ACCESS_KEYS);
    let publishers = read_publishers(&mut section, !keys.is_empty(), taken);
    let access_keys: Vec<AccessKey> =
        keys.into_iter().filter_map(|key| read_access_key(key, taken)).collect();
    let policies = read_policies(&mut section);
    section.finish();
    let principal = Principal::new(name?, account?).with_publishers(publishers);
    Some(principal.with_access_keys(access_keys).with_policies(policies))
}

fn read_publishers(section: &mut Section<'_>, has_access_key: bool, taken: &mut Taken) -> Vec<String> {
    let texts = section.few_texts("publishers", MAX_PUBLISHERS);
    if texts.is_empty() && !has_access_key {
        let write = format!("has 0 entries: write 1 to {MAX_PUBLISHERS}, or give the principal access_keys");
        section.mistake("publishers", write);
    }
    let mut publishers = Vec::new();
    for (path, publisher) in texts {
        if !is_user(&publisher) {
            section.mistake_at(
                &path,
                "is not a user of the broker: use 1 to 255 bytes without control characters",
            );
        } else if let Some(earlier) = taken.publishers.get(&publisher) {
            section.mistake_at(
                &path,
                format_args!(
                    "{publisher:?} stands in {earlier} already: a user belongs to one principal, once"
                ),
            );
        } else {
            taken.publishers.insert(publisher.clone(), path);
            publishers.push(publisher);
        }
    }
    publishers
}

fn read_access_key(mut section: Section<'_>, taken: &mut Taken) -> Option<AccessKey> {
    let id = section.required::<AccessKeyId>("id", "such as \"AKIAIOSFODNN7EXAMPLE\"");
    let file = section.file("secret_file");
    let key = id.and_then(|id| {
        // A secret in the wrong place would look like an id, so it is not repeated.
        if let Some(earlier) = taken.access_keys.get(&id) {
            let reason = format!("stands in {earlier} already: an access key belongs to one principal, once");
            section.mistake("id", reason);
            return None;
        }
        taken.access_keys.insert(id.clone(), section.path_of("id"));
        let secret = section.secret("secret_file", &format!("{SECRET_ACCESS_KEY}{id}"), file);
        Some(AccessKey::new(id, secret))
    });
    section.finish();
    key
}

/// Each policy under the name of its file as it is written.
fn read_policies(section: &mut Section<'_>) -> Vec<Policy> {
    let (mut policies, mut files) = (Vec::new(), BTreeSet::new());
    for (path, file) in section.few_texts("policies", MAX_POLICIES) {
        match policy(section.folder(), &file) {
            Ok(_) if !files.insert(file.clone()) => {
                section.mistake_at(&path, format_args!("{file} stands in the list twice: name it once"));
            }
            Ok(policy) => policies.push(policy.named(&file)),
            Err(reason) => section.mistake_at(&path, reason),
        }
    }
    policies
}

fn policy(folder: &Path, file: &str) -> Result<Policy, String> {
    let FilePath(relative) = file.parse().map_err(str::to_owned)?;
    let path = folder.join(relative);
    let text = read_policy(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Policy::parse(&text).map_err(|error| format!("{file}: {error}"))
}

/// The file, or a little more of it than a policy may have.
fn read_policy(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_POLICY_BYTES as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}

/// A short string of AMQP 0-9-1, as the property `user_id` is.
fn is_user(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.trim() == text && !text.chars().any(char::is_control)
}

/// The variable with the secret of an access key is this and the key's id.
const SECRET_ACCESS_KEY: &str = "COUNTERSIGN_SECRET_ACCESS_KEY_";

pub(super) const MAX_PRINCIPALS: usize = 64;
/// Users of the broker that stand for one principal.
const MAX_PUBLISHERS: usize = 100;
/// As many as a user of IAM has: an old key and the new one while it is being replaced.
const MAX_ACCESS_KEYS: usize = 2;
/// As many managed policies as a user of IAM has at most. Each is evaluated at every request.
const MAX_POLICIES: usize = 20;
