//! What every adapter of [`Trail`] has to do.

use std::collections::BTreeSet;
use std::time::Duration;

use countersign_domain::trail::{EventName, EventSource, TrailEventId, TrailRecord, UserIdentity};
use countersign_domain::{DeploymentId, Scope};
use tokio::time::timeout;

use super::samples::at;
use crate::trail::{PAGE_MAX, Position, Trail, TrailFilter, TrailPage};

/// Checks the whole contract on empty stores that `make` gives.
///
/// # Panics
/// Where the store breaks it.
pub async fn check<S>(make: impl AsyncFn() -> S)
where
    S: Trail + Clone + 'static,
{
    records_come_in_the_order_of_their_positions(&make().await).await;
    a_record_is_written_once(&make().await).await;
    each_filter_finds_what_it_names(&make().await).await;
    a_record_that_comes_late_is_found_by_its_time(&make().await).await;
    pages_go_on_where_the_last_one_ended(&make().await).await;
    no_page_is_larger_than_the_limit(&make().await).await;
    a_follower_misses_nothing_that_many_write(&make().await).await;
    an_append_ends_the_wait(&make().await).await;
}

async fn records_come_in_the_order_of_their_positions(store: &impl Trail) {
    assert_eq!(all(store).await, TrailPage { records: vec![], next: Position::START });
    let written = [record("c", 3), record("a", 1), record("b", 2)];
    assert_eq!(store.append(&written[..2]).await, Ok(()));
    assert_eq!(store.append(&[]).await, Ok(()));
    assert_eq!(store.append(&written[2..]).await, Ok(()));
    let page = all(store).await;
    assert_eq!(records(&page), written, "the order of the commits, not that of the times");
    let places: Vec<Position> = page.records.iter().map(|(place, _)| *place).collect();
    assert!(places.is_sorted() && places[0] > Position::START, "{places:?}");
    assert_eq!(page.next, places[2]);
    let newest = store.newest(&TrailFilter::default(), 2).await.expect("it is read");
    assert_eq!(records(&newest), written[1..], "the last two, oldest first");
    assert_eq!(newest.next, page.next);
}

async fn a_record_is_written_once(store: &impl Trail) {
    let (first, other) = (record("a", 1), record("b", 1));
    let again = first.clone().failing("Other", "the same id tells something else");
    assert_eq!(store.append(&[first.clone(), first.clone()]).await, Ok(()));
    assert_eq!(store.append(&[again, other.clone()]).await, Ok(()));
    assert_eq!(records(&all(store).await), [first, other]);
}

