-- What Signer's API shows and asks for. A signer of an earlier release cannot create jobs any more once this has run; what
-- is dropped meanwhile waits for one of this release.

ALTER TABLE profiles ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
-- Of profiles that were canceled before there was this column, nobody knows when.
ALTER TABLE profiles ADD COLUMN canceled_at BIGINT;

-- What a profile permits to other accounts; no row if it permits nothing. `permissions` is never empty.
CREATE TABLE profile_policies (
    profile_name TEXT COLLATE "C" PRIMARY KEY REFERENCES profiles (name),
    revision     TEXT NOT NULL,
    permissions  TEXT NOT NULL
);

-- Earlier revocations were made on the machine itself, by whoever had the account: its root.
ALTER TABLE revocations ADD COLUMN revoked_by TEXT;
UPDATE revocations
    SET revoked_by = 'arn:' || split_part(revoked, ':', 2) || ':iam::' || split_part(revoked, ':', 5) || ':root';
ALTER TABLE revocations ALTER COLUMN revoked_by SET NOT NULL;

-- Earlier jobs were all dropped, by somebody in the account of the job.
ALTER TABLE jobs
    ADD COLUMN platform TEXT,
    ADD COLUMN requested_by TEXT,
    ADD COLUMN invoker TEXT,
    ADD COLUMN origin TEXT NOT NULL DEFAULT 'drop' CHECK (origin IN ('drop', 'request'));
UPDATE jobs SET
    platform = COALESCE((SELECT platform FROM profiles WHERE profiles.arn = jobs.profile), ''),
    requested_by = 'arn:' || split_part(arn, ':', 2) || ':iam::' || split_part(arn, ':', 5) || ':root',
    invoker = split_part(arn, ':', 5);
ALTER TABLE jobs
    ALTER COLUMN platform SET NOT NULL,
    ALTER COLUMN requested_by SET NOT NULL,
    ALTER COLUMN invoker SET NOT NULL,
    ALTER COLUMN origin DROP DEFAULT;

-- A job in progress has a lease once it was claimed; one that was requested (and not dropped) has none before.
ALTER TABLE jobs
    DROP CONSTRAINT jobs_check1,
    DROP CONSTRAINT jobs_check2,
    ADD CHECK (status = 'InProgress' OR lease_worker IS NULL),
    ADD CHECK (status <> 'InProgress' OR origin = 'request' OR lease_worker IS NOT NULL),
    ADD CHECK ((lease_worker IS NULL) = (lease_until IS NULL));

-- Lists are read by age, each filter with an index of its own in that order; revoked jobs are found by their signatures,
-- and few that expire by their expiry, and then sorted.
DROP INDEX jobs_by_age;
CREATE INDEX jobs_by_age ON jobs (created_at, arn, expires_at);
CREATE INDEX jobs_by_status ON jobs (status, created_at, arn);
CREATE INDEX jobs_by_platform ON jobs (platform, created_at, arn);
CREATE INDEX jobs_by_requester ON jobs (requested_by, created_at, arn);
CREATE INDEX jobs_by_invoker ON jobs (invoker, created_at, arn);
CREATE INDEX jobs_by_signature ON jobs (signed_by);
CREATE INDEX jobs_by_expiry ON jobs (expires_at);
