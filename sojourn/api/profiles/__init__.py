"""The profiles resource: the built-in data source."""
