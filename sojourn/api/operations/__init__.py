"""The operations resource: changes to a journey and to all its instances."""
