"""What AWS's own SDK sees of the embedded endpoint. Each function is one test; the Rust tests run them by name."""

import base64
import concurrent.futures
import datetime
import hashlib
import hmac
import http.client
import os
import re
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
import zlib

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

URL = os.environ["AWS_ENDPOINT_URL"]
MIB = 1024 * 1024


def client(**options):
    keys = {"aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"]}
    keys.update({name: options.pop(name) for name in list(options) if name.startswith("aws_") or name == "region_name"})
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 0}, **options)
    return boto3.client("s3", endpoint_url=URL, config=config, **keys)


s3 = client()


def refused(code, operation, *args, status=None, **kwargs):
    try:
        operation(*args, **kwargs)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        if status:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error
        return error.response
    raise AssertionError(f"expected {code}")


def bucket(name, versioned=False):
    s3.create_bucket(Bucket=name)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def body(response):
    return response["Body"].read()


def buckets():
    bucket("first-bucket")
    bucket("second-bucket")
    s3.put_bucket_versioning(Bucket="first-bucket", VersioningConfiguration={"Status": "Suspended"})
    assert s3.create_bucket(Bucket="first-bucket", ObjectOwnership="BucketOwnerEnforced")["Location"] == "/first-bucket"
    assert s3.get_bucket_versioning(Bucket="first-bucket")["Status"] == "Suspended", "the bucket stays what it was"
    refused("OwnershipControlsNotFoundError", s3.get_bucket_ownership_controls, Bucket="first-bucket", status=404)
    refused("InvalidBucketName", s3.put_object, Bucket="UPPER", Key="k")
    refused("IllegalLocationConstraintException", s3.create_bucket, Bucket="elsewhere",
            CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    listed = s3.list_buckets(Prefix="first")
    assert [b["Name"] for b in listed["Buckets"]] == ["first-bucket"] and listed["Owner"]["ID"]
    page = s3.list_buckets(MaxBuckets=1)
    rest = s3.list_buckets(ContinuationToken=page["ContinuationToken"])
    assert len(page["Buckets"]) == 1 and "second-bucket" in [b["Name"] for b in rest["Buckets"]]
    head = s3.head_bucket(Bucket="first-bucket")
    assert head["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket="first-bucket")["LocationConstraint"] is None
    refused("404", s3.head_bucket, Bucket="not-there", status=404)
    for operation in (s3.get_bucket_location, s3.list_objects, s3.list_objects_v2, s3.list_object_versions,
                      s3.list_multipart_uploads, s3.get_bucket_versioning, s3.delete_bucket,
                      s3.get_bucket_notification_configuration):
        refused("NoSuchBucket", operation, Bucket="not-there", status=404)
    s3.put_object(Bucket="first-bucket", Key="k", Body=b"x")
    refused("BucketNotEmpty", s3.delete_bucket, Bucket="first-bucket", status=409)
    s3.delete_object(Bucket="first-bucket", Key="k", VersionId="null")
    upload = s3.create_multipart_upload(Bucket="first-bucket", Key="k")
    s3.upload_part(Bucket="first-bucket", Key="k", UploadId=upload["UploadId"], PartNumber=1, Body=b"x")
    s3.delete_bucket(Bucket="first-bucket")
    s3.delete_bucket(Bucket="second-bucket")


def buckets_elsewhere():
    """Outside of us-east-1 a bucket that is one's own already is not made again."""
    region = os.environ["AWS_REGION"]
    made = lambda name: s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    made("elsewhere-bucket")
    refused("BucketAlreadyOwnedByYou", made, "elsewhere-bucket", status=409)
    assert s3.get_bucket_location(Bucket="elsewhere-bucket")["LocationConstraint"] == region


def subresources():
    """Every sub-resource is answered: as kept, as it always is, or as S3 tells of a bucket that has none."""
    name = bucket("configured-bucket")
    absent = {
        "NoSuchBucketPolicy": ("policy", "policy_status"), "NoSuchCORSConfiguration": ("cors",),
        "NoSuchWebsiteConfiguration": ("website",), "NoSuchTagSet": ("tagging",),
        "NoSuchLifecycleConfiguration": ("lifecycle_configuration", "lifecycle"),
        "ReplicationConfigurationNotFoundError": ("replication",), "OwnershipControlsNotFoundError": ("ownership_controls",),
        "ServerSideEncryptionConfigurationNotFoundError": ("encryption",)}
    operations = [(code, getattr(s3, "get_bucket_" + one)) for code, them in absent.items() for one in them]
    operations += [("ObjectLockConfigurationNotFoundError", s3.get_object_lock_configuration),
                   ("NoSuchPublicAccessBlockConfiguration", s3.get_public_access_block)]
    for code, operation in operations:
        error = refused(code, operation, Bucket=name, status=404)
        assert error["Error"]["Message"] and error["ResponseMetadata"]["RequestId"], error
        refused("NoSuchBucket", operation, Bucket="not-there", status=404)
    same = {"accelerate_configuration": {}, "logging": {}, "request_payment": {"Payer": "BucketOwner"},
            "location": {"LocationConstraint": None}, "versioning": {}, "notification_configuration": {}}
    for one, expected in same.items():
        operation = getattr(s3, "get_bucket_" + one)
        got = operation(Bucket=name)
        got.pop("ResponseMetadata")
        assert got == expected, (one, got)
        refused("NoSuchBucket", operation, Bucket="not-there", status=404)
    for kind in ("analytics", "metrics", "inventory", "intelligent_tiering"):
        listed = getattr(s3, f"list_bucket_{kind}_configurations")(Bucket=name)
        assert listed["IsTruncated"] is False and not [k for k in listed if k.endswith("List")], listed
        for verb in ("get", "delete"):
            refused("NoSuchConfiguration", getattr(s3, f"{verb}_bucket_{kind}_configuration"), Bucket=name, Id="i", status=404)
    for one in ("policy", "cors", "website", "lifecycle", "replication", "encryption", "tagging", "ownership_controls"):
        operation = getattr(s3, "delete_bucket_" + one)
        assert operation(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
        refused("NoSuchBucket", operation, Bucket="not-there", status=404)
    assert s3.delete_public_access_block(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"] == 204

    s3.put_object(Bucket=name, Key="k", Body=b"x")
    for got in (s3.get_bucket_acl(Bucket=name), s3.get_object_acl(Bucket=name, Key="k")):
        grant, = got["Grants"]
        assert grant["Permission"] == "FULL_CONTROL" and grant["Grantee"]["Type"] == "CanonicalUser"
        assert grant["Grantee"]["ID"] == got["Owner"]["ID"]
    refused("NoSuchKey", s3.get_object_acl, Bucket=name, Key="absent", status=404)


def kept_configuration():
    name = bucket("kept-configuration")
    tags = [{"Key": "team", "Value": "pay ments"}, {"Key": "\u00fc", "Value": ""}]
    put = lambda tags: s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
    put([{"Key": "before", "Value": "1"}])
    put(tags)
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == tags
    put([{"Key": str(i), "Value": ""} for i in range(50)])
    refused("BadRequest", put, [{"Key": str(i), "Value": ""} for i in range(51)], status=400)
    refused("InvalidTag", put, tags[:1] * 2, status=400)
    refused("InvalidTag", put, [{"Key": "aws:x", "Value": ""}], status=400)
    assert len(s3.get_bucket_tagging(Bucket=name)["TagSet"]) == 50
    s3.delete_bucket_tagging(Bucket=name)
    refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket=name, status=404)
    put(tags)
    put([])
    refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket=name, status=404)
    refused("NoSuchBucket", s3.put_bucket_tagging, Bucket="not-there", Tagging={"TagSet": tags}, status=404)

    block = {"BlockPublicAcls": True, "IgnorePublicAcls": False, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    assert s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"] == block
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    kept = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert kept == dict.fromkeys(block, False) | {"BlockPublicAcls": True}, kept
    s3.delete_public_access_block(Bucket=name)
    refused("NoSuchPublicAccessBlockConfiguration", s3.get_public_access_block, Bucket=name, status=404)

    owned = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=owned)
    assert s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"] == owned
    s3.delete_bucket_ownership_controls(Bucket=name)
    refused("OwnershipControlsNotFoundError", s3.get_bucket_ownership_controls, Bucket=name, status=404)
    s3.create_bucket(Bucket="kept-from-the-start", ObjectOwnership="BucketOwnerEnforced")
    assert s3.get_bucket_ownership_controls(Bucket="kept-from-the-start")["OwnershipControls"] == owned

    s3.put_bucket_request_payment(Bucket=name, RequestPaymentConfiguration={"Payer": "BucketOwner"})
    s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={})
    put(tags)
    s3.delete_bucket(Bucket=name)
    bucket(name)
    refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket=name, status=404)


