"""Profiles, platforms, tags and permissions of the Signer API, as boto3 sees them."""

import datetime
import unittest

from signer_support import ECDSA, LAMBDA, SignerTest, client, new_name

UTC = datetime.timezone.utc


class Platforms(SignerTest):
    def test_the_lambda_platform_is_described_as_aws_describes_it(self):
        platform = self.signer.get_signing_platform(platformId=LAMBDA)
        del platform["ResponseMetadata"]
        ecdsa = {"allowedValues": ["ECDSA"], "defaultValue": "ECDSA"}
        sha384 = {"allowedValues": ["SHA384"], "defaultValue": "SHA384"}
        self.assertEqual(platform, {
            "platformId": LAMBDA, "displayName": "AWS Lambda", "partner": "AWSLambda", "target": "SHA384-ECDSA",
            "category": "AWS",
            "signingConfiguration": {"encryptionAlgorithmOptions": ecdsa, "hashAlgorithmOptions": sha384},
            "signingImageFormat": {"supportedFormats": ["JSONDetached"], "defaultFormat": "JSONDetached"},
            "maxSizeInMB": 250, "revocationSupported": True,
        })

    def test_platforms_are_listed_in_pages_and_filtered(self):
        pages = self.signer.get_paginator("list_signing_platforms")
        listed = [page["platforms"] for page in pages.paginate(PaginationConfig={"PageSize": 2})]
        self.assertEqual([len(page) for page in listed], [2, 1])
        ids = [platform["platformId"] for page in listed for platform in page]
        self.assertEqual(ids, [LAMBDA, "Countersign-SHA256-RSA", ECDSA])
        aws = self.signer.list_signing_platforms(category="AWS", partner="AWSLambda", target="SHA384-ECDSA")
        self.assertEqual([platform["platformId"] for platform in aws["platforms"]], [LAMBDA])
        self.assertEqual(self.signer.list_signing_platforms(partner="nobody")["platforms"], [])

    def test_a_platform_that_is_not_implemented_does_not_exist(self):
        for platform in ["Notation-OCI-SHA384-ECDSA", "x"]:
            self.refused(404, "ResourceNotFoundException", self.signer.get_signing_platform, platformId=platform)

    def test_a_token_of_another_listing_is_refused(self):
        token = self.signer.list_signing_platforms(maxResults=1)["nextToken"]
        for call, more in [(self.signer.list_signing_platforms, {"partner": "AWSLambda"}),
                           (self.signer.list_signing_profiles, {}), (self.signer.list_signing_jobs, {})]:
            self.refused(400, "ValidationException", call, nextToken=token, **more)
        self.refused(400, "ValidationException", self.signer.list_signing_platforms, nextToken="made-up")


