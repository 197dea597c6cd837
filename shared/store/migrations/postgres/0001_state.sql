-- The state of both services. Ids and JSON are TEXT, instants BIGINT milliseconds since the epoch, numbers BIGINT. What
-- is sorted has the collation "C", so that the order is that of the bytes in every database.

-- Counts the changes of code signing configs and revocations; one row.
CREATE TABLE revision (
    id    BIGINT PRIMARY KEY CHECK (id = 1),
    value BIGINT NOT NULL
);
INSERT INTO revision (id, value) VALUES (1, 0);

-- A name is used once and for all.
CREATE TABLE profiles (
    name       TEXT COLLATE "C" PRIMARY KEY,
    arn        TEXT NOT NULL UNIQUE,
    platform   TEXT NOT NULL,
    validity   TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('Active', 'Canceled', 'Revoked')),
    created_at BIGINT NOT NULL
);

-- `revoked` is the ARN of a profile version, or of the job that made the signature.
CREATE TABLE revocations (
    revoked        TEXT PRIMARY KEY,
    effective_from BIGINT NOT NULL,
    revoked_at     BIGINT NOT NULL,
    reason         TEXT NOT NULL
);

-- A job in progress has a lease; one that succeeded has a signature.
CREATE TABLE jobs (
    arn             TEXT COLLATE "C" PRIMARY KEY,
    source_bucket   TEXT NOT NULL,
    source_key      TEXT NOT NULL,
    source_version  TEXT NOT NULL,
    profile         TEXT NOT NULL,
    destination     TEXT NOT NULL,
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
    CHECK ((status = 'InProgress') = (lease_worker IS NOT NULL)),
    CHECK ((status = 'InProgress') = (lease_until IS NOT NULL)),
    CHECK ((status = 'Succeeded') = (signed_by IS NOT NULL))
);
CREATE INDEX jobs_by_source ON jobs (source_bucket, source_key, source_version);
CREATE INDEX jobs_by_package ON jobs (unsigned_sha256, profile, completed_at);
CREATE INDEX jobs_by_age ON jobs (created_at);

-- Events that were committed with a change and wait to be published by the service that tells them; a row is deleted once
-- that has happened. The order of the sequence is that of the commits, because writers wait for each other.
CREATE TABLE outbox (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    source   TEXT NOT NULL,
    event    TEXT NOT NULL
);
CREATE INDEX outbox_by_source ON outbox (source, sequence);

-- Which process publishes the events of a source, until when by this server's clock.
CREATE TABLE relays (
    source TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until  TIMESTAMPTZ NOT NULL
);

CREATE TABLE code_signing_configs (
    name               TEXT PRIMARY KEY,
    allowed_publishers TEXT NOT NULL,
    untrusted_artifact TEXT NOT NULL
);

-- `newest_version` is the last number given, whether or not that version came to stand.
CREATE TABLE functions (
    name                TEXT COLLATE "C" PRIMARY KEY,
    code_signing_config TEXT REFERENCES code_signing_configs (name),
    binding_changes     BIGINT NOT NULL,
    newest_version      BIGINT NOT NULL
);

-- A deployment under way has a lease, unless another one of its function took its place; `decision` is there once it
-- is recorded, and `finish` once it has ended.
CREATE TABLE deployments (
    id            TEXT COLLATE "C" PRIMARY KEY,
    event_id      TEXT NOT NULL,
    publisher     TEXT NOT NULL,
    principal     TEXT NOT NULL,
    function_name TEXT NOT NULL,
    code_bucket   TEXT NOT NULL,
    code_key      TEXT NOT NULL,
    code_version  TEXT NOT NULL,
    request       TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    lease_worker  TEXT,
    lease_until   BIGINT,
    decision      TEXT,
    version       BIGINT,
    finish        TEXT,
    CHECK ((lease_worker IS NULL) = (lease_until IS NULL)),
    CHECK (finish IS NULL OR lease_worker IS NULL),
    CHECK (version IS NULL OR decision IS NOT NULL)
);
CREATE UNIQUE INDEX one_deployment_of_a_function ON deployments (function_name) WHERE lease_worker IS NOT NULL;
CREATE INDEX deployments_by_code ON deployments (code_bucket, code_key, code_version);
CREATE INDEX deployments_by_age ON deployments (created_at);

-- The versions that stand.
CREATE TABLE versions (
    function_name TEXT COLLATE "C" NOT NULL REFERENCES functions (name),
    version       BIGINT NOT NULL,
    code_sha256   TEXT NOT NULL,
    layer_sha256  TEXT NOT NULL,
    PRIMARY KEY (function_name, version)
);

CREATE TABLE aliases (
    function_name TEXT COLLATE "C" NOT NULL,
    name          TEXT NOT NULL,
    version       BIGINT NOT NULL,
    PRIMARY KEY (function_name, name),
    FOREIGN KEY (function_name, version) REFERENCES versions (function_name, version)
);