async fn each_filter_finds_what_it_names(store: &impl Trail) {
    let denied = record("denied", 10).failing("AccessDeniedException", "no");
    let blocked = record("blocked", 20).failing("CodeVerificationFailedException", "no").about("f", HELLO);
    let signing = TrailRecord::new(
        id("signing"),
        identity("ci"),
        (EventSource::Signer, name("StartSigningJob")),
        at(30),
        &scope(),
    );
    let plain = record("plain", 40).about("l", "arn:aws:lambda:us-east-1:0:layer:x:1").about("f", HELLO);
    let written = [denied.clone(), blocked.clone(), signing.clone(), plain.clone()];
    assert_eq!(store.append(&written).await, Ok(()));
    let any = TrailFilter::default();
    let arn = |name: &str| Some(format!("arn:aws:iam::000000000000:user/{name}"));
    let code = |code: &str| Some(code.to_owned());
    let function = Some(HELLO.to_owned());
    for (filter, found) in [
        (any.clone(), vec![&denied, &blocked, &signing, &plain]),
        (TrailFilter { since: Some(at(20)), ..any.clone() }, vec![&blocked, &signing, &plain]),
        (TrailFilter { until: Some(at(20)), ..any.clone() }, vec![&denied, &blocked]),
        (TrailFilter { since: Some(at(11)), until: Some(at(39)), ..any.clone() }, vec![&blocked, &signing]),
        (TrailFilter { since: Some(at(41)), ..any.clone() }, vec![]),
        (TrailFilter { until: Some(at(9)), ..any.clone() }, vec![]),
        (TrailFilter { name: Some(name("StartSigningJob")), ..any.clone() }, vec![&signing]),
        (TrailFilter { name: Some(name("CreateFunction")), ..any.clone() }, vec![&denied, &blocked, &plain]),
        (
            TrailFilter { name: Some(name("CreateFunction20150331")), ..any.clone() },
            vec![&denied, &blocked, &plain],
        ),
        (TrailFilter { name: Some(name("Create")), ..any.clone() }, vec![]),
        (TrailFilter { source: Some(EventSource::Signer), ..any.clone() }, vec![&signing]),
        (TrailFilter { principal: arn("ci"), ..any.clone() }, vec![&signing]),
        (TrailFilter { principal: arn("nobody"), ..any.clone() }, vec![]),
        (TrailFilter { resource: function.clone(), ..any.clone() }, vec![&blocked, &plain]),
        (TrailFilter { error_code: code("AccessDeniedException"), ..any.clone() }, vec![&denied]),
        (TrailFilter { only_errors: true, ..any.clone() }, vec![&denied, &blocked]),
        (TrailFilter { only_errors: true, resource: function.clone(), ..any.clone() }, vec![&blocked]),
        (
            TrailFilter { principal: arn("maria"), resource: function, since: Some(at(21)), ..any },
            vec![&plain],
        ),
    ] {
        let wanted: Vec<TrailRecord> = found.into_iter().cloned().collect();
        let page = store.page(&filter, Position::START, 9).await.expect("it is read");
        assert_eq!(records(&page), wanted, "{filter:?}");
        let newest = store.newest(&filter, 9).await.expect("it is read");
        assert_eq!(newest, page, "{filter:?}");
        let first: Vec<_> = store.page(&filter, Position::START, 1).await.expect("it is read").records;
        assert_eq!(first, page.records[..page.records.len().min(1)], "{filter:?}");
    }
}

async fn a_record_that_comes_late_is_found_by_its_time(store: &impl Trail) {
    let day = 24 * 3600;
    let [early, now, late, later, end] =
        [("early", 0), ("now", 10 * day), ("late", 5), ("later", 10 * day + 1), ("end", 30 * day)]
            .map(|(id, second)| record(id, second));
    let written = [early.clone(), now.clone(), late.clone(), later.clone(), end.clone()];
    assert_eq!(store.append(&written).await, Ok(()));
    for (since, until, found) in [
        (0, day, vec![&early, &late]),
        (5, 5, vec![&late]),
        (day, 20 * day, vec![&now, &later]),
        (10 * day + 1, 40 * day, vec![&later, &end]),
    ] {
        let filter = TrailFilter { since: Some(at(since)), until: Some(at(until)), ..TrailFilter::default() };
        let wanted: Vec<TrailRecord> = found.into_iter().cloned().collect();
        let page = store.page(&filter, Position::START, 9).await.expect("it is read");
        assert_eq!(records(&page), wanted, "{since} to {until}");
        assert_eq!(store.newest(&filter, 9).await, Ok(page), "{since} to {until}");
        let newest = store.newest(&filter, 1).await.expect("it is read");
        assert_eq!(records(&newest), wanted[wanted.len() - 1..], "{since} to {until}");
    }
}

async fn pages_go_on_where_the_last_one_ended(store: &impl Trail) {
    let written: Vec<TrailRecord> = (0..7).map(|number| record(&number.to_string(), number)).collect();
    assert_eq!(store.append(&written).await, Ok(()));
    let (mut after, mut read) = (Position::START, Vec::new());
    for expected in [3, 3, 1, 0] {
        let page = store.page(&TrailFilter::default(), after, 3).await.expect("it is read");
        assert_eq!(page.records.len(), expected);
        read.extend(records(&page));
        after = page.next;
    }
    assert_eq!(read, written);
    let none = TrailFilter { only_errors: true, ..TrailFilter::default() };
    let looked_at = store.page(&none, Position::START, 3).await.expect("it is read");
    assert_eq!(
        looked_at,
        TrailPage { records: vec![], next: after },
        "nothing found is looked at all the same"
    );
    let beyond = Position::new(after.number() + 100);
    let page = store.page(&TrailFilter::default(), beyond, 3).await.expect("it is read");
    assert_eq!(page, TrailPage { records: vec![], next: beyond }, "a page never leads back");
    let empty = store.page(&TrailFilter::default(), Position::START, 0).await.expect("it is read");
    assert_eq!(empty, TrailPage { records: vec![], next: Position::START });
}

