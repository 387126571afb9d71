"""The events resource: what `POST /v1/events` takes and answers."""
