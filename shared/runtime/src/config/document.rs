//! The keys of the document, from the top.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use countersign_domain::code_signing::MAX_ALLOWED_PUBLISHERS;
use countersign_domain::{
    AllowedPublisher, CodeSigningConfig, CodeSigningConfigName, ProfileArn, ProfileName, Scope,
    UntrustedArtifact,
};

use super::address::Listen;
use super::principals::MAX_PRINCIPALS;
use super::section::{Reader, Section};
use super::targets::MAX_TARGETS;
use super::triggers::MAX_TRIGGERS;
use super::{Config, Mistake, gate, parts, principals, routes, services, targets, triggers};
use crate::Environment;

/// Reads the whole document, or says everything that is wrong with it.
pub(super) fn read(text: &str, folder: &Path, environment: &Environment) -> Result<Config, Vec<Mistake>> {
    let reader = Reader::new(environment, folder);
    let config = read_top(&reader, text);
    let mistakes = reader.into_mistakes();
    match config {
        Some(config) if mistakes.is_empty() => Ok(config),
        Some(_) | None => Err(mistakes),
    }
}

fn read_top(reader: &Reader<'_>, text: &str) -> Option<Config> {
    let mut top = reader.top(text);
    let listen = top.parsed_or("listen", Listen(SocketAddr::from(DEFAULT_LISTEN)));
    let scope = read_scope(&mut top);
    let require_code_signing = top.boolean("require_code_signing", false);
    let sweep_seconds = top.number("sweep_interval_seconds", 60, 1, 86_400);
    let package_size_max_bytes = top.number("package_size_max_bytes", DEFAULT_PACKAGE_SIZE, 1, LARGEST_SIZE);
    let unpacked_size_max_bytes =
        top.number("unpacked_size_max_bytes", DEFAULT_UNPACKED_SIZE, 1, LARGEST_SIZE);
    let gate = gate::read(top.section_or_empty("gate"));
    let key_passphrase_file = top.file("key_passphrase_file");
    let trust_roots = top.texts("trust_roots").into_iter().map(|(_, path)| path.into()).collect();
    let signer = services::read(top.section_or_empty("signer"), &services::SIGNER);
    let deployer = services::read_deployer(top.section_or_empty("deployer"));
    let s3 = top.section_if_given("s3").map(parts::read_s3);
    let rabbitmq = top.section_if_given("rabbitmq");
    let triggers = triggers::read(top.few_sections("trigger", MAX_TRIGGERS), rabbitmq.is_some());
    let rabbitmq = rabbitmq.and_then(parts::read_rabbitmq);
    let postgresql = top.section_if_given("postgresql").and_then(parts::read_postgresql);
    let targets = targets::read(top.few_sections("target", MAX_TARGETS), scope.as_ref().map(Scope::region));
    let authority = principals::read(top.few_sections("principal", MAX_PRINCIPALS), scope.as_ref());
    let code_signing_configs = read_code_signing_configs(&mut top, scope.as_ref());
    let declared = routes::Declared {
        code_signing_configs: code_signing_configs.iter().map(|(name, _)| name).cloned().collect(),
        targets: targets.iter().map(|(name, _)| name).cloned().collect(),
    };
    let routes = routes::read(reader, top.sections("route"), &declared);
    top.finish();
    let (deployer, code_bucket) = deployer?;
    Some(Config {
        listen: listen?.0,
        scope: scope?,
        require_code_signing,
        sweep_interval: Duration::from_secs(sweep_seconds),
        package_size_max_bytes,
        unpacked_size_max_bytes,
        gate,
        key_passphrase_file,
        trust_roots,
        signer: signer?,
        deployer,
        code_bucket,
        s3,
        rabbitmq,
        postgresql,
        triggers,
        targets: targets.into_iter().filter_map(|(_, target)| target).collect(),
        authority: authority?,
        routes,
        code_signing_configs: code_signing_configs.into_iter().filter_map(|(_, config)| config).collect(),
    })
}

fn read_scope(top: &mut Section<'_>) -> Option<Scope> {
    let region: Option<String> = top.parsed_or("region", DEFAULT_REGION.to_owned());
    let account: Option<String> = top.parsed_or("account", DEFAULT_ACCOUNT.to_owned());
    let (region, account) = (region?, account?);
    let bad_region = Scope::new(&region, DEFAULT_ACCOUNT).is_err();
    let bad_account = Scope::new(DEFAULT_REGION, &account).is_err();
    if bad_region {
        top.mistake("region", format_args!("{region:?} is not a region: write one such as us-east-1"));
    }
    if bad_account {
        top.mistake("account", format_args!("{account:?} is not an account: write 12 digits"));
    }
    Scope::new(&region, &account).ok()
}

type Declared = (CodeSigningConfigName, Option<CodeSigningConfig>);

/// Each config whose name is good; a config that is wrong otherwise counts as declared, so that a route that names it
/// is not a second mistake.
fn read_code_signing_configs(top: &mut Section<'_>, scope: Option<&Scope>) -> Vec<Declared> {
    let mut declared: Vec<Declared> = Vec::new();
    for mut section in top.sections("code_signing_config") {
        let name = section.required("name", "a name such as \"default\"");
        if let Some(name) = &name
            && declared.iter().any(|(earlier, _)| earlier == name)
        {
            section.mistake("name", format_args!("{name} is declared twice: give each config its own name"));
        }
        let publishers = read_publishers(&mut section, scope);
        let untrusted_artifact = section.parsed_or("untrusted_artifact", UntrustedArtifact::Warn);
        section.finish();
        let Some(name) = name else { continue };
        let config = publishers.zip(untrusted_artifact).map(|(allowed_publishers, untrusted_artifact)| {
            CodeSigningConfig { name: name.clone(), allowed_publishers, untrusted_artifact }
        });
        declared.push((name, config));
    }
    declared
}

fn read_publishers(section: &mut Section<'_>, scope: Option<&Scope>) -> Option<Vec<AllowedPublisher>> {
    let texts = section.some_texts("allowed_publishers", MAX_ALLOWED_PUBLISHERS);
    let mut publishers = Vec::new();
    for (path, text) in &texts {
        match publisher(text, scope?) {
            Ok(publisher) => publishers.push(publisher),
            Err(reason) => section.mistake_at(path, reason),
        }
    }
    (publishers.len() == texts.len() && !texts.is_empty()).then_some(publishers)
}

/// A profile name in `scope`, a profile ARN or a profile version ARN.
fn publisher(text: &str, scope: &Scope) -> Result<AllowedPublisher, String> {
    if text.starts_with("arn:") {
        return text.parse().map_err(|error: countersign_domain::arn::InvalidArn| error.to_string());
    }
    let name: ProfileName = text.parse().map_err(|error| format!("{error}; or write a profile ARN"))?;
    Ok(AllowedPublisher::Profile(ProfileArn::new(scope.clone(), name)))
}

const DEFAULT_LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 4580);
const DEFAULT_REGION: &str = "us-east-1";
const DEFAULT_ACCOUNT: &str = "000000000000";

/// 250 MiB, AWS Signer's `maxSizeInMB` for Lambda.
const DEFAULT_PACKAGE_SIZE: u64 = 250 * 1024 * 1024;
/// 250 MiB, AWS Lambda's limit.
const DEFAULT_UNPACKED_SIZE: u64 = 250 * 1024 * 1024;
/// 1 TiB: more than any disk that a worker unpacks on; what is larger is a typing error.
const LARGEST_SIZE: u64 = 1 << 40;
