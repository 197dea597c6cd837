#!/usr/bin/env python3
"""Who may what: principals with access keys and IAM policies, asked through boto3.

Environment: AWS_ENDPOINT_URL, AWS_DEFAULT_REGION, the administrator's AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and
PRINCIPALS, a JSON object of names to [access key id, secret]; APPROVED_CONFIG, the ARN of the code signing config that
`creator` may create functions with. What each principal's policies say is in `policies.toml` and `policies/` beside this.
Run with `-W error`.
"""

import io
import json
import os
import unittest
import urllib.request
import uuid
import zipfile

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

PRINCIPALS = json.loads(os.environ.get("PRINCIPALS", "{}"))
APPROVED = os.environ.get("APPROVED_CONFIG", "")
ACCOUNT = APPROVED.split(":")[4] if APPROVED else "000000000000"
ROLE = "arn:aws:iam::000000000000:role/any"


def client(service, principal=None, **config):
    settings = Config(
        inject_host_prefix=False, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, **config
    )
    if principal is None:
        return boto3.client(service, config=settings)
    key, secret = PRINCIPALS[principal]
    return boto3.client(service, config=settings, aws_access_key_id=key, aws_secret_access_key=secret)


def a_name(kind):
    return f"{kind}_{uuid.uuid4().hex[:12]}"


def a_zip(text="x"):
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("handler.py", text)
    return body.getvalue()


def function_members(**members):
    members.setdefault("FunctionName", a_name("f"))
    return {"Role": ROLE, "Runtime": "python3.13", "Handler": "handler.main", "Code": {"ZipFile": a_zip()}, **members}


def a_package(bucket="policies"):
    """An unsigned zip in a versioned bucket: the administrator's."""
    s3 = client("s3")
    try:
        s3.create_bucket(Bucket=bucket)
    except ClientError:
        pass
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    key = a_name("unsigned") + ".zip"
    version = s3.put_object(Bucket=bucket, Key=key, Body=a_zip(key))["VersionId"]
    return bucket, key, version


def job_members(profile, owner=None):
    bucket, key, version = a_package()
    members = {
        "source": {"s3": {"bucketName": bucket, "key": key, "version": version}},
        "destination": {"s3": {"bucketName": bucket, "prefix": "signed/"}},
        "profileName": profile,
    }
    return {**members, "profileOwner": owner} if owner else members


