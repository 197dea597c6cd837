"""Functions, versions and aliases of the Lambda API, through boto3: happy paths, each error, paging, waiters.

What the cases need (packages, code signing configs, layers) is made through the APIs, or given in the variable GIVEN by
a test that has no signer behind its endpoint.
"""

import base64
import hashlib
import io
import json
import os
import unittest
import urllib.request
import uuid
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

MISMATCH = (
    "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not "
    "configured to accept. Check the provided signature for {}."
)
CORRUPT = (
    "Lambda cannot deploy the function. The function or layer code is not properly signed. This can mean that the code "
    "was signed incorrectly or modified after it was signed. Check the provided signature for {}."
)
REVISION = (
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the "
    "latest Revision Id"
)


def client(key=None):
    # No retries: each answer is looked at. The service validates, not the client.
    config = Config(retries={"max_attempts": 0}, parameter_validation=False)
    keys = {"aws_access_key_id": key, "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"]} if key else {}
    return boto3.client("lambda", config=config, **keys)


def in_bucket(name, pinned=True):
    package = GIVEN["packages"][name]
    code = {"S3Bucket": package["Bucket"], "S3Key": package["Key"]}
    return code | {"S3ObjectVersion": package["Version"]} if pinned else code


def body(name):
    return bytes.fromhex(GIVEN["packages"][name]["Hex"])


def sha256(name):
    return base64.b64encode(hashlib.sha256(body(name)).digest()).decode()


def zipped(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("handler.py")
        entry.create_system, entry.external_attr = 3, 0o100644 << 16
        archive.writestr(entry, content)
    return buffer.getvalue()


def new_name():
    return "f-" + uuid.uuid4().hex[:12]


class Maker:
    """Makes through the APIs what the cases need."""

    def __init__(self):
        self.s3, self.signer, self.api = boto3.client("s3"), boto3.client("signer"), boto3.client("lambda")
        self.bucket = "lambda-" + uuid.uuid4().hex[:12]
        self.s3.create_bucket(Bucket=self.bucket)
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})

    def given(self):
        allowed, other = self.profile(), self.profile()
        packages = {
            "one": self.signed(allowed, b"one"), "two": self.signed(allowed, b"two"),
            "other": self.signed(other, b"one"), "unsigned": self.put("unsigned.zip", zipped(b"one")),
            "garbage": self.put("garbage.zip", b"no zip at all"),
        }
        packages["foreign"] = self.put("foreign.zip", changed(bytes.fromhex(packages["one"]["Hex"])))
        configs = {name: self.config(allowed, policy) for name, policy in [("strict", "Enforce"), ("lenient", "Warn")]}
        layers = {"signed": self.layer(self.signed(allowed, b"layer")), "plain": self.layer(packages["unsigned"])}
        return {"packages": packages, "configs": configs, "layers": layers}

    def profile(self):
        name = "p_" + uuid.uuid4().hex[:12]
        return name, self.signer.put_signing_profile(profileName=name, platformId="Countersign-SHA384-ECDSA")

    def signed(self, profile, content):
        source = self.put(f"source/{content.decode()}.zip", zipped(content))
        job = self.signer.start_signing_job(
            source={"s3": {"bucketName": self.bucket, "key": source["Key"], "version": source["Version"]}},
            destination={"s3": {"bucketName": self.bucket, "prefix": "signed/"}}, profileName=profile[0])["jobId"]
        waiter = self.signer.get_waiter("successful_signing_job")
        waiter.wait(jobId=job, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        return self.found(self.signer.describe_signing_job(jobId=job)["signedObject"]["s3"]["key"])

    def put(self, key, content):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        return self.found(key)

    def found(self, key):
        found = self.s3.get_object(Bucket=self.bucket, Key=key)
        return {"Bucket": self.bucket, "Key": key, "Version": found["VersionId"], "Hex": found["Body"].read().hex()}

    def config(self, profile, policy):
        made = self.api.create_code_signing_config(
            AllowedPublishers={"SigningProfileVersionArns": [profile[1]["profileVersionArn"]]},
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy})
        return made["CodeSigningConfig"]["CodeSigningConfigArn"]

    def layer(self, package):
        content = {"S3Bucket": package["Bucket"], "S3Key": package["Key"], "S3ObjectVersion": package["Version"]}
        name = "l-" + uuid.uuid4().hex[:12]
        return self.api.publish_layer_version(LayerName=name, Content=content)["LayerVersionArn"]


