"""What the suites of the Signer API share: clients of an installation that the environment names, and what they sign."""

import io
import os
import unittest
import uuid
import zipfile

import boto3
import botocore.config
from botocore.exceptions import ClientError

LAMBDA = "AWSLambda-SHA384-ECDSA"
ECDSA = "Countersign-SHA384-ECDSA"


def client(service, holder="AWS"):
    """A client with the access key of `holder`, which retries nothing, so that every answer is seen."""
    # The host of GetRevocationStatus would begin with `data-`, which no endpoint of one's own has.
    config = botocore.config.Config(inject_host_prefix=False, retries={"total_max_attempts": 1})
    return boto3.client(
        service,
        config=config,
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
        region_name=os.environ["AWS_DEFAULT_REGION"],
        aws_access_key_id=os.environ[f"{holder}_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ[f"{holder}_SECRET_ACCESS_KEY"],
    )


def new_name(stem="profile"):
    """A name that no other test has."""
    return f"{stem}_{uuid.uuid4().hex[:12]}"


def package(text="1"):
    """A zip with one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("handler.py", f"def handler(event, context):\n    return {text!r}\n")
    return out.getvalue()


class SignerTest(unittest.TestCase):
    """A test against the installation, as its administrator."""

    @classmethod
    def setUpClass(cls):
        cls.signer, cls.s3 = client("signer"), client("s3")

    @classmethod
    def tearDownClass(cls):
        cls.signer.close()
        cls.s3.close()

    def profile(self, name=None, platform=LAMBDA, **settings):
        """A new profile: its name, and what PutSigningProfile answered."""
        name = name or new_name()
        return name, self.signer.put_signing_profile(profileName=name, platformId=platform, **settings)

    def bucket(self, versioned=True):
        name = f"b-{uuid.uuid4().hex[:16]}"
        self.s3.create_bucket(Bucket=name)
        if versioned:
            enabled = {"Status": "Enabled"}
            self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=enabled)
        return name

    def source(self, bucket, key="in/function.zip", body=None):
        """Puts a package, and gives it as StartSigningJob takes it."""
        body = package(uuid.uuid4().hex) if body is None else body
        version = self.s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]
        return {"s3": {"bucketName": bucket, "key": key, "version": version}}

    def refused(self, status, error, call, message=None, code=None, **arguments):
        """Calls what must be refused so, and gives the text of the refusal."""
        with self.assertRaises(ClientError) as raised:
            call(**arguments)
        response = raised.exception.response
        told = (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"])
        self.assertEqual(told, (status, error), response)
        if message is not None:
            self.assertEqual(response["Error"]["Message"], message)
        if code is not None:
            self.assertEqual(response["code"], code)
        self.assertTrue(response["ResponseMetadata"]["RequestId"])
        return response["Error"]["Message"]

    def denied(self, call, **arguments):
        """Calls what must be denied."""
        message = self.refused(403, "AccessDeniedException", call, **arguments)
        self.assertIn("is not authorized to perform: signer:", message)
