"""`sojourn api` and `sojourn worker`: the processes of a deployment."""
