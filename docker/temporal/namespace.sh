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

# Makes those search attributes, given as NAME=TYPE, that are not there; true once all of them are.
attributes() {
    there=" $(temporal operator search-attribute list | awk '{ printf "%s ", $1 }')"
    missing=0
    for wanted in "$@"; do
        case "$there" in *" ${wanted%=*} "*) continue ;; esac
        missing=1
        temporal operator search-attribute create --name "${wanted%=*}" --type "${wanted#*=}" || true
    done
    [ "$missing" = 0 ]
}

# A namespace that was just made takes a few seconds until the whole server knows it.
attempts=30
until attributes JourneyName=Keyword JourneyVersion=Int JourneyProfile=Keyword JourneyStep=Keyword; do
    attempts=$((attempts - 1))
    if [ "$attempts" -le 0 ]; then
        echo "the search attributes could not be made" >&2
        exit 1
    fi
    sleep 1
done
echo "namespace $TEMPORAL_NAMESPACE: retention $TEMPORAL_RETENTION, search attributes are there"
