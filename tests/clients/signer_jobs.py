"""Signing jobs and revocation through the Signer API, as boto3 sees them: from StartSigningJob to a package that verifies."""

import datetime
import os
import subprocess
import tempfile
import unittest
import uuid

from botocore.exceptions import WaiterError

from signer_support import ECDSA, LAMBDA, SignerTest, client, new_name

UTC = datetime.timezone.utc
INVALID, HASHES = "InvalidJobParameters", ["ab" * 96]


def ago(**time):
    return datetime.datetime.now(UTC).replace(microsecond=0) - datetime.timedelta(**time)


class JobTest(SignerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buckets = SignerTest.bucket(cls), SignerTest.bucket(cls)

    def start(self, profile, signer=None, prefix="signed/", source=None, **more):
        arguments = {"source": source or self.source(self.buckets[0]), "profileName": profile, **more}
        destination = {"s3": {"bucketName": self.buckets[1], "prefix": prefix}}
        return (signer or self.signer).start_signing_job(**{"destination": destination, **arguments})["jobId"]

    def ended(self, job, signer=None):
        """The job once it ended."""
        waiter = (signer or self.signer).get_waiter("successful_signing_job")
        waiter.wait(jobId=job, WaiterConfig={"Delay": 0.2, "MaxAttempts": 200})
        return self.described(job, signer)

    def described(self, job, signer=None):
        described = (signer or self.signer).describe_signing_job(jobId=job)
        del described["ResponseMetadata"]
        return described

    def signed(self, profile, **more):
        """A new job that succeeded."""
        return self.ended(self.start(profile, **more))

    def failed(self, profile, body):
        job = self.start(profile, source=self.source(self.buckets[0], body=body))
        with self.assertRaises(WaiterError):
            self.ended(job)
        return self.described(job)


class Starting(JobTest):
    def test_a_package_is_signed_and_verifies(self):
        for platform in [LAMBDA, ECDSA, "Countersign-SHA256-RSA"]:
            with self.subTest(platform):
                name, put = self.profile(platform=platform)
                source = self.source(self.buckets[0])
                begun = ago(seconds=1)
                job = self.signed(name, source=source, prefix="dir/signed_")
                key = f"dir/signed_{job['jobId']}.zip"
                created, completed, expires = (job.pop(at) for at in ["createdAt", "completedAt", "signatureExpiresAt"])
                self.assertTrue(begun <= created <= completed < expires)
                self.assertIn((expires.year - completed.year) * 12 + expires.month - completed.month, [135])
                requested_by = job.pop("requestedBy")
                self.assertRegex(requested_by, "^arn:aws:iam::[0-9]{12}:user/")
                account = requested_by.split(":")[4]
                self.assertEqual(job, {
                    "jobId": job["jobId"], "source": source, "platformId": platform,
                    "platformDisplayName": job["platformDisplayName"], "profileName": name,
                    "profileVersion": put["profileVersion"], "status": "Succeeded",
                    "statusReason": "Signing Succeeded",
                    "signedObject": {"s3": {"bucketName": self.buckets[1], "key": key}},
                    "jobOwner": account, "jobInvoker": account,
                })
                self.verify(key, put["arn"])

    def verify(self, key, publisher):
        with tempfile.NamedTemporaryFile(suffix=".zip") as file:
            file.write(self.s3.get_object(Bucket=self.buckets[1], Key=key)["Body"].read())
            file.flush()
            arguments = ["--trust-root", os.environ["TRUST_ROOT"], "--allowed-publisher", publisher]
            verified = subprocess.run([os.environ["COUNTERSIGN"], "verify", file.name, *arguments],
                                      capture_output=True, text=True, check=False)
            self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)

    def test_a_job_is_there_once_it_was_answered(self):
        name, _ = self.profile()
        source = self.source(self.buckets[0])
        for _ in range(20):
            job = self.start(name, source=source)
            self.assertIn(self.described(job)["status"], ["InProgress", "Succeeded"])

    def test_the_same_token_is_the_same_job(self):
        name, _ = self.profile()
        request = {"source": self.source(self.buckets[0]), "clientRequestToken": uuid.uuid4().hex}
        job = self.start(name, **request)
        self.assertEqual(self.start(name, **request), job)
        self.ended(job)
        self.signer.cancel_signing_profile(profileName=name)
        self.assertEqual(self.start(name, **request), job)

    def test_a_token_with_other_parameters_is_refused(self):
        name, other = self.profile()[0], self.profile()[0]
        source, token = self.source(self.buckets[0]), uuid.uuid4().hex
        self.start(name, source=source, clientRequestToken=token)
        for profile, changed in [(name, {"prefix": "elsewhere/"}), (other, {}),
                                 (name, {"source": self.source(self.buckets[0])})]:
            self.refused(400, "ValidationException", self.start, code=INVALID, profile=profile,
                         **{"source": source, "clientRequestToken": token, **changed})

    def test_parameters_that_are_empty_are_refused_in_the_words_of_aws(self):
        name, _ = self.profile()
        source = self.source(self.buckets[0])["s3"]
        for member in ["version", "key", "bucketName"]:
            self.refused(400, "ValidationException", self.start, code=INVALID, profile=name,
                         source={"s3": {**source, member: ""}},
                         message=f"StartSigningJobRequest:source:{member} should not be empty")
        self.refused(400, "ValidationException", self.start, code=INVALID, profile=name, destination={"s3": {}},
                     message="StartSigningJobRequest:destination:bucketName should not be empty")
        self.refused(400, "ValidationException", self.start, code=INVALID, profile=name, clientRequestToken="")

    def test_a_source_that_cannot_be_signed_is_refused(self):
        name, _ = self.profile()
        source = self.source(self.buckets[0])["s3"]
        unversioned = self.bucket(versioned=False)
        for changed in [self.source(self.buckets[0], key="function.jar")["s3"], {**source, "version": "unknown"},
                        {**source, "key": "nothing.zip"}, {**source, "bucketName": "no-such-bucket-here"},
                        {**source, "bucketName": unversioned}, {**source, "bucketName": "No_Bucket"}]:
            with self.subTest(changed):
                self.refused(400, "ValidationException", self.start, code=INVALID, profile=name,
                             source={"s3": changed})

    def test_a_destination_that_keeps_no_versions_is_refused(self):
        name, _ = self.profile()
        for bucket in [self.bucket(versioned=False), "no-such-bucket-here"]:
            self.refused(400, "ValidationException", self.start, code=INVALID, profile=name,
                         destination={"s3": {"bucketName": bucket}})
        self.refused(400, "ValidationException", self.start, code=INVALID, profile=name, prefix="p" * 1024)

    def test_only_an_active_profile_signs(self):
        canceled, revoked = self.profile()[0], self.profile()
        self.signer.cancel_signing_profile(profileName=canceled)
        self.signer.revoke_signing_profile(profileName=revoked[0], profileVersion=revoked[1]["profileVersion"],
                                           reason="why", effectiveTime=ago(hours=1))
        for name in [canceled, revoked[0]]:
            self.refused(400, "ValidationException", self.start, profile=name)
        self.refused(404, "ResourceNotFoundException", self.start, profile=new_name())

    def test_a_package_that_the_gate_refuses_fails_with_the_reason(self):
        name, _ = self.profile()
        job = self.failed(name, b"not a zip")
        self.assertEqual(job["status"], "Failed")
        self.assertNotIn("signedObject", job)
        self.assertNotIn("signatureExpiresAt", job)
        self.assertTrue(job["statusReason"])
        self.assertIn("completedAt", job)

    def test_a_package_that_is_signed_already_fails(self):
        name, _ = self.profile()
        signed = self.signed(name)["signedObject"]["s3"]
        body = self.s3.get_object(Bucket=signed["bucketName"], Key=signed["key"])["Body"].read()
        self.assertIn("already_signed", self.failed(name, body)["statusReason"])

    def test_the_callers_own_rights_to_objects_decide(self):
        name, ci = self.profile()[0], client("signer", "CI")
        self.addCleanup(ci.close)
        allowed = self.source(self.buckets[0], key="allowed/function.zip")
        self.ended(self.start(name, ci, source=allowed, prefix="out/"), ci)
        elsewhere = self.source(self.buckets[0], key="elsewhere/function.zip")
        for action, source, prefix in [("GetObjectVersion", elsewhere, "out/"), ("PutObject", allowed, "signed/")]:
            message = self.refused(403, "AccessDeniedException", self.start, profile=name, signer=ci, source=source,
                                   prefix=prefix)
            self.assertIn(f"not authorized to perform: s3:{action} on resource: arn:aws:s3:::", message)

    def test_a_token_of_somebody_else_in_the_account_is_not_theirs(self):
        name, ci = self.profile()[0], client("signer", "CI")
        self.addCleanup(ci.close)
        request = {"source": self.source(self.buckets[0], key="allowed/function.zip"), "prefix": "out/",
                   "clientRequestToken": uuid.uuid4().hex}
        self.start(name, **request)
        self.refused(400, "ValidationException", self.start, code=INVALID, profile=name, signer=ci, **request)

    def test_no_platform_signs_payloads(self):
        payload = {"payload": b"{}", "payloadFormat": "application/vnd.cncf.notary.payload.v1+json"}
        self.refused(400, "ValidationException", self.signer.sign_payload, profileName=self.profile()[0], **payload)
        self.refused(404, "ResourceNotFoundException", self.signer.sign_payload, profileName=new_name(), **payload)