def refused_configuration():
    """What would change behaviour is refused before anything changes, and never taken for done."""
    name = bucket("refused-configuration")
    rule = {"ID": "r", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}
    policy = '{"Version": "2012-10-17", "Statement": []}'
    destination = {"Role": "arn:aws:iam::000000000000:role/r", "Rules": [
        {"Status": "Enabled", "Destination": {"Bucket": f"arn:aws:s3:::{name}"}}]}

    def encryption(algorithm):
        return {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}]}
    wanted = [
        (s3.put_bucket_policy, {"Policy": policy}),
        (s3.put_bucket_cors, {"CORSConfiguration": {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}}),
        (s3.put_bucket_website, {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "i"}}}),
        (s3.put_bucket_lifecycle_configuration, {"LifecycleConfiguration": {"Rules": [rule]}}),
        (s3.put_bucket_replication, {"ReplicationConfiguration": destination}),
        (s3.put_bucket_encryption, {"ServerSideEncryptionConfiguration": encryption("aws:kms")}),
        (s3.put_bucket_encryption, {"ServerSideEncryptionConfiguration": encryption("AES256")}),
        (s3.put_object_lock_configuration, {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}),
        (s3.put_bucket_accelerate_configuration, {"AccelerateConfiguration": {"Status": "Enabled"}}),
        (s3.put_bucket_request_payment, {"RequestPaymentConfiguration": {"Payer": "Requester"}}),
        (s3.put_bucket_logging, {"BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": name, "TargetPrefix": ""}}}),
        (s3.put_bucket_metrics_configuration, {"Id": "i", "MetricsConfiguration": {"Id": "i"}}),
        (s3.put_bucket_ownership_controls, {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}})]
    for operation, arguments in wanted:
        error = refused("NotImplemented", operation, Bucket=name, status=501, **arguments)
        assert "not implemented" in error["Error"]["Message"], error
    refused("AccessControlListNotSupported", s3.put_bucket_acl, Bucket=name, ACL="private", status=400)
    refused("AccessControlListNotSupported", s3.put_object_acl, Bucket=name, Key="k", ACL="public-read", status=400)
    refused("NoSuchBucketPolicy", s3.get_bucket_policy, Bucket=name, status=404)
    refused("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration, Bucket=name, status=404)
    refused("ServerSideEncryptionConfigurationNotFoundError", s3.get_bucket_encryption, Bucket=name, status=404)


def notification_configuration():
    name = bucket("notified-bucket")
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=name)
    queue = {"QueueArn": "arn:aws:sqs:us-east-1:000000000000:q", "Events": ["s3:ObjectCreated:*"],
             "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "a&<b"}]}}}
    configuration = {"QueueConfigurations": [dict(queue, Id="mine"), queue], "EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=configuration)
    got = s3.get_bucket_notification_configuration(Bucket=name)
    first, second = got["QueueConfigurations"]
    assert first["Id"] == "mine" and second["Id"] and first["Filter"]["Key"]["FilterRules"][0]["Value"] == "a&<b"
    assert first["Events"] == ["s3:ObjectCreated:*"] and "EventBridgeConfiguration" in got
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={})
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=name)


def versions():
    name = bucket("versions-bucket")
    assert "Status" not in s3.get_bucket_versioning(Bucket=name)
    before = s3.put_object(Bucket=name, Key="k", Body=b"unversioned")
    assert "VersionId" not in before
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    one = s3.put_object(Bucket=name, Key="k", Body=b"one")["VersionId"]
    two = s3.put_object(Bucket=name, Key="k", Body=b"two")["VersionId"]
    assert one != two and len(one) == 32
    assert body(s3.get_object(Bucket=name, Key="k")) == b"two"
    assert body(s3.get_object(Bucket=name, Key="k", VersionId=one)) == b"one"
    assert body(s3.get_object(Bucket=name, Key="k", VersionId="null")) == b"unversioned"
    assert s3.head_object(Bucket=name, Key="k", VersionId=one)["VersionId"] == one
    refused("NoSuchVersion", s3.get_object, Bucket=name, Key="k", VersionId="0" * 32, status=404)
    refused("InvalidArgument", s3.get_object, Bucket=name, Key="k", VersionId="what", status=400)

    marker = s3.delete_object(Bucket=name, Key="k")
    assert marker["DeleteMarker"] is True
    gone = refused("NoSuchKey", s3.get_object, Bucket=name, Key="k", status=404)
    headers = gone["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-delete-marker"] == "true" and headers["x-amz-version-id"] == marker["VersionId"]
    refused("MethodNotAllowed", s3.get_object, Bucket=name, Key="k", VersionId=marker["VersionId"], status=405)
    assert "Contents" not in s3.list_objects_v2(Bucket=name)
    listed = s3.list_object_versions(Bucket=name)
    assert [v["VersionId"] for v in listed["Versions"]] == [two, one, "null"]
    assert [v["IsLatest"] for v in listed["Versions"]] == [False] * 3
    assert listed["DeleteMarkers"][0]["VersionId"] == marker["VersionId"] and listed["DeleteMarkers"][0]["IsLatest"]
    undone = s3.delete_object(Bucket=name, Key="k", VersionId=marker["VersionId"])
    assert undone["DeleteMarker"] is True
    assert body(s3.get_object(Bucket=name, Key="k")) == b"two"
    s3.delete_object(Bucket=name, Key="k", VersionId=two)
    assert body(s3.get_object(Bucket=name, Key="k")) == b"one"
    s3.delete_object(Bucket=name, Key="k", VersionId="f" * 32)

    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
    suspended = s3.put_object(Bucket=name, Key="k", Body=b"null again")
    assert suspended["VersionId"] == "null"
    assert body(s3.get_object(Bucket=name, Key="k", VersionId="null")) == b"null again"
    assert body(s3.get_object(Bucket=name, Key="k", VersionId=one)) == b"one"
    assert s3.delete_object(Bucket=name, Key="k")["VersionId"] == "null"
    left = s3.list_object_versions(Bucket=name)
    assert [v["VersionId"] for v in left["Versions"]] == [one]
    assert [m["VersionId"] for m in left["DeleteMarkers"]] == ["null"]
    refused("BucketNotEmpty", s3.delete_bucket, Bucket=name)
    # The marker is the version `null` itself: the next null version takes its place, and nothing else goes.
    refused("MethodNotAllowed", s3.get_object, Bucket=name, Key="k", VersionId="null", status=405)
    assert s3.put_object(Bucket=name, Key="k", Body=b"instead of the marker")["VersionId"] == "null"
    left = s3.list_object_versions(Bucket=name)
    assert [(v["VersionId"], v["IsLatest"]) for v in left["Versions"]] == [("null", True), (one, False)]
    assert "DeleteMarkers" not in left
    assert s3.copy_object(Bucket=name, Key="c", CopySource=f"{name}/k")["VersionId"] == "null"
    tags = {"TagSet": [{"Key": "a", "Value": "1"}]}
    assert s3.put_object_tagging(Bucket=name, Key="k", Tagging=tags)["VersionId"] == "null"
    assert s3.get_object_tagging(Bucket=name, Key="k", VersionId="null")["VersionId"] == "null"
    removed = s3.delete_object(Bucket=name, Key="k", VersionId="null")
    assert removed["VersionId"] == "null" and "DeleteMarker" not in removed
    assert body(s3.get_object(Bucket=name, Key="k")) == b"one", "the newest of those left is the latest"
    assert s3.delete_object(Bucket=name, Key="k")["DeleteMarker"] is True
    marked = s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "k"}]})["Deleted"][0]
    assert marked["DeleteMarker"] and marked["DeleteMarkerVersionId"] == "null" and "VersionId" not in marked
    undone = s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "k", "VersionId": "null"}]})["Deleted"][0]
    assert undone == {"Key": "k", "VersionId": "null", "DeleteMarker": True, "DeleteMarkerVersionId": "null"}
    assert body(s3.get_object(Bucket=name, Key="k")) == b"one"
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    assert len(s3.put_object(Bucket=name, Key="c", Body=b"enabled again")["VersionId"]) == 32
    assert [v["VersionId"] for v in s3.list_object_versions(Bucket=name, Prefix="c")["Versions"]][1:] == ["null"]
    doomed = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in s3.list_object_versions(Bucket=name)["Versions"]]
    s3.delete_objects(Bucket=name, Delete={"Objects": doomed})
    s3.delete_bucket(Bucket=name)


