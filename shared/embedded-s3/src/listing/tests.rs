use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry(String, std::cmp::Reverse<i64>);

impl Item for Entry {
    fn key(&self) -> &str {
        &self.0
    }

    fn rank(&self) -> i64 {
        self.1.0
    }
}

struct Sorted(Vec<Entry>);

impl Source for Sorted {
    type Item = Entry;

    async fn fetch(&self, start: &Start, limit: usize) -> Result<Vec<Entry>> {
        let from = |entry: &&Entry| {
            entry.0 < start.end && (entry.0 > start.key || entry.0 == start.key && entry.1.0 < start.rank)
        };
        Ok(self.0.iter().filter(from).take(limit).cloned().collect())
    }
}

fn sorted(keys: &[&str]) -> Sorted {
    Sorted(keys.iter().map(|key| Entry((*key).to_owned(), std::cmp::Reverse(1))).collect())
}

fn query(prefix: &str, delimiter: Option<&str>, after: Marker, max: usize) -> Query {
    Query { prefix: prefix.to_owned(), delimiter: delimiter.map(str::to_owned), after, max }
}

fn run(source: &Sorted, query: &Query) -> Page<Entry> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(page(source, query)).unwrap()
}

fn keys(page: &Page<Entry>) -> Vec<&str> {
    page.items.iter().map(Item::key).collect()
}

#[test]
fn a_delimiter_rolls_up_what_lies_deeper() {
    let source = sorted(&["a", "b/1", "b/2", "b/c/3", "d", "d/4"]);
    let page = run(&source, &query("", Some("/"), Marker::None, 1000));
    assert_eq!(keys(&page), ["a", "d"]);
    assert_eq!(page.common_prefixes, ["b/", "d/"]);
    let page = run(&source, &query("b/", Some("/"), Marker::None, 1000));
    assert_eq!(keys(&page), ["b/1", "b/2"]);
    assert_eq!(page.common_prefixes, ["b/c/"]);
}

#[test]
fn a_full_page_says_where_to_go_on_only_if_more_follows() {
    let source = sorted(&["a", "b/1", "b/2"]);
    let page = run(&source, &query("", Some("/"), Marker::None, 2));
    assert_eq!((page.len(), &page.next), (2, &None));
    let page = run(&source, &query("", Some("/"), Marker::None, 1));
    assert_eq!(page.next, Some(Marker::Item("a".to_owned(), 1)));
}

#[test]
fn a_marker_inside_a_group_has_passed_the_group() {
    let source = sorted(&["b/1", "b/2", "c"]);
    for marker in ["b/", "b/1", "b/9"] {
        let page = run(&source, &query("", Some("/"), Marker::Key(marker.to_owned()), 10));
        assert_eq!((keys(&page), page.common_prefixes.len()), (vec!["c"], 0), "after {marker}");
    }
}

#[test]
fn no_room_is_no_page_and_no_promise() {
    let page = run(&sorted(&["a"]), &query("", None, Marker::None, 0));
    assert_eq!((page.len(), page.next), (0, None));
}

#[test]
fn the_end_of_a_prefix_follows_all_of_it() {
    assert_eq!(after_prefix("ab"), "ac");
    assert_eq!(after_prefix("a\u{D7FF}"), "a\u{E000}");
    assert_eq!(after_prefix("a\u{10FFFF}"), "b");
    assert!(after_prefix("").len() > 1024 && after_prefix("\u{10FFFF}").len() > 1024);
}

proptest! {
    /// Pages of every size, put together, are what the definition of a listing says.
    #[test]
    fn pages_add_up_to_the_whole(
        names in proptest::collection::btree_set(("[ab/]{1,5}", 1_i64..4), 0..30),
        prefix in "[ab/]{0,2}",
        delimiter in proptest::option::of("(/|b|ab)"),
        max in 1_usize..6,
    ) {
        let mut entries: Vec<Entry> =
            names.into_iter().map(|(key, rank)| Entry(key, std::cmp::Reverse(rank))).collect();
        entries.sort();
        let source = Sorted(entries.clone());
        let (mut items, mut groups) = (Vec::new(), Vec::new());
        let mut wanted = query(&prefix, delimiter.as_deref(), Marker::None, max);
        loop {
            let page = run(&source, &wanted);
            prop_assert!(page.len() <= max);
            items.extend(page.items);
            groups.extend(page.common_prefixes);
            let Some(next) = page.next else { break };
            prop_assert!(next != wanted.after);
            wanted.after = next;
        }
        let (expected_items, expected_groups) = definition(&entries, &prefix, delimiter.as_deref());
        prop_assert_eq!(items, expected_items);
        prop_assert_eq!(groups, expected_groups);
    }
}

fn definition(entries: &[Entry], prefix: &str, delimiter: Option<&str>) -> (Vec<Entry>, Vec<String>) {
    let (mut items, mut groups) = (Vec::new(), Vec::new());
    for entry in entries.iter().filter(|entry| entry.0.starts_with(prefix)) {
        let rest = &entry.0[prefix.len()..];
        match delimiter.and_then(|delimiter| rest.find(delimiter).map(|at| at + delimiter.len())) {
            Some(end) => groups.push(entry.0[..prefix.len() + end].to_owned()),
            None => items.push(entry.clone()),
        }
    }
    groups.dedup();
    (items, groups)
}