class Profiles(SignerTest):
    def test_a_profile_is_there_as_it_was_put(self):
        period = {"value": 2, "type": "YEARS"}
        name, put = self.profile(signatureValidityPeriod=period, tags={"team": "a"})
        self.assertRegex(put["profileVersion"], "^[a-zA-Z0-9]{10}$")
        self.assertRegex(put["arn"], f"^arn:aws:signer:[a-z0-9-]+:[0-9]{{12}}:/signing-profiles/{name}$")
        self.assertEqual(put["profileVersionArn"], f"{put['arn']}/{put['profileVersion']}")
        got = self.signer.get_signing_profile(profileName=name)
        del got["ResponseMetadata"]
        self.assertEqual(got, {
            "profileName": name, "profileVersion": put["profileVersion"],
            "profileVersionArn": put["profileVersionArn"], "platformId": LAMBDA,
            "platformDisplayName": "AWS Lambda", "signatureValidityPeriod": period, "status": "Active",
            "arn": put["arn"], "tags": {"team": "a"},
        })

    def test_signatures_are_valid_for_135_months_unless_it_says_otherwise(self):
        name, _ = self.profile(platform=ECDSA)
        got = self.signer.get_signing_profile(profileName=name)
        self.assertEqual(got["signatureValidityPeriod"], {"value": 135, "type": "MONTHS"})
        put = self.signer.put_signing_profile
        for period in [{"value": 136, "type": "MONTHS"}, {"value": 0, "type": "DAYS"}, {"value": 1},
                       {"type": "DAYS"}, {"value": -1, "type": "YEARS"}]:
            self.refused(400, "ValidationException", put, profileName=new_name(), platformId=LAMBDA,
                         signatureValidityPeriod=period)

    def test_a_name_is_used_once(self):
        name, _ = self.profile()
        again = {"call": self.signer.put_signing_profile, "profileName": name, "platformId": LAMBDA}
        message = f"Profile with name {name} already exists"
        self.refused(400, "ValidationException", message=message, code="ValidationException", **again)
        self.signer.cancel_signing_profile(profileName=name)
        self.refused(400, "ValidationException", message=message, **again)

    def test_what_no_platform_here_takes_is_refused(self):
        put, name = self.signer.put_signing_profile, new_name()
        self.refused(400, "ValidationException", put, profileName=name, platformId="Notation-OCI-SHA384-ECDSA",
                     message="Invalid platformId: Notation-OCI-SHA384-ECDSA")
        self.refused(400, "ValidationException", put, profileName=name, platformId=LAMBDA,
                     signingParameters={"a": "b"},
                     message=f"Signing parameters should not be present when using {LAMBDA} platform")
        self.refused(400, "ValidationException", put, profileName=name, platformId=LAMBDA,
                     signingMaterial={"certificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/c"})
        self.refused(400, "ValidationException", put, profileName=name, platformId=LAMBDA,
                     overrides={"signingImageFormat": "JSON"})
        self.refused(400, "ValidationException", put, profileName="with-hyphen", platformId=LAMBDA)
        self.refused(404, "ResourceNotFoundException", self.signer.get_signing_profile, profileName=name)

    def test_cancelling_is_for_ever_and_may_be_repeated(self):
        name, _ = self.profile()
        for _ in range(2):
            self.signer.cancel_signing_profile(profileName=name)
        self.assertEqual(self.signer.get_signing_profile(profileName=name)["status"], "Canceled")
        self.refused(404, "ResourceNotFoundException", self.signer.cancel_signing_profile, profileName=new_name())

    def test_a_revoked_profile_says_so_and_cannot_be_canceled(self):
        name, put = self.profile()
        revoke = {"profileName": name, "profileVersion": put["profileVersion"], "reason": "the key leaked"}
        at = datetime.datetime.now(UTC).replace(microsecond=0) - datetime.timedelta(hours=1)
        self.signer.revoke_signing_profile(effectiveTime=at, **revoke)
        got = self.signer.get_signing_profile(profileName=name)
        self.assertEqual((got["status"], got["statusReason"]), ("Revoked", "the key leaked"))
        record = got["revocationRecord"]
        self.assertEqual(record["revocationEffectiveFrom"], at)
        self.assertGreater(record["revokedAt"], at)
        self.assertRegex(record["revokedBy"], "^arn:aws:iam::[0-9]{12}:user/")
        self.refused(400, "ValidationException", self.signer.cancel_signing_profile, profileName=name,
                     message=f"Signing Profile {name} cannot be canceled because it has been revoked. "
                             "A revoked profile cannot be canceled.")

    def test_the_effective_time_of_a_revocation_only_moves_back(self):
        name, put = self.profile()
        revoke = {"profileName": name, "profileVersion": put["profileVersion"], "reason": "why"}
        now = datetime.datetime.now(UTC).replace(microsecond=0)
        day = datetime.timedelta(days=1)
        call = self.signer.revoke_signing_profile
        self.refused(400, "ValidationException", call, effectiveTime=now + day, **revoke)
        self.assertEqual(self.signer.get_signing_profile(profileName=name)["status"], "Active")
        call(effectiveTime=now - day, **revoke)
        self.refused(400, "ValidationException", call, effectiveTime=now, **revoke)
        call(effectiveTime=now - 2 * day, **revoke)
        record = self.signer.get_signing_profile(profileName=name)["revocationRecord"]
        self.assertEqual(record["revocationEffectiveFrom"], now - 2 * day)

    def test_a_version_that_is_not_there_is_not_revoked(self):
        name, _ = self.profile()
        revoke = {"reason": "why", "effectiveTime": datetime.datetime.now(UTC) - datetime.timedelta(days=1)}
        for profile, version in [(name, "AbCdEfGhIj"), (new_name(), "AbCdEfGhIj")]:
            self.refused(404, "ResourceNotFoundException", self.signer.revoke_signing_profile,
                         profileName=profile, profileVersion=version, **revoke)
        self.refused(400, "ValidationException", self.signer.revoke_signing_profile, profileName=name,
                     profileVersion="short-----", **revoke)

    def test_profiles_are_listed_in_pages_by_status_and_platform(self):
        active, canceled, revoked = (self.profile(platform=ECDSA) for _ in range(3))
        self.signer.cancel_signing_profile(profileName=canceled[0])
        self.signer.revoke_signing_profile(
            profileName=revoked[0], profileVersion=revoked[1]["profileVersion"], reason="why",
            effectiveTime=datetime.datetime.now(UTC) - datetime.timedelta(days=1))
        mine = {active[0], canceled[0], revoked[0]}

        def listed(**filters):
            pages = self.signer.get_paginator("list_signing_profiles")
            pages = pages.paginate(PaginationConfig={"PageSize": 2}, platformId=ECDSA, **filters)
            items = [item for page in pages for item in page["profiles"]]
            names = [item["profileName"] for item in items]
            self.assertEqual(names, sorted(set(names)))
            return {item["profileName"]: item["status"] for item in items if item["profileName"] in mine}

        self.assertEqual(listed(), {active[0]: "Active"})
        self.assertEqual(listed(includeCanceled=True), {active[0]: "Active", canceled[0]: "Canceled"})
        self.assertEqual(listed(statuses=["Revoked"]), {revoked[0]: "Revoked"})
        self.assertEqual(listed(statuses=["Revoked", "Canceled"]),
                         {canceled[0]: "Canceled", revoked[0]: "Revoked"})
        listed = self.signer.list_signing_profiles(platformId="unknown")
        self.assertEqual(listed["profiles"], [])
        self.assertNotIn("nextToken", listed)

    def test_an_item_of_the_listing_has_the_members_of_aws(self):
        name, put = self.profile(new_name("aaa"), tags={"a": "b"})
        item = next(item for page in self.signer.get_paginator("list_signing_profiles").paginate()
                    for item in page["profiles"] if item["profileName"] == name)
        self.assertEqual(item, {
            "profileName": name, "profileVersion": put["profileVersion"],
            "profileVersionArn": put["profileVersionArn"], "platformId": LAMBDA,
            "platformDisplayName": "AWS Lambda",
            "signatureValidityPeriod": {"value": 135, "type": "MONTHS"}, "status": "Active", "arn": put["arn"],
            "tags": {"a": "b"},
        })


