//! The condition keys that Countersign's own requests have.

/// The code signing config that a function is created with or bound to: its ARN (Lambda).
pub const LAMBDA_CODE_SIGNING_CONFIG_ARN: &str = "lambda:CodeSigningConfigArn";
/// The ARNs of the layer versions that a function gets; several values (Lambda).
pub const LAMBDA_LAYER: &str = "lambda:Layer";
/// The function that an operation on something else touches: its ARN (Lambda).
pub const LAMBDA_FUNCTION_ARN: &str = "lambda:FunctionArn";
/// The version of the signing profile, 10 letters or digits (Signer).
pub const SIGNER_PROFILE_VERSION: &str = "signer:ProfileVersion";
/// The ARN of the caller; of a session, that of its role, without the path, which the ARN of a session does not tell.
pub const AWS_PRINCIPAL_ARN: &str = "aws:PrincipalArn";
/// The account of the caller: 12 digits.
pub const AWS_PRINCIPAL_ACCOUNT: &str = "aws:PrincipalAccount";
/// The name of the user who calls, without its path; roles and sessions have none.
pub const AWS_USERNAME: &str = "aws:username";
/// The unique id of the caller.
pub const AWS_USERID: &str = "aws:userid";
/// The address that the request came from, IPv4 or IPv6.
pub const AWS_SOURCE_IP: &str = "aws:SourceIp";
/// The instant of the request, ISO 8601.
pub const AWS_CURRENT_TIME: &str = "aws:CurrentTime";
/// The instant of the request, in seconds since 1970.
pub const AWS_EPOCH_TIME: &str = "aws:EpochTime";
/// `true` if the request came over TLS.
pub const AWS_SECURE_TRANSPORT: &str = "aws:SecureTransport";
/// The region that was asked, such as `us-east-1`.
pub const AWS_REQUESTED_REGION: &str = "aws:RequestedRegion";
/// The keys of the tags in the request; several values.
pub const AWS_TAG_KEYS: &str = "aws:TagKeys";

/// `aws:ResourceTag/TAG`: the value of a tag that the resource has.
pub fn aws_resource_tag(tag: &str) -> String {
    format!("{RESOURCE_TAG}{tag}")
}

/// `aws:RequestTag/TAG`: the value of a tag that the request brings.
pub fn aws_request_tag(tag: &str) -> String {
    format!("{REQUEST_TAG}{tag}")
}

/// `aws:PrincipalTag/TAG`: the value of a tag that the caller has.
pub fn aws_principal_tag(tag: &str) -> String {
    format!("{PRINCIPAL_TAG}{tag}")
}

/// True if some request of Countersign can have the key. A condition on any other is legal, and never sees a value.
pub fn is_known(key: &str) -> bool {
    let tagged = |prefix: &&str| {
        key.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
            && key.len() > prefix.len()
    };
    SINGLE.iter().chain(SEVERAL).any(|known| known.eq_ignore_ascii_case(key)) || TAGS.iter().any(tagged)
}

/// True if a request can have several values for the key, so that a set operator is needed.
pub fn has_several_values(key: &str) -> bool {
    SEVERAL.iter().any(|several| several.eq_ignore_ascii_case(key))
}

const SINGLE: &[&str] = &[
    LAMBDA_CODE_SIGNING_CONFIG_ARN,
    LAMBDA_FUNCTION_ARN,
    SIGNER_PROFILE_VERSION,
    AWS_PRINCIPAL_ARN,
    AWS_PRINCIPAL_ACCOUNT,
    AWS_USERNAME,
    AWS_USERID,
    AWS_SOURCE_IP,
    AWS_CURRENT_TIME,
    AWS_EPOCH_TIME,
    AWS_SECURE_TRANSPORT,
    AWS_REQUESTED_REGION,
];
const SEVERAL: &[&str] = &[LAMBDA_LAYER, AWS_TAG_KEYS];
const TAGS: &[&str] = &[RESOURCE_TAG, REQUEST_TAG, PRINCIPAL_TAG];
const RESOURCE_TAG: &str = "aws:ResourceTag/";
const REQUEST_TAG: &str = "aws:RequestTag/";
const PRINCIPAL_TAG: &str = "aws:PrincipalTag/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_keys_are_known_in_any_case_and_tags_need_a_name() {
        for key in
            ["LAMBDA:codesigningconfigarn", "aws:requesttag/Team", &aws_principal_tag("ü"), AWS_TAG_KEYS]
        {
            assert!(is_known(key), "{key}");
        }
        for key in ["lambda:CodeSigningConfig", "aws:RequestTag", "aws:RequestTag/", "aws:ResourceTaü/x", ""]
        {
            assert!(!is_known(key), "{key}");
        }
    }
}
