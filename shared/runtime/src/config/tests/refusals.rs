//! What is refused of the servers, triggers, targets and principals, and what is only worth a warning.

use super::*;

#[track_caller]
fn refused(text: &str, path: &str, reason: &str) {
    let mistakes = parse(text).unwrap_err().mistakes;
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert_eq!(mistakes[0].path, path);
    assert!(mistakes[0].reason.contains(reason), "{}", mistakes[0].reason);
}

fn rabbitmq(address: &str) -> String {
    format!("[rabbitmq]\nuser = \"x\"\naddresses = [\"{address}\"]\n")
}

fn postgresql(url: &str) -> String {
    format!("[postgresql]\nurl = \"{url}\"\n")
}

#[test]
fn addresses_of_the_broker_have_one_form() {
    let path = "rabbitmq.addresses[0]";
    for (address, reason) in [
        ("rabbit:5672", "begins with amqps:// or amqp://"),
        ("AMQP://rabbit", "begins with"),
        ("https://rabbit", "begins with"),
        ("amqps://", "host"),
        ("amqps:///vhost", "has no host"),
        ("amqps://user@rabbit", "rabbitmq.user"),
        ("amqps://user:pass@rabbit", "COUNTERSIGN_RABBITMQ_PASSWORD"),
        ("amqps://:pass@rabbit", "COUNTERSIGN_RABBITMQ_PASSWORD"),
        ("amqps://rabbit/", "leave the / out"),
        ("amqps://rabbit/a/b", "%2F"),
        ("amqps://rabbit?heartbeat=1", "has a query"),
        ("amqps://rabbit#x", "fragment"),
        ("amqps://rabbit:0", "port 0"),
        ("amqps://rabbit:70000", "is not a URL"),
        ("amqps://rab bit", "percent-encoded"),
        (&format!("amqps://{}", "x".repeat(2048)), "longer than 2048"),
    ] {
        refused(&rabbitmq(address), path, reason);
    }
    for address in ["amqp://localhost", "amqps://[::1]:5671/%2F", "amqp://rabbit:5672/tenant"] {
        assert!(parse(&rabbitmq(address)).is_ok(), "{address}");
    }
    let many = |count: usize| rabbitmq(&vec!["amqps://x"; count].join("\",\""));
    assert!(parse(&many(16)).is_ok());
    refused(&many(17), "rabbitmq.addresses", "has 17 entries: write 1 to 16");
    refused("[rabbitmq]\nuser = \"x\"", "rabbitmq.addresses", "has 0 entries");
}

#[test]
fn the_database_is_told_nothing_that_it_would_pass_over() {
    for (url, reason) in [
        ("mysql://x@y/z", "begins with postgresql:// or postgres://"),
        ("postgresql://x:secret@y/z", "postgresql.password_file"),
        ("postgresql://x@y/z?password=secret", "COUNTERSIGN_POSTGRESQL_PASSWORD"),
        ("postgresql://x@y/z?sslmod=verify-full", "\"sslmod\", which nobody reads"),
        ("postgresql://x@y/z?host=elsewhere", "\"host\", which nobody reads"),
        ("postgresql://x@y/z?sslmode=verify", "unknown sslmode"),
        ("postgresql://x@y/z?sslmode=prefer", "unknown sslmode"),
        ("postgresql://y/z", "postgresql://USER@HOST/DATABASE"),
        ("postgresql://x@y", "postgresql://USER@HOST/DATABASE"),
        ("postgresql://x@y/a/b", "postgresql://USER@HOST/DATABASE"),
        ("postgresql://x@y/z?sslmode=verify-full&sslmode=disable", "twice"),
        ("postgresql://x@y/z?sslrootcert=x.pem", "postgresql.ca_file"),
        ("postgresql://x@y:z/z", "is not a URL"),
    ] {
        refused(&postgresql(url), "postgresql.url", reason);
    }
    refused("[postgresql]", "postgresql.url", "is missing");
    for (number, good) in [(1, false), (2, true), (100, true), (101, false)] {
        let text = format!("{}max_connections = {number}", postgresql("postgres://x@localhost/z"));
        assert_eq!(parse(&text).is_ok(), good, "{number}");
    }
}