class Tags(SignerTest):
    def test_tags_are_put_replaced_and_taken_off(self):
        _, put = self.profile(tags={"a": "1"})
        arn = put["arn"]
        self.signer.tag_resource(resourceArn=arn, tags={"a": "2", "b": ""})
        self.assertEqual(self.signer.list_tags_for_resource(resourceArn=arn)["tags"], {"a": "2", "b": ""})
        self.signer.untag_resource(resourceArn=arn, tagKeys=["a", "never"])
        self.assertEqual(self.signer.list_tags_for_resource(resourceArn=arn)["tags"], {"b": ""})

    def test_a_profile_without_tags_has_an_empty_map(self):
        _, put = self.profile()
        self.assertEqual(self.signer.list_tags_for_resource(resourceArn=put["arn"])["tags"], {})

    def test_what_is_no_profile_has_no_tags(self):
        _, put = self.profile()
        calls = [(self.signer.list_tags_for_resource, {}), (self.signer.tag_resource, {"tags": {"a": "b"}}),
                 (self.signer.untag_resource, {"tagKeys": ["a"]})]
        for call, more in calls:
            for arn in [put["profileVersionArn"], "arn:aws:s3:::bucket", "x"]:
                self.refused(400, "BadRequestException", call, resourceArn=arn, **more)
            self.refused(404, "NotFoundException", call, resourceArn=f"{put['arn']}_missing", **more)

    def test_there_are_never_more_than_200_tags(self):
        _, put = self.profile(tags={f"k{number}": "v" for number in range(200)})
        self.refused(400, "BadRequestException", self.signer.tag_resource, resourceArn=put["arn"], tags={"x": "v"})
        self.refused(400, "ValidationException", self.signer.tag_resource, resourceArn=put["arn"],
                     tags={"aws:x": "v"})


