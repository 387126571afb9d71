"""The demos: what they expect, what they compare, and that they run."""
