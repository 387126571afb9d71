"""A shop that tells everything it was sent, a project that sends it every kind of secret, and a search for them."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

# Each with what URLs, JSON and shells treat specially, and with where it is kept.
ENVIRONMENT = {
    "BASIC_USER": "basic-user+7Kq",
    "BASIC_PASSWORD": 'pa"ss&w/o=r~d:Zk31Lm',
    "KEY_HEADER": "key+header/Qw82Np==",
    "KEY_QUERY": "key query&/?#%Vb47Xc",
}
FOLDER = {
    "BEARER": "bearer\\token/Rt56Yu+",
    "OAUTH_ID": "oauth-id/Gh90Jk",
    "OAUTH_SECRET": 'oauth"secret+%2F/Ty12Ui~',
    "CUSTOM_FORM": "custom form&=/Op34As",
}
DOTENV = {
    "CUSTOM_JSON": 'custom"json/Df78Gh',
    "CUSTOM_HEADER": "custom-header/Jk11Lz",
    "HEADER": "header secret/Xc22Vb",
    "QUERY": "query secret&/Nm33Qw",
    "FORM": "form secret&=+/Er44Ty",
}
SECRETS = {**ENVIRONMENT, **FOLDER, **DOTENV}
TOKENS = {
    "oauth": "tok+oauth/AbCd55==",
    "body": "tok-body~EfGh66",
    "form": "tok form/IjKl77",
    "json": "tok&json=MnOp88",
}

AUTHS = {
    "basic": "auth: {type: basic, username: {secret: BASIC_USER}, password: {secret: BASIC_PASSWORD}}",
    "key-header": "auth: {type: api_key, header: X-Api-Key, value: {secret: KEY_HEADER}}",
    "key-query": "auth: {type: api_key, query: appid, value: {secret: KEY_QUERY}}",
    "bearer": "auth: {type: bearer, token: {secret: BEARER}}",
    "oauth": (
        "auth: {type: oauth2, token_url: 'URL/token/oauth', client_id: {secret: OAUTH_ID},"
        " client_secret: {secret: OAUTH_SECRET}}"
    ),
    "oauth-body": (
        "auth: {type: oauth2, token_url: 'URL/token/body', client_id: {secret: OAUTH_ID}, credentials: body,"
        " client_secret: {secret: OAUTH_SECRET}, parameters: {otp: {secret: CUSTOM_FORM}}}"
    ),
    "custom-form": (
        "auth: {type: custom, token_url: 'URL/token/form', form: {pin: {secret: CUSTOM_FORM}}, token: access_token,"
        " headers: {X-Login: {secret: CUSTOM_HEADER}}, send: {query: session}}"
    ),
    "custom-json": (
        "auth: {type: custom, token_url: 'URL/token/json', body: {pin: {secret: CUSTOM_JSON}}, token: access_token,"
        " send: {header: X-Session}}"
    ),
    "parts": (
        "headers: {X-Part: {secret: HEADER}}\nquery: {part: {secret: QUERY}}\nform: {part: {secret: FORM}, a: '${mode}'}"
    ),
    "bad-login": (
        "auth: {type: oauth2, token_url: 'URL/token/refused', client_id: {secret: OAUTH_ID},"
        " client_secret: {secret: OAUTH_SECRET}}"
    ),
    "bad-token": (
        "auth: {type: custom, token_url: 'URL/token/none', body: {pin: {secret: CUSTOM_JSON}}, token: nowhere.to.be}"
    ),
}
MODES = ("echo", "refuse", "fail", "away", "names", "text", "break", "kept")
"""What the shop does: it tells all in a body, in two errors, a redirect, names of fields, no JSON, half an answer, and
in an answer that breaks its schema."""

JOURNEY_STEPS = 48


def project(url: str) -> dict[str, str]:
    """Return the files of a project whose journey makes every call in every mode that fits into its steps."""
    endpoints = []
    for name, auth in AUTHS.items():
        endpoints.append(
            f"action: shop.{name}\nurl: {url}/{{mode}}/{name}\nmethod: POST\nparameters: {{mode: {{type: string}}}}\n"
            + auth.replace("URL", url)
        )
    endpoints.append(
        f"source: shop.kept\nurl: {url}/echo/kept\nauth: {{type: bearer, token: {{secret: BEARER}}}}\ncache: 1m\n"
        "response: {type: object, required: [nothing]}"
    )
    calls = [(name, mode) for mode in ("echo", "refuse") for name in AUTHS]
    calls += [(name, mode) for mode in MODES[2:7] for name in ("basic", "parts", "custom-form")]
    steps = "".join(
        f"  s{number}: {{action: shop.{name}, with: {{mode: {mode}}}, on_error: s{number + 1}}}\n"
        for number, (name, mode) in enumerate(calls)
    )
    steps += f"  s{len(calls)}: {{fetch: shop.kept, on_error: done}}\n  done: {{end: all sent}}\n"
    journey = "entry: {event: told}\nreentry: {allow: false}\ncall_timeout: 2s\nsteps:\n"
    failing = "  last: {action: shop.parts, with: {mode: refuse}}\n"
    return {
        "events.yaml": "event: told\nkey: event.id\nschema: {type: object, required: [id], properties: {id: {type: string}}}\n",
        "endpoints.yaml": "\n---\n".join(endpoints) + "\n",
        "journeys/tell.yaml": "journey: tell\n" + journey + steps,
        "journeys/fail.yaml": "journey: fail\n" + journey + failing,
    }


def written_out(files: Mapping[str, str]) -> dict[str, str]:
    """Return a project into which somebody wrote the secrets themselves, in the place of their names."""

    def value(match: re.Match[str]) -> str:
        return json.dumps(SECRETS[match[1]])

    written = {path: re.sub(r"\{secret: (\w+)\}", value, text) for path, text in files.items()}
    address = (
        f"url: https://{quote(SECRETS['BASIC_USER'])}:{quote(SECRETS['BASIC_PASSWORD'])}@shop.example.com/"
    )
    more = [
        f"source: in.url\n{address}",
        f"source: in.query\nurl: https://shop.example.com/?api_key={quote_plus(SECRETS['KEY_QUERY'])}",
        f"action: in.header\nurl: https://shop.example.com/\nheaders: {{Authorization: {json.dumps('Bearer ' + SECRETS['BEARER'])}}}",
        f"action: in.body\nurl: https://shop.example.com/\nbody: {{password: {json.dumps(SECRETS['CUSTOM_JSON'])}}}",
        f"action: in.kind\nurl: https://shop.example.com/\nauth: {{type: {json.dumps(SECRETS['HEADER'])}}}",
        f"action: in.name\nurl: https://shop.example.com/\nauth: {{type: bearer, token: {{secret: {json.dumps(SECRETS['FORM'])}}}}}",
    ]
    return {**written, "more.yaml": "\n---\n".join(more) + "\n"}


class _Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer as the path asks for."""
        self.do_POST()

    def do_POST(self) -> None:
        """Answer as the path asks for."""
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        mode, name = self.path.split("?")[0].strip("/").split("/")
        told = _told(self.path, list(self.headers.items()), body)
        self.server.told.append(told)  # type: ignore[attr-defined]
        if mode == "token":
            self._token(name, told)
        elif mode == "away":
            self._send(302, {}, {"Location": f"http://localhost:1/?all={quote(json.dumps(told))}"})
        elif mode == "text":
            self._send(200, None, {"X-Told": told["values"][0]}, "<html>" + json.dumps(told))
        elif mode == "names":
            self._send(200, {value: {value: [value]} for value in told["values"]})
        elif mode == "break":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + json.dumps(told).encode())
            self.close_connection = True
        else:
            self._send(
                {"refuse": 422, "fail": 500}.get(mode, 200), told, {"X-Told": quote(told["values"][0])}
            )

    def _token(self, name: str, told: dict[str, Any]) -> None:
        if name == "refused":
            self._send(401, {"error": "invalid_client", "error_description": json.dumps(told)})
        elif name == "none":
            self._send(200, told)
        else:
            self._send(200, {"access_token": TOKENS[name], "told": told})

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None, text: str = "") -> None:
        data = (text or json.dumps(body)).encode()
        self.send_response(status)
        for header, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            self.send_header(header, value.replace("\n", " "))
        self.end_headers()
        self.wfile.write(data)