class Permissions(SignerTest):
    def add(self, name, statement, **more):
        arguments = {"action": "signer:StartSigningJob", "principal": "999999999999", **more}
        return self.signer.add_profile_permission(profileName=name, statementId=statement, **arguments)["revisionId"]

    def test_permissions_come_and_go_from_revision_to_revision(self):
        name, put = self.profile()
        missing = {"call": self.signer.list_profile_permissions, "profileName": name}
        self.refused(404, "ResourceNotFoundException", message=f"No policies associated with profile {name}", **missing)
        first = self.add(name, "one", revisionId="")
        role = "arn:aws:iam::999999999999:role/ci"
        second = self.add(name, "two", action="signer:GetSigningProfile", principal=role,
                          profileVersion=put["profileVersion"], revisionId=first)
        listed = self.signer.list_profile_permissions(profileName=name)
        self.assertEqual(listed["revisionId"], second)
        self.assertGreater(listed["policySizeBytes"], 100)
        self.assertEqual(listed["permissions"], [
            {"statementId": "one", "action": "signer:StartSigningJob", "principal": "999999999999"},
            {"statementId": "two", "action": "signer:GetSigningProfile", "principal": role,
             "profileVersion": put["profileVersion"]},
        ])
        remove = self.signer.remove_profile_permission
        third = remove(profileName=name, statementId="one", revisionId=second)["revisionId"]
        self.assertEqual(len({first, second, third}), 3)
        remove(profileName=name, statementId="two", revisionId=third)
        self.refused(404, "ResourceNotFoundException", **missing)

    def test_who_saw_another_revision_changes_nothing(self):
        name, _ = self.profile()
        stale = self.add(name, "one")
        self.add(name, "two")
        for revision in [stale, "made-up", ""]:
            self.refused(409, "ConflictException", self.signer.remove_profile_permission, profileName=name,
                         statementId="one", revisionId=revision)
        self.refused(409, "ConflictException", self.signer.add_profile_permission, profileName=name,
                     statementId="three", action="signer:SignPayload", principal="999999999999", revisionId=stale)
        self.refused(409, "ConflictException", self.signer.add_profile_permission, profileName=name,
                     statementId="two", action="signer:SignPayload", principal="999999999999")
        self.assertEqual(len(self.signer.list_profile_permissions(profileName=name)["permissions"]), 2)

    def test_what_is_not_there_is_not_found(self):
        name, _ = self.profile()
        revision = self.add(name, "one")
        add = {"statementId": "two", "action": "signer:StartSigningJob", "principal": "999999999999"}
        nothing, missing = new_name(), "ResourceNotFoundException"
        remove = self.signer.remove_profile_permission
        self.refused(404, missing, remove, profileName=name, statementId="other", revisionId=revision)
        self.refused(404, missing, remove, profileName=nothing, statementId="one", revisionId=revision)
        self.refused(404, missing, self.signer.add_profile_permission, profileName=nothing, **add)
        self.refused(404, missing, self.signer.add_profile_permission, profileName=name,
                     profileVersion="AbCdEfGhIj", **add)
        self.refused(404, missing, self.signer.list_profile_permissions, profileName=nothing)

    def test_what_cannot_be_permitted_is_refused(self):
        name, _ = self.profile()
        legal = {"statementId": "one", "action": "signer:StartSigningJob", "principal": "999999999999"}
        for member, value in [("action", "signer:*"), ("action", "lambda:CreateFunction"), ("principal", "*"),
                              ("principal", "everybody"), ("statementId", "a b")]:
            self.refused(400, "ValidationException", self.signer.add_profile_permission, profileName=name,
                         **{**legal, member: value})
        self.add(name, "one")
        self.refused(400, "ValidationException", self.signer.list_profile_permissions, profileName=name,
                     nextToken="made-up")

    def test_a_profile_has_at_most_20_permissions(self):
        name, _ = self.profile()
        for number in range(20):
            self.add(name, f"s{number}")
        self.refused(402, "ServiceLimitExceededException", self.signer.add_profile_permission, profileName=name,
                     statementId="more", action="signer:StartSigningJob", principal="999999999999")


