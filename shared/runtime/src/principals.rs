//! Who is behind a publisher.

use std::collections::BTreeMap;

use countersign_domain::PrincipalName;

/// The principals of the configuration, by the names under which the broker authenticates them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Principals {
    by_publisher: BTreeMap<String, PrincipalName>,
}

/// Who asks for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requester {
    /// The name under which the broker authenticated it.
    pub publisher: String,
    /// Who that is to us.
    pub principal: PrincipalName,
}

/// Why nobody is behind a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownPublisher {
    /// The broker vouches for nobody.
    #[error(
        "unauthenticated_publisher: the message carries no user that the broker validated; publish it with the \
         property user_id set to your own user"
    )]
    Nobody,
    /// The broker vouches for somebody whom the configuration does not name.
    #[error(
        "unknown_publisher: {0:?} is no publisher of any [[principal]]; add it to the configuration if it may ask for \
         deployments"
    )]
    Stranger(String),
}

impl Principals {
    /// The same, with `publisher` known as `principal`.
    #[must_use]
    pub fn with(mut self, publisher: &str, principal: PrincipalName) -> Self {
        self.by_publisher.insert(publisher.to_owned(), principal);
        self
    }

    /// Who a message with this publisher, as the broker authenticated it, is from.
    ///
    /// # Errors
    /// When the broker vouches for nobody, or for somebody unknown here.
    pub fn requester(&self, publisher: Option<&str>) -> Result<Requester, UnknownPublisher> {
        let publisher = publisher.ok_or(UnknownPublisher::Nobody)?;
        let stranger = || UnknownPublisher::Stranger(publisher.chars().take(SHOWN_CHARS).collect());
        let principal = self.by_publisher.get(publisher).ok_or_else(stranger)?;
        Ok(Requester { publisher: publisher.to_owned(), principal: principal.clone() })
    }

    /// True if `publisher` is behind a principal already.
    pub fn knows(&self, publisher: &str) -> bool {
        self.by_publisher.contains_key(publisher)
    }
}

/// How much of a stranger's name is shown.
const SHOWN_CHARS: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_named_is_somebody() {
        let principals = Principals::default().with("ci-bot", "ci".parse().unwrap());
        let requester = principals.requester(Some("ci-bot")).unwrap();
        assert_eq!((requester.publisher.as_str(), requester.principal.as_str()), ("ci-bot", "ci"));
        assert_eq!(principals.requester(None), Err(UnknownPublisher::Nobody));
        for stranger in ["CI-bot", "ci", "", "ci-bot "] {
            let refused = principals.requester(Some(stranger));
            assert_eq!(refused, Err(UnknownPublisher::Stranger(stranger.to_owned())));
        }
    }
}
