-- What a bucket is configured to, where it is more than a column of the bucket: one document a sub-resource, by
-- the name that the sub-resource has in a URL.
CREATE TABLE bucket_configurations (
    bucket   TEXT NOT NULL REFERENCES buckets (name) ON DELETE CASCADE,
    name     TEXT NOT NULL CHECK (name IN ('tagging', 'publicAccessBlock', 'ownershipControls')),
    document TEXT NOT NULL,
    PRIMARY KEY (bucket, name)
) STRICT, WITHOUT ROWID;