class Rights(SignerTest):
    """The holder of the READER key may only list profiles, and get those that have the tag `open`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reader = client("signer", "READER")

    @classmethod
    def tearDownClass(cls):
        cls.reader.close()
        super().tearDownClass()

    def test_conditions_see_the_tags_of_a_profile(self):
        opened, _ = self.profile(tags={"open": "yes"})
        closed, _ = self.profile()
        self.assertEqual(self.reader.get_signing_profile(profileName=opened)["profileName"], opened)
        self.denied(self.reader.get_signing_profile, profileName=closed)
        self.assertIn("profiles", self.reader.list_signing_profiles())

    def test_what_is_denied_and_what_does_not_exist_look_alike(self):
        closed, missing = self.profile()[0], new_name()
        told = []
        for name in [closed, missing]:
            message = self.refused(403, "AccessDeniedException", self.reader.get_signing_profile, profileName=name)
            told.append(message.replace(name, ""))
        self.assertEqual(told[0], told[1])

    def test_every_other_operation_is_denied(self):
        name, put = self.profile()
        at = datetime.datetime.now(UTC) - datetime.timedelta(hours=1)
        s3 = {"bucketName": "unsigned", "key": "k.zip", "version": "v"}
        reader, job = self.reader, "c85aae70-b0a8-4fa4-abd9-3e39ade1ad97"
        arn = put["arn"].replace(f"profiles/{name}", f"jobs/{job}")
        permission = {"statementId": "s", "action": "signer:SignPayload", "principal": "999999999999"}
        calls = [
            (reader.put_signing_profile, {"profileName": new_name(), "platformId": LAMBDA}),
            (reader.cancel_signing_profile, {"profileName": name}),
            (reader.revoke_signing_profile, {"profileName": name, "profileVersion": put["profileVersion"],
                                             "reason": "r", "effectiveTime": at}),
            (reader.add_profile_permission, {"profileName": name, **permission}),
            (reader.list_profile_permissions, {"profileName": name}),
            (reader.remove_profile_permission, {"profileName": name, "statementId": "s", "revisionId": "r"}),
            (reader.start_signing_job, {"profileName": name, "source": {"s3": s3},
                                        "destination": {"s3": {"bucketName": "signed"}}}),
            (reader.sign_payload, {"profileName": name, "payload": b"p", "payloadFormat": "f"}),
            (reader.describe_signing_job, {"jobId": job}),
            (reader.list_signing_jobs, {}),
            (reader.revoke_signature, {"jobId": job, "reason": "r"}),
            (reader.get_revocation_status, {"signatureTimestamp": at, "platformId": LAMBDA,
                                            "profileVersionArn": put["profileVersionArn"], "jobArn": arn,
                                            "certificateHashes": ["00"]}),
            (reader.list_signing_platforms, {}),
            (reader.get_signing_platform, {"platformId": LAMBDA}),
            (reader.list_tags_for_resource, {"resourceArn": put["arn"]}),
            (reader.tag_resource, {"resourceArn": put["arn"], "tags": {"a": "b"}}),
            (reader.untag_resource, {"resourceArn": put["arn"], "tagKeys": ["a"]}),
        ]
        self.assertEqual(len(calls) + 2, len(reader.meta.service_model.operation_names))
        for call, arguments in calls:
            with self.subTest(call.__name__):
                self.denied(call, **arguments)


if __name__ == "__main__":
    unittest.main()
