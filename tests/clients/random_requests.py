#!/usr/bin/env python3
"""Sends random requests, generated from botocore's own models, and demands that none is answered with a 5xx.

Operations, members and constraints are those of the models of AWS Signer and AWS Lambda; values are legal, broken in a
random place, or those of things that are there, so that requests get past validation and past "not found". Every answer is
parsed by botocore, which must not warn.

Environment: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION, and as needed
RANDOM_SEED (1) and RANDOM_REQUESTS (3000).
"""

import io
import os
import random
import re
import sys
import unittest
import warnings
import zipfile
from datetime import datetime, timedelta, timezone

import boto3
import botocore.exceptions
from botocore.config import Config

if sys.version_info >= (3, 11):
    from re import _parser as sre_parser
else:
    import sre_parse as sre_parser

SEED = int(os.environ.get("RANDOM_SEED", "1"))
REQUESTS = int(os.environ.get("RANDOM_REQUESTS", "3000"))
SERVICES = ("signer", "lambda")
CONFIG = Config(
    parameter_validation=False,
    inject_host_prefix=False,
    retries={"total_max_attempts": 1},
    read_timeout=60,
)

# What is outside the part of Lambda that is served is refused by its path, and how such a refusal looks is tested
# elsewhere; a few of them keep the router honest. What streams or sends events cannot be generated.
FOREIGN = {"GetPolicy", "AddPermission", "ListEventSourceMappings", "PutFunctionConcurrency", "ListFunctionUrlConfigs"}
SERVED_BY_LAMBDA = re.compile(
    r"^(Add|Remove)LayerVersionPermission$|^(Create|Get|Update|Delete|List)(Alias|Aliases|CodeSigningConfigs?|Functions?)$"
    r"|CodeSigningConfig$|^(Publish|Get|List|Delete)(LayerVersions?|Layers|Version)$|^GetLayerVersion(ByArn|Policy)$"
    r"|^ListVersionsByFunction$|^(Tag|Untag)Resource$|^ListTags$|^GetAccountSettings$|^GetFunctionConfiguration$"
    r"|^UpdateFunction(Code|Configuration)$"
)


def a_zip(text):
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("handler.py", text)
    return body.getvalue()


class Texts:
    """Random texts of a regular expression, of the forms that the models use."""

    def __init__(self, rng):
        self.rng = rng

    def of(self, pattern):
        return self.sequence(sre_parser.parse(pattern))

    def sequence(self, nodes):
        return "".join(self.node(kind, value) for kind, value in nodes)

    def node(self, kind, value):
        name = str(kind)
        if name == "LITERAL":
            return chr(value)
        if name == "NOT_LITERAL":
            return self.rng.choice([c for c in "abc01-_" if ord(c) != value])
        if name == "ANY":
            return self.rng.choice("abcXYZ019-_/.: äß")
        if name == "IN":
            return self.member(value)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, nodes = value
            most = min(most, least + self.rng.choice([0, 1, 3, 12]))
            return "".join(self.sequence(nodes) for _ in range(self.rng.randint(least, most)))
        if name == "SUBPATTERN":
            return self.sequence(value[-1])
        if name == "BRANCH":
            return self.sequence(self.rng.choice(value[1]))
        if name in ("AT", "ASSERT", "ASSERT_NOT"):
            return ""
        raise ValueError(f"a model has a pattern with {name}")

    def member(self, choices):
        if str(choices[0][0]) == "NEGATE":
            return self.rng.choice("abcXYZ019-_")
        kind, value = self.rng.choice(choices)
        if str(kind) == "RANGE":
            return chr(self.rng.randint(*value))
        if str(kind) == "CATEGORY":
            digits = "DIGIT" in str(value)
            return self.rng.choice("0123456789" if digits else "abc")
        return chr(value)