def objects():
    name = bucket("objects-bucket")
    key = "dir/ü +&'%20=?#.txt"
    put = s3.put_object(Bucket=name, Key=key, Body=b"0123456789", ContentType="text/x", ContentEncoding="gzip",
                        ContentDisposition="attachment", ContentLanguage="de", CacheControl="no-cache",
                        Expires=datetime.datetime(2030, 1, 2), Metadata={"a": "1", "name": "value"},
                        Tagging="team=pay%20ments", WebsiteRedirectLocation="/elsewhere")
    assert put["ETag"] == '"%s"' % hashlib.md5(b"0123456789").hexdigest()
    got = s3.get_object(Bucket=name, Key=key)
    assert body(got) == b"0123456789" and got["ContentType"] == "text/x" and got["ContentEncoding"] == "gzip"
    assert got["Metadata"] == {"a": "1", "name": "value"} and got["TagCount"] == 1 and got["AcceptRanges"] == "bytes"
    assert got["ContentDisposition"] == "attachment" and got["ContentLanguage"] == "de"
    assert got["CacheControl"] == "no-cache" and got["ExpiresString"] == "Wed, 02 Jan 2030 00:00:00 GMT"
    assert got["WebsiteRedirectLocation"] == "/elsewhere" and "VersionId" not in got
    head = s3.head_object(Bucket=name, Key=key)
    assert head["ContentLength"] == 10 and head["ETag"] == put["ETag"] and head["Metadata"]["a"] == "1"
    overridden = s3.get_object(Bucket=name, Key=key, ResponseContentType="image/x")
    assert overridden["ContentType"] == "image/x"
    plain = s3.put_object(Bucket=name, Key="plain", Body=b"")
    got = s3.get_object(Bucket=name, Key="plain")
    assert plain["ETag"] == got["ETag"] and body(got) == b"" and got["ContentType"] == "binary/octet-stream"

    def ranged(text):
        got = s3.get_object(Bucket=name, Key=key, Range=text)
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
        return body(got), got["ContentRange"]
    part = s3.head_object(Bucket=name, Key=key, Range="bytes=2-4", ResponseContentType="text/other")
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206 and part["ContentType"] == "text/other", part
    assert ranged("bytes=2-4") == (b"234", "bytes 2-4/10")
    assert ranged("bytes=7-") == (b"789", "bytes 7-9/10")
    assert ranged("bytes=-3") == (b"789", "bytes 7-9/10")
    assert ranged("bytes=0-999") == (b"0123456789", "bytes 0-9/10")
    refused("InvalidRange", s3.get_object, Bucket=name, Key=key, Range="bytes=10-", status=416)
    refused("InvalidRange", s3.get_object, Bucket=name, Key="plain", Range="bytes=0-", status=416)
    unreadable = ("bytes=abc", "bytes=5-2", "bytes=0-1,3-4", "items=0-1", "bytes=-", "5")
    for text in unreadable:
        got = s3.get_object(Bucket=name, Key=key, Range=text)
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 200 and "ContentRange" not in got, got
        assert body(got) == b"0123456789" and got["ContentType"] == "text/x" and got["Metadata"]["a"] == "1"
        head = s3.head_object(Bucket=name, Key=key, Range=text)
        assert head["ResponseMetadata"]["HTTPStatusCode"] == 200 and head["ContentLength"] == 10, head
        url = s3.generate_presigned_url("get_object", Params={"Bucket": name, "Key": key, "ResponseContentType": "t/u"})
        assert fetch(url, headers={"Range": text}) == (200, b"0123456789")
    refused("NoSuchKey", s3.get_object, Bucket=name, Key="absent", Range="bytes=abc", status=404)
    refused("304", s3.get_object, Bucket=name, Key=key, Range="bytes=abc", IfNoneMatch=put["ETag"], status=304)
    refused("AccessDenied", s3.get_object, Bucket=name, Key=key, Range="x", ExpectedBucketOwner="123456789012", status=403)
    for wrong, code in ((client(aws_secret_access_key="wrong"), "SignatureDoesNotMatch"),
                        (client(aws_access_key_id="AKUNKNOWN"), "InvalidAccessKeyId")):
        refused(code, wrong.get_object, Bucket=name, Key=key, Range="bytes=abc", status=403)
    status, answer = fetch(f"{URL}/{name}/plain", headers={"Range": "bytes=abc"})
    assert status == 403 and b"AccessDenied" in answer, answer
    assert ranged("bytes=8-99999999999999999999") == (b"89", "bytes 8-9/10")
    assert ranged("bytes=-99999999999999999999") == (b"0123456789", "bytes 0-9/10")
    refused("InvalidRange", s3.get_object, Bucket=name, Key=key, Range="bytes=99999999999999999999-", status=416)
    part = s3.head_object(Bucket=name, Key=key, PartNumber=1)
    assert part["ContentLength"] == 10
    refused("InvalidPartNumber", s3.get_object, Bucket=name, Key=key, PartNumber=2, status=416)

    etag, modified = put["ETag"], head["LastModified"]
    hour = datetime.timedelta(hours=1)
    refused("PreconditionFailed", s3.get_object, Bucket=name, Key=key, IfMatch='"x"', status=412)
    refused("304", s3.get_object, Bucket=name, Key=key, IfNoneMatch=etag, status=304)
    refused("304", s3.get_object, Bucket=name, Key=key, IfModifiedSince=modified, status=304)
    refused("PreconditionFailed", s3.get_object, Bucket=name, Key=key, IfUnmodifiedSince=modified - hour, status=412)
    refused("412", s3.head_object, Bucket=name, Key=key, IfMatch='"x"', status=412)
    s3.get_object(Bucket=name, Key=key, IfMatch=etag, IfUnmodifiedSince=modified - hour)
    s3.get_object(Bucket=name, Key=key, IfNoneMatch='"x"', IfModifiedSince=modified)

    refused("NoSuchKey", s3.get_object, Bucket=name, Key="missing", status=404)
    refused("404", s3.head_object, Bucket=name, Key="missing", status=404)
    refused("NoSuchBucket", s3.put_object, Bucket="not-there", Key="k", Body=b"x", status=404)
    refused("KeyTooLongError", s3.put_object, Bucket=name, Key="k" * 1025, Body=b"x")
    refused("MetadataTooLarge", s3.put_object, Bucket=name, Key="k", Body=b"x", Metadata={"a": "b" * 2048})
    for odd in ("k" * 1024, "a//b/../c/.", "/leading", "trailing/", "100%", "ключ", "tab\tand\nline"):
        s3.put_object(Bucket=name, Key=odd, Body=odd.encode())
        assert body(s3.get_object(Bucket=name, Key=odd)) == odd.encode()
    listed = [o["Key"] for o in s3.list_objects_v2(Bucket=name)["Contents"]]
    assert "tab\tand\nline" in listed and "a//b/../c/." in listed and len(listed) == 9
    assert s3.delete_object(Bucket=name, Key="missing")["ResponseMetadata"]["HTTPStatusCode"] == 204


def conditional_writes():
    name = bucket("conditions-bucket", versioned=True)
    first = s3.put_object(Bucket=name, Key="k", Body=b"1", IfNoneMatch="*")
    refused("PreconditionFailed", s3.put_object, Bucket=name, Key="k", Body=b"2", IfNoneMatch="*", status=412)
    refused("PreconditionFailed", s3.put_object, Bucket=name, Key="k", Body=b"2", IfMatch='"x"', status=412)
    refused("NoSuchKey", s3.put_object, Bucket=name, Key="absent", Body=b"2", IfMatch=first["ETag"], status=404)
    refused("NotImplemented", s3.put_object, Bucket=name, Key="k", Body=b"2", IfNoneMatch='"x"', status=501)
    second = s3.put_object(Bucket=name, Key="k", Body=b"2", IfMatch=first["ETag"])
    refused("PreconditionFailed", s3.delete_object, Bucket=name, Key="k", IfMatch=first["ETag"], status=412)
    s3.delete_object(Bucket=name, Key="k", IfMatch=second["ETag"])
    s3.put_object(Bucket=name, Key="k", Body=b"3", IfNoneMatch="*")
    assert len(s3.list_object_versions(Bucket=name)["Versions"]) == 3


