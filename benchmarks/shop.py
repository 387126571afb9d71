"""The other side of `benchmarks.limits`: notes every call, in order, with its key: `python -m benchmarks.shop PORT`."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import uvicorn


class Shop:
    """An ASGI application: POST notes `[moment, path, to, idempotency key]`; GET gives all notes and forgets them."""

    def __init__(self) -> None:
        self._notes: list[tuple[float, str, str, str]] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if scope["method"] == "POST":
            key = dict(scope["headers"]).get(b"idempotency-key", b"").decode()
            self._notes.append((time.time(), scope["path"], json.loads(body)["to"], key))
            answer = b'{"ok":true}'
        else:
            answer = json.dumps(self._notes).encode()
            self._notes = []
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":
    uvicorn.run(Shop(), host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
