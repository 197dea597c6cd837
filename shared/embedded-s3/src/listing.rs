//! Listing keys with prefix, delimiter and markers, whatever is listed: objects, versions or uploads.
//!
//! Keys are ordered by their UTF-8 bytes, which for Rust and SQLite alike is the order of code points. A
//! group of keys under a common prefix is passed over in one step, so a listing costs what it answers, not
//! what it skips.

use crate::errors::Result;

/// What a client asked to list.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// What every key begins with.
    pub(crate) prefix: String,
    /// Keys that hold this text after the prefix are rolled up into one common prefix.
    pub(crate) delimiter: Option<String>,
    /// Where to go on.
    pub(crate) after: Marker,
    /// How many keys and common prefixes to answer.
    pub(crate) max: usize,
}

/// Where a listing goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Marker {
    /// At the beginning.
    None,
    /// After every item of this key, or after this common prefix.
    Key(String),
    /// After the item of this key that has this rank.
    Item(String, i64),
}

/// Where a source begins: at items of `key` whose rank is below `rank`, or of later keys that are below
/// `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) key: String,
    pub(crate) rank: i64,
    pub(crate) end: String,
}

/// Something listed. Items of one key come in falling order of rank.
pub(crate) trait Item {
    fn key(&self) -> &str;
    fn rank(&self) -> i64;
}

/// Where items come from, in order of key and falling rank.
pub(crate) trait Source: Sync {
    type Item: Item + Send;
    fn fetch(&self, start: &Start, limit: usize) -> impl Future<Output = Result<Vec<Self::Item>>> + Send;
}

/// One page of a listing.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) common_prefixes: Vec<String>,
    /// Where the next page goes on; None if this one is the last.
    pub(crate) next: Option<Marker>,
}

/// One page of what `query` asks for.
pub(crate) async fn page<S: Source>(source: &S, query: &Query) -> Result<Page<S::Item>> {
    let mut page = Page { items: Vec::new(), common_prefixes: Vec::new(), next: None };
    let mut start = query.start();
    let mut last = Marker::None;
    while query.max > 0 && start.key < start.end {
        let room = query.max - page.len();
        let fetched = source.fetch(&start, room + 1).await?;
        let exhausted = fetched.len() <= room;
        let mut skip = None;
        for item in fetched {
            if page.len() == query.max {
                page.next = Some(last);
                return Ok(page);
            }
            if let Some(common) = query.common_prefix(item.key()) {
                skip = Some(after_prefix(common));
                last = Marker::Key(common.to_owned());
                page.common_prefixes.push(common.to_owned());
                break;
            }
            last = Marker::Item(item.key().to_owned(), item.rank());
            page.items.push(item);
        }
        match skip {
            Some(key) => start = Start { key, rank: i64::MAX, end: start.end },
            None if exhausted => break,
            None => {}
        }
    }
    Ok(page)
}

impl<T> Page<T> {
    /// Keys and common prefixes together, which is what a client's limit counts.
    pub(crate) fn len(&self) -> usize {
        self.items.len() + self.common_prefixes.len()
    }
}

impl Query {
    /// The common prefix that `key` is rolled up into.
    fn common_prefix<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(self.prefix.as_str())?;
        let at = rest.find(delimiter)?;
        key.get(..self.prefix.len() + at + delimiter.len())
    }

    /// A marker inside a common prefix has passed that prefix.
    fn start(&self) -> Start {
        let (key, rank) = match &self.after {
            Marker::None => (String::new(), i64::MAX),
            Marker::Key(key) => (key.clone(), i64::MIN),
            Marker::Item(key, rank) => (key.clone(), *rank),
        };
        let end = after_prefix(&self.prefix);
        match self.common_prefix(&key) {
            Some(common) => Start { key: after_prefix(common), rank: i64::MAX, end },
            None if key < self.prefix => Start { key: self.prefix.clone(), rank: i64::MAX, end },
            None => Start { key, rank, end },
        }
    }
}

/// The least text that follows every text beginning with `prefix`.
fn after_prefix(prefix: &str) -> String {
    let mut kept = prefix.to_owned();
    while let Some(last) = kept.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            kept.push(next);
            return kept;
        }
    }
    char::MAX.to_string().repeat(BEYOND_EVERY_KEY)
}

/// So many of the greatest character are 1028 bytes, more than the 1024 that a key may have.
const BEYOND_EVERY_KEY: usize = 257;

#[cfg(test)]
mod tests;