def checksums():
    name = bucket("checksums-bucket")
    data = b"hello checksums" * 1000

    def computed(data):
        return {"CRC32": base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode(),
                "SHA1": base64.b64encode(hashlib.sha1(data).digest()).decode(),
                "SHA256": base64.b64encode(hashlib.sha256(data).digest()).decode()}
    values, others = computed(data), computed(b"other")
    for algorithm, value in values.items():
        put = s3.put_object(Bucket=name, Key=algorithm, Body=data, ChecksumAlgorithm=algorithm)
        assert put["Checksum" + algorithm] == value and put["ChecksumType"] == "FULL_OBJECT"
        for read in (s3.get_object, s3.head_object):
            got = read(Bucket=name, Key=algorithm, ChecksumMode="ENABLED")
            assert got["Checksum" + algorithm] == value, got
        s3.put_object(Bucket=name, Key=algorithm, Body=data, **{"Checksum" + algorithm: value})
        wrong = others[algorithm]
        refused("BadDigest", s3.put_object, Bucket=name, Key="wrong", Body=data, status=400,
                **{"Checksum" + algorithm: wrong})
        refused("InvalidRequest", s3.put_object, Bucket=name, Key="wrong", Body=data, status=400,
                **{"Checksum" + algorithm: "AAAA"})
    refused("404", s3.head_object, Bucket=name, Key="wrong")
    silent = client(request_checksum_calculation="when_required", response_checksum_validation="when_required")
    default = silent.put_object(Bucket=name, Key="default", Body=data)
    assert default["ChecksumCRC64NVME"]
    assert "ChecksumCRC64NVME" not in silent.head_object(Bucket=name, Key="default")
    md5 = base64.b64encode(hashlib.md5(data).digest()).decode()
    silent.put_object(Bucket=name, Key="md5", Body=data, ContentMD5=md5)
    refused("BadDigest", silent.put_object, Bucket=name, Key="wrong", Body=b"other", ContentMD5=md5, status=400)
    refused("InvalidDigest", silent.put_object, Bucket=name, Key="wrong", Body=b"other", ContentMD5="AAAA", status=400)
    ranged = s3.get_object(Bucket=name, Key="SHA256", ChecksumMode="ENABLED", Range="bytes=0-3")
    assert "ChecksumSHA256" not in ranged
    listed = {o["Key"]: o for o in s3.list_objects_v2(Bucket=name)["Contents"]}
    assert listed["SHA256"]["ChecksumAlgorithm"] == ["SHA256"] and "wrong" not in listed


def copies():
    name = bucket("copies-bucket", versioned=True)
    other = bucket("copies-unversioned")
    old = s3.put_object(Bucket=name, Key="s p+ce", Body=b"old", Metadata={"m": "1"}, Tagging="t=1",
                        ContentType="text/x", ChecksumAlgorithm="SHA256")
    new = s3.put_object(Bucket=name, Key="s p+ce", Body=b"new")
    source = {"Bucket": name, "Key": "s p+ce"}
    copied = s3.copy_object(Bucket=other, Key="copy", CopySource=dict(source, VersionId=old["VersionId"]))
    assert copied["CopySourceVersionId"] == old["VersionId"] and copied["CopyObjectResult"]["ETag"] == old["ETag"]
    assert copied["CopyObjectResult"]["ChecksumSHA256"] == old["ChecksumSHA256"]
    got = s3.get_object(Bucket=other, Key="copy")
    assert body(got) == b"old" and got["Metadata"] == {"m": "1"} and got["ContentType"] == "text/x"
    assert s3.get_object_tagging(Bucket=other, Key="copy")["TagSet"] == [{"Key": "t", "Value": "1"}]
    s3.copy_object(Bucket=other, Key="copy", CopySource=source, MetadataDirective="REPLACE", Metadata={"n": "2"},
                   ContentType="text/y", TaggingDirective="REPLACE", Tagging="u=2", ChecksumAlgorithm="SHA1")
    got = s3.get_object(Bucket=other, Key="copy", ChecksumMode="ENABLED")
    assert body(got) == b"new" and got["Metadata"] == {"n": "2"} and got["ContentType"] == "text/y"
    assert got["ChecksumSHA1"]
    assert s3.get_object_tagging(Bucket=other, Key="copy")["TagSet"] == [{"Key": "u", "Value": "2"}]
    restored = s3.copy_object(Bucket=name, Key="s p+ce", CopySource=dict(source, VersionId=old["VersionId"]))
    assert restored["VersionId"] not in (old["VersionId"], new["VersionId"])
    refused("InvalidRequest", s3.copy_object, Bucket=name, Key="s p+ce", CopySource=source, status=400)
    s3.copy_object(Bucket=name, Key="s p+ce", CopySource=source, MetadataDirective="REPLACE")
    refused("PreconditionFailed", s3.copy_object, Bucket=other, Key="c", CopySource=source,
            CopySourceIfMatch='"x"', status=412)
    refused("PreconditionFailed", s3.copy_object, Bucket=other, Key="c", CopySource=source,
            CopySourceIfNoneMatch=old["ETag"], status=412)
    refused("PreconditionFailed", s3.copy_object, Bucket=other, Key="copy", CopySource=source,
            IfNoneMatch="*", status=412)
    refused("NoSuchKey", s3.copy_object, Bucket=other, Key="c", CopySource=dict(source, Key="no"), status=404)
    refused("NoSuchBucket", s3.copy_object, Bucket=other, Key="c", CopySource="not-there/k", status=404)
    marker = s3.delete_object(Bucket=name, Key="s p+ce")["VersionId"]
    refused("InvalidRequest", s3.copy_object, Bucket=other, Key="c", CopySource=dict(source, VersionId=marker))
    refused("NoSuchKey", s3.copy_object, Bucket=other, Key="c", CopySource=source)


def deletes_of_many():
    name = bucket("deletes-bucket", versioned=True)
    ids = [s3.put_object(Bucket=name, Key=f"k{i}", Body=b"x")["VersionId"] for i in range(3)]
    answer = s3.delete_objects(Bucket=name, Delete={"Objects": [
        {"Key": "k0"}, {"Key": "k1", "VersionId": ids[1]}, {"Key": "k2", "VersionId": "bad"}, {"Key": "absent"}]})
    done = {d["Key"]: d for d in answer["Deleted"]}
    assert done["k0"]["DeleteMarker"] and done["k0"]["DeleteMarkerVersionId"]
    assert done["k1"]["VersionId"] == ids[1] and "DeleteMarker" not in done["k1"] and "absent" in done
    assert [e["Code"] for e in answer["Errors"]] == ["InvalidArgument"]
    quiet = s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "k2"}], "Quiet": True})
    assert "Deleted" not in quiet and "Errors" not in quiet
    refused("MalformedXML", s3.delete_objects, Bucket=name, Delete={"Objects": [{"Key": "k"}] * 1001})


def document_digests():
    """A document that is not what its digest says changes nothing."""
    name = bucket("digests-bucket")

    def declaring(operation, header, value):
        """A client that sends `value` in `header` of one operation, and signs it."""
        declaring = client(request_checksum_calculation="when_required")

        def replace(request, **_):
            for known in [k for k in request.headers if k.lower() == "content-md5" or k.lower().startswith("x-amz-checksum-")
                          or k.lower() == "x-amz-sdk-checksum-algorithm"]:
                del request.headers[known]
            if header:
                request.headers[header] = value(request.body) if callable(value) else value
        declaring.meta.events.register_first(f"before-sign.s3.{operation}", replace)
        return declaring
    md5 = lambda data: base64.b64encode(hashlib.md5(data).digest()).decode()
    sha256 = lambda data: base64.b64encode(hashlib.sha256(data).digest()).decode()
    other = b"another document"
    for header, value, code in (("Content-MD5", md5(other), "BadDigest"), ("Content-MD5", "AAAA", "InvalidDigest"),
                                ("Content-MD5", "not base64", "InvalidDigest"),
                                ("x-amz-checksum-sha256", sha256(other), "BadDigest"),
                                ("x-amz-checksum-sha256", "AAAA", "InvalidRequest")):
        s3.put_object(Bucket=name, Key="k", Body=b"x")
        delete = declaring("DeleteObjects", header, value).delete_objects
        refused(code, delete, Bucket=name, Delete={"Objects": [{"Key": "k"}]}, status=400)
        s3.head_object(Bucket=name, Key="k")
        tag = declaring("PutBucketTagging", header, value).put_bucket_tagging
        refused(code, tag, Bucket=name, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]}, status=400)
        refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket=name)
    for header, value in (("Content-MD5", md5), ("x-amz-checksum-sha256", sha256), (None, None)):
        s3.put_object(Bucket=name, Key="k", Body=b"x")
        declaring("DeleteObjects", header, value).delete_objects(Bucket=name, Delete={"Objects": [{"Key": "k"}]})
        refused("404", s3.head_object, Bucket=name, Key="k")


