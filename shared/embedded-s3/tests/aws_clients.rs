//! AWS's own clients against the endpoint: boto3 for each operation, the CLI for its high-level commands.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

use std::path::Path;

use support::{Running, client, python, require_success};

async fn sdk(functions: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(dir.path()).await;
    python(&running, functions).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_and_their_configuration() {
    sdk(&["buckets", "notification_configuration"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_made_once_outside_of_the_first_region() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start_in(dir.path(), "eu-central-1").await;
    python(&running, &["buckets_elsewhere"]).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_subresource_is_answered_or_refused() {
    sdk(&["subresources", "kept_configuration", "refused_configuration"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_and_their_versions() {
    sdk(&["objects", "versions", "conditional_writes", "deletes_of_many", "document_digests", "tagging"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checksums_and_chunked_bodies() {
    sdk(&["checksums", "chunked_uploads", "hosts"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_and_listings() {
    sdk(&["copies", "listings"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn multipart_uploads() {
    sdk(&["multipart"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authentication_and_what_is_not_implemented() {
    sdk(&["presigned", "expectations", "authentication", "not_implemented"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_and_reads_at_the_same_time() {
    sdk(&["races"]).await;
}

async fn aws(running: &Running, arguments: &[&str]) -> String {
    let output = client("aws", &running.url).args(arguments).output().await.unwrap();
    require_success(&output, &format!("aws {arguments:?}"));
    String::from_utf8(output.stdout).unwrap()
}

/// The CLI's own spelling of what boto3's tests go through, and SAM's first step: which version was uploaded.
#[tokio::test(flavor = "multi_thread")]
async fn the_cli_reads_and_writes_what_a_bucket_is_configured_to() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(dir.path()).await;
    let api = async |operation: &str, rest: &[&str]| {
        let named = ["s3api", operation, "--output", "text", "--bucket", "cli-bucket"];
        aws(&running, &[&named[..], rest].concat()).await.trim().to_owned()
    };
    api("create-bucket", &[]).await;
    api("put-bucket-versioning", &["--versioning-configuration", "Status=Enabled"]).await;
    api("put-bucket-tagging", &["--tagging", "TagSet=[{Key=team,Value=payments}]"]).await;
    assert_eq!(api("get-bucket-tagging", &[]).await, "TAGSET\tteam\tpayments");
    assert_eq!(api("get-bucket-acl", &["--query", "Grants[].Permission"]).await, "FULL_CONTROL");
    let put = api("put-object", &["--key", "fn.zip", "--query", "VersionId"]).await;
    assert_eq!(api("get-object-tagging", &["--key", "fn.zip", "--query", "VersionId"]).await, put);
    let policy = ["s3api", "get-bucket-policy", "--bucket", "cli-bucket"];
    let refused = client("aws", &running.url).args(policy).output().await.unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && told.contains("(NoSuchBucketPolicy)"), "{told}");
    running.stop().await;
}

/// Version 1 of the CLI presigns with signature version 2 unless its configuration says otherwise.
async fn presigned(running: &Running, dir: &Path) -> String {
    let config = dir.join("aws-config");
    std::fs::write(&config, "[default]\ns3 =\n  signature_version = s3v4\n").unwrap();
    let mut command = client("aws", &running.url);
    command.env("AWS_CONFIG_FILE", config).args(["s3", "presign", "s3://cli-bucket/moved/big.bin"]);
    let output = command.output().await.unwrap();
    require_success(&output, "aws s3 presign");
    String::from_utf8(output.stdout).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_high_level_commands_of_the_cli() {
    let dir = tempfile::tempdir().unwrap();
    let local = tempfile::tempdir().unwrap();
    let running = Running::start(dir.path()).await;
    let big = local.path().join("big.bin");
    let bytes: Vec<u8> =
        (0..20_u32 * 1024 * 1024).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(&big, &bytes).unwrap();
    let tree = local.path().join("tree");
    std::fs::create_dir_all(tree.join("sub dir")).unwrap();
    std::fs::write(tree.join("a.txt"), "a").unwrap();
    std::fs::write(tree.join("sub dir/b+ü.txt"), "b").unwrap();

    aws(&running, &["s3", "mb", "s3://cli-bucket"]).await;
    aws(&running, &["s3", "cp", text(&big), "s3://cli-bucket/big.bin"]).await;
    let head = aws(&running, &["s3api", "head-object", "--bucket", "cli-bucket", "--key", "big.bin"]).await;
    assert!(head.contains("-3"), "20 MB go up in three parts: {head}");
    let back = local.path().join("back.bin");
    aws(&running, &["s3", "cp", "s3://cli-bucket/big.bin", text(&back)]).await;
    assert!(std::fs::read(&back).unwrap() == bytes);
    aws(&running, &["s3", "mv", "s3://cli-bucket/big.bin", "s3://cli-bucket/moved/big.bin"]).await;
    aws(&running, &["s3", "sync", text(&tree), "s3://cli-bucket/tree"]).await;
    let listed = aws(&running, &["s3", "ls", "--recursive", "s3://cli-bucket"]).await;
    let keys: Vec<&str> = listed.lines().filter_map(|line| line.get(31..)).collect();
    assert_eq!(keys, ["moved/big.bin", "tree/a.txt", "tree/sub dir/b+ü.txt"]);
    let again = aws(&running, &["s3", "sync", text(&tree), "s3://cli-bucket/tree"]).await;
    assert_eq!(again, "", "what is there already is not sent again");
    let down = local.path().join("down");
    aws(&running, &["s3", "sync", "s3://cli-bucket/tree", text(&down)]).await;
    assert_eq!(std::fs::read_to_string(down.join("sub dir/b+ü.txt")).unwrap(), "b");
    assert!(aws(&running, &["s3", "ls", "s3://cli-bucket"]).await.contains("PRE tree/"));
    aws(&running, &["s3", "rm", "--recursive", "s3://cli-bucket/tree"]).await;
    let url = presigned(&running, local.path()).await;
    let fetched =
        client("curl", &running.url).args(["-sSf", "-r", "0-9", url.trim()]).output().await.unwrap();
    require_success(&fetched, "curl");
    assert_eq!(fetched.stdout, bytes[..10]);
    aws(&running, &["s3", "rb", "--force", "s3://cli-bucket"]).await;
    assert_eq!(aws(&running, &["s3", "ls"]).await, "");
    running.stop().await;
}
