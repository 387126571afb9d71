"""Throttled calls: their task queues, the server's rate, their turn, their expiry."""
