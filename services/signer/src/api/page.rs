//! One page of a listing.

use countersign_gateway::{ApiError, Call, Pages, Reply};
use serde_json::{Map, Value};

/// The page that a call asks for.
pub(super) struct Page<'c> {
    call: &'c Call,
    pages: &'c Pages,
    max: usize,
    after: Option<String>,
}

impl<'c> Page<'c> {
    /// The page that `maxResults` and `nextToken` of `call` mean.
    pub(super) fn of(call: &'c Call, pages: &'c Pages) -> Result<Self, ApiError> {
        let members = call.input.members();
        let max = members.get("maxResults").and_then(Value::as_u64);
        let max = max.and_then(|max| usize::try_from(max).ok()).unwrap_or(DEFAULT_MAX_RESULTS);
        let open = |token| {
            pages.position(call.operation, members, token).map_err(|invalid| invalid.error(call.service))
        };
        let after = call.input.text(&["nextToken"]).map(open).transpose()?;
        Ok(Self { call, pages, max, after })
    }

    /// The position of the last item before this page.
    pub(super) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// How many items to look for: one more than is shown, which tells whether there is a next page.
    pub(super) fn wanted(&self) -> usize {
        self.max + 1
    }

    /// The page with the first of `items`, and the token of the next one if there are more of them.
    pub(super) fn reply<T>(
        self,
        member: &str,
        mut items: Vec<T>,
        position: impl Fn(&T) -> String,
        shown: impl Fn(&T) -> Value,
    ) -> Reply {
        let more = items.len() > self.max;
        items.truncate(self.max);
        let mut members = Map::from_iter([(member.to_owned(), items.iter().map(shown).collect())]);
        if let Some(last) = items.last().filter(|_| more) {
            let token = self.pages.token(self.call.operation, self.call.input.members(), &position(last));
            members.insert("nextToken".to_owned(), token.into());
        }
        Reply::new(members)
    }
}

/// The most items of a page, and how many it has unless it is asked for fewer (Signer's `MaxResults`).
const DEFAULT_MAX_RESULTS: usize = 25;