def changed(package):
    buffer = io.BytesIO(package)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("added.py", "")
    return buffer.getvalue()


GIVEN = json.loads(os.environ["GIVEN"]) if "GIVEN" in os.environ else Maker().given()
REGION, ACCOUNT = GIVEN["configs"]["strict"].split(":")[3:5]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
PREFIX = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
UNKNOWN_CONFIG = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-" + "0" * 17

class LambdaTest(unittest.TestCase):
    """What the cases share."""

    @classmethod
    def setUpClass(cls):
        cls.api = client()
        # What botocore's model does not know of an answer.
        cls.raw = None
        cls.api.meta.events.register("after-call.lambda", cls.remember)

    @classmethod
    def remember(cls, http_response, **_):
        cls.raw = http_response.content

    def create(self, name=None, **more):
        members = {"FunctionName": name or new_name(), "Role": ROLE, "Runtime": "python3.13", "Handler": "h.main"}
        return self.api.create_function(**members | {"Code": in_bucket("unsigned")} | more)

    def new(self, **more):
        return self.create(**more)["FunctionName"]

    def fails(self, status, code, text, call, *args, **members):
        with self.assertRaises(ClientError) as raised:
            call(*args, **members)
        response = raised.exception.response
        told = response["Error"]
        self.assertEqual((response["ResponseMetadata"]["HTTPStatusCode"], told["Code"]), (status, code), told)
        if text is not None:
            self.assertEqual(told["Message"], text)
        return response

    def not_found(self, what, call, **members):
        self.fails(404, "ResourceNotFoundException", f"Function not found: {PREFIX}{what}", call, **members)


