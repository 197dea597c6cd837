use super::*;
use countersign_domain::{AllowedPublisher, UntrustedArtifact};

mod parts;
mod principals;
mod refusals;
mod secrets;

const GOOD: &str = r#"
listen = "127.0.0.1:0"

[[route]]
source = "s3://unsigned/"
profile = "default"
destination = "s3://signed/"
deploy = { function = "{segment}", alias = "live", create = true, code_signing_config = "default" }

[[code_signing_config]]
name = "default"
allowed_publishers = ["default", "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/other/AbCdEfGhIj"]
untrusted_artifact = "Enforce"
"#;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new(POLICIES), &Environment::default())
}

/// Where the policies of these configurations are.
const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/tests/policies");

/// The paths of the mistakes, in order.
fn paths(text: &str) -> Vec<String> {
    parse(text).unwrap_err().mistakes.into_iter().map(|mistake| mistake.path).collect()
}

fn routes(routes: &[(&str, &str)]) -> String {
    let table = |(source, destination): &(&str, &str)| {
        format!("[[route]]\nsource = \"{source}\"\nprofile = \"default\"\ndestination = \"{destination}\"\n")
    };
    routes.iter().map(table).collect()
}

#[test]
fn a_whole_configuration_is_read() {
    let config = parse(GOOD).unwrap();
    assert_eq!(config.listen.port(), 0);
    let deploy = config.routes[0].deploy.as_ref().unwrap();
    assert_eq!(deploy.code_signing_config.as_ref().unwrap().as_str(), "default");
    let csc = &config.code_signing_configs[0];
    assert_eq!(csc.untrusted_artifact, UntrustedArtifact::Enforce);
    assert_eq!(
        csc.allowed_publishers[0].to_string(),
        "arn:aws:signer:us-east-1:000000000000:/signing-profiles/default"
    );
    assert!(matches!(csc.allowed_publishers[1], AllowedPublisher::Version(_)));
}

#[test]
fn an_empty_configuration_has_defaults_and_no_routes() {
    let config = parse("").unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:4580");
    assert_eq!(config.scope.to_string(), "arn:aws:signer:us-east-1:000000000000");
    assert!(!config.require_code_signing && config.routes.is_empty());
}

#[test]
fn three_mistakes_are_all_reported_with_what_to_write() {
    let error = parse(
        r#"
        listen = "here"
        [[route]]
        source = "s3://unsigned/"
        profile = "not-a-profile"
        destination = "s3://unsigned/signed/"
        "#,
    )
    .unwrap_err();
    let paths: Vec<&str> = error.mistakes.iter().map(|mistake| mistake.path.as_str()).collect();
    assert_eq!(paths, ["listen", "route[0].profile", "route[0].destination"]);
    let text = error.to_string();
    assert!(text.starts_with("the configuration has 3 mistakes:\n  listen: "), "{text}");
    assert!(text.contains("use 2 to 64 letters, digits or underscores"), "{text}");
    assert!(text.contains("signed again without end"), "{text}");
}

#[test]
fn unknown_keys_are_mistakes_wherever_they_stand() {
    let text =
        GOOD.replace("listen", "lisen").replace("alias", "alas").replace("untrusted_artifact", "untrusted");
    let mut found = paths(&text);
    found.sort();
    assert_eq!(found, ["code_signing_config[0].untrusted", "lisen", "route[0].deploy.alas"]);
}

#[test]
fn what_is_not_toml_is_one_mistake_with_its_line() {
    assert_eq!(paths("listen = \"127.0.0.1:1\"\nroute = [["), ["line 2"]);
}

#[test]
fn wrong_types_are_mistakes_and_not_defaults() {
    let text = "require_code_signing = \"yes\"\nregion = 5\nsweep_interval_seconds = 0\nroute = 1";
    let mut found = paths(text);
    found.sort();
    assert_eq!(found, ["region", "require_code_signing", "route", "sweep_interval_seconds"]);
}

#[test]
fn missing_keys_say_what_to_write() {
    let error = parse("[[route]]\nprofile = \"default\"").unwrap_err();
    assert_eq!(error.mistakes[0].path, "route[0].source");
    assert!(error.mistakes[0].reason.contains("s3://unsigned/"));
    assert_eq!(error.mistakes[1].path, "route[0].destination");
}

#[test]
fn signed_packages_never_land_in_a_source() {
    for (source, destination) in [
        ("s3://one/", "s3://one/signed/"),
        ("s3://one/", "s3://one/"),
        ("s3://one/in", "s3://one/in/out/"),
        // A job id may begin with these.
        ("s3://one/a", "s3://one/"),
        ("s3://one/out/0f", "s3://one/out/"),
    ] {
        assert_eq!(
            paths(&routes(&[(source, destination)])),
            ["route[0].destination"],
            "{source} {destination}"
        );
    }
    for (source, destination) in [("s3://one/in/", "s3://one/out/"), ("s3://one/in/", "s3://one/")] {
        assert!(parse(&routes(&[(source, destination)])).is_ok(), "{source} {destination}");
    }
}

#[test]
fn a_loop_over_two_routes_is_refused() {
    let text = routes(&[("s3://one/", "s3://two/"), ("s3://two/", "s3://three/")]);
    assert_eq!(paths(&text), ["route[0].destination"]);
}

