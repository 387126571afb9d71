"""`sojourn profiles`: profiles read from files and imported."""
