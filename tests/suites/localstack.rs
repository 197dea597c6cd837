//! The whole system as a user of AWS runs it, on LocalStack: a package is dropped into S3, SQS tells a signer, the broker tells
//! a deployer, and Lambda has a new version; and whatever must not get there does not.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use countersign_tests::eventually;
use countersign_tests::fleet::{ACCESS_KEY_ID, Fleet, SECRET_ACCESS_KEY};
use countersign_tests::packages::package;
use countersign_tests::servers::LocalStack;
use countersign_tests::tools::{countersign, succeeded};
use serde_json::{Value, json};
use support::{Store, publish};
use tempfile::TempDir;

/// A LocalStack and the services beside it.
struct System {
    localstack: LocalStack,
    store: Store,
    fleet: Fleet,
    folder: TempDir,
}

impl System {
    fn start(signers: usize, deployers: usize) -> Self {
        let localstack = LocalStack::start();
        let store = Store::new(&localstack.endpoint(), &localstack.environment());
        let mut fleet = Fleet::new(&config(&localstack, &["s3://unsigned/"]), localstack.environment());
        for number in 1..=signers {
            fleet.start_signer(number);
        }
        for number in 1..=deployers {
            fleet.start_deployer(number);
        }
        Self { localstack, store, fleet, folder: tempfile::tempdir().expect("a folder") }
    }

    /// Drops a package of its own for `function`.
    fn drop_package(&self, function: &str) -> PathBuf {
        let path = package(self.folder.path(), &format!("{function}.zip"), function);
        self.store.put("unsigned", &format!("{function}/pkg.zip"), &path);
        path
    }

    fn sql(&self, query: &str) -> String {
        self.fleet.database.sql("countersign", query).trim().to_owned()
    }

    fn count(&self, query: &str) -> usize {
        self.sql(&format!("SELECT count(*) FROM {query}")).parse().expect("a number")
    }

    /// Waits until so many deployments have ended.
    fn deployed(&self, wanted: usize, limit: Duration) {
        let mut last = Instant::now();
        eventually(&format!("{wanted} deployments"), limit, || {
            std::thread::sleep(Duration::from_millis(200));
            let ended = self.count("deployments WHERE finish IS NOT NULL");
            if last.elapsed() > Duration::from_secs(20) {
                println!(
                    "{} jobs ended, {ended} deployments",
                    self.count("jobs WHERE status <> 'InProgress'")
                );
                last = Instant::now();
            }
            (ended >= wanted).then_some(())
        });
    }

    /// Asks for a deployment of an object as `ci`, and waits for its end: how it ended, and why.
    fn asked(&self, function: &str, key: &str, version: &str) -> (String, String) {
        let url = self.fleet.broker.url("ci");
        publish(&url, Some("ci"), &request(function, key, version));
        self.end_of(function)
    }

    fn end_of(&self, function: &str) -> (String, String) {
        let row = format!("FROM deployments WHERE function_name = '{function}' AND finish IS NOT NULL");
        let end = eventually(&format!("an end of {function}"), Duration::from_secs(60), || {
            let end = self.sql(&format!("SELECT finish {row}"));
            (!end.is_empty()).then_some(end)
        });
        assert_eq!(self.sql(&format!("SELECT principal || ' ' || publisher {row}")), "ci ci");
        (end.to_lowercase(), self.sql(&format!("SELECT decision {row}")))
    }

    /// The functions as AWS's own client sees them, and the digests of what stands in the bucket `signed`.
    fn inventory(&self) -> Inventory {
        let text = self.localstack.python(INVENTORY);
        let told: Value = serde_json::from_str(&text).expect("JSON");
        let texts = |value: &Value| -> BTreeMap<String, String> {
            serde_json::from_value(value.clone()).expect("a map of texts")
        };
        let function = |(name, told): (&String, &Value)| {
            (name.clone(), Function { versions: texts(&told["versions"]), aliases: texts(&told["aliases"]) })
        };
        Inventory {
            functions: told["functions"].as_object().expect("functions").iter().map(function).collect(),
            signed: serde_json::from_value(told["signed"].clone()).expect("digests"),
        }
    }