class Functions(LambdaTest):
    def test_a_signed_function_is_made_from_a_bucket_and_shown(self):
        name = new_name()
        config = GIVEN["configs"]["strict"]
        made = self.create(name, Code=in_bucket("one"), CodeSigningConfigArn=config, Tags={"a": "b"})
        self.assertEqual(made["ResponseMetadata"]["HTTPStatusCode"], 201)
        self.assertEqual((made["FunctionArn"], made["Version"]), (PREFIX + name, "$LATEST"))
        self.assertEqual((made["CodeSha256"], made["CodeSize"]), (sha256("one"), len(body("one"))))
        self.assertRegex(made["SigningJobArn"], f"^arn:aws:signer:{REGION}:{ACCOUNT}:/signing-jobs/")
        self.assertRegex(made["SigningProfileVersionArn"], r":/signing-profiles/\w+/[a-zA-Z0-9]{10}$")
        self.assertRegex(made["LastModified"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$")
        expected = {
            "Runtime": "python3.13", "Role": ROLE, "Handler": "h.main", "Description": "", "Timeout": 3,
            "MemorySize": 128, "TracingConfig": {"Mode": "PassThrough"}, "State": "Active",
            "LastUpdateStatus": "Successful", "PackageType": "Zip", "Architectures": ["x86_64"],
            "EphemeralStorage": {"Size": 512}, "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/" + name},
        }
        self.assertEqual({key: made[key] for key in expected}, expected)
        shown = self.api.get_function(FunctionName=name)
        del made["ResponseMetadata"]
        self.assertEqual(shown["Configuration"], made)
        self.assertEqual((shown["Tags"], shown["Code"]["RepositoryType"]), ({"a": "b"}, "S3"))
        self.assertIn(GIVEN["packages"]["one"]["Version"], shown["Code"]["Location"])
        if "GIVEN" not in os.environ:
            with urllib.request.urlopen(shown["Code"]["Location"]) as downloaded:
                self.assertEqual(downloaded.read(), body("one"))
        configuration = self.api.get_function_configuration(FunctionName=name)
        del configuration["ResponseMetadata"]
        self.assertEqual(configuration, made)
        for waiter in ["function_exists", "function_active_v2", "function_updated_v2"]:
            self.api.get_waiter(waiter).wait(FunctionName=name)

    def test_a_function_is_made_from_the_newest_version_and_from_the_request(self):
        self.assertEqual(self.create(Code=in_bucket("one", pinned=False))["CodeSha256"], sha256("one"))
        made = self.create(Code={"ZipFile": body("one")}, CodeSigningConfigArn=GIVEN["configs"]["strict"])
        self.assertEqual((made["CodeSha256"], made["CodeSize"]), (sha256("one"), len(body("one"))))
        self.assertIn("SigningJobArn", made)

    def test_what_was_given_is_kept(self):
        given = {
            "Description": "d", "Timeout": 900, "MemorySize": 512, "Architectures": ["arm64"],
            "Environment": {"Variables": {"STAGE": "dev"}}, "EphemeralStorage": {"Size": 1024},
            "TracingConfig": {"Mode": "Active"}, "LoggingConfig": {"LogFormat": "JSON"},
            "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        }
        made = self.create(**given)
        given["LoggingConfig"] |= {
            "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", "LogGroup": "/aws/lambda/" + made["FunctionName"],
        }
        given["VpcConfig"] |= {"VpcId": "", "Ipv6AllowedForDualStack": False}
        self.assertEqual({key: made[key] for key in given}, given)

    def test_what_is_not_trusted_is_blocked_and_nothing_is_left(self):
        strict, lenient = GIVEN["configs"]["strict"], GIVEN["configs"]["lenient"]
        failed = (400, "CodeVerificationFailedException")
        for code, config, text in [
            ("unsigned", strict, MISMATCH), ("other", strict, MISMATCH),
            ("foreign", strict, CORRUPT), ("foreign", lenient, CORRUPT),
        ]:
            name = new_name()
            response = self.fails(
                *failed, text.format(name), self.create, name, Code=in_bucket(code), CodeSigningConfigArn=config)
            self.not_found(name, self.api.get_function, FunctionName=name)
            self.assertEqual(json.loads(self.raw)["Type"], "User")
        name = new_name()
        self.fails(*failed, None, self.create, name, Code=in_bucket("unsigned"), CodeSigningConfigArn=strict)
        [finding] = json.loads(self.raw)["Findings"]
        told = (finding["Package"], finding["Check"], finding["Outcome"])
        self.assertEqual(told, ("function", "mismatch", "failed"))
        self.assertIn(GIVEN["packages"]["unsigned"]["Key"], finding["Location"])
        for code in ["unsigned", "other"]:
            made = self.create(Code=in_bucket(code), CodeSigningConfigArn=lenient)
            self.assertEqual("SigningJobArn" in made, code == "other")

    def test_creation_has_the_errors_of_lambda(self):
        name = self.new()
        self.fails(409, "ResourceConflictException", f"Function already exist: {name}", self.create, name)
        missing = (
            "The code signing configuration cannot be found. Check that the provided configuration is not deleted: "
            f"{UNKNOWN_CONFIG}."
        )
        self.fails(404, "CodeSigningConfigNotFoundException", missing, self.create, CodeSigningConfigArn=UNKNOWN_CONFIG)
        invalid = (400, "InvalidParameterValueException")
        s3 = "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}"
        bucket = {"S3Bucket": "no-such-bucket", "S3Key": "k.zip"}
        self.fails(*invalid, s3.format("NoSuchBucket", "The specified bucket does not exist"), self.create, Code=bucket)
        key = in_bucket("one", pinned=False) | {"S3Key": "none.zip"}
        self.fails(*invalid, s3.format("NoSuchKey", "The specified key does not exist."), self.create, Code=key)
        version = in_bucket("one") | {"S3ObjectVersion": "none"}
        text = s3.format("NoSuchVersion", "The specified version does not exist.")
        self.fails(*invalid, text, self.create, Code=version)
        unzip = "Could not unzip uploaded file. Please check your file, then try to upload again."
        for code in [in_bucket("garbage"), {"ZipFile": b"garbage"}]:
            self.fails(*invalid, unzip, self.create, Code=code)
            self.fails(*invalid, unzip, self.create, Code=code, CodeSigningConfigArn=GIVEN["configs"]["strict"])
        self.fails(*invalid, "Uploaded file must be a non-empty zip", self.create, Code={"ZipFile": b""})
        self.fails(*invalid, "Please provide a source for function code.", self.create, Code={})
        both = in_bucket("one") | {"ZipFile": body("one")}
        text = "Please do not provide other FunctionCode parameters when providing a ZipFile."
        self.fails(*invalid, text, self.create, Code=both)
        text = "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        with self.assertRaises(ClientError) as raised:
            self.api.create_function(FunctionName=new_name(), Role=ROLE, Code=in_bucket("one"))
        self.assertEqual(raised.exception.response["Error"]["Message"], text)
        self.fails(*invalid, None, self.create, PackageType="Image")
        long = "a" * 65
        text = (
            f"1 validation error detected: Value '{long}' at 'functionName' failed to satisfy constraint: Member must "
            "have length less than or equal to 64"
        )
        self.fails(*invalid, text, self.create, long)
        self.fails(*invalid, "Number of tags exceeds resource tag limit.", self.create,
                   Tags={f"k{number}": "v" for number in range(51)})
        self.fails(413, "RequestEntityTooLargeException", "Zipped size must be smaller than 52428800 bytes",
                   self.create, Code={"ZipFile": bytes(52_428_800)})

    def test_a_function_has_several_names(self):
        name = self.new()
        for named in [name, f"function:{name}", f"{ACCOUNT}:function:{name}", f"{ACCOUNT}:{name}", PREFIX + name]:
            shown = self.api.get_function(FunctionName=named)["Configuration"]
            self.assertEqual((shown["FunctionName"], shown["FunctionArn"]), (name, PREFIX + name))
        latest = self.api.get_function(FunctionName=PREFIX + name + ":$LATEST", Qualifier="$LATEST")["Configuration"]
        self.assertEqual(latest["FunctionArn"], PREFIX + name + ":$LATEST")
        text = "The derived qualifier from the function name does not match the specified qualifier."
        for call in [self.api.get_function, self.api.delete_function, self.api.get_function_configuration]:
            self.fails(400, "InvalidParameterValueException", text, call, FunctionName=name + ":1", Qualifier="2")
        elsewhere = PREFIX.replace(REGION, "ap-southeast-1") + name
        text = f"Functions from 'ap-southeast-1' are not reachable in this region ('{REGION}')"
        self.fails(404, "ResourceNotFoundException", text, self.api.get_function, FunctionName=elsewhere)
        foreign = PREFIX.replace(ACCOUNT, "111111111111") + name
        self.fails(403, "AccessDeniedException", None, self.api.get_function, FunctionName=foreign)

    def test_what_is_not_there_is_not_found(self):
        name = new_name()
        for call in [self.api.get_function, self.api.get_function_configuration, self.api.delete_function]:
            self.not_found(name, call, FunctionName=name)
            self.not_found(name + ":7", call, FunctionName=name, Qualifier="7")
        self.not_found(name, self.api.update_function_code, FunctionName=name, **in_bucket("one"))
        self.not_found(name, self.api.update_function_configuration, FunctionName=name)
        self.not_found(name, self.api.publish_version, FunctionName=name)
        self.not_found(name, self.api.list_versions_by_function, FunctionName=name)
        self.not_found(name, self.api.list_aliases, FunctionName=name)
        name = self.new()
        for qualifier in ["1221", "nope", "007"]:
            self.not_found(f"{name}:{qualifier}", self.api.get_function, FunctionName=name, Qualifier=qualifier)

    def test_a_function_is_deleted(self):
        name = self.new(Publish=True)
        deleted = self.api.delete_function(FunctionName=name)
        self.assertEqual(deleted["ResponseMetadata"]["HTTPStatusCode"], 204)
        self.not_found(name, self.api.get_function, FunctionName=name)
        self.not_found(name, self.api.delete_function, FunctionName=name)
        again = self.create(name, Publish=True)
        self.assertEqual(again["Version"], "2", "a number is not given twice")

    def test_functions_are_listed_by_pages_that_stand_still(self):
        names = sorted(self.new(Publish=True) for _ in range(5))
        paginator = self.api.get_paginator("list_functions")
        seen = []
        for number, page in enumerate(paginator.paginate(PaginationConfig={"PageSize": 2})):
            self.assertLessEqual(len(page["Functions"]), 2)
            seen += page["Functions"]
            if number == 0:
                self.new()
        listed = [function["FunctionName"] for function in seen]
        self.assertEqual([name for name in listed if name in names], names)
        self.assertEqual(len(set(listed)), len(listed))
        self.assertTrue(all("State" not in function for function in seen))
        pages = paginator.paginate(FunctionVersion="ALL", PaginationConfig={"PageSize": 3})
        arns = [function["FunctionArn"] for page in pages for function in page["Functions"]]
        expected = [f"{PREFIX}{name}:{version}" for name in names for version in ["$LATEST", "1"]]
        self.assertEqual([arn for arn in arns if arn.split(":")[6] in names], expected)
        self.assertEqual(self.api.list_functions(MasterRegion="eu-west-1", FunctionVersion="ALL")["Functions"], [])
        self.fails(400, "InvalidParameterValueException", None, self.api.list_functions, Marker="made-up")


class Updates(LambdaTest):
    def test_code_is_replaced_and_a_dry_run_changes_nothing(self):
        name = self.new(Code=in_bucket("one"), CodeSigningConfigArn=GIVEN["configs"]["strict"])
        before = self.api.get_function_configuration(FunctionName=name)
        dry = self.api.update_function_code(FunctionName=name, DryRun=True, Publish=True, **in_bucket("two"))
        self.assertEqual((dry["CodeSha256"], dry["Version"]), (sha256("two"), "$LATEST"))
        after = self.api.get_function_configuration(FunctionName=name)
        self.assertEqual((after["CodeSha256"], after["RevisionId"]), (before["CodeSha256"], before["RevisionId"]))
        arn = PREFIX + name
        for dry_run in [True, False]:
            self.fails(400, "CodeVerificationFailedException", MISMATCH.format(arn), self.api.update_function_code,
                       FunctionName=name, DryRun=dry_run, **in_bucket("unsigned"))
            self.fails(400, "CodeVerificationFailedException", CORRUPT.format(arn), self.api.update_function_code,
                       FunctionName=name, DryRun=dry_run, ZipFile=body("foreign"))
        updated = self.api.update_function_code(FunctionName=name, RevisionId=before["RevisionId"], **in_bucket("two"))
        self.assertEqual((updated["CodeSha256"], updated["FunctionArn"]), (sha256("two"), arn))
        self.assertNotEqual(updated["RevisionId"], before["RevisionId"])
        self.fails(412, "PreconditionFailedException", REVISION, self.api.update_function_code,
                   FunctionName=name, RevisionId=before["RevisionId"], **in_bucket("one"))
        published = self.api.update_function_code(
            FunctionName=name, Publish=True, Architectures=["arm64"], ZipFile=body("one"))
        self.assertEqual((published["Version"], published["FunctionArn"]), ("1", arn + ":1"))
        self.assertEqual(published["Architectures"], ["arm64"])
        text = "Please don't provide ImageUri when updating a function with packageType Zip."
        self.fails(400, "InvalidParameterValueException", text, self.api.update_function_code,
                   FunctionName=name, ImageUri="registry/i:1")
        self.fails(400, "InvalidParameterValueException", None, self.api.update_function_code,
                   FunctionName=name + ":1", **in_bucket("one"))

    def test_settings_are_kept_and_what_is_not_named_stays(self):
        name = self.new(Description="one", Environment={"Variables": {"STAGE": "1"}})
        before = self.api.get_function_configuration(FunctionName=name)
        updated = self.api.update_function_configuration(FunctionName=name, Timeout=60, RevisionId=before["RevisionId"])
        self.assertEqual((updated["Timeout"], updated["Description"]), (60, "one"))
        self.assertEqual(updated["Environment"], {"Variables": {"STAGE": "1"}})
        self.assertEqual(updated["CodeSha256"], before["CodeSha256"])
        self.assertNotEqual(updated["RevisionId"], before["RevisionId"])
        self.fails(412, "PreconditionFailedException", REVISION, self.api.update_function_configuration,
                   FunctionName=name, Timeout=61, RevisionId=before["RevisionId"])
        empty = {"Description": "", "Environment": {"Variables": {}}}
        cleared = self.api.update_function_configuration(FunctionName=name, **empty)
        self.assertEqual((cleared["Description"], "Environment" in cleared), ("", False))

    def test_layers_are_packages_and_take_the_checks(self):
        signed, plain = GIVEN["layers"]["signed"], GIVEN["layers"]["plain"]
        name = self.new(Code=in_bucket("one"), CodeSigningConfigArn=GIVEN["configs"]["strict"], Layers=[signed])
        [layer] = self.api.get_function_configuration(FunctionName=name)["Layers"]
        self.assertEqual(layer["Arn"], signed)
        self.assertIn("SigningJobArn", layer)
        update = self.api.update_function_configuration
        self.fails(400, "CodeVerificationFailedException", MISMATCH.format(PREFIX + name), update,
                   FunctionName=name, Layers=[signed, plain])
        self.assertNotIn("Layers", update(FunctionName=name, Layers=[]))
        free = self.new(Layers=[plain, signed])
        updated = update(FunctionName=free, Layers=[plain], Timeout=9)
        self.assertEqual(([layer["Arn"] for layer in updated["Layers"]], updated["Timeout"]), ([plain], 9))
        invalid = (400, "InvalidParameterValueException")
        missing = signed[:-1] + "9"
        self.fails(*invalid, f"Layer version {missing} does not exist.", update, FunctionName=free, Layers=[missing])
        self.fails(*invalid, "Cannot reference more than 5 layers.", update, FunctionName=free,
                   Layers=[f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:l{number}:1" for number in range(6)])
        text = (
            "Two different versions of the same layer are not allowed to be referenced in the same function. "
            f"{signed} and {missing} are versions of the same layer."
        )
        self.fails(*invalid, text, update, FunctionName=free, Layers=[signed, missing])
        text = f"Layers are not in the same region as the function. Layers are expected to be in region {REGION}."
        elsewhere = signed.replace(REGION, "eu-west-1")
        self.fails(*invalid, text, self.create, Layers=[elsewhere])
        foreign = signed.replace(ACCOUNT, "111111111111")
        self.fails(403, "AccessDeniedException", None, self.create, Layers=[foreign])


class Versions(LambdaTest):
    def test_what_did_not_change_is_published_once(self):
        name = self.new()
        first = self.api.publish_version(FunctionName=name, Description="first")
        self.assertEqual(first["ResponseMetadata"]["HTTPStatusCode"], 201)
        self.assertEqual((first["Version"], first["FunctionArn"]), ("1", f"{PREFIX}{name}:1"))
        self.assertEqual(first["Description"], "first")
        again = self.api.publish_version(FunctionName=name)
        self.assertEqual((again["Version"], again["RevisionId"]), ("1", first["RevisionId"]))
        self.api.update_function_code(FunctionName=name, **in_bucket("two"))
        self.assertEqual(self.api.publish_version(FunctionName=name)["Version"], "2")
        kept = self.api.get_function(FunctionName=name, Qualifier="1")["Configuration"]
        self.assertEqual((kept["CodeSha256"], kept["Description"]), (sha256("unsigned"), "first"))
        self.api.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1")

    def test_publishing_demands_what_the_caller_saw(self):
        name = self.new()
        wrong = sha256("two")
        text = (
            f"CodeSHA256 ({wrong}) is different from current CodeSHA256 in $LATEST ({sha256('unsigned')}). Please try "
            "again with the CodeSHA256 in $LATEST."
        )
        publish = self.api.publish_version
        self.fails(400, "InvalidParameterValueException", text, publish, FunctionName=name, CodeSha256=wrong)
        nonsense = text.replace(wrong, "somenonexistentsha256", 1)
        self.fails(400, "InvalidParameterValueException", nonsense, publish,
                   FunctionName=name, CodeSha256="somenonexistentsha256")
        self.fails(412, "PreconditionFailedException", REVISION, publish, FunctionName=name, RevisionId="other")
        latest = self.api.get_function_configuration(FunctionName=name)
        made = publish(FunctionName=name, CodeSha256=latest["CodeSha256"], RevisionId=latest["RevisionId"])
        self.assertEqual(made["Version"], "1")

    def test_versions_are_listed_after_latest_and_deleted(self):
        name = self.new(Publish=True)
        for code in ["one", "two"]:
            self.api.update_function_code(FunctionName=name, Publish=True, **in_bucket(code))
        paginator = self.api.get_paginator("list_versions_by_function")

        def listed(size):
            pages = paginator.paginate(FunctionName=name, PaginationConfig={"PageSize": size})
            return [version["Version"] for page in pages for version in page["Versions"]]

        for size in [1, 2, 3, 10000]:
            self.assertEqual(listed(size), ["$LATEST", "1", "2", "3"])
        self.api.create_alias(FunctionName=name, Name="live", FunctionVersion="2")
        delete = self.api.delete_function
        text = "Unable to delete version because the following aliases reference it: [live]"
        self.fails(409, "ResourceConflictException", text, delete, FunctionName=name, Qualifier="2")
        invalid = (400, "InvalidParameterValueException")
        text = "$LATEST version cannot be deleted without deleting the function."
        self.fails(*invalid, text, delete, FunctionName=name, Qualifier="$LATEST")
        text = "Deletion of aliases is not currently supported."
        self.fails(*invalid, text, delete, FunctionName=name, Qualifier="live")
        for _ in range(2):
            deleted = delete(FunctionName=name, Qualifier="3")
            self.assertEqual(deleted["ResponseMetadata"]["HTTPStatusCode"], 204)
        self.assertEqual(listed(10), ["$LATEST", "1", "2"])


class Aliases(LambdaTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.name = cls("test_an_alias_points_to_what_there_is").new(Publish=True)
        cls.api.update_function_code(FunctionName=cls.name, Publish=True, **in_bucket("two"))

    def setUp(self):
        self.alias = "a-" + uuid.uuid4().hex[:8]

    def make(self, **more):
        return self.api.create_alias(**{"FunctionName": self.name, "Name": self.alias, "FunctionVersion": "1"} | more)

    def test_an_alias_is_made_moved_and_deleted(self):
        made = self.make()
        self.assertEqual(made["ResponseMetadata"]["HTTPStatusCode"], 201)
        arn = f"{PREFIX}{self.name}:{self.alias}"
        self.assertEqual((made["AliasArn"], made["Name"], made["FunctionVersion"]), (arn, self.alias, "1"))
        self.assertEqual((made["Description"], "RoutingConfig" in made), ("", False))
        self.fails(409, "ResourceConflictException", f"Alias already exists: {arn}", self.make)
        moved = self.api.update_alias(
            FunctionName=self.name, Name=self.alias, FunctionVersion="2", Description="d",
            RevisionId=made["RevisionId"])
        self.assertEqual((moved["FunctionVersion"], moved["Description"]), ("2", "d"))
        self.fails(412, "PreconditionFailedException", REVISION, self.api.update_alias,
                   FunctionName=self.name, Name=self.alias, RevisionId=made["RevisionId"])
        shown = self.api.get_alias(FunctionName=self.name, Name=self.alias)
        self.assertEqual((shown["RevisionId"], shown["FunctionVersion"]), (moved["RevisionId"], "2"))
        configuration = self.api.get_function(FunctionName=self.name, Qualifier=self.alias)["Configuration"]
        self.assertEqual((configuration["Version"], configuration["FunctionArn"]), ("2", arn))
        for _ in range(2):
            deleted = self.api.delete_alias(FunctionName=self.name, Name=self.alias)
            self.assertEqual(deleted["ResponseMetadata"]["HTTPStatusCode"], 204)
        not_found = (404, "ResourceNotFoundException")
        self.fails(*not_found, f"Cannot find alias arn: {arn}", self.api.get_alias,
                   FunctionName=self.name, Name=self.alias)
        self.fails(*not_found, f"Alias not found: {arn}", self.api.update_alias,
                   FunctionName=self.name, Name=self.alias, Description="x")

    def test_an_alias_is_split_by_weights(self):
        routing = {"AdditionalVersionWeights": {"2": 0.25}}
        self.assertEqual(self.make(RoutingConfig=routing)["RoutingConfig"], routing)
        members = {"FunctionName": self.name, "Name": self.alias}
        kept = self.api.update_alias(**members, Description="d")
        self.assertEqual(kept["RoutingConfig"], routing)
        cleared = self.api.update_alias(**members, RoutingConfig={"AdditionalVersionWeights": {}})
        self.assertNotIn("RoutingConfig", cleared)
        self.api.delete_alias(**members)

        def refused(status, code, text, weights, **more):
            self.fails(status, code, text, self.make, RoutingConfig={"AdditionalVersionWeights": weights}, **more)

        invalid = (400, "InvalidParameterValueException")
        text = "Invalid function version 1. Function version 1 is already included in routing configuration."
        refused(*invalid, text, {"1": 0.5})
        refused(*invalid, "Number of items in AdditionalVersionWeights cannot be greater than 1", {"1": 0.1, "2": 0.1})
        text = "$LATEST is not supported for an alias pointing to more than 1 version"
        refused(*invalid, text, {"1": 0.5}, FunctionVersion="$LATEST")
        not_found = (404, "ResourceNotFoundException")
        refused(*not_found, f"Function not found: {PREFIX}{self.name}:10", {"10": 0.5})
        refused(400, "ValidationException", None, {"2": 2.0})
        refused(400, "ValidationException", None, {"$LATEST": 0.5})

    def test_an_alias_points_to_what_there_is(self):
        self.not_found(f"{self.name}:10", self.make, FunctionVersion="10")
        unknown = new_name()
        self.not_found(f"{unknown}:1", self.make, FunctionName=unknown)
        self.fails(400, "ValidationException", None, self.make, Name="2024")

    def test_aliases_are_listed_by_name_and_by_version(self):
        name = self.new(Publish=True)
        for alias in ["c", "a", "b"]:
            self.api.create_alias(FunctionName=name, Name=alias, FunctionVersion="$LATEST" if alias == "b" else "1")
        paginator = self.api.get_paginator("list_aliases")

        def listed(**more):
            pages = paginator.paginate(FunctionName=name, PaginationConfig={"PageSize": 1}, **more)
            return [alias["Name"] for page in pages for alias in page["Aliases"]]

        self.assertEqual(listed(), ["a", "b", "c"])
        self.assertEqual((listed(FunctionVersion="1"), listed(FunctionVersion="$LATEST")), (["a", "c"], ["b"]))
        self.assertEqual(listed(FunctionVersion="7"), [])


@unittest.skipUnless("GIVEN" in os.environ, "there are no such principals")
class Policies(LambdaTest):
    """The policies of AWS's page on code signing, and others like them."""

    def test_a_function_is_created_only_with_the_given_config(self):
        creator = client("CREATOR")
        members = {"FunctionName": new_name(), "Role": ROLE, "Runtime": "python3.13", "Handler": "h.main",
                   "Code": in_bucket("one", pinned=False)}
        denied = (403, "AccessDeniedException", None, creator.create_function)
        self.fails(*denied, **members)
        self.fails(*denied, **members, CodeSigningConfigArn=GIVEN["configs"]["lenient"])
        creator.create_function(**members, CodeSigningConfigArn=GIVEN["configs"]["strict"])

    def test_denied_and_unknown_look_alike(self):
        nobody, name = client("NOBODY"), self.new()
        nobody.list_functions()
        for call in [nobody.get_function, nobody.delete_function, nobody.publish_version, nobody.list_aliases]:
            texts = []
            for named in [name, new_name()]:
                response = self.fails(403, "AccessDeniedException", None, call, FunctionName=named)
                texts.append(response["Error"]["Message"].replace(named, "NAME"))
            self.assertEqual(texts[0], texts[1])
            self.assertRegex(texts[0], f"^User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: ")

    def test_code_is_read_with_the_rights_of_the_caller(self):
        creator = client("CREATOR")
        package = GIVEN["packages"]["one"]
        response = self.fails(
            403, "AccessDeniedException", None, creator.create_function, FunctionName=new_name(), Role=ROLE,
            Runtime="python3.13", Handler="h.main", Code=in_bucket("one"),
            CodeSigningConfigArn=GIVEN["configs"]["strict"])
        expected = (
            "Your access has been denied by S3, please make sure your request credentials have permission to GetObject "
            f"for {package['Bucket']}/{package['Key']}. S3 Error Code: AccessDenied."
        )
        self.assertIn(expected, response["Error"]["Message"])

    def test_layers_are_a_condition(self):
        layerer = client("LAYERER")
        members = {"FunctionName": new_name(), "Role": ROLE, "Runtime": "python3.13", "Handler": "h.main",
                   "Code": in_bucket("unsigned")}
        signed, plain = GIVEN["layers"]["signed"], GIVEN["layers"]["plain"]
        self.fails(403, "AccessDeniedException", None, layerer.create_function, **members, Layers=[signed, plain])
        name = layerer.create_function(**members, Layers=[signed])["FunctionName"]
        self.fails(403, "AccessDeniedException", None, layerer.update_function_configuration,
                   FunctionName=name, Layers=[plain])
        layerer.update_function_configuration(FunctionName=name, Layers=[])


if __name__ == "__main__":
    unittest.main()
