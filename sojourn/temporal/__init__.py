"""The connection to Temporal, and what Sojourn does about early queries."""
