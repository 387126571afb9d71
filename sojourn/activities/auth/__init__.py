"""Authentication towards endpoints: secrets, fixed credentials, fetched tokens."""