    fn requests(&self, operation: &str) -> usize {
        self.localstack.log().matches(&format!("AWS s3.{operation} ")).count()
    }
}

struct Inventory {
    functions: BTreeMap<String, Function>,
    signed: Vec<String>,
}

/// Published versions with their `CodeSha256`, and where aliases lead.
#[derive(Debug, PartialEq)]
struct Function {
    versions: BTreeMap<String, String>,
    aliases: BTreeMap<String, String>,
}

impl Inventory {
    /// Every function has one version, which is one of the signed objects, and `live` leads to it; no object serves twice.
    fn assert_each_once(&self, wanted: usize) {
        assert_eq!((self.signed.len(), self.functions.len()), (wanted, wanted));
        let signed: BTreeSet<&String> = self.signed.iter().collect();
        let mut deployed = BTreeSet::new();
        for (name, function) in &self.functions {
            assert_eq!(function.versions.keys().collect::<Vec<_>>(), ["1"], "{name}");
            assert_eq!(function.aliases.get("live").map(String::as_str), Some("1"), "{name}");
            deployed.insert(&function.versions["1"]);
        }
        assert_eq!(deployed, signed);
        assert_eq!(signed.len(), wanted);
    }
}

#[test]
fn a_drop_becomes_a_version_and_everything_untrusted_is_refused() {
    let mut system = System::start(1, 1);
    let begun = Instant::now();
    system.drop_package("hello");
    system.deployed(1, Duration::from_secs(60));
    println!("signed and deployed {:?} after the drop", begun.elapsed());
    system.inventory().assert_each_once(1);

    a_hostile_package_is_not_signed(&system);
    let (key, version) = system.store.versions("signed").remove(0);
    refused_by_the_deployer(&system, &key, &version);
    let good = system.asked("again", &key, &version);
    assert!(good.0.contains("succeeded"), "{good:?}");
    a_revoked_profile_deploys_no_more(&system, &key, &version);
    let names: BTreeSet<String> = system.inventory().functions.into_keys().collect();
    assert_eq!(names, BTreeSet::from(["again".to_owned(), "hello".to_owned()]));
    for process in ["signer-1", "deployer-1"] {
        assert_eq!(system.fleet.stop(process).code(), Some(0), "{}", system.fleet.log(process));
    }
}

/// Two entries of one name, which unpackers read differently.
fn a_hostile_package_is_not_signed(system: &System) {
    let before = system.store.versions("signed").len();
    let path = system.folder.path().join("hostile.zip");
    let bytes = std::fs::read(package(system.folder.path(), "plain.zip", "hostile")).expect("a package");
    // The first entry is renamed to the second's name in the directory alone: the two disagree.
    let at = bytes.windows(10).rposition(|window| window == b"handler.py").expect("a directory entry");
    let mut hostile = bytes.clone();
    hostile[at..at + 10].copy_from_slice(b"handler.sh");
    std::fs::write(&path, hostile).expect("a file");
    system.store.put("unsigned", "hostile/pkg.zip", &path);
    eventually("a failed job", Duration::from_secs(60), || {
        (system.count("jobs WHERE status = 'Failed'") == 1).then_some(())
    });
    assert_eq!(system.store.versions("signed").len(), before);
}

