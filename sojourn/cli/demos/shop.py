"""The demo shop: a small HTTP service that plays the CRM, the mailer and the loyalty programme of a shop.

It runs in a process of its own, `python -m sojourn.cli.demos.shop`, so that journeys call it as they would call
any other system. `GET /log` tells what it was asked and what it did; that is what the demo believes, and not
what Sojourn says it has done.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sojourn.cli.demos.people import BY_ID
from sojourn.cli.demos.shop_ledger import Answer, Ledger

PORT = 8099
"""The port that the URLs of the examples name."""

Handler = Callable[[Request], Awaitable[Response]]


def create_shop(ledger: Ledger, *, crm_token: str = "", mail_key: str = "", shop_key: str = "") -> Starlette:
    """Return the shop as an ASGI application.

    Args:
        ledger: Decides the answers and keeps the log.
        crm_token: The bearer token that look-ups must carry; any will do if empty.
        mail_key: The `X-Api-Key` of the mailer; any will do if empty.
        shop_key: The `X-Api-Key` of the loyalty programme and of coupons; any will do if empty.
    """

    async def customer(request: Request) -> Response:
        if crm_token and request.headers.get("authorization") != f"Bearer {crm_token}":
            return _unauthorized()
        return await _send(ledger.look_up(request.path_params["id"]))

    def effect(channel: str, api_key: str) -> Handler:
        async def handler(request: Request) -> Response:
            if api_key and request.headers.get("x-api-key") != api_key:
                return _unauthorized()
            try:
                body = await request.json()
            except ValueError:
                return JSONResponse({"error": "the body is not JSON"}, HTTPStatus.BAD_REQUEST)
            return await _send(ledger.act(channel, request.headers.get("idempotency-key"), body))

        return handler

    async def log(_: Request) -> Response:
        return JSONResponse(ledger.log())

    async def counts(_: Request) -> Response:
        return JSONResponse(ledger.counts())

    return Starlette(
        routes=[
            Route("/customers/{id:path}", customer),
            Route("/v1/messages", effect("messages", mail_key), methods=["POST"]),
            Route("/loyalty/members", effect("members", shop_key), methods=["POST"]),
            Route("/coupons", effect("coupons", shop_key), methods=["POST"]),
            Route("/log", log),
            Route("/counts", counts),
        ]
    )


def _unauthorized() -> Response:
    return JSONResponse({"error": "wrong or missing credentials"}, HTTPStatus.UNAUTHORIZED)


async def _send(answer: Answer) -> Response:
    if answer.delay:
        await asyncio.sleep(answer.delay)
    return JSONResponse(answer.body, answer.status)


def main() -> None:
    """Serve the shop until a signal asks to stop."""
    parser = argparse.ArgumentParser(prog="python -m sojourn.cli.demos.shop", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="port on the loopback address (%(default)s)")
    parser.add_argument("--flaky", type=int, default=0, metavar="N", help="every N-th effect fails at first")
    parser.add_argument(
        "--fault", choices=["none", "drop", "double"], default="none", help="a defect to find"
    )
    chosen = parser.parse_args()
    shop = create_shop(
        Ledger(BY_ID, flaky=chosen.flaky, fault=chosen.fault),
        crm_token=os.environ.get("CRM_TOKEN", ""),
        mail_key=os.environ.get("MAIL_KEY", ""),
        shop_key=os.environ.get("SHOP_KEY", ""),
    )
    print(json.dumps({"shop": f"http://127.0.0.1:{chosen.port}"}), flush=True)
    uvicorn.run(shop, host="127.0.0.1", port=chosen.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
