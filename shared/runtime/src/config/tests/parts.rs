//! What stands outside the process, and how the services run.

use std::path::PathBuf;

use super::*;

/// Every section, with every key that has no default.
const WHOLE: &str = r##"
[gate]
[signer]
[deployer]
[s3]
endpoint = "https://minio.internal:9000"
[rabbitmq]
addresses = ["amqps://rabbit-1.internal:5671", "amqps://rabbit-2.internal/tenant%2Fa"]
user = "countersign-signer"
password_file = "secrets/rabbitmq-password"
ca_file = "trust/rabbitmq-ca.pem"
[postgresql]
url = "postgresql://countersign@db.internal:5432/countersign?sslmode=verify-full"
password_file = "secrets/postgresql-password"
ca_file = "trust/postgresql-ca.pem"
[[trigger]]
kind = "sqs"
queue_url = "https://sqs.eu-central-1.amazonaws.com/123456789012/countersign"
endpoint = "http://127.0.0.1:4566"
[[trigger]]
kind = "amqp"
exchange = "s3-events"
[[target]]
name = "lambda"
kind = "lambda"
region = "eu-central-1"
endpoint = "http://127.0.0.1:4566"
role = "arn:aws:iam::123456789012:role/path/fn"
runtime = "provided.al2023"
handler = "bootstrap"
[[target]]
name = "files"
kind = "directory"
[[principal]]
name = "signer"
publishers = ["countersign-signer"]
access_keys = [{ id = "AKIAIOSFODNN7EXAMPLE", secret_file = "secrets/signer" }]
policies = ["manage-configs.json"]
[[principal]]
name = "ci"
publishers = ["ci-1", "ci-2"]
[[route]]
source = "s3://unsigned/"
profile = "default"
destination = "s3://signed/"
deploy = { function = "{segment}", alias = "live", target = "files", create = true, code_signing_config = "default" }
[[code_signing_config]]
name = "default"
allowed_publishers = ["default"]
"##;

/// The whole document with one text in it replaced.
fn with(from: &str, to: &str) -> String {
    assert!(WHOLE.contains(from), "{from}");
    WHOLE.replacen(from, to, 1)
}

#[test]
fn the_whole_is_read() {
    let config = parse(WHOLE).unwrap();
    let s3 = S3Config { endpoint: Some("https://minio.internal:9000".into()), path_style: true };
    assert_eq!(config.s3, Some(s3));
    let rabbitmq = config.rabbitmq.unwrap();
    assert_eq!(rabbitmq.addresses[1], "amqps://rabbit-2.internal/tenant%2Fa");
    assert_eq!(rabbitmq.ca_file, Some(PathBuf::from("trust/rabbitmq-ca.pem")));
    assert_eq!(config.postgresql.unwrap().max_connections, 8);
    let amqp = Trigger::Amqp {
        exchange: "s3-events".into(),
        exchange_type: ExchangeType::Topic,
        routing_key: "#".into(),
    };
    assert_eq!(config.triggers[1], amqp);
    let TargetKind::Lambda { region, create, .. } = &config.targets[0].kind else { panic!() };
    assert_eq!((region.as_str(), create.as_ref().unwrap().handler.as_str()), ("eu-central-1", "bootstrap"));
    assert_eq!(config.targets[1].kind, TargetKind::Directory { path: ".".into() });
    assert_eq!(config.authority.requester(Some("ci-2")).unwrap().principal.name().as_str(), "ci");
    assert_eq!(config.routes[0].deploy.as_ref().unwrap().target.as_ref().unwrap().as_str(), "files");
}

#[test]
fn without_sections_there_are_defaults_and_no_servers() {
    let config = parse("").unwrap();
    assert_eq!(config.signer.health_listen.to_string(), "127.0.0.1:4581");
    assert_eq!(config.deployer.work_dir, Path::new("work/deployer"));
    assert_eq!((config.signer.concurrency, config.deployer.grace), (4, Duration::from_secs(20)));
    assert!(config.s3.is_none() && config.rabbitmq.is_none() && config.postgresql.is_none());
    assert_eq!(config.targets[0].name.as_str(), "directory");
    assert!(config.cautions().is_empty() && config.external_parts().is_empty());
}

#[test]
fn parts_outside_the_process_are_named() {
    let all = ["[s3]", "[rabbitmq]", "[postgresql]", "[[trigger]]", "[[target]]"];
    assert_eq!(parse(WHOLE).unwrap().external_parts(), all);
    let same = "[[target]]\nname = \"directory\"\nkind = \"directory\"";
    assert!(parse(same).unwrap().external_parts().is_empty(), "what counts anyway is nothing of its own");
}

#[test]
fn the_defaults_that_are_listed_are_the_ones_that_count() {
    let plain = parse(WHOLE).unwrap();
    for key in KEYS.iter().filter(|key| key.default.parse::<Literal>().is_ok()) {
        let (table, name) = key.path.rsplit_once('.').unwrap_or(("", key.path));
        let line = format!("{name} = {}\n", key.default);
        let text = match (table, name) {
            // Where it is absent, the data directory's own file is made if need be.
            ("", "key_passphrase_file") => continue,
            ("", _) => format!("{line}{WHOLE}"),
            ("code_signing_config[]", _) => format!("{WHOLE}{line}"),
            ("trigger[]", _) => {
                with("exchange = \"s3-events\"\n", &format!("exchange = \"s3-events\"\n{line}"))
            }
            ("target[]", _) => with("kind = \"directory\"\n", &format!("kind = \"directory\"\n{line}")),
            ("route[].deploy", "create") => {
                assert_eq!(key.default, "false");
                continue;
            }
            (table, _) => with(&format!("[{table}]\n"), &format!("[{table}]\n{line}")),
        };
        assert_eq!(parse(&text).unwrap(), plain, "{line} in [{table}]");
    }
}