fn refused_by_the_deployer(system: &System, key: &str, version: &str) {
    let signed = system.store.get("signed", key, version);
    let refused = |function: &str, bytes: &[u8], codes: &[&str]| {
        let path = system.folder.path().join(format!("{function}.zip"));
        std::fs::write(&path, bytes).expect("a file");
        let version = system.store.put("signed", &format!("planted/{function}.zip"), &path);
        let (end, why) = system.asked(function, &format!("planted/{function}.zip"), &version);
        assert!(end.contains("blocked"), "{function}: {end} {why}");
        for code in codes {
            assert!(why.contains(code), "{function}: {why}");
        }
        system.store.delete("signed", &format!("planted/{function}.zip"));
    };
    let unsigned = std::fs::read(package(system.folder.path(), "bare.zip", "bare")).expect("a package");
    refused("unsigned", &unsigned, &["the package is not signed"]);
    let mut tampered = signed;
    tampered[60] ^= 1;
    refused("tampered", &tampered, &["integrity"]);
    refused("foreign", &signed_elsewhere(system.folder.path()), &["untrusted_chain"]);
}

/// A package that another installation signed.
fn signed_elsewhere(folder: &Path) -> Vec<u8> {
    let data = folder.join("elsewhere").to_string_lossy().into_owned();
    let unsigned = package(folder, "strange.zip", "strange").to_string_lossy().into_owned();
    let signed = folder.join("strange-signed.zip").to_string_lossy().into_owned();
    for arguments in [
        &["profile", "create", "default", "--data-dir", &data][..],
        &["sign", &unsigned, "--profile", "default", "-o", &signed, "--data-dir", &data],
    ] {
        succeeded("countersign", &countersign().args(arguments).output().expect("it runs"));
    }
    std::fs::read(signed).expect("a signed package")
}

fn a_revoked_profile_deploys_no_more(system: &System, key: &str, version: &str) {
    let from = ["--effective-time", "2020-01-01T00:00:00Z"];
    let revoke = [&["revoke", "--profile", "default", "--reason", "a test", "--yes"][..], &from[..]].concat();
    succeeded("revoke", &system.fleet.countersign(&revoke));
    let (end, why) = system.asked("revoked", key, version);
    assert!(end.contains("blocked") && why.contains("revo"), "{end} {why}");
}

#[test]
fn who_asks_is_whom_the_broker_vouches_for() {
    let system = System::start(1, 1);
    system.drop_package("hello");
    system.deployed(1, Duration::from_secs(60));
    let (key, version) = system.store.versions("signed").remove(0);
    let (end, why) = system.asked("asked", &key, &version);
    assert!(end.contains("succeeded"), "{end} {why}");

    let broker = &system.fleet.broker;
    broker.ctl(&["add_user", "stranger", "secret"]);
    broker.ctl(&["set_permissions", "stranger", "^$", r"^countersign\.events$", "^$"]);
    let stranger = broker.url("ci").replace(&format!("ci:{}", broker.user("ci").password), "stranger:secret");
    let reads = ["GetObject", "HeadObject", "GetBucketVersioning"].map(|name| system.requests(name));
    publish(&broker.url("ci"), None, &request("nobody", &key, &version));
    publish(&stranger, Some("stranger"), &request("stranger", &key, &version));
    let letters = eventually("two dead letters", Duration::from_secs(60), || {
        let letters = system.fleet.dead_letters();
        (letters.len() == 2).then_some(letters)
    });
    let reasons = Value::from(letters).to_string();
    for code in ["unauthenticated_publisher", "unknown_publisher"] {
        assert!(reasons.contains(code), "{reasons}");
    }
    assert_eq!(system.count("deployments WHERE function_name IN ('nobody', 'stranger')"), 0);
    // The reads of health and sweep go to other operations, or are none while nothing is dropped.
    assert_eq!(["GetObject", "HeadObject"].map(|name| system.requests(name)), [reads[0], reads[1]]);

    // Who says to be somebody else is not heard at all.
    let refused =
        support::try_publish(&broker.url("ci"), Some("countersign-signer"), &request("liar", &key, &version));
    assert!(refused.is_err(), "the broker took a message of ci in the name of the signer");
    assert_eq!(system.inventory().functions.into_keys().collect::<Vec<_>>(), ["asked", "hello"]);
}

