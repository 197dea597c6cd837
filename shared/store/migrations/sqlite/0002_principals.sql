-- Who asked for a deployment, as the configuration names it; before there were principals, only the process itself asked.
ALTER TABLE deployments ADD COLUMN principal TEXT NOT NULL DEFAULT 'countersign';
UPDATE deployments SET publisher = 'countersign' WHERE publisher IS NULL;

-- At most one deployment of a function has a lease.
DROP INDEX deployments_under_way;
CREATE UNIQUE INDEX one_deployment_of_a_function ON deployments (function_name) WHERE lease_worker IS NOT NULL;

-- The service that tells an event publishes it.
ALTER TABLE outbox ADD COLUMN source TEXT NOT NULL DEFAULT '';
UPDATE outbox SET source = json_extract(event, '$.source');
CREATE INDEX outbox_by_source ON outbox (source, sequence);
