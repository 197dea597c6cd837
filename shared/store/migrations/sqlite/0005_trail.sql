-- The trail: one row a call or decision, never changed. `newest_time` is the latest time so far and therefore rises with the
-- position, so that a time is found without reading what lies before it. `operation` is the name without an API's version.
CREATE TABLE trail (
    position     INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id     TEXT NOT NULL UNIQUE,
    event_time   BIGINT NOT NULL,
    newest_time  BIGINT NOT NULL,
    event_source TEXT NOT NULL,
    operation    TEXT NOT NULL,
    principal    TEXT,
    error_code   TEXT,
    record       TEXT NOT NULL
);
CREATE INDEX trail_by_time ON trail (newest_time, position);
CREATE INDEX trail_by_source ON trail (event_source, position);
CREATE INDEX trail_by_operation ON trail (operation, position);
CREATE INDEX trail_by_principal ON trail (principal, position);
CREATE INDEX trail_by_error ON trail (error_code, position) WHERE error_code IS NOT NULL;
CREATE INDEX trail_errors ON trail (position) WHERE error_code IS NOT NULL;

-- What each record is about.
CREATE TABLE trail_resources (
    resource TEXT NOT NULL,
    position BIGINT NOT NULL REFERENCES trail (position),
    PRIMARY KEY (resource, position)
) WITHOUT ROWID;

-- The records that came long after their time, which the order of the others does not find.
CREATE TABLE trail_late (
    position BIGINT PRIMARY KEY REFERENCES trail (position)
) WITHOUT ROWID;