class Listing(JobTest):
    def ids(self, **filters):
        pages = self.signer.get_paginator("list_signing_jobs").paginate(**filters)
        return [job["jobId"] for page in pages for job in page["jobs"]]

    def test_an_unknown_job_does_not_exist(self):
        for job in [str(uuid.uuid4()), "no-uuid", "a b"]:
            self.refused(404, "ResourceNotFoundException", self.signer.describe_signing_job, jobId=job)

    def test_every_filter_filters(self):
        short, _ = self.profile(signatureValidityPeriod={"value": 1, "type": "DAYS"})
        lasting, _ = self.profile(platform=ECDSA)
        soon, late = self.signed(short)["jobId"], self.signed(lasting)["jobId"]
        broken = self.failed(short, b"not a zip")["jobId"]
        self.signer.revoke_signature(jobId=late, reason="why")
        mine = {soon, late, broken}
        account = self.described(soon)["jobOwner"]
        user = self.described(soon)["requestedBy"]
        in_a_week = datetime.datetime.now(UTC) + datetime.timedelta(days=7)
        for filters, expected in [
            ({}, mine), ({"status": "Succeeded"}, {soon, late}), ({"status": "Failed"}, {broken}),
            ({"status": "InProgress"}, set()), ({"platformId": ECDSA}, {late}),
            ({"platformId": "unknown"}, set()), ({"requestedBy": user}, mine),
            ({"requestedBy": f"{user}x"}, set()), ({"requestedBy": "nobody"}, set()),
            ({"jobInvoker": account}, mine), ({"jobInvoker": "999999999998"}, set()),
            ({"isRevoked": True}, {late}), ({"isRevoked": False}, {soon, broken}),
            ({"signatureExpiresBefore": in_a_week}, {soon}), ({"signatureExpiresAfter": in_a_week}, {late}),
            ({"status": "Succeeded", "platformId": LAMBDA, "isRevoked": False}, {soon}),
        ]:
            with self.subTest(filters):
                self.assertEqual(mine & set(self.ids(**filters)), expected)

    def test_pages_hold_each_job_once_while_jobs_are_added(self):
        name, _ = self.profile(platform=ECDSA)
        source = self.source(self.buckets[0])
        jobs = [self.start(name, source=source) for _ in range(5)]
        listed, token = [], {}
        while True:
            page = self.signer.list_signing_jobs(platformId=ECDSA, maxResults=2, **token)
            self.assertLessEqual(len(page["jobs"]), 2)
            listed += [job["jobId"] for job in page["jobs"]]
            if "nextToken" not in page:
                break
            token = {"nextToken": page["nextToken"]}
            self.start(name, source=source)
        self.assertEqual(len(listed), len(set(listed)))
        self.assertEqual([job for job in listed if job in jobs], jobs[::-1])

    def test_an_item_of_the_listing_has_the_members_of_aws(self):
        name, _ = self.profile()
        job = self.signed(name)
        for member in ["completedAt", "requestedBy", "statusReason"]:
            del job[member]
        page = self.signer.list_signing_jobs(status="Succeeded", isRevoked=False)
        self.assertIn({**job, "isRevoked": False}, page["jobs"])


