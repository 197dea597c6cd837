-- Buckets, versions of objects, uploads in progress, and the notifications of what became visible.
-- The contents themselves are files; `content` names one, and a file named by no row here is an orphan.

CREATE TABLE buckets (
    name         TEXT PRIMARY KEY,
    created_at   INTEGER NOT NULL,
    versioning   TEXT NOT NULL DEFAULT 'Disabled' CHECK (versioning IN ('Disabled', 'Enabled', 'Suspended')),
    -- The NotificationConfiguration as XML, exactly as it will be returned.
    notification TEXT
) STRICT, WITHOUT ROWID;

-- `position` orders versions by when they became visible; the newest of a key is its latest.
CREATE TABLE versions (
    position           INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket             TEXT NOT NULL REFERENCES buckets (name),
    key                TEXT NOT NULL,
    version_id         TEXT NOT NULL,
    is_latest          INTEGER NOT NULL CHECK (is_latest IN (0, 1)),
    is_delete_marker   INTEGER NOT NULL CHECK (is_delete_marker IN (0, 1)),
    created_at         INTEGER NOT NULL,
    content            TEXT UNIQUE,
    size               INTEGER NOT NULL DEFAULT 0,
    etag               TEXT NOT NULL DEFAULT '',
    attributes         TEXT NOT NULL DEFAULT '{}',
    tags               TEXT NOT NULL DEFAULT '[]',
    checksum_algorithm TEXT,
    checksum_value     TEXT,
    checksum_type      TEXT,
    -- Sizes of the parts of a multipart upload, as a JSON array; NULL for an object put whole.
    part_sizes         TEXT,
    CHECK ((content IS NULL) = (is_delete_marker = 1)),
    UNIQUE (bucket, key, version_id)
) STRICT;
CREATE UNIQUE INDEX versions_latest ON versions (bucket, key) WHERE is_latest = 1;
CREATE INDEX versions_newest_first ON versions (bucket, key, position DESC);

CREATE TABLE uploads (
    position           INTEGER PRIMARY KEY AUTOINCREMENT,
    upload_id          TEXT NOT NULL UNIQUE,
    bucket             TEXT NOT NULL REFERENCES buckets (name) ON DELETE CASCADE,
    key                TEXT NOT NULL,
    created_at         INTEGER NOT NULL,
    attributes         TEXT NOT NULL,
    tags               TEXT NOT NULL,
    checksum_algorithm TEXT,
    checksum_type      TEXT
) STRICT;
CREATE INDEX uploads_by_key ON uploads (bucket, key, position);

CREATE TABLE parts (
    upload_id          TEXT NOT NULL REFERENCES uploads (upload_id) ON DELETE CASCADE,
    number             INTEGER NOT NULL CHECK (number BETWEEN 1 AND 10000),
    content            TEXT NOT NULL UNIQUE,
    created_at         INTEGER NOT NULL,
    size               INTEGER NOT NULL,
    etag               TEXT NOT NULL,
    checksum_algorithm TEXT NOT NULL,
    checksum_value     TEXT NOT NULL,
    PRIMARY KEY (upload_id, number)
) STRICT, WITHOUT ROWID;

-- A CompleteMultipartUpload whose answer was lost is repeated by the client, and then gets the same answer.
CREATE TABLE completed_uploads (
    upload_id    TEXT PRIMARY KEY,
    bucket       TEXT NOT NULL,
    key          TEXT NOT NULL,
    version_id   TEXT NOT NULL,
    completed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE notifications (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT NOT NULL UNIQUE,
    body     TEXT NOT NULL
) STRICT;