def tagging():
    name = bucket("tagging-bucket", versioned=True)
    one = s3.put_object(Bucket=name, Key="k", Body=b"1")["VersionId"]
    two = s3.put_object(Bucket=name, Key="k", Body=b"2")["VersionId"]
    tags = [{"Key": "a", "Value": "1"}, {"Key": "ü", "Value": ""}]
    assert s3.put_object_tagging(Bucket=name, Key="k", VersionId=one, Tagging={"TagSet": tags})["VersionId"] == one
    got = s3.get_object_tagging(Bucket=name, Key="k", VersionId=one)
    assert got["TagSet"] == tags and got["VersionId"] == one
    latest = s3.get_object_tagging(Bucket=name, Key="k")
    assert latest["TagSet"] == [] and latest["VersionId"] == two
    assert s3.delete_object_tagging(Bucket=name, Key="k", VersionId=one)["VersionId"] == one
    assert s3.get_object_tagging(Bucket=name, Key="k", VersionId=one)["TagSet"] == []
    assert s3.put_object_tagging(Bucket=name, Key="k", Tagging={"TagSet": tags})["VersionId"] == two
    assert s3.delete_object_tagging(Bucket=name, Key="k")["VersionId"] == two
    refused("NoSuchVersion", s3.get_object_tagging, Bucket=name, Key="k", VersionId="0" * 32, status=404)
    marker = s3.delete_object(Bucket=name, Key="gone")["VersionId"]
    refused("MethodNotAllowed", s3.get_object_tagging, Bucket=name, Key="gone", VersionId=marker, status=405)
    refused("NoSuchKey", s3.get_object_tagging, Bucket=name, Key="gone", status=404)
    plain = bucket("tagging-unversioned")
    s3.put_object(Bucket=plain, Key="k", Body=b"1")
    assert "VersionId" not in s3.get_object_tagging(Bucket=plain, Key="k")
    many = [{"Key": str(i), "Value": ""} for i in range(11)]
    refused("BadRequest", s3.put_object_tagging, Bucket=name, Key="k", Tagging={"TagSet": many}, status=400)
    refused("InvalidTag", s3.put_object_tagging, Bucket=name, Key="k", Tagging={"TagSet": tags[:1] * 2}, status=400)
    refused("NoSuchKey", s3.get_object_tagging, Bucket=name, Key="absent")


def listings():
    name = bucket("listings-bucket", versioned=True)
    keys = ["a b", "a+b", "dir/1", "dir/2", "dir/sub/3", "e%25", "z\u00fc", "\U0001f600"]
    for key in keys:
        s3.put_object(Bucket=name, Key=key, Body=key.encode())
    for page_size in (1, 2, 3, 1000):
        for operation in ("list_objects", "list_objects_v2"):
            pages = list(s3.get_paginator(operation).paginate(Bucket=name, PaginationConfig={"PageSize": page_size}))
            assert [o["Key"] for p in pages for o in p.get("Contents", [])] == keys, operation
            pages = list(s3.get_paginator(operation).paginate(
                Bucket=name, Delimiter="/", PaginationConfig={"PageSize": page_size}))
            found = [o["Key"] for p in pages for o in p.get("Contents", [])]
            groups = [g["Prefix"] for p in pages for g in p.get("CommonPrefixes", [])]
            assert found == [k for k in keys if "/" not in k] and groups == ["dir/"], (operation, page_size)
        pages = list(s3.get_paginator("list_object_versions").paginate(
            Bucket=name, PaginationConfig={"PageSize": page_size}))
        assert [v["Key"] for p in pages for v in p.get("Versions", [])] == keys
    inside = s3.list_objects_v2(Bucket=name, Prefix="dir/", Delimiter="/")
    assert [o["Key"] for o in inside["Contents"]] == ["dir/1", "dir/2"] and inside["KeyCount"] == 3
    assert [g["Prefix"] for g in inside["CommonPrefixes"]] == ["dir/sub/"]
    after = s3.list_objects_v2(Bucket=name, StartAfter="dir/2", FetchOwner=True)
    assert [o["Key"] for o in after["Contents"]] == keys[4:] and after["Contents"][0]["Owner"]["ID"]
    assert s3.list_objects_v2(Bucket=name, MaxKeys=0)["KeyCount"] == 0
    first = s3.list_objects(Bucket=name, Delimiter="/", MaxKeys=3)
    assert first["IsTruncated"] and first["NextMarker"] == "dir/"
    refused("InvalidArgument", s3.list_objects_v2, Bucket=name, ContinuationToken="*")
    refused("InvalidArgument", s3.list_objects_v2, Bucket=name, ContinuationToken="")
    for operation in (s3.list_objects, s3.list_objects_v2, s3.list_object_versions):
        error = refused("InvalidArgument", operation, Bucket=name, MaxKeys=-1, status=400)
        assert "maxKeys" in error["Error"]["Message"], error
        refused("InvalidArgument", operation, Bucket=name, EncodingType="base64", status=400)
    refused("InvalidArgument", s3.list_multipart_uploads, Bucket=name, MaxUploads=-1, status=400)
    refused("InvalidArgument", s3.list_object_versions, Bucket=name, VersionIdMarker="0" * 32, status=400)
    refused("InvalidArgument", s3.list_object_versions, Bucket=name, KeyMarker="k", VersionIdMarker="what", status=400)
    for query in ("list-type=3", "list-type=2&max-keys=ten", "max-keys=2147483648&versions=", "max-uploads=1.5&uploads="):
        headers = signed("GET", f"/{name}", {}, hashlib.sha256(b"").hexdigest(), query=canonical(query))[0]
        status, answer = send("GET", f"/{name}?{query}", headers, b"")
        assert status == 400 and b"<Code>InvalidArgument</Code>" in answer, (query, answer)
    # A client that asks for encoded keys itself decodes them itself, as Terraform does to empty a bucket.
    page = s3.list_object_versions(Bucket=name, EncodingType="url", MaxKeys=2, Prefix="a", Delimiter="\u00fc", KeyMarker="a")
    assert [v["Key"] for v in page["Versions"]] == ["a%20b", "a%2Bb"] and page["EncodingType"] == "url", page
    assert page["Prefix"] == "a" and page["Delimiter"] == "%C3%BC" and page["KeyMarker"] == "a", page
    page = s3.list_object_versions(Bucket=name, EncodingType="url", MaxKeys=1)
    assert page["NextKeyMarker"] == "a%20b" and page["NextVersionIdMarker"] == page["Versions"][0]["VersionId"]
    rest = s3.list_object_versions(Bucket=name, EncodingType="url", KeyMarker=urllib.parse.unquote(page["NextKeyMarker"]),
                                   VersionIdMarker=page["NextVersionIdMarker"])
    assert [urllib.parse.unquote(v["Key"]) for v in rest["Versions"]] == keys[1:]

    for i in range(5):
        s3.put_object(Bucket=name, Key="dir/1", Body=str(i).encode())
    s3.delete_object(Bucket=name, Key="dir/1")
    whole = s3.list_object_versions(Bucket=name, Prefix="dir/1")
    expected = [v["VersionId"] for v in whole["Versions"]]
    for page_size in (1, 2, 4):
        pages = s3.get_paginator("list_object_versions").paginate(
            Bucket=name, Prefix="dir/1", PaginationConfig={"PageSize": page_size})
        pages = list(pages)
        assert [v["VersionId"] for p in pages for v in p.get("Versions", [])] == expected
        assert sum(len(p.get("DeleteMarkers", [])) for p in pages) == 1
    # Emptying a bucket page by page deletes the very version that the next page is asked to go on from.
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name, PaginationConfig={"PageSize": 3}):
        doomed = page.get("Versions", []) + page.get("DeleteMarkers", [])
        s3.delete_objects(Bucket=name, Delete={
            "Objects": [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in doomed], "Quiet": True})
    s3.delete_bucket(Bucket=name)


