"""Prints requests as botocore makes and signs them, one JSON object a line: every operation, with random valid
parameters, signed in the header and, where it has no body, presigned. `params` is what must arrive."""

import base64
import datetime
import json
import sys
import urllib.parse

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest, prepare_request_dict
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from botocore.serialize import create_serializer

import models

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
ENDPOINT = "http://gateway.test:4566"


def plain(value):
    """Parameters as the gateway's map has them."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return int(value.timestamp())
    return value


def request_of(operation, params):
    serialized = create_serializer("rest-json", False).serialize_to_request(params, operation)
    serialized["headers"] = dict(serialized["headers"])
    serialized["headers"]["User-Agent"] = "not signed"
    prepare_request_dict(serialized, ENDPOINT, context={"client_region": "us-east-1"})
    return AWSRequest(method=serialized["method"], url=serialized["url"], headers=HTTPHeaders.from_pairs(
        list(serialized["headers"].items())), data=serialized["body"] or b"")


def printed(operation, service, request, params, way):
    prepared = request.prepare()
    url = urllib.parse.urlsplit(prepared.url)
    body = prepared.body or b""
    body = body.encode() if isinstance(body, str) else bytes(body)
    headers = [[name, value.decode("latin-1") if isinstance(value, bytes) else str(value)]
               for name, value in prepared.headers.items()]
    if not any(name.lower() == "host" for name, _ in headers):
        headers.append(["Host", url.netloc])
    print(json.dumps({
        "way": way, "service": service, "operation": operation.name, "method": prepared.method,
        "uri": url.path + ("?" + url.query if url.query else ""), "headers": headers,
        "body": base64.b64encode(body).decode(), "params": plain(params),
    }))


def main(seed, rounds):
    for round_ in range(rounds):
        for service in ("signer", "lambda"):
            values = models.Values(f"{seed}/{round_}/{service}")
            for operation in models.operations(service):
                shape = operation.input_shape
                params = values.structure(shape) if shape else {}
                request = request_of(operation, params)
                request.headers.add_header("X-Amz-Meta-Spaced", "  a   b ")
                if values.random.random() < 0.3:
                    # Then botocore writes its date here, and no X-Amz-Date.
                    request.headers.add_header("Date", "now")
                SigV4Auth(KEYS, service, "us-east-1").add_auth(request)
                printed(operation, service, request, params, "header")
                request = request_of(operation, params)
                # When it presigns, botocore keeps one value of each key.
                names = [name for name, _ in urllib.parse.parse_qsl(urllib.parse.urlsplit(request.url).query)]
                if not request.data and len(names) == len(set(names)):
                    SigV4QueryAuth(KEYS, service, "us-east-1", expires=600).add_auth(request)
                    printed(operation, service, request, params, "presigned")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