#[test]
fn a_source_belongs_to_one_route_but_may_lie_inside_another() {
    assert_eq!(
        paths(&routes(&[("s3://one/a/", "s3://two/"), ("s3://one/a/", "s3://three/")])),
        ["route[1].source"]
    );
    assert!(parse(&routes(&[("s3://one/", "s3://two/"), ("s3://one/a/", "s3://two/")])).is_ok());
}

#[test]
fn an_undeclared_or_useless_code_signing_config_is_a_mistake() {
    let undeclared = GOOD.replace("name = \"default\"", "name = \"another\"");
    assert_eq!(paths(&undeclared), ["route[0].deploy.code_signing_config"]);
    let useless = GOOD.replace("create = true", "create = false");
    assert_eq!(paths(&useless), ["route[0].deploy.code_signing_config"]);
}

#[test]
fn publishers_are_one_to_twenty_and_well_formed() {
    let with = |publishers: &str| {
        let start = GOOD.find("allowed_publishers").unwrap();
        let end = start + GOOD[start..].find('\n').unwrap();
        format!("{}allowed_publishers = [{publishers}]{}", &GOOD[..start], &GOOD[end..])
    };
    let many = |count: usize| vec!["\"default\""; count].join(",");
    assert!(parse(&with(&many(20))).is_ok());
    assert_eq!(paths(&with(&many(21))), ["code_signing_config[0].allowed_publishers"]);
    assert_eq!(paths(&with("")), ["code_signing_config[0].allowed_publishers"]);
    assert_eq!(
        paths(&with("\"x-y\", \"arn:aws:lambda:x\", 5")),
        [
            "code_signing_config[0].allowed_publishers[2]",
            "code_signing_config[0].allowed_publishers[0]",
            "code_signing_config[0].allowed_publishers[1]",
        ]
    );
}

#[test]
fn a_variable_overrides_any_key() {
    let environment = environment(&[
        ("COUNTERSIGN_LISTEN", "0.0.0.0:9000"),
        ("COUNTERSIGN_REQUIRE_CODE_SIGNING", "true"),
        ("COUNTERSIGN_SWEEP_INTERVAL_SECONDS", "5"),
        ("COUNTERSIGN_ROUTE_0_PROFILE", "other"),
        ("COUNTERSIGN_ROUTE_0_DEPLOY_ALIAS", "canary"),
        ("COUNTERSIGN_CODE_SIGNING_CONFIG_0_ALLOWED_PUBLISHERS", "other, default"),
        ("COUNTERSIGN_KEY_PASSPHRASE", "not a key of the file"),
        ("COUNTERSIGN_SIGNER_SERVICE_HOST", "10.0.0.1"),
        ("COUNTERSIGN_PORT_4580_TCP", "tcp://10.0.0.1:4580"),
    ]);
    let config = Config::parse(GOOD, Path::new(POLICIES), &environment).unwrap();
    assert_eq!(config.listen.to_string(), "0.0.0.0:9000");
    assert!(config.require_code_signing);
    assert_eq!(config.sweep_interval, Duration::from_secs(5));
    assert_eq!(config.routes[0].profile.as_str(), "other");
    assert_eq!(config.routes[0].deploy.as_ref().unwrap().alias.as_ref().unwrap().as_str(), "canary");
    assert_eq!(config.code_signing_configs[0].allowed_publishers.len(), 2);
}

#[test]
fn a_variable_that_is_wrong_or_overrides_nothing_is_a_mistake_under_its_name() {
    let environment = environment(&[
        ("COUNTERSIGN_REQUIRE_CODE_SIGNIN", "true"),
        ("COUNTERSIGN_REQUIRE_CODE_SIGNING", "yes"),
        ("COUNTERSIGN_ROUTE_7_PROFILE", "default"),
    ]);
    let error = Config::parse(GOOD, Path::new(POLICIES), &environment).unwrap_err();
    let paths: Vec<&str> = error.mistakes.iter().map(|mistake| mistake.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "COUNTERSIGN_REQUIRE_CODE_SIGNING",
            "COUNTERSIGN_REQUIRE_CODE_SIGNIN",
            "COUNTERSIGN_ROUTE_7_PROFILE"
        ]
    );
}

#[test]
fn the_buckets_of_the_routes_are_told_once() {
    let config = parse(&routes(&[
        ("s3://one/a/", "s3://two/"),
        ("s3://one/b/", "s3://three/"),
        ("s3://four/", "s3://two/"),
    ]))
    .unwrap();
    let names = |buckets: Vec<BucketName>| buckets.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(config.buckets()), ["four", "one", "three", "two"]);
    assert_eq!(names(config.destinations()), ["three", "two"]);
}

#[test]
fn a_bad_region_and_account_are_two_mistakes() {
    assert_eq!(paths("region = \"US East\"\naccount = \"12\""), ["region", "account"]);
}

#[test]
fn further_trust_roots_are_files() {
    let config = parse("trust_roots = [\"trust/partner.pem\"]").unwrap();
    assert_eq!(config.trust_roots, [std::path::PathBuf::from("trust/partner.pem")]);
    assert!(parse("trust_roots = \"trust/partner.pem\"").is_err());
}