class Revoking(JobTest):
    def status(self, put, job, at=None, **changed):
        arn = put["arn"].rsplit("/", 2)[0] + f"/signing-jobs/{job}"
        request = {"signatureTimestamp": at or ago(seconds=0), "platformId": LAMBDA, "jobArn": arn,
                   "profileVersionArn": put["profileVersionArn"], "certificateHashes": HASHES, **changed}
        return arn, self.signer.get_revocation_status(**request)["revokedEntities"]

    def test_a_revoked_signature_says_who_and_why(self):
        name, put = self.profile()
        job = self.signed(name)["jobId"]
        self.assertEqual(self.status(put, job)[1], [])
        self.signer.revoke_signature(jobId=job, reason="a bad build")
        record = self.described(job)["revocationRecord"]
        self.assertEqual(record["reason"], "a bad build")
        self.assertRegex(record["revokedBy"], "^arn:aws:iam::")
        self.signer.revoke_signature(jobId=job, reason="again")
        self.assertEqual(self.described(job)["revocationRecord"], record)
        arn, revoked = self.status(put, job)
        self.assertEqual(revoked, [arn])

    def test_only_a_signature_can_be_revoked(self):
        name, _ = self.profile()
        broken = self.failed(name, b"not a zip")["jobId"]
        self.refused(400, "ValidationException", self.signer.revoke_signature, jobId=broken, reason="why")
        for job in [str(uuid.uuid4()), "no-uuid"]:
            self.refused(404, "ResourceNotFoundException", self.signer.revoke_signature, jobId=job, reason="why")
        job = self.signed(name)["jobId"]
        self.refused(404, "ResourceNotFoundException", self.signer.revoke_signature, jobId=job, reason="why",
                     jobOwner="999999999999")
        self.refused(400, "ValidationException", self.signer.revoke_signature, jobId=job, reason="r" * 501)

    def test_a_revoked_profile_version_is_revoked_from_its_effective_time_on(self):
        name, put = self.profile()
        job = self.signed(name)["jobId"]
        at = ago(hours=1)
        self.signer.revoke_signing_profile(profileName=name, profileVersion=put["profileVersion"], reason="why",
                                           effectiveTime=at)
        second = datetime.timedelta(seconds=1)
        self.assertEqual(self.status(put, job, at=at)[1], [])
        self.assertEqual(self.status(put, job, at=at + second)[1], [put["profileVersionArn"]])
        self.signer.revoke_signature(jobId=job, reason="why")
        arn, revoked = self.status(put, job, at=at + second)
        self.assertEqual(set(revoked), {arn, put["profileVersionArn"]})

    def test_of_what_is_unknown_nothing_is_told(self):
        name, put = self.profile()
        job = self.signed(name)["jobId"]
        other = put["profileVersionArn"][:-10] + "AbCdEfGhIj"
        for changed, message in [
            ({"platformId": "Notation-OCI-SHA384-ECDSA"}, "Invalid platformId: Notation-OCI-SHA384-ECDSA"),
            ({"platformId": ECDSA}, f"Invalid platformId: {ECDSA}"),
            ({"profileVersionArn": other}, f"Invalid profileVersionArn: {other}"),
            ({"profileVersionArn": put["arn"]}, f"Invalid profileVersionArn: {put['arn']}"),
            ({"jobArn": put["profileVersionArn"]}, f"Invalid jobArn: {put['profileVersionArn']}"),
        ]:
            with self.subTest(changed):
                self.refused(400, "ValidationException", self.status, message=message, put=put, job=job, **changed)