#[test]
fn a_file_of_roots_that_nobody_would_compare_with_is_a_mistake() {
    let without_tls = format!("{}ca_file = \"x.pem\"", rabbitmq("amqp://localhost"));
    refused(&without_tls, "rabbitmq.ca_file", "amqps://");
    for url in ["postgresql://x@%2Frun%2Fpostgresql/z", "postgresql://x@y/z?sslmode=require"] {
        let text = format!("{}ca_file = \"x.pem\"", postgresql(url));
        refused(&text, "postgresql.ca_file", "sslmode=verify-full");
    }
}

#[test]
fn http_services_are_named_by_scheme_host_and_port() {
    for (endpoint, reason) in [
        ("minio.internal:9000", "begins with https:// or http://"),
        ("https:/minio", "begins with"),
        ("https://", "is not a URL"),
        ("https://user:pass@minio", "AWS_ACCESS_KEY_ID"),
        ("https://minio/path", "has a path"),
        ("https://minio?x", "query"),
        ("https://minio\\\\x", "percent-encoded"),
    ] {
        refused(&format!("[s3]\nendpoint = \"{endpoint}\""), "s3.endpoint", reason);
    }
    let queue = |url: &str| format!("[[trigger]]\nkind = \"sqs\"\nqueue_url = \"{url}\"");
    refused(&queue("https://sqs.eu-west-1.amazonaws.com/"), "trigger[0].queue_url", "as SQS gives it");
    assert!(!parse("[s3]").unwrap().s3.unwrap().path_style);
    assert!(parse("[s3]\nendpoint = \"http://[::1]:9000/\"").unwrap().s3.unwrap().path_style);
}

#[test]
fn the_services_have_limits() {
    for (key, value) in [
        ("concurrency", "0"),
        ("concurrency", "65"),
        ("grace_seconds", "601"),
        ("health_listen", "\"localhost\""),
        ("api_listen", "\"4583\""),
        ("work_dir", "\"\""),
        ("port", "1"),
    ] {
        for service in ["signer", "deployer"] {
            let text = format!("[{service}]\n{key} = {value}");
            assert_eq!(paths(&text), [format!("{service}.{key}")], "{value}");
        }
    }
    refused(
        "[signer]\nport = 1",
        "signer.port",
        "known here are health_listen, api_listen, work_dir, concurrency, grace_seconds",
    );
    refused("colour = 1", "colour", "trust_roots, [signer], [deployer], [s3]");
    refused("signer = 5", "signer", "an integer is not a table");
}

#[test]
fn a_trigger_has_the_keys_of_its_kind() {
    let amqp = |rest: &str| {
        format!("{}[[trigger]]\nkind = \"amqp\"\nexchange = \"s3\"\n{rest}", rabbitmq("amqp://localhost"))
    };
    refused(&amqp("queue_url = \"https://x/y\""), "trigger[0].queue_url", "no effect with kind = \"amqp\"");
    refused(&amqp("queue = \"x\""), "trigger[0].queue", "is not a key");
    refused(&amqp("exchange_type = \"headers\""), "trigger[0].exchange_type", "topic, direct or fanout");
    refused(&amqp("exchange_type = \"direct\""), "trigger[0].routing_key", "is missing");
    let fanout = "exchange_type = \"fanout\"\n";
    refused(&amqp(&format!("{fanout}routing_key = \"x\"")), "trigger[0].routing_key", "leave it out");
    assert!(parse(&amqp(&format!("{fanout}routing_key = \"\""))).is_ok());
    refused(&amqp("").replace("\"s3\"", "\"countersign.events\""), "trigger[0].exchange", "our own");
    refused(&amqp("").replace("\"s3\"", "\"s 3\""), "trigger[0].exchange", "1 to 127 letters");
    refused("[[trigger]]\nkind = \"amqp\"\nexchange = \"s3\"", "trigger[0].kind", "add [rabbitmq]");
    refused("[[trigger]]\nkind = \"kafka\"\nqueue_url = \"x\"", "trigger[0].kind", "\"sqs\" or \"amqp\"");
    refused("[[trigger]]\nkind = \"sqs\"", "trigger[0].queue_url", "is missing");
    let queue = "[[trigger]]\nkind = \"sqs\"\nqueue_url = \"https://x/y\"\n";
    refused(&queue.repeat(2), "trigger[1].kind", "receives the same already");
    let many =
        |count: usize| (0..count).map(|index| queue.replace("/y", &format!("/{index}"))).collect::<String>();
    assert_eq!(parse(&many(16)).unwrap().triggers.len(), 16);
    refused(&many(17), "trigger", "has 17 tables: write at most 16");
}

