#!/bin/sh
# Run by the PostgreSQL image at its first start: the services' own role, which owns its database and nothing else.
set -eu
psql -v ON_ERROR_STOP=1 -U postgres -v password="$(cat /run/secrets/postgresql-password)" <<'SQL'
CREATE ROLE countersign LOGIN PASSWORD :'password';
CREATE DATABASE countersign OWNER countersign;
REVOKE ALL ON DATABASE countersign FROM PUBLIC;
SQL
