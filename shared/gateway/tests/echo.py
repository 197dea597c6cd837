"""boto3 against an echo of the gateway: each operation's parameters arrive as they were given, and a reply that is made
from the model is parsed back to what it was made from. Also the errors, as a user of boto3 sees them."""

import datetime
import json
import os
import sys
import urllib.request

import boto3
from botocore import UNSIGNED, xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

import models
import signed

URL = os.environ["AWS_ENDPOINT_URL"]


def client(service, **options):
    checked = options.pop("checked", True)
    config = Config(retries={"max_attempts": 0}, inject_host_prefix=False, parameter_validation=checked)
    return boto3.client(service, endpoint_url=URL, config=config, **options)


def side(path, body=None):
    """What the test server tells, or takes, beside the gateway."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + path, data=data)) as answer:
        return json.loads(answer.read() or b"null")


def equal(parsed, made, shape, path=""):
    if shape.type_name == "structure":
        assert set(parsed) == set(made), (path, set(parsed) ^ set(made))
        for name in made:
            equal(parsed[name], made[name], shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        assert len(parsed) == len(made), path
        for one, other in zip(parsed, made):
            equal(one, other, shape.member, path + "[]")
    elif shape.type_name == "timestamp":
        assert parsed.astimezone(datetime.timezone.utc) == made, (path, parsed, made)
    else:
        assert parsed == made, (path, parsed, made)


def every_operation():
    count = 0
    for service in ("signer", "lambda"):
        api = client(service)
        for round_ in range(int(os.environ.get("ROUNDS", "3"))):
            values = models.Values(f"echo/{round_}/{service}")
            for operation in models.operations(service):
                params = values.structure(operation.input_shape) if operation.input_shape else {}
                output = operation.output_shape
                reply = values.structure(output, reply=True) if output else {}
                side("/__reply", signed.plain(reply))
                answer = getattr(api, xform_name(operation.name))(**params)
                heard = side("/__heard")
                assert heard["operation"] == operation.name, heard
                given = signed.plain(params)
                arrived = heard["input"]
                token = next((name for name, shape in operation.input_shape.members.items()
                              if shape.metadata.get("idempotencyToken")), None) if operation.input_shape else None
                if token and token not in given:
                    arrived.pop(token)
                assert arrived == given, (operation.name, arrived, given)
                metadata = answer.pop("ResponseMetadata")
                assert metadata["HTTPStatusCode"] == operation.http.get("responseCode", 200), operation.name
                assert len(metadata["RequestId"]) == 36, metadata
                answer.pop("StatusCode", None)
                if output and operation.http.get("responseCode") != 204:
                    equal(answer, reply, output, operation.name)
                count += 1
    print(f"{count} calls")


def refused(code, status, call, text=None, **params):
    try:
        call(**params)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error.response
        if text:
            assert text in error.response["Error"]["Message"], error.response
        return error
    raise AssertionError(f"not refused: {code}")


def errors():
    signer, functions = client("signer", checked=False), client("lambda", checked=False)
    message = "1 validation error detected: Value 'a-b' at 'profileName' failed to satisfy constraint: Member must"
    error = refused("ValidationException", 400, signer.get_signing_profile, message, profileName="a-b")
    assert isinstance(error, signer.exceptions.ValidationException), type(error)
    assert error.response["code"] == "ValidationException", error.response
    refused("ValidationException", 400, functions.create_alias, "at 'name'",
            FunctionName="f", Name="2024", FunctionVersion="1")
    refused("AccessDeniedException", 403, functions.invoke,
            "Unable to determine service/operation name to be authorized", FunctionName="f")
    side("/__fail", {"class": "ResourceNotFoundException"})
    error = refused("ResourceNotFoundException", 404, functions.get_function, "gone", FunctionName="f")
    assert isinstance(error, functions.exceptions.ResourceNotFoundException)
    assert error.response["Type"] == "User" and error.response["Message"] == "gone", error.response
    side("/__fail", {"class": "panic"})
    refused("ServiceException", 500, functions.get_function, FunctionName="f")
    side("/__fail", {"class": "sleep"})
    refused("InternalServiceErrorException", 500, signer.get_signing_profile, profileName="ab")


def authentication():
    other = client("signer", aws_access_key_id="AKIDUNKNOWN", aws_secret_access_key="x")
    refused("UnrecognizedClientException", 403, other.list_signing_profiles,
            "The security token included in the request is invalid.")
    other = client("signer", aws_secret_access_key="wrong", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"])
    refused("InvalidSignatureException", 403, other.list_signing_profiles, "does not match the signature you provided")
    other = client("signer", region_name="eu-west-1")
    refused("InvalidSignatureException", 403, other.list_signing_profiles,
            "Credential should be scoped to a valid region")
    other = client("signer", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], aws_session_token="t",
                   aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"])
    refused("UnrecognizedClientException", 403, other.list_signing_profiles, "no session tokens")
    other = client("mq")
    refused("InvalidSignatureException", 403, other.list_brokers, "Credential should be scoped to correct service")
    unsigned = Config(signature_version=UNSIGNED, retries={"max_attempts": 0})
    other = boto3.client("signer", endpoint_url=URL, config=unsigned)
    refused("MissingAuthenticationTokenException", 403, other.list_signing_profiles, "Missing Authentication Token")


def limits():
    functions = client("lambda", checked=False)
    large = {"FunctionName": "f", "Role": "arn:aws:iam::111111111111:role/r", "Code": {"ZipFile": bytes(53_000_000)}}
    refused("RequestEntityTooLargeException", 413, functions.create_function,
            "Request must be smaller than 70167211 bytes for the CreateFunction operation", **large)
    large["Code"]["ZipFile"] = bytes(52_000_000)
    side("/__reply", {"FunctionName": "f"})
    assert functions.create_function(**large)["FunctionName"] == "f"
    signer = client("signer")
    job = {"source": {"s3": {"bucketName": "b", "key": "k.zip", "version": "v"}},
           "destination": {"s3": {"bucketName": "b"}}, "profileName": "ab"}
    throttled = None
    for _ in range(400):
        try:
            signer.start_signing_job(**job)
        except ClientError as error:
            throttled = error.response
            break
    assert throttled["Error"]["Code"] == "ThrottlingException", throttled
    assert throttled["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1", throttled


for name in sys.argv[1:]:
    globals()[name]()
