//! `[[principal]]`: who may ask for deployments.

use std::collections::BTreeMap;

use countersign_domain::PrincipalName;

use super::section::Section;
use crate::Principals;

/// Reads each principal. A publisher with a mistake is left out.
pub(super) fn read(sections: Vec<Section<'_>>) -> Principals {
    let mut principals = Principals::default();
    let mut names: Vec<PrincipalName> = Vec::new();
    let mut paths: BTreeMap<String, String> = BTreeMap::new();
    for mut section in sections {
        let name = section.required::<PrincipalName>("name", "a name such as \"signer\"");
        if let Some(name) = &name {
            if names.contains(name) {
                section.mistake(
                    "name",
                    format_args!("{name} is declared twice: write all its publishers into one [[principal]]"),
                );
            }
            names.push(name.clone());
        }
        for (path, publisher) in section.some_texts("publishers", MAX_PUBLISHERS) {
            if !is_user(&publisher) {
                section.mistake_at(
                    &path,
                    "is not a user of the broker: use 1 to 255 bytes without control characters",
                );
            } else if let Some(earlier) = paths.get(&publisher) {
                section.mistake_at(
                    &path,
                    format_args!(
                        "{publisher:?} stands in {earlier} already: a user belongs to one principal, once"
                    ),
                );
            } else {
                principals = name.iter().fold(principals, |all, name| all.with(&publisher, name.clone()));
                paths.insert(publisher, path);
            }
        }
        section.finish();
    }
    principals
}

/// A short string of AMQP 0-9-1, as the property `user_id` is.
fn is_user(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.trim() == text && !text.chars().any(char::is_control)
}

const MAX_PUBLISHERS: usize = 100;
pub(super) const MAX_PRINCIPALS: usize = 64;
