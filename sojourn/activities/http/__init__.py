"""Making an HTTP call: the guard, the connection, the request, the response."""
