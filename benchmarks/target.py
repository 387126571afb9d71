"""The other side of the measured calls: a small HTTP server in a process of its own that notes when calls came."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import uvicorn


class Target:
    """An ASGI application: POST notes the moment by `to`; GET gives all moments and forgets them."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}

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
            self._seen[json.loads(body)["to"]] = time.time()
            answer = b'{"ok":true}'
        else:
            answer = json.dumps(self._seen).encode()
            self._seen = {}
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":
    uvicorn.run(Target(), host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
