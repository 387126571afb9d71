"""`sojourn send`: events from files, sent to the API."""
