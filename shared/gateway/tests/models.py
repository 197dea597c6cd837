"""Random valid parameters and replies, made from botocore's own models."""

import datetime
import os
import random
import re
import string
import sys

import botocore.session

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from generate import LAMBDA  # noqa: E402

SESSION = botocore.session.get_session()

# Values for shapes whose pattern says more than a set of characters.
LAMBDA_ARN = "arn:aws:lambda:us-east-1:111111111111:"
SAMPLES = {
    "AccountId": ["111111111111"],
    "ProfileName": ["my_profile", "A1"],
    "ProfileVersion": ["UqFTRcZGNs"],
    "TagKey": ["team", "a:b/c=d"],
    "AdditionalVersion": ["1", "42"],
    "Alias": ["live", "v1-x_y"],
    "Arn": ["arn:aws:signer:us-east-1:111111111111:/signing-profiles/my_profile/UqFTRcZGNs"],
    "CapacityProviderArn": [LAMBDA_ARN + "capacity-provider:c"],
    "CodeSigningConfigArn": [LAMBDA_ARN + "code-signing-config:csc-0123456789abcdef0"],
    "EnvironmentVariableName": ["PATH_x", "aB"],
    "FileSystemArn": ["arn:aws:elasticfilesystem:us-east-1:111111111111:access-point/fsap-0123456789abcdef0"],
    "FunctionName": ["my-function", LAMBDA_ARN + "function:my-function:live"],
    "NamespacedFunctionName": ["my-function", LAMBDA_ARN + "function:my-function"],
    "Handler": ["index.handler"],
    "KMSKeyArn": ["arn:aws:kms:us-east-1:111111111111:key/a-b", ""],
    "LayerName": ["my-layer", LAMBDA_ARN + "layer:my-layer"],
    "LayerPermissionAllowedAction": ["lambda:GetLayerVersion"],
    "LayerPermissionAllowedPrincipal": ["*", "111111111111"],
    "LayerVersionArn": [LAMBDA_ARN + "layer:my-layer:3"],
    "LocalMountPath": ["/mnt/data-1"],
    "LogGroup": ["/aws/lambda/f#1"],
    "MasterRegion": ["ALL", "us-east-1"],
    "NumericLatestPublishedOrAliasQualifier": ["$LATEST", "live"],
    "OrganizationId": ["o-a1b2c3d4e5"],
    "ResourceArn": ["arn:aws:sqs:us-east-1:111111111111:q"],
    "RoleArn": ["arn:aws:iam::111111111111:role/service/r+1@x"],
    "S3Bucket": ["my.bucket-1"],
    "StatementId": ["s-1_x"],
    "TaggableResource": [LAMBDA_ARN + "function:my-function", LAMBDA_ARN + "code-signing-config:csc-0123456789abcdef0"],
    "VersionWithLatestPublished": ["$LATEST", "7"],
}

TEXT = string.ascii_letters + string.digits + " -_.~/:+%&=?#'\"äß€😀,;@*()[]{}|\\<>\u00a0"


def operations(service):
    model = SESSION.get_service_model(service)
    names = LAMBDA if service == "lambda" else model.operation_names
    return [model.operation_model(name) for name in sorted(names)]


class Values:
    """Valid values of shapes, from one source of randomness."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def structure(self, shape, always=(), depth=0, reply=False):
        members = {}
        for name, member in shape.members.items():
            if reply and member.serialization.get("location"):
                continue
            needed = name in shape.required_members or name in always
            if needed or (depth < 6 and self.random.random() < 0.6):
                members[name] = self.value(member, depth + 1, reply)
        return members

    def value(self, shape, depth=0, reply=False):
        kind, facts = shape.type_name, shape.metadata
        if kind == "structure":
            return self.structure(shape, depth=depth, reply=reply)
        if kind == "list":
            least = facts.get("min") or 0
            count = self.random.randint(least, max(least, min(facts.get("max") or 3, 3)))
            # An empty list in a query is not sent at all.
            return [self.value(shape.member, depth + 1, reply) for _ in range(max(count, 1))]
        if kind == "map":
            return {self.value(shape.key, depth + 1, reply): self.value(shape.value, depth + 1, reply)
                    for _ in range(self.random.randint(1, 3))}
        if kind == "string":
            return self.text(shape)
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind in ("integer", "long"):
            return self.random.randint(facts.get("min", -5), facts.get("max", 100_000))
        if kind in ("double", "float"):
            return round(self.random.uniform(facts.get("min", 0.0), facts.get("max", 9.0)), 3)
        if kind == "timestamp":
            return datetime.datetime.fromtimestamp(self.random.randint(0, 4_000_000_000), datetime.timezone.utc)
        if kind == "blob":
            return self.random.randbytes(self.random.randint(1, 40))
        raise AssertionError(kind)

    def text(self, shape):
        if getattr(shape, "enum", None):
            return self.random.choice(shape.enum)
        pattern = shape.metadata.get("pattern")
        if pattern:
            if shape.name not in SAMPLES:
                # A member of a reply, whose patterns nobody checks.
                return "x"
            value = self.random.choice(SAMPLES[shape.name])
            assert re.fullmatch(pattern, value), (shape.name, value)
            return value
        least = shape.metadata.get("min") or 0
        length = self.random.randint(max(least, 1), max(least, min(shape.metadata.get("max") or 24, 24)))
        # A label that is a dot segment would be another path.
        return "x" + "".join(self.random.choice(TEXT) for _ in range(length - 1))