#[test]
fn five_hundred_packages_are_signed_and_deployed_once_though_a_signer_is_killed() {
    let mut system = System::start(2, 2);
    let begun = Instant::now();
    for number in 0..PACKAGES {
        system.drop_package(&format!("f-{number}"));
        if number == PACKAGES / 3 {
            let succeeded = system.count("jobs WHERE status = 'Succeeded'");
            system.fleet.kill("signer-2");
            println!("signer-2 killed after {succeeded} signed of {number} dropped");
        }
    }
    println!("dropped after {:?}", begun.elapsed());
    system.deployed(PACKAGES, Duration::from_secs(900));
    println!("deployed after {:?}", begun.elapsed());
    assert_eq!(system.count("jobs"), PACKAGES);
    assert_eq!(system.count("jobs WHERE status = 'Succeeded'"), PACKAGES);
    assert_eq!(system.count("deployments"), PACKAGES);
    system.inventory().assert_each_once(PACKAGES);
    assert_eq!(system.fleet.dead_letters(), Vec::<Value>::new());
}

#[test]
fn restarts_of_the_broker_and_the_database_lose_nothing() {
    let mut system = System::start(2, 2);
    for number in 0..RESTARTED {
        system.drop_package(&format!("f-{number}"));
        if number == RESTARTED / 3 {
            system.fleet.broker.restart();
        } else if number == RESTARTED * 2 / 3 {
            system.fleet.database.kill();
            system.fleet.database.start_again();
        }
    }
    system.fleet.broker.kill();
    system.fleet.broker.start_again();
    system.deployed(RESTARTED, Duration::from_secs(300));
    system.inventory().assert_each_once(RESTARTED);
    for process in ["signer-1", "signer-2", "deployer-1", "deployer-2"] {
        eventually(process, Duration::from_secs(60), || {
            system.fleet.health(process, "/ready").filter(|(status, _)| *status == 200)
        });
    }
}

