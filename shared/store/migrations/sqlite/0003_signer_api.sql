-- What Signer's API shows and asks for.

ALTER TABLE profiles ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
-- Of profiles that were canceled before there was this column, nobody knows when.
ALTER TABLE profiles ADD COLUMN canceled_at BIGINT;

-- What a profile permits to other accounts; no row if it permits nothing. `permissions` is never empty.
CREATE TABLE profile_policies (
    profile_name TEXT PRIMARY KEY REFERENCES profiles (name),
    revision     TEXT NOT NULL,
    permissions  TEXT NOT NULL
);

-- Earlier revocations were made on the machine itself, by whoever had the account: its root.
ALTER TABLE revocations ADD COLUMN revoked_by TEXT NOT NULL DEFAULT '';
UPDATE revocations SET revoked_by = 'arn:' || substr(revoked, 5, instr(substr(revoked, 5), ':') - 1) || ':iam::'
    || substr(revoked, instr(revoked, ':/signing-') - 12, 12) || ':root';

-- A job in progress has a lease once it was claimed; one that was requested (and not dropped) has none before. SQLite
-- changes no CHECK, so the table is made anew. Earlier jobs were all dropped, by somebody in the account of the job.
CREATE TABLE jobs_anew (
    arn             TEXT PRIMARY KEY,
    source_bucket   TEXT NOT NULL,
    source_key      TEXT NOT NULL,
    source_version  TEXT NOT NULL,
    profile         TEXT NOT NULL,
    platform        TEXT NOT NULL,
    destination     TEXT NOT NULL,
    requested_by    TEXT NOT NULL,
    invoker         TEXT NOT NULL,
    origin          TEXT NOT NULL CHECK (origin IN ('drop', 'request')),
    created_at      BIGINT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('InProgress', 'Failed', 'Succeeded')),
    completed_at    BIGINT,
    status_reason   TEXT,
    lease_worker    TEXT,
    lease_until     BIGINT,
    signed_bucket   TEXT,
    signed_key      TEXT,
    signed_version  TEXT,
    signed_by       TEXT,
    unsigned_sha256 TEXT,
    expires_at      BIGINT,
    CHECK ((status = 'InProgress') = (completed_at IS NULL)),
    CHECK (status = 'InProgress' OR lease_worker IS NULL),
    CHECK (status <> 'InProgress' OR origin = 'request' OR lease_worker IS NOT NULL),
    CHECK ((lease_worker IS NULL) = (lease_until IS NULL)),
    CHECK ((status = 'Succeeded') = (signed_by IS NOT NULL))
);
INSERT INTO jobs_anew (arn, source_bucket, source_key, source_version, profile, platform, destination, requested_by,
    invoker, origin, created_at, status, completed_at, status_reason, lease_worker, lease_until, signed_bucket, signed_key,
    signed_version, signed_by, unsigned_sha256, expires_at)
SELECT arn, source_bucket, source_key, source_version, profile,
    COALESCE((SELECT platform FROM profiles WHERE profiles.arn = jobs.profile), ''), destination,
    'arn:' || substr(arn, 5, instr(substr(arn, 5), ':') - 1) || ':iam::'
        || substr(arn, instr(arn, ':/signing-') - 12, 12) || ':root',
    substr(arn, instr(arn, ':/signing-') - 12, 12), 'drop', created_at, status, completed_at, status_reason,
    lease_worker, lease_until, signed_bucket, signed_key, signed_version, signed_by, unsigned_sha256, expires_at
FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_anew RENAME TO jobs;
CREATE INDEX jobs_by_source ON jobs (source_bucket, source_key, source_version);
CREATE INDEX jobs_by_package ON jobs (unsigned_sha256, profile, completed_at);

-- Lists are read by age, each filter with an index of its own in that order. Whether a job expires in time is seen in the
-- index, without its row; revoked jobs are found by their signatures and then sorted.
CREATE INDEX jobs_by_age ON jobs (created_at, arn, expires_at);
CREATE INDEX jobs_by_status ON jobs (status, created_at, arn);
CREATE INDEX jobs_by_platform ON jobs (platform, created_at, arn);
CREATE INDEX jobs_by_requester ON jobs (requested_by, created_at, arn);
CREATE INDEX jobs_by_invoker ON jobs (invoker, created_at, arn);
CREATE INDEX jobs_by_signature ON jobs (signed_by);
