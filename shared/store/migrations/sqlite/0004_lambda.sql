-- What the Lambda API shows of code signing configs, functions and layers.

-- A declared config gets its id, a function of scope and name, at the next start.
ALTER TABLE code_signing_configs ADD COLUMN id TEXT;
ALTER TABLE code_signing_configs ADD COLUMN declared BIGINT NOT NULL DEFAULT 1;
ALTER TABLE code_signing_configs ADD COLUMN description TEXT;
ALTER TABLE code_signing_configs ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
ALTER TABLE code_signing_configs ADD COLUMN last_modified BIGINT NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX code_signing_configs_by_id ON code_signing_configs (id);

-- What stands as $LATEST; `code` and `revision` are there once a deployment succeeded. The row of a deleted function stays,
-- because its numbers are not given again.
ALTER TABLE functions ADD COLUMN deleted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE functions ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
ALTER TABLE functions ADD COLUMN code TEXT;
ALTER TABLE functions ADD COLUMN layers TEXT NOT NULL DEFAULT '[]';
ALTER TABLE functions ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE functions ADD COLUMN revision TEXT;
ALTER TABLE functions ADD COLUMN last_modified BIGINT NOT NULL DEFAULT 0;
ALTER TABLE functions ADD COLUMN brought_by TEXT REFERENCES deployments (id);
CREATE INDEX functions_by_config ON functions (code_signing_config, name);

-- `settings` are those of $LATEST as it was; `description` is the version's own.
ALTER TABLE versions ADD COLUMN code TEXT;
ALTER TABLE versions ADD COLUMN layers TEXT NOT NULL DEFAULT '[]';
ALTER TABLE versions ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE versions ADD COLUMN description TEXT;
ALTER TABLE versions ADD COLUMN revision TEXT;
ALTER TABLE versions ADD COLUMN last_modified BIGINT NOT NULL DEFAULT 0;

-- Earlier versions have no size on record and no signature: 0 and none.
UPDATE versions SET
    code = (SELECT json_object('object',
                json_object('s3Bucket', d.code_bucket, 's3Key', d.code_key, 's3ObjectVersion', d.code_version),
                'sha256', versions.code_sha256, 'sizeBytes', 0)
            FROM deployments d WHERE d.function_name = versions.function_name AND d.version = versions.version LIMIT 1),
    layers = COALESCE((SELECT json_group_array(json_object('code',
                json_object('object', json(l.value), 'sha256', s.value, 'sizeBytes', 0)))
            FROM deployments d, json_each(d.request, '$.layers') l JOIN json_each(versions.layer_sha256) s ON s.key = l.key
            WHERE d.id = (SELECT id FROM deployments d WHERE d.function_name = versions.function_name
                AND d.version = versions.version LIMIT 1)), '[]'),
    revision = lower(hex(randomblob(16)));
UPDATE functions SET (code, layers, revision, brought_by) =
    (SELECT v.code, v.layers, v.revision, (SELECT d.id FROM deployments d
        WHERE d.function_name = v.function_name AND d.version = v.version LIMIT 1)
     FROM versions v WHERE v.function_name = functions.name ORDER BY v.version DESC LIMIT 1)
WHERE EXISTS (SELECT 1 FROM versions v WHERE v.function_name = functions.name);

-- Without a version it points to $LATEST; `further_version` takes the part `weight` of the calls.
CREATE TABLE aliases_with_weights (
    function_name   TEXT NOT NULL REFERENCES functions (name),
    name            TEXT NOT NULL,
    version         BIGINT,
    further_version BIGINT,
    weight          TEXT,
    description     TEXT NOT NULL,
    revision        TEXT NOT NULL,
    PRIMARY KEY (function_name, name),
    FOREIGN KEY (function_name, version) REFERENCES versions (function_name, version),
    FOREIGN KEY (function_name, further_version) REFERENCES versions (function_name, version),
    CHECK ((further_version IS NULL) = (weight IS NULL))
);
INSERT INTO aliases_with_weights (function_name, name, version, description, revision)
    SELECT function_name, name, version, '', lower(hex(randomblob(16))) FROM aliases;
DROP TABLE aliases;
ALTER TABLE aliases_with_weights RENAME TO aliases;

-- What a deployment that the API asked for is to change; none for what an event asks for.
ALTER TABLE deployments ADD COLUMN change TEXT;

-- The signed packages of $LATEST (version 0) and of the versions: the function's own (package 0), and its layers by position.
CREATE TABLE signed_packages (
    function_name       TEXT NOT NULL REFERENCES functions (name),
    version             BIGINT NOT NULL,
    package             BIGINT NOT NULL,
    profile_version_arn TEXT NOT NULL,
    job_arn             TEXT NOT NULL,
    signed_at           BIGINT NOT NULL,
    expires_at          BIGINT NOT NULL,
    PRIMARY KEY (function_name, version, package)
);
CREATE INDEX signed_packages_by_expiry ON signed_packages (expires_at);
CREATE INDEX signed_packages_by_profile ON signed_packages (profile_version_arn, signed_at);
CREATE INDEX signed_packages_by_job ON signed_packages (job_arn);

CREATE TABLE layers (
    name           TEXT PRIMARY KEY,
    newest_version BIGINT NOT NULL
);

-- `policy` is there while a version is permitted to somebody.
CREATE TABLE layer_versions (
    layer_name TEXT NOT NULL REFERENCES layers (name),
    version    BIGINT NOT NULL,
    content    TEXT NOT NULL,
    about      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    policy_revision TEXT,
    policy     TEXT,
    PRIMARY KEY (layer_name, version),
    CHECK ((policy IS NULL) = (policy_revision IS NULL))
);