def multipart():
    name = bucket("multipart-bucket", versioned=True)
    big, last = os.urandom(5 * MIB), b"the end"

    def start(key, **options):
        return s3.create_multipart_upload(Bucket=name, Key=key, **options)["UploadId"]

    def part(key, upload, number, data, **options):
        done = s3.upload_part(Bucket=name, Key=key, UploadId=upload, PartNumber=number, Body=data, **options)
        kept = {k: v for k, v in done.items() if k == "ETag" or k.startswith("Checksum")}
        return dict(kept, PartNumber=number)

    def complete(key, upload, parts, **options):
        return s3.complete_multipart_upload(
            Bucket=name, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **options)

    upload = start("k", Metadata={"m": "1"}, ContentType="text/x", Tagging="t=1", ChecksumAlgorithm="SHA256")
    part("k", upload, 1, b"overwritten", ChecksumAlgorithm="SHA256")
    parts = [part("k", upload, 1, big, ChecksumAlgorithm="SHA256"), part("k", upload, 3, last, ChecksumAlgorithm="SHA256")]
    refused("InvalidRequest", part, "k", upload, 4, b"x", ChecksumAlgorithm="CRC32")
    refused("InvalidArgument", part, "k", upload, 10001, b"x")
    refused("InvalidArgument", part, "k", upload, 0, b"x")
    listed = s3.list_parts(Bucket=name, Key="k", UploadId=upload, MaxParts=1)
    assert listed["IsTruncated"] and listed["Parts"][0]["ChecksumSHA256"] == parts[0]["ChecksumSHA256"]
    rest = s3.list_parts(Bucket=name, Key="k", UploadId=upload, PartNumberMarker=listed["NextPartNumberMarker"])
    assert [p["PartNumber"] for p in rest["Parts"]] == [3] and not rest["IsTruncated"]
    refused("InvalidPartOrder", complete, "k", upload, parts[::-1], status=400)
    refused("InvalidPart", complete, "k", upload, [dict(parts[0], PartNumber=2)], status=400)
    refused("InvalidPart", complete, "k", upload, [dict(parts[0], ETag='"x"')], status=400)
    refused("InvalidPart", complete, "k", upload, [dict(parts[0], ChecksumSHA256=parts[1]["ChecksumSHA256"])])
    refused("InvalidRequest", complete, "k", upload, [{k: parts[0][k] for k in ("ETag", "PartNumber")}])
    refused("InvalidRequest", complete, "k", upload, parts, MpuObjectSize=7)
    refused("MalformedXML", complete, "k", upload, [])
    refused("404", s3.head_object, Bucket=name, Key="k")
    done = complete("k", upload, parts, MpuObjectSize=len(big + last), IfNoneMatch="*")
    digests = b"".join(hashlib.md5(d).digest() for d in (big, last))
    assert done["ETag"] == '"%s-2"' % hashlib.md5(digests).hexdigest() and done["ChecksumType"] == "COMPOSITE"
    shas = b"".join(hashlib.sha256(d).digest() for d in (big, last))
    assert done["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(shas).digest()).decode() + "-2"
    again = complete("k", upload, parts)
    assert again["VersionId"] == done["VersionId"]
    got = s3.get_object(Bucket=name, Key="k")
    assert body(got) == big + last and got["Metadata"] == {"m": "1"} and got["TagCount"] == 1
    second = s3.get_object(Bucket=name, Key="k", PartNumber=2)
    assert body(second) == last and second["PartsCount"] == 2
    refused("NoSuchUpload", part, "k", upload, 1, b"x", status=404)

    small = start("small")
    tiny = [part("small", small, 1, b"tiny"), part("small", small, 2, b"tiny")]
    refused("EntityTooSmall", complete, "small", small, tiny, status=400)
    refused("PreconditionFailed", complete, "k", start("k"), tiny, IfNoneMatch="*", status=412)
    uploads = s3.list_multipart_uploads(Bucket=name)["Uploads"]
    assert [u["Key"] for u in uploads] == ["k", "small"]
    page = s3.list_multipart_uploads(Bucket=name, MaxUploads=1)
    rest = s3.list_multipart_uploads(Bucket=name, KeyMarker=page["NextKeyMarker"],
                                     UploadIdMarker=page["NextUploadIdMarker"])
    assert [u["Key"] for u in rest["Uploads"]] == ["small"]
    for u in uploads:
        s3.abort_multipart_upload(Bucket=name, Key=u["Key"], UploadId=u["UploadId"])
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=name)
    refused("NoSuchUpload", s3.abort_multipart_upload, Bucket=name, Key="small", UploadId=small, status=404)
    refused("NoSuchUpload", s3.list_parts, Bucket=name, Key="small", UploadId=small, status=404)

    # A signed package is built on the server: the old bytes by version, then an appended tail.
    copy = start("copied")
    source = {"Bucket": name, "Key": "k", "VersionId": done["VersionId"]}
    s3.put_object(Bucket=name, Key="k", Body=b"replaced")

    def part_copy(number, bytes_range, **options):
        return s3.upload_part_copy(Bucket=name, Key="copied", UploadId=copy, PartNumber=number, CopySource=source,
                                   CopySourceRange=bytes_range, **options)
    first = part_copy(1, f"bytes=0-{5 * MIB - 1}")
    assert first["CopySourceVersionId"] == done["VersionId"]
    refused("InvalidArgument", part_copy, 2, f"bytes=0-{len(big + last)}")
    refused("InvalidArgument", part_copy, 2, "bytes=7-")
    refused("PreconditionFailed", part_copy, 2, "bytes=0-1", CopySourceIfMatch='"x"')
    second = part_copy(2, f"bytes={5 * MIB}-{5 * MIB + 2}")
    tail = part("copied", copy, 3, b" appended")
    refused("EntityTooSmall", complete, "copied", copy, [
        {"PartNumber": 1, "ETag": first["CopyPartResult"]["ETag"]},
        {"PartNumber": 2, "ETag": second["CopyPartResult"]["ETag"]}, tail])
    whole = complete("copied", copy, [{"PartNumber": 1, "ETag": first["CopyPartResult"]["ETag"]}, tail])
    assert body(s3.get_object(Bucket=name, Key="copied")) == big + b" appended"
    assert whole["ChecksumType"] == "FULL_OBJECT" and whole["ChecksumCRC64NVME"]

    full = start("full", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    parts = [part("full", full, n, d, ChecksumAlgorithm="CRC32") for n, d in ((1, big), (2, last))]
    crc = lambda data: base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
    refused("BadDigest", complete, "full", full, parts, ChecksumCRC32=crc(b"x"), ChecksumType="FULL_OBJECT")
    done = complete("full", full, parts, ChecksumCRC32=crc(big + last), ChecksumType="FULL_OBJECT")
    assert done["ChecksumCRC32"] == crc(big + last)
    refused("InvalidRequest", start, "bad", ChecksumAlgorithm="SHA256", ChecksumType="FULL_OBJECT")


def fetch(url, method="GET", data=None, headers=None):
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def presigned():
    name = bucket("presigned-bucket", versioned=True)

    def url(method, key, expires=60, **parameters):
        return s3.generate_presigned_url(method, Params=dict(parameters, Bucket=name, Key=key), ExpiresIn=expires)
    assert fetch(url("put_object", "a b+c"), "PUT", b"by url", {"Content-Type": ""})[0] == 200
    assert fetch(url("get_object", "a b+c")) == (200, b"by url")
    forged = re.sub(r"Signature=[0-9a-f]{64}", "Signature=" + "0" * 64, url("get_object", "a b+c"))
    status, answer = fetch(forged)
    assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in answer and b"<Message>" in answer, answer
    status, answer = fetch(url("get_object", "a b+c", expires=604801))
    assert status == 400 and b"<Code>AuthorizationQueryParametersError</Code>" in answer, answer
    status, answer = fetch(url("get_object", "other").replace("other", "a%20b%2Bc"))
    assert status == 403 and b"SignatureDoesNotMatch" in answer
    status, answer = fetch(url("get_object", "a b+c"), headers={"x-amz-meta-smuggled": "1"})
    assert status == 403 and b"AccessDenied" in answer and b"x-amz-meta-smuggled" in answer


    # The SDKs for JavaScript and Go move headers into the query, where boto3 leaves them.
    read = {"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD", "x-amz-checksum-mode": "ENABLED", "x-id": "GetObject"}
    assert fetch(hoisted("GET", f"/{name}/k", **read))[0] == 404
    write = {"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD", "x-amz-checksum-crc32": "AAAAAA==",
             "x-amz-sdk-checksum-algorithm": "CRC32", "x-amz-meta-a": "1", "x-amz-acl": "private"}
    status, answer = fetch(hoisted("PUT", f"/{name}/k", **write), "PUT", b"hoisted", {"Content-Type": ""})
    assert status == 200, answer
    assert fetch(hoisted("GET", f"/{name}/k", **read)) == (200, b"hoisted")
    assert s3.head_object(Bucket=name, Key="k")["Metadata"] == {"a": "1"}
    for code, parameter, value in (("BadDigest", "x-amz-checksum-crc32", "AAAAAQ=="),
                                   ("NotImplemented", "x-amz-server-side-encryption", "AES256"),
                                   ("AccessControlListNotSupported", "X-Amz-Acl", "public-read")):
        url_of_one = hoisted("PUT", f"/{name}/k", **{parameter: value})
        status, answer = fetch(url_of_one, "PUT", b"x", {"Content-Type": ""})
        assert f"<Code>{code}</Code>".encode() in answer, answer
    tampered = hoisted("PUT", f"/{name}/k", **{"x-amz-meta-a": "1"}).replace("x-amz-meta-a=1", "x-amz-meta-a=2")
    status, answer = fetch(tampered, "PUT", b"x", {"Content-Type": ""})
    assert status == 403 and b"SignatureDoesNotMatch" in answer, answer
    url_of_one = hoisted("PUT", f"/{name}/k", **{"x-amz-meta-a": "1"})
    status, answer = fetch(url_of_one, "PUT", b"x", {"Content-Type": "", "x-amz-meta-a": "2"})
    assert status == 403 and b"AccessDenied" in answer, answer


def hoisted(method, path, **parameters):
    """A URL presigned by hand, with headers among its parameters."""
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    parameters = dict(parameters, **{
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}",
        "X-Amz-Date": stamp, "X-Amz-Expires": "60", "X-Amz-SignedHeaders": "host"})
    query = urllib.parse.urlencode(sorted(parameters.items()), quote_via=urllib.parse.quote, safe="")
    host = urllib.parse.urlsplit(URL).netloc
    canonical = "\n".join([method, path, query, f"host:{host}", "", "host", "UNSIGNED-PAYLOAD"])
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for step in scope.split("/"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return f"{URL}{path}?{query}&X-Amz-Signature={signature}"


def expectations():
    """After an answer without `100 Continue`, boto3 takes its status for that of the next on the connection."""
    name = bucket("expecting-bucket", versioned=True)
    for _ in range(20):
        s3.put_object(Bucket=name, Key="empty", Body=b"")
        assert s3.put_object(Bucket=name, Key="k", Body=b"x")["VersionId"]
        refused("PreconditionFailed", s3.put_object, Bucket=name, Key="k", Body=b"x", IfNoneMatch="*", status=412)


def authentication():
    name = bucket("auth-bucket")
    wrong = client(aws_secret_access_key="wrong")
    error = refused("SignatureDoesNotMatch", wrong.list_objects_v2, Bucket=name, status=403)
    assert error["Error"]["Message"] and error["ResponseMetadata"]["RequestId"]
    refused("InvalidAccessKeyId", client(aws_access_key_id="AKUNKNOWN").list_objects_v2, Bucket=name, status=403)
    refused("AuthorizationHeaderMalformed", client(region_name="eu-west-1").put_object, Bucket=name, Key="k", status=400)
    refused("InvalidToken", client(aws_session_token="token").list_buckets, status=400)
    old = boto3.client("s3", endpoint_url=URL, config=Config(signature_version="s3", s3={"addressing_style": "path"}))
    error = refused("InvalidRequest", old.list_objects, Bucket=name, status=400)
    assert "AWS4-HMAC-SHA256" in error["Error"]["Message"]
    by_url = old.generate_presigned_url("get_object", Params={"Bucket": name, "Key": "k"})
    assert "AWSAccessKeyId=" in by_url
    status, answer = fetch(by_url)
    assert status == 400 and b"<Code>InvalidRequest</Code>" in answer and b"AWS4-HMAC-SHA256" in answer
    for method in ("GET", "PUT", "DELETE", "HEAD"):
        status, answer = fetch(f"{URL}/{name}/k", method)
        assert status == 403 and (method == "HEAD" or b"<Code>AccessDenied</Code>" in answer), (method, status)
    form = b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--x--\r\n'
    status, answer = fetch(f"{URL}/{name}", "POST", form, {"Content-Type": "multipart/form-data; boundary=x"})
    assert status == 501 and b"NotImplemented" in answer


def not_implemented():
    name = bucket("limits-bucket")
    for operation in (s3.get_bucket_abac, s3.get_bucket_metadata_table_configuration,
                      s3.delete_bucket_metadata_configuration):
        error = refused("NotImplemented", operation, Bucket=name, status=501)
        assert error["Error"]["Message"]
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    put = lambda **options: s3.put_object(Bucket=name, Key="k", Body=b"y", **options)
    refused("NotImplemented", put, ServerSideEncryption="AES256", status=501)
    refused("NotImplemented", put, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=datetime.datetime(2030, 1, 1))
    refused("InvalidStorageClass", put, StorageClass="GLACIER", status=400)
    refused("AccessControlListNotSupported", put, ACL="public-read", status=400)
    refused("AccessDenied", put, ExpectedBucketOwner="123456789012", status=403)
    put(ACL="private", StorageClass="STANDARD", ExpectedBucketOwner="000000000000")
    harmless = {"x-amz-te": "append-md5", "x-amz-sdk-invocation-id": "1", "x-amz-sdk-request": "attempt=1",
                "x-amz-user-agent": "sdk", "x-amz-request-payer": "requester", "content-length": "1"}
    headers = signed("PUT", f"/{name}/k", harmless, hashlib.sha256(b"y").hexdigest())[0]
    status, answer = send("PUT", f"/{name}/k", headers, b"y")
    assert status == 200, answer
    refused("NotImplemented", s3.rename_object, Bucket=name, Key="k2", RenameSource=f"/{name}/k")
    assert body(s3.get_object(Bucket=name, Key="k")) == b"y"
    refused("404", s3.head_object, Bucket=name, Key="k2")


def canonical(query):
    """A query as it is signed: in order."""
    return "&".join(sorted(query.split("&")))


def signed(method, path, headers, payload_hash, host=urllib.parse.urlsplit(URL).netloc, query=""):
    """A SigV4 signature made by hand, for requests that botocore does not make over plain HTTP."""
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    headers = {k.lower(): v for k, v in headers.items()}
    headers.update({"host": host, "x-amz-date": stamp,
                    "x-amz-content-sha256": payload_hash})
    names = ";".join(sorted(headers))
    canonical = "\n".join([method, path, query] + [f"{n}:{headers[n]}" for n in sorted(headers)] + ["", names, payload_hash])
    scope = f"{day}/us-east-1/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for step in (day, "us-east-1", "s3", "aws4_request"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    seed = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={seed}"
    return headers, key, stamp, scope, seed


def send(method, path, headers, data):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(URL).netloc, timeout=30)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for header, value in headers.items():
        connection.putheader(header, value)
    connection.endheaders(data)
    response = connection.getresponse()
    return response.status, response.read()


