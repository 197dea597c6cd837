//! The credential scope: `access-key/date/region/service/aws4_request`.

use super::Refused;

/// Which key signed, for which day, region and service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CredentialScope {
    pub(super) access_key_id: String,
    /// `YYYYMMDD`, as signed.
    pub(super) date: String,
    pub(super) region: String,
    pub(super) service: String,
}

impl CredentialScope {
    /// Reads a `Credential`. The access key may contain slashes; the other four parts may not.
    pub(super) fn parse(text: &str) -> Result<Self, Refused> {
        let mut parts = text.rsplitn(5, '/');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let (Some(terminator), Some(service), Some(region), Some(date), Some(access_key_id)) =
            (next(), next(), next(), next(), next())
        else {
            return Err(Refused::Incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, \
                 got '{}'",
                shortened(text)
            )));
        };
        if terminator != TERMINATOR {
            let message = "Credential should be scoped with a valid terminator: 'aws4_request'.";
            return Err(Refused::Invalid(message.to_owned()));
        }
        Ok(Self {
            access_key_id: access_key_id.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        })
    }

    /// The scope without its key, as it is signed.
    pub(super) fn signed(&self) -> String {
        format!("{}/{}/{}/{TERMINATOR}", self.date, self.region, self.service)
    }
}

/// A value of a stranger, short enough for an error's text.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(MAX_QUOTED).collect()
}

pub(super) const TERMINATOR: &str = "aws4_request";

/// Characters of a stranger's value that an error repeats.
const MAX_QUOTED: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_has_five_parts() {
        let scope = CredentialScope::parse("AK/20261121/us-east-1/signer/aws4_request").unwrap();
        assert_eq!(scope.access_key_id, "AK");
        assert_eq!(scope.signed(), "20261121/us-east-1/signer/aws4_request");
        for text in ["", "AK", "AK/20261121/us-east-1/signer", "AK/20261121//signer/aws4_request"] {
            assert!(matches!(CredentialScope::parse(text), Err(Refused::Incomplete(_))), "{text}");
        }
        let wrong = CredentialScope::parse("AK/20261121/us-east-1/signer/aws5_request");
        assert!(matches!(wrong, Err(Refused::Invalid(_))));
    }
}