async fn no_page_is_larger_than_the_limit(store: &impl Trail) {
    let written: Vec<TrailRecord> = (0..1001).map(|number| record(&number.to_string(), number)).collect();
    assert_eq!(store.append(&written).await, Ok(()));
    let page = store.page(&TrailFilter::default(), Position::START, usize::MAX).await.expect("it is read");
    assert_eq!(page.records.len(), PAGE_MAX);
    let rest = store.page(&TrailFilter::default(), page.next, usize::MAX).await.expect("it is read");
    assert_eq!(records(&rest), written[PAGE_MAX..]);
    let newest = store.newest(&TrailFilter::default(), usize::MAX).await.expect("it is read");
    assert_eq!(records(&newest), written[1..]);
}

async fn a_follower_misses_nothing_that_many_write(store: &(impl Trail + Clone + 'static)) {
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let store = store.clone();
        writers.spawn(async move {
            for number in 0..10 {
                let written = record(&format!("{writer}/{number}"), number);
                store.append(&[written]).await.expect("it is written");
            }
        });
    }
    let (mut after, mut seen) = (Position::START, BTreeSet::new());
    let follow = async {
        while seen.len() < 80 {
            let page = store.page(&TrailFilter::default(), after, 7).await.expect("it is read");
            for record in records(&page) {
                assert!(seen.insert(record.id()), "it is seen twice");
            }
            if page.records.is_empty() {
                store.wait().await;
            }
            after = page.next;
        }
    };
    timeout(A_WHILE * 3, follow).await.expect("every record is seen");
    writers.join_all().await;
}

async fn an_append_ends_the_wait(store: &(impl Trail + Clone + 'static)) {
    let waiting = tokio::spawn({
        let store = store.clone();
        async move {
            while all(&store).await.records.is_empty() {
                store.wait().await;
            }
        }
    });
    assert_eq!(store.append(&[record("a", 1)]).await, Ok(()));
    timeout(A_WHILE, waiting).await.expect("an append wakes a follower").expect("it reads on");
    timeout(A_WHILE, store.wait()).await.expect("another process may have written: look again");
}

async fn all(store: &impl Trail) -> TrailPage {
    store.page(&TrailFilter::default(), Position::START, 99).await.expect("it is read")
}

fn records(page: &TrailPage) -> Vec<TrailRecord> {
    page.records.iter().map(|(_, record)| record.clone()).collect()
}

/// The record `id` of `maria` making a function at a second.
fn record(event: &str, second: i64) -> TrailRecord {
    let what = (EventSource::Lambda, name("CreateFunction20150331"));
    TrailRecord::new(id(event), identity("maria"), what, at(second), &scope())
}

fn id(event: &str) -> TrailEventId {
    let principal = "ci".parse().expect("a principal");
    let deployment = DeploymentId::for_event(&principal, &event.parse().expect("an event id"));
    TrailEventId::for_deployment(deployment, "told")
}

fn identity(user: &str) -> UserIdentity {
    UserIdentity::user(user, "000000000000", &format!("arn:aws:iam::000000000000:user/{user}"))
}

fn name(text: &str) -> EventName {
    text.parse().expect("an event name")
}

fn scope() -> Scope {
    Scope::new("us-east-1", "000000000000").expect("a scope")
}

const HELLO: &str = "arn:aws:lambda:us-east-1:000000000000:function:hello";

const A_WHILE: Duration = Duration::from_secs(10);