def hosts():
    """A bucket before `localhost`, as SDKs write it, and any other host name with the bucket in the path."""
    name = bucket("hosts-bucket")
    s3.put_object(Bucket=name, Key="k", Body=b"found")
    empty = hashlib.sha256(b"").hexdigest()
    for host, path in ((f"{name}.localhost:80", "/k"), (f"{name}.localhost", "/k"), ("localhost:80", f"/{name}/k"),
                       ("storage.example.com", f"/{name}/k"), ("[::1]:80", f"/{name}/k")):
        assert send("GET", path, signed("GET", path, {}, empty, host)[0], b"") == (200, b"found"), host


def chunked_uploads():
    """The aws-chunked forms of a body: unsigned with a trailing checksum, and signed chunk by chunk."""
    name = bucket("chunked-bucket")
    data = b"chunk by chunk " * 100
    crc = base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()

    def unsigned(key, trailer, announced="x-amz-checksum-crc32"):
        payload = b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(data), data, trailer)
        headers = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(len(data)),
                   "x-amz-trailer": announced, "content-length": str(len(payload))}
        path = f"/{name}/{key}"
        return send("PUT", path, signed("PUT", path, headers, "STREAMING-UNSIGNED-PAYLOAD-TRAILER")[0], payload)
    status, answer = unsigned("trailer", b"x-amz-checksum-crc32:%s\r\n" % crc.encode())
    assert status == 200, answer
    got = s3.get_object(Bucket=name, Key="trailer", ChecksumMode="ENABLED")
    assert body(got) == data and got["ChecksumCRC32"] == crc and "ContentEncoding" not in got
    status, answer = unsigned("wrong", b"x-amz-checksum-crc32:AAAAAA==\r\n")
    assert status == 400 and b"<Code>BadDigest</Code>" in answer, answer
    status, answer = unsigned("wrong", b"")
    assert status == 400, answer
    status, answer = unsigned("wrong", b"x-amz-checksum-crc99:AAAA\r\n", announced="x-amz-checksum-crc99")
    assert status == 400 and b"InvalidRequest" in answer, answer

    def chunks(key, tampered=False):
        path, form = f"/{name}/{key}", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
        pieces = [data, b""]
        framing = len("%x;chunk-signature=%s\r\n\r\n" % (len(data), "0" * 64)) + len("0;chunk-signature=%s\r\n\r\n" % ("0" * 64))
        headers = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(len(data)),
                   "content-length": str(len(data) + framing)}
        headers, signing_key, stamp, scope, previous = signed("PUT", path, headers, form)
        payload = b""
        for piece in pieces:
            text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", stamp, scope, previous,
                              hashlib.sha256(b"").hexdigest(), hashlib.sha256(piece).hexdigest()])
            previous = hmac.new(signing_key, text.encode(), hashlib.sha256).hexdigest()
            sent = piece.replace(b"chunk", b"CHUNK") if tampered else piece
            payload += b"%x;chunk-signature=%s\r\n%s\r\n" % (len(piece), previous.encode(), sent)
        return send("PUT", path, headers, payload)
    assert chunks("signed")[0] == 200
    assert body(s3.get_object(Bucket=name, Key="signed")) == data
    status, answer = chunks("wrong", tampered=True)
    assert status == 403 and b"SignatureDoesNotMatch" in answer, answer

    path = f"/{name}/wrong"
    headers = signed("PUT", path, {"content-length": "5"}, hashlib.sha256(b"right").hexdigest())[0]
    status, answer = send("PUT", path, headers, b"wrong")
    assert status == 400 and b"XAmzContentSHA256Mismatch" in answer, answer
    headers = signed("PUT", path, {"content-length": str(6 * 1024 ** 3)}, "UNSIGNED-PAYLOAD")[0]
    status, answer = send("PUT", path, headers, b"")
    assert status == 400 and b"EntityTooLarge" in answer, answer
    refused("404", s3.head_object, Bucket=name, Key="wrong")


