#!/bin/sh
# Brings Temporal's two databases to the form that this version of its tools knows. Run before the server
# starts, at every start: what is there already is left alone. The databases themselves were made by
# postgres/10-databases.sh. The password comes in SQL_PASSWORD.
set -eu

schemas=/etc/temporal/schema/postgresql/v12

# setup NAME FOLDER: version table first (0.0, kept where there is one), then every step up to the newest.
setup() {
    echo "schema of $1"
    temporal-sql-tool --plugin postgres12 --endpoint postgres --port 5432 --user temporal --database "$1" \
        setup-schema -v 0.0
    temporal-sql-tool --plugin postgres12 --endpoint postgres --port 5432 --user temporal --database "$1" \
        update-schema -d "$schemas/$2/versioned"
}

setup temporal temporal
setup temporal_visibility visibility