class Requests:
    """Random inputs of operations."""

    def __init__(self, rng, known):
        self.rng, self.known, self.texts = rng, known, Texts(rng)

    def input(self, operation):
        shape = operation.input_shape
        return {} if shape is None else self.structure(shape, 0)

    def structure(self, shape, depth):
        members = {}
        for name, member in shape.members.items():
            required = name in shape.required_members
            if required and self.rng.random() > 0.02 or not required and self.rng.random() < 0.35:
                members[name] = self.value(name, member, depth + 1)
        return members

    def value(self, name, shape, depth):
        if depth > 6:
            return None
        chance = self.rng.random()
        if chance < 0.03:
            return self.broken(shape)
        if chance < 0.75 and name in self.known:
            return self.rng.choice(self.known[name])
        return self.legal(name, shape, depth)

    def legal(self, name, shape, depth):
        kind = shape.type_name
        if kind == "structure":
            return self.structure(shape, depth)
        if kind == "list":
            return [self.value(name, shape.member, depth + 1) for _ in range(self.count(shape))]
        if kind == "map":
            keys = [self.legal(name, shape.key, depth + 1) for _ in range(self.count(shape))]
            return {key: self.value(name, shape.value, depth + 1) for key in keys}
        if kind == "string":
            return self.text(shape)
        if kind == "blob":
            return self.rng.choice([b"", b"no zip", a_zip("one"), a_zip(str(self.rng.random())), self.rng.randbytes(64)])
        if kind in ("integer", "long"):
            return self.number(shape, 10_000)
        if kind in ("double", "float"):
            least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 1)
            return self.rng.uniform(least, most)
        if kind == "boolean":
            return self.rng.random() < 0.5
        if kind == "timestamp":
            return datetime.now(timezone.utc) + timedelta(days=self.rng.randint(-4000, 4000))
        raise ValueError(f"a model has a member of type {kind}")

    def text(self, shape):
        if shape.enum:
            return self.rng.choice(shape.enum)
        pattern = shape.metadata.get("pattern")
        least = shape.metadata.get("min", 0)
        if pattern:
            text = self.texts.of(pattern)
            return text if len(text) >= least else text + "a" * (least - len(text))
        most = min(shape.metadata.get("max", 40), 40)
        length = self.rng.randint(least, max(least, most))
        return "".join(self.rng.choice("abcXYZ019-_/.: äß𝄞") for _ in range(length))

    def number(self, shape, most):
        metadata = shape.metadata
        choices = [metadata.get("min", 0), metadata.get("max", most), 0, 1, 2, -1, 2**31 - 1]
        return self.rng.choice(choices)

    def count(self, shape):
        return self.rng.choice([shape.metadata.get("min", 0), 1, 2, 3, min(shape.metadata.get("max", 21) + 1, 60)])

    def broken(self, shape):
        texts = ["", "a" * 3000, "\u0000", "../../etc", "%2e%2e", "$LATEST", "arn:aws:lambda", "'\"<>&;", "\U0001f40d", "0"]
        others = [None, 0, -1, 2**63, 1.5, True, [], [[]], {}, {"a": {"b": []}}]
        if shape.type_name in ("string", "blob", "timestamp"):
            return self.rng.choice(texts)
        return self.rng.choice(texts[:3] + others)


class RandomRequests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.clients = {service: boto3.client(service, config=CONFIG) for service in SERVICES}
        cls.known = Things(cls.clients).known()

    def test_no_request_is_answered_with_a_failure_of_the_server(self):
        rng = random.Random(SEED)
        requests = Requests(rng, self.known)
        operations = [
            (service, name) for service in SERVICES for name in self.clients[service].meta.service_model.operation_names
        ]
        operations = [(service, name) for service, name in operations if is_sent(service, name)]
        self.assertGreater(len(operations), 55)
        tally = {}
        for number in range(REQUESTS):
            service, name = operations[number % len(operations)] if number < len(operations) else rng.choice(operations)
            model = self.clients[service].meta.service_model.operation_model(name)
            members = requests.input(model)
            outcome = self.sent(service, name, members)
            tally.setdefault(name, {}).setdefault(outcome, 0)
            tally[name][outcome] += 1
        report(tally)
        # A generator whose requests all fail alike tests nothing.
        succeeded = {name for name, outcomes in tally.items() if 200 in outcomes}
        self.assertGreater(len(succeeded), 25, succeeded)

    def sent(self, service, name, members):
        client = self.clients[service]
        try:
            response = client._make_api_call(name, members)
        except botocore.exceptions.ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            self.assertLess(status, 500, f"{name}({members!r:.2000}) -> {error.response}")
            self.assertGreaterEqual(status, 400, f"{name}({members!r:.2000}) -> {error.response}")
            self.assertIn("x-amzn-errortype", error.response["ResponseMetadata"]["HTTPHeaders"], name)
            return status
        except (botocore.exceptions.ResponseParserError, botocore.exceptions.HTTPClientError, Warning) as error:
            self.fail(f"{name}({members!r:.2000}) -> {error!r}")
        except Exception:
            # A value of a type that no serializer takes was never sent.
            return "unsent"
        self.assertLess(response["ResponseMetadata"]["HTTPStatusCode"], 300, f"{name}({members!r:.2000})")
        return 200


