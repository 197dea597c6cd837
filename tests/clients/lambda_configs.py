#!/usr/bin/env python3
"""Code signing configs, their functions, layers, tags and account settings through boto3: what succeeds, each error with its
status, class, text and members, and paging.

Environment: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION. Run with `-W error`, so that a
reply that botocore has to warn of fails. Everything is made through the API, on an installation that may be fresh or not.
"""

import base64
import hashlib
import io
import json
import re
import unittest
import uuid
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CONFIG = Config(inject_host_prefix=False, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
functions = boto3.client("lambda", config=CONFIG)
signer = boto3.client("signer", config=CONFIG)
s3 = boto3.client("s3", config=CONFIG)

REGION = functions.meta.region_name
PUBLISHER = f"arn:aws:signer:{REGION}:111122223333:/signing-profiles/anybody"
BUCKET = "lambda-configs"


def a_name(kind):
    return f"{kind}_{uuid.uuid4().hex[:12]}"


def a_zip(text="x"):
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("handler.py", text)
    return body.getvalue()


def sha256(body):
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def scope():
    """What the ARNs of this installation begin with."""
    arn = functions.list_code_signing_configs(MaxItems=1)["CodeSigningConfigs"]
    arn = arn[0]["CodeSigningConfigArn"] if arn else a_config()["CodeSigningConfigArn"]
    return arn.split(":code-signing-config:")[0]


def a_config(**members):
    members.setdefault("AllowedPublishers", {"SigningProfileVersionArns": [PUBLISHER]})
    return functions.create_code_signing_config(**members)["CodeSigningConfig"]


def a_function(**members):
    members.setdefault("FunctionName", a_name("f"))
    members.setdefault("Code", {"ZipFile": a_zip()})
    role = "arn:aws:iam::000000000000:role/any"
    return functions.create_function(Role=role, Runtime="python3.13", Handler="handler.main", **members)


def a_bucket():
    try:
        s3.create_bucket(Bucket=BUCKET)
    except ClientError:
        pass
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return BUCKET


def a_signed_package():
    """An object with a signed zip: bucket, key, version, and who signed it in which job."""
    profile = signer.put_signing_profile(profileName=a_name("p"), platformId="Countersign-SHA384-ECDSA")
    bucket, key = a_bucket(), a_name("unsigned") + ".zip"
    version = s3.put_object(Bucket=bucket, Key=key, Body=a_zip(key))["VersionId"]
    job = signer.start_signing_job(
        source={"s3": {"bucketName": bucket, "key": key, "version": version}},
        destination={"s3": {"bucketName": bucket, "prefix": "signed/"}},
        profileName=profile["arn"].rsplit("/", 1)[1],
    )["jobId"]
    signer.get_waiter("successful_signing_job").wait(jobId=job, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    signed = signer.describe_signing_job(jobId=job)["signedObject"]["s3"]
    version = s3.head_object(Bucket=bucket, Key=signed["key"])["VersionId"]
    job_arn = profile["arn"].split("/signing-profiles/")[0] + f"/signing-jobs/{job}"
    return signed["bucketName"], signed["key"], version, profile["profileVersionArn"], job_arn


class Case(unittest.TestCase):
    maxDiff = None

    def refused(self, status, error_class, text, call, members=("Type",), **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        response = caught.exception.response
        error = response["Error"]
        if isinstance(text, re.Pattern):
            self.assertRegex(error["Message"], text)
            text = error["Message"]
        found = (response["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"])
        self.assertEqual(found, (status, error_class, text))
        headers = response["ResponseMetadata"]["HTTPHeaders"]
        self.assertEqual(headers["x-amzn-errortype"], error_class)
        self.assertTrue(headers["x-amzn-requestid"])
        if "Type" in members:
            self.assertEqual(response.get("Type", error.get("Type")), "User")
        else:
            self.assertNotIn("Type", {**error, **response})
        return response


class CodeSigningConfigs(Case):
    def test_a_config_is_made_read_changed_and_deleted(self):
        made = functions.create_code_signing_config(
            Description="of a test",
            AllowedPublishers={"SigningProfileVersionArns": [PUBLISHER]},
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"},
        )
        self.assertEqual(made["ResponseMetadata"]["HTTPStatusCode"], 201)
        config = made["CodeSigningConfig"]
        arn = config["CodeSigningConfigArn"]
        self.assertRegex(config["CodeSigningConfigId"], r"^csc-[a-z0-9]{17}$")
        self.assertTrue(arn.endswith(f":code-signing-config:{config['CodeSigningConfigId']}"))
        self.assertRegex(config["LastModified"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
        self.assertEqual(config["Description"], "of a test")
        self.assertEqual(config["CodeSigningPolicies"], {"UntrustedArtifactOnDeployment": "Enforce"})
        self.assertEqual(config["AllowedPublishers"], {"SigningProfileVersionArns": [PUBLISHER]})
        self.assertEqual(functions.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"], config)
        other = f"{PUBLISHER}/AbCdEfGhIj"
        changed = functions.update_code_signing_config(
            CodeSigningConfigArn=arn, AllowedPublishers={"SigningProfileVersionArns": [other]}
        )["CodeSigningConfig"]
        self.assertEqual(changed["AllowedPublishers"], {"SigningProfileVersionArns": [other]})
        for same in ("Description", "CodeSigningPolicies", "CodeSigningConfigId", "CodeSigningConfigArn"):
            self.assertEqual(changed[same], config[same])
        deleted = functions.delete_code_signing_config(CodeSigningConfigArn=arn)
        self.assertEqual(deleted["ResponseMetadata"]["HTTPStatusCode"], 204)

    def test_what_is_not_given_has_the_defaults_of_lambda(self):
        config = a_config()
        self.assertEqual(config["CodeSigningPolicies"], {"UntrustedArtifactOnDeployment": "Warn"})
        self.assertNotIn("Description", config)
        arn = config["CodeSigningConfigArn"]
        changed = functions.update_code_signing_config(CodeSigningConfigArn=arn, CodeSigningPolicies={})
        self.assertEqual(changed["CodeSigningConfig"]["Description"], "")
        self.assertEqual(changed["CodeSigningConfig"]["CodeSigningPolicies"], config["CodeSigningPolicies"])
        enforced = functions.update_code_signing_config(
            CodeSigningConfigArn=arn, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"}
        )["CodeSigningConfig"]
        self.assertEqual(enforced["CodeSigningPolicies"], {"UntrustedArtifactOnDeployment": "Enforce"})
        unchanged = functions.update_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]
        self.assertEqual(unchanged["CodeSigningPolicies"], enforced["CodeSigningPolicies"])

    def test_any_arn_is_a_publisher_up_to_twenty(self):
        publishers = [f"{PUBLISHER}_{number}" for number in range(19)] + ["arn:aws:s3:::bucket"]
        config = a_config(AllowedPublishers={"SigningProfileVersionArns": publishers})
        self.assertEqual(config["AllowedPublishers"]["SigningProfileVersionArns"], publishers)
        too_many = {"SigningProfileVersionArns": [*publishers, PUBLISHER]}
        self.refused(
            400,
            "ValidationException",
            re.compile("'allowedPublishers.signingProfileVersionArns' failed to satisfy constraint: Member must have "
                       "length less than or equal to 20"),
            functions.create_code_signing_config,
            members=(),
            AllowedPublishers=too_many,
        )

    def test_a_config_that_is_not_there(self):
        arn = a_config()["CodeSigningConfigArn"]
        functions.delete_code_signing_config(CodeSigningConfigArn=arn)
        text = f"The Lambda code signing configuration {arn} can not be found."
        for call in (
            functions.get_code_signing_config,
            functions.update_code_signing_config,
            functions.delete_code_signing_config,
            functions.list_functions_by_code_signing_config,
        ):
            self.refused(404, "ResourceNotFoundException", text, call, members=(), CodeSigningConfigArn=arn)

    def test_an_arn_that_is_none_is_refused_by_the_model(self):
        for call in (functions.get_code_signing_config, functions.delete_code_signing_config):
            self.refused(
                400,
                "ValidationException",
                re.compile(r"^1 validation error detected: Value 'csc' at 'codeSigningConfigArn' failed to satisfy "
                           "constraint: Member must satisfy regular expression pattern: arn:"),
                call,
                members=(),
                CodeSigningConfigArn="csc",
            )

    def test_a_config_in_use_cannot_be_deleted(self):
        arn = a_config()["CodeSigningConfigArn"]
        function = a_function(CodeSigningConfigArn=arn)["FunctionName"]
        text = (
            "Lambda cannot delete the code signing configuration at this time \u2014 another operation is in progress. "
            "Try again later."
        )
        delete = functions.delete_code_signing_config
        self.refused(409, "ResourceConflictException", text, delete, CodeSigningConfigArn=arn)
        functions.delete_function_code_signing_config(FunctionName=function)
        delete(CodeSigningConfigArn=arn)

    def test_configs_are_listed_page_by_page(self):
        made = {a_config()["CodeSigningConfigArn"] for _ in range(5)}
        pages = functions.get_paginator("list_code_signing_configs").paginate(PaginationConfig={"PageSize": 2})
        pages = list(pages)
        found = [config["CodeSigningConfigArn"] for page in pages for config in page["CodeSigningConfigs"]]
        self.assertLessEqual(made, set(found))
        self.assertEqual(len(found), len(set(found)))
        self.assertTrue(all(len(page["CodeSigningConfigs"]) <= 2 for page in pages))
        self.assertNotIn("NextMarker", pages[-1])
        everything = functions.list_code_signing_configs()["CodeSigningConfigs"]
        self.assertLessEqual(made, {config["CodeSigningConfigArn"] for config in everything})

    def test_a_marker_of_somewhere_else_is_refused(self):
        for _ in range(2):
            a_config()
        marker = functions.list_code_signing_configs(MaxItems=1)["NextMarker"]
        invalid = (400, "InvalidParameterValueException", re.compile("page token"))
        self.refused(*invalid, functions.list_code_signing_configs, Marker=marker[:-2] + "AA", MaxItems=1)
        self.refused(*invalid, functions.list_functions, Marker=marker)


class Bindings(Case):
    def test_a_function_is_bound_shown_listed_and_released(self):
        config = a_config()["CodeSigningConfigArn"]
        function = a_function()
        name, arn = function["FunctionName"], function["FunctionArn"]
        empty = functions.get_function_code_signing_config(FunctionName=name)
        self.assertEqual(set(empty), {"ResponseMetadata"})
        self.assertEqual(
            functions.list_functions_by_code_signing_config(CodeSigningConfigArn=config)["FunctionArns"], []
        )
        expected = {"CodeSigningConfigArn": config, "FunctionName": name}
        for named in (name, arn, f"function:{name}"):
            bound = functions.put_function_code_signing_config(FunctionName=named, CodeSigningConfigArn=config)
            self.assertEqual({key: bound[key] for key in expected}, expected)
        shown = functions.get_function_code_signing_config(FunctionName=arn)
        self.assertEqual({key: shown[key] for key in expected}, expected)
        listed = functions.list_functions_by_code_signing_config(CodeSigningConfigArn=config)
        self.assertEqual(listed["FunctionArns"], [arn])
        for _ in range(2):
            released = functions.delete_function_code_signing_config(FunctionName=name)
            self.assertEqual(released["ResponseMetadata"]["HTTPStatusCode"], 204)
        self.assertNotIn("CodeSigningConfigArn", functions.get_function_code_signing_config(FunctionName=name))

    def test_what_stands_is_not_checked_when_a_config_is_attached(self):
        strict = a_config(CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"})["CodeSigningConfigArn"]
        name = a_function()["FunctionName"]
        functions.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=strict)
        self.assertEqual(functions.get_function(FunctionName=name)["Configuration"]["State"], "Active")
        self.refused(
            400,
            "CodeVerificationFailedException",
            re.compile("^Lambda cannot deploy the function. The function or layer might be signed"),
            functions.update_function_code,
            FunctionName=name,
            ZipFile=a_zip("two"),
        )

    def test_functions_of_a_config_are_listed_page_by_page(self):
        config = a_config()["CodeSigningConfigArn"]
        made = {a_function(CodeSigningConfigArn=config)["FunctionArn"] for _ in range(3)}
        paginator = functions.get_paginator("list_functions_by_code_signing_config")
        pages = list(paginator.paginate(CodeSigningConfigArn=config, PaginationConfig={"PageSize": 2}))
        self.assertEqual([len(page["FunctionArns"]) for page in pages], [2, 1])
        self.assertEqual({arn for page in pages for arn in page["FunctionArns"]}, made)

    def test_the_config_is_looked_at_before_the_function(self):
        gone = a_config()["CodeSigningConfigArn"]
        functions.delete_code_signing_config(CodeSigningConfigArn=gone)
        name = a_function()["FunctionName"]
        text = (
            "The code signing configuration cannot be found. Check that the provided configuration is not deleted: "
            f"{gone}."
        )
        for function in (name, a_name("no_such")):
            self.refused(
                404,
                "CodeSigningConfigNotFoundException",
                text,
                functions.put_function_code_signing_config,
                FunctionName=function,
                CodeSigningConfigArn=gone,
            )

    def test_a_function_that_is_not_there(self):
        config, name = a_config()["CodeSigningConfigArn"], a_name("no_such")
        missing = (404, "ResourceNotFoundException", f"Function not found: {scope()}:function:{name}")
        put = functions.put_function_code_signing_config
        self.refused(*missing, put, FunctionName=name, CodeSigningConfigArn=config)
        self.refused(*missing, functions.get_function_code_signing_config, FunctionName=name)
        self.refused(*missing, functions.delete_function_code_signing_config, FunctionName=name)

    def test_a_version_or_alias_has_no_config(self):
        name = a_function(Publish=True)["FunctionName"]
        for qualifier in ("$LATEST", "1", "live"):
            self.refused(
                400,
                "InvalidParameterValueException",
                re.compile("without a qualifier"),
                functions.get_function_code_signing_config,
                FunctionName=f"{name}:{qualifier}",
            )


class Layers(Case):
    def test_a_layer_is_published_read_listed_and_deleted(self):
        name, zip_file = a_name("layer"), a_zip("one")
        told = {
            "Description": "of a test",
            "CompatibleRuntimes": ["python3.13"],
            "CompatibleArchitectures": ["x86_64"],
            "LicenseInfo": "MIT",
        }
        first = functions.publish_layer_version(LayerName=name, Content={"ZipFile": zip_file}, **told)
        self.assertEqual(first["ResponseMetadata"]["HTTPStatusCode"], 201)
        arn = f"{scope()}:layer:{name}"
        self.assertEqual((first["LayerArn"], first["LayerVersionArn"], first["Version"]), (arn, f"{arn}:1", 1))
        self.assertEqual({key: first[key] for key in told}, told)
        self.assertRegex(first["CreatedDate"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$")
        content = first["Content"]
        self.assertEqual((content["CodeSha256"], content["CodeSize"]), (sha256(zip_file), len(zip_file)))
        self.assertNotIn("SigningJobArn", content)
        second = functions.publish_layer_version(LayerName=arn, Content={"ZipFile": zip_file})
        self.assertEqual(second["Version"], 2, "the same content is a new version")
        self.assertEqual(second["Description"], "")
        for missing in ("CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo"):
            self.assertNotIn(missing, second)
        self.read_alike(name, arn, first)
        listed = functions.list_layer_versions(LayerName=name)["LayerVersions"]
        self.assertEqual([version["Version"] for version in listed], [2, 1])
        self.assertEqual({key: listed[1][key] for key in told}, told)
        self.assertNotIn("Content", listed[1])
        for _ in range(2):
            deleted = functions.delete_layer_version(LayerName=name, VersionNumber=2)
            self.assertEqual(deleted["ResponseMetadata"]["HTTPStatusCode"], 204)
        functions.delete_layer_version(LayerName=name, VersionNumber=1)
        self.assertEqual(functions.list_layer_versions(LayerName=name)["LayerVersions"], [])
        third = functions.publish_layer_version(LayerName=name, Content={"ZipFile": zip_file})
        self.assertEqual(third["Version"], 3, "a number is never given twice")

    def read_alike(self, name, arn, published):
        by_name = functions.get_layer_version(LayerName=name, VersionNumber=1)
        by_arn = functions.get_layer_version_by_arn(Arn=f"{arn}:1")
        for read in (by_name, by_arn):
            for member in ("LayerArn", "LayerVersionArn", "Version", "Description", "CreatedDate", "LicenseInfo"):
                self.assertEqual(read[member], published[member])
            self.assertEqual(read["Content"]["CodeSha256"], published["Content"]["CodeSha256"])

    def test_the_content_can_be_downloaded_from_its_location(self):
        import urllib.request

        zip_file = a_zip("to be downloaded")
        made = functions.publish_layer_version(LayerName=a_name("layer"), Content={"ZipFile": zip_file})
        with urllib.request.urlopen(made["Content"]["Location"], timeout=10) as response:
            self.assertEqual(response.read(), zip_file)

    def test_a_signed_layer_shows_who_signed_it(self):
        bucket, key, version, profile, job = a_signed_package()
        of_object = {"S3Bucket": bucket, "S3Key": key, "S3ObjectVersion": version}
        name = a_name("layer")
        made = functions.publish_layer_version(LayerName=name, Content=of_object)["Content"]
        self.assertEqual((made["SigningProfileVersionArn"], made["SigningJobArn"]), (profile, job))
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        self.assertEqual((made["CodeSha256"], made["CodeSize"]), (sha256(body), len(body)))
        newest = functions.publish_layer_version(LayerName=name, Content={"S3Bucket": bucket, "S3Key": key})
        self.assertEqual(newest["Content"]["SigningJobArn"], job)

    def test_a_layer_is_published_whatever_its_signature(self):
        bucket, key, *_ = a_signed_package()
        body = bytearray(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        at = body.rindex(b"\x30\x82", 0, body.index(b"PK\x01\x02")) + 40
        body[at] ^= 1
        made = functions.publish_layer_version(LayerName=a_name("layer"), Content={"ZipFile": bytes(body)})
        self.assertNotIn("SigningJobArn", made["Content"])

    def test_content_that_is_no_zip_or_not_there(self):
        publish, name, bucket = functions.publish_layer_version, a_name("layer"), a_bucket()
        invalid = (400, "InvalidParameterValueException")
        no_zip = "Could not unzip uploaded file. Please check your file, then try to upload again."
        self.refused(*invalid, no_zip, publish, LayerName=name, Content={"ZipFile": b"no zip"})
        s3_error = "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}"
        for content, text in (
            ({"S3Bucket": "no-such-bucket-here", "S3Key": "k"}, ("NoSuchBucket", "The specified bucket does not exist")),
            ({"S3Bucket": bucket, "S3Key": "no/such"}, ("NoSuchKey", "The specified key does not exist.")),
        ):
            self.refused(*invalid, s3_error.format(*text), publish, LayerName=name, Content=content)
        for content in ({}, {"S3Bucket": bucket}, {"ZipFile": a_zip(), "S3Bucket": bucket, "S3Key": "k"}):
            self.refused(*invalid, re.compile("^Please (provide|do not provide)"), publish, LayerName=name, Content=content)

    def test_a_version_that_is_not_there(self):
        name = a_name("layer")
        functions.publish_layer_version(LayerName=name, Content={"ZipFile": a_zip()})
        missing = (404, "ResourceNotFoundException", "The resource you requested does not exist.")
        get, by_arn = functions.get_layer_version, functions.get_layer_version_by_arn
        self.refused(*missing, get, LayerName=name, VersionNumber=2)
        self.refused(*missing, get, LayerName=name, VersionNumber=2**63 - 1)
        self.refused(*missing, get, LayerName=a_name("no_such"), VersionNumber=1)
        self.refused(*missing, by_arn, Arn=f"{scope()}:layer:{name}:2")
        self.refused(*missing, by_arn, Arn=f"{scope()}:layer:{name}:99999999999999999999")
        self.assertEqual(functions.list_layer_versions(LayerName=a_name("no_such"))["LayerVersions"], [])
        for number in (0, -1):
            for call in (get, functions.delete_layer_version):
                text = "Layer Version Cannot be less than 1"
                self.refused(400, "InvalidParameterValueException", text, call, LayerName=name, VersionNumber=number)
        self.refused(
            400,
            "ValidationException",
            re.compile("at 'arn' failed to satisfy constraint: Member must satisfy regular expression pattern"),
            by_arn,
            members=(),
            Arn=f"{scope()}:layer:{name}",
        )

    def test_layers_are_listed_page_by_page_and_by_what_they_fit(self):
        prefix = a_name("layer")
        for number in range(3):
            for _ in range(2):
                functions.publish_layer_version(
                    LayerName=f"{prefix}_{number}", Content={"ZipFile": a_zip()}, CompatibleRuntimes=["ruby3.4"]
                )
        pages = list(functions.get_paginator("list_layers").paginate(PaginationConfig={"PageSize": 2}))
        self.assertTrue(all(len(page["Layers"]) <= 2 for page in pages))
        layers = {layer["LayerName"]: layer for page in pages for layer in page["Layers"]}
        for number in range(3):
            layer = layers[f"{prefix}_{number}"]
            self.assertEqual(layer["LayerArn"], f"{scope()}:layer:{prefix}_{number}")
            self.assertEqual(layer["LatestMatchingVersion"]["Version"], 2)
        fitting = functions.list_layers(CompatibleRuntime="ruby3.4")["Layers"]
        self.assertLessEqual({f"{prefix}_{n}" for n in range(3)}, {layer["LayerName"] for layer in fitting})
        others = functions.list_layers(CompatibleRuntime="java25")["Layers"]
        self.assertFalse([layer for layer in others if layer["LayerName"].startswith(prefix)])
        paginator = functions.get_paginator("list_layer_versions")
        pages = list(paginator.paginate(LayerName=f"{prefix}_0", PaginationConfig={"PageSize": 1}))
        self.assertEqual([version["Version"] for page in pages for version in page["LayerVersions"]], [2, 1])

    def test_a_function_runs_on_a_layer_and_keeps_it_when_it_is_deleted(self):
        bucket, key, version, profile, job = a_signed_package()
        of_object = {"S3Bucket": bucket, "S3Key": key, "S3ObjectVersion": version}
        layer = functions.publish_layer_version(LayerName=a_name("layer"), Content=of_object)
        made = a_function(Layers=[layer["LayerVersionArn"]])
        expected = {
            "Arn": layer["LayerVersionArn"],
            "CodeSize": layer["Content"]["CodeSize"],
            "SigningProfileVersionArn": profile,
            "SigningJobArn": job,
        }
        self.assertEqual(made["Layers"], [expected])
        functions.delete_layer_version(LayerName=layer["LayerArn"], VersionNumber=1)
        kept = functions.get_function_configuration(FunctionName=made["FunctionName"])["Layers"]
        self.assertEqual(kept, [expected])


class LayerPermissions(Case):
    def setUp(self):
        self.name = a_name("layer")
        functions.publish_layer_version(LayerName=self.name, Content={"ZipFile": a_zip()})
        self.arn = f"{scope()}:layer:{self.name}:1"

    def permit(self, statement="s1", **members):
        members.setdefault("Principal", "*")
        members = {"LayerName": self.name, "VersionNumber": 1, "StatementId": statement, **members}
        return functions.add_layer_version_permission(Action="lambda:GetLayerVersion", **members)

    def statement(self, statement="s1", principal="*"):
        return {
            "Sid": statement,
            "Effect": "Allow",
            "Principal": principal,
            "Action": "lambda:GetLayerVersion",
            "Resource": self.arn,
        }

    def policy(self):
        read = functions.get_layer_version_policy(LayerName=self.name, VersionNumber=1)
        return json.loads(read["Policy"]), read["RevisionId"]

    def test_statements_are_added_shown_and_removed(self):
        added = self.permit()
        self.assertEqual(added["ResponseMetadata"]["HTTPStatusCode"], 201)
        self.assertEqual(json.loads(added["Statement"]), self.statement())
        document = {"Version": "2012-10-17", "Id": "default", "Statement": [self.statement()]}
        self.assertEqual(self.policy(), (document, added["RevisionId"]))
        account = self.permit("s2", Principal="111122223333", RevisionId=added["RevisionId"])
        second = self.statement("s2", {"AWS": "arn:aws:iam::111122223333:root"})
        self.assertEqual(json.loads(account["Statement"]), second)
        self.assertNotEqual(account["RevisionId"], added["RevisionId"])
        self.assertEqual(self.policy()[0]["Statement"], [self.statement(), second])
        remove = functions.remove_layer_version_permission
        removed = remove(LayerName=self.name, VersionNumber=1, StatementId="s2", RevisionId=account["RevisionId"])
        self.assertEqual(removed["ResponseMetadata"]["HTTPStatusCode"], 204)
        self.assertEqual(self.policy()[0], document)
        remove(LayerName=self.name, VersionNumber=1, StatementId="s1")
        self.no_policy()

    def no_policy(self):
        self.refused(
            404,
            "ResourceNotFoundException",
            "No policy is associated with the given resource.",
            functions.get_layer_version_policy,
            LayerName=self.name,
            VersionNumber=1,
        )

    def test_an_organization_is_a_condition(self):
        added = self.permit(OrganizationId="o-0123456789")
        condition = {"StringEquals": {"aws:PrincipalOrgID": "o-0123456789"}}
        self.assertEqual(json.loads(added["Statement"]), {**self.statement(), "Condition": condition})
        self.refused(
            400,
            "InvalidParameterValueException",
            re.compile("OrganizationId"),
            self.permit,
            statement="s2",
            Principal="111122223333",
            OrganizationId="o-0123456789",
        )

    def test_a_statement_id_and_a_revision_are_checked(self):
        self.no_policy()
        revision = self.permit()["RevisionId"]
        text = (
            "The statement id (s1) provided already exists. Please provide a new statement id, or remove the existing "
            "statement."
        )
        self.refused(409, "ResourceConflictException", text, self.permit)
        text = (
            "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the "
            "latest Revision Id"
        )
        stale = (412, "PreconditionFailedException", text)
        self.refused(*stale, self.permit, statement="s2", RevisionId=str(uuid.uuid4()))
        remove = functions.remove_layer_version_permission
        of_version = {"LayerName": self.name, "VersionNumber": 1}
        self.refused(*stale, remove, StatementId="s1", RevisionId="no revision", **of_version)
        text = "Statement s2 is not found in resource policy."
        self.refused(404, "ResourceNotFoundException", text, remove, StatementId="s2", **of_version)
        remove(StatementId="s1", RevisionId=revision, **of_version)
        self.refused(
            400,
            "ValidationException",
            "1 validation error detected: Value '*' at 'action' failed to satisfy constraint: Member must satisfy "
            "regular expression pattern: lambda:GetLayerVersion",
            functions.add_layer_version_permission,
            members=(),
            StatementId="s1",
            Action="*",
            Principal="*",
            **of_version,
        )

    def test_a_version_that_is_not_there_has_no_permissions(self):
        for name, number in ((self.name, 2), (self.name + "_none", 1)):
            arn = f"{scope()}:layer:{name}:{number}"
            missing = (404, "ResourceNotFoundException", f"Layer version {arn} does not exist.")
            of_version = {"LayerName": name, "VersionNumber": number}
            self.refused(*missing, self.permit, **of_version)
            self.refused(*missing, functions.get_layer_version_policy, **of_version)
            self.refused(*missing, functions.remove_layer_version_permission, StatementId="s1", **of_version)


class Tags(Case):
    def of(self, arn):
        return functions.list_tags(Resource=arn)["Tags"]

    def test_functions_and_configs_are_tagged_and_untagged(self):
        config = a_config(Tags={"A": "1"})["CodeSigningConfigArn"]
        function = a_function(Tags={"A": "1"})["FunctionArn"]
        for arn in (config, function):
            self.assertEqual(self.of(arn), {"A": "1"})
            tagged = functions.tag_resource(Resource=arn, Tags={"A": "2", "B": "", "C": "3"})
            self.assertEqual(tagged["ResponseMetadata"]["HTTPStatusCode"], 204)
            self.assertEqual(self.of(arn), {"A": "2", "B": "", "C": "3"})
            untagged = functions.untag_resource(Resource=arn, TagKeys=["B", "none", "C"])
            self.assertEqual(untagged["ResponseMetadata"]["HTTPStatusCode"], 204)
            self.assertEqual(self.of(arn), {"A": "2"})
            functions.untag_resource(Resource=arn, TagKeys=["A"])
            self.assertEqual(self.of(arn), {})
        self.assertNotIn("Tags", functions.get_function(FunctionName=function))

    def test_there_are_at_most_fifty_tags(self):
        arn = a_function()["FunctionArn"]
        too_many = (400, "InvalidParameterValueException", "Number of tags exceeds resource tag limit.")
        tags = {f"{number}_key": "v" for number in range(51)}
        self.refused(*too_many, functions.tag_resource, Resource=arn, Tags=tags)
        self.assertEqual(self.of(arn), {})
        tags.pop("50_key")
        functions.tag_resource(Resource=arn, Tags=tags)
        self.refused(*too_many, functions.tag_resource, Resource=arn, Tags={"one_more": "v"})
        functions.tag_resource(Resource=arn, Tags={"0_key": "changed"})
        self.refused(*too_many, functions.create_code_signing_config, Tags={**tags, "one_more": "v"},
                     AllowedPublishers={"SigningProfileVersionArns": [PUBLISHER]})

    def test_what_cannot_be_tagged(self):
        function = a_function(Publish=True)["FunctionArn"].removesuffix(":1")
        invalid = (400, "InvalidParameterValueException")
        no_tags = "An error occurred and the request cannot be processed."
        self.refused(*invalid, no_tags, functions.tag_resource, Resource=function, Tags={})
        qualified = "Tags on function aliases and versions are not supported. Please specify a function ARN."
        for qualifier in ("1", "$LATEST", "no-such"):
            arn = f"{function}:{qualifier}"
            self.refused(*invalid, qualified, functions.tag_resource, Resource=arn, Tags={"a": "b"})
        for arn, text in (
            (f"{scope()}:function:{a_name('no_such')}", "Function not found: {}"),
            (f"{scope()}:event-source-mapping:{uuid.uuid4()}", "Event source mapping not found: {}"),
        ):
            missing = (404, "ResourceNotFoundException", text.format(arn))
            self.refused(*missing, functions.tag_resource, Resource=arn, Tags={"a": "b"})
            self.refused(*missing, functions.untag_resource, Resource=arn, TagKeys=["a"])
            self.refused(*missing, functions.list_tags, Resource=arn)
        config = a_config()["CodeSigningConfigArn"]
        functions.delete_code_signing_config(CodeSigningConfigArn=config)
        text = f"The Lambda code signing configuration {config} can not be found."
        self.refused(404, "ResourceNotFoundException", text, functions.list_tags, members=(), Resource=config)
        text = "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null"
        self.refused(
            400, "ValidationException", text, functions.untag_resource, members=(), Resource=function, TagKeys=[]
        )


class AccountSettings(Case):
    def test_what_is_used_is_counted(self):
        before = functions.get_account_settings()["AccountUsage"]
        zip_file = a_zip(a_name("counted"))
        name = a_function(Code={"ZipFile": zip_file})["FunctionName"]
        functions.publish_layer_version(LayerName=a_name("layer"), Content={"ZipFile": zip_file})
        after = functions.get_account_settings()["AccountUsage"]
        self.assertEqual(after["FunctionCount"], before["FunctionCount"] + 1)
        self.assertEqual(after["TotalCodeSize"], before["TotalCodeSize"] + 2 * len(zip_file))
        functions.publish_version(FunctionName=name)
        version = functions.get_account_settings()["AccountUsage"]["TotalCodeSize"]
        self.assertEqual(version, after["TotalCodeSize"] + len(zip_file))

    def test_the_limits_are_those_of_lambda(self):
        limits = functions.get_account_settings()["AccountLimit"]
        self.assertEqual((limits["CodeSizeZipped"], limits["CodeSizeUnzipped"]), (52428800, 262144000))
        names = {"TotalCodeSize", "CodeSizeUnzipped", "CodeSizeZipped", "ConcurrentExecutions", "UnreservedConcurrentExecutions"}
        self.assertEqual(set(limits), names)


if __name__ == "__main__":
    unittest.main()
