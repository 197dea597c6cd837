//! The signing platforms: those that are implemented, and no others of AWS.

use countersign_api::Asks;
use countersign_domain::Platform;
use countersign_gateway::model::signer::RESOURCE_NOT_FOUND_ERROR;
use countersign_gateway::{ApiError, Call, Reply};
use serde_json::{Value, json};

use super::SignerApi;
use super::answer::reply;
use super::page::Page;

impl SignerApi {
    /// `ListSigningPlatforms`, in the order of their ids.
    pub(super) fn list_platforms(&self, call: &Call) -> Result<Reply, ApiError> {
        self.access.authorize(call, Asks::of(call))?;
        let page = Page::of(call, &self.settings.pages)?;
        let mut platforms = Platform::ALL.to_vec();
        platforms.retain(|platform| is_wanted(call, *platform));
        platforms.retain(|platform| page.after().is_none_or(|after| platform.id() > after));
        platforms.sort_by_key(|platform| platform.id());
        let position = |platform: &Platform| platform.id().to_owned();
        Ok(page.reply("platforms", platforms, position, |platform| self.shown(*platform)))
    }

    /// `GetSigningPlatform`.
    pub(super) fn get_platform(&self, call: &Call) -> Result<Reply, ApiError> {
        self.access.authorize(call, Asks::of(call))?;
        let id = call.input.text(&["platformId"]).unwrap_or_default();
        let unknown = |_| RESOURCE_NOT_FOUND_ERROR.error(format!("Signing platform {id} does not exist"));
        Ok(reply(self.shown(id.parse().map_err(unknown)?)))
    }

    fn shown(&self, platform: Platform) -> Value {
        let Facts { name, partner, target, category, encryption, hash } = facts(platform);
        let limit = (self.settings.package_limit_bytes / BYTES_IN_MB).min(MOST_MB);
        json!({
            "platformId": platform.id(),
            "displayName": name,
            "partner": partner,
            "target": target,
            "category": category,
            "signingConfiguration": {
                "encryptionAlgorithmOptions": { "allowedValues": [encryption], "defaultValue": encryption },
                "hashAlgorithmOptions": { "allowedValues": [hash], "defaultValue": hash },
            },
            // What AWS says of its own CMS in a zip; no value of the model fits one better.
            "signingImageFormat": { "supportedFormats": ["JSONDetached"], "defaultFormat": "JSONDetached" },
            "maxSizeInMB": limit,
            "revocationSupported": true,
        })
    }
}

/// How a platform is called, beside its id.
pub(super) fn display_name(platform: Platform) -> &'static str {
    facts(platform).name
}

struct Facts {
    name: &'static str,
    partner: &'static str,
    target: &'static str,
    category: &'static str,
    encryption: &'static str,
    hash: &'static str,
}

/// What AWS says of its platform, and the like of ours.
fn facts(platform: Platform) -> Facts {
    let ours = |name, target, encryption, hash| {
        let (partner, category) = ("Countersign", "Countersign");
        Facts { name, partner, target, category, encryption, hash }
    };
    match platform {
        Platform::AwsLambdaSha384Ecdsa => Facts {
            name: "AWS Lambda",
            partner: "AWSLambda",
            target: "SHA384-ECDSA",
            category: "AWS",
            encryption: "ECDSA",
            hash: "SHA384",
        },
        Platform::CountersignSha256Rsa => ours("Countersign SHA256-RSA", "SHA256-RSA", "RSA", "SHA256"),
        Platform::CountersignSha384Ecdsa => {
            ours("Countersign SHA384-ECDSA", "SHA384-ECDSA", "ECDSA", "SHA384")
        }
    }
}

fn is_wanted(call: &Call, platform: Platform) -> bool {
    let Facts { partner, target, category, .. } = facts(platform);
    [("partner", partner), ("target", target), ("category", category)]
        .into_iter()
        .all(|(member, value)| call.input.text(&[member]).is_none_or(|wanted| wanted == value))
}

const BYTES_IN_MB: u64 = 1024 * 1024;

/// The most that a member of 32 bits can say.
const MOST_MB: u64 = i32::MAX as u64;
