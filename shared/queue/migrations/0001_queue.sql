-- The embedded queue. Instants are milliseconds since the epoch.

-- A message waits while `leased` is 0 and is in a consumer's hands while it is 1; either way it can be delivered from
-- `available_at` on. `attempts` counts its deliveries and, with `sequence`, names the last one; `interruptions` counts
-- those of them that ended with the end of the consuming process.
CREATE TABLE messages (
    sequence     INTEGER PRIMARY KEY AUTOINCREMENT,
    queue        TEXT NOT NULL,
    message_id   TEXT NOT NULL,
    publisher    TEXT NOT NULL,
    body         BLOB NOT NULL,
    body_sha256  TEXT NOT NULL,
    attempts     BIGINT NOT NULL,
    interruptions BIGINT NOT NULL DEFAULT 0,
    leased       BIGINT NOT NULL CHECK (leased IN (0, 1)),
    available_at BIGINT NOT NULL
);
CREATE INDEX messages_in_order ON messages (queue, sequence);
CREATE INDEX messages_by_attempts ON messages (queue, attempts);
CREATE INDEX messages_by_due ON messages (queue, available_at);
CREATE UNIQUE INDEX messages_by_identity ON messages (queue, publisher, message_id, body_sha256);

-- What was acknowledged within the deduplication window.
CREATE TABLE settled (
    queue       TEXT NOT NULL,
    publisher   TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    body_sha256 TEXT NOT NULL,
    settled_at  BIGINT NOT NULL,
    PRIMARY KEY (queue, publisher, message_id, body_sha256)
);
CREATE INDEX settled_by_age ON settled (settled_at);

-- What was given up, with the reason.
CREATE TABLE dead_letters (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    queue      TEXT NOT NULL,
    message_id TEXT NOT NULL,
    publisher  TEXT NOT NULL,
    body       BLOB NOT NULL,
    attempts   BIGINT NOT NULL,
    reason     TEXT NOT NULL,
    died_at    BIGINT NOT NULL
);

-- Every event that was published, once, to be followed.
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    source   TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event    TEXT NOT NULL,
    UNIQUE (source, event_id)
);
