"""`sojourn dev`: a project that runs and reloads while it is edited."""