class Things:
    """What requests can be about: made here, with the words by which the models name it."""

    def __init__(self, clients):
        self.signer, self.functions = clients["signer"], clients["lambda"]
        self.s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))

    def known(self):
        profile = self.profile()
        bucket, key, version = self.package()
        config = self.functions.create_code_signing_config(
            AllowedPublishers={"SigningProfileVersionArns": [profile["profileVersionArn"]]}
        )["CodeSigningConfig"]["CodeSigningConfigArn"]
        function = self.function()
        layer = self.functions.publish_layer_version(LayerName="random", Content={"ZipFile": a_zip("layer")})
        return {
            "profileName": ["random", "random_other"],
            "profileVersion": [profile["profileVersion"]],
            "platformId": ["Countersign-SHA384-ECDSA", "AWSLambda-SHA384-ECDSA", "Notation-OCI-SHA384-ECDSA"],
            "bucketName": [bucket],
            "key": [key],
            "version": [version],
            "jobId": [self.job(profile, bucket, key, version)],
            "resourceArn": [profile["arn"]],
            "profileVersionArn": [profile["profileVersionArn"]],
            "principal": ["111122223333", "arn:aws:iam::111122223333:role/ci"],
            "action": ["signer:StartSigningJob", "signer:GetSigningProfile"],
            "FunctionName": ["random", function, function + ":live", "random:1", "function:random", "random-other"],
            "FunctionVersion": ["1", "$LATEST", "2"],
            "Name": ["live", "other"],
            "Qualifier": ["live", "1", "$LATEST"],
            "CodeSigningConfigArn": [config],
            "SigningProfileVersionArns": [profile["profileVersionArn"]],
            "Resource": [function, config],
            "LayerName": ["random", layer["LayerArn"]],
            "VersionNumber": [1, 2],
            "Arn": [layer["LayerVersionArn"]],
            "Layers": [[layer["LayerVersionArn"]]],
            "S3Bucket": [bucket],
            "S3Key": [key],
            "S3ObjectVersion": [version],
            "Code": [{"ZipFile": a_zip("code")}, {"S3Bucket": bucket, "S3Key": key, "S3ObjectVersion": version}],
            "Content": [{"ZipFile": a_zip("content")}, {"S3Bucket": bucket, "S3Key": key}],
            "ZipFile": [a_zip("other code")],
            "Role": ["arn:aws:iam::000000000000:role/random"],
            "Principal": ["*", "111122223333"],
            "PackageType": ["Zip"],
        }

    def profile(self):
        try:
            return self.signer.put_signing_profile(profileName="random", platformId="Countersign-SHA384-ECDSA")
        except botocore.exceptions.ClientError:
            return self.signer.get_signing_profile(profileName="random")

    def package(self):
        bucket = "random-requests"
        try:
            self.s3.create_bucket(Bucket=bucket)
        except botocore.exceptions.ClientError:
            pass
        self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        version = self.s3.put_object(Bucket=bucket, Key="package.zip", Body=a_zip("package"))["VersionId"]
        return bucket, "package.zip", version

    def job(self, profile, bucket, key, version):
        return self.signer.start_signing_job(
            source={"s3": {"bucketName": bucket, "key": key, "version": version}},
            destination={"s3": {"bucketName": bucket, "prefix": "signed/"}},
            profileName="random",
            clientRequestToken="random-requests",
        )["jobId"]

    def function(self):
        try:
            made = self.functions.create_function(
                FunctionName="random",
                Role="arn:aws:iam::000000000000:role/random",
                Runtime="python3.13",
                Handler="handler.main",
                Code={"ZipFile": a_zip("function")},
                Publish=True,
            )
            self.functions.create_alias(FunctionName="random", Name="live", FunctionVersion="1")
        except botocore.exceptions.ClientError:
            made = self.functions.get_function_configuration(FunctionName="random")
        return made["FunctionArn"]


def is_sent(service, name):
    return service == "signer" or name in FOREIGN or SERVED_BY_LAMBDA.search(name)


def report(tally):
    for name, outcomes in sorted(tally.items()):
        told = ", ".join(f"{outcome}: {count}" for outcome, count in sorted(outcomes.items(), key=str))
        print(f"{name}: {told}", file=sys.stderr)


if __name__ == "__main__":
    warnings.simplefilter("error")
    unittest.main()