#[test]
fn a_target_has_the_keys_of_its_kind_and_its_own_name() {
    let lambda = |rest: &str| format!("[[target]]\nname = \"x\"\nkind = \"lambda\"\n{rest}");
    let TargetKind::Lambda { region, create, .. } =
        parse(&format!("region = \"eu-west-3\"\n{}", lambda(""))).unwrap().targets.remove(0).kind
    else {
        panic!()
    };
    assert_eq!((region.as_str(), create), ("eu-west-3", None));
    refused(&lambda("path = \"x\""), "target[0].path", "no effect with kind = \"lambda\"");
    refused(&lambda("region = \"EU\""), "target[0].region", "us-east-1");
    let role = "role = \"arn:aws:iam::123456789012:role/fn\"\n";
    assert_eq!(paths(&lambda(role)), ["target[0].runtime", "target[0].handler"]);
    for (key, value) in [
        ("role", "arn:aws:iam::12:role/fn"),
        ("role", "arn:aws:iam::123456789012:user/fn"),
        ("role", "fn"),
        ("runtime", "Python 3"),
        ("handler", "a b"),
    ] {
        let good = format!("{role}runtime = \"python3.13\"\nhandler = \"a.b\"\n");
        let line = good.lines().find(|line| line.starts_with(key)).unwrap();
        refused(
            &lambda(&good.replace(line, &format!("{key} = \"{value}\""))),
            &format!("target[0].{key}"),
            value,
        );
    }
    let directory = "[[target]]\nname = \"x\"\nkind = \"directory\"\n";
    refused(&directory.repeat(2), "target[1].name", "declared twice");
    refused(&format!("{directory}path = \"\""), "target[0].path", "is empty");
    let many: String = (0..17).map(|index| directory.replace("\"x\"", &format!("\"x{index}\""))).collect();
    refused(&many, "target", "has 17 tables: write at most 16");
}

#[test]
fn a_route_names_a_declared_target() {
    let with = |target: &str| GOOD.replace("create = true", &format!("create = true, target = \"{target}\""));
    let config = parse(&with("directory")).unwrap();
    assert_eq!(config.routes[0].deploy.as_ref().unwrap().target.as_ref().unwrap().as_str(), "directory");
    refused(&with("lambda"), "route[0].deploy.target", "add a [[target]] with name = \"lambda\"");
    refused(&with("a b"), "route[0].deploy.target", "target name");
    let wrong_otherwise = format!("{}[[target]]\nname = \"lambda\"\nkind = \"cloud\"\n", with("lambda"));
    refused(&wrong_otherwise, "target[0].kind", "\"directory\" or \"lambda\"");
}