#[test]
fn a_process_tells_its_health_takes_new_routes_and_stops_in_order() {
    let mut system = System::start(1, 1);
    let one_route = config(&system.localstack, &["s3://unsigned/first/"]);
    system.fleet.configure(&one_route);
    system.fleet.reload("signer-1");
    system.fleet.says("signer-1", "reloaded: 1 routes");
    system.store.put(
        "unsigned",
        "second/second/pkg.zip",
        &package(system.folder.path(), "early.zip", "early"),
    );
    system.store.put("unsigned", "first/first/pkg.zip", &package(system.folder.path(), "first.zip", "first"));
    system.deployed(1, Duration::from_secs(60));
    system.fleet.configure("[[route]]\nsource = 5\n");
    system.fleet.reload("signer-1");
    system.fleet.says("signer-1", "not reloaded");
    system.fleet.configure(&config(&system.localstack, &["s3://unsigned/first/", "s3://unsigned/second/"]));
    system.fleet.reload("signer-1");
    system.fleet.says("signer-1", "reloaded: 2 routes");
    system.store.put(
        "unsigned",
        "second/second/pkg.zip",
        &package(system.folder.path(), "later.zip", "later"),
    );
    system.deployed(2, Duration::from_secs(60));

    system.fleet.broker.kill();
    for process in ["signer-1", "deployer-1"] {
        let told = eventually(process, Duration::from_secs(60), || {
            system.fleet.health(process, "/ready").filter(|(status, _)| *status == 503)
        });
        let checks = told.1["checks"].as_array().cloned().unwrap_or_default();
        let broker = checks.iter().find(|check| check["name"] == "rabbitmq").cloned().unwrap_or_default();
        assert_eq!((&told.1["ready"], &broker["ready"]), (&json!(false), &json!(false)), "{told:?}");
        assert!(broker["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{told:?}");
        assert_eq!(system.fleet.health(process, "/live"), Some((200, json!({"live": true}))));
        assert_eq!(system.fleet.health(process, "/other").map(|(status, _)| status), Some(404));
    }
    system.fleet.broker.start_again();
    for process in ["signer-1", "deployer-1"] {
        eventually(process, Duration::from_secs(60), || {
            system.fleet.health(process, "/ready").filter(|(status, _)| *status == 200)
        });
    }
    a_stop_finishes_or_gives_back(&mut system);
}

fn a_stop_finishes_or_gives_back(system: &mut System) {
    for number in 0..STOPPED {
        let path = package(system.folder.path(), "stopped.zip", &format!("stopped {number}"));
        system.store.put("unsigned", &format!("second/second/{number}.zip"), &path);
    }
    assert_eq!(system.fleet.stop("signer-1").code(), Some(0), "{}", system.fleet.log("signer-1"));
    assert_eq!(system.count("jobs WHERE status = 'InProgress'"), 0, "a job was left behind");
    system.fleet.start_signer(3);
    let begun = Instant::now();
    // Two went before, and one came before there was a route for it: the sweep of a signer that starts finds it.
    system.deployed(3 + STOPPED, Duration::from_secs(120));
    println!("what was given back was done {:?} later", begun.elapsed());
    let versions = system.inventory().functions.remove("second").expect("it was deployed").versions;
    assert_eq!(versions.len(), 2 + STOPPED);
    assert_eq!(system.fleet.stop("deployer-1").code(), Some(0), "{}", system.fleet.log("deployer-1"));
}

#[test]
fn boto3_has_a_package_signed_by_one_process_and_deployed_by_another() {
    let system = System::start(1, 1);
    let unsigned = package(system.folder.path(), "api.zip", "api");
    let (signer, lambda) = (system.fleet.api("signer-1"), system.fleet.api("deployer-1"));
    let script = format!(
        "UNSIGNED = {unsigned:?}\nSIGNER = {signer:?}\nLAMBDA = {lambda:?}\n\
         KEYS = {{'aws_access_key_id': {ACCESS_KEY_ID:?}, 'aws_secret_access_key': {SECRET_ACCESS_KEY:?}}}\n{APIS}"
    );
    let told: Value = serde_json::from_str(&system.localstack.python(&script)).expect("JSON");
    assert_eq!(told["refused"], "CodeVerificationFailedException", "{told}");
    assert_eq!(told["signedBy"], told["profile"], "{told}");
    let function = system.inventory().functions.remove("api").expect("it was deployed to the target");
    assert_eq!(function.versions.get("1").map(String::as_str), told["codeSha256"].as_str(), "{told}");
    let trail = succeeded("audit", &system.fleet.countersign(&["audit", "--json"]));
    for name in ["StartSigningJob", "CreateFunction20150331", "ValidateCodeSignature"] {
        assert!(trail.contains(name), "{name}: {trail}");
    }
}

/// Signs and deploys through the APIs, and is refused what is unsigned.
const APIS: &str = r#"
import boto3, json
def client(name, **more): return boto3.client(name, region_name='us-east-1', **more)
s3 = client('s3')
signer, functions = client('signer', endpoint_url=SIGNER, **KEYS), client('lambda', endpoint_url=LAMBDA, **KEYS)
version = s3.put_object(Bucket='signed', Key='in/api.zip', Body=open(UNSIGNED, 'rb').read())['VersionId']
profile = signer.put_signing_profile(profileName='api', platformId='AWSLambda-SHA384-ECDSA')['profileVersionArn']
job = signer.start_signing_job(
    source={'s3': {'bucketName': 'signed', 'key': 'in/api.zip', 'version': version}},
    destination={'s3': {'bucketName': 'signed', 'prefix': 'out/'}}, profileName='api')['jobId']
signer.get_waiter('successful_signing_job').wait(jobId=job, WaiterConfig={'Delay': 1, 'MaxAttempts': 60})
key = signer.describe_signing_job(jobId=job)['signedObject']['s3']['key']
config = functions.create_code_signing_config(
    AllowedPublishers={'SigningProfileVersionArns': [profile]},
    CodeSigningPolicies={'UntrustedArtifactOnDeployment': 'Enforce'})['CodeSigningConfig']['CodeSigningConfigArn']
def create(name, key):
    return functions.create_function(
        FunctionName=name, Runtime='python3.12', Handler='handler.handler', Role='arn:aws:iam::000000000000:role/fn',
        Code={'S3Bucket': 'signed', 'S3Key': key}, CodeSigningConfigArn=config, Publish=True)
created = create('api', key)
try:
    refused = create('unsigned', 'in/api.zip')['FunctionName']
except functions.exceptions.CodeVerificationFailedException as error:
    refused = error.response['Error']['Code']
print(json.dumps({'profile': profile, 'signedBy': created['SigningProfileVersionArn'], 'refused': refused,
                  'codeSha256': created['CodeSha256']}))
"#;

fn config(localstack: &LocalStack, sources: &[&str]) -> String {
    let (endpoint, queue) = (localstack.endpoint(), localstack.queue_url("countersign"));
    let routes = sources.iter().map(|source| {
        format!(
            r#"
            [[route]]
            source = "{source}"
            profile = "default"
            destination = "s3://signed/"
            deploy = {{ target = "lambda", function = "{{segment}}", alias = "live", create = true, code_signing_config = "default" }}
            "#
        )
    });
    // No sweep within a test: what arrives was told of by SQS.
    format!(
        r#"
        region = "us-east-1"
        account = "000000000000"
        sweep_interval_seconds = 86400
        [s3]
        endpoint = "{endpoint}"
        [[trigger]]
        kind = "sqs"
        queue_url = "{queue}"
        endpoint = "{endpoint}"
        [[target]]
        name = "lambda"
        kind = "lambda"
        endpoint = "{endpoint}"
        role = "arn:aws:iam::000000000000:role/functions"
        runtime = "provided.al2023"
        handler = "bootstrap"
        [[principal]]
        name = "signer"
        publishers = ["countersign-signer"]
        policies = ["deploy-functions.json"]
        [[principal]]
        name = "ci"
        publishers = ["ci"]
        policies = ["deploy-functions.json"]
        [[code_signing_config]]
        name = "default"
        allowed_publishers = ["default"]
        untrusted_artifact = "Enforce"
        {}"#,
        routes.collect::<String>()
    )
}

/// A request as any client writes it.
fn request(function: &str, key: &str, version: &str) -> Value {
    json!({
        "specversion": "1.0", "id": format!("asked-for-{function}"), "source": "/ci",
        "type": "countersign.deployment.requested", "time": "2026-11-21T09:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "functionName": function,
            "code": {"s3Bucket": "signed", "s3Key": key, "s3ObjectVersion": version},
            "alias": "live",
            "create": {"codeSigningConfig": "default"},
        },
    })
}

const INVENTORY: &str = r#"
import base64, boto3, hashlib, json
lambda_, s3 = boto3.client("lambda"), boto3.client("s3")
functions = {}
for page in lambda_.get_paginator("list_functions").paginate():
    for function in page["Functions"]:
        name = function["FunctionName"]
        versions = lambda_.list_versions_by_function(FunctionName=name)["Versions"]
        aliases = lambda_.list_aliases(FunctionName=name)["Aliases"]
        functions[name] = {
            "versions": {v["Version"]: v["CodeSha256"] for v in versions if v["Version"] != "$LATEST"},
            "aliases": {a["Name"]: a["FunctionVersion"] for a in aliases},
        }
signed = []
for page in s3.get_paginator("list_object_versions").paginate(Bucket="signed"):
    for version in page.get("Versions", []):
        if version["Key"].startswith("planted/"):
            continue
        body = s3.get_object(Bucket="signed", Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
        signed.append(base64.b64encode(hashlib.sha256(body).digest()).decode())
print(json.dumps({"functions": functions, "signed": signed}))
"#;

const PACKAGES: usize = 500;
const RESTARTED: usize = 30;
const STOPPED: usize = 12;
