"""`sojourn init`: new projects."""
