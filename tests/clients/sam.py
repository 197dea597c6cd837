"""What `sam package --signing-profiles` and `sam deploy` ask for, in their order (samcli/lib/package/code_signer.py)."""

import os
import unittest

from signer_support import SignerTest, new_name, package


class Sam(SignerTest):
    def test_a_package_is_uploaded_signed_awaited_and_named(self):
        name, _ = self.profile(new_name("sam"))
        bucket = self.bucket()
        key = "stack/0123456789abcdef.zip"
        self.s3.put_object(Bucket=bucket, Key=key, Body=package())
        # SAM does not keep the version that the upload told, and asks for it.
        version = self.s3.get_object_tagging(Bucket=bucket, Key=key)["VersionId"]
        job = self.signer.start_signing_job(
            source={"s3": {"bucketName": bucket, "key": key, "version": version}},
            destination={"s3": {"bucketName": bucket, "prefix": f"{os.path.dirname(key)}/signed_"}},
            profileName=name,
        )["jobId"]
        waiter = self.signer.get_waiter("successful_signing_job")
        waiter.wait(jobId=job, WaiterConfig={"Delay": 1})
        told = self.signer.describe_signing_job(jobId=job)
        self.assertEqual(told["status"], "Succeeded")
        signed = told["signedObject"]["s3"]
        self.assertEqual(signed["bucketName"], bucket)
        self.assertEqual(signed["key"], f"stack/signed_{job}.zip")
        self.assertTrue(self.s3.head_object(Bucket=bucket, Key=signed["key"])["ContentLength"])

    def test_a_version_that_is_not_there_is_refused(self):
        name, _ = self.profile(new_name("sam"))
        bucket = self.bucket(versioned=False)
        self.s3.put_object(Bucket=bucket, Key="a.zip", Body=package())
        self.assertNotIn("VersionId", self.s3.get_object_tagging(Bucket=bucket, Key="a.zip"))
        self.refused(
            400,
            "ValidationException",
            self.signer.start_signing_job,
            source={"s3": {"bucketName": bucket, "key": "a.zip", "version": ""}},
            destination={"s3": {"bucketName": bucket, "prefix": "signed/"}},
            profileName=name,
        )


if __name__ == "__main__":
    unittest.main()
