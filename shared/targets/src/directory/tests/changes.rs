//! `$LATEST`, and what is deleted: whole, whatever fails in between.

use super::*;

#[tokio::test]
async fn latest_shows_its_code_with_its_layers_beside_it() {
    let fixture = Fixture::new();
    fixture.target.put_latest(&hello(), &with_layers(&fixture)).await.unwrap();
    assert_eq!(fs::read_to_string(fixture.in_function("latest/code")).unwrap(), "code");
    assert_eq!(fs::read_to_string(fixture.in_function("latest/../layers/2/two")).unwrap(), "two");
    assert_eq!(fixture.mode("latest/."), 0o755, "everyone may read it");
    fixture.target.put_latest(&hello(), &code(fixture.package("other"))).await.unwrap();
    assert_eq!(fixture.names("latest"), ["other"]);
    assert_eq!(fixture.names(".latest").len(), 2, "its readers keep the old one until the next writer");
    fixture.target.point_alias(&hello(), &live(), &TargetVersion::latest()).await.unwrap();
    assert_eq!(fixture.names(".latest").len(), 1);
    assert_eq!(fixture.names("aliases/live"), ["other"]);
}

/// What `change` leaves on a function with `$LATEST`, versions 1 and 2 and an alias, where each of its steps in turn fails or
/// is the last one of the process. Afterwards `change` is made again.
async fn stumble_at_each_step(
    change: impl AsyncFn(DirectoryTarget, LocalPackages) -> Result<(), TargetError>,
    leaves: impl Fn(&Fixture),
    made: impl Fn(&Fixture),
) {
    let outcomes: [fn() -> rustix::io::Result<()>; 2] = [|| Err(Errno::NOSPC), crash];
    for outcome in outcomes {
        for stumble_at in 1.. {
            let step = Arc::new(AtomicI64::new(NEVER));
            let fixture = Fixture::on(stumbling(&step, outcome));
            for version in [1, 2] {
                fixture.publish(version, &code(fixture.package("old"))).await.unwrap();
            }
            fixture.target.put_latest(&hello(), &code(fixture.package("old"))).await.unwrap();
            fixture.target.point_alias(&hello(), &live(), &named(1)).await.unwrap();
            let packages = with_layers(&fixture);
            step.store(stumble_at, Ordering::Relaxed);
            let stumbled = change(fixture.target.clone(), packages.clone()).await.is_err();
            step.store(NEVER, Ordering::Relaxed);
            if !stumbled {
                assert!(stumble_at > 1, "the change has no step");
                break;
            }
            leaves(&fixture);
            let reopened = DirectoryTarget::open(fixture.root.path(), Limits::default()).unwrap();
            leaves(&fixture);
            change(reopened, packages).await.unwrap();
            made(&fixture);
        }
    }
}

#[tokio::test]
async fn latest_is_the_old_one_or_the_new_one_after_a_crash_at_any_step() {
    stumble_at_each_step(
        async |target, packages| target.put_latest(&hello(), &packages).await,
        |fixture| match fixture.names("latest").as_slice() {
            [old] if old == "old" => {}
            [new] if new == "code" => {
                assert_eq!(fs::read_to_string(fixture.in_function("latest/../layers/2/two")).unwrap(), "two");
            }
            other => panic!("{other:?}"),
        },
        |fixture| {
            assert_eq!(fixture.names("latest"), ["code"]);
            assert_eq!(fixture.target.versions(&hello()).unwrap(), [1, 2]);
        },
    )
    .await;
}

#[tokio::test]
async fn a_version_is_deleted_whole_or_not_at_all() {
    stumble_at_each_step(
        async |target, _| target.delete_version(&hello(), 2, &BTreeSet::new()).await,
        |fixture| {
            if fixture.target.versions(&hello()).unwrap().contains(&2) {
                assert_eq!(fixture.names("versions/2"), ["old"]);
                assert_eq!(fixture.names(".packages"), ["1", "2"]);
            }
        },
        |fixture| {
            assert_eq!(fixture.target.versions(&hello()).unwrap(), [1]);
            assert_eq!(fixture.names(".packages"), ["1"]);
            assert_eq!(fixture.names("latest"), ["old"], "$LATEST is no part of a version");
        },
    )
    .await;
}

#[tokio::test]
async fn an_alias_is_deleted_or_points_where_it_did() {
    stumble_at_each_step(
        async |target, _| target.delete_alias(&hello(), &live()).await,
        |fixture| {
            let standing = fixture.target.resolve(&hello(), &live()).unwrap();
            assert!(standing.is_none() || standing == published(1), "{standing:?}");
        },
        |fixture| assert_eq!(fixture.target.resolve(&hello(), &live()).unwrap(), None),
    )
    .await;
}

#[tokio::test]
async fn no_link_leads_to_what_is_gone_of_a_function_that_is_being_deleted() {
    stumble_at_each_step(
        async |target, _| target.delete_function(&hello()).await,
        |fixture| {
            for link in ["latest", "aliases/live"] {
                let there = fs::symlink_metadata(fixture.in_function(link)).is_ok();
                assert_eq!(there, !fixture.names(link).is_empty(), "{link}");
            }
        },
        |fixture| assert!(!fixture.in_function("").try_exists().unwrap()),
    )
    .await;
}

#[tokio::test]
async fn what_was_not_made_here_outlives_the_function() {
    let fixture = Fixture::new();
    fixture.publish(1, &code(fixture.package("code"))).await.unwrap();
    fs::write(fixture.in_function("notes"), "mine").unwrap();
    fixture.target.delete_function(&hello()).await.unwrap();
    assert_eq!(fixture.names(""), ["notes"]);
}

#[tokio::test]
async fn a_latest_that_was_not_made_here_is_no_answer_and_keeps_every_folder() {
    let fixture = Fixture::new();
    fixture.target.put_latest(&hello(), &code(fixture.package("code"))).await.unwrap();
    let latest = fixture.in_function("latest");
    for target in [".latest/../versions/1", "/etc", ".latest/x/code", "versions/1"] {
        fs::remove_file(&latest).unwrap();
        symlink(target, &latest).unwrap();
        let put = fixture.target.put_latest(&hello(), &code(fixture.package("other"))).await;
        assert!(put.is_err(), "{target}");
        assert_eq!(fixture.names(".latest").len(), 1, "{target}");
    }
}
