//! The pages of a listing.

use std::str::FromStr;

use countersign_gateway::model::lambda::SERVICE;
use countersign_gateway::{ApiError, Call, InvalidToken, Pages, Reply};
use serde_json::{Map, Value};

/// Which page a request asks for.
pub(super) struct Page<'c> {
    call: &'c Call,
    pages: &'c Pages,
    /// Behind what it begins; none for the first.
    pub(super) after: Option<String>,
    /// How many items it has at most.
    pub(super) size: usize,
}

impl<'c> Page<'c> {
    /// The page that the members `Marker` and `MaxItems` name; `most` is the operation's own bound.
    ///
    /// # Errors
    /// When the marker is of another listing.
    pub(super) fn of(call: &'c Call, pages: &'c Pages, most: usize) -> Result<Self, ApiError> {
        let marker = call.input.text(&["Marker"]).filter(|marker| !marker.is_empty());
        let position = |marker| pages.position(call.operation, call.input.members(), marker);
        let after = marker.map(position).transpose().map_err(|invalid| invalid.error(&SERVICE))?;
        let asked =
            call.input.at(&["MaxItems"]).and_then(Value::as_u64).and_then(|max| usize::try_from(max).ok());
        Ok(Self { call, pages, after, size: asked.unwrap_or(most).min(most) })
    }

    /// The key behind which the page begins; none for the first.
    ///
    /// # Errors
    /// When the marker is of another listing.
    pub(super) fn position<K: FromStr>(&self) -> Result<Option<K>, ApiError> {
        let position = self.after.as_deref().map(str::parse).transpose();
        position.map_err(|_| InvalidToken.error(&SERVICE))
    }

    /// How many items to read: one more than the page has, to know whether another one follows.
    pub(super) fn to_read(&self) -> u32 {
        u32::try_from(self.size).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The reply whose member `name` has the `items`, each with its position, of which at most a page is taken.
    pub(super) fn reply(&self, name: &str, items: Vec<(String, Value)>) -> Reply {
        let mut members = Map::new();
        if items.len() > self.size
            && let Some((position, _)) = self.size.checked_sub(1).and_then(|last| items.get(last))
        {
            let token = self.pages.token(self.call.operation, self.call.input.members(), position);
            members.insert("NextMarker".to_owned(), token.into());
        }
        let items: Vec<Value> = items.into_iter().take(self.size).map(|(_, item)| item).collect();
        members.insert(name.to_owned(), items.into());
        Reply::new(members)
    }
}