def _told(target: str, headers: list[tuple[str, str]], body: str) -> dict[str, Any]:
    """Return everything about a request, as careless servers repeat it."""
    values = [value for name, value in headers if name.lower() not in {"host", "accept", "idempotency-key"}]
    values += [value for _, value in [*parse_qsl(urlsplit(target).query), *parse_qsl(body)]]
    for value in list(values):
        if value.startswith("Basic "):
            values += base64.b64decode(value[6:]).decode().split(":", 1)
    values = [value for value in values if len(value) > 4]
    return {
        "headers": [list(pair) for pair in headers],
        "target": target,
        "body": body,
        "values": values or ["nothing"],
        "quoted": [quote(value, safe="") for value in values],
        "escaped": [json.dumps(json.dumps({"value": value})) for value in values],
        "base64": [
            base64.b64encode(f"{'x' * (n % 3)}{value}".encode()).decode() for n, value in enumerate(values)
        ],
    }


@contextmanager
def shop() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Run the shop; yield its URL and what it was told."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    server.daemon_threads = True
    server.told = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.told  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def forms(value: str) -> list[bytes]:
    """Return a value in each form in which it would be a leak. Written apart from the code that masks."""
    texts = {value, quote(value), quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]}
    texts |= {json.dumps(text)[1:-1] for text in texts}
    texts |= {text.replace("%2F", "%2f").replace("%3D", "%3d").replace("%2B", "%2b") for text in texts}
    found = {text.encode() for text in texts}
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + value.encode()).rstrip(b"=")
        # The first characters hold bits of what stands before, the last ones of what comes after.
        core = encoded[4 if before else 0 : -2]
        found |= {core, core.replace(b"+", b"-").replace(b"/", b"_")}
    return sorted(found)


def leaked(places: Mapping[str, bytes]) -> list[str]:
    """Return which secret is in which place, and in what form: empty if none is in any."""
    wanted = {name: forms(value) for name, value in {**SECRETS, **TOKENS}.items()}
    return [
        f"{name} is in {place}: {data[max(0, data.find(form) - 60) : data.find(form) + 60]!r}"
        for place, data in places.items()
        for name, written in wanted.items()
        for form in written
        if form in data
    ]


def unsent(told: list[dict[str, Any]]) -> list[str]:
    """Return the secrets that the shop was never sent, so that the search for them would prove nothing."""
    sent = json.dumps(told).encode()
    return [name for name, value in SECRETS.items() if not any(form in sent for form in forms(value))]