#[test]
fn a_user_of_the_broker_belongs_to_one_principal() {
    let principal = |name: &str, publishers: &str| {
        format!("[[principal]]\nname = \"{name}\"\npublishers = [{publishers}]\n")
    };
    let twice = principal("a", "\"x\"") + &principal("b", "\"y\", \"x\"");
    refused(&twice, "principal[1].publishers[1]", "stands in principal[0].publishers[0] already");
    refused(&principal("a", "\"x\", \"x\""), "principal[0].publishers[1]", "once");
    let same_name = principal("a", "\"x\"") + &principal("a", "\"y\"");
    refused(&same_name, "principal[1].name", "declared twice");
    for user in ["", " x", "x\\n"] {
        refused(&principal("a", &format!("\"{user}\"")), "principal[0].publishers[0]", "not a user");
    }
    refused(&principal("a", ""), "principal[0].publishers", "has 0 entries: write 1 to 100");
    let users = |count: usize| (0..count).map(|index| format!("\"u{index}\"")).collect::<Vec<_>>().join(",");
    assert!(parse(&principal("a", &users(100))).unwrap().authority.requester(Some("u99")).is_ok());
    refused(&principal("a", &users(101)), "principal[0].publishers", "has 101 entries");
    let many: String =
        (0..65).map(|index| principal(&format!("p{index}"), &format!("\"u{index}\""))).collect();
    refused(&many, "principal", "has 65 tables: write at most 64");
}

#[test]
fn variables_alone_can_give_a_server() {
    let environment = environment(&[
        ("COUNTERSIGN_RABBITMQ_ADDRESSES", "amqps://rabbit"),
        ("COUNTERSIGN_RABBITMQ_USER", "countersign-signer"),
        ("COUNTERSIGN_RABBITMQ_PASSWORD", "not a key"),
        ("COUNTERSIGN_POSTGRESQL_URL", "postgres://user:pass@db/x"),
        ("COUNTERSIGN_S3_SERVICE_HOST", "10.0.0.1"),
    ]);
    let mistakes = Config::parse("", Path::new(POLICIES), &environment).unwrap_err().mistakes;
    assert_eq!(mistakes[0].path, "COUNTERSIGN_POSTGRESQL_URL");
    assert_eq!(mistakes.len(), 1, "the broker is whole, and there is no [s3]: {mistakes:?}");
}

#[test]
fn what_is_unprotected_on_a_network_is_worth_a_warning() {
    let cautions = |text: &str| parse(text).unwrap().cautions();
    let plain = [
        (
            "[s3]\nendpoint = \"http://minio:9000\"".to_owned(),
            "s3.endpoint: http://minio:9000 is not encrypted",
        ),
        (rabbitmq("amqps://a\", \"amqp://10.0.0.1"), "rabbitmq.addresses[1]: "),
        ("[[trigger]]\nkind = \"sqs\"\nqueue_url = \"http://sqs/1/x\"".into(), "trigger[0].queue_url: "),
        (
            "[[target]]\nname = \"x\"\nkind = \"lambda\"\nendpoint = \"http://x\"".into(),
            "target[0].endpoint: ",
        ),
        (postgresql("postgresql://x@db/z?sslmode=disable"), "postgresql.url: "),
        (postgresql("postgresql://x@db/z?sslmode=require"), "sslmode=verify-full"),
    ];
    for (text, said) in plain {
        let cautions = cautions(&text);
        assert!(cautions.len() == 1 && cautions[0].contains(said), "{text}: {cautions:?}");
    }
    for text in [
        "[s3]\nendpoint = \"http://127.0.0.1:9000\"".to_owned(),
        "[s3]\nendpoint = \"https://minio:9000\"".into(),
        rabbitmq("amqp://[::1]"),
        rabbitmq("amqp://127.9.9.9:5672/x"),
        postgresql("postgresql://x@db/z?sslmode=verify-full"),
        postgresql("postgresql://x@db/z"),
        postgresql("postgresql://x@localhost/z?sslmode=disable"),
        postgresql("postgresql://x@%2Frun%2Fpostgresql/z"),
    ] {
        assert!(cautions(&text).is_empty(), "{text}: {:?}", cautions(&text));
    }
}