class Case(unittest.TestCase):
    def refused(self, status, error_class, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        response = caught.exception.response
        found = (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"])
        self.assertEqual(found, (status, error_class), response)
        return response["Error"]["Message"]

    def denied(self, call, **arguments):
        return self.refused(403, "AccessDeniedException", call, **arguments)


class PoliciesOfTheGuide(Case):
    """The two policies of AWS's page on code signing."""

    def test_who_may_manage_configs_may_do_nothing_else_with_them(self):
        manager = client("lambda", "manager")
        publishers = {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:111122223333:/signing-profiles/a"]}
        made = manager.create_code_signing_config(AllowedPublishers=publishers)["CodeSigningConfig"]
        arn = made["CodeSigningConfigArn"]
        manager.update_code_signing_config(CodeSigningConfigArn=arn, Description="changed")
        manager.get_code_signing_config(CodeSigningConfigArn=arn)
        self.denied(manager.delete_code_signing_config, CodeSigningConfigArn=arn)
        self.denied(manager.list_code_signing_configs)
        self.denied(manager.tag_resource, Resource=arn, Tags={"a": "b"})
        text = self.denied(manager.create_function, **function_members(FunctionName="by_manager"))
        self.assertEqual(
            text,
            f"User: arn:aws:iam::{ACCOUNT}:user/manager is not authorized to perform: lambda:CreateFunction on resource: "
            f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:by_manager because no identity-based policy allows the "
            "lambda:CreateFunction action",
        )

    def test_a_function_is_created_with_the_approved_config_alone(self):
        creator, administrator = client("lambda", "creator"), client("lambda")
        publishers = {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:111122223333:/signing-profiles/a"]}
        other = administrator.create_code_signing_config(AllowedPublishers=publishers)["CodeSigningConfig"]
        self.denied(creator.create_function, **function_members())
        self.denied(creator.create_function, **function_members(CodeSigningConfigArn=other["CodeSigningConfigArn"]))
        # With the approved one the policy allows it, and the config decides: this package is unsigned.
        self.refused(
            400,
            "CodeVerificationFailedException",
            creator.create_function,
            **function_members(CodeSigningConfigArn=APPROVED),
        )

    def test_a_denial_is_told_before_what_is_wrong_with_the_request(self):
        nobody = client("lambda", "nobody")
        self.denied(nobody.create_function, **function_members(Code={"ZipFile": b"no zip"}))


class NothingIsRevealed(Case):
    """Who may nothing learns nothing: what is there and what is not are refused alike."""

    def alike(self, call, member, there, missing, **arguments):
        texts = [
            self.denied(call, **{member: name}, **arguments).replace(name, "NAME") for name in (there, missing)
        ]
        self.assertEqual(*texts)

    def test_functions_configs_and_layers(self):
        administrator, nobody = client("lambda"), client("lambda", "nobody")
        there = administrator.create_function(**function_members())
        layer = administrator.publish_layer_version(LayerName=a_name("l"), Content={"ZipFile": a_zip()})
        name, missing = there["FunctionName"], a_name("g")
        for call in ("get_function", "get_function_configuration", "get_function_code_signing_config", "delete_function",
                     "list_versions_by_function", "list_aliases", "publish_version", "delete_function_code_signing_config"):
            with self.subTest(call):
                self.alike(getattr(nobody, call), "FunctionName", name, missing)
        self.alike(nobody.update_function_code, "FunctionName", name, missing, ZipFile=a_zip("two"))
        self.alike(nobody.list_tags, "Resource", there["FunctionArn"], there["FunctionArn"] + "x")
        config = APPROVED[:-1] + ("1" if APPROVED[-1] != "1" else "2")
        for call in (nobody.get_code_signing_config, nobody.delete_code_signing_config,
                     nobody.list_functions_by_code_signing_config):
            self.alike(call, "CodeSigningConfigArn", APPROVED, config)
        layer_name = layer["LayerArn"].rsplit(":", 1)[1]
        for call in (nobody.get_layer_version, nobody.get_layer_version_policy, nobody.delete_layer_version):
            self.alike(call, "LayerName", layer_name, layer_name + "x", VersionNumber=1)

    def test_profiles_and_jobs(self):
        administrator, nobody = client("signer"), client("signer", "nobody")
        profile, missing = a_name("p"), a_name("q")
        administrator.put_signing_profile(profileName=profile, platformId="Countersign-SHA384-ECDSA")
        job = administrator.start_signing_job(**job_members(profile))["jobId"]
        for call in (nobody.get_signing_profile, nobody.cancel_signing_profile, nobody.list_profile_permissions):
            self.alike(call, "profileName", profile, missing)
        self.alike(nobody.start_signing_job, "profileName", profile, missing,
                   source={"s3": {"bucketName": "policies", "key": "k.zip", "version": "v"}},
                   destination={"s3": {"bucketName": "policies"}})
        other = job[:-1] + ("0" if job[-1] != "0" else "1")
        self.alike(nobody.describe_signing_job, "jobId", job, other)
        self.alike(nobody.revoke_signature, "jobId", job, other, reason="test")

    def test_an_operation_that_there_is_not_looks_like_one_that_is_denied(self):
        for principal in (None, "nobody"):
            text = self.denied(client("lambda", principal).get_policy, FunctionName="anything")
            self.assertEqual(text, "Unable to determine service/operation name to be authorized")


class OtherAccounts(Case):
    """A profile's permissions decide together with the policies of who calls from another account."""

    def setUp(self):
        self.administrator, self.partner = client("signer"), client("signer", "partner")
        self.name = a_name("shared")
        made = self.administrator.put_signing_profile(profileName=self.name, platformId="Countersign-SHA384-ECDSA")
        self.version = made["profileVersion"]

    def permit(self, action, principal="111122223333", **members):
        self.administrator.add_profile_permission(
            profileName=self.name,
            action=action,
            principal=principal,
            statementId=a_name("s"),
            revisionId=self.revision(),
            **members,
        )

    def revision(self):
        try:
            return self.administrator.list_profile_permissions(profileName=self.name)["revisionId"]
        except ClientError:
            return ""

    def test_a_profile_is_seen_once_it_is_permitted(self):
        get = self.partner.get_signing_profile
        self.denied(get, profileName=self.name, profileOwner=ACCOUNT)
        self.permit("signer:StartSigningJob")
        self.denied(get, profileName=self.name, profileOwner=ACCOUNT)
        self.permit("signer:GetSigningProfile")
        self.assertEqual(get(profileName=self.name, profileOwner=ACCOUNT)["profileVersion"], self.version)
        self.denied(self.partner.cancel_signing_profile, profileName=self.name)

    def test_a_permission_is_not_enough_where_the_own_policies_say_nothing(self):
        self.permit("signer:GetSigningProfile", principal="444455556666")
        get = client("signer", "stranger").get_signing_profile
        self.denied(get, profileName=self.name, profileOwner=ACCOUNT)

    def test_a_permission_of_one_user_is_of_nobody_else(self):
        self.permit("signer:GetSigningProfile", principal="arn:aws:iam::111122223333:user/somebody-else")
        self.denied(self.partner.get_signing_profile, profileName=self.name, profileOwner=ACCOUNT)
        self.permit("signer:GetSigningProfile", principal="arn:aws:iam::111122223333:user/partner")
        self.partner.get_signing_profile(profileName=self.name, profileOwner=ACCOUNT)

    def test_a_permission_of_another_version_is_none(self):
        other = "AAAAAAAAAA" if self.version != "AAAAAAAAAA" else "BBBBBBBBBB"
        self.permit("signer:GetSigningProfile", profileVersion=other)
        self.denied(self.partner.get_signing_profile, profileName=self.name, profileOwner=ACCOUNT)

    def test_a_job_of_another_account_is_owned_by_the_profile_and_invoked_by_the_caller(self):
        self.permit("signer:StartSigningJob")
        job = self.partner.start_signing_job(**job_members(self.name, ACCOUNT))
        self.assertEqual(job["jobOwner"], ACCOUNT)
        waiter = self.administrator.get_waiter("successful_signing_job")
        waiter.wait(jobId=job["jobId"], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        told = self.administrator.describe_signing_job(jobId=job["jobId"])
        self.assertEqual((told["jobOwner"], told["jobInvoker"]), (ACCOUNT, "111122223333"))
        self.assertEqual(told["requestedBy"], "arn:aws:iam::111122223333:user/partner")

    def test_a_layer_version_is_seen_once_it_is_permitted(self):
        administrator, partner = client("lambda"), client("lambda", "partner")
        layer = administrator.publish_layer_version(LayerName=a_name("l"), Content={"ZipFile": a_zip()})
        arn = layer["LayerVersionArn"]
        self.denied(partner.get_layer_version_by_arn, Arn=arn)
        administrator.add_layer_version_permission(
            LayerName=layer["LayerArn"],
            VersionNumber=1,
            StatementId="partner",
            Action="lambda:GetLayerVersion",
            Principal="111122223333",
        )
        self.assertEqual(partner.get_layer_version_by_arn(Arn=arn)["LayerVersionArn"], arn)
        self.denied(partner.delete_layer_version, LayerName=layer["LayerArn"], VersionNumber=1)


class S3OfTheCaller(Case):
    """Packages are read with the rights of who names them."""

    def test_code_is_read_only_where_the_caller_may_read_the_object(self):
        bucket, key, version = a_package()
        of_object = {"S3Bucket": bucket, "S3Key": key, "S3ObjectVersion": version}
        without = client("lambda", "deployer_without_s3")
        text = self.denied(without.create_function, **function_members(Code=of_object))
        self.assertIn(f"s3:GetObjectVersion on resource: arn:aws:s3:::{bucket}/{key}", text)
        text = self.denied(without.publish_layer_version, LayerName=a_name("l"), Content={"S3Bucket": bucket, "S3Key": key})
        self.assertIn(f"s3:GetObject on resource: arn:aws:s3:::{bucket}/{key}", text)
        without.create_function(**function_members())


class Signatures(Case):
    """No request without a valid signature reaches a handler."""

    CALLS = (("lambda", "get_account_settings", {}), ("signer", "list_signing_platforms", {}))

    def each(self, status, error_class, text, make):
        for service, call, arguments in self.CALLS:
            with self.subTest(service):
                told = self.refused(status, error_class, getattr(make(service), call), **arguments)
                self.assertRegex(told, text)

    def with_keys(self, **keys):
        settings = Config(inject_host_prefix=False, retries={"total_max_attempts": 1})
        return lambda service: boto3.client(service, config=settings, **keys)

    def test_a_session_token_is_refused(self):
        key, secret = PRINCIPALS["manager"]
        keys = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": "token"}
        self.each(403, "UnrecognizedClientException", "token", self.with_keys(**keys))

    def test_a_wrong_secret_and_an_unknown_key_are_refused(self):
        key, _ = PRINCIPALS["manager"]
        wrong = {"aws_access_key_id": key, "aws_secret_access_key": "w" * 40}
        self.each(403, "InvalidSignatureException", "signature", self.with_keys(**wrong))
        unknown = {"aws_access_key_id": "AKIAUNKNOWNUNKNOWN12", "aws_secret_access_key": "w" * 40}
        self.each(403, "UnrecognizedClientException", "security token", self.with_keys(**unknown))

    def test_another_region_is_refused(self):
        self.each(403, "InvalidSignatureException", "region|scope", self.with_keys(region_name="eu-central-1"))

    def test_an_unsigned_request_reaches_nothing(self):
        unsigned = client("lambda", signature_version=UNSIGNED)
        with self.assertRaises(ClientError) as caught:
            unsigned.get_account_settings()
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 403)

    def test_a_body_that_is_not_the_signed_one_is_refused(self):
        import botocore.auth
        import botocore.awsrequest
        import botocore.credentials

        key, secret = PRINCIPALS["manager"]
        endpoint = os.environ["AWS_ENDPOINT_URL"].rstrip("/")
        body = b'{"AllowedPublishers":{"SigningProfileVersionArns":["arn:aws:signer:::a"]}}'
        url = f"{endpoint}/2020-04-22/code-signing-configs"
        request = botocore.awsrequest.AWSRequest("POST", url, data=body, headers={"content-type": "application/json"})
        credentials = botocore.credentials.Credentials(key, secret)
        botocore.auth.SigV4Auth(credentials, "lambda", "us-east-1").add_auth(request)
        sent = urllib.request.Request(url, data=body.replace(b":::a", b":::b"), headers=dict(request.headers), method="POST")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(sent, timeout=10)
        with caught.exception as error:
            self.assertEqual((error.code, error.headers["x-amzn-errortype"]), (403, "InvalidSignatureException"))


if __name__ == "__main__":
    unittest.main()
