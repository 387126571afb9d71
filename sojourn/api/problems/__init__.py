"""The problem details (RFC 9457) that the API answers with."""
