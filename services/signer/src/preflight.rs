//! What the configuration names and what is not there: told at the start, because otherwise a drop would tell it.

use std::collections::BTreeSet;

use countersign_domain::{AllowedPublisher, BucketName, ProfileName};
use countersign_ports::objects::{ObjectError, ObjectStore};
use countersign_ports::profiles::{ProfileStatus, Profiles};
use countersign_runtime::Config;

/// What is wrong with each bucket and profile that is missing or cannot be used, in a line each.
pub async fn problems(objects: &dyn ObjectStore, profiles: &dyn Profiles, config: &Config) -> Vec<String> {
    let buckets: BTreeSet<&BucketName> =
        config.routes.iter().flat_map(|route| [&route.source.bucket, &route.destination.bucket]).collect();
    let mut problems = Vec::new();
    for bucket in buckets {
        problems.extend(bucket_problem(objects, bucket).await);
    }
    for (name, user) in named_profiles(config) {
        let problem = profile_problem(profiles, &name).await;
        problems.extend(problem.map(|problem| format!("{user}: {problem}")));
    }
    problems
}

async fn bucket_problem(objects: &dyn ObjectStore, bucket: &BucketName) -> Option<String> {
    match objects.keeps_versions(bucket).await {
        Ok(true) => None,
        Ok(false) => Some(format!(
            "bucket {bucket} keeps no versions, so nothing in it is signed or deployed: run `{}`",
            turn_on(bucket)
        )),
        Err(ObjectError::NoSuchBucket(_)) => Some(format!(
            "bucket {bucket} of a route does not exist: run `aws s3 mb s3://{bucket} && {}`",
            turn_on(bucket)
        )),
        Err(error) => Some(format!("bucket {bucket} could not be checked: {error}")),
    }
}

/// The command that has `bucket` keep versions.
fn turn_on(bucket: &BucketName) -> String {
    format!("aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled")
}

/// Each profile of this installation that the configuration names, with where it does.
fn named_profiles(config: &Config) -> Vec<(ProfileName, String)> {
    let routes = config.routes.iter().map(|route| (route.profile.clone(), format!("route {}", route.source)));
    let publishers = config.code_signing_configs.iter().flat_map(|csc| {
        csc.allowed_publishers.iter().filter_map(|publisher| {
            let profile = match publisher {
                AllowedPublisher::Profile(profile) => profile,
                AllowedPublisher::Version(version) => version.profile(),
            };
            let ours = profile.scope() == &config.scope;
            ours.then(|| (profile.name().clone(), format!("code signing config {}", csc.name)))
        })
    });
    routes.chain(publishers).collect()
}

async fn profile_problem(profiles: &dyn Profiles, name: &ProfileName) -> Option<String> {
    match profiles.profile(name).await {
        Ok(Some(profile)) => match profile.status {
            ProfileStatus::Active => None,
            ProfileStatus::Canceled | ProfileStatus::Revoked => {
                Some(format!("signing profile {name} is {} and signs no more", profile.status))
            }
        },
        Ok(None) => {
            Some(format!("there is no signing profile {name}: run `countersign profile create {name}`"))
        }
        Err(error) => Some(format!("signing profile {name} could not be looked up: {error}")),
    }
}
