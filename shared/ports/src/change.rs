//! What a deployment is to change of a function, and why it may not.

use countersign_domain::event::DeploymentRequest;
use countersign_domain::{
    Architecture, Code, CodeVersion, FunctionName, FunctionSettings, LayerCode, RevisionId, Sha256Digest,
    Tags,
};
use serde::{Deserialize, Serialize};

use crate::functions::{Function, StandingVersion};

/// What a deployment changes. Its request names the packages; what is not to change is as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Change {
    /// What an event asks for: `$LATEST` is this code with these layers, a version of it is published, and the request's
    /// alias, if any, points to it.
    Publish,
    /// The function is made, bound as the request says.
    Create {
        /// Its settings.
        settings: Box<FunctionSettings>,
        /// Its tags.
        tags: Tags,
        /// Whether a version is published.
        publish: bool,
    },
    /// `$LATEST` has another package. The request's layers are those that stand.
    UpdateCode {
        /// Whether a version is published.
        publish: bool,
        /// Its instruction set, if that is to change.
        architecture: Option<Architecture>,
        /// The state of `$LATEST` that the caller saw.
        revision: Option<RevisionId>,
    },
    /// `$LATEST` has other settings, and other layers with them. The request's code is the one that stands.
    UpdateSettings {
        /// All of its settings from now on.
        settings: Box<FunctionSettings>,
        /// The state of `$LATEST` that the caller saw.
        revision: Option<RevisionId>,
    },
    /// A version of `$LATEST` is published. The request's code and layers are those that stand.
    PublishVersion {
        /// The version's description instead of that of `$LATEST`.
        description: Option<String>,
        /// What the caller takes `$LATEST` for.
        code_sha256: Option<Sha256Digest>,
        /// The state of `$LATEST` that the caller saw.
        revision: Option<RevisionId>,
    },
}

/// Why a change cannot be made of what stands. Nothing says anything about trust.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The function is to be made, and there is one.
    #[error("function {0} exists already")]
    FunctionExists(FunctionName),
    /// There is no such function, or nothing was ever deployed to it.
    #[error("function {0} does not exist")]
    UnknownFunction(FunctionName),
    /// `$LATEST` is in another state than the caller saw.
    #[error("$LATEST is at revision {standing}, not at {expected}; read it again")]
    OtherRevision {
        /// The caller's.
        expected: RevisionId,
        /// What stands.
        standing: RevisionId,
    },
    /// `$LATEST` is other code than the caller takes it for.
    #[error("$LATEST has SHA-256 {standing}, not {expected}")]
    OtherCode {
        /// The caller's.
        expected: Sha256Digest,
        /// What stands.
        standing: Sha256Digest,
    },
    /// Code or layers changed since the request was put together from them.
    #[error("another deployment changed function {0} meanwhile; try again")]
    Changed(FunctionName),
}

impl Change {
    /// True if a version is published.
    pub fn publishes(&self) -> bool {
        match self {
            Self::Publish | Self::PublishVersion { .. } => true,
            Self::Create { publish, .. } | Self::UpdateCode { publish, .. } => *publish,
            Self::UpdateSettings { .. } => false,
        }
    }

    /// True if `$LATEST` becomes what was decided upon.
    pub fn sets_latest(&self) -> bool {
        !matches!(self, Self::PublishVersion { .. })
    }

    /// Why the change cannot be made of `function` as it stands. An event's may always be tried.
    pub fn refusal(&self, function: Option<&Function>, request: &DeploymentRequest) -> Option<Refusal> {
        let name = || request.function_name.clone();
        let latest = function.and_then(|function| function.latest.as_ref());
        match (self, latest) {
            (Self::Publish, _) | (Self::Create { .. }, None) => None,
            (Self::Create { .. }, Some(_)) => Some(Refusal::FunctionExists(name())),
            (_, None) => Some(Refusal::UnknownFunction(name())),
            (_, Some(latest)) => other_revision(self.revision(), &latest.revision)
                .or_else(|| self.other_code(&latest.code))
                .or_else(|| (!self.is_of(latest, request)).then(|| Refusal::Changed(name()))),
        }
    }

    /// `$LATEST` after this change: the packages are those that were decided upon. Without `latest` there was none.
    pub fn settings(&self, latest: Option<&StandingVersion>) -> FunctionSettings {
        let standing = || latest.map(|latest| latest.settings.clone()).unwrap_or_default();
        match self {
            // An event names packages, and layers that are packages have no version to show.
            Self::Publish => FunctionSettings { layers: Vec::new(), ..standing() },
            Self::Create { settings, .. } | Self::UpdateSettings { settings, .. } => (**settings).clone(),
            Self::UpdateCode { architecture, .. } => {
                let standing = standing();
                FunctionSettings { architecture: architecture.unwrap_or(standing.architecture), ..standing }
            }
            Self::PublishVersion { .. } => standing(),
        }
    }

    /// The tags with which the function is made.
    pub fn tags(&self) -> Tags {
        if let Self::Create { tags, .. } = self { tags.clone() } else { Tags::default() }
    }

    /// The description of its own that the version gets.
    pub fn description(&self) -> Option<&str> {
        let Self::PublishVersion { description, .. } = self else { return None };
        description.as_deref()
    }

    fn revision(&self) -> Option<&RevisionId> {
        match self {
            Self::Publish | Self::Create { .. } => None,
            Self::UpdateCode { revision, .. }
            | Self::UpdateSettings { revision, .. }
            | Self::PublishVersion { revision, .. } => revision.as_ref(),
        }
    }

    fn other_code(&self, standing: &Code) -> Option<Refusal> {
        let Self::PublishVersion { code_sha256: Some(expected), .. } = self else { return None };
        let (expected, standing) = (*expected, standing.sha256);
        (expected != standing).then_some(Refusal::OtherCode { expected, standing })
    }

    /// True if what is not to change is in `request` as it stands.
    fn is_of(&self, latest: &StandingVersion, request: &DeploymentRequest) -> bool {
        let code = || latest.code.object == request.code;
        let layers = || {
            let standing = latest.layers.iter().map(|layer| &layer.code.object);
            standing.eq(request.layers.iter())
        };
        match self {
            Self::Publish | Self::Create { .. } => true,
            Self::UpdateCode { .. } => layers(),
            Self::UpdateSettings { .. } => code(),
            Self::PublishVersion { .. } => code() && layers(),
        }
    }
}

/// The refusal of a caller who saw another state than the one that stands.
pub(crate) fn other_revision(expected: Option<&RevisionId>, standing: &RevisionId) -> Option<Refusal> {
    let expected = expected.filter(|expected| *expected != standing)?;
    Some(Refusal::OtherRevision { expected: expected.clone(), standing: standing.clone() })
}

/// The layers of a function that has these settings: the packages, with the layer versions that they are of. An event
/// that named packages gives no layer versions.
pub fn layers_of(settings: &FunctionSettings, packages: &[Code]) -> Vec<LayerCode> {
    let mut arns = settings.layers.iter().cloned();
    packages.iter().map(|code| LayerCode { arn: arns.next(), code: code.clone() }).collect()
}

/// The packages by which a request names what stands.
pub fn packages_of(standing: &StandingVersion) -> (CodeVersion, Vec<CodeVersion>) {
    let layers = standing.layers.iter().map(|layer| layer.code.object.clone());
    (standing.code.object.clone(), layers.collect())
}
