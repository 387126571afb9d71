#!/bin/sh
# Makes the namespace, with its retention, and the search attributes that instances carry. Run once the server
# answers, at every start: what is there already is left alone. Needs TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and
# TEMPORAL_RETENTION, which the `temporal` command reads itself but for the last.
set -eu

attempts=30
until temporal operator cluster health >/dev/null 2>&1; do
    attempts=$((attempts - 1))
    if [ "$attempts" -le 0 ]; then
        echo "Temporal at $TEMPORAL_ADDRESS did not become healthy" >&2
        exit 1
    fi
    sleep 2
done

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"
else
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"
fi

# attribute NAME TYPE. A namespace that was just made takes a few seconds until the server knows it everywhere.
attribute() {
    attempts=15
    until temporal operator search-attribute list | grep -qw "$1"; do
        temporal operator search-attribute create --name "$1" --type "$2" || true
        attempts=$((attempts - 1))
        if [ "$attempts" -le 0 ]; then
            echo "the search attribute $1 could not be made" >&2
            exit 1
        fi
        sleep 2
    done
    echo "search attribute $1: $2"
}

attribute JourneyName Keyword
attribute JourneyVersion Int
attribute JourneyProfile Keyword
attribute JourneyStep Keyword
