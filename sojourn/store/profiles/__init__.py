"""Customer profiles: their values, and the transactions that write them."""