/// A value as it is written, and not words.
struct Literal;

impl std::str::FromStr for Literal {
    type Err = toml::de::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        format!("key = {text}").parse::<toml::Table>().map(|_| Self)
    }
}

#[test]
fn every_listed_key_can_be_overridden_by_a_variable() {
    let good = [
        ("listen", "127.0.0.1:1"),
        ("region", "eu-west-1"),
        ("account", "111111111111"),
        ("require_code_signing", "true"),
        ("sweep_interval_seconds", "7"),
        ("package_size_max_bytes", "7"),
        ("unpacked_size_max_bytes", "7"),
        ("gate.entries_max", "7"),
        ("gate.name_size_max_bytes", "7"),
        ("gate.central_directory_size_max_bytes", "7"),
        ("gate.ratio_max", "7"),
        ("key_passphrase_file", "x"),
        ("trust_roots", "x,y"),
        ("signer.health_listen", "0.0.0.0:1"),
        ("signer.api_listen", "0.0.0.0:1"),
        ("signer.work_dir", "x"),
        ("signer.concurrency", "64"),
        ("signer.grace_seconds", "0"),
        ("deployer.health_listen", "0.0.0.0:1"),
        ("deployer.api_listen", "0.0.0.0:1"),
        ("deployer.work_dir", "x"),
        ("deployer.concurrency", "1"),
        ("deployer.grace_seconds", "600"),
        ("deployer.code_bucket", "codes"),
        ("s3.endpoint", "https://other"),
        ("s3.path_style", "false"),
        ("rabbitmq.addresses", "amqps://a,amqp://b:1/c"),
        ("rabbitmq.user", "x"),
        ("rabbitmq.password_file", "x"),
        ("rabbitmq.ca_file", "x"),
        ("postgresql.url", "postgres://x@y/z?sslmode=verify-ca"),
        ("postgresql.password_file", "x"),
        ("postgresql.ca_file", "x"),
        ("postgresql.max_connections", "2"),
        ("route[0].source", "s3://other/"),
        ("route[0].profile", "other"),
        ("route[0].destination", "s3://elsewhere/"),
        ("route[0].deploy.function", "x"),
        ("route[0].deploy.alias", "x"),
        ("route[0].deploy.target", "lambda"),
        ("route[0].deploy.create", "true"),
        ("route[0].deploy.code_signing_config", "default"),
        ("code_signing_config[0].name", "default"),
        ("code_signing_config[0].allowed_publishers", "other"),
        ("code_signing_config[0].untrusted_artifact", "Enforce"),
        ("trigger[0].kind", "sqs"),
        ("trigger[0].queue_url", "https://sqs/1/x"),
        ("trigger[0].endpoint", "http://localhost:1"),
        ("trigger[1].exchange", "x"),
        ("trigger[1].exchange_type", "direct"),
        ("trigger[1].routing_key", "x"),
        ("target[0].name", "lambda"),
        ("target[0].kind", "lambda"),
        ("target[0].region", "eu-west-1"),
        ("target[0].endpoint", "http://localhost:1"),
        ("target[0].role", "arn:aws-cn:iam::111111111111:role/x"),
        ("target[0].runtime", "python3.13"),
        ("target[0].handler", "a.b::c"),
        ("target[1].path", "x"),
        ("principal[0].name", "x"),
        ("principal[0].publishers", "x,y"),
        ("principal[0].access_keys[0].id", "AKIAIOSFODNN8EXAMPLE"),
        ("principal[0].access_keys[0].secret_file", "x"),
        ("principal[0].policies", "create-with-config.json"),
        ("principal[0].account", "222222222222"),
    ];
    let mut covered = good.map(|(path, _)| path.replace("[0]", "[]").replace("[1]", "[]"));
    covered.sort();
    let mut listed: Vec<&str> = KEYS.iter().map(|key| key.path).collect();
    listed.sort();
    assert_eq!(covered.as_slice(), listed);
    let variables = good.map(|(path, value)| {
        let name = path.replace(['[', '.'], "_").replace(']', "").to_uppercase();
        (format!("COUNTERSIGN_{name}"), value.to_owned())
    });
    let config = Config::parse(WHOLE, Path::new(POLICIES), &variables.into_iter().collect()).unwrap();
    assert_eq!(config.signer.concurrency, 64);
    assert_eq!(config.rabbitmq.unwrap().addresses, ["amqps://a", "amqp://b:1/c"]);
    assert_eq!(config.trust_roots.len(), 2);
    let principal = &config.authority.principals()[0];
    assert_eq!(principal.publishers(), ["x", "y"]);
    assert_eq!(principal.account().as_str(), "222222222222");
    assert_eq!(principal.access_keys()[0].id().as_str(), "AKIAIOSFODNN8EXAMPLE");
    assert_eq!(principal.policies()[0].name(), "create-with-config.json");
    assert_eq!(config.targets[1].kind, TargetKind::Directory { path: "x".into() });
}