class OtherAccounts(JobTest):
    """The holder of the PARTNER key is of account 999999999999, and its own policies allow all of Signer and S3."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = client("signer", "PARTNER")

    @classmethod
    def tearDownClass(cls):
        cls.partner.close()
        super().tearDownClass()

    def permit(self, name, action, **more):
        self.signer.add_profile_permission(profileName=name, statementId=action, action=f"signer:{action}",
                                           principal="999999999999", **more)

    def test_another_account_signs_what_the_profile_permits(self):
        name, put = self.profile()
        owner = put["arn"].split(":")[4]
        self.denied(self.start, profile=name, signer=self.partner, profileOwner=owner)
        self.permit(name, "StartSigningJob", profileVersion=put["profileVersion"])
        self.denied(self.start, profile=name, signer=self.partner)
        job = self.ended(self.start(name, self.partner, profileOwner=owner), self.partner)
        self.assertEqual((job["jobOwner"], job["jobInvoker"]), (owner, "999999999999"))
        mine = [item["jobId"] for item in self.partner.list_signing_jobs(status="Succeeded")["jobs"]]
        self.assertIn(job["jobId"], mine)
        self.assertIn(job["jobId"], [item["jobId"] for item in self.signer.list_signing_jobs()["jobs"]])

    def test_another_account_sees_only_the_jobs_that_it_started(self):
        name, _ = self.profile()
        job = self.start(name)
        self.denied(self.partner.describe_signing_job, jobId=job)
        for page in self.partner.get_paginator("list_signing_jobs").paginate():
            for item in page["jobs"]:
                self.assertEqual(item["jobInvoker"], "999999999999")
        owner = self.described(job)["jobOwner"]
        self.assertEqual(self.partner.list_signing_jobs(jobInvoker=owner)["jobs"], [])

    def test_another_account_sees_a_profile_that_permits_it(self):
        name, put = self.profile()
        owner = put["arn"].split(":")[4]
        get = {"call": self.partner.get_signing_profile, "profileName": name}
        self.denied(profileOwner=owner, **get)
        self.permit(name, "GetSigningProfile")
        self.assertEqual(self.partner.get_signing_profile(profileName=name, profileOwner=owner)["arn"], put["arn"])
        self.denied(**get)
        self.denied(profileOwner=owner, call=self.partner.get_signing_profile, profileName=new_name())
        self.refused(404, "ResourceNotFoundException", self.signer.get_signing_profile, profileName=name,
                     profileOwner="999999999999")

    def test_another_account_revokes_what_the_profile_permits(self):
        name, put = self.profile()
        owner = put["arn"].split(":")[4]
        job = self.signed(name)["jobId"]
        revoke = {"jobId": job, "jobOwner": owner, "reason": "why"}
        self.denied(self.partner.revoke_signature, **revoke)
        self.permit(name, "RevokeSignature")
        self.partner.revoke_signature(**revoke)
        record = self.described(job)["revocationRecord"]
        self.assertEqual(record["revokedBy"], "arn:aws:iam::999999999999:user/partner")

    def test_a_permission_for_another_version_permits_nothing(self):
        name, put = self.profile()
        self.permit(name, "GetSigningProfile", profileVersion=put["profileVersion"])
        self.partner.get_signing_profile(profileName=name, profileOwner=put["arn"].split(":")[4])
        self.denied(self.partner.cancel_signing_profile, profileName=name)
        self.denied(self.partner.list_profile_permissions, profileName=name)


if __name__ == "__main__":
    unittest.main()
