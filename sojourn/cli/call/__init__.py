"""`sojourn call`: one call to an endpoint, tried from the command line."""
