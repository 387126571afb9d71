"""A fixed bearer token (RFC 6750)."""

from __future__ import annotations

from sojourn.activities.auth.scheme import Fixed, with_bearer

SCHEME = Fixed(lambda auth, request, secrets: with_bearer(auth, request, secrets.get(auth.token.secret)))