def races():
    """Of many conditional writes one wins, and a read sees one object, however often it is replaced meanwhile."""
    name = bucket("races-bucket")
    many = client(max_pool_connections=16)

    def create(i):
        try:
            many.put_object(Bucket=name, Key="one", Body=str(i).encode(), IfNoneMatch="*")
            return i
        except ClientError as error:
            assert error.response["Error"]["Code"] == "PreconditionFailed", error
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        winners = [i for i in pool.map(create, range(16)) if i is not None]
    assert len(winners) == 1 and body(s3.get_object(Bucket=name, Key="one")) == str(winners[0]).encode()

    contents = [bytes([65 + i]) * (300_000 + i) for i in range(4)]
    s3.put_object(Bucket=name, Key="hot", Body=contents[0])
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        writes = [pool.submit(many.put_object, Bucket=name, Key="hot", Body=contents[i % 4]) for i in range(60)]
        reads = [pool.submit(lambda: body(many.get_object(Bucket=name, Key="hot"))) for _ in range(120)]
    for write in writes:
        write.result()
    assert all(read.result() in contents for read in reads)

    upload = s3.create_multipart_upload(Bucket=name, Key="whole")["UploadId"]
    parts = [{"PartNumber": n, "ETag": many.upload_part(Bucket=name, Key="whole", UploadId=upload, PartNumber=n,
                                                       Body=os.urandom(5 * MIB))["ETag"]} for n in (1, 2)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = [pool.submit(many.complete_multipart_upload, Bucket=name, Key="whole", UploadId=upload,
                            MultipartUpload={"Parts": parts}) for _ in range(8)]
    assert len({one.result()["ETag"] for one in done}) == 1


def beside_terraform():
    """More versions in the bucket of Terraform's test, of keys that a listing must encode."""
    for key in ("fn a+b/package.zip", "u\u00fc %&<>/k", "tab\tkey"):
        s3.put_object(Bucket="tf-source", Key="other/" + key, Body=b"1")
        s3.put_object(Bucket="tf-source", Key="other/" + key, Body=b"2")
        s3.delete_object(Bucket="tf-source", Key="other/" + key)


def fill():
    """State of every kind, for a restart to find: see `filled`."""
    name = bucket("kept-bucket", versioned=True)
    s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}})
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "kept", "Value": "1"}]})
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    first = s3.put_object(Bucket=name, Key="fn a/x+1.zip", Body=b"first", Metadata={"a": "1"})["VersionId"]
    s3.put_object_tagging(Bucket=name, Key="fn a/x+1.zip", Tagging={"TagSet": [{"Key": "t", "Value": "1"}]})
    s3.copy_object(Bucket=name, Key="copy", CopySource={"Bucket": name, "Key": "fn a/x+1.zip", "VersionId": first})
    done = s3.create_multipart_upload(Bucket=name, Key="parts")["UploadId"]
    part = s3.upload_part(Bucket=name, Key="parts", UploadId=done, PartNumber=1, Body=b"part")
    s3.complete_multipart_upload(Bucket=name, Key="parts", UploadId=done, MultipartUpload={
        "Parts": [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}]})
    s3.delete_object(Bucket=name, Key="copy")
    open_upload = s3.create_multipart_upload(Bucket=name, Key="unfinished")["UploadId"]
    s3.upload_part(Bucket=name, Key="unfinished", UploadId=open_upload, PartNumber=7, Body=b"seven")


def filled():
    name = "kept-bucket"
    got = s3.get_object(Bucket=name, Key="fn a/x+1.zip")
    assert body(got) == b"first" and got["Metadata"] == {"a": "1"} and got["TagCount"] == 1
    assert body(s3.get_object(Bucket=name, Key="parts")) == b"part"
    listed = s3.list_object_versions(Bucket=name)
    assert [v["Key"] for v in listed["Versions"]] == ["copy", "fn a/x+1.zip", "parts"]
    assert [m["Key"] for m in listed["DeleteMarkers"]] == ["copy"]
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=name)
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "kept", "Value": "1"}]
    assert s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]["BlockPublicAcls"] is True
    assert s3.get_object_tagging(Bucket=name, Key="fn a/x+1.zip")["TagSet"] == [{"Key": "t", "Value": "1"}]
    upload = s3.list_multipart_uploads(Bucket=name)["Uploads"][0]
    parts = s3.list_parts(Bucket=name, Key="unfinished", UploadId=upload["UploadId"])["Parts"]
    s3.complete_multipart_upload(Bucket=name, Key="unfinished", UploadId=upload["UploadId"], MultipartUpload={
        "Parts": [{"PartNumber": p["PartNumber"], "ETag": p["ETag"], "ChecksumCRC32": p["ChecksumCRC32"]} for p in parts]})
    assert body(s3.get_object(Bucket=name, Key="unfinished")) == b"seven"


def work():
    """Writes until the endpoint dies, and prints a line for each write that was acknowledged."""
    for name, versioned in (("crash-versioned", True), ("crash-plain", False)):
        bucket(name, versioned)
    many = client(max_pool_connections=8)

    lock = threading.Lock()

    def told(*words):
        with lock:
            print(*words, flush=True)

    def acknowledged(kind, key, answer):
        told(kind, key, answer.get("VersionId", "-"), answer["ETag"].strip('"'))

    def worker(number):
        for i in range(100_000):
            key, data = f"{number}/{i % 5}", os.urandom(1000 * (i % 7) + 1)
            acknowledged("versioned", key, many.put_object(Bucket="crash-versioned", Key=key, Body=data))
            acknowledged("plain", key, many.put_object(Bucket="crash-plain", Key=key, Body=data))
            if i % 4 == 0:
                upload = many.create_multipart_upload(Bucket="crash-versioned", Key=key)["UploadId"]
                parts = [dict(PartNumber=n, **{k: v for k, v in many.upload_part(
                    Bucket="crash-versioned", Key=key, UploadId=upload, PartNumber=n, Body=piece).items()
                    if k in ("ETag", "ChecksumCRC32")}) for n, piece in ((1, b"a" * 5 * MIB), (2, data))]
                acknowledged("versioned", key, many.complete_multipart_upload(
                    Bucket="crash-versioned", Key=key, UploadId=upload, MultipartUpload={"Parts": parts}))
            if i % 3 == 2:
                told("deleting", key, "-", "-")
                many.delete_object(Bucket="crash-plain", Key=key)

    def until_it_dies(number):
        try:
            worker(number)
        except (BotoCoreError, ClientError):
            pass
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(until_it_dies, range(4)))


def intact():
    """Every acknowledged write (on standard input) is there, and everything that is there is whole."""
    plain = {}
    for line in sys.stdin.read().splitlines():
        kind, key, version, etag = line.split(" ")
        if kind == "versioned":
            got = s3.get_object(Bucket="crash-versioned", Key=key, VersionId=version)
            assert got["ETag"].strip('"') == etag, line
        else:
            plain[key] = etag
    present = {}
    for name in ("crash-versioned", "crash-plain"):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            for v in page.get("Versions", []):
                data = body(s3.get_object(Bucket=name, Key=v["Key"], VersionId=v["VersionId"]))
                assert len(data) == v["Size"], v
                if "-" not in v["ETag"]:
                    assert hashlib.md5(data).hexdigest() == v["ETag"].strip('"'), v
                if name == "crash-plain":
                    assert v["Key"] not in present, "an unversioned key has one version"
                    present[v["Key"]] = v["ETag"]
    lost = [key for key, etag in plain.items() if etag != "-" and key not in present]
    assert not lost, f"written, never deleted since, and gone: {lost}"


if __name__ == "__main__":
    for function in sys.argv[1:]:
        globals()[function]()
