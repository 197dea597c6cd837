-- What a deploy target has still to follow: a row each, until it was followed. `name` is an alias or a version's number.
CREATE TABLE target_changes (
    sequence      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    function_name TEXT NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('alias', 'version', 'function')),
    name          TEXT NOT NULL
);
CREATE INDEX target_changes_by_function ON target_changes (function_name, sequence);
