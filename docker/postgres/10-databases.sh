#!/bin/sh
# Run once by the postgres image, when its volume is empty: a role and a database for each of the two that
# keep something there, so that neither can read the other's.
set -eu

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set temporal_password="$TEMPORAL_DB_PASSWORD" --set sojourn_password="$SOJOURN_DB_PASSWORD" <<'SQL'
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE ROLE sojourn LOGIN PASSWORD :'sojourn_password';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
CREATE DATABASE sojourn OWNER sojourn;
REVOKE CONNECT ON DATABASE temporal, temporal_visibility, sojourn FROM PUBLIC;
SQL
